"""The serializer: WHATWG URL section 5.2.

A whole form is escaped in one go, with two control characters in the place of ``&`` and ``=``. Texts rarely have one of
them, and if they do it shows in the count: then each name and value is taken by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any

from ...errors import EncodeError
from .. import percent
from .fields import pairs_of, pairs_of_mapping, shown
from .values import PLAIN_TYPES, text

_AND, _IS = "\x00", "\x01"
_AND_BYTE, _IS_BYTE = _AND.encode(), _IS.encode()
_LONG = 32 * 1024  # characters a field from which on to look for the markers costs more than to go field by field

_escape = percent.Escaper(percent.FORM.encode("ascii"), {ord(" "): ord("+")})
_escape_whole = percent.Escaper(percent.FORM.encode("ascii"), {ord(" "): ord("+"), 0: ord("&"), 1: ord("=")})

_STR, _TUPLE, _TWO = {str}, {tuple}, {2}
_name_of = itemgetter(0)


def encode(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> bytes:
    """The fields as the body of a POST, or as a query.

    Args:
        fields: a mapping (of a multi-dict with ``getlist`` all values), or pairs of a name and a value. A value is
            ``str``, ``bytes`` of UTF-8, ``int``, ``bool`` (``1``, ``0``), ``Decimal`` (plain digits, no exponent),
            ``None`` (the field is left out), or a list or tuple of these (the field is repeated).

    Raises:
        EncodeError: a value of another type or a nested list, a ``Decimal`` that is not finite, bytes that are not
            UTF-8, a lone surrogate, a name that is not ``str``. ``path`` is the name of the field.

    >>> encode({"to": ["49171", "49172"], "text": "5 < 6", "flash": True, "label": None})
    b'to=49171&to=49172&text=5+%3C+6&flash=1'
    """
    if type(fields) is dict:
        pairs: Collection[tuple[str, Any]] = fields.items()
    elif isinstance(fields, Mapping):
        pairs = pairs_of_mapping(fields)
    elif type(fields) is list and {*map(type, fields)} == _TUPLE and {*map(len, fields)} == _TWO:
        pairs = fields
    else:
        pairs = list(pairs_of(fields))
    body = _encode_whole(pairs)
    if body is None:
        body = _encode_whole(list(_repeated(pairs)))
    return _encode_one_by_one(pairs) if body is None else body


def _encode_whole(pairs: Collection[tuple[str, Any]]) -> bytes | None:
    """The body if all is of the plain types, short, and without the markers in it; else None, and no word about why."""
    count = len(pairs)
    try:
        if count and {*map(type, map(_name_of, pairs))} != _STR:
            return None
        joined = _AND.join(
            [
                f"{name}\1{value}" if type(value) is str else f"{name}\1{PLAIN_TYPES[type(value)](value)}"
                for name, value in pairs
            ]
        )
        if len(joined) > _LONG * count:
            return None
        marked = joined.encode()
        if marked.count(_IS_BYTE) != count or marked.count(_AND_BYTE) + 1 != max(count, 1):
            return None
        return _escape_whole(marked)
    except (KeyError, TypeError, EncodeError, UnicodeEncodeError):  # TypeError: of a class that has no hash
        return None


def _repeated(pairs: Iterable[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The pairs with lists spread out and None left out."""
    for name, value in pairs:
        if type(name) is not str or (value is not None and type(value) is not list and type(value) is not tuple):
            yield name, value
        elif value is not None:
            yield from [(name, item) for item in value if item is not None]


def _encode_one_by_one(pairs: Iterable[tuple[str, Any]]) -> bytes:
    """The same for everything that has a body, and the error for what has none."""
    written: list[bytes] = []
    for name, value in pairs:
        if not isinstance(name, str):
            raise EncodeError(f"the name of a field must be str, not {type(name).__name__}")
        items = [item for item in (value if isinstance(value, (list, tuple)) else (value,)) if item is not None]
        if not items:
            continue
        try:
            key = _escape(percent.utf8(str.__str__(name)))  # a member of an enum would write itself otherwise
            written += [key + b"=" + _escape(percent.utf8(text(item))) for item in items]
        except EncodeError as error:
            error.path = shown(name)
            raise
    return b"&".join(written)
