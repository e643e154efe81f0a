"""Many calls at once: each made once, each outcome told once, and an interrupt that leaves nothing in doubt."""

from __future__ import annotations

import signal
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import Sent
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, SmsOutcome, plan
from smswire.gateway.sms import Message


class Rest(Exception):
    """What a caller's own code may raise."""


def calls(count: int, each: int = 1) -> list[Bundle]:
    """So many calls with so many recipients each."""
    return plan([Message([f"+4917{call:03}{one:03}" for one in range(each)], f"text {call}") for call in range(count)])


def accept(bundle: Bundle) -> list[SmsOutcome]:
    return [SmsOutcome(one.index, one.to, Sent.YES, 100) for one in bundle.recipients]


@given(count=st.integers(0, 12), each=st.integers(1, 3), workers=st.integers(1, 5))
def test_every_call_is_made_once_and_every_outcome_told_once(count: int, each: int, workers: int) -> None:
    """In the order of places in the result; to the caller in its own thread, with never more in flight than workers."""
    bundles = calls(count, each)
    made: list[str] = []
    told: list[SmsOutcome] = []
    in_flight = threading.Semaphore(workers)
    caller = threading.get_ident()

    def send(bundle: Bundle) -> list[SmsOutcome]:
        assert in_flight.acquire(blocking=False)
        assert threading.get_ident() != caller
        made.append(bundle.text)
        in_flight.release()
        return accept(bundle)

    def hear(outcome: SmsOutcome) -> None:
        assert threading.get_ident() == caller
        told.append(outcome)

    outcomes = Batch(bundles, send, workers, hear).run()
    assert sorted(made) == sorted(bundle.text for bundle in bundles)
    assert [outcome.to for outcome in outcomes] == [one.to for bundle in bundles for one in bundle.recipients]
    assert sorted(outcome.to for outcome in told) == sorted(outcome.to for outcome in outcomes)


def test_as_many_calls_are_in_flight_as_there_are_workers() -> None:
    """A barrier for all of them opens."""
    together = threading.Barrier(5)

    def send(bundle: Bundle) -> list[SmsOutcome]:
        together.wait(30)
        return accept(bundle)

    assert len(Batch(calls(10), send, 5).run()) == 10


def test_a_fault_of_ours_in_one_call_is_that_calls_outcome() -> None:
    """The others are made all the same, and the fault is kept as the cause."""

    def send(bundle: Bundle) -> list[SmsOutcome]:
        if bundle.text == "text 1":
            raise ZeroDivisionError("sEcReT")
        return accept(bundle)

    outcomes = Batch(calls(3), send, 2).run()
    assert [outcome.sent for outcome in outcomes] == [Sent.YES, Sent.MAYBE, Sent.YES]
    error = outcomes[1].error
    assert error is not None
    assert isinstance(error.__cause__, ZeroDivisionError)
    assert "sEcReT" not in str(error)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Rest])
def test_an_interrupt_sends_nothing_new_and_waits_for_what_is_in_flight(kind: type[BaseException]) -> None:
    """Every call that was begun is told of, the others were never made, and the exception comes out at the end."""
    stopped = threading.Event()
    begun: list[str] = []
    told: list[str] = []

    def send(bundle: Bundle) -> list[SmsOutcome]:
        begun.append(bundle.text)
        if len(begun) > 1:
            stopped.wait()
        return accept(bundle)

    def hear(outcome: SmsOutcome) -> None:
        told.append(outcome.to)
        if not stopped.is_set():
            stopped.set()
            raise kind

    bundles = calls(100)
    batch = Batch(bundles, send, 2, hear)
    with pytest.raises(kind):
        batch.run()
    assert set(told) == {bundle.recipients[0].to for bundle in bundles if bundle.text in begun}
    assert len(begun) == len(set(begun))


def test_an_interrupted_telling_is_repeated_and_no_outcome_is_lost() -> None:
    """An interrupt in the middle of the caller's own code must not hide what was sent."""
    told: list[int] = []

    def hear(outcome: SmsOutcome) -> None:
        told.append(outcome.index)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Batch(calls(1), accept, 1, hear).run()
    assert told == [0, 0]


def test_a_second_interrupt_gives_up_and_says_maybe() -> None:
    """Calls still in flight are told as MAYBE, once; what they bring later is dropped."""
    release = threading.Event()
    both_begun = threading.Barrier(2)
    told: list[SmsOutcome] = []
    interrupts = 0

    def send(bundle: Bundle) -> list[SmsOutcome]:
        both_begun.wait(30)
        if bundle.text == "text 1":
            release.wait()
        return accept(bundle)

    def hear(outcome: SmsOutcome) -> None:
        nonlocal interrupts
        if interrupts < 2:
            interrupts += 1
            raise KeyboardInterrupt
        told.append(outcome)

    with pytest.raises(KeyboardInterrupt):
        Batch(calls(2), send, 2, hear).run()
    release.set()
    assert [(outcome.index, outcome.sent) for outcome in told] == [(0, Sent.YES), (1, Sent.MAYBE)]


def test_ctrl_c_while_waiting_is_such_an_interrupt() -> None:
    """A real signal, into the wait of the caller's thread."""
    told: list[int] = []
    bundles = calls(2)
    first = bundles[0].text

    def send(bundle: Bundle) -> list[SmsOutcome]:
        if bundle.text == first:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return accept(bundle)

    with pytest.raises(KeyboardInterrupt):
        Batch(bundles, send, 1, lambda outcome: told.append(outcome.index)).run()
    assert 0 in told
