"""``close``: calls under way get their time, everybody else is told, and nothing stays open."""

from __future__ import annotations

import socket
import sys
import threading
from types import FrameType

import pytest

from smswire import Gateway, Sent, errors
from smswire.net.pacers import Pacer

from .raw import OK, WITHIN_S, Peer, black_hole
from .runtimes import gateway_over
from .test_queue import Caller, Gate, wait_for_waiters

both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


def closing(client, drain: float) -> threading.Thread:
    thread = threading.Thread(target=client.close, args=(drain,), daemon=True)
    thread.start()
    return thread


@pytest.mark.about("blocking")
@both
def test_a_call_in_flight_ends_within_the_drain(serve, make_client, tls):
    """``close`` waits for the answer, however long the drain may be, and then for nothing more."""
    gate = Gate()
    server = serve(gate, tls=tls)
    client = make_client(server)
    call = Caller(client)
    server.next_request()
    closer = closing(client, 600.0)
    while not client._pool.is_closed:
        pass
    gate.open.set()
    closer.join(WITHIN_S)
    assert not closer.is_alive()
    call.join()
    assert call.status == 200
    assert client.stats()[:5] == (0, 0, 0, 0, 0)


@both
def test_a_call_in_flight_ends_as_closed_and_maybe_sent_beyond_the_drain(serve, make_client, tls):
    """The request has left and the answer has not come: Closed, because this side ended it, and MAYBE."""
    gate = Gate()
    server = serve(gate, tls=tls)
    client = make_client(server)
    call = Caller(client)
    server.next_request()
    client.close(drain=0.0)
    call.join(WITHIN_S)
    gate.open.set()
    assert isinstance(call.error, errors.Closed)
    assert call.error.sent is call.outcome.sent is Sent.MAYBE
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    assert len(server.requests) == 1


def test_a_repeatable_call_is_not_tried_again_after_the_drain(serve, make_client):
    """What ``close`` ended stays ended."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server)
    call = Caller(client, repeatable=True)
    server.next_request()
    client.close(drain=0.0)
    call.join(WITHIN_S)
    gate.open.set()
    assert isinstance(call.error, errors.Closed)
    assert (call.error.sent, call.error.attempts, len(server.requests)) == (Sent.MAYBE, 1, 1)


def test_a_dial_under_way_ends_as_closed_and_not_sent_beyond_the_drain(make_client):
    """The address is silent: the dial is given up, which is no evidence for the pacer."""
    pacer = Pacer()
    with black_hole("127.0.0.2") as port:
        client = make_client(f"http://127.0.0.2:{port}", pacer=pacer, connect_timeout=600.0, timeout=900.0)
        call = Caller(client)
        while not client.stats().dialling:
            pass
        client.close(drain=0.0)
        call.join(WITHIN_S)
        assert not call.is_alive()
    assert isinstance(call.error, errors.Closed)
    assert call.error.sent is Sent.NO
    # Abandoned, not settled: a slot that is taken for longer than a window from now.
    assert pacer.stats()[:2] == (1, 0)
    assert list(pacer._abandoned)


@pytest.mark.about("blocking")
@pytest.mark.parametrize(("tls", "system_call"), [(False, "send"), (True, "send"), (True, "recv")])
def test_what_a_socket_says_after_close_is_no_word_of_the_far_end(serve, make_client, tls, system_call):
    """``close`` may come right before any system call of a call that has not heard of the far end yet."""
    server = serve(lambda peer: peer.read_to_end(), tls=tls)
    pacer = Pacer()
    client = make_client(server, pacer=pacer)

    def close_first(frame: FrameType, event: str, argument: object) -> None:
        if event == "c_call" and getattr(argument, "__name__", "") == system_call:
            sys.setprofile(None)
            closer = closing(client, 0.0)
            closer.join(WITHIN_S)

    sys.setprofile(close_first)
    try:
        with pytest.raises(errors.Closed) as raised:
            client.request("POST", "/sms", body=b"text=Hi")
    finally:
        sys.setprofile(None)
    assert raised.value.sent is Sent.NO
    assert server.requests == []
    if system_call == "send":
        assert list(pacer._abandoned)


def test_waiters_are_told_at_once(serve, make_client):
    """A call in the queue gets Closed, NO, while the one in flight still has its time."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1)
    flying = Caller(client, "/flying")
    server.next_request()
    waiting = [Caller(client, "/waiting") for _ in range(5)]
    wait_for_waiters(client, 5)
    closer = closing(client, 600.0)
    for call in waiting:
        call.join(WITHIN_S)
        assert isinstance(call.error, errors.Closed)
        assert call.error.sent is Sent.NO
    gate.open.set()
    closer.join(WITHIN_S)
    flying.join(WITHIN_S)
    assert flying.status == 200
    assert len(server.requests) == 1


def test_a_call_that_backs_off_is_told_at_once(serve, make_client):
    """It was refused and would come again in ten minutes: it ends now."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 429 T\r\nRetry-After: 600\r\nContent-Length: 0\r\n\r\n")
        peer.read_to_end()

    server = serve(handler)
    client = make_client(server, timeout=1200.0)
    call = Caller(client)
    server.next_request()
    while client.stats().busy or not client.stats().opened:
        pass
    client.close(drain=0.0)
    call.join(WITHIN_S)
    assert not call.is_alive()
    assert isinstance(call.error, errors.Closed)
    assert call.error.sent is Sent.NO


def test_a_closed_client_refuses(serve, make_client):
    """Closed, NO, nothing is opened, and closing again does nothing."""
    server = serve()
    client = make_client(server)
    assert client.request("GET", "/").status == 200
    client.close()
    client.close()
    with pytest.raises(errors.Closed) as raised:
        client.request("POST", "/")
    assert raised.value.sent is Sent.NO
    assert (server.accepted, len(server.requests)) == (1, 1)


def test_a_gateway_object_closes_its_own_client_only(make_sandbox, make_client):
    """A client that was given stays open."""
    sandbox = make_sandbox()
    client = make_client(sandbox)
    with gateway_over(client, "sandbox-key", base_url=sandbox.url) as gateway:
        gateway.sms("491716992343", "Hello")
    assert client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status == 200
    with Gateway("sandbox-key", base_url=sandbox.url, trust=sandbox.ca_file, pacer=Pacer()) as own:
        own.sms("491716992343", "Hello")
    with pytest.raises(errors.Closed):
        own.balance()


@both
def test_calls_and_a_close_at_the_same_time_end_cleanly(serve, make_client, tls):
    """Whatever the order: each call is answered or Closed, the server saw what was not NO, and nothing stays open."""
    for round_number in range(5):
        server = serve(tls=tls)
        client = make_client(server, max_connections=3)
        begin = threading.Barrier(9)

        callers = [_Repeating(client, begin) for _ in range(8)]
        begin.wait()
        for _ in range(round_number * 10):
            server.next_request()
        client.close(drain=0.0)
        for caller in callers:
            caller.join(WITHIN_S)
            assert not caller.is_alive()
        errors_seen = [caller.error for caller in callers if caller.error is not None]
        assert all(isinstance(error, errors.Closed) for error in errors_seen)
        assert client.stats()[:5] == (0, 0, 0, 0, 0)
        answered = sum(caller.answered for caller in callers)
        maybe = sum(error.sent is Sent.MAYBE for error in errors_seen)
        server.end_connections()
        assert answered <= len(server.requests) <= answered + maybe


class _Repeating(threading.Thread):
    """Twenty calls, until one fails."""

    def __init__(self, client, begin: threading.Barrier) -> None:
        super().__init__(daemon=True)
        self.client, self.begin = client, begin
        self.answered = 0
        self.error: errors.SmswireError | None = None
        self.start()

    def run(self) -> None:
        self.begin.wait()
        try:
            for number in range(20):
                self.answered += self.client.request("POST", f"/{number}").body == OK[-3:]
        except errors.SmswireError as error:
            self.error = error


@pytest.mark.about("blocking")  # under asyncio a dial is the pool's, which ends it
def test_a_last_dial_under_way_ends_as_closed(serve, make_client):
    """Two attempts have failed and no further would follow: the third is ended by ``close``, and says so."""
    third = threading.Event()

    def handler(peer: Peer) -> None:
        peer.read_some()
        if peer.number == 3:
            third.set()
            peer.read_to_end()

    server = serve(handler)
    client = make_client(server.origin.replace("http:", "https:"))
    call = Caller(client)
    assert third.wait(WITHIN_S)
    client.close(drain=0.0)
    call.join(WITHIN_S)
    assert isinstance(call.error, errors.Closed)
    assert (call.error.sent, call.error.attempts) == (Sent.NO, 3)


@pytest.mark.about("blocking")
def test_a_drain_may_be_endless(serve, make_client):
    """Infinity is a number of seconds too."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server)
    call = Caller(client)
    server.next_request()
    closer = closing(client, float("inf"))
    while not client._pool.is_closed:
        pass
    gate.open.set()
    closer.join(WITHIN_S)
    call.join(WITHIN_S)
    assert (call.status, closer.is_alive()) == (200, False)


def test_a_lookup_under_way_ends_as_closed(make_client):
    """The name's answer has not come: the call is told at once."""
    may_end = threading.Event()
    client = make_client("http://localhost:1", resolve=lambda host: [str(may_end.wait(WITHIN_S))])
    call = Caller(client)
    wait_for_waiters(client, 1)
    client.close(drain=600.0)
    call.join(WITHIN_S)
    may_end.set()
    assert isinstance(call.error, errors.Closed)
    assert call.error.sent is Sent.NO


def test_an_opening_that_waits_for_a_grant_ends_as_closed(make_client):
    """The first address has refused, and the next one's grant is far away: there is no socket to be heard by."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = make_client(
        f"http://localhost:{port}",
        pacer=Pacer(limit=1, window=600.0),
        connect_timeout=600.0,
        timeout=600.0,
        resolve=lambda host: ["127.0.0.1", "127.0.0.2"],
    )
    call = Caller(client)
    while not client.stats().dialling:
        pass
    client.close(drain=0.0)
    call.join(WITHIN_S)
    assert isinstance(call.error, errors.Closed)
    assert call.error.sent is Sent.NO
