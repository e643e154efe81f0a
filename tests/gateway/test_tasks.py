"""The asyncio twin's own: cancellation at any turn, asynchronous inputs, and no task left behind."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest

from smswire import Message, Outcome, SmsOutcome
from smswire.errors import Sent
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, Planner
from smswire.gateway.tasks import AsyncSmsStream, Send, send_all

from ..net.raw import WITHIN_S
from .conftest import Run
from .workers import accept


async def accept_later(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
    """Accepted, after a few turns of the loop in which it has left."""
    await asyncio.sleep(0)
    told.sent = Sent.MAYBE
    await asyncio.sleep(0)
    return accept(bundle, told)


def batch_of(count: int, workers: int) -> Batch:
    planner = Planner()
    for call in range(count):
        planner.add(call, Message(f"+4917{call:06}", f"text {call}"))
    planner.end()
    return Batch(planner, workers)


async def rows(count: int) -> AsyncIterator[dict[str, str]]:
    """An input that keeps one waiting now and then."""
    for number in range(count):
        if number % 3 == 0:
            await asyncio.sleep(0)
        yield {"to": f"+4917{number:06}", "text": f"text {number}"}


def stream_of(messages: Any, workers: int, send: Send = accept_later) -> AsyncSmsStream:
    return AsyncSmsStream(Batch(Planner(1, 10), workers, ahead=2 * workers, is_open=True), send, messages)


class Log:
    """A ``send`` that notes what was begun, and how far it got."""

    def __init__(self) -> None:
        self.begun: dict[str, Outcome] = {}

    async def send(self, bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        assert bundle.recipients[0].to not in self.begun
        self.begun[bundle.recipients[0].to] = told
        return await accept_later(bundle, told)

    def check(self, told: list[SmsOutcome]) -> None:
        """Exactly what was begun was heard of, once, and NO only where it had not left."""
        assert Counter(outcome.to for outcome in told) == Counter(list(self.begun))
        for outcome in told:
            assert outcome.sent in (Sent.YES, self.begun[outcome.to].sent)
            assert outcome.accepted == (outcome.error is None)


def test_sms_many_cancelled_at_any_turn_tells_what_became_of_all_it_began(run: Run) -> None:
    """At once: calls in flight are ended, and no task is left."""

    async def cancelled_after(turns: int) -> bool:
        log = Log()
        told: list[SmsOutcome] = []
        task = asyncio.ensure_future(send_all(batch_of(9, 3), log.send, told.append))
        for _ in range(turns):
            await asyncio.sleep(0)
        has_ended = task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            assert len(await task) == 9
        assert asyncio.all_tasks() == {asyncio.current_task()}
        log.check(told)
        return has_ended

    async def at_every_turn() -> int:
        turns = 1  # at none it would not have begun
        while not await cancelled_after(turns):
            turns += 1
        return turns

    assert run(at_every_turn()) > 8


@pytest.mark.parametrize("is_async", [True, False])
def test_a_stream_cancelled_at_any_turn_tells_what_became_of_all_it_began(run: Run, is_async: bool) -> None:
    """By iterating on, which waits for nothing; and no task is left, that reads or sends."""

    async def cancelled_after(turns: int) -> bool:
        log = Log()
        told: list[SmsOutcome] = []
        given = rows(9) if is_async else [Message(f"+4917{number:06}", f"text {number}") for number in range(9)]
        stream = stream_of(given, 3, log.send)

        async def take() -> None:
            async for outcome in stream:
                told.append(outcome)

        task = asyncio.ensure_future(take())
        for _ in range(turns):
            await asyncio.sleep(0)
        has_ended = task.done()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        before = set(log.begun)
        await take()
        assert set(log.begun) == before
        log.check(told)
        return has_ended

    async def at_every_turn() -> int:
        turns = 1  # at none it would not have begun
        while not await cancelled_after(turns):
            turns += 1
        return turns

    assert run(at_every_turn()) > 8


def test_a_cancellation_waits_for_no_call(run: Run) -> None:
    """Calls that would never end are ended, of sms_many and of a stream, in ``async for`` and in ``aclose``."""

    async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        if bundle.text != "text 0":
            told.sent = Sent.MAYBE
            await asyncio.Event().wait()
        return accept(bundle, told)

    async def cancelled(how: str) -> list[Sent]:
        told: list[SmsOutcome] = []
        stream = stream_of([Message(f"+4917{number:06}", f"text {number}") for number in range(9)], 2, send)

        async def take() -> None:
            async for outcome in stream:
                told.append(outcome)
                if how == "aclose":
                    break
            await stream.aclose()

        task = asyncio.ensure_future(send_all(batch_of(9, 2), send, told.append) if how == "sms_many" else take())
        for _ in range(20):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        told += [outcome async for outcome in stream] if how != "sms_many" else []
        return [outcome.sent for outcome in told]

    for how in ("sms_many", "async for", "aclose"):
        assert run(cancelled(how)) == [Sent.YES, Sent.MAYBE, Sent.MAYBE]


def test_an_input_of_which_every_row_breaks_a_rule_is_not_read_on_for_nobody(run: Run) -> None:
    """Their outcomes would pile up."""
    read = []

    async def given() -> AsyncIterator[dict[str, str]]:
        while True:
            read.append(1)
            yield {"to": "", "text": ""}

    async def take() -> None:
        async with stream_of(given(), 2) as stream:
            for _ in range(50):
                assert (await anext(stream)).sent is Sent.NO
            assert len(read) < 60

    run(take())


def test_a_callback_that_raises_waits_for_what_is_in_flight_and_a_cancellation_of_that_does_not(run: Run) -> None:
    """As an interrupt and a second one do with threads."""

    async def sent(is_cancelled: bool) -> list[SmsOutcome]:
        told: list[SmsOutcome] = []
        go_on = asyncio.Event()

        async def send(bundle: Bundle, outcome: Outcome) -> list[SmsOutcome]:
            if bundle.text != "text 0":
                outcome.sent = Sent.MAYBE
                await go_on.wait()
            return accept(bundle, outcome)

        def hear(outcome: SmsOutcome) -> None:
            told.append(outcome)
            raise OSError("disk full")

        task = asyncio.ensure_future(send_all(batch_of(9, 3), send, hear))
        while not told:
            await asyncio.sleep(0)
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        if is_cancelled:
            task.cancel()
        else:
            go_on.set()
        with pytest.raises(asyncio.CancelledError if is_cancelled else OSError):
            await task
        return told

    for is_cancelled, sent_as in ((False, Sent.YES), (True, Sent.MAYBE)):
        told = run(sent(is_cancelled))
        assert told[0].sent is Sent.YES
        assert len(told) > 1
        assert {outcome.sent for outcome in told[1:]} == {sent_as}
        assert len(told) < 9


@pytest.mark.parametrize("how", ["aclose", "async with", "drop", "cancelled body"])
def test_a_stream_that_is_left_begins_nothing_new(run: Run, how: str) -> None:
    """And reads no more: its input, which waits for something that never comes, is let go."""
    log = Log()
    freed: list[str] = []

    async def given() -> AsyncIterator[Message]:
        try:
            for number in range(3):
                yield Message(f"+4917{number:06}", "Hi")
            await asyncio.Event().wait()
        finally:
            freed.append("freed")

    async def leave() -> None:
        source = given()
        stream = stream_of(source, 2, log.send)
        told = [await anext(stream)]
        if how == "aclose":
            await stream.aclose()
        elif how == "async with":
            async with stream:
                pass
        elif how == "cancelled body":
            with suppress(asyncio.CancelledError):
                async with stream:
                    raise asyncio.CancelledError
        else:
            del stream
            gc.collect()
            while not freed:
                await asyncio.sleep(0)
        assert freed == ["freed"]
        if how != "drop":
            before = set(log.begun)
            told += [outcome async for outcome in stream]
            assert set(log.begun) == before
            log.check(told)
        while len(asyncio.all_tasks()) > 1:
            await asyncio.sleep(0)

    run(leave())


@pytest.mark.parametrize("sent", [Sent.NO, Sent.MAYBE])
def test_after_give_up_no_call_is_waited_for(run: Run, sent: Sent) -> None:
    """Those under way are ended, and are by iterating on what is known of them; nothing new begins."""
    begun: list[int] = []

    async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        begun.append(bundle.recipients[0].index)
        if begun[-1]:
            told.sent = sent
            await asyncio.Event().wait()
        return accept(bundle, told)

    async def leave() -> None:
        given = [Message(f"+4917{number:06}", "Hi") for number in range(100)]
        stream = AsyncSmsStream(Batch(Planner(1, 1), 2, ahead=4, is_open=True), send, given)
        assert (await anext(stream)).index == 0
        while len(begun) < 3:
            await asyncio.sleep(0)
        stream.give_up()
        assert {(outcome.index, outcome.sent) async for outcome in stream} == {(1, sent), (2, sent)}

    run(leave())
    assert begun == [0, 1, 2]


def test_outcomes_come_while_an_input_keeps_one_waiting(run: Run) -> None:
    """The next row depends on the outcome of the one before."""
    heard = asyncio.Event()

    async def given() -> AsyncIterator[Message]:
        for number in range(5):
            yield Message(f"+4917{number:06}", "Hi")
            await heard.wait()
            heard.clear()

    async def take() -> list[int]:
        told = []
        async for outcome in stream_of(given(), 2):
            told.append(outcome.index)
            heard.set()
        return told

    assert run(take()) == list(range(5))


def test_an_asynchronous_input_that_raises_is_heard_after_its_outcomes(run: Run) -> None:
    """As any other."""

    async def given() -> AsyncIterator[Message]:
        async for row in rows(20):
            yield Message(**row)
        raise OSError("the line is gone")

    told: list[int] = []

    async def take() -> None:
        async for outcome in stream_of(given(), 2):
            told.append(outcome.index)

    with pytest.raises(OSError, match="the line is gone"):
        run(take())
    assert sorted(told) == list(range(20))


def test_a_stream_keeps_every_connection_busy(run: Run) -> None:
    """Calls end five at a time, and never fewer are under way, though the caller takes one outcome after another."""

    async def take() -> list[Sent]:
        together = 0
        five = asyncio.Event()

        async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
            nonlocal together, five
            together += 1
            mine = five
            if together == 5:
                together, five = 0, asyncio.Event()
                mine.set()
            await asyncio.wait_for(mine.wait(), WITHIN_S)
            return accept(bundle, told)

        return [outcome.sent async for outcome in stream_of(rows(100), 5, send)]

    assert run(take()) == [Sent.YES] * 100


def test_the_memory_of_a_stream_does_not_grow_with_the_input() -> None:
    """Ten times the rows, and the same peak."""

    async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        return accept(bundle, told)

    async def consume(count: int) -> None:
        async for _ in stream_of(rows(count), 5, send):
            pass

    def peak(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        asyncio.run(consume(count))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(500)
    assert peak(10_000) < 1.5 * peak(1_000)
