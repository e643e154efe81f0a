"""How long a connection is used, and bodies that do not fit into one write."""

from __future__ import annotations

import threading

import pytest

from smswire import Client, Sent, errors
from smswire.net.pacers import Pacer

from .raw import OK, Peer
from .test_queue import Caller

both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


@both
def test_one_connection_carries_call_after_call(serve, make_client, tls):
    """Ten calls: one opening, nine reuses."""
    server = serve(tls=tls)
    client = make_client(server)
    for _ in range(10):
        client.request("POST", "/")
    stats = client.stats()
    assert (server.accepted, stats.opened, stats.reused, stats.idle) == (1, 1, 9, 1)


def test_connections_of_a_client_share_their_request_heads():
    """A new one builds no head that another has built; another client's are its own."""
    clients = [Client("http://127.0.0.1:1", pacer=Pacer()) for _ in range(2)]
    (one, other), (foreign, _) = ([client._settings._new_channel()._heads for _ in range(2)] for client in clients)
    assert one is other
    assert one is not foreign


def test_a_connection_retires_between_400_and_500_requests(make_sandbox, make_client):
    """Of 1,100 calls none meets the gateway's own limit, and every connection went in good order."""
    sandbox = make_sandbox(tls=False)
    client = make_client(sandbox.url.removesuffix("/api"), pacer=Pacer())
    for _ in range(1100):
        assert client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status == 200
    counts: dict[int, int] = {}
    for call in sandbox.calls():
        counts[call["connection"]] = counts.get(call["connection"], 0) + 1
    *whole, _ = counts.values()
    assert all(400 <= count <= 500 for count in whole)
    assert len(whole) == client.stats().retired == 2


@pytest.mark.parametrize(("field", "accepted"), [("timeout=0", 3), ("max=0", 3), ("timeout=60, max=100", 1)])
def test_the_servers_keep_alive_lowers_ours(serve, make_client, field, accepted):
    """A server that keeps nothing gets a new connection for each call."""
    answer = OK.replace(b"\r\n\r\n", f"\r\nKeep-Alive: {field}\r\n\r\n".encode(), 1)
    server = serve(lambda peer: peer.answer_all(answer))
    client = make_client(server)
    for _ in range(3):
        assert client.request("POST", "/").status == 200
    assert server.accepted == accepted


@both
def test_a_chunked_answer_keeps_the_connection(make_sandbox, make_client, tls):
    """Its end is known, so the connection is used again."""
    sandbox = make_sandbox(chunked=True, tls=tls)
    client = make_client(sandbox) if tls else make_client(sandbox.url.removesuffix("/api"))
    for _ in range(3):
        client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")])
    assert client.stats().opened == 1


@both
def test_a_big_body_reaches_a_slow_reader_whole(serve, make_client, tls):
    """A megabyte through a small window: many partial writes, one message."""
    body = bytes(range(256)) * 4096
    server = serve(tls=tls, receive_buffer=4096)
    assert make_client(server).request("POST", "/", body=body).status == 200
    assert [request.partition(b"\r\n\r\n")[2] == body for request in server.requests] == [True]


@both
def test_an_answer_that_comes_before_the_request_is_whole_is_given(serve, make_client, tls):
    """The server says 413 and reads no further: the answer is returned, the connection goes."""

    def handler(peer: Peer) -> None:
        peer.read_some()
        peer.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        peer.finish()
        peer.read_to_end()

    server = serve(handler, tls=tls, receive_buffer=4096)
    client = make_client(server)
    assert client.request("POST", "/", body=bytes(8_000_000)).status == 413
    assert (server.accepted, client.stats().open) == (1, 0)


@both
def test_a_deadline_while_the_server_reads_nothing_is_maybe_sent(serve, make_client, tls):
    """A part of the request has left, and what became of it nobody knows."""
    server = serve(lambda peer: peer.server.may_end.wait(20), tls=tls, receive_buffer=4096)
    server.may_end = threading.Event()
    call = Caller(make_client(server), body=bytes(8_000_000), timeout=1.0)
    call.join()
    server.may_end.set()
    assert isinstance(call.error, errors.Timeout)
    assert (call.error.sent, call.error.phase) == (Sent.MAYBE, "sending the request")


@pytest.mark.parametrize("lane", ["auto", "h11"])
def test_a_client_hands_its_lane_to_every_connection(make_sandbox, make_client, lane):
    """Either reads the same answers and keeps the connection; another lane there is not."""
    sandbox = make_sandbox(tls=False)
    client = make_client(sandbox.url.removesuffix("/api"), lane=lane)
    for _ in range(2):
        assert client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status == 200
    assert client.stats().opened == 1
    assert client._pool._new_channel()._lane == lane
    with pytest.raises(errors.ConfigurationError, match="lane"):
        make_client(sandbox.url.removesuffix("/api"), lane="fast")
