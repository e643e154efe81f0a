"""A stream by threads: an interrupt at any point, and whoever leaves early."""

from __future__ import annotations

import _thread
import gc
import os
import signal
import sys
import threading
import tracemalloc
from contextlib import suppress
from types import FrameType
from typing import Any

import pytest

from smswire.errors import Closed, Sent
from smswire.flow.retry import Outcome
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, Planner, SmsOutcome
from smswire.gateway.sms import Message
from smswire.gateway.threads import Send, SmsStream, send_all

from ..net.raw import WITHIN_S
from ..net.test_interrupts_everywhere import Interrupt
from .workers import accept, join_workers

pytestmark = pytest.mark.usefixtures("no_worker_left")


def stream_of(count: int, workers: int, send: Send) -> SmsStream:
    """A stream of so many calls with one recipient each."""
    rows = ({"to": f"+4917{n:06}", "text": f"text {n}"} for n in range(count))
    return SmsStream(Batch(Planner(1, 10), workers, ahead=2 * workers, is_open=True), send, rows)


def test_an_interrupt_of_a_stream_at_any_point_loses_no_outcome() -> None:
    """Nothing begins after it; by iterating on, all that had begun is heard of."""
    number = 0
    place: str | None = ""
    while place is not None:
        begun: list[str] = []
        told: list[str] = []

        def send(bundle: Bundle, outcome: Outcome, begun: list[str] = begun) -> list[SmsOutcome]:
            begun.append(bundle.recipients[0].to)
            return accept(bundle, outcome)

        stream = stream_of(6, 2, send)

        def take(stream: SmsStream = stream, told: list[str] = told) -> None:
            for outcome in stream:
                told.append(outcome.to)

        # At the return of __next__ Python looks for no signal, and a profiler is called all the same.
        interrupt = Interrupt(number)
        interrupt.run(take)
        place = interrupt.place
        assert stream._taker is None
        is_at_return = place is not None and place.startswith(("__next__", "told")) and " return " in place
        told += [outcome.to for outcome in stream]
        missed = set(begun) - set(told)
        assert len(missed) <= is_at_return, place
        assert len(told) == len(set(told)), place
        number += 1
    assert number > 100


@pytest.mark.parametrize("how", ["close", "drop"])
def test_a_stream_that_is_left_begins_nothing_new(how: str) -> None:
    """By ``close``, which waits, or by dropping it."""
    begun: list[str] = []

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        begun.append(bundle.recipients[0].to)
        return accept(bundle, outcome)

    stream = stream_of(1000, 2, send)
    told = [next(stream).to]
    if how == "close":
        stream.close()
        stream.close()
        at_the_end = len(begun)
        told += [outcome.to for outcome in stream]
        assert set(told) == set(begun)
    else:
        del stream
    join_workers()
    assert len(begun) <= 4 + len(told)
    assert how == "drop" or len(begun) == at_the_end


def test_after_give_up_no_call_is_waited_for() -> None:
    """Those under way are MAYBE, by iterating on, and what they come to later is dropped."""
    release = threading.Event()
    both_begun = threading.Barrier(2)

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        both_begun.wait(WITHIN_S)
        if bundle.text == "text 1":
            release.wait()
        return accept(bundle, outcome)

    stream = stream_of(2, 2, send)
    assert next(stream).index == 0
    stream.give_up()
    rest = [(outcome.index, outcome.sent) for outcome in stream]
    release.set()
    join_workers()
    assert rest == [(1, Sent.MAYBE)]
    assert list(stream) == []


def test_an_interrupt_of_close_gives_up() -> None:
    """Calls still under way are MAYBE, by iterating on."""
    release = threading.Event()
    both_begun = threading.Barrier(2)

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        both_begun.wait(WITHIN_S)
        if bundle.text == "text 1":
            release.wait()
        return accept(bundle, outcome)

    stream = stream_of(2, 2, send)
    assert next(stream).index == 0

    def at_the_wait(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "do":
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(at_the_wait)
    try:
        with pytest.raises(KeyboardInterrupt):
            stream.close()
    finally:
        sys.setprofile(None)
    assert [(outcome.index, outcome.sent) for outcome in stream] == [(1, Sent.MAYBE)]
    release.set()


class Held:
    """Calls that tell when they have begun, and end when they may."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def send(self, bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        self.begun.release()
        assert self.may_end.acquire(timeout=WITHIN_S)
        return accept(bundle, outcome)

    def wait_for(self, calls: int) -> None:
        for _ in range(calls):
            assert self.begun.acquire(timeout=WITHIN_S)


def taken_by_a_thread(held: Held, told: list[SmsOutcome]) -> tuple[SmsStream, threading.Thread]:
    """A stream with two calls under way, and the thread that waits for what they come to."""
    stream = stream_of(20, 2, held.send)
    taker = threading.Thread(target=lambda: told.extend(stream))
    taker.start()
    held.wait_for(2)
    return stream, taker


def ended(thread: threading.Thread) -> bool:
    thread.join(WITHIN_S)
    return not thread.is_alive()


def test_a_second_thread_is_refused_while_one_takes() -> None:
    """Each of the two would wait for what the other has taken; it may only stop the sending, which close does first."""
    held = Held()
    told: list[SmsOutcome] = []
    stream, taker = taken_by_a_thread(held, told)
    for act in (lambda: next(stream), stream.close):
        with pytest.raises(RuntimeError, match="another thread is taking"):
            act()
    held.may_end.release(20)
    assert ended(taker)
    assert len(told) == 2
    assert list(stream) == []  # now it is this thread's turn
    stream.close()


def test_a_block_left_while_another_thread_takes_stops_and_hides_no_error() -> None:
    """What ended the block is what is raised."""
    held = Held()
    told: list[SmsOutcome] = []
    stream, taker = taken_by_a_thread(held, told)
    with pytest.raises(LookupError), stream:
        raise LookupError
    held.may_end.release(20)
    assert ended(taker)
    assert len(told) == 2


def test_a_second_thread_that_closes_is_refused_too() -> None:
    """The first has its place until the calls under way have ended."""
    held = Held()
    stream = stream_of(20, 2, held.send)
    held.may_end.release()
    assert next(stream).sent is Sent.YES
    held.wait_for(2)
    closer = threading.Thread(target=stream.close)
    closer.start()
    while stream._taker is None:
        assert closer.is_alive()
    with pytest.raises(RuntimeError, match="another thread is taking"):
        stream.close()
    held.may_end.release(20)
    assert ended(closer)
    stream.close()


def test_who_waits_is_woken_when_another_thread_gives_up() -> None:
    """Not when a call ends: that may be at its deadline."""
    held = Held()
    told: list[SmsOutcome] = []
    stream, taker = taken_by_a_thread(held, told)
    stream.give_up()
    assert ended(taker)
    assert [outcome.sent for outcome in told] == [Sent.MAYBE] * 2
    held.may_end.release(20)


def test_a_stream_is_its_processes() -> None:
    """A child has neither its threads nor its calls: it is told so at once, and may leave it."""
    held = Held()
    stream = stream_of(5, 2, held.send)
    taker = threading.Thread(target=lambda: next(stream))
    taker.start()
    held.wait_for(2)
    child = os.fork()
    if not child:
        try:
            signal.alarm(int(WITHIN_S))
            with suppress(Closed):
                next(stream)
                os._exit(1)
            stream.close()
            os._exit(0)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    held.may_end.release(20)
    assert ended(taker)
    assert len(list(stream)) == 4


def test_a_stream_keeps_every_connection_busy() -> None:
    """Calls end five at a time, and never fewer are under way, though the caller takes one outcome after another."""
    together = threading.Barrier(5)

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        together.wait(WITHIN_S)
        return accept(bundle, outcome)

    assert [outcome.sent for outcome in stream_of(100, 5, send)] == [Sent.YES] * 100


@pytest.mark.parametrize("threads", [0, 1, 2])
def test_as_many_threads_as_can_be_had_send_all(monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """The operating system refuses more; with none at all that is said, and nothing was sent."""
    started: list[object] = []
    start = _thread.start_new_thread

    def start_some(*arguments: Any) -> int:
        if len(started) == threads:
            raise RuntimeError("can't start new thread")
        started.append(arguments)
        return start(*arguments)

    monkeypatch.setattr(_thread, "start_new_thread", start_some)
    begun: list[str] = []

    def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
        begun.append(bundle.text)
        return accept(bundle, outcome)

    rows = [Message(f"+4917{n:06}", f"text {n}") for n in range(20)]
    planner = Planner(1)
    for index, row in enumerate(rows):
        planner.add(index, row)
    planner.end()
    if threads:
        assert len(send_all(Batch(planner, 5), send, None)) == len(begun) == 20
    else:
        with pytest.raises(RuntimeError, match="thread"):
            send_all(Batch(planner, 5), send, None)
        assert begun == []


def test_the_memory_of_a_stream_does_not_grow_with_the_input() -> None:
    """Ten times the rows, and the same peak."""

    def peak(count: int) -> int:
        gc.collect()
        stream = stream_of(count, 5, accept)
        tracemalloc.start()
        for _ in stream:
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert stream._threads._news.qsize() <= 5
        return found

    peak(500)
    assert peak(10_000) < 1.5 * peak(1_000)
