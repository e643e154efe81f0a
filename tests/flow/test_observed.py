"""What an observed pool and call note, in virtual time: when, in which order, and never twice."""

from __future__ import annotations

import math
from typing import Any

from smswire.events import (
    CallEnded,
    ConnectionDied,
    ConnectionOpened,
    ConnectionRetired,
    DialFailed,
    Event,
    OpeningAbandoned,
    OpeningStarted,
    Reason,
)
from smswire.flow import dialing
from smswire.flow.dispatch import CLOSE, DIAL, DONE, PROBE, READ, WRITE
from smswire.flow.observed import Observer, observed
from smswire.flow.observed_dispatch import ObservedDispatch
from smswire.flow.pool import Pool
from smswire.flow.retry import Outcome
from smswire.wire.channel import Channel
from smswire.wire.message import Request

from .calls import OK
from .kit import HOST, A, B, Bell, Ledger, closed_to_the_end, connection_of, racing


class Book:
    """What was noted, and how much of it each telling found new."""

    def __init__(self) -> None:
        self.noted: list[Event] = []
        self.told = 0
        self.tellings: list[list[Event]] = []
        self.now = 0.0
        self.observer = Observer(self.noted.append, self.tell, lambda: self.now)

    def tell(self) -> None:
        new, self.told = self.noted[self.told :], len(self.noted)
        if new:
            self.tellings.append(new)

    def pool(self, *addresses: dialing.Address, **options: Any) -> Pool:
        pool = observed(Pool, self.observer)(Ledger(spacing=0.0), lambda: Channel(HOST), lambda: 0.5, **options)
        pool.addresses.replace(addresses or (A,), math.inf)
        return pool

    def call(self, pool: Pool) -> ObservedDispatch:
        request = Request("POST", "/api/sms?p=secret", [], b"to=49171")
        return ObservedDispatch(
            pool, request, deadline=30.0, signal=Bell(), draw=lambda: 0.5, outcome=Outcome()
        )  # fmt: skip


def kinds(noted: list[Event]) -> list[str]:
    return [type(event).__name__ for event in noted]


def test_each_step_is_told_behind_it() -> None:
    """In pieces as long as the steps, and whole; that it begins, before it has a place in the queue."""
    book = Book()
    call = book.call(book.pool())
    assert call.start(1.0) == DIAL
    opening = call.opening
    assert opening is not None
    assert opening.next_step(1.0) == dialing.CONNECT
    opening.handle_connected(A, 1.5)
    assert opening.next_step(1.5) == dialing.OPENED
    assert opening.connection is not None
    assert call.handle_opened(opening.connection, 2.0) == PROBE
    assert call.handle_would_block(2.0) == WRITE
    size = len(call.bytes_to_send())
    assert call.handle_sent(10, 2.5) == WRITE
    assert call.handle_sent(size - 10, 3.0) == READ
    assert call.handle_data(OK, 4.0) == DONE
    assert [kinds(telling) for telling in book.tellings] == [
        ["CallStarted"],
        ["OpeningStarted", "ConnectionOpened", "Waited"],
        ["RequestSent"],
        ["OpeningSettled", "Answered", "CallEnded"],
    ]
    assert [event.at for event in book.noted] == [1.0, 1.0, 2.0, 2.0, 3.0, 4.0, 4.0, 4.0]
    seconds = [event.seconds for event in book.noted if hasattr(event, "seconds")]
    assert seconds == [1.0, 1.0, 3.0, 2.0, 3.0]
    end = book.noted[-1]
    assert isinstance(end, CallEnded)
    assert (end.call, end.call_id) == ("POST /api/sms", 1)


def test_the_loser_of_a_race_is_abandoned_by_its_number() -> None:
    """Two addresses, two numbers; the winner keeps its own."""
    book = Book()
    call = book.call(book.pool(A, B))
    assert call.start(0.0) == DIAL
    opening = call.opening
    assert opening is not None
    now = racing(opening, 0.0, 2)
    opening.handle_connected(B, now)
    closed_to_the_end(opening, now)
    assert opening.connection is not None
    call.handle_opened(opening.connection, now)
    started = {e.connection_id: e.address for e in book.noted if isinstance(e, OpeningStarted)}
    assert started == {1: str(A), 2: str(B)}
    assert [e.connection_id for e in book.noted if isinstance(e, OpeningAbandoned)] == [1]
    assert [e.connection_id for e in book.noted if isinstance(e, ConnectionOpened)] == [2]


def test_a_connection_that_its_call_gave_up_before_it_had_it() -> None:
    """An interrupt right behind the pool's method: it retires, once, and no dial is said to have failed."""
    book = Book()
    pool = book.pool()
    call = book.call(pool)
    call.start(0.0)
    opening = call.opening
    assert opening is not None
    opening.next_step(0.0)
    opening.handle_connected(A, 0.0)
    opening.next_step(0.0)
    call.connection = opening.connection
    assert call.connection is not None
    pool.opened(opening, call.connection, 0.0)
    assert call.abandon(0.0) == DIAL
    assert closed_to_the_end(opening, 0.0)[1] == dialing.FAILED
    assert call.handle_not_opened(0.0) == DONE
    (retired,) = [event for event in book.noted if isinstance(event, ConnectionRetired)]
    assert retired.reason is Reason.GIVEN_UP
    assert not any(isinstance(event, DialFailed) for event in book.noted)
    assert kinds(book.noted)[-1] == "CallEnded"


def test_an_end_is_noted_once() -> None:
    """``settle`` and ``drop`` may be said twice, and ``abandon`` at the end."""
    book = Book()
    pool = book.pool()
    connection = connection_of(pool)
    assert connection.grant is not None
    for _ in range(2):
        pool.settle(connection.grant, connection.address, 1.0)
    for _ in range(2):
        pool.drop(connection, 1.0, dead=True)
    assert kinds(book.noted) == ["OpeningStarted", "ConnectionOpened", "OpeningSettled", "ConnectionDied"]
    assert isinstance(book.noted[-1], ConnectionDied)
    assert book.noted[-1].error == "the call was given up"
    call = book.call(pool)
    call.start(2.0)
    opening = call.opening
    assert opening is not None
    call.abandon(2.0)
    closed_to_the_end(opening, 2.0)
    assert call.handle_not_opened(2.0) == DONE
    assert call.abandon(3.0) == DONE
    assert kinds(book.noted).count("CallEnded") == 1


def test_a_call_that_was_not_started_has_no_end() -> None:
    """It was interrupted before anything could be told of it."""
    book = Book()
    assert book.call(book.pool()).abandon(0.0) == DONE
    assert book.noted == []


def test_what_the_probe_finds_is_the_servers_end() -> None:
    """And no attempt of the call, which takes another."""
    book = Book()
    pool = book.pool()
    connection = connection_of(pool)
    pool.give(connection, 0.0)
    call = book.call(pool)
    assert call.start(0.5) == PROBE
    assert call.handle_end(0.5) == CLOSE
    call.handle_closed(0.5)
    (retired,) = [event for event in book.noted if isinstance(event, ConnectionRetired)]
    assert (retired.reason, retired.requests, retired.seconds) == (Reason.ENDED_WHILE_IDLE, 0, 0.5)
