"""The parser: WHATWG URL section 5.1.

A whole form is unescaped in one go, with two control characters in the place of ``&`` and ``=``. Texts rarely have
one of them, and if they do it shows in the count: then each name and value is taken by itself.
"""

from __future__ import annotations

import re
from codecs import utf_8_decode
from itertools import islice
from typing import Final, Literal

from ...errors import ConfigurationError, DecodeError
from .. import percent

MAX_FIELDS: Final = 1000
"""The most fields ``decode`` takes by default: what PHP's ``max_input_vars`` allows."""

MAX_BYTES: Final = 32 * 1024 * 1024
"""The most bytes ``decode`` takes by default: the largest body that :mod:`smswire.wire` lets through."""

_AND, _IS = "\x00", "\x01"
_MARKED = bytes.maketrans(b"&=+", b"\x00\x01 ")

_SURROGATE = re.compile("[\ud800-\udfff]")
_SURROGATE_CUT_SHORT = re.compile(rb"\xed[\xa0-\xbf]\Z")
_BYTE = re.compile(rb"%[0-9A-Fa-f]{2}|.", re.DOTALL)


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
