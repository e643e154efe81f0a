"""``sms_many`` by threads: each call made once, each outcome told once, and interrupts that leave nothing in doubt."""

from __future__ import annotations

import signal
import sys
import threading
from queue import SimpleQueue

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import Sent
from smswire.flow.retry import Outcome
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, Planner, SmsOutcome
from smswire.gateway.sms import Message
from smswire.gateway.threads import send_all

from ..net.raw import WITHIN_S
from ..net.test_interrupts_everywhere import Interrupt
from .workers import accept, join_workers

pytestmark = pytest.mark.usefixtures("no_worker_left")


class Rest(Exception):
    """What a caller's own code may raise."""


def batch_of(count: int, workers: int, each: int = 1) -> Batch:
    """So many calls with so many recipients each."""
    planner = Planner()
    for call in range(count):
        planner.add(call, Message([f"+4917{call:03}{one:03}" for one in range(each)], f"text {call}"))
    planner.end()
    return Batch(planner, workers)


@given(count=st.integers(0, 12), each=st.integers(1, 3), workers=st.integers(1, 5))
def test_every_call_is_made_once_and_every_outcome_told_once(count: int, each: int, workers: int) -> None:
    """In the order of places in the result; to the caller in its own thread, with never more in flight than workers."""
    made: list[str] = []
    told: list[SmsOutcome] = []
    in_flight = threading.Semaphore(workers)
    caller = threading.get_ident()

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        assert in_flight.acquire(blocking=False)
        assert threading.get_ident() != caller
        made.append(bundle.text)
        in_flight.release()
        return accept(bundle, outcome)

    def hear(outcome: SmsOutcome) -> None:
        assert threading.get_ident() == caller
        told.append(outcome)

    outcomes = send_all(batch_of(count, workers, each), send, hear)
    assert sorted(made) == sorted(f"text {call}" for call in range(count))
    assert [outcome.to for outcome in outcomes] == [
        f"+4917{call:03}{one:03}" for call in range(count) for one in range(each)
    ]
    assert sorted(outcome.to for outcome in told) == sorted(outcome.to for outcome in outcomes)


def test_as_many_calls_are_in_flight_as_there_are_workers() -> None:
    """A barrier for all of them opens."""
    together = threading.Barrier(5)

    def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        together.wait(WITHIN_S)
        return accept(bundle, told)

    assert len(send_all(batch_of(10, 5), send, None)) == 10


def test_a_fault_of_ours_in_one_call_is_that_calls_outcome() -> None:
    """The others are made all the same, and the fault is kept as the cause."""

    def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        if bundle.text == "text 1":
            raise ZeroDivisionError("sEcReT")
        return accept(bundle, told)

    outcomes = send_all(batch_of(3, 2), send, None)
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

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        begun.append(bundle.recipients[0].to)
        if len(begun) > 1:
            stopped.wait()
        return accept(bundle, outcome)

    def hear(outcome: SmsOutcome) -> None:
        told.append(outcome.to)
        if not stopped.is_set():
            stopped.set()
            raise kind

    with pytest.raises(kind):
        send_all(batch_of(100, 2), send, hear)
    assert set(told) == set(begun)
    assert len(begun) == len(set(begun)) < 100


def test_an_interrupted_telling_is_repeated_and_no_outcome_is_lost() -> None:
    """An interrupt in the middle of the caller's own code must not hide what was sent."""
    told: list[int] = []

    def hear(outcome: SmsOutcome) -> None:
        told.append(outcome.index)
        if len(told) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        send_all(batch_of(1, 1), accept, hear)
    assert told == [0, 0]


def test_a_second_interrupt_gives_up_and_says_maybe() -> None:
    """Calls still in flight are told as MAYBE, once; what they bring later is dropped."""
    release = threading.Event()
    both_begun = threading.Barrier(2)
    told: list[SmsOutcome] = []
    interrupts = 0

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        both_begun.wait(WITHIN_S)
        if bundle.text == "text 1":
            release.wait()
        return accept(bundle, outcome)

    def hear(outcome: SmsOutcome) -> None:
        nonlocal interrupts
        if interrupts < 2:
            interrupts += 1
            raise KeyboardInterrupt
        told.append(outcome)

    with pytest.raises(KeyboardInterrupt):
        send_all(batch_of(2, 2), send, hear)
    release.set()
    assert [(outcome.index, outcome.sent) for outcome in told] == [(0, Sent.YES), (1, Sent.MAYBE)]


class TwoInterrupts:
    """A caller whose first outcome raises ``kind``; then KeyboardInterrupt comes at the point ``number``."""

    def __init__(self, kind: type[BaseException], number: int) -> None:
        self.second = Interrupt(number)
        self.kind = kind
        self.begun: set[str] = set()
        self.told: dict[str, Sent] = {}
        self.has_raised = False
        # So that most calls are still to be made when it is raised. A Semaphore's own lock would be left held.
        self.permits: SimpleQueue[None] = SimpleQueue()
        self.permit(3)

    def permit(self, calls: int) -> None:
        for _ in range(calls):
            self.permits.put(None)

    def send(self, bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        self.begun.add(bundle.recipients[0].to)
        self.permits.get()
        return accept(bundle, told)

    def hear(self, outcome: SmsOutcome) -> None:
        self.told[outcome.to] = outcome.sent
        self.permits.put(None)
        if not self.has_raised:
            self.has_raised = True
            sys.setprofile(self.second)
            raise self.kind

    def run(self) -> None:
        batch = batch_of(30, 2)
        try:
            send_all(batch, self.send, self.hear)
        except (KeyboardInterrupt, Rest):
            sys.setprofile(None)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, Rest])
def test_a_second_interrupt_at_any_point_finds_the_sending_stopped(kind: type[BaseException]) -> None:
    """Whatever was begun was heard of when it raises, and nothing begins after."""
    number = 0
    place: str | None = ""
    while place is not None:
        run = TwoInterrupts(kind, number)
        run.run()
        begun, place = set(run.begun), run.second.place
        assert begun <= set(run.told), place
        run.permit(100)
        join_workers()
        assert run.begun == begun, place
        assert len(begun) < 30, place
        number += 1
    assert number > 20


def test_the_first_interrupt_at_any_point_does_too() -> None:
    """Also while threads are being started."""
    number = 0
    place: str | None = ""
    while place is not None:
        begun: set[str] = set()
        told: set[str] = set()

        def send(bundle: Bundle, outcome: Outcome, begun: set[str] = begun) -> list[SmsOutcome]:
            begun.add(bundle.recipients[0].to)
            return accept(bundle, outcome)

        interrupt = Interrupt(number)
        interrupt.run(lambda send=send, told=told: send_all(batch_of(4, 2), send, lambda outcome: told.add(outcome.to)))
        before, place = set(begun), interrupt.place
        join_workers()
        assert begun == before <= told, place
        number += 1
    assert number > 50


def test_ctrl_c_while_waiting_is_such_an_interrupt() -> None:
    """A real signal, into the wait of the caller's thread."""
    told: list[int] = []

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        if bundle.text == "text 0":
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return accept(bundle, outcome)

    # A shell starts what it puts into the background with the signal ignored, and so Python leaves it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            send_all(batch_of(2, 1), send, lambda outcome: told.append(outcome.index))
    finally:
        signal.signal(signal.SIGINT, before)
    assert 0 in told


def test_two_signals_at_once_are_two_interrupts() -> None:
    """SIGINT and SIGTERM are pending together: the second comes at the first place where Python looks for one."""

    class Term(BaseException):
        pass

    def term(number: int, frame: object) -> None:
        raise Term

    begun: set[str] = set()
    told: set[str] = set()
    permits = threading.Semaphore(3)
    main = threading.main_thread().ident or 0

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        begun.add(bundle.recipients[0].to)
        if bundle.text == "text 2":
            signal.pthread_kill(main, signal.SIGINT)
            signal.pthread_kill(main, signal.SIGTERM)
        permits.acquire()
        return accept(bundle, outcome)

    def hear(outcome: SmsOutcome) -> None:
        told.add(outcome.to)
        permits.release()

    before = signal.signal(signal.SIGTERM, term)
    try:
        with pytest.raises((Term, KeyboardInterrupt)):
            send_all(batch_of(40, 2), send, hear)
    finally:
        signal.signal(signal.SIGTERM, before)
    at_the_end = set(begun)
    permits.release(100)
    join_workers()
    assert begun == at_the_end <= told
