"""The fields of an answer, read leniently: types vary between the gateway's versions.

Each reader takes any JSON value and returns what it stands for, or None. None of them raises.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any, Final

DIGITS_AT_MOST: Final = 40
_FLAGS: Final = {"true": True, "1": True, "false": False, "0": False}
_TOO_LONG: Final = 10**DIGITS_AT_MOST
DIGITS: Final = re.compile(r"[0-9]{1,40}")
_CODE_FIELDS: Final = ("success", "code", "error_code", "error")
_CODE = re.compile(r"[0-9]{2,4}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(?:[.,][0-9]{1,40})?")


def codes_of(value: Any) -> list[int]:
    """The codes of an object, in whichever fields hold one (a bool is none); of any other answer the one it is."""
    if not isinstance(value, dict):
        number = first_code(value)
        return [] if number is None else [number]
    return [number for name in _CODE_FIELDS if name in value and (number := code(value[name])) is not None]


def first_code(value: Any) -> int | None:
    """The code of a bare answer: the number itself, or the first line of a text."""
    return code(lines(value)[0] if isinstance(value, str) else value)


def lines(value: Any) -> list[str]:
    """Lines end with LF or CR LF and with nothing else: a text may hold the other characters that Unicode calls so."""
    return [line.removesuffix("\r") for line in str(value).strip().split("\n")] if isinstance(value, str) else []


def code(value: Any) -> int | None:
    """A code is two to four digits, as an int or a str; 0 and 1 are somebody's booleans."""
    if type(value) is int:
        return value if 10 <= value <= 9999 else None
    if isinstance(value, str) and _CODE.fullmatch(value.strip()):
        number = int(value)
        return number if number >= 10 else None
    return None


def fraction(digits: str) -> Decimal | None:
    """What ``json.decode`` shall make of a number with a fraction or an exponent."""
    try:
        return Decimal(digits)
    except InvalidOperation:  # an exponent beyond what a Decimal can hold
        return None


def decimal(value: Any) -> Decimal | None:
    """A number that could be money; others are None, before somebody prints one with a thousand million digits."""
    if isinstance(value, Decimal):
        return value if abs(value.adjusted()) < DIGITS_AT_MOST else None
    if _is_integer(value):
        return Decimal(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return Decimal(value.strip().replace(",", "."))
    return None


def _is_integer(value: Any) -> bool:
    """An int (no bool) short enough for ``str()``, which refuses those of several thousand digits."""
    return type(value) is int and abs(value) < _TOO_LONG


def text(value: Any) -> str | None:
    """A str; an int as its digits, for ids and numbers that come as either."""
    if value is None or isinstance(value, str):
        return value
    return str(value) if _is_integer(value) else None


def integer(value: Any) -> int | None:
    """An int, or a str of digits."""
    if _is_integer(value):
        return int(value)
    return int(value) if isinstance(value, str) and DIGITS.fullmatch(value.strip()) else None


def flag(value: Any) -> bool | None:
    """A bool, 1 or 0, or one of these as a str."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return _FLAGS.get(value.strip().lower())
    return bool(value) if isinstance(value, int) and value in (0, 1) else None


def error(value: Any) -> int | str | None:
    """Null, 0 and an empty str are no error."""
    if value is None:
        return None
    number = integer(value)
    if number is not None:
        return number or None
    return value.strip() or None if isinstance(value, str) else None
