"""Whole exchanges over a real pair of sockets: the far end is h11 as a server, over the standard library's TLS."""

from __future__ import annotations

import contextlib
import gzip
import select
import socket
import ssl
import threading
from collections.abc import Iterator

import h11
import pytest

from smswire.errors import ConnectionEnded, ProtocolError, Sent, SmswireError
from smswire.wire import TLS, Limits, Request, Response

from .feeding import DEFAULT
from .lanes import new_channel
from .peer import HOST, NAME, TLS12, TLS13, client_context, server_context

SECONDS = 30.0
"""Longer than any of this takes: a test that hangs fails instead."""

lines = pytest.mark.parametrize("version", [None, TLS12, TLS13], ids=["plain", "tls1.2", "tls1.3"])


class Server:
    """Answers each request by `echo`, and ends as it is told to."""

    def __init__(self, link: socket.socket) -> None:
        self.link = link
        self.requests: list[tuple[bytes, bytes]] = []
        self.had_farewell = False
        self.stop_after: int | None = None  # bytes of the first answer, or less than all by so many; and then the end
        self.says_farewell = True

    def run(self) -> None:
        connection = h11.Connection(h11.SERVER)
        while True:
            request = self._next(connection)
            if request is None:
                return
            status, fields, body = echo(*request)
            answer = connection.send(h11.Response(status_code=status, headers=fields))
            if request[0].target == b"/until-the-end":
                # To a client of HTTP/1.1 h11 says such a body in chunks.
                answer = answer.replace(b"Transfer-Encoding: chunked\r\n", b"") + body
            else:
                answer += connection.send(h11.Data(data=body)) + connection.send(h11.EndOfMessage())
            self.link.sendall(answer[: self.stop_after])
            if self.stop_after is not None or connection.our_state is not h11.DONE:
                self._end()
                return
            connection.start_next_cycle()

    def _next(self, connection: h11.Connection) -> tuple[h11.Request, bytes] | None:
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(self.link.recv(65_536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                assert request is not None
                self.requests.append((request.method + b" " + request.target, body))
                return request, body
            else:
                # Over TLS the end is close_notify: without it `recv` would have raised.
                assert isinstance(event, h11.ConnectionClosed)
                self.had_farewell = True
                return None

    def _end(self) -> None:
        if self.says_farewell and isinstance(self.link, ssl.SSLSocket):
            # The answer to our close_notify is the client's, who has no need to give it.
            self.link.settimeout(0)
            # Nor to wait for ours, once it has its answer.
            with contextlib.suppress(OSError):
                self.link.unwrap()
        with contextlib.suppress(OSError):
            self.link.shutdown(socket.SHUT_RDWR)


class Client:
    """The shortest runtime there can be: it waits, carries bytes both ways and tells the channel."""

    def __init__(self, link: socket.socket, version: ssl.TLSVersion | None, limits: Limits = DEFAULT) -> None:
        self.link = link
        self.channel = new_channel(HOST, tls=None if version is None else TLS(client_context(), NAME), limits=limits)
        self.writes = 0
        while not self.channel.established or self.channel.bytes_to_send():
            self._step()

    def request(self, request: Request) -> Response:
        self.channel.send_request(request)
        while True:
            response = self._step()
            if response is not None:
                return response

    def _step(self) -> Response | None:
        waiting = self.channel.bytes_to_send()
        readable, writable, _ = select.select([self.link], [self.link] if waiting else [], [], SECONDS)
        assert readable or writable, "the exchange hangs"
        if writable:
            self.channel.handed_over(self.link.send(waiting))
            self.writes += 1
        if readable:
            data = self.link.recv(65_536)
            return self.channel.receive_data(data) if data else self.channel.receive_eof()
        return None

    def close(self) -> None:
        farewell = self.channel.bytes_to_close()
        if farewell:
            with contextlib.suppress(OSError):
                self.link.send(farewell)


def echo(request: h11.Request, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
    if request.target == b"/chunked":
        return 200, [("Transfer-Encoding", "chunked")], body
    if request.target == b"/gzip":
        wire = gzip.compress(body)
        return 200, [("Content-Encoding", "gzip"), ("Content-Length", str(len(wire)))], wire
    if request.target == b"/until-the-end":
        return 200, [("Connection", "close")], body
    if request.target == b"/close":
        return 200, [("Connection", "close"), ("Content-Length", str(len(body)))], body
    return 200, [("Content-Length", str(len(body)))], body


@contextlib.contextmanager
def line(
    version: ssl.TLSVersion | None, limits: Limits = DEFAULT, *, is_cut: bool = False, **how: object
) -> Iterator[tuple[Client, Server]]:
    """A client and a server at the two ends. What goes wrong at the server is raised here, unless the line is cut."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    theirs.settimeout(SECONDS)
    failures: list[BaseException] = []
    made: list[Server] = []
    is_made = threading.Event()
    context = None if version is None else server_context(version)

    def serve() -> None:
        try:
            with contextlib.ExitStack() as stack:
                link = stack.enter_context(theirs)
                if context is not None:
                    link = stack.enter_context(
                        context.wrap_socket(theirs, server_side=True, suppress_ragged_eofs=False)
                    )
                server = Server(link)
                for name, value in how.items():
                    setattr(server, name, value)
                made.append(server)
                is_made.set()
                server.run()
        except BaseException as failure:  # noqa: BLE001  (raised in the test's own thread)
            failures.append(failure)
            is_made.set()

    thread = threading.Thread(target=serve)
    with ours:
        thread.start()
        try:
            client = Client(ours, version, limits)
            assert is_made.wait(SECONDS)
            yield client, made[0]
            client.close()
        finally:
            with contextlib.suppress(OSError):
                ours.shutdown(socket.SHUT_RDWR)
            thread.join(SECONDS)
    assert not thread.is_alive()
    if failures and not is_cut:
        raise failures[0]
    assert bool(failures) is is_cut


@lines
def test_one_connection_carries_many_exchanges(version: ssl.TLSVersion | None) -> None:
    """Bodies of every size both ways, sized, chunked and gzipped; at the end the far end gets an orderly farewell."""
    sizes = [0, 1, 16_383, 16_384, 16_385, 300_000, 3]
    with line(version) as (client, server):
        for size in sizes:
            for target in ("/", "/chunked", "/gzip"):
                body = (b"%d," % size * size)[:size]
                response = client.request(Request("POST", target, body=body))
                assert (response.status, response.body) == (200, body)
                assert client.channel.fully_handed
                assert client.channel.reusable
        assert client.writes > 3 * len(sizes), "the kernel took the long ones in parts"
    assert [(said, len(body)) for said, body in server.requests] == [
        (b"POST " + target, size) for size in sizes for target in (b"/", b"/chunked", b"/gzip")
    ]
    assert server.had_farewell


@lines
@pytest.mark.parametrize("target", ["/close", "/until-the-end"])
def test_an_answer_that_ends_the_connection_stands_and_is_the_last(target: str, version: ssl.TLSVersion | None) -> None:
    """Announced or not, sized or not, with the farewell that TLS has for it."""
    with line(version) as (client, server):
        assert client.request(Request("POST", "/", body=b"first")).body == b"first"
        assert client.channel.reusable
        assert client.request(Request("POST", target, body=bytes(100_000))).body == bytes(100_000)
        assert not client.channel.reusable
    assert len(server.requests) == 2


@pytest.mark.parametrize("version", [TLS12, TLS13], ids=["tls1.2", "tls1.3"])
def test_over_tls_an_end_without_farewell_ends_no_body(version: ssl.TLSVersion) -> None:
    """Whoever cut the connection may have cut the answer."""
    with line(version, says_farewell=False) as (client, _):
        with pytest.raises(ConnectionEnded) as caught:
            client.request(Request("POST", "/until-the-end", body=b"100"))
        assert caught.value.sent is Sent.MAYBE
        assert client.channel.response is None


@lines
@pytest.mark.parametrize("says_farewell", [True, False])
def test_a_server_that_dies_within_its_answer_leaves_it_open_whether_it_was_sent(
    says_farewell: bool, version: ssl.TLSVersion | None
) -> None:
    """After nothing, within the head, behind it, one byte before the end of the body or of the last chunk."""
    for target in ("/", "/chunked"):
        for length in (0, 1, 20, -4, -1):
            with line(version, stop_after=length, says_farewell=says_farewell) as (client, server):
                with pytest.raises(ConnectionEnded) as caught:
                    client.request(Request("POST", target, body=b"100"))
                assert (caught.value.sent, caught.value.call) == (Sent.MAYBE, f"POST {target}")
                assert not client.channel.reusable
            assert len(server.requests) == 1


@lines
def test_a_bomb_over_the_line_is_refused_and_not_inflated(version: ssl.TLSVersion | None) -> None:
    """The limit holds for what is inflated too."""
    with line(version, Limits(max_body_bytes=100_000)) as (client, _):
        assert len(client.request(Request("POST", "/gzip", body=bytes(100_000))).body) == 100_000
        with pytest.raises(ProtocolError, match="inflated") as caught:
            client.request(Request("POST", "/gzip", body=bytes(100_001)))
        assert caught.value.sent is Sent.MAYBE


@lines
def test_a_server_that_reads_no_further_than_it_must_has_not_been_sent_the_rest(
    version: ssl.TLSVersion | None,
) -> None:
    """The far end is gone before the request has left: what was handed says MAYBE, and nothing more follows."""
    with line(version, is_cut=True) as (client, _):
        client.channel.send_request(Request("POST", "/", body=bytes(1_000_000)))
        waiting = client.channel.bytes_to_send()
        client.channel.handed_over(client.link.send(waiting))
        handed = client.channel.handed
        assert not client.channel.fully_handed
        with pytest.raises(SmswireError) as caught:
            client.channel.receive_eof()
        assert caught.value.sent is (Sent.MAYBE if handed else Sent.NO)
        assert bytes(client.channel.bytes_to_send()) == client.channel.bytes_to_close() == b""
