"""Each row of the table, over both runtimes and both lanes: the right verdict, and nothing left behind."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from random import Random

import pytest

from smswire import Sent
from smswire.flow.retry import Outcome

from ..net.raw import WITHIN_S, Handler, Peer, RawServer, answering
from ..net.runtimes import AnyClient
from .case import CALL, KEY, OK, Case, Place, Stage, errors, first
from .table import CASES

NEXT = "/next"


def chosen() -> Sequence[Case]:
    """All rows; where a tenth of everything generated is looked at, a tenth of them, another one for each Python."""
    if os.environ.get("HYPOTHESIS_PROFILE") != "tenth":
        return CASES
    return Random(sys.version_info.minor).sample(CASES, len(CASES) // 10)


@pytest.fixture
def stage(serve: Callable[..., RawServer], make_client: Callable[..., AnyClient], lane: str) -> Iterator[Stage]:
    with ExitStack() as ends:
        yield Stage(serve, lambda origin, **settings: make_client(origin, lane=lane, **settings), ends)


@pytest.mark.parametrize("case", chosen(), ids=str)
def test_a_fault_has_its_verdict(case: Case, stage: Stage) -> None:
    """What the call comes to, what the server saw, what is left in the pool, and that the next call succeeds."""
    place, let_idle = set_up(case, stage)
    outcome = Outcome()
    if case.idle is not None:
        assert place.client.request("GET", "/first").status == 200
        let_idle()
    call = {**CALL, **case.call}
    if case.error is None:
        response = place.client.request(**call, outcome=outcome)
        assert (response.status, response.body, outcome.sent) == (case.status, case.body, case.sent)
    else:
        with pytest.raises(errors.SmswireError) as raised:
            place.client.request(**call, outcome=outcome)
        check_error(case, raised.value, outcome)
    assert case.attempts in (None, outcome.attempts)
    check_pool(place.client, case)
    check_server(case, place)
    stage.ends.close()  # what a row keeps back is given back
    if case.goes_on:
        check_next_call(case, place)


def set_up(case: Case, stage: Stage) -> tuple[Place, Callable[[], None]]:
    may_go, gone = threading.Event(), threading.Event()
    if case.place is not None:
        return case.place(stage), gone.wait
    script = case.script if case.idle is None else idling(case.idle, may_go, gone)
    server = stage.serve(script, tls=case.tls)
    is_https = case.tls if case.client_tls is None else case.client_tls
    origin = server.origin.partition(":")[2]
    client = stage.make_client(f"{'https' if is_https else 'http'}:{origin}", **case.settings)

    def let_idle() -> None:
        may_go.set()
        assert gone.wait(WITHIN_S)

    return Place(server, client), let_idle


def idling(idle: Handler, may_go: threading.Event, gone: threading.Event) -> Handler:
    """Answers one request, and does ``idle`` when it may."""

    def script(peer: Peer) -> None:
        assert peer.read_request() is not None
        peer.send(OK)
        may_go.wait(WITHIN_S)
        idle(peer)
        gone.set()
        if peer.socket.fileno() >= 0:
            peer.read_to_end()

    return first(script)


def check_error(case: Case, error: errors.SmswireError, outcome: Outcome) -> None:
    assert case.error is not None
    assert isinstance(error, case.error), repr(error)
    assert type(error) is case.error or case.error is errors.NetworkError, repr(error)
    assert error.sent is outcome.sent
    assert error.sent is case.sent or (case.sent is None and error.sent is not Sent.YES)
    assert case.says in str(error)
    told = "".join(traceback.format_exception(error)) + repr(error) + repr(vars(error))
    assert KEY not in told


def check_pool(client: AnyClient, case: Case) -> None:
    """No place is taken but by a connection that the next call will use, or look at."""
    stats = client.stats()
    assert (stats.open, stats.busy, stats.waiting) == (stats.idle, 0, 0)
    assert stats.dialling == 0 or case.dials_on
    if case.kept is not None:
        assert stats.idle == int(case.kept)


def check_server(case: Case, place: Place) -> None:
    """How often it saw the message: what a caller pays for."""
    if place.server is not None and case.seen is not None:
        targets = [request.split(b" ")[1] for request in place.server.requests]
        assert targets.count(b"/api/sms") == case.seen
        if case.idle is not None:
            assert place.server.accepted == 2


def check_next_call(case: Case, place: Place) -> None:
    """Over the same connection if it was kept, else over a new one, and with the answer to itself."""
    server = place.server
    assert server is not None
    accepted = server.accepted
    server.handler = answering
    response = place.client.request("GET", NEXT)
    assert (response.status, response.body) == (200, b"100")
    assert server.accepted == accepted + (0 if case.kept else 1)


def test_the_table_is_as_long_as_it_was() -> None:
    """Rows are added, and names are told apart."""
    names: list[str] = [str(case) for case in CASES]
    assert len(names) == len(set(names))
    assert len(names) >= 200
