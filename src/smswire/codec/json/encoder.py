"""From a value to JSON, RFC 8259: the shortest text without white space, in UTF-8.

``dict`` becomes an object in its own order, ``list`` and ``tuple`` an array; ``str``, ``int``, ``bool`` and ``None``
what they hold, subclasses too (an ``IntEnum``, a ``StrEnum``); a ``float`` the shortest digits that read back as the
same float; a ``Decimal`` its own digits. Nothing else has a form in JSON, and nothing is converted by guess.

The writer walks with a stack of its own: nesting costs no recursion, and the containers on it are the way down to the
value in hand, which shows a cycle, and the path of an error. No error quotes a value: it may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import lru_cache
from math import isfinite
from operator import itemgetter
from typing import Any

from ...errors import EncodeError
from .number import write_integer
from .path import write_path

# RFC 8259 section 7: what must be escaped; and the surrogates, which no UTF-8 can hold.
_SPECIAL = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')
_NON_ASCII = re.compile("[^\x00-\x7f]")
_ESCAPES = {chr(code): f"\\u{code:04x}" for code in range(0x20)} | {
    '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t",
}  # fmt: skip


def encode(obj: Any, *, sort_keys: bool = False, ascii_only: bool = False) -> bytes:
    """The JSON text of a value.

    Args:
        obj: ``dict`` with ``str`` keys, ``list``, ``tuple``, ``str``, ``int``, ``float``, ``bool``, ``None``,
            ``Decimal``, nested to any depth.
        sort_keys: write the keys of each object in the order of their code points.
        ascii_only: escape every character outside ASCII, as ``\\u`` and UTF-16.

    Raises:
        EncodeError: a value of another type, a key that is not ``str``, NaN or an infinity, a lone surrogate, a
            container that contains itself. ``path`` says where.

    >>> encode({"to": "49171", "text": "Grüße", "flash": True})
    b'{"to":"49171","text":"Gr\\xc3\\xbc\\xc3\\x9fe","flash":true}'
    >>> encode({"messages": [{"price": float("nan")}]})
    Traceback (most recent call last):
    smswire.errors.EncodeError: JSON has no NaN and no Infinity at $.messages[0].price
    """
    text = "".join(_write(obj, sort_keys))
    if ascii_only and not text.isascii():
        text = _NON_ASCII.sub(_escape_utf16, text)  # outside of strings there is none
    return text.encode()


class _Level:
    """A container being written: the items still to come, and the key or index of the one in hand."""

    __slots__ = ("container", "end", "is_object", "items", "separator", "step")

    def __init__(self, container: Any, items: Iterator[Any], is_object: bool) -> None:
        self.container = container
        self.items = items
        self.is_object = is_object
        self.end = "}" if is_object else "]"
        self.separator = ""
        self.step: Any = None if is_object else -1


def _write(value: Any, sort_keys: bool) -> list[str]:
    """The pieces of the text."""
    written: list[str] = []
    levels: list[_Level] = []
    being_written: set[int] = set()  # the ids of their containers
    try:
        while True:
            write = _WRITERS.get(type(value)) or _writer_of_subclass(value)
            if write is not None:
                written.append(write(value))
            else:
                level = _open(value, sort_keys, being_written)
                levels.append(level)
                written.append("{" if level.is_object else "[")
            while levels:
                level = levels[-1]
                item = next(level.items, _NO_MORE)
                if item is not _NO_MORE:
                    break
                written.append(level.end)
                being_written.remove(id(level.container))
                levels.pop()
            else:
                return written
            if level.is_object:
                level.step = None  # until the key proves fit to be shown
                key, value = item
                level.step = _checked(key)
                written.append(f"{level.separator}{_write_key(level.step)}:")
            else:
                level.step += 1
                value = item
                written.append(level.separator)
            level.separator = ","
    except EncodeError as error:
        error.path = write_path(level.step for level in levels if level.step is not None)
        raise


_NO_MORE: Any = object()


def _open(value: Any, sort_keys: bool, being_written: set[int]) -> _Level:
    is_object = isinstance(value, dict)
    if not is_object and not isinstance(value, (list, tuple)):
        raise EncodeError(f"JSON has no form for {type(value).__name__}")
    if id(value) in being_written:
        raise EncodeError("the value contains itself")
    being_written.add(id(value))
    if not is_object:
        return _Level(value, iter(value), is_object=False)
    items = value.items()
    if sort_keys:
        items = sorted(((_checked(key), item) for key, item in items), key=itemgetter(0))
    return _Level(value, iter(items), is_object=True)


def _checked(key: Any) -> str:
    if type(key) is str:
        return key
    if isinstance(key, str):
        return str.__str__(key)
    raise EncodeError(f"a key must be str, not {type(key).__name__}")


def _write_string(text: str) -> str:
    if _SPECIAL.search(text) is None:
        return f'"{text}"'
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _escape(char: re.Match[str]) -> str:
    try:
        return _ESCAPES[char[0]]
    except KeyError:
        raise EncodeError("a lone surrogate has no UTF-8 form") from None


def _escape_utf16(char: re.Match[str]) -> str:
    units = char[0].encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _write_float(value: float) -> str:
    if not isfinite(value):
        raise EncodeError("JSON has no NaN and no Infinity")
    return float.__repr__(value)


def _write_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise EncodeError("JSON has no NaN and no Infinity")
    return Decimal.__str__(value)


_WRITERS: dict[type, Callable[[Any], str]] = {
    str: _write_string,
    int: write_integer,
    bool: {True: "true", False: "false"}.__getitem__,
    type(None): lambda _: "null",
    float: _write_float,
    Decimal: _write_decimal,
}

# Programs write few keys again and again; values are theirs and remembered nowhere.
_write_key = lru_cache(maxsize=1024)(_write_string)


def _writer_of_subclass(value: Any) -> Callable[[Any], str] | None:
    if isinstance(value, str):
        return lambda text: _write_string(str.__str__(text))
    if isinstance(value, int):
        return lambda number: write_integer(int.__int__(number))
    if isinstance(value, float):
        return _write_float
    if isinstance(value, Decimal):
        return _write_decimal
    return None
