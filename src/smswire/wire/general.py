"""The general lane: one response, read by h11 in the client role, behind the door (`head`).

The head goes in whole, the body in slices, and never a byte behind the message's end. h11 is told of a request of the
same method with nothing in it, since the method is all that decides how an answer is read. Where the door and h11 see
different ends, nobody is believed.
"""

from __future__ import annotations

import functools
from typing import Final

import h11

from ..errors import ConnectionEnded, ProtocolError
from .content import decoded
from .head import Door, Head, Limits, UntilEnd
from .message import Headers, Response

SLICE_BYTES: Final = 4096
"""What h11 gets at a time: its own bound holds only for what it has to buffer between two calls."""


def new_reader(method: str, limits: Limits) -> h11.Connection:
    """An h11 connection that waits for the answer to a request of that method."""
    reader = h11.Connection(h11.CLIENT, max_incomplete_event_size=limits.max_line_bytes)
    reader.send(_request(method))
    reader.send(h11.EndOfMessage())
    return reader


# Validated once: a client knows few methods, and the bound is for one who makes them up.
@functools.lru_cache(maxsize=16)
def _request(method: str) -> h11.Request:
    return h11.Request(method=method, target="/", headers=[("Host", "h")])


class General:
    """The reading half of one exchange, by h11.

    Feed it with `receive` until a `Response` comes; tell it of the end with `receive_end`. After an error it is of no
    further use, nor is the connection.

    Args:
        reader: what `new_reader` gives for the method.
        method: the request's.
        limits: bounds of the response.

    Attributes:
        is_reusable (bool): the response is complete, and nothing about it forbids to use the connection again.
    """

    __slots__ = (
        "_door", "_event", "_has_bytes", "_has_ended", "_head", "_is_sound", "_limits", "_parts", "_reader",
        "is_reusable",
    )  # fmt: skip

    def __init__(self, reader: h11.Connection, method: str, limits: Limits) -> None:
        self._reader = reader
        self._limits = limits
        self._door = Door(method, limits)
        self._head: Head | None = None
        self._event: h11.Response | None = None
        self._parts: list[bytes] = []
        self._has_bytes = False
        self._has_ended = False
        self._is_sound = True  # so far, interim heads included
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
            self._is_sound &= head.is_sound
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
        body = decoded(event.status_code, body, headers, self._limits)
        self.is_reusable = (
            self._is_sound and not head.framing.is_odd and not has_leftover and self._reader.our_state is h11.DONE
        )
        return Response(
            event.status_code, headers, body, event.reason.decode("latin-1"), event.http_version.decode("ascii")
        )
