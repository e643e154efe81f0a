"""What becomes of a value: the one text it has, or an error. A value may be a secret, and no error quotes one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from ...errors import EncodeError
from .. import percent

# Decimal("1E+999999999") is short, and a gigabyte in plain digits. The bound is what Python writes of any int, whatever
# sys.set_int_max_str_digits() says.
_MAX_DIGITS = 640
_TOO_LONG = 10**_MAX_DIGITS


def text(value: object) -> str:
    """The text of one value. Raises :class:`~smswire.errors.EncodeError`, without a path."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Decimal):
        return _plain_digits(value)
    if isinstance(value, bytes):
        return _utf8_text(value)
    if isinstance(value, float):
        raise EncodeError("a float has no one exact text: give a Decimal or a str")
    raise EncodeError(f"a value of type {type(value).__name__} cannot be a form field")


def _integer(value: int) -> str:
    if not -_TOO_LONG < value < _TOO_LONG:
        raise EncodeError(f"an integer of more than {_MAX_DIGITS} digits cannot be a form field")
    return int.__repr__(value)


PLAIN_TYPES: Final[dict[type, Callable[[Any], str]]] = {str: str, bool: "01".__getitem__, int: _integer}
"""How values of the usual types become text: what :func:`text` does, in one step."""


def _utf8_text(value: bytes) -> str:
    try:
        return percent.utf8(value).decode()
    except UnicodeDecodeError as error:
        start = error.start
    # Outside the handler: the error's context would hold the value.
    raise EncodeError(f"the bytes are not UTF-8 (byte {start})")


def _plain_digits(value: Decimal) -> str:
    if not Decimal.is_finite(value):
        raise EncodeError("a Decimal that is not finite cannot be a form field")
    _, digits, exponent = Decimal.as_tuple(value)
    exponent = int(exponent)
    if (len(digits) + exponent if exponent >= 0 else max(len(digits), 1 - exponent)) > _MAX_DIGITS:
        raise EncodeError(f"a Decimal of more than {_MAX_DIGITS} digits cannot be a form field")
    return Decimal.__format__(value, "f")
