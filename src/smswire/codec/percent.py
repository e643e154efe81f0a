"""Percent-encoding, RFC 3986 section 2.1: a byte that may not stand for itself is ``%`` and two hexadecimal digits.

Text is taken as UTF-8 (section 2.5). Digits are written in upper case and read in either (6.2.2.1). ``%`` itself is
always encoded (2.4), so no two inputs share an encoding, and ``decode(encode(x)) == x`` for every set of safe bytes.

``decode`` turns escapes into bytes and leaves every other byte as it is: which characters a component may hold is that
component's grammar, and ``+`` for a space belongs to :mod:`~smswire.codec.form`.

Both directions are a handful of passes over the whole, each of them in C: none handles one byte at a time.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Literal

from ..errors import ConfigurationError, DecodeError, EncodeError

__all__ = ["FORM", "PATH_SEGMENT", "QUERY", "UNRESERVED", "decode", "encode"]

UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
"""The characters that mean themselves everywhere in a URI (RFC 3986 section 2.3)."""

PATH_SEGMENT: Final = UNRESERVED + "!$&'()*+,;=:@"
"""``pchar``: what a path segment may hold as it is (RFC 3986 section 3.3)."""

QUERY: Final = PATH_SEGMENT + "/?"
"""What a query may hold as it is (RFC 3986 section 3.4). It does not escape ``&`` and ``=``: no set for form fields."""

FORM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-._"
"""What a name or value of a form may hold as it is (WHATWG URL, "application/x-www-form-urlencoded percent-encode set":
all but these). In a form a space is ``+``, so :mod:`~smswire.codec.form` is what writes one."""

_HEX_DIGITS = b"0123456789ABCDEF"
_FEW = 16  # different bytes, up to which a pass for each costs less than the three planes
_NOTHING = 0xFF  # what is written is ASCII, so this byte can stand for none
_CHUNK = 32 * 1024  # what a pass reads is still in the cache then, and no buffer is so large that it is mapped anew
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
        ConfigurationError: ``safe`` holds ``%`` or a character outside ASCII, or is no ``str``.

    >>> encode("Grüße/1")
    'Gr%C3%BC%C3%9Fe%2F1'
    >>> encode("~user/a b", PATH_SEGMENT)
    '~user%2Fa%20b'
    """
    raw = utf8(data)
    if not isinstance(safe, str):
        raise ConfigurationError(f"the safe characters are given as str, not {type(safe).__name__}")
    escape = _escaper(safe)
    return (escape(raw) if raw.translate(None, escape.kept) else raw).decode("ascii")


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
    if isinstance(data, bytes) and type(data) is not bytes:
        data = utf8(data)
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
        data = str.encode(data)
    return unescape(data)


def unescape(data: bytes) -> bytes:
    """``decode`` for bytes that keeps a malformed ``%``: WHATWG URL, "percent-decode"."""
    if b"%" not in data:
        return data
    try:
        return unescape_well_formed(data)
    except UnicodeDecodeError:
        return _ESCAPE_RUN.sub(_unescape_run, data)


def unescape_well_formed(data: bytes) -> bytes:
    """The same if every ``%`` has its two digits, else a ``UnicodeDecodeError``.

    ``%41`` is read as ``\\x41`` by Python's codec for the escapes of its own literals, the one reader of hexadecimal
    escapes it has. Latin-1 in and out, which is bytes as they are.
    """
    if b"\\" in data:
        data = data.replace(b"\\", b"\\\\")
    return data.replace(b"%", b"\\x").decode("unicode_escape").encode("latin-1")


class Escaper:
    """Escapes every byte but the ``kept`` and the keys of ``rewritten``, which turn into other bytes.

    Where few different bytes are to be escaped, as in most texts, each is replaced in one pass: ``%`` first, since what
    the others become holds one. (It holds digits, too: where these are not kept, this is no way.)

    Else a byte becomes one byte or three. So there are three planes: the first bytes, the second, the third, each of
    them the input translated by a table; a byte that becomes one has nothing in the second and the third. Interlaced,
    with what is nothing thrown away, they are the output.
    """

    __slots__ = ("few", "kept", "planes", "single")

    def __init__(self, kept: bytes, rewritten: dict[int, int] | None = None) -> None:
        self.kept = kept
        planes = [bytearray([byte]) * 256 for byte in (ord("%"), _NOTHING, _NOTHING)]
        for byte in range(256):
            planes[1][byte] = _HEX_DIGITS[byte >> 4]
            planes[2][byte] = _HEX_DIGITS[byte & 15]
        for byte, written in {byte: byte for byte in kept}.items() | (rewritten or {}).items():
            planes[0][byte] = written
            planes[1][byte] = planes[2][byte] = _NOTHING
        self.planes = [bytes(plane) for plane in planes]
        self.single = kept + bytes(rewritten or ())
        self.few = _FEW if set(kept).issuperset(_HEX_DIGITS) else 0

    def __call__(self, raw: bytes) -> bytes:
        if len(raw) > _CHUNK:
            return b"".join([self._interlace(raw[at : at + _CHUNK]) for at in range(0, len(raw), _CHUNK)])
        escaped = set(raw.translate(None, self.single))
        if len(escaped) > self.few:
            return bytes(self._interlace(raw))
        if _PERCENT in escaped:
            escaped.remove(_PERCENT)
            raw = raw.replace(b"%", b"%25")
        for byte in escaped:
            raw = raw.replace(*_REPLACEMENTS[byte])
        # All that is left to be escaped is the "%" of what is escaped already, which the first plane has as itself.
        return raw.translate(self.planes[0])

    def _interlace(self, raw: bytes) -> bytearray:
        first, second, third = self.planes
        interlaced = bytearray(3 * len(raw))
        interlaced[0::3] = raw.translate(first)
        interlaced[1::3] = raw.translate(second)
        interlaced[2::3] = raw.translate(third)
        return interlaced.translate(None, _NO_BYTES)


_NO_BYTES = bytes((_NOTHING,))
_PERCENT = ord("%")
_REPLACEMENTS = [(bytes((byte,)), b"%%%02X" % byte) for byte in range(256)]


@lru_cache(maxsize=64)
def _escaper(safe: str) -> Escaper:
    if "%" in safe or not safe.isascii():
        raise ConfigurationError('the safe characters must be ASCII, and "%" is not one of them')
    return Escaper(safe.encode("ascii"))


def utf8(data: str | bytes) -> bytes:
    """Bytes as they are, text as its UTF-8; :class:`~smswire.errors.EncodeError` for what has none.

    Of a subclass what it holds; what its own methods say of it is not asked.
    """
    if isinstance(data, bytes):
        return data if type(data) is bytes else memoryview(data).tobytes()
    if not isinstance(data, str):
        raise EncodeError(f"only str and bytes can be percent-encoded, not {type(data).__name__}")
    try:
        return str.encode(data)
    except UnicodeEncodeError as error:
        start = error.start
    # Outside the handler: the error's context would hold the text, which may be a secret.
    raise EncodeError(f"a lone surrogate, character {start}, has no UTF-8 form")


def _unescape_run(run: re.Match[bytes]) -> bytes:
    return bytes.fromhex(run[0].replace(b"%", b"").decode("ascii"))
