"""Percent-encoding, RFC 3986 section 2.1: a byte that may not stand for itself is ``%`` and two hexadecimal digits.

Text is taken as UTF-8 (section 2.5). Digits are written in upper case and read in either (6.2.2.1). ``%`` itself is
always encoded (2.4), so no two inputs share an encoding, and ``decode(encode(x)) == x`` for every set of safe bytes.

``decode`` turns escapes into bytes and leaves every other byte as it is: which characters a component may hold is that
component's grammar, and ``+`` for a space belongs to :mod:`~smswire.codec.form`.

Encoding has two ways to the same bytes. Text in a script other than Latin comes in long runs that all need escaping:
one step a run. ASCII has few distinct characters that do, mostly alone: one pass over the whole for each of them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Literal

from ..errors import ConfigurationError, DecodeError, EncodeError

UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
"""The characters that mean themselves everywhere in a URI (RFC 3986 section 2.3)."""

PATH_SEGMENT: Final = UNRESERVED + "!$&'()*+,;=:@"
"""``pchar``: what a path segment may hold as it is (RFC 3986 section 3.3)."""

QUERY: Final = PATH_SEGMENT + "/?"
"""What a query may hold as it is (RFC 3986 section 3.4). It does not escape ``&`` and ``=``: no set for form fields."""

FORM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._"
"""What a name or value of a form may hold as it is (WHATWG URL, "application/x-www-form-urlencoded percent-encode set":
all but these). In a form a space is ``+``, so :mod:`~smswire.codec.form` is what writes one."""

_HEX_DIGITS = frozenset(b"0123456789ABCDEF")
_ESCAPE_RUN = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MALFORMED_IN_TEXT = re.compile(r"%(?![0-9A-Fa-f]{2})|[\ud800-\udfff]")
_MALFORMED_REASON = '"%" must have two hexadecimal digits behind it'
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def encode(data: str | bytes, safe: str = UNRESERVED) -> str:
    """Escapes every byte of ``data`` that is not in ``safe``.

    Args:
        data: text, taken as UTF-8, or bytes.
        safe: the characters left as they are, ASCII without ``%``.

    Raises:
        EncodeError: the text holds a lone surrogate, which has no UTF-8 form; or it is neither text nor bytes.
        ConfigurationError: ``safe`` holds ``%`` or a character outside ASCII.

    >>> encode("Grüße/1")
    'Gr%C3%BC%C3%9Fe%2F1'
    >>> encode("~user/a b", PATH_SEGMENT)
    '~user%2Fa%20b'
    """
    raw = _utf8(data)
    safe_bytes, unsafe_run = _safe_set(safe)
    unsafe = raw.translate(None, safe_bytes)
    if not unsafe:
        return raw.decode("ascii")
    # The passes would take the digits of one another's escapes for data if a digit had to be escaped too.
    if not unsafe.isascii() or not _HEX_DIGITS.issubset(safe_bytes):
        return _encode_by_runs(raw, unsafe_run)
    if b"%" in unsafe:
        raw = raw.replace(b"%", b"%25")  # first: later passes bring more of them
        unsafe = unsafe.replace(b"%", b"")
    for byte in set(unsafe):
        raw = raw.replace(bytes((byte,)), b"%%%02X" % byte)
    return raw.decode("ascii")


def decode(data: str | bytes, *, malformed: Literal["error", "keep"] = "error") -> bytes:
    """The bytes that ``data`` stands for.

    Args:
        data: percent-encoded text or bytes; characters outside ASCII stand for their UTF-8.
        malformed: what to do about a ``%`` without two hexadecimal digits behind it: ``"error"``, or ``"keep"`` it
            as it is (WHATWG URL, "percent-decode").

    Raises:
        DecodeError: a malformed ``%``, at its offset; or a lone surrogate in text.
        ConfigurationError: no such ``malformed``.

    >>> decode("Gr%C3%BC%c3%9Fe")
    b'Gr\\xc3\\xbc\\xc3\\x9fe'
    >>> decode("100%", malformed="keep")
    b'100%'
    """
    if malformed not in ("error", "keep"):
        raise ConfigurationError('malformed is "error" or "keep"')
    fault: re.Match[Any] | None = None
    if isinstance(data, str):
        fault = (_MALFORMED_IN_TEXT if malformed == "error" else _SURROGATE).search(data)
    elif not isinstance(data, bytes):
        raise DecodeError(f"only str and bytes can be percent-decoded, not {type(data).__name__}")
    elif malformed == "error":
        fault = _MALFORMED.search(data)
    if fault is not None:
        reason = "a lone surrogate is no character" if fault[0] not in ("%", b"%") else _MALFORMED_REASON
        raise DecodeError(reason, offset=fault.start())
    if isinstance(data, str):
        data = data.encode()
    return unescape(data)


def unescape(data: bytes) -> bytes:
    """``decode`` for bytes that keeps a malformed ``%``: WHATWG URL, "percent-decode"."""
    return _ESCAPE_RUN.sub(_unescape_run, data) if b"%" in data else data


@lru_cache(maxsize=64)
def _safe_set(safe: str) -> tuple[bytes, re.Pattern[bytes]]:
    """The safe bytes, and a pattern for a run of all others."""
    if "%" in safe or not safe.isascii():
        raise ConfigurationError('the safe characters must be ASCII, and "%" is not one of them')
    safe_bytes = safe.encode("ascii")
    return safe_bytes, re.compile(b"[^" + re.escape(safe_bytes) + b"]+" if safe_bytes else rb"(?s:.+)")


def _utf8(data: str | bytes) -> bytes:
    if isinstance(data, bytes):
        return data
    if not isinstance(data, str):
        raise EncodeError(f"only str and bytes can be percent-encoded, not {type(data).__name__}")
    try:
        return data.encode()
    except UnicodeEncodeError as error:
        start = error.start
    # Outside the handler: the error's context would hold the text, which may be a secret.
    raise EncodeError(f"a lone surrogate, character {start}, has no UTF-8 form")


def _encode_by_runs(raw: bytes, unsafe_run: re.Pattern[bytes]) -> str:
    return unsafe_run.sub(_escape_run, raw).decode("ascii")


def _escape_run(run: re.Match[bytes]) -> bytes:
    return b"%" + run[0].hex("%").upper().encode("ascii")


def _unescape_run(run: re.Match[bytes]) -> bytes:
    return bytes.fromhex(run[0].replace(b"%", b"").decode("ascii"))
