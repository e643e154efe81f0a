"""More callers than connections: nobody is forgotten, nobody starves, and deadlines hold in the queue too."""

from __future__ import annotations

import os
import threading
from collections import Counter

import pytest

from smswire import Client, Sent, errors
from smswire.flow.retry import Outcome
from smswire.net.pacers import Pacer

from .raw import OK, WITHIN_S, Peer


class Caller(threading.Thread):
    """A call in a thread, and what became of it."""

    def __init__(self, client: Client, target: str = "/", **options: object) -> None:
        super().__init__(daemon=True)
        self.client, self.target, self.options = client, target, options
        self.outcome = Outcome()
        self.status: int | None = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.status = self.client.request("POST", self.target, outcome=self.outcome, **self.options).status
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error


class Gate:
    """A handler that answers only once ``open`` is set; ``most`` is the largest number of connections at a time."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __call__(self, peer: Peer) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
        while peer.read_request() is not None:
            self.open.wait(WITHIN_S)
            peer.send(OK)
        with self._lock:
            self.now -= 1


def wait_for_waiters(client: Client, count: int) -> None:
    """Until ``count`` calls stand in the queue: asked again and again, since nobody tells."""
    while client.stats().waiting < count:
        os.sched_yield()


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_64_threads_share_ten_connections(serve, make_client, tls):
    """Every one of their calls is answered, and there are never more than ten connections."""
    gate = Gate()
    server = serve(gate, tls=tls)
    client = make_client(server, max_connections=10)
    callers = [Caller(client, f"/{number}") for number in range(64)]
    for _ in range(10):
        server.next_request()
    wait_for_waiters(client, 54)
    assert client.stats().open == 10
    gate.open.set()
    for caller in callers:
        caller.join()
    assert [caller.status for caller in callers] == [200] * 64
    assert Counter(request.split(b" ")[1] for request in server.requests) == Counter(
        f"/{number}".encode() for number in range(64)
    )
    assert gate.most == server.accepted == client.stats().opened == 10


def test_the_queue_is_served_in_order(serve, make_client):
    """On one connection, calls reach the server in the order in which they came, to the last."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1)
    callers = [Caller(client, "/first")]
    server.next_request()
    for number in range(40):
        callers.append(Caller(client, f"/{number}"))
        wait_for_waiters(client, number + 1)
    gate.open.set()
    for caller in callers:
        caller.join()
    assert [request.split(b" ")[1].decode() for request in server.requests] == ["/first"] + [
        f"/{number}" for number in range(40)
    ]


def test_none_of_200_threads_starves(serve, make_client):
    """Each makes five calls over four connections, against everybody else's next ones."""
    server = serve()
    client = make_client(server, max_connections=4, max_requests=2_000)  # else the busiest one retires
    statuses: list[int] = []

    def call_five_times() -> None:
        for _ in range(5):
            statuses.append(client.request("POST", "/").status)

    threads = [threading.Thread(target=call_five_times) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 1000
    assert len(server.requests) == 1000
    assert server.accepted <= 4


def test_a_deadline_in_the_queue_means_not_sent(serve, make_client):
    """The connection is busy for longer than the caller has time: Timeout, NO, and the place in the queue is free."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1)
    busy = Caller(client)
    server.next_request()
    with pytest.raises(errors.Timeout) as raised:
        client.request("POST", "/late", timeout=0.02)
    assert raised.value.sent is Sent.NO
    assert raised.value.phase == "waiting for a connection"
    assert client.stats().waiting == 0
    gate.open.set()
    busy.join()
    assert client.request("POST", "/after").status == 200
    assert [request.split(b" ")[1] for request in server.requests] == [b"/", b"/after"]


def test_a_deadline_in_the_queue_of_the_pacer_means_not_sent(serve, make_client):
    """The pacer has no slot for longer than the caller has time."""
    server = serve()
    pacer = Pacer(limit=1, window=600.0)
    assert make_client(server, pacer=pacer).request("POST", "/").status == 200
    with pytest.raises(errors.Timeout) as raised:
        make_client(server, pacer=pacer).request("POST", "/", timeout=0.02)
    assert raised.value.sent is Sent.NO
    assert (len(server.requests), server.accepted) == (1, 1)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("begun", [b"", OK[:10], OK[:-1]], ids=["silent", "head", "body"])
def test_a_deadline_before_the_answer_is_whole_means_maybe_sent(serve, make_client, tls, begun):
    """The request was read whole, and the answer does not come to its end."""

    def handler(peer: Peer) -> None:
        if peer.read_request() is not None:
            peer.send(begun)
            peer.read_to_end()

    server = serve(handler, tls=tls)
    client = make_client(server)
    call = Caller(client, timeout=1.0)
    server.next_request()
    call.join()
    assert isinstance(call.error, errors.Timeout)
    assert call.error.sent is call.outcome.sent is Sent.MAYBE
    assert call.error.phase == "waiting for the answer"
    assert (len(server.requests), server.accepted, client.stats().open) == (1, 1, 0)


def test_a_deadline_within_the_handshake_means_not_sent(serve, make_client):
    """The server accepts and never says ServerHello."""
    server = serve(lambda peer: peer.read_to_end())
    with pytest.raises(errors.Timeout) as raised:
        make_client(server.origin.replace("http:", "https:")).request("POST", "/", timeout=0.05)
    assert raised.value.sent is Sent.NO


def test_a_full_queue_refuses(serve, make_client):
    """One call more than may wait is refused after three attempts, with NO, and the others are served."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1, max_waiters=2)
    callers = [Caller(client)]
    server.next_request()
    callers += [Caller(client) for _ in range(2)]
    wait_for_waiters(client, 2)
    with pytest.raises(errors.PoolFull) as raised:
        client.request("POST", "/one-too-many")
    assert (raised.value.sent, raised.value.attempts) == (Sent.NO, 3)
    gate.open.set()
    for caller in callers:
        caller.join()
    assert [caller.status for caller in callers] == [200] * 3
