"""A connection between two owners: what an unused one keeps, what a dead one costs, and interrupts on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from smswire.errors import Sent
from smswire.flow.connection import Connection
from smswire.flow.dispatch import CLOSE, DIAL, DONE, PROBE, WAIT
from smswire.flow.pool import Pool, Waiter

from .calls import DEADLINE, OK, Call, to_dial, to_grant, to_lookup, to_read
from .kit import A, Bell, connection_of, joined, ledger, new_pool


def idle_since(pool: Pool, now: float, *, used: bool) -> Connection:
    """An idle connection, which has carried a request if it was ``used``."""
    connection = connection_of(pool, now)
    if used:
        connection.begin_request()
    pool.give(connection, now)
    return connection


# What an unused connection keeps


@pytest.mark.parametrize("used", [False, True])
def test_a_connection_given_back_unused_does_not_gain_idle_time(used):
    """The server's clock has run since the last answer; a request 2.5 s after it might cross the server's close."""
    pool = new_pool(idle_timeout=2.5)
    connection = idle_since(pool, DEADLINE - 2.0, used=used)
    call = Call(pool, now=DEADLINE - 0.1)
    assert call.step == PROBE
    assert call.would_block(DEADLINE) == DONE
    assert pool.stats().idle == 1
    assert not connection.is_past(DEADLINE + 0.499)
    assert connection.is_past(DEADLINE + 0.5)


def test_a_request_starts_the_idle_time_anew():
    """It is counted from the answer, and while a request is under way it does not run."""
    pool = new_pool(idle_timeout=2.5)
    connection = idle_since(pool, 0.0, used=True)
    call = Call(pool, now=2.0)
    call.send(2.0)
    assert not connection.is_past(20.0)
    assert call.receive(OK, 20.0) == DONE
    assert not connection.is_past(22.4)
    assert connection.is_past(22.5)


# What a dead connection costs


def test_a_connection_that_died_idle_is_no_attempt_though_it_was_never_used():
    """Dialled for a call that left, it is as stale as any other after a restart of the gateway."""
    pool = new_pool()
    for _ in range(3):
        connection_of(pool)
    for connection in sorted(pool._busy, key=id):
        pool.give(connection, 0.0)
    call = Call(pool)
    for _ in range(3):
        assert call.step == PROBE
        assert call.receive(b"", 0.1) == CLOSE
        call.closed(0.1)
    assert call.step == DIAL
    assert call.outcome.attempts == 0


# Errors told to several


def test_an_error_told_to_several_calls_is_an_object_of_each_ones_own():
    """Each adds how it stood and is raised with a traceback of its own."""
    pool = new_pool(max_connections=1)
    connection_of(pool)
    calls = [Call(pool) for _ in range(3)]
    pool.close()
    assert [call.next(0.0) for call in calls] == [DONE] * 3
    errors = [call.dispatch.error for call in calls]
    assert len({id(error) for error in errors}) == 3
    first, *others = errors
    assert first is not None
    first.host = "127.0.0.1:1"
    with pytest.raises(type(first)):
        raise first
    for error in others:
        assert error is not None
        assert (error.host, error.__traceback__, str(error)) == (None, None, first.message)


# Interrupts

WHENS = pytest.mark.parametrize("when", ["call", "return"])
SPENT = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def interrupt(method: Callable[..., object], when: str, run: Callable[[], object]) -> None:
    """An interrupt as a method of the pool begins (at its lock), or when it has done its work and nobody knows yet."""

    def watch(frame: FrameType, event: str, value: object) -> None:
        if event == when and frame.f_code is method.__code__:
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(watch)
    try:
        with pytest.raises(KeyboardInterrupt):
            run()
    finally:
        sys.setprofile(None)


def give_up(call: Call, now: float = 0.0) -> None:
    call.step = call.dispatch.abandon(now)
    call.finish(now)


@WHENS
def test_an_interrupt_as_a_call_joins_the_queue_leaves_no_waiter_behind(when):
    """Else the next connection would be granted to a call that is gone, and its place be lost for good."""
    pool = new_pool(max_connections=1)
    connection = connection_of(pool)
    call = to_backoff_of(pool)
    interrupt(Pool.join, when, lambda: call.next(call.dispatch.wait_until))
    give_up(call)
    assert pool.stats().waiting == 0
    pool.give(connection, 0.0)
    assert pool.stats().idle == 1


def to_backoff_of(pool: Pool) -> Call:
    """A call about to ask a full pool again, which by then has a free place in its queue."""
    pool.max_waiters = 1
    waiter, _ = joined(pool)
    call = Call(pool)
    assert call.step == WAIT
    pool.leave(waiter, 0.0)
    return call


def test_an_interrupt_as_a_call_joins_and_is_served_loses_no_connection():
    """``join`` looks at the idle stack again: what it finds is the waiter's, and goes back with it."""
    pool = new_pool(max_connections=1)
    connection = connection_of(pool)
    waiter = Waiter(Bell().wake)
    pool.give(connection, 0.0)
    interrupt(Pool.join, "return", lambda: pool.join(waiter, 0.0))
    assert pool.leave(waiter, 0.0) is None
    assert (pool.stats().idle, pool.stats().busy) == (1, 0)


@WHENS
def test_an_interrupt_as_a_call_leaves_the_queue_passes_its_connection_on(when):
    """Leaving twice is leaving once."""
    call = to_grant()
    interrupt(Pool.leave, when, lambda: call.dispatch.abandon(0.0))
    give_up(call)
    assert (call.pool.stats().idle, call.pool.stats().busy, call.pool.stats().waiting) == (1, 0, 0)


@WHENS
def test_an_interrupt_as_a_call_leaves_a_closed_pool_closes_its_connection(when):
    """There is nobody to pass it on to."""
    call = to_grant()
    call.pool.close()
    interrupt(Pool.leave, when, lambda: call.dispatch.abandon(0.0))
    give_up(call)
    assert call.pool.is_at_rest


@WHENS
def test_an_interrupt_as_a_dial_begins_loses_no_place(when):
    """The opening is state in the waiter before the call has it in hand."""
    call = to_lookup()
    assert call.dispatch.lookup is not None
    call.pool.looked_up(call.dispatch.lookup, [A], 0.0)
    interrupt(Pool.dial, when, lambda: call.next(0.0))
    assert call.pool.stats().dialling == (when == "return")
    give_up(call)
    assert call.pool.is_at_rest
    assert ledger(call.pool).stats(0.0).unsettled == 0


@WHENS
def test_an_interrupt_as_a_dial_is_done_loses_no_place(when):
    """The connection is the pool's or not yet: either way the call closes it, and nothing is left."""
    call = to_dial()
    interrupt(Pool.opened, when, lambda: call.dial(0.0))
    give_up(call)
    assert call.outcome.sent is Sent.NO
    assert call.pool.is_at_rest
    assert ledger(call.pool).stats(0.0).unsettled == 0


@WHENS
def test_an_interrupt_as_a_dial_fails_loses_no_place(when):
    """Failing twice is failing once."""
    call = to_dial()
    interrupt(Pool.failed, when, lambda: give_up(call))
    give_up(call)
    assert call.pool.is_at_rest
    assert ledger(call.pool).stats(0.0).unsettled == 0


@WHENS
def test_an_interrupt_as_a_connection_is_given_back_ends_the_call_with_its_answer(when):
    """The connection is closed if it is still in hand, and left alone if it is somebody else's already."""
    call = to_read()
    connection = call.connection
    interrupt(Pool.give, when, lambda: call.receive(OK, 0.0))
    if when == "return":
        assert Call(call.pool).connection is connection
    give_up(call)
    assert (call.outcome.sent, call.outcome.status) == (Sent.YES, 200)
    assert call.dispatch.error is None
    stats = call.pool.stats()
    assert (stats.idle, stats.busy, stats.retired) == ((0, 0, 1) if when == "call" else (0, 1, 0))


@WHENS
@pytest.mark.parametrize("answer", [SPENT, b""])
def test_an_interrupt_as_a_connection_is_dropped_counts_it_once(when, answer):
    """The end of a close may be reported twice."""
    call = to_read()
    assert call.receive(answer, 0.0) == CLOSE
    interrupt(Pool.drop, when, lambda: call.closed(0.0))
    give_up(call)
    assert call.outcome.sent is (Sent.YES if answer else Sent.MAYBE)
    stats = call.pool.stats()
    assert (stats.open, stats.retired, stats.dead) == ((0, 1, 0) if answer else (0, 0, 1))
    assert ledger(call.pool).stats(0.0).unsettled == 0
