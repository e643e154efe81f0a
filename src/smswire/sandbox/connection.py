"""One connection at the sandbox: bytes through TLS and h11 to a service, and its replies back.

A connection is in one of four states::

    READING    a request is awaited or arriving; the alarm is the idle limit (TLS handshake included)
    ANSWERING  a request is whole, its reply not yet written; the alarm, if set, is the reply's delay
    LINGERING  the last byte is written and the stream ended; what still arrives is thrown away, so that no reset
               overtakes the answer; the alarm ends it
    CLOSED     the transport is gone

Requests are served in order, the next one read only when the last is answered. h11 decides what a request is; where it
says that the far end broke the protocol, the answer is the status it names, and the end.
"""

from __future__ import annotations

import asyncio
import enum
import ssl
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus

import h11

from .clock import Alarm, Timers
from .exchange import Call, Peer, Reply, Service, Terms
from .tls import ServerSession

_REASONS = {status.value: status.phrase for status in HTTPStatus}


class State(enum.Enum):
    """What a connection is at; above stands what each means."""

    READING = enum.auto()
    ANSWERING = enum.auto()
    LINGERING = enum.auto()
    CLOSED = enum.auto()


class Connection(asyncio.Protocol):
    """The server's side of one connection. Everything runs in the event loop's thread.

    Args:
        context: for TLS; None for plain http.
        on_lost: called once, when the transport is gone.
    """

    def __init__(
        self,
        peer: Peer,
        service: Service,
        terms: Terms,
        timers: Timers,
        context: ssl.SSLContext | None,
        on_lost: Callable[[Connection], None],
    ) -> None:
        self._peer = peer
        self._service = service
        self._terms = terms
        self._timers = timers
        self._on_lost = on_lost
        self._session = ServerSession(context) if context is not None else None
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=terms.head_bytes)
        self._alarm = Alarm(self._ring)
        self._state = State.READING
        self._request: h11.Request | None = None
        self._body: list[bytes] = []
        self._body_bytes = 0
        self._begun_at: float | None = None  # when the first byte of the current request came
        self._served = 0
        self._pending: asyncio.Future[Reply] | None = None
        self._delayed: Reply | None = None
        self._held_bytes = 0  # came while no request may be read
        self._is_choked = False  # the far end does not take what we write
        self._has_input_ended = False
        self._transport: asyncio.Transport

    # -- what the event loop calls ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._begun_at = self._timers.now()  # the handshake is part of the first request
        self._await_input()

    def data_received(self, data: bytes) -> None:
        if self._state is State.LINGERING:
            return
        if self._session is not None:
            try:
                data = self._session.receive(data)
            except ssl.SSLError:
                self._flush_session()
                self._linger()
                return
            self._flush_session()
        if data:
            self._take(data)
        elif self._state is State.READING and self._begun_at is not None:
            self._await_input()  # a part of a record; between requests those do not count as a sign of life
        if self._session is not None and self._session.has_ended:
            self.eof_received()

    def eof_received(self) -> bool:
        if self._state is State.LINGERING:
            return False  # both sides are done: the transport closes
        if not self._has_input_ended:
            self._has_input_ended = True
            self._http.receive_data(b"")
            self._go_on()
        return True

    def pause_writing(self) -> None:
        self._is_choked = True

    def resume_writing(self) -> None:
        self._is_choked = False
        self._go_on()

    def connection_lost(self, error: Exception | None) -> None:
        self._state = State.CLOSED
        self._timers.clear(self._alarm)
        if self._pending is not None:
            self._pending.cancel()
        self._on_lost(self)

    def abort(self) -> None:
        """End it at once, whatever is under way."""
        self._transport.abort()

    # -- requests --------------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        if self._begun_at is None:
            self._begun_at = self._timers.now()
        self._http.receive_data(data)
        if self._state is State.READING and not self._is_choked:
            self._go_on()
            return
        self._held_bytes += len(data)
        if self._held_bytes > self._terms.head_bytes:
            self._transport.pause_reading()

    def _go_on(self) -> None:
        """Read and answer requests as long as there are bytes for it."""
        if self._held_bytes and self._state is State.READING and not self._is_choked:
            self._held_bytes = 0
            self._transport.resume_reading()
        while self._state is State.READING and not self._is_choked:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._write(Reply(error.error_status_hint, b"The request breaks the protocol.", close=True))
                return
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._send(self._http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
                break
            self._handle(event)
        if self._state is State.READING:
            self._await_input()

    def _handle(self, event: h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]) -> None:
        if isinstance(event, h11.Request):
            self._request = event
            self._body = []
            self._body_bytes = 0
            self._served += 1
        elif isinstance(event, h11.Data):
            self._body.append(bytes(event.data))
            self._body_bytes += len(event.data)
            if self._body_bytes > self._terms.body_bytes:
                self._write(Reply(413, b"The body is too large.", close=True))
        elif isinstance(event, h11.EndOfMessage):
            self._answer()
        else:
            self._end()

    def _answer(self) -> None:
        request = self._request
        assert request is not None
        call = Call(
            self._peer,
            request.method.decode("ascii"),
            request.target.decode("ascii"),
            list(request.headers),
            b"".join(self._body),
        )
        self._body = []
        self._state = State.ANSWERING
        self._timers.clear(self._alarm)
        reply = self._service.handle(call)
        if isinstance(reply, Reply):
            self._reply(reply)
        else:
            self._pending = reply
            reply.add_done_callback(self._when_answered)

    def _when_answered(self, future: asyncio.Future[Reply]) -> None:
        self._pending = None
        if self._state is State.ANSWERING and not future.cancelled():
            self._reply(future.result())
            self._go_on()

    def _reply(self, reply: Reply) -> None:
        if self._terms.delay:
            self._delayed = reply
            self._timers.set(self._alarm, self._timers.now() + self._terms.delay)
        else:
            self._write(reply)

    # -- replies ---------------------------------------------------------------------------------------------

    def _write(self, reply: Reply) -> None:
        """Write ``reply``, and make ready for the next request or for the end."""
        terms, http = self._terms, self._http
        left = None if terms.requests_per_connection is None else max(0, terms.requests_per_connection - self._served)
        head = _head(
            reply.status,
            reply.content_type,
            None if terms.is_chunked else len(reply.body),
            reply.close or left == 0,
            reply.allow,
            f"timeout={terms.idle_seconds:g}, max={left}" if terms.advertises_keep_alive and left else None,
            int(time.time()),
        )
        pieces = [http.send(head)]
        if reply.body and not self._is_head():
            middle = len(reply.body) // 2 if terms.is_chunked else 0  # in two chunks, where there are chunks
            pieces += [http.send(h11.Data(data=data)) for data in (reply.body[:middle], reply.body[middle:]) if data]
        pieces.append(http.send(h11.EndOfMessage()))
        self._send(b"".join(piece for piece in pieces if piece))
        self._request = None
        self._begun_at = None
        if http.our_state is h11.DONE and http.their_state is h11.DONE:
            http.start_next_cycle()
            self._state = State.READING
            if http.trailing_data[0]:
                self._begun_at = self._timers.now()
        else:
            self._linger()

    def _is_head(self) -> bool:
        return self._request is not None and self._request.method == b"HEAD"

    def _send(self, data: bytes) -> None:
        if self._session is None:
            self._transport.write(data)
        else:
            self._session.send(data)
            self._flush_session()

    def _flush_session(self) -> None:
        assert self._session is not None
        data = self._session.take()
        if data:
            self._transport.write(data)

    # -- ends ------------------------------------------------------------------------------------------------

    def _await_input(self) -> None:
        now = self._timers.now()
        due = now + self._terms.idle_seconds
        if self._is_choked:
            due = now + self._terms.request_seconds
        elif self._begun_at is not None:
            due = min(due, self._begun_at + self._terms.request_seconds)
        self._timers.set(self._alarm, due)

    def _ring(self) -> None:
        if self._is_choked or self._state is State.LINGERING:
            self._transport.abort()
        elif self._state is State.READING:
            self._end()
        elif self._delayed is not None:
            reply, self._delayed = self._delayed, None
            self._write(reply)
            self._go_on()

    def _linger(self) -> None:
        """End the stream and throw away what still comes, until the far end ends too."""
        self._say_goodbye()
        if self._has_input_ended or not self._transport.can_write_eof() or self._transport.is_closing():
            self._end()
            return
        self._state = State.LINGERING
        try:
            self._transport.write_eof()
        except OSError:  # ENOTCONN: the far end has reset the connection since the last byte
            self._transport.abort()
            return
        self._timers.set(self._alarm, self._timers.now() + self._terms.linger_seconds)

    def _end(self) -> None:
        """Close; what is written is still delivered."""
        if self._state is not State.LINGERING:
            self._say_goodbye()
        self._state = State.LINGERING
        self._transport.close()
        self._timers.set(self._alarm, self._timers.now() + self._terms.linger_seconds)

    def _say_goodbye(self) -> None:
        if self._session is not None:
            self._session.close()
            self._flush_session()


@lru_cache(maxsize=1024)
def _head(
    status: int,
    content_type: str,
    length: int | None,
    close: bool,
    allow: str | None,
    keep_alive: str | None,
    second: int,
) -> h11.Response:
    """A response head. Building one costs as much as sending it, and within a second most are alike."""
    headers = [("Date", formatdate(second, usegmt=True)), ("Content-Type", content_type)]
    headers.append(("Transfer-Encoding", "chunked") if length is None else ("Content-Length", str(length)))
    if allow is not None:
        headers.append(("Allow", allow))
    if keep_alive is not None:
        headers.append(("Keep-Alive", keep_alive))
    if close:
        headers.append(("Connection", "close"))
    return h11.Response(status_code=status, headers=headers, reason=_REASONS.get(status, ""))
