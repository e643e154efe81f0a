"""One connection: TLS or not, exchange after exchange, and the count of what left.

A `Channel` has no socket. Its runtime carries bytes both ways and reports what the kernel did; the channel answers
three questions that decide about money: is the answer complete, how much of the request left, may the connection be
used again?

The states, and who leads from one to the next::

    OPENING --handshake done--> IDLE --send_request--> BUSY --the answer is complete--> IDLE or SPENT
       |                         |                       |
       |                         +--the far end ended--> SPENT
       +-------------------------+---anything wrong------+--> BROKEN

It is IDLE again only after an answer that left no doubt: the whole request handed, the whole answer read, no byte
behind it, nothing odd about it, no end announced. In SPENT the answer stands and the connection goes. The only way out
of SPENT is BROKEN, and there is none out of BROKEN.

What it does not know: time, addresses, pools, and whether to try again.
"""

from __future__ import annotations

import enum
import re

from ..errors import Closed, ConfigurationError, ConnectionEnded, ProtocolError, Sent, SmswireError
from .exchange import Exchange, Heads, Lane, checked_lane
from .head import Limits
from .message import Request, Response
from .tls import TLS, Session

_is_host = re.compile(r"[!-~]+").fullmatch
_keep_alive_parameter = re.compile(r"\b(timeout|max)\s*=\s*\"?([0-9]{1,9})\b", re.IGNORECASE).findall


class State(enum.Enum):
    """Where a channel stands; the module's theory draws the ways."""

    OPENING = enum.auto()
    IDLE = enum.auto()
    BUSY = enum.auto()
    SPENT = enum.auto()
    BROKEN = enum.auto()


# Looking a member up in its class takes longer than many a step here.
_OPENING, _IDLE, _BUSY, _SPENT, _BROKEN = State


class _Plain:
    """What `Session` is to TLS, for plain http: bytes leave as they are, and any byte taken counts."""

    __slots__ = ("_out", "handed")
    failure: SmswireError | None = None
    has_ended = False
    is_established = True

    def __init__(self) -> None:
        self._out = b""
        self.handed = 0

    def receive(self, data: bytes) -> bytes:
        return data

    def start(self) -> None:
        self._out = b""
        self.handed = 0

    def write(self, data: bytes) -> None:
        self._out = data

    def bytes_to_send(self) -> bytes | memoryview:
        return memoryview(self._out)[self.handed :] if self.handed else self._out

    def handed_over(self, count: int) -> bool:
        if not 0 <= count <= len(self._out) - self.handed:
            raise ValueError("more was handed over than there was to send")
        self.handed += count
        return self.handed == len(self._out)

    def bytes_to_close(self) -> bytes:
        return b""


class Channel:
    """One connection's protocol: a request in, its response out.

    The order of calls: make it for a connection that was just opened. Until `established`, and whenever there are
    `bytes_to_send`, send them, and after each system call say `handed_over` before anything else; feed what comes to
    `receive_data`, and the end of the stream to `receive_eof`. While `reusable`, `send_request` starts an exchange,
    which ends with the `Response` that `receive_data` or `receive_eof` gives. At the end, whatever the state, try once
    to send `bytes_to_close` and close.

    Errors raised leave the channel broken. Their ``sent`` says what is known here, from `handed`.

    Args:
        host: the value of ``Host``, e.g. ``"127.0.0.1:8443"``; error texts name it.
        tls: context and name for TLS, or None for plain http.
        limits: what an answer may take.
        lane: ``"auto"`` reads answers that are plain without h11, ``"h11"`` reads all by h11; they say the same.
        heads: the request heads of this host that are remembered, where channels share them; by default its own.

    Raises:
        ConfigurationError: the host is empty or not ASCII, the context does not fit the name, or there is no such lane.
        TLSError: the context allows no handshake.

    >>> channel = Channel("127.0.0.1:8080")
    >>> channel.send_request(Request("GET", "/api/balance"))
    >>> bytes(channel.bytes_to_send())
    b'GET /api/balance HTTP/1.1\\r\\nHost: 127.0.0.1:8080\\r\\nAccept-Encoding: identity\\r\\n\\r\\n'
    >>> channel.handed_over(len(channel.bytes_to_send()))
    True
    >>> channel.receive_data(b"HTTP/1.1 200 OK\\r\\nContent-Le")
    >>> channel.receive_data(b"ngth: 3\\r\\n\\r\\n100")
    <Response 200, 3 bytes>
    >>> channel.fully_handed, channel.reusable
    (True, True)
    """

    __slots__ = ("_exchange", "_heads", "_lane", "_limits", "_request", "_size", "_state", "_transport", "host")

    def __init__(
        self,
        host: str,
        *,
        tls: TLS | None = None,
        limits: Limits = Limits(),  # noqa: B008  (frozen)
        lane: Lane = "auto",
        heads: Heads | None = None,
    ) -> None:
        if not _is_host(host):
            raise ConfigurationError("the host must be printable ASCII without spaces")
        self.host = host
        self._limits = limits
        self._heads = Heads(host) if heads is None else heads
        self._lane = checked_lane(lane)
        self._exchange: Exchange | None = None
        self._request: Request | None = None
        self._size = 0  # of the current request, head and body
        self._transport: Session | _Plain = _Plain() if tls is None else Session(tls, host)
        self._state = _IDLE if tls is None else _OPENING

    # getters

    @property
    def established(self) -> bool:
        """The TLS handshake is done; over plain http always true."""
        return self._transport.is_established

    @property
    def handed(self) -> int:
        """Bytes of the current request, head and body, that the kernel has taken: over TLS in complete records."""
        return self._transport.handed

    @property
    def fully_handed(self) -> bool:
        """A request was begun, and the kernel has taken all of it."""
        return self._size > 0 and self._transport.handed == self._size

    @property
    def response(self) -> Response | None:
        """The final response of the current exchange, once it is complete."""
        return None if self._exchange is None else self._exchange.response

    @property
    def reusable(self) -> bool:
        """A request may be sent."""
        return self._state is _IDLE

    @property
    def says_keep_alive(self) -> bool:
        """The last response had a field ``Keep-Alive``."""
        response = self.response
        return response is not None and response.headers.get("keep-alive") is not None

    @property
    def keep_alive_timeout(self) -> float | None:
        """Seconds the far end keeps an idle connection, as its last response said (``Keep-Alive: timeout=5``)."""
        value = self._keep_alive("timeout")
        return None if value is None else float(value)

    @property
    def keep_alive_max(self) -> int | None:
        """Requests the far end will still take here, as its last response said (``Keep-Alive: max=100``)."""
        return self._keep_alive("max")

    def _keep_alive(self, wanted: str) -> int | None:
        response = self.response
        if response is None:
            return None
        field = ",".join(response.headers.get_all("keep-alive"))
        return min(
            (int(number) for name, number in _keep_alive_parameter(field) if name.lower() == wanted), default=None
        )

    # commands

    def send_request(self, request: Request) -> None:
        """Starts an exchange: head and body are to be sent, as one buffer.

        Raises:
            Closed: the channel is not `reusable`; it is as it was.
            InvalidRequest: the request cannot be said in HTTP/1.1; the channel is as it was.
            TLSError: the session broke.
        """
        if self._state is not _IDLE:
            raise Closed("the connection cannot take a request", host=self.host, call=request.call)
        data = self._heads.head_of(request) + request.body
        self._exchange = Exchange(request.method, self._limits, self._lane)
        self._request = request
        self._size = len(data)
        self._state = _BUSY
        transport = self._transport
        transport.start()
        try:
            transport.write(data)
        except SmswireError as error:
            raise self._broken_by(error) from None

    def forget_exchange(self) -> None:
        """Keeps nothing of the exchange that is over, neither its texts nor its size in memory."""
        self._exchange = self._request = None

    # in

    def handed_over(self, count: int) -> bool:
        """The kernel has taken the first ``count`` bytes of `bytes_to_send`. Whether that is all there is to send."""
        return self._transport.handed_over(count) or not self.bytes_to_send()

    def receive_data(self, data: bytes) -> Response | None:
        """Takes bytes from the connection; gives the final response when it is complete.

        No bytes are nothing: the end of the stream is for `receive_eof`.

        Raises:
            ProtocolError: the answer is ambiguous or passes a limit, or nobody asked for one.
            TLSError: the TLS session failed; CertificateError: the far end is not who it should be.
            ConnectionEnded: close_notify came before the answer was complete.
            Closed: the channel is broken already.
        """
        state = self._state
        try:
            if state is _BROKEN:
                raise Closed("the connection is broken already")
            plaintext = self._transport.receive(data)
            if state is _OPENING and self._transport.is_established:
                self._state = _IDLE
            response = self._receive_plaintext(plaintext) if plaintext else None
            return self._after_receiving(response)
        except SmswireError as error:
            raise self._broken_by(error) from None

    def receive_eof(self) -> Response | None:
        """Takes the end of the stream; gives the response if that completes it.

        Raises:
            ConnectionEnded: an answer, or the TLS handshake, was still under way.
            Closed: the channel is broken already.
        """
        try:
            if self._state is _BROKEN:
                raise Closed("the connection is broken already")
            return self._end(is_orderly=isinstance(self._transport, _Plain))
        except SmswireError as error:
            raise self._broken_by(error) from None

    # out

    def bytes_to_send(self) -> bytes | memoryview:
        """What is to be sent next, b"" for nothing; the same again until `handed_over` says that it was taken.

        When the exchange is over before all of the request was taken, the rest is not offered any more.
        """
        if self._state is _BROKEN or self._state is _SPENT:
            return b""
        return self._transport.bytes_to_send()

    def bytes_to_close(self) -> bytes:
        """What to send, if it can be sent at once, before closing: close_notify, or the alert that says what was wrong.

        b"" over plain http, and while part of a request waits: a record that is partly out must stay incomplete.
        The channel cannot be used after that.
        """
        self._state = _BROKEN
        return self._transport.bytes_to_close()

    def _receive_plaintext(self, data: bytes) -> Response | None:
        exchange = self._exchange
        if self._state is not _BUSY or exchange is None:
            raise ProtocolError("the server sent bytes before a request")
        if not self._transport.handed:
            raise ProtocolError("the server answered before any of the request had left")
        response = exchange.receive(data)
        if response is not None:
            self._state = _IDLE if exchange.is_reusable and self.fully_handed else _SPENT
        return response

    def _after_receiving(self, response: Response | None) -> Response | None:
        """What the session itself has come to: its failure and its end matter less than an answer that is complete."""
        transport = self._transport
        if transport.failure is not None:
            if response is None:
                raise transport.failure
            self._state = _BROKEN
        elif transport.has_ended:
            if response is None:
                return self._end(is_orderly=True)
            self._state = _SPENT
        return response

    def _end(self, *, is_orderly: bool) -> Response | None:
        if self._state is _OPENING:
            raise ConnectionEnded("the connection ended within the TLS handshake")
        was_busy = self._state is _BUSY
        self._state = _SPENT
        if was_busy:
            assert self._exchange is not None
            return self._exchange.receive_end(is_orderly=is_orderly)
        return None

    def _broken_by(self, error: SmswireError) -> SmswireError:
        """The error, with what this channel knows about it."""
        self._state = _BROKEN
        error.host = self.host
        if self._request is not None and self.response is None:
            error.call = self._request.call
        error.sent = Sent.MAYBE if self._transport.handed and self.response is None and self._request else Sent.NO
        return error
