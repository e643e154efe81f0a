"""Feeding a channel: one way for all tests, so that each case is read whole, byte by byte and with a tail."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from smswire.errors import ConnectionEnded, ProtocolError, Sent, SmswireError
from smswire.wire import Channel, Limits, Request, Response

from .lanes import new_channel

HOST = "127.0.0.1:8080"
DEFAULT = Limits()

OK = b"HTTP/1.1 200 OK\r\n"
SIZED = b"Content-Length: 3\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
THREE = b"3\r\n100\r\n0\r\n\r\n"


def answer(*fields: bytes, body: bytes = b"\r\n100", start: bytes = OK) -> bytes:
    return start + b"".join(fields) + body


def asked(method: str = "GET", *, limits: Limits = DEFAULT) -> Channel:
    """A plain channel whose request has left."""
    channel = new_channel(HOST, limits=limits)
    channel.send_request(Request(method, "/"))
    channel.handed_over(len(channel.bytes_to_send()))
    assert channel.fully_handed
    return channel


def pieces_of(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if a < b]


class Read:
    """What came of a stream: a response or the class of an error, and whether the connection may be used again."""

    def __init__(self, response: Response | None, error: type[SmswireError] | None, reusable: bool) -> None:
        self.response = response
        self.error = error
        self.reusable = reusable

    @property
    def facts(self) -> tuple[object, ...]:
        answer = self.response
        said = answer and (answer.status, answer.headers, answer.body, answer.reason, answer.http_version)
        return said, self.error, self.reusable

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Read) and self.facts == other.facts

    def __hash__(self) -> int:
        return hash(self.facts)

    def __repr__(self) -> str:
        return f"Read{self.facts!r}"


def read(pieces: Iterable[bytes], *, end: bool = False, method: str = "GET", limits: Limits = DEFAULT) -> Read:
    """Feeds the pieces, then the end if asked to. What follows a complete answer may not change it."""
    channel = asked(method, limits=limits)
    response = None
    failure: SmswireError | None = None
    try:
        for piece in pieces:
            response = channel.receive_data(piece) or response
        if end:
            response = channel.receive_eof() or response
    except SmswireError as error:
        failure = error
    assert channel.response is response
    if failure is None:
        return Read(response, None, channel.reusable)
    assert not channel.reusable
    if response is not None:
        assert isinstance(failure, ProtocolError), "bytes behind an answer are nobody's"
        return Read(response, None, False)
    assert (failure.sent, failure.host, failure.call) == (Sent.MAYBE, HOST, f"{method} /")
    return Read(None, type(failure), False)


def read_any_way(data: bytes, *, end: bool = False, method: str = "GET", limits: Limits = DEFAULT) -> Read:
    """Reads a stream whole and byte by byte, which must come to the same; and, if an answer is complete before the
    end, with a tail, which may cost the connection and nothing else."""
    whole = read([data], end=end, method=method, limits=limits)
    assert read(pieces_of(data, range(len(data))), end=end, method=method, limits=limits) == whole
    if whole.response is not None and not end:
        for tail in (b"H", b"\r\n", data):
            expected = Read(whole.response, None, False)
            assert read([data + tail], method=method, limits=limits) == expected
            assert read([data, tail], method=method, limits=limits) == expected
    return whole


def assert_refused(data: bytes, *, method: str = "GET", limits: Limits = DEFAULT) -> None:
    """The stream is refused, and was before its end: one who waits for more would wait for ever."""
    assert read_any_way(data, method=method, limits=limits) == Read(None, ProtocolError, False)


def assert_incomplete(data: bytes, *, method: str = "GET") -> None:
    """Nothing is decided yet, and the end of the stream decides that the connection ended too soon."""
    assert read_any_way(data, method=method) == Read(None, None, False)
    assert read_any_way(data, end=True, method=method) == Read(None, ConnectionEnded, False)
