"""One request and its response.

A request's head is h11's own bytes. Building and checking them costs more than all else about a small request, and a
client says nearly the same head again and again, so `Heads` remembers what stands before the digits of
``Content-Length``, which comes last for that reason. What differs from call to call by nature (a query, a signature, a
time) is not remembered.

A response takes one of two lanes: what is `plain` is read at sight, everything else by h11 from its first byte
(`general`). Bytes of a plain answer that is not all there wait until it is; should it turn out not to be plain, h11
gets all that waited. So which lane an answer took makes no difference to what it says.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import h11

from ..errors import ConfigurationError, InvalidRequest
from . import plain
from .general import General, new_reader
from .head import Limits
from .message import Request, Response

Lane = Literal["auto", "h11"]
"""``"auto"``: the plain lane where it can be taken; ``"h11"``: everything through h11."""


def checked_lane(lane: Lane) -> Lane:
    """The lane, if there is one of that name; else ``ConfigurationError``."""
    if lane not in get_args(Lane):
        raise ConfigurationError('the lane must be "auto" or "h11"')
    return lane


MAX_HEADS: Final = 32
"""Heads remembered for a connection: one per endpoint in use; the oldest goes first."""

MAX_LOOKS: Final = 5
"""How often an answer that comes in parts is looked at before h11 gets it. Each look starts from its first byte, so
this is what keeps the work linear. A head, two chunks and the last chunk, each read by itself, need four."""

_ALWAYS_SIZED: Final = frozenset(("POST", "PUT", "PATCH"))  # RFC 9110 8.6: say so, even if there is no content
_ONE_TIME: Final = ("date", "digest", "idempotency", "nonce", "request-id", "signature", "timestamp")


class Heads:
    """The request heads of one host, remembered where that can pay; for any number of threads."""

    __slots__ = ("_host", "_known")

    def __init__(self, host: str) -> None:
        self._host = host
        self._known: dict[tuple[bool, str, str, tuple[tuple[str, str], ...]], bytes] = {}

    def head_of(self, request: Request) -> bytes:
        """The head of ``request``, from request line to blank line.

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
                    self._known.clear()
                self._known[key] = known
        return b"%s%d\r\n\r\n" % (known, len(request.body)) if is_sized else known

    def _build(self, request: Request, is_sized: bool) -> bytes:
        fields = [("Host", self._host), *request.headers.pairs]
        if request.headers.get("accept-encoding") is None:
            fields.append(("Accept-Encoding", "identity"))  # without it any coding is welcome (RFC 9110 12.5.3)
        if is_sized:
            fields.append(("Content-Length", "0"))
        try:
            whole = h11.Request(method=request.method, target=request.target, headers=fields)
            head = h11.Connection(h11.CLIENT).send(whole)
        except (h11.LocalProtocolError, UnicodeEncodeError):
            raise InvalidRequest("the request is not valid HTTP/1.1", call=request.call) from None
        return head.removesuffix(b"0\r\n\r\n") if is_sized else head


def _may_come_again(request: Request) -> bool:
    if "?" in request.target:
        return False
    return not any(word in name.lower() for name, _ in request.headers.pairs for word in _ONE_TIME)


class Exchange:
    """The reading half of one exchange.

    Feed it with `receive` until a `Response` comes; tell it of the end with `receive_end`. After an error it is of no
    further use, nor is the connection.

    Args:
        method: the request's.
        limits: bounds of the response.
        lane: which lanes there are.

    Attributes:
        response (Response | None): once it is complete.
        is_reusable (bool): it is, and nothing about it forbids to use the connection again.
        took_plain_lane (bool): it was read without h11.
    """

    __slots__ = (
        "_general", "_limits", "_looks_left", "_method", "_waiting", "_wanted", "is_reusable", "response",
    )  # fmt: skip

    def __init__(self, method: str, limits: Limits, lane: Lane = "auto") -> None:
        self._method = method
        self._limits = limits
        self._looks_left = MAX_LOOKS if lane == "auto" and method != "HEAD" else 0
        self._general: General | None = None
        self._waiting = bytearray()
        self._wanted = 0  # bytes; with fewer another look is pointless
        self.response: Response | None = None
        self.is_reusable = False

    @property
    def took_plain_lane(self) -> bool:
        return self.response is not None and self._general is None

    def receive(self, data: bytes) -> Response | None:
        """Takes bytes of the answer; gives the final response when it is complete.

        Raises:
            ProtocolError: the answer is ambiguous, is not HTTP, or passes a limit.
        """
        general = self._general
        if general is None:
            if self._waiting:
                self._waiting += data
                if len(self._waiting) < self._wanted:
                    return None
                data = bytes(self._waiting)
                self._waiting.clear()
            if self._looks_left:
                self._looks_left -= 1
                response, end = plain.read(data, self._limits)
                if response is not None:
                    self.is_reusable = end == len(data)
                    self.response = response
                    return response
                if end:
                    self._waiting += data
                    self._wanted = end
                    return None
            general = self._ask_h11()
        response = general.receive(data)
        if response is not None:
            self.is_reusable = general.is_reusable
            self.response = response
        return response

    def receive_end(self, *, is_orderly: bool) -> Response:
        """Takes the end of the stream, which completes a body that only the end can end.

        Args:
            is_orderly: the far end said that this is the end, and nobody else could have (false for TLS without
                close_notify).

        Raises:
            ConnectionEnded: the response is not complete.
        """
        general = self._general
        if general is None:
            general = self._ask_h11()
            if self._waiting:
                general.receive(bytes(self._waiting))
        self.response = general.receive_end(is_orderly=is_orderly)
        return self.response

    def _ask_h11(self) -> General:
        self._general = General(new_reader(self._method, self._limits), self._method, self._limits)
        return self._general
