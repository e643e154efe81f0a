"""What a body means: gzip that came though nobody asked is inflated, every other coding is left as it is."""

from __future__ import annotations

import zlib

from ..errors import ProtocolError
from .head import Limits
from .message import Headers


def decoded(status: int, body: bytes, headers: Headers, limits: Limits) -> bytes:
    """The body without gzip, if that is what ``Content-Encoding`` says.

    Where gzip cannot be read the body of a refusal stays as it came: its status has said all that matters.

    Raises:
        ProtocolError: in a 2xx it is no whole gzip, or longer than ``max_body_bytes`` once inflated.
    """
    if body and (headers.get("content-encoding") or "").lower() in ("gzip", "x-gzip"):
        try:
            return inflate(body, limits.max_body_bytes)
        except ProtocolError:
            if 200 <= status <= 299:
                raise
    return body


def inflate(data: bytes, max_bytes: int) -> bytes:
    """Inflates one gzip member (RFC 1952), the whole of ``data``.

    Raises:
        ProtocolError: it is corrupt, cut short, followed by something else, or longer than ``max_bytes`` inflated.

    >>> import gzip
    >>> inflate(gzip.compress(b"100"), 3)
    b'100'
    """
    inflater = zlib.decompressobj(wbits=31)  # 16 for gzip, and a window of up to 2**15
    try:
        # One byte more than allowed shows that there is more; nothing beyond it is ever inflated.
        body = inflater.decompress(data, max_bytes + 1)
    except zlib.error:
        raise ProtocolError("the answer's gzip is corrupt") from None
    if len(body) > max_bytes:
        raise ProtocolError("the answer's body is too long once inflated")
    if not inflater.eof or inflater.unused_data:
        raise ProtocolError("the answer's gzip is cut short, or has bytes behind it")
    return body
