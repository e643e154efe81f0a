"""Numbers of JSON (RFC 8259 section 6): their grammar, and what they become.

An integer is exact, however long. A fraction or an exponent makes a float, the nearest one; a number that is too large
for any is refused, for infinity is another number. How long a number may be is the reader's ``max_digits``, since the
time to convert one grows with the square of its length.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

MAX_DIGITS: Final = 4300
"""The most digits a number may have by default: as many as Python converts by default."""

INTEGER: Final = r"-?(?:0|[1-9][0-9]*+)"
FRACTION: Final = r"\.[0-9]++"
EXPONENT: Final = r"[eE][+-]?[0-9]++"
NUMBER: Final = rf"{INTEGER}(?:{FRACTION})?(?:{EXPONENT})?"
"""The grammar, as regular expressions (``[0-9]``: ``\\d`` would take the digits of every script)."""

# Conversions of at most this many digits are allowed whatever sys.set_int_max_str_digits() says.
_CHUNK = 640
_CHUNK_UNIT = 10**_CHUNK

_NO_DIGITS = str.maketrans("", "", "+-.eE")
INFINITE: Final = (float("inf"), float("-inf"))


class Unfit(ValueError):
    """A number within the grammar that passes a limit; its text says which."""


def convert(
    text: str, is_integer: bool, max_digits: int, parse_int: Callable[[str], Any], parse_float: Callable[[str], Any]
) -> Any:
    """The value of ``text``, a number in the grammar. Raises :class:`Unfit`."""
    if len(text) > max_digits and count_digits(text) > max_digits:
        raise Unfit(too_many_digits(max_digits))
    parse = parse_int if is_integer else parse_float
    if is_integer and parse is int and len(text) > _CHUNK:
        return read_integer(text)
    try:
        value = parse(text)
    except (ValueError, ArithmeticError) as error:
        name = "parse_int" if is_integer else "parse_float"
        raise Unfit(f"{name} does not take the number ({type(error).__name__})") from None
    if isinstance(value, float) and value in INFINITE:
        raise Unfit("the number is too large for a float")
    if isinstance(value, Decimal) and not Decimal.is_finite(value):
        raise Unfit("the number is too large for a Decimal")  # where its context traps nothing
    return value


def count_digits(text: str) -> int:
    """How many digits a number has, or the beginning of one."""
    return len(text.translate(_NO_DIGITS))


def too_many_digits(max_digits: int) -> str:
    """What is said of a number that passes the limit."""
    return f"the number has more than {max_digits} digits"


def read_integer(text: str) -> int:
    """``int(text)``, of any length."""
    digits = text.removeprefix("-")
    first = len(digits) % _CHUNK
    value = int(digits[:first] or "0")
    for start in range(first, len(digits), _CHUNK):
        value = value * _CHUNK_UNIT + int(digits[start : start + _CHUNK])
    return -value if text.startswith("-") else value


def write_integer(value: int) -> str:
    """``str(value)``, of any length."""
    if -_CHUNK_UNIT < value < _CHUNK_UNIT:
        return int.__repr__(value)
    rest = abs(value)
    chunks: list[str] = []
    while rest >= _CHUNK_UNIT:
        rest, chunk = divmod(rest, _CHUNK_UNIT)
        chunks.append(f"{chunk:0{_CHUNK}d}")
    chunks.append(int.__repr__(rest))
    return ("-" if value < 0 else "") + "".join(reversed(chunks))
