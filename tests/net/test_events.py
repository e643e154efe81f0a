"""What a client tells its ``on_event``: what happened, in order, in numbers that fit together."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import FrozenInstanceError, fields
from random import Random
from typing import Any, get_args

import pytest

from smswire import AsyncClient, Client, Outcome, Sent, errors, events
from smswire.errors import SmswireError
from smswire.events import Event, Reason
from smswire.flow.dispatch import Dispatch
from smswire.net.aio import _LoopPool
from smswire.net.blocking import LockedPool

from .raw import OK, WITHIN_S, Peer
from .test_queue import Caller, Gate, wait_for_waiters
from .totals import check_totals

both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
KEY = "kEy-4711-0815"
CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")


def names(told: list[Event]) -> list[str]:
    return [type(event).__name__ for event in told]


def settled_when(tls: bool, dial: list[str], exchange: list[str]) -> list[str]:
    """Over TLS the far end speaks first in the handshake, over plain http in its answer."""
    if tls:
        return [dial[0], "OpeningSettled", *dial[1:], *exchange]
    return [*dial, exchange[0], "OpeningSettled", *exchange[1:]]


DIAL = ["OpeningStarted", "ConnectionOpened", "Waited"]
EXCHANGE = ["RequestSent", "Answered"]


@both
@pytest.mark.parametrize("lane", ["auto", "h11"])
def test_a_first_call_and_a_reuse(serve, make_client, tls, lane):
    """The first opens the connection and the second finds it; then the client is closed."""
    server = serve(tls=tls)
    told: list[Event] = []
    client = make_client(server, on_event=told.append, lane=lane)
    outcome = Outcome()
    assert client.request("POST", "/first?secret=1", body=b"text", outcome=outcome).status == 200
    assert names(told) == ["CallStarted", *settled_when(tls, DIAL, EXCHANGE), "CallEnded"]
    by_name = {type(event).__name__: event for event in told}
    assert by_name["CallStarted"].call == "POST /first"
    assert {event.call_id for event in told if hasattr(event, "call_id")} == {outcome.call_id} == {1}
    assert {event.connection_id for event in told if hasattr(event, "connection_id")} == {1}
    assert by_name["OpeningStarted"].address == f"127.0.0.1:{server.port}" == by_name["ConnectionOpened"].address
    sent = by_name["RequestSent"]
    assert (sent.request_bytes, sent.attempt) == (len(server.requests[0]), 1)
    assert (by_name["Answered"].status, by_name["Answered"].body_bytes) == (200, 3)
    end = by_name["CallEnded"]
    assert (end.sent, end.status, end.attempts, end.error_type, end.error) == (Sent.YES, 200, 1, None, None)
    assert end.seconds == end.at - by_name["CallStarted"].at >= by_name["Waited"].seconds
    del told[:]
    client.request("POST", "/second", outcome=outcome)
    assert names(told) == ["CallStarted", *EXCHANGE, "CallEnded"]
    assert outcome.call_id == 2
    assert told[1].connection_id == 1
    del told[:]
    client.close()
    (end,) = told
    assert (end.connection_id, end.reason, end.requests) == (1, Reason.CLIENT_CLOSED, 2)


def test_a_refused_connect(serve, make_client):
    """Three attempts, a connection number each: a refusal is the far end's word."""
    server = serve()
    server.stop_listening()
    told: list[Event] = []
    with pytest.raises(errors.ConnectError):
        make_client(server, on_event=told.append).request("POST", "/")
    assert names(told) == ["CallStarted", *["OpeningStarted", "OpeningSettled", "DialFailed"] * 3, "CallEnded"]
    dials = [event for event in told if isinstance(event, events.DialFailed)]
    assert [dial.connection_ids for dial in dials] == [(1,), (2,), (3,)]
    assert all("Connection refused" in dial.error for dial in dials)
    end = told[-1]
    assert (end.sent, end.status, end.attempts, end.error_type) == (Sent.NO, None, 3, "ConnectError")


@both
@pytest.mark.parametrize("lane", ["auto", "h11"])
@pytest.mark.parametrize("answer", [CLOSING, OK + b"HTTP"], ids=["said so", "left over"])
def test_an_answer_that_ends_its_connection(serve, make_client, tls, lane, answer):
    """The connection goes in good order, before the call has ended."""
    told: list[Event] = []
    server = serve(lambda peer: peer.answer_all(answer), tls=tls)
    make_client(server, on_event=told.append, lane=lane).request("POST", "/")
    exchange = [*EXCHANGE, "ConnectionRetired"]
    assert names(told) == ["CallStarted", *settled_when(tls, DIAL, exchange), "CallEnded"]
    assert told[-2].reason is Reason.NOT_KEPT


def test_a_connect_that_never_left_is_given_back(serve, make_client):
    """The local address is none of this machine's: nothing counts toward the limit."""
    told: list[Event] = []
    client = make_client(serve(), on_event=told.append, local_address="192.0.2.1")
    with pytest.raises(errors.ConnectError):
        client.request("POST", "/")
    assert names(told) == ["CallStarted", *["OpeningStarted", "OpeningGivenBack", "DialFailed"] * 3, "CallEnded"]


@both
def test_a_connection_that_breaks(serve, make_client, tls):
    """MAYBE, and both events say how it broke."""
    told: list[Event] = []
    client = make_client(serve(lambda peer: peer.read_request() and peer.finish(), tls=tls), on_event=told.append)
    with pytest.raises(errors.ConnectionEnded):
        client.request("POST", "/")
    exchange = ["RequestSent", "ConnectionDied"]
    assert names(told) == ["CallStarted", *settled_when(tls, DIAL, exchange), "CallEnded"]
    assert told[-2].error == told[-1].error
    assert (told[-1].sent, told[-1].error_type) == (Sent.MAYBE, "ConnectionEnded")


@both
def test_a_timeout(serve, make_client, tls):
    """The server never speaks: over plain http the opening was never heard of either."""
    told: list[Event] = []
    client = make_client(serve(lambda peer: peer.read_to_end(), tls=tls), on_event=told.append)
    with pytest.raises(errors.Timeout):
        client.request("POST", "/", timeout=0.3)
    dial = settled_when(True, DIAL, []) if tls else DIAL
    end = ["ConnectionDied"] if tls else ["OpeningAbandoned", "ConnectionDied"]
    assert names(told) == ["CallStarted", *dial, "RequestSent", *end, "CallEnded"]
    assert (told[-1].sent, told[-1].error_type) == (Sent.MAYBE, "Timeout")
    assert told[-2].error == told[-1].error == "the deadline passed while waiting for the answer"


@both
def test_a_call_that_the_close_ends(serve, make_client, tls):
    """Without a drain it ends at once, and that is said of its connection, too."""
    server = serve(lambda peer: peer.read_request() and peer.read_to_end(), tls=tls)
    told: list[Event] = []
    client = make_client(server, on_event=told.append)
    call = Caller(client)
    server.next_request()
    client.close(drain=0.0)
    call.join()
    assert names(told)[-2:] == ["ConnectionDied", "CallEnded"]
    assert (told[-1].sent, told[-1].error_type) == (Sent.MAYBE, "Closed")
    check_totals(told, client.stats())


@both
@pytest.mark.parametrize("end", ["finish", "reset"])
def test_a_connection_that_ends_while_idle(serve, make_client, tls, end):
    """Heard of at once or found by the next call, it retired; the call has another."""
    ended, may_end = threading.Event(), threading.Event()

    def handler(peer: Peer) -> None:
        if peer.number > 1:
            peer.answer_all()
            return
        peer.read_request()
        peer.send(OK)
        may_end.wait(WITHIN_S)
        getattr(peer, end)()
        ended.set()

    told: list[Event] = []
    client = make_client(serve(handler, tls=tls), on_event=told.append)
    client.request("POST", "/first")
    may_end.set()
    ended.wait(WITHIN_S)
    client.request("POST", "/second")
    retired, *_ = [event for event in told if isinstance(event, events.ConnectionRetired)]
    assert (retired.connection_id, retired.reason, retired.requests) == (1, Reason.ENDED_WHILE_IDLE, 1)
    second = [event for event in told if getattr(event, "call_id", None) == 2]
    assert names(second) == ["CallStarted", "Waited", *EXCHANGE, "CallEnded"]
    assert second[2].connection_id == 2


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"max_requests": 1}, Reason.LAST_REQUEST),
        ({"max_age": 1e-9}, Reason.AGE),
        ({"idle_timeout": 0.0}, Reason.IDLE),
    ],
)
def test_why_a_connection_retires(serve, make_client, settings, reason):
    """One request, one minute too old, one idle for too long: each is told from the others."""
    told: list[Event] = []
    client = make_client(serve(), on_event=told.append, **settings)
    with suppress(SmswireError):
        client.request("POST", "/", timeout=0.1)
    client.close()
    reasons = {event.reason for event in told if isinstance(event, events.ConnectionRetired)}
    assert reason in reasons
    assert reasons <= {reason, Reason.CLIENT_CLOSED}


def test_an_opening_is_told_of_while_it_is_under_way(serve, make_client):
    """The server begins a TLS record and waits; when that has been heard of, it ends."""
    is_settled = threading.Event()

    def handler(peer: Peer) -> None:
        peer.read_some()
        peer.send(b"\x16")
        is_settled.wait(WITHIN_S)

    told: list[Event] = []

    def on_event(event: Event) -> None:
        told.append(event)
        if isinstance(event, events.OpeningSettled):
            is_settled.set()

    client = make_client(serve(handler).origin.replace("http:", "https:"), on_event=on_event)
    with pytest.raises(errors.NetworkError):
        client.request("POST", "/")
    dial = next(event for event in told if isinstance(event, events.DialFailed))
    assert dial.error == "the connection ended within the TLS handshake"


def test_a_lookup_that_fails_opens_nothing(make_client):
    """The call's end says what it was."""
    told: list[Event] = []
    client = make_client("http://localhost:1", resolve=lambda host: [], on_event=told.append)
    with pytest.raises(errors.ResolutionError):
        client.request("POST", "/")
    assert set(names(told)) == {"CallStarted", "CallEnded"}
    assert told[-1].error_type == "ResolutionError"


def test_a_wait_in_the_queue_is_told_with_its_length(serve, make_client):
    """The second call has the first one's connection when that has been answered."""
    gate = Gate()
    server = serve(gate)
    told: list[Event] = []
    client = make_client(server, max_connections=1, on_event=told.append)
    first = Caller(client, "/first")
    server.next_request()
    second = Caller(client, "/second")
    wait_for_waiters(client, 1)
    gate.open.set()
    first.join()
    second.join()
    waits = {event.call_id: event for event in told if isinstance(event, events.Waited)}
    ends = {event.call_id: event for event in told if isinstance(event, events.CallEnded)}
    assert (waits[2].connection_id, set(waits)) == (1, {1, 2})
    assert 0.0 < waits[2].seconds < ends[2].seconds


def test_a_repeated_attempt_is_told_as_one(serve, make_client):
    """429 twice, then the answer: one call, three answers, one end."""
    answers = [b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"] * 2 + [OK]

    def handler(peer: Peer) -> None:
        for answer in answers:
            peer.read_request()
            peer.send(answer)
        peer.read_to_end()

    told: list[Event] = []
    make_client(serve(handler), on_event=told.append).request("POST", "/")
    assert [event.status for event in told if isinstance(event, events.Answered)] == [429, 429, 200]
    assert [event.attempt for event in told if isinstance(event, events.RequestSent)] == [1, 2, 3]
    (end,) = [event for event in told if isinstance(event, events.CallEnded)]
    assert (end.status, end.attempts) == (200, 3)


# What a server says to a request, and whether it keeps the connection.
WAYS = {
    "/ok": (OK, True),
    "/closing": (CLOSING, False),
    "/429": (b"HTTP/1.1 429 X\r\nContent-Length: 0\r\n\r\n", True),
    "/cut": (OK[:30], False),
    "/end": (b"", False),
    "/junk": (b"\x00\x00\r\n\r\n", True),
    "/more": (OK + b"HTTP", True),
    "/silence": (b"", True),
}


def behaving(peer: Peer) -> None:
    """Does what the target says."""
    is_kept = True
    while is_kept and (request := peer.read_request()) is not None:
        answer, is_kept = WAYS[request.split(b" ")[1].decode()]
        peer.send(answer)


@both
@pytest.mark.parametrize("seed", range(2))
def test_the_totals_add_up(serve, make_client, tls, seed):
    """Four threads, two connections, a server that does everything wrong, and a close in the midst of it."""
    random = Random(seed)
    told: list[Event] = []
    client = make_client(serve(behaving, tls=tls), on_event=told.append, max_connections=2, timeout=0.2)
    targets = [[random.choice([*WAYS]) for _ in range(6)] for _ in range(4)]

    def run(mine: list[str]) -> None:
        for target in mine:
            with suppress(SmswireError):
                client.request("POST", target)

    threads = [threading.Thread(target=run, args=(mine,)) for mine in targets]
    for thread in threads:
        thread.start()
    threads[0].join()
    client.close(drain=0.0)
    for thread in threads:
        thread.join()
    started = [event for event in told if isinstance(event, events.CallStarted)]
    assert len(started) > len(targets[0])
    check_totals(told, client.stats())


def test_no_event_shows_a_secret(serve, make_client):
    """Not the key in a field, not the query, not a body: neither the request's nor the answer's."""
    told: list[Event] = []
    answer = f"HTTP/1.1 200 {KEY}\r\nX-Key: {KEY}\r\nContent-Length: {len(KEY)}\r\n\r\n{KEY}".encode()
    broken = f"HTTP/1.1 200 OK\r\nContent-Length: {KEY}\r\n\r\n".encode()

    def handler(peer: Peer) -> None:
        for said in (answer, broken):
            peer.read_request()
            peer.send(said)
        peer.read_to_end()

    client = make_client(serve(handler), on_event=told.append)
    ask = ("POST", f"/api/sms?p={KEY}", [("Authorization", f"basic {KEY}")], KEY.encode())
    assert client.request(*ask).body == KEY.encode()
    with pytest.raises(errors.ProtocolError):
        client.request(*ask)
    client.close()
    assert len(told) > 8
    assert KEY not in repr(told)
    assert {event.call for event in told if hasattr(event, "call")} == {"POST /api/sms"}


def test_a_hook_that_raises_changes_no_call(serve, make_client, monkeypatch):
    """Its error is shown, with its traceback, and the call goes on."""
    shown: list[tuple[Any, ...]] = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: shown.append(error))

    def on_event(event: Event) -> None:
        raise ZeroDivisionError(type(event).__name__)

    client = make_client(serve(), on_event=on_event)
    assert client.request("POST", "/").status == 200
    assert client.stats()[:3] == (1, 1, 0)
    client.close()
    assert {kind for kind, _, _ in shown} == {ZeroDivisionError}
    assert [str(error) for _, error, _ in shown][-1] == "ConnectionRetired"
    assert all(traceback.tb_next is not None for _, _, traceback in shown)


def test_a_reporter_that_raises_changes_no_call_either(serve, make_client, monkeypatch):
    """Whoever shows the hook's error may be down."""

    def excepthook(*error: object) -> None:
        raise RuntimeError("down")

    def on_event(event: Event) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(sys, "excepthook", excepthook)
    client = make_client(serve(), on_event=on_event)
    assert client.request("POST", "/").status == 200
    client.close()


def test_a_hook_may_ask_for_the_numbers(serve, make_client):
    """It runs under no lock of the client's, and its numbers include what it is told of."""
    found: list[Any] = []
    box: list[Any] = []

    def on_event(event: Event) -> None:
        # ``InLoop`` would wait for the loop, which is here.
        client = getattr(box[0], "_client", box[0])
        found.append((type(event), client.stats()))

    box.append(make_client(serve(), on_event=on_event))
    assert box[0].request("POST", "/").status == 200
    box[0].close()
    by_kind = dict(found)
    assert by_kind[events.ConnectionOpened].opened == 1
    assert by_kind[events.CallEnded].busy == 0
    assert by_kind[events.ConnectionRetired].retired == 1


@pytest.mark.about("blocking")
def test_a_hook_runs_under_no_lock(serve, make_client):
    """Neither the pool's, nor that of closing, nor the pacer's: another thread may have each of them."""
    found: list[tuple[str, list[bool]]] = []
    box: list[Any] = []

    def on_event(event: Event) -> None:
        client = box[0]
        locks = (client._pool._lock, client._closing, client._settings._pacer._lock)
        free: list[bool] = []

        def look() -> None:
            for lock in locks:
                free.append(lock.acquire(blocking=False))
                if free[-1]:
                    lock.release()

        other = threading.Thread(target=look)
        other.start()
        other.join()
        found.append((type(event).__name__, free))

    box.append(make_client(serve(), on_event=on_event))
    box[0].request("POST", "/")
    box[0].close()
    assert len(found) == 9
    assert [name for name, free in found if not all(free)] == []


@pytest.mark.about("blocking")
def test_a_hook_that_makes_calls_itself(serve, make_client):
    """Blocking, its calls are calls as any others, with events of their own."""
    told: list[Event] = []
    box: list[Client] = []

    def on_event(event: Event) -> None:
        told.append(event)
        if isinstance(event, events.CallEnded) and event.call == "POST /outer":
            assert box[0].request("POST", "/inner").status == 200

    box.append(make_client(serve(), on_event=on_event))
    box[0].request("POST", "/outer")
    box[0].close()
    check_totals(told, box[0].stats())
    assert [event.call for event in told if isinstance(event, events.CallEnded)] == ["POST /outer", "POST /inner"]


@pytest.mark.about("blocking")
def test_a_hook_that_is_slow_as_a_call_begins_holds_up_nobody_else(serve, make_client):
    """A call has its place in the queue when it was told of."""
    has_begun, may_go = threading.Event(), threading.Event()

    def on_event(event: Event) -> None:
        if isinstance(event, events.CallStarted) and event.call == "POST /slow":
            has_begun.set()
            may_go.wait(WITHIN_S)

    client = make_client(serve(), on_event=on_event, max_connections=1)
    slow = threading.Thread(target=client.request, args=("POST", "/slow"))
    slow.start()
    assert has_begun.wait(WITHIN_S)
    try:
        assert client.request("POST", "/quick").status == 200
    finally:
        may_go.set()
        slow.join()


def test_an_outcome_used_again_forgets_its_number(serve, make_client):
    """By a client that counts no calls."""
    outcome = Outcome()
    make_client(serve(), on_event=lambda event: None).request("POST", "/", outcome=outcome)
    assert outcome.call_id == 1
    make_client(serve()).request("POST", "/", outcome=outcome)
    assert outcome.call_id is None


@pytest.mark.about("blocking")
def test_events_come_in_the_thread_of_their_call(serve, make_client):
    """Those of a connection in the thread that dialled or closed it."""
    told: list[tuple[str, int]] = []
    client = make_client(serve(), on_event=lambda event: told.append((type(event).__name__, threading.get_ident())))
    call = Caller(client)
    call.join()
    assert {thread for _, thread in told} == {call.ident}
    client.close()
    assert told[-1] == ("ConnectionRetired", threading.get_ident())


class Hurt(BaseException):
    """As KeyboardInterrupt, which the test runner would take for its own."""


@pytest.mark.about("blocking")
@both
@pytest.mark.parametrize("target", ["/ok", "/closing", "/end"])
def test_a_hook_that_is_interrupted_tears_no_call(serve, make_client, tls, target):
    """At each event in turn, and once at every one: as any interrupt of the call. Nothing stays in use, NO is never
    said of what has arrived, the next call succeeds, and not an event is lost.
    """
    server = serve(behaving, tls=tls)
    number = 0
    is_reached = True
    while is_reached:
        told: list[Event] = []
        # The first time at every event there is.
        hurts = iter([*[False] * (number - 1), True]) if number else iter([True] * 100)

        def on_event(event: Event, told: list[Event] = told, hurts: Iterator[bool] = hurts) -> None:
            told.append(event)
            if next(hurts, False):
                raise Hurt

        client = make_client(server, on_event=on_event, max_connections=1)
        outcome = Outcome()
        seen = len(server.requests)
        try:
            client.request("POST", target, outcome=outcome, timeout=2.0)
            is_reached = number == 0
        except Hurt:
            pass
        except SmswireError:
            is_reached = False
        assert client.stats()[2:5] == (0, 0, 0), number
        assert not (len(server.requests) > seen and outcome.sent is Sent.NO), number
        with suppress(Hurt):
            assert client.request("POST", "/ok").status == 200
        with suppress(Hurt):
            client.close()
        client.close()
        check_totals(told, client.stats())
        number += 1
    assert number > 6


def test_a_client_without_a_hook_has_the_plain_classes(serve, make_client):
    """Being observable costs nothing: not a field, not a look. Calls have no numbers."""
    client = make_client(serve())
    outcome = Outcome()
    client.request("POST", "/", outcome=outcome)
    assert outcome.call_id is None
    inner = getattr(client, "_client", client)
    assert inner._dispatch is Dispatch
    assert type(inner._pool) is (LockedPool if isinstance(inner, Client) else _LoopPool)
    assert inner._observer is None


async def later(event: Event) -> None:
    """No hook."""


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize("hook", [5, "print", later])
def test_a_hook_is_a_plain_function(kind, hook):
    """What would have to be awaited is never called by halves."""
    with pytest.raises(errors.ConfigurationError, match="on_event"):
        kind("http://127.0.0.1:1", on_event=hook)


@pytest.mark.parametrize("kind", get_args(Event), ids=lambda kind: kind.__name__)
def test_an_event_is_a_frozen_value(kind):
    """Typed, without a place for more, with the time first."""
    values = dict.fromkeys((field.name for field in fields(kind)), 1)
    event = kind(**values)
    assert event == kind(**values)
    assert next(iter(values)) == "at"
    assert not hasattr(event, "__dict__")
    with pytest.raises(FrozenInstanceError):
        event.at = 2.0


FORK = """
    import os, sys, warnings
    from smswire import Client, Pacer, events
    warnings.filterwarnings("ignore", message=".*fork", category=DeprecationWarning)

    told = []
    client = Client(sys.argv[1], pacer=Pacer(window=0.1), on_event=told.append)
    client.request("POST", "/parent")
    before = len(told)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            client.request("POST", "/child")
            client.close()
            kinds = [type(event).__name__ for event in told[before:]]
            assert kinds == ["CallStarted", "OpeningStarted", "ConnectionOpened", "Waited", "RequestSent",
                "OpeningSettled", "Answered", "CallEnded", "ConnectionRetired"], kinds
            code = 0
        finally:
            os._exit(code)
    assert os.waitpid(child, 0)[1] == 0
    assert len(told) == before
    client.close()
    assert isinstance(told[-1], events.ConnectionRetired)
"""


@pytest.mark.about("blocking")
def test_a_forked_child_keeps_the_hook(serve, make_client):
    """It hears of the child's own connections, and of none of the parent's."""
    import subprocess
    import textwrap

    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(FORK), serve().origin],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True, text=True, timeout=WITHIN_S,
    )  # fmt: skip
    assert (ran.returncode, ran.stderr) == (0, "")
