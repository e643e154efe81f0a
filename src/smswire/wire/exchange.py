"""One request and its response, by h11.

A request's head is h11's own bytes. Building and checking them costs more than all else about a small request, and a
client says nearly the same head again and again, so `Heads` remembers what stands before the digits of
``Content-Length``, which comes last for that reason. What differs from call to call by nature (a query, a signature, a
time) is not remembered.

A response is read by h11 in the client role, behind the door (`head`): the head goes in whole, the body in slices, and
never a byte behind the message's end. h11 is told of a request of the same method with nothing in it, since
the method is all that decides how an answer is read. Where the door and h11 see different ends, nobody is believed.
"""

from __future__ import annotations

import zlib
from typing import Final

import h11

from ..errors import ConnectionEnded, InvalidRequest, ProtocolError
from .head import Door, Head, Limits, UntilEnd
from .message import Headers, Request, Response

SLICE_BYTES: Final = 4096
"""What h11 gets at a time: its own bound holds only for what it has to buffer between two calls."""

MAX_HEADS: Final = 32
"""Heads remembered for a connection: one per endpoint in use; the oldest goes first."""

_ALWAYS_SIZED: Final = frozenset(("POST", "PUT", "PATCH"))  # RFC 9110 8.6: say so, even if there is no content
_ONE_TIME: Final = ("date", "digest", "idempotency", "nonce", "request-id", "signature", "timestamp")


class Heads:
    """The request heads of one host, remembered where that can pay."""

    __slots__ = ("_host", "_known")

    def __init__(self, host: str) -> None:
        self._host = host
        self._known: dict[tuple[bool, str, str, tuple[tuple[str, str], ...]], tuple[bytes, h11.Request]] = {}

    def head_of(self, request: Request) -> tuple[bytes, h11.Request]:
        """The head of ``request`` from request line to blank line, and the event that tells a reading h11 of it.

        Raises:
            InvalidRequest: h11 refuses it.
        """
        is_sized = bool(request.body) or request.method in _ALWAYS_SIZED
        key = (is_sized, request.method, request.target, request.headers.pairs)
        known = self._known.get(key)
        if known is None:
            known = self._build(request, is_sized)
            if _may_come_again(request):
                if len(self._known) >= MAX_HEADS:
                    del self._known[next(iter(self._known))]
                self._known[key] = known
        start, event = known
        return (b"%s%d\r\n\r\n" % (start, len(request.body)) if is_sized else start), event

    def _build(self, request: Request, is_sized: bool) -> tuple[bytes, h11.Request]:
        fields = [("Host", self._host), *request.headers.pairs]
        if request.headers.get("accept-encoding") is None:
            fields.append(("Accept-Encoding", "identity"))  # without it any coding is welcome (RFC 9110 12.5.3)
        if is_sized:
            fields.append(("Content-Length", "0"))
        try:
            whole = h11.Request(method=request.method, target=request.target, headers=fields)
            head = h11.Connection(h11.CLIENT).send(whole)
            event = h11.Request(method=request.method, target="/", headers=[("Host", "h")])
        except (h11.LocalProtocolError, UnicodeEncodeError):
            raise InvalidRequest("the request is not valid HTTP/1.1", call=request.call) from None
        return head.removesuffix(b"0\r\n\r\n") if is_sized else head, event


def _may_come_again(request: Request) -> bool:
    if "?" in request.target:
        return False
    return not any(word in name.lower() for name, _ in request.headers.pairs for word in _ONE_TIME)


def new_reader(limits: Limits) -> h11.Connection:
    """An h11 connection to read responses with, one exchange after the other."""
    return h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.max_line_bytes)


class Exchange:
    """The reading half of one exchange.

    Feed it with `receive` until a `Response` comes; tell it of the end with `receive_end`. After an error it is of no
    further use, nor is the connection.

    Args:
        reader: an h11 connection in its first state, or in the one `start_next_cycle` leaves.
        event: the request, as `Heads.head_of` gives it.
        limits: bounds of the response.
    """

    __slots__ = (
        "_door",
        "_event",
        "_has_bytes",
        "_has_ended",
        "_head",
        "_is_plain",
        "_limits",
        "_parts",
        "_reader",
        "is_reusable",
        "response",
    )

    def __init__(self, reader: h11.Connection, event: h11.Request, method: str, limits: Limits) -> None:
        reader.send(event)
        reader.send(h11.EndOfMessage())
        self._reader = reader
        self._limits = limits
        self._door = Door(method, limits)
        self._head: Head | None = None
        self._event: h11.Response | None = None
        self._parts: list[bytes] = []
        self._has_bytes = False
        self._has_ended = False
        self._is_plain = True  # so far, interim heads included
        self.response: Response | None = None
        self.is_reusable = False

    def receive(self, data: bytes) -> Response | None:
        """Takes bytes of the answer; gives the final response when it is complete.

        Raises:
            ProtocolError: the answer is ambiguous, is not HTTP, or passes a limit.
        """
        self._has_bytes = True
        while self._head is None:
            found = self._door.receive(data)
            if found is None:
                return None
            head, data = found
            self._is_plain &= head.is_plain
            self._reader.receive_data(head.raw)
            event = self._next_event()
            if isinstance(event, h11.Response):
                self._head, self._event = head, event
            elif not data:
                return None
        return self._receive_body(self._head, data)

    def receive_end(self, *, is_orderly: bool) -> Response:
        """Takes the end of the stream, which completes a body that only the end can end.

        Args:
            is_orderly: the far end said that this is the end, and nobody else could have (false for TLS without
                close_notify).

        Raises:
            ConnectionEnded: the response is not complete.
        """
        if not self._has_bytes:
            raise ConnectionEnded("the connection ended without an answer")
        if self._head is None:
            raise ConnectionEnded("the connection ended within the head of the answer")
        if not is_orderly or not isinstance(self._head.framing, UntilEnd):
            raise ConnectionEnded("the connection ended within the body of the answer")
        self._reader.receive_data(b"")
        self._read_events()
        return self._finish(self._head, has_leftover=False)

    def _receive_body(self, head: Head, data: bytes) -> Response | None:
        end = head.framing.walk(data)
        stop = len(data) if end < 0 else end
        reader = self._reader
        if stop <= SLICE_BYTES:
            if stop:
                reader.receive_data(data[:stop])
            if stop or end >= 0:
                self._read_events()
        else:
            for start in range(0, stop, SLICE_BYTES):
                reader.receive_data(data[start : min(start + SLICE_BYTES, stop)])
                self._read_events()
        # Bytes that h11 kept lie before the door's end and behind its own.
        if self._has_ended != (end >= 0) or (self._has_ended and reader.trailing_data[0]):
            raise ProtocolError("the answer can be read to end in two places")
        if end < 0:
            return None
        return self._finish(head, has_leftover=stop < len(data))

    def _read_events(self) -> None:
        while not self._has_ended:
            event = self._next_event()
            if isinstance(event, h11.Data):
                self._parts.append(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._has_ended = True
            else:
                return

    def _next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self._reader.next_event()
        except h11.RemoteProtocolError as error:
            # h11 quotes the bytes at fault behind a colon. They are the peer's, and may repeat what we told it.
            reason = str(error).partition(":")[0]
        raise ProtocolError(f"the answer is not valid HTTP/1.1 ({reason})")

    def _finish(self, head: Head, *, has_leftover: bool) -> Response:
        event = self._event
        assert event is not None
        parts = self._parts
        body = bytes(parts[0]) if len(parts) == 1 else b"".join(parts)
        fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in event.headers.raw_items()]
        headers = Headers(fields)
        if body and (headers.get("content-encoding") or "").lower() in ("gzip", "x-gzip"):
            body = inflate(body, self._limits.max_body_bytes)
        self.is_reusable = (
            self._is_plain and not head.framing.is_odd and not has_leftover and self._reader.our_state is h11.DONE
        )
        self.response = Response(
            event.status_code, headers, body, event.reason.decode("latin-1"), event.http_version.decode("ascii")
        )
        return self.response


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
