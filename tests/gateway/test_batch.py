"""What goes next, when to stop, when to give up: the batch under every order of events, without threads or loops."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle as Values
from hypothesis.stateful import RuleBasedStateMachine, consumes, invariant, precondition, rule

from smswire.errors import InvalidParameter, Sent
from smswire.gateway.batch import DONE, PULL, START, TELL, WAIT, Batch, Order
from smswire.gateway.bundle import Bundle, Planner, SmsOutcome

WORKERS = 3
AHEAD = 4
WINDOW = 5


def accept(bundle: Bundle) -> list[SmsOutcome]:
    return [SmsOutcome(one.index, one.to, Sent.YES, 100) for one in bundle.recipients]


class Stream(RuleBasedStateMachine):
    """A stream whose workers take, send and finish in any order, and whose teller does as it is told, or stops."""

    workers = Values("workers")
    calls = Values("calls")

    def __init__(self) -> None:
        super().__init__()
        self.batch = Batch(Planner(2, WINDOW), WORKERS, ahead=AHEAD, is_open=True)
        self.step = self.batch.next_step()
        self.rows = 0
        self.bad: set[int] = set()
        self.begun: set[int] = set()
        self.begun_at_stop: set[int] | None = None
        self.in_flight: set[Order] = set()
        self.told: dict[int, SmsOutcome] = {}
        self.has_ended = False
        self.has_given_up = False

    @precondition(lambda self: self.step == START)
    @rule(target=workers)
    def start(self) -> object:
        worker = self.batch.add_worker()
        self.step = self.batch.next_step()
        return worker

    @precondition(lambda self: self.step == PULL)
    @rule(kind=st.sampled_from(["same text", "own text", "bad", "end", "failure"]))
    def pull(self, kind: str) -> None:
        if kind in ("end", "failure"):
            self.has_ended = True
            if kind == "end":
                self.batch.handle_end()
            else:
                self.batch.handle_failure(OSError("gone"))
        else:
            if kind == "bad":
                self.bad.add(self.rows)
            text = {"same text": "Hi", "own text": f"Hi {self.rows}", "bad": ""}[kind]
            self.batch.handle_row({"to": f"+4917{self.rows:06}", "text": text})
            self.rows += 1
        self.step = self.batch.next_step()

    @precondition(lambda self: self.step == TELL)
    @rule(is_interrupted=st.booleans())
    def tell(self, is_interrupted: bool) -> None:
        recipient, outcome = self.batch.outcome
        assert (recipient.index, recipient.to) == (outcome.index, outcome.to)
        if not is_interrupted:
            assert outcome.index not in self.told, "told twice"
            self.told[outcome.index] = outcome
            self.batch.told()
        self.step = self.batch.next_step()

    @precondition(lambda self: self.step == WAIT)
    @rule()
    def look_again(self) -> None:
        self.step = self.batch.next_step()

    @rule(target=calls, worker=consumes(workers))
    def take(self, worker: object) -> tuple[object, Order | None]:
        order = self.batch.take()
        if order is None:
            self.batch.leave(worker)
        else:
            self.in_flight.add(order)
            self.begun |= {one.index for one in order.bundle.recipients}
        return worker, order

    @rule(target=workers, call=consumes(calls))
    def finish(self, call: tuple[object, Order | None]) -> object:
        worker, order = call
        if order is None:
            return self.batch.add_worker()  # another in its place
        self.in_flight.discard(order)
        self.batch.finish(order, accept(order.bundle))
        return worker

    @precondition(lambda self: self.begun_at_stop is None)
    @rule()
    def stop(self) -> None:
        self.batch.is_stopped = True
        self.begun_at_stop = set(self.begun)
        self.step = self.batch.next_step()

    @precondition(lambda self: self.begun_at_stop is not None)
    @rule()
    def give_up(self) -> None:
        self.batch.give_up()
        self.has_given_up = True
        self.step = self.batch.next_step()

    @invariant()
    def the_stop_is_one(self) -> None:
        assert self.begun_at_stop is None or self.begun == self.begun_at_stop

    @invariant()
    def no_more_is_read_than_the_window_and_the_calls_need(self) -> None:
        assert self.rows - len(self.told) <= WINDOW + 2 * AHEAD

    @invariant()
    def a_wait_has_an_end(self) -> None:
        if self.step == WAIT:
            assert self.in_flight or self.batch._returned or self.batch._workers
            assert not self.has_given_up

    @invariant()
    def at_the_end_all_is_told(self) -> None:
        if self.step != DONE:
            return
        if self.begun_at_stop is None:
            assert self.has_ended
            assert set(self.told) == set(range(self.rows))
        else:
            assert self.begun <= set(self.told) <= self.begun | self.bad
        for index, outcome in self.told.items():
            assert isinstance(outcome.error, InvalidParameter) == (index in self.bad)
            assert outcome.sent is (Sent.NO if index in self.bad else Sent.YES) or self.has_given_up


TestStream = Stream.TestCase


def test_a_stopped_order_that_was_not_begun_never_is() -> None:
    """The worker looks for the stop behind its own mark, and the teller for the mark behind its own stop."""
    planner = Planner()
    batch = Batch(planner, 1)
    planner.end()
    for number in range(3):
        batch._ordered.append(Order(Bundle(f"text {number}", (), [])))
    batch.is_stopped = True
    assert batch.take() is None
    assert batch.next_step() == DONE
