"""The asyncio twin's own tasks ended by somebody else, as a shutdown that cancels ``all_tasks()`` does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from smswire import AsyncGateway, Message, Outcome, Pacer, SmsOutcome
from smswire.errors import Sent
from smswire.gateway.bundle import Bundle

from ..net.raw import WITHIN_S
from .conftest import KEY, Run, Scripted
from .test_tasks import Log, batch_of, rows, send_all, stream_of
from .workers import accept


def end_others(*mine: asyncio.Task[Any]) -> bool:
    """Cancels every task but this one and these; whether there was one."""
    others = asyncio.all_tasks() - {asyncio.current_task(), *mine}
    for task in others:
        task.cancel()
    return bool(others)


def test_sms_many_whose_tasks_are_ended_at_any_turn_is_cancelled(run: Run) -> None:
    """All that was begun is told; before their first step, too. It never returns as if that had been all."""

    async def ended_after(turns: int) -> bool:
        log = Log()
        told: list[SmsOutcome] = []
        task = asyncio.ensure_future(send_all(batch_of(9, 3), log.send, told.append))
        for _ in range(turns):
            await asyncio.sleep(0)
        has_ended = not end_others(task)
        if has_ended:
            assert len(await task) == 9
        else:
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, WITHIN_S)
            begun = len(log.begun)
            assert begun < 9 or any(not outcome.accepted for outcome in told)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        log.check(told)
        return has_ended

    async def at_every_turn() -> int:
        turns = 1
        while not await ended_after(turns):
            turns += 1
        return turns

    assert run(at_every_turn()) > 6


@pytest.mark.parametrize("is_async", [True, False])
def test_a_stream_whose_tasks_are_ended_at_any_turn_is_cancelled_once(run: Run, is_async: bool) -> None:
    """Then it gives what became of all it began, and ends."""

    async def ended_after(turns: int) -> bool:
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
        was_ended = end_others(task)
        try:
            await asyncio.wait_for(task, WITHIN_S)
        except asyncio.CancelledError:
            assert was_ended
            assert asyncio.all_tasks() == {asyncio.current_task()}
            before = set(log.begun)
            await take()
            assert set(log.begun) == before
        else:
            assert len(told) == 9
        log.check(told)
        return has_ended

    async def at_every_turn() -> int:
        turns = 1
        while not await ended_after(turns):
            turns += 1
        return turns

    assert run(at_every_turn()) > 8


@pytest.mark.parametrize("way", ["sms_many", "sms_stream"])
def test_a_call_that_was_ended_by_somebody_else_is_told_by_what_had_left(
    run: Run, scripted: Callable[..., Scripted], way: str
) -> None:
    """The gateway has one request and says nothing: MAYBE; of the others nothing had left, and none is told."""
    server = scripted(None)
    given = [Message("+491716992343", f"text {number}") for number in range(3)]
    told: list[SmsOutcome] = []

    async def send() -> None:
        async with AsyncGateway(KEY, base_url=server.url, pacer=Pacer(), max_connections=1) as gateway:
            stream = gateway.sms_stream(given, look_ahead=1)

            async def take() -> None:
                told.extend([outcome async for outcome in stream])

            task = asyncio.ensure_future(
                gateway.sms_many(given, on_outcome=told.append) if way == "sms_many" else take()
            )
            while not server.requests:
                await asyncio.sleep(0)
            assert end_others(task)
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(task, WITHIN_S)
            if way == "sms_stream":
                await take()

    run(send())
    assert [(outcome.index, outcome.sent) for outcome in told] == [(0, Sent.MAYBE)]
    assert len(server.requests) == 1


def test_a_call_of_which_nothing_had_left_is_told_as_no(run: Run) -> None:
    """And one that is ended by its own doing ends the batch as one that somebody else ended."""

    async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        if bundle.text == "text 0":
            return accept(bundle, told)
        raise asyncio.CancelledError

    told: list[SmsOutcome] = []
    with pytest.raises(asyncio.CancelledError):
        run(send_all(batch_of(9, 1), send, told.append))
    assert [outcome.sent for outcome in told] == [Sent.YES, Sent.NO]


def test_what_no_call_may_raise_is_raised_by_sms_many(run: Run) -> None:
    """An exception that is none of the ordinary ends the batch, and is not taken for its end."""

    class Odd(BaseException):
        pass

    async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
        raise Odd

    told: list[SmsOutcome] = []
    with pytest.raises(Odd):
        run(send_all(batch_of(9, 1), send, told.append))
    assert [outcome.sent for outcome in told] == [Sent.NO]


def test_who_stopped_a_stream_hears_of_no_other_end(run: Run) -> None:
    """It was the caller's wish; the outcome says what became of the call that somebody ended."""

    async def leave() -> list[Sent]:
        begun = asyncio.Event()

        async def send(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
            begun.set()
            await asyncio.Event().wait()
            return accept(bundle, told)

        stream = stream_of([Message("+491716992343", "Hi")], 1, send)
        task = asyncio.ensure_future(anext(stream))
        await begun.wait()
        stream.stop()
        assert end_others(task)
        return [(await task).sent, *[outcome.sent async for outcome in stream]]

    assert run(leave()) == [Sent.NO]
