"""An interrupt in the main thread, wherever a call waits: the outcome is kept, nothing leaks, the client goes on."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from smswire import Client, Sent
from smswire.flow.dialing import Opening
from smswire.flow.retry import Outcome

from .raw import OK, WITHIN_S, Peer, black_hole
from .test_queue import Caller, Gate, wait_for_waiters

pytestmark = pytest.mark.about("blocking")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Whatever runs the tests, SIGINT raises KeyboardInterrupt in the main thread."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(client: Client, when: Callable[[], object], **options: object) -> Outcome:
    """A call in this thread that is interrupted as soon as ``when`` returns."""
    outcome = Outcome()

    def interrupt() -> None:
        when()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    interrupter = threading.Thread(target=interrupt, daemon=True)
    interrupter.start()
    with pytest.raises(KeyboardInterrupt):
        client.request("POST", "/interrupted", body=b"a", outcome=outcome, **options)
    interrupter.join()
    return outcome


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_interrupt_while_waiting_for_the_answer_is_maybe_sent(serve, make_client, tls):
    """The request has left: MAYBE, the connection goes, the next call has a new one."""

    def handler(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            if b"/interrupted" in request:
                peer.read_to_end()
                return
            peer.send(OK)

    server = serve(handler, tls=tls)
    client = make_client(server, max_connections=1)
    outcome = interrupted(client, server.next_request)
    assert (outcome.sent, outcome.attempts) == (Sent.MAYBE, 1)
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    assert client.request("POST", "/after").status == 200
    assert len(server.requests) == 2


def test_an_interrupt_in_the_queue_is_not_sent(serve, make_client):
    """The waiter leaves; the connection goes to whoever comes next."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1)
    busy = Caller(client)
    server.next_request()
    outcome = interrupted(client, lambda: wait_for_waiters(client, 1))
    assert (outcome.sent, outcome.attempts) == (Sent.NO, 0)
    assert client.stats().waiting == 0
    gate.open.set()
    busy.join()
    assert client.request("POST", "/after").status == 200
    assert server.accepted == 1


def test_an_interrupt_while_dialling_is_not_sent(make_client):
    """The dial is closed, its place in the pool is free."""
    with black_hole("127.0.0.2") as port:
        client = make_client(f"http://127.0.0.2:{port}", max_connections=1)

        def dialling() -> None:
            while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "_watch":
                pass

        assert interrupted(client, dialling).sent is Sent.NO
        assert client.stats()[:5] == (0, 0, 0, 0, 0)


def test_an_interrupt_while_looking_up_is_not_sent(serve, make_client):
    """The lookup goes on without the call, and its answer serves the next one."""
    server = serve()
    asked, may_answer = threading.Event(), threading.Event()

    def resolve(host: str) -> list[str]:
        asked.set()
        may_answer.wait(WITHIN_S)
        return ["127.0.0.1"]

    client = make_client(server.origin.replace("127.0.0.1", "localhost"), resolve=resolve)
    assert interrupted(client, asked.wait).sent is Sent.NO
    may_answer.set()
    assert client.request("POST", "/after").status == 200


def test_an_interrupt_at_the_pools_lock_stays_an_interrupt(serve, make_client):
    """Another thread has the lock: KeyboardInterrupt comes out, and nothing else."""
    server = serve()
    client = make_client(server)
    begun, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with client._pool._lock:
            begun.set()
            may_end.wait(WITHIN_S)

    def at_the_lock() -> None:
        while sys._current_frames()[threading.main_thread().ident].f_code.co_name != "locked":
            pass

    holder = threading.Thread(target=hold)
    holder.start()
    begun.wait()
    try:
        outcome = interrupted(client, at_the_lock)
    finally:
        may_end.set()
        holder.join()
    assert outcome.sent is Sent.NO
    assert client.request("POST", "/after").status == 200


def test_an_interrupt_just_as_a_dial_begins_loses_nothing(serve, make_client):
    """The pool has handed out the opening, and the call does not hold it yet."""
    client = make_client(serve(), max_connections=1)
    outcome = Outcome()

    def at_the_return(frame: FrameType, event: str, value: object) -> None:
        if event == "return" and frame.f_code.co_name == "locked" and isinstance(value, Opening):
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(at_the_return)
    try:
        with pytest.raises(KeyboardInterrupt):
            client.request("POST", "/interrupted", outcome=outcome)
    finally:
        sys.setprofile(None)
    assert outcome.sent is Sent.NO
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    assert client.request("POST", "/after").status == 200


def test_a_second_interrupt_waits_until_the_first_has_been_cleaned_up_behind(serve, make_client):
    """Somebody impatient presses twice: the place in the pool comes back all the same, and the outcome stands."""
    gate = Gate()
    server = serve(gate)
    client = make_client(server, max_connections=1)

    def press_twice(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "_let_go":
            sys.setprofile(None)
            raise KeyboardInterrupt

    def when() -> None:
        server.next_request()

    sys.setprofile(press_twice)
    try:
        outcome = interrupted(client, when)
    finally:
        sys.setprofile(None)
    gate.open.set()
    assert outcome.sent is Sent.MAYBE
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    assert client.request("POST", "/after").status == 200
