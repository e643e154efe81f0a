"""Writes objects and arrays that hold no other, fast: :mod:`.encoder` is its slow twin, and the judge.

Strings are put between quotes as they are, and the check comes afterwards, over the whole: if it has the quotes put
there and no other, no backslash and no control character, then nothing in it had to be escaped. What does not pass,
and what has no form in JSON, is handed back as None, without a word about why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from math import isfinite
from typing import Any

from ...errors import EncodeError

_SPECIAL = bytes(range(0x20)) + b'"\\'  # RFC 8259 section 7
_BEFORE_KEY = ',"'  # with the quote of the key: a piece less in each member


def write_float(value: float) -> str:
    """The shortest digits that read back as the same float; ``EncodeError`` where JSON has none."""
    if not isfinite(value):
        raise EncodeError("JSON has no NaN and no Infinity")
    return float.__repr__(value)


def write_decimal(value: Decimal) -> str:
    """Its own digits; ``EncodeError`` where JSON has none."""
    if not Decimal.is_finite(value):
        raise EncodeError("JSON has no NaN and no Infinity")
    return Decimal.__str__(value)


SCALARS: dict[type, Callable[[Any], str]] = {
    int: repr,  # a ValueError for one that is very long
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): {None: "null"}.__getitem__,
    float: write_float,
    Decimal: write_decimal,
}
"""The writer of each type but ``str``; not for their subclasses."""


def write_object(obj: dict[Any, Any]) -> bytes | None:
    """The text of ``obj``, if it is a dict without containers in it and nothing is to be escaped."""
    members: list[str] = []
    quotes = 4 * len(obj)
    try:
        for key, value in obj.items():
            if type(key) is not str:
                return None
            kind = type(value)
            if kind is str:
                members.append(f'{key}":"{value}"')
            else:
                members.append(f'{key}":{SCALARS[kind](value)}')
                quotes -= 2
        text = f'{{"{_BEFORE_KEY.join(members)}}}'.encode() if members else b"{}"
    except (KeyError, TypeError, ValueError):
        return None
    return text if len(text) - len(text.translate(None, _SPECIAL)) == quotes else None


def write_array(array: Iterable[Any]) -> bytes | None:
    """The same for a list or a tuple."""
    items: list[str] = []
    quotes = 0
    try:
        for value in array:
            if type(value) is str:
                items.append(f'"{value}"')
                quotes += 2
            else:
                items.append(SCALARS[type(value)](value))
        text = f"[{','.join(items)}]".encode()
    except (KeyError, TypeError, ValueError):
        return None
    return text if len(text) - len(text.translate(None, _SPECIAL)) == quotes else None
