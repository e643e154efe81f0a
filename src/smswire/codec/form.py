"""``application/x-www-form-urlencoded``: WHATWG URL, section 5, the serializer and the parser to the letter.

A form is an ordered list of (name, value) pairs; names may repeat, be empty, hold anything. Letters, digits and
``*-._`` stand for themselves, a space is ``+``, any other byte of the UTF-8 text is ``%XX``. The parser takes all
input: empty pieces between ``&`` are no pairs, a malformed ``%`` stays, bytes that are not UTF-8 become U+FFFD. With
``errors="strict"`` it refuses the last two. ``decode(encode(pairs)) == pairs`` for every list of pairs of text.

``encode`` also takes what the gateway's own client libraries turn into text before they send: ``True`` and ``False``
are ``1`` and ``0``, ``None`` leaves the field out, a list or tuple repeats it, an ``int`` or ``Decimal`` is written
out in digits; ``bracketed`` gives nested values names such as ``files[0][name]``. What has no one obvious text (a
``float``, a date, a set) is refused. A value may be a secret: no error quotes one.
"""

from __future__ import annotations

import re
from codecs import utf_8_decode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from itertools import islice
from operator import itemgetter
from typing import Any, Final, Literal

from ..errors import ConfigurationError, DecodeError, EncodeError
from . import percent

MAX_FIELDS: Final = 1000
"""The most fields ``decode`` takes by default: what PHP's ``max_input_vars`` allows."""

MAX_BYTES: Final = 32 * 1024 * 1024
"""The most bytes ``decode`` takes by default: the largest body that :mod:`smswire.wire` lets through."""

_escape = percent.Escaper(percent.FORM.encode("ascii"), {ord(" "): ord("+")})

# A whole form is escaped, or unescaped, in one go with these in the place of "&" and "=". Texts rarely have one of
# them, and if they do it shows in the count: then each name and value is taken by itself.
_AND, _IS = "\x00", "\x01"
_AND_BYTE, _IS_BYTE = _AND.encode(), _IS.encode()
_escape_whole = percent.Escaper(percent.FORM.encode("ascii"), {ord(" "): ord("+"), 0: ord("&"), 1: ord("=")})
_LONG = 32 * 1024  # characters a field from which on to look for the markers costs more than to go field by field
_MARKED = bytes.maketrans(b"&=+", _AND_BYTE + _IS_BYTE + b" ")

# Decimal("1E+999999999") is short, and a gigabyte in plain digits. The bound is what Python writes of any int, whatever
# sys.set_int_max_str_digits() says.
_MAX_DIGITS = 640
_TOO_LONG = 10**_MAX_DIGITS

_MAX_BRACKETS = 16  # no form known nests deeper than 2, and what contains itself has no depth

_STR, _TUPLE, _TWO = {str}, {tuple}, {2}
_name_of = itemgetter(0)
_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_CUT_SHORT = re.compile(rb"\xed[\xa0-\xbf]\Z")
_BYTE = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)


def encode(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> bytes:
    """The fields as the body of a POST, or as a query.

    Args:
        fields: a mapping, or pairs of a name and a value. A value is ``str``, ``bytes`` of UTF-8, ``int``, ``bool``
            (``1``, ``0``), ``Decimal`` (plain digits, no exponent), ``None`` (the field is left out), or a list or
            tuple of these (the field is repeated).

    Raises:
        EncodeError: a value of another type or a nested list, a ``Decimal`` that is not finite, bytes that are not
            UTF-8, a lone surrogate, a name that is not ``str``. ``path`` is the name of the field.

    >>> encode({"to": ["49171", "49172"], "text": "5 < 6", "flash": True, "label": None})
    b'to=49171&to=49172&text=5+%3C+6&flash=1'
    """
    if type(fields) is dict:
        pairs: Collection[tuple[str, Any]] = fields.items()
    elif isinstance(fields, Mapping):
        pairs = list(_pairs(fields.items()))  # another mapping's may come only once
    elif type(fields) is list and {*map(type, fields)} == _TUPLE and {*map(len, fields)} == _TWO:
        pairs = fields
    else:
        pairs = list(_pairs(fields))
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
        text = _AND.join(
            [
                f"{name}\1{value}" if type(value) is str else f"{name}\1{_PLAIN_TYPES[type(value)](value)}"
                for name, value in pairs
            ]
        )
        if len(text) > _LONG * count:
            return None
        marked = text.encode()
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
            written += [key + b"=" + _escape(percent.utf8(_text(item))) for item in items]
        except EncodeError as error:
            error.path = _shown(name)
            raise
    return b"&".join(written)


def bracketed(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The fields with nested values spread out under bracketed names, as PHP reads them: what ``encode`` takes.

    A list of mappings becomes ``name[0][key]``, ``name[1][key]``, …, and a mapping ``name[key]``; so again for the
    values within; an empty mapping has no fields. Everything else stays what it is: a list of plain values repeats its
    field.

    Args:
        fields: a mapping, or pairs of a name and a value.

    Raises:
        EncodeError: a key in brackets that is not ``str`` or itself holds a bracket, which could be read in two
            ways; values nested deeper than 16 brackets. ``path`` is the name of the field.

    >>> bracketed({"to": ["49171", "49172"], "files": [{"name": "a.pdf", "contents": "QQ=="}]})
    [('to', ['49171', '49172']), ('files[0][name]', 'a.pdf'), ('files[0][contents]', 'QQ==')]
    """
    flat: list[tuple[str, Any]] = []
    for field in fields.items() if isinstance(fields, Mapping) else _pairs(fields):
        if type(field[1]) is str:
            flat.append(field)
            continue
        waiting = [(*field, 0)]  # of a nested value its own fields stand on top, the first one uppermost
        while waiting:
            name, value, depth = waiting.pop()
            inner = _spread(name, value)
            if inner is None:
                flat.append((name, value))
            elif depth >= _MAX_BRACKETS:
                raise EncodeError(f"values are nested deeper than {_MAX_BRACKETS} brackets", path=_shown(field[0]))
            else:
                waiting += [(inner_name, item, depth + 1) for inner_name, item in reversed(inner)]
    return flat


def decode(
    data: bytes | str,
    *,
    max_fields: int = MAX_FIELDS,
    max_bytes: int = MAX_BYTES,
    errors: Literal["replace", "strict"] = "replace",
) -> list[tuple[str, str]]:
    """The pairs of a form, in order, repeats kept.

    Args:
        data: a body or a query without its ``?``.
        max_fields: the most fields taken.
        max_bytes: the most bytes taken, counted in UTF-8 for ``str``.
        errors: ``"replace"`` reads everything, as WHATWG says; ``"strict"`` refuses a malformed ``%``, and names and
            values that are not UTF-8.

    Raises:
        DecodeError: a limit is passed, or ``strict`` found a fault; with ``offset``.
        ConfigurationError: no such ``errors``.

    >>> decode(b"to=49171&to=49172&text=5+%3C+6")
    [('to', '49171'), ('to', '49172'), ('text', '5 < 6')]
    """
    if errors not in ("replace", "strict"):
        raise ConfigurationError('errors is "replace" or "strict"')
    raw = _bytes(data, errors)
    try:
        return _decode(raw, max_fields, max_bytes, errors)
    except DecodeError as error:
        if isinstance(data, str):
            error.offset = len(raw[: error.offset].decode("utf-8", "ignore"))
        raise


def _decode(raw: bytes, max_fields: int, max_bytes: int, errors: str) -> list[tuple[str, str]]:
    if len(raw) > max_bytes:
        raise DecodeError(f"the form has more than {max_bytes} bytes", offset=max_bytes)
    if raw.count(b"&") >= max_fields:
        _refuse_fields_beyond(max_fields, raw)
    pairs = _decode_whole(raw)
    return _decode_one_by_one(raw, errors) if pairs is None else pairs


def _decode_whole(raw: bytes) -> list[tuple[str, str]] | None:
    """The pairs if there is no fault in any and the markers stand in no text; else None."""
    try:
        marked = percent.unescape_well_formed(raw.translate(_MARKED)).decode()
    except UnicodeDecodeError:
        return None
    if marked.count(_AND) != raw.count(b"&") or marked.count(_IS) != raw.count(b"="):
        return None
    pairs = []
    for field in marked.split(_AND):
        name, _, value = field.partition(_IS)
        if field:
            pairs.append((name, value if _IS not in value else value.replace(_IS, "=")))
    return pairs


def _decode_one_by_one(raw: bytes, errors: str) -> list[tuple[str, str]]:
    """The same for every form, or the error for one with a fault in it."""
    pairs = []
    offset = 0
    for field in raw.split(b"&"):
        if field:
            name, equals, value = field.partition(b"=")
            pairs.append((_read(name, offset, errors), _read(value, offset + len(name) + len(equals), errors)))
        offset += len(field) + 1
    return pairs


def _read(raw: bytes, offset: int, errors: str) -> str:
    """The text of one name or value that stands at ``offset``."""
    if errors == "strict":
        return _read_strictly(raw, offset)
    return percent.unescape(raw.replace(b"+", b" ")).decode("utf-8", "replace")


def _read_strictly(raw: bytes, offset: int) -> str:
    malformed: DecodeError | None = None
    try:
        unescaped = percent.decode(raw.replace(b"+", b" "))
    except DecodeError as error:
        malformed = error
        unescaped = percent.unescape(raw[: error.offset].replace(b"+", b" "))
    try:
        # What stands before the fault may be cut short; but the codec waits for the rest of a surrogate too.
        is_whole = malformed is None or _SURROGATE_CUT_SHORT.search(unescaped) is not None
        text, _ = utf_8_decode(unescaped, "strict", is_whole)
    except UnicodeDecodeError as error:
        start = error.start
    else:
        if malformed is None:
            return text
        malformed.offset = offset + (malformed.offset or 0)
        raise malformed
    # Outside the handler: the error's context would hold the value.
    inside = sum(len(unit) for unit in islice(_BYTE.findall(raw), start))
    raise DecodeError("the bytes are not UTF-8", offset=offset + inside)


def _refuse_fields_beyond(max_fields: int, raw: bytes) -> None:
    for index, field in enumerate(re.finditer(rb"[^&]+", raw)):
        if index >= max_fields:
            raise DecodeError(f"the form has more than {max_fields} fields", offset=field.start())


def _bytes(data: bytes | str, errors: str) -> bytes:
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str):
        raise DecodeError(f"a form is read from bytes or str, not {type(data).__name__}")
    # WHATWG takes scalar values only: a surrogate has become U+FFFD before the parser sees it.
    surrogate = _SURROGATE.search(data)
    if surrogate is None:
        return data.encode()
    if errors == "strict":
        raise DecodeError("a lone surrogate is no character", offset=surrogate.start())
    return _SURROGATE.sub("\ufffd", data).encode()


def _spread(name: str, value: Any) -> list[tuple[str, Any]] | None:
    """The fields one level within the value, or None if it has no such level."""
    is_list = isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, Mapping) for item in value)
    if not is_list and not isinstance(value, Mapping):
        return None
    if not isinstance(name, str):
        raise EncodeError(f"the name of a field must be str, not {type(name).__name__}")
    name = str.__str__(name)
    if is_list:
        return [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            raise EncodeError(f"a key in brackets must be str, not {type(key).__name__}", path=_shown(name))
        if "[" in key or "]" in key:
            raise EncodeError("a key in brackets cannot hold a bracket", path=_shown(name))
    return [(f"{name}[{str.__str__(key)}]", item) for key, item in value.items()]


def _pairs(fields: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    if isinstance(fields, (str, bytes)) or not isinstance(fields, Iterable):
        raise EncodeError(f"a form is a mapping or pairs of name and value, not {type(fields).__name__}")
    for index, pair in enumerate(fields):
        # A string of two characters would pass for a pair.
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise EncodeError(f"field {index} is not a pair of name and value")
        yield pair[0], pair[1]


def _text(value: object) -> str:
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


_PLAIN_TYPES: dict[type, Callable[[Any], str]] = {str: str, bool: "01".__getitem__, int: _integer}


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


def _shown(name: str) -> str:
    """A name fit for a message: printable, and not long."""
    name = str.__str__(name)
    printable = name if name.isprintable() else ascii(name)[1:-1]
    return printable if len(printable) <= 60 else f"{printable[:59]}…"
