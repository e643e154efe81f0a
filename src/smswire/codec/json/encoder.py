"""From a value to JSON, RFC 8259: the shortest text without white space, in UTF-8.

``dict`` becomes an object in its own order, ``list`` and ``tuple`` an array; ``str``, ``int``, ``bool`` and ``None``
what they hold, subclasses too (an ``IntEnum``, a ``StrEnum``); a ``float`` the shortest digits that read back as the
same float; a ``Decimal`` its own digits. Nothing else has a form in JSON, and nothing is converted by guess.

The writer walks with a stack of its own: nesting costs no recursion, and the containers on it are the way down to the
value in hand, which shows a cycle, and the path of an error. No error quotes a value: it may be a secret. The
innermost containers, which hold most of what there is to write, are left to :mod:`.flat` as far as it takes them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from ...errors import EncodeError
from . import flat
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
    text = flat.write_object(obj) if type(obj) is dict and not sort_keys else None
    if text is None:
        text = b"".join(_write(obj, sort_keys))
    if ascii_only and not text.isascii():
        return _NON_ASCII.sub(_escape_utf16, text.decode()).encode()  # outside of strings there is none
    return text


def _write_flat(value: Any) -> bytes | None:
    if type(value) is dict:
        return flat.write_object(value)
    if type(value) is list or type(value) is tuple:
        return flat.write_array(value)
    return None


class _Level:
    """A container being written: the items still to come, and the key or index of the one in hand."""

    __slots__ = ("container", "end", "is_object", "items", "separator", "step")

    def __init__(self, container: Any, items: Iterator[Any], is_object: bool) -> None:
        self.container = container
        self.items = items
        self.is_object = is_object
        self.end = b"}" if is_object else b"]"
        self.separator = b""
        self.step: Any = None if is_object else -1


def _write(value: Any, sort_keys: bool) -> list[bytes]:
    """The pieces of the text."""
    written: list[bytes] = []
    levels: list[_Level] = []
    being_written: set[int] = set()  # the ids of their containers
    try:
        while True:
            write = _writer_of(value)
            if write is not None:
                written.append(write(value).encode())
            elif not sort_keys and (whole := _write_flat(value)) is not None:
                written.append(whole)
            else:
                level = _open(value, sort_keys, being_written)
                levels.append(level)
                written.append(b"{" if level.is_object else b"[")
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
                written += level.separator, _write_key(level.step)
            else:
                level.step += 1
                value = item
                written.append(level.separator)
            level.separator = b","
    except EncodeError as error:
        error.path = write_path(level.step for level in levels if level.step is not None)
        raise


_NO_MORE: Any = object()
_MAX_REMEMBERED = 64  # characters of a key


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


_WRITERS = flat.SCALARS | {str: _write_string, int: write_integer}


def _write_key(key: str) -> bytes:
    return _write_short_key(key) if len(key) <= _MAX_REMEMBERED else f"{_write_string(key)}:".encode()


@lru_cache(maxsize=1024)
def _write_short_key(key: str) -> bytes:
    """Programs write few keys again and again; values are theirs and remembered nowhere."""
    return f"{_write_string(key)}:".encode()


def _writer_of(value: Any) -> Callable[[Any], str] | None:
    with suppress(TypeError):  # a class that has no hash
        if (write := _WRITERS.get(type(value))) is not None:
            return write
    if isinstance(value, str):
        return lambda text: _write_string(str.__str__(text))
    if isinstance(value, int):
        return lambda number: write_integer(int.__int__(number))
    if isinstance(value, float):
        return flat.write_float
    if isinstance(value, Decimal):
        return flat.write_decimal
    return None
