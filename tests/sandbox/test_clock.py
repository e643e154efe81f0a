"""Alarms ring when they are due, and not before."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.clock import Alarm, ManualClock, Timers

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 3), st.integers(0, 20)),
        st.tuples(st.just("clear"), st.integers(0, 3), st.just(0)),
        st.tuples(st.just("advance"), st.just(0), st.integers(0, 10)),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


@given(steps=STEPS)
def test_an_alarm_rings_once_at_the_last_time_it_was_set_to(
    loop: asyncio.AbstractEventLoop, steps: list[tuple[str, int, int]]
) -> None:
    """Against a model that looks at every alarm at every step."""
    clock = ManualClock()
    timers = Timers(clock, loop)
    rung: list[int] = []
    alarms = [Alarm(functools.partial(rung.append, number)) for number in range(4)]
    due: dict[int, float] = {}
    for step, number, amount in steps:
        if step == "set":
            due[number] = clock() + amount
            timers.set(alarms[number], due[number])
        elif step == "clear":
            due.pop(number, None)
            timers.clear(alarms[number])
        else:
            clock.advance(amount)
            timers.ring_due()
            expected = sorted(number for number, time in due.items() if time <= clock())
            assert sorted(rung) == expected
            for number in expected:
                del due[number]
            rung.clear()


def test_with_a_real_clock_the_event_loop_wakes_the_alarms(loop: asyncio.AbstractEventLoop) -> None:
    """Nobody has to ask; the nearer alarm rings first, whatever the order they were set in."""
    rung: list[str] = []
    timers = Timers(loop.time, loop)

    def end() -> None:
        rung.append("last")
        loop.stop()

    last = Alarm(end)
    first = Alarm(lambda: rung.append("first"))
    timers.set(last, loop.time() + 0.02)
    timers.set(first, loop.time() + 0.01)
    loop.run_forever()
    assert rung == ["first", "last"]


def test_an_alarm_that_fails_keeps_no_other_from_ringing(loop: asyncio.AbstractEventLoop) -> None:
    """Neither one due at the same time nor a later one; the loop hears of the failure."""
    faults: list[object] = []
    rung: list[str] = []
    timers = Timers(loop.time, loop)
    loop.set_exception_handler(lambda loop, context: faults.append(context["exception"]))
    failure = RuntimeError("one alarm failed")

    def fail() -> None:
        raise failure

    def end() -> None:
        rung.append("later")
        loop.stop()

    due = loop.time()
    alarms = [Alarm(fail), Alarm(lambda: rung.append("at the same time")), Alarm(end)]
    for alarm, time in zip(alarms, (due, due, due + 0.01), strict=True):
        timers.set(alarm, time)
    given_up = loop.call_later(30.0, loop.stop)
    loop.run_forever()
    given_up.cancel()
    loop.set_exception_handler(None)
    assert rung == ["at the same time", "later"]
    assert faults == [failure]


def test_closed_timers_ring_nothing(loop: asyncio.AbstractEventLoop) -> None:
    """What was set is forgotten."""
    clock = ManualClock()
    timers = Timers(clock, loop)
    rung: list[int] = []
    timers.set(Alarm(lambda: rung.append(1)), 1.0)
    timers.close()
    clock.advance(2.0)
    timers.ring_due()
    assert rung == []


def test_a_clock_does_not_run_backwards() -> None:
    """Nor by something that is no number."""
    for seconds in (-0.1, float("nan")):
        with pytest.raises(ValueError, match="forward"):
            ManualClock().advance(seconds)
