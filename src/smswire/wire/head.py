"""The door: where a response ends, and whether its connection may carry another.

Everything a peer sends passes here before h11 reads it. h11 decides what a response says; the door decides two things
about which h11 is lax, and which cost money when two readers decide them differently:

- *Where does the message end?* Whatever leaves this open is refused (`ProtocolError`): both ``Content-Length`` and
  ``Transfer-Encoding``, lengths that differ or are no number, codings other than ``chunked``, line ends other than
  CRLF, folds on the fields that frame, lines that look blank and are not, versions other than 1.0 and 1.1.
- *May the connection be used again?* Only after an answer with nothing odd about it. An odd but unambiguous answer
  stands: refusing it would turn a known outcome into "maybe sent". `Head.is_sound` is then false, and the connection
  goes.

It also holds every bound (`Limits`), exactly, in whatever pieces the bytes arrive: h11 bounds what it buffers, but not
what comes complete in one read. Field names, values and reason phrases the door leaves to h11.

The framings walk over the body beside h11 and know the index where the message ends, so h11 is never given a byte that
belongs to something else; should the two ever disagree, `exchange` refuses the response.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from ..errors import ProtocolError


class Limits(NamedTuple):
    """What one response may take. Each ``max_…`` is itself still allowed.

    >>> Limits(max_body_bytes=1024).max_fields
    100
    """

    max_head_bytes: int = 65_536
    """A head, from its status line to its blank line; each interim head by itself."""
    max_fields: int = 100
    """Field lines in a head, and in the trailers."""
    max_interim: int = 8
    """1xx responses before the final one: more than any server sends, and few enough to cost nothing."""
    max_body_bytes: int = 33_554_432
    """A body: on the wire, and again once inflated."""
    max_chunks: int = 65_536
    """Chunks of a chunked body: bounds the work, since a chunk may be as small as a byte."""
    max_line_bytes: int = 16_384
    """The size line of a chunk with its extensions; all trailers together. Also what h11 may buffer."""


class Sized:
    """A body of known length (RFC 9112 6.2), 0 where a response has none."""

    __slots__ = ("_left",)
    is_odd = False

    def __init__(self, length: int) -> None:
        self._left = length

    def walk(self, data: bytes) -> int:
        """The index in ``data`` where the message ends, or -1 if it does not end in there."""
        if len(data) >= self._left:
            return self._left
        self._left -= len(data)
        return -1


class UntilEnd:
    """A body that ends with the connection (RFC 9112 6.3, rule 8)."""

    __slots__ = ("_left",)
    is_odd = True

    def __init__(self, limits: Limits) -> None:
        self._left = limits.max_body_bytes

    def walk(self, data: bytes) -> int:
        """Always -1: no byte ends it.

        Raises:
            ProtocolError: the body is longer than ``max_body_bytes``.
        """
        self._left -= len(data)
        if self._left < 0:
            raise ProtocolError("the answer's body is too long")
        return -1


# 16 digits hold any 64-bit length. h11 wants the extension right behind the size, and forgives spaces at the end.
_size_line = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[^\0\r\n]*|[ \t]*)\r\n").fullmatch


class Chunked:
    """A body in chunks (RFC 9112 7.1). Looks at size lines and trailers; content and its footers are h11's to check."""

    __slots__ = (
        "_chunks_left",
        "_fields_left",
        "_in_trailers",
        "_limits",
        "_line",
        "_lines_left",
        "_octets_left",
        "_skip",
        "is_odd",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._octets_left = limits.max_body_bytes
        self._chunks_left = limits.max_chunks
        self._fields_left = limits.max_fields
        # What stands between the chunks may not outweigh them without bound.
        self._lines_left = max(limits.max_body_bytes, limits.max_line_bytes)
        self._skip = 0  # bytes to the next line: a chunk's content and its CRLF
        self._line = b""  # of which the end has not come yet
        self._in_trailers = False
        self.is_odd = False

    def walk(self, data: bytes) -> int:
        """The index in ``data`` where the message ends, or -1 if it does not end in there.

        Raises:
            ProtocolError: a line is malformed, or a limit is passed.
        """
        at = 0
        while True:
            step = min(self._skip, len(data) - at)
            at += step
            self._skip -= step
            if at == len(data):
                return -1
            end = data.find(b"\n", at) + 1
            line = self._line + data[at : end or None]
            if len(line) > self._limits.max_line_bytes:
                raise ProtocolError("a chunk's size line is too long, or the trailers are")
            if not end:
                self._line = line
                return -1
            at, self._line = end, b""
            if self._in_trailers:
                if self._is_last(line):
                    return at
            else:
                self._read_size(line)

    def _read_size(self, line: bytes) -> None:
        match = _size_line(line)
        if match is None:
            raise ProtocolError("the answer has a malformed chunk")
        size = int(match[1], 16)
        self._lines_left -= len(line)
        if not size:
            self._in_trailers = True
            self._lines_left = self._limits.max_line_bytes
            return
        self._skip = size + 2
        self._chunks_left -= 1
        self._octets_left -= size
        if self._octets_left < 0:
            raise ProtocolError("the answer's body is too long")
        if self._chunks_left < 0 or self._lines_left < 0:
            raise ProtocolError("the answer's body has too many chunks, or too long ones")

    def _is_last(self, line: bytes) -> bool:
        if line == b"\r\n":
            return True
        if line[-2:] != b"\r\n" or line.count(b"\r") != 1 or not line.strip():
            raise ProtocolError("the answer's trailers have a malformed line")
        self._fields_left -= 1
        self._lines_left -= len(line)
        if self._fields_left < 0 or self._lines_left < 2:  # the blank line is one of them
            raise ProtocolError("the answer has too many trailers")
        self.is_odd |= line[:1] in b" \t"
        return False


Framing = Sized | Chunked | UntilEnd


class Head(NamedTuple):
    """A head that may be read."""

    raw: bytes
    """Status line to blank line, as it came: what h11 reads."""
    is_interim: bool
    framing: Framing
    is_sound: bool
    """Nothing in it forbids to use the connection again (a final head's ``Connection: close`` is h11's to see)."""


_START: Final = b"HTTP/1."
_status_line = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9][0-9])[ \r]").match
_bad_line_end = re.compile(rb"(?<!\r)\n|\r(?!\n|\Z)|\0").search
_framing_fields = re.compile(rb"\r\n(content-length|transfer-encoding):([^\r]*)", re.IGNORECASE).findall
_FRAMING_NAMES: Final = (b"content-length", b"transfer-encoding")


class Door:
    """The heads that answer one request: any number of interim ones up to the bound, and the final one.

    Call `receive` with what came until it gives a head; what came behind it is the body's, or the next head's.
    """

    __slots__ = ("_buffer", "_interim_left", "_is_head_request", "_limits")

    def __init__(self, method: str, limits: Limits) -> None:
        self._is_head_request = method == "HEAD"
        self._limits = limits
        self._interim_left = limits.max_interim
        self._buffer = bytearray()

    def receive(self, data: bytes) -> tuple[Head, bytes] | None:
        """Takes what came; gives the head and the bytes behind it once it is complete.

        Raises:
            ProtocolError: the head is ambiguous, or passes a limit.
        """
        if self._buffer:
            return self._receive_more(data)
        end = data.find(b"\r\n\r\n") + 4
        if end == 3:
            self._buffer += data
            self._check_part(0)
            return None
        return self._judge(data[:end]), data[end:]

    def _receive_more(self, data: bytes) -> tuple[Head, bytes] | None:
        buffer = self._buffer
        before = len(buffer)
        buffer += data
        end = buffer.find(b"\r\n\r\n", max(0, before - 3)) + 4
        if end == 3:
            self._check_part(before)
            return None
        raw, rest = bytes(buffer[:end]), bytes(buffer[end:])
        buffer.clear()
        return self._judge(raw), rest

    def _check_part(self, seen: int) -> None:
        """Refuses what no more bytes could mend, so that nobody waits for the end of what is no head."""
        buffer = self._buffer
        if not _START.startswith(buffer[: len(_START)]):
            raise ProtocolError("the answer is not HTTP/1.0 or HTTP/1.1")
        if len(buffer) >= self._limits.max_head_bytes:
            raise ProtocolError("the answer's head is too long")
        if _bad_line_end(buffer, max(0, seen - 1)):
            raise ProtocolError("the answer's head has a NUL, or a line that does not end in CRLF")

    def _judge(self, raw: bytes) -> Head:
        lines = raw.count(b"\r\n")
        match = _status_line(raw)
        if match is None:
            raise ProtocolError("the answer is not HTTP/1.0 or HTTP/1.1, or has no status")
        if len(raw) > self._limits.max_head_bytes:
            raise ProtocolError("the answer's head is too long")
        # Every CR and every LF is half of a CRLF exactly when there are as many of each as of the pair.
        if not lines == raw.count(b"\n") == raw.count(b"\r") or b"\0" in raw:
            raise ProtocolError("the answer's head has a NUL, or a line that does not end in CRLF")
        if lines - 2 > self._limits.max_fields:
            raise ProtocolError("the answer's head has too many fields")
        is_folded = b"\r\n " in raw or b"\r\n\t" in raw
        if is_folded:
            _check_folds(raw)
        is_current = match[1] == b"1"
        status = int(match[2])
        framing, is_sound = self._framing(raw, status, is_current)
        if status < 200:
            self._interim_left -= 1
            if self._interim_left < 0:
                raise ProtocolError("the answer has too many interim responses")
        return Head(raw, status < 200, framing, is_sound and is_current and not is_folded and status < 600)

    def _framing(self, raw: bytes, status: int, is_current: bool) -> tuple[Framing, bool]:
        """The rules of RFC 9112 6.3, and whether what was said is free of oddities."""
        length, copies, is_chunked = _framing_said(raw)
        if is_chunked and not is_current:
            raise ProtocolError("the answer has a Transfer-Encoding in HTTP/1.0")
        if status < 200:
            # No interim response has a body (rule 1); one that announces a body would be read by some.
            if is_chunked or length:
                raise ProtocolError("an interim response announces a body")
            # h11 does not look at what an interim head says of the connection.
            return Sized(0), b"\r\nconnection:" not in raw.lower()
        if self._is_head_request or status in (204, 304):
            return Sized(0), copies < 2 and not (status == 204 and (is_chunked or length))
        if is_chunked:
            return Chunked(self._limits), True
        if not copies:
            return UntilEnd(self._limits), False
        if length > self._limits.max_body_bytes:
            raise ProtocolError("the answer's body is too long")
        return Sized(length), copies == 1


def _framing_said(raw: bytes) -> tuple[int, int, bool]:
    """The length a head gives, how many times it gives it, and whether the body is chunked; or `ProtocolError`."""
    lengths: list[bytes] = []
    codings: list[bytes] = []
    for name, value in _framing_fields(raw):
        (codings if name[:1] in b"tT" else lengths).append(value.strip(b" \t"))
    if codings:
        if lengths:
            raise ProtocolError("the answer has both Content-Length and Transfer-Encoding")
        if len(codings) > 1 or codings[0].lower() != b"chunked":
            raise ProtocolError("the answer has a Transfer-Encoding other than chunked")
        return 0, 0, True
    if not lengths:
        return 0, 0, False
    # bytes.isdigit knows ASCII digits only. 19 of them always fit 64 bits; more would differ from reader to reader.
    if not lengths[0].isdigit() or len(lengths[0]) > 19 or lengths.count(lengths[0]) != len(lengths):
        raise ProtocolError("the answer's Content-Length is no number, too great, or differs from another")
    return int(lengths[0]), len(lengths), False


def _check_folds(raw: bytes) -> None:
    """Line folding (RFC 9112 5.2) is harmless unless a reader that does not know it would see other framing."""
    name = b""
    for line in raw[:-4].split(b"\r\n")[1:]:
        if line[:1] not in (b" ", b"\t"):
            name = line.partition(b":")[0].strip().lower()
        elif not name or name in _FRAMING_NAMES or line.strip().lower().startswith(_FRAMING_NAMES):
            raise ProtocolError("the answer folds a line where the end of the message is decided")
        elif not line.strip():
            raise ProtocolError("the answer's head has a line that is blank but for spaces")
