"""What ``sms_many`` and ``sms_stream`` take as input, what an input may raise, and that it is let go at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from smswire import AsyncGateway, Message, Pacer, SmsOutcome
from smswire.errors import InvalidParameter, Sent
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, Planner
from smswire.gateway.tasks import AsyncSmsStream
from smswire.sandbox import Sandbox

from ..net.raw import WITHIN_S
from .conftest import KEY, Run
from .runtimes import AnyGateway, InLoopGateway
from .test_client import TO
from .test_tasks import Log, stream_of

ROWS = 5


async def hear(stream: AsyncSmsStream, told: list[SmsOutcome]) -> None:
    """Takes all that comes, also if something else comes after it."""
    async for outcome in stream:
        told.append(outcome)


def row(number: int) -> dict[str, str]:
    return {"to": f"+4917{number:08}", "text": f"text {number}"}


class Next:
    """The least that an iterator can be."""

    def __init__(self) -> None:
        self.read = 0

    def __next__(self) -> dict[str, str]:
        if self.read == ROWS:
            raise StopIteration
        self.read += 1
        return row(self.read)


class Iterable:
    def __iter__(self) -> Any:
        return Next()


class AsyncNext:
    def __init__(self) -> None:
        self._rows = Next()

    async def __anext__(self) -> dict[str, str]:
        try:
            return next(self._rows)
        except StopIteration:
            raise StopAsyncIteration from None


class AsyncIterable:
    def __aiter__(self) -> Any:
        return AsyncNext()


class Both(Iterable, AsyncIterable):
    pass


class BySubscript:
    def __getitem__(self, number: int) -> dict[str, str]:
        if number == ROWS:
            raise IndexError
        return row(number)


@pytest.mark.parametrize("kind", [Iterable, AsyncIterable, Both, Next, AsyncNext, BySubscript])
def test_both_ways_take_the_same_inputs(sandbox: Sandbox, gateway: AnyGateway, kind: type) -> None:
    """An iterable is what ``iter`` says it is and no less; in asyncio an asynchronous one by ``aiter``, too."""
    sandbox.reset()
    good = {Iterable, Both, AsyncIterable} if isinstance(gateway, InLoopGateway) else {Iterable, Both}
    for send in (gateway.sms_many, gateway.sms_stream):
        if kind in good:
            assert sorted(outcome.index for outcome in send(kind())) == list(range(ROWS))
        else:
            with pytest.raises(InvalidParameter, match="messages: "):
                send(kind())
    assert len(sandbox.messages()) == (2 * ROWS if kind in good else 0)


def test_the_first_row_that_breaks_a_rule_ends_the_reading(sandbox: Sandbox, gateway: AnyGateway) -> None:
    """Of many, by both twins: it is refused as it is read, and what would come after it is not asked for."""
    sandbox.reset()
    read: list[int] = []

    def given() -> Iterator[dict[str, str]]:
        for number in range(ROWS):
            read.append(number)
            yield row(number) if number != 2 else {}

    with pytest.raises(InvalidParameter, match="message 2: "):
        gateway.sms_many(given())
    assert read == [0, 1, 2]

    async def given_later() -> AsyncIterator[dict[str, str]]:
        for one in given():
            yield one

    if isinstance(gateway, InLoopGateway):
        read.clear()
        with pytest.raises(InvalidParameter, match="message 2: "):
            gateway.sms_many(given_later())
        assert read == [0, 1, 2]
    assert sandbox.messages() == []


# ---- what an input raises


class Cancelled:
    """An input that awaits something which is cancelled elsewhere, again and again."""

    def __init__(self) -> None:
        self.read = 0

    def __aiter__(self) -> Cancelled:
        return self

    async def __anext__(self) -> dict[str, str]:
        self.read += 1
        assert self.read <= ROWS + 1, "asked again"
        if self.read > ROWS:
            dead = asyncio.get_running_loop().create_future()
            dead.cancel()
            await dead
        return row(self.read)


async def cancelled_generator() -> AsyncIterator[dict[str, str]]:
    async for one in Cancelled():
        yield one


def cancelled_in_step() -> Iterator[dict[str, str]]:
    yield from map(row, range(ROWS))
    raise asyncio.CancelledError


@pytest.mark.parametrize("given", [Cancelled, cancelled_generator, cancelled_in_step])
def test_a_cancellation_that_comes_out_of_an_input_is_raised_like_anything_else_of_it(
    run: Run, sandbox: Sandbox, given: Callable[[], Any]
) -> None:
    """By a stream after the outcomes of what came before it; of many nothing is sent."""
    sandbox.reset()
    told: list[SmsOutcome] = []

    async def take() -> None:
        async with AsyncGateway(KEY, base_url=sandbox.url, pacer=Pacer()) as gateway:
            with pytest.raises(asyncio.CancelledError):
                await gateway.sms_many(given())
            assert sandbox.messages() == []
            stream = gateway.sms_stream(given())
            with pytest.raises(asyncio.CancelledError):
                await hear(stream, told)
            assert [outcome async for outcome in stream] == []

    run(take())
    assert [outcome.accepted for outcome in told] == [True] * ROWS
    assert len(sandbox.messages()) == ROWS


# ---- that it is let go


class Source:
    """An asynchronous generator that keeps one waiting, or not, or does not let itself be cancelled."""

    def __init__(self, kind: str) -> None:
        self.closed = 0
        self.waits = asyncio.Event()
        self.rows = self._rows(kind)

    async def _rows(self, kind: str) -> AsyncIterator[Any]:
        try:
            for number in range(100):
                if number == 3 and kind != "ready":
                    self.waits.set()
                    try:
                        await asyncio.Event().wait()
                    except asyncio.CancelledError:
                        if kind != "stubborn":
                            raise
                yield row(number)
        finally:
            await asyncio.sleep(0)
            self.closed += 1

    def check(self) -> None:
        assert self.closed == 1
        assert self.rows.ag_frame is None  # type: ignore[attr-defined]
        assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("kind", ["ready", "waiting", "stubborn"])
@pytest.mark.parametrize(
    "how", ["aclose", "async with", "stop", "give_up", "cancelled body", "cancelled", "aclose cut"]
)
def test_the_generator_that_a_stream_reads_is_closed_when_it_is_left(run: Run, kind: str, how: str) -> None:
    """Whatever it was doing; without a task or a finalizer left behind. After ``stop``, by iterating on."""

    async def leave() -> None:
        source = Source(kind)
        log = Log()
        stream = stream_of(source.rows, 1, log.send)
        told = [await anext(stream)]
        if kind != "ready":
            await source.waits.wait()
        if how == "aclose":
            await stream.aclose()
        elif how == "async with":
            async with stream:
                pass
        elif how == "cancelled body":
            with suppress(asyncio.CancelledError):
                async with stream:
                    raise asyncio.CancelledError
        elif how in ("stop", "give_up"):
            stream.stop() if how == "stop" else stream.give_up()
            told += [outcome async for outcome in stream]
        else:

            async def take() -> None:
                if how == "aclose cut":
                    await stream.aclose()
                else:
                    told.extend([outcome async for outcome in stream])

            task = asyncio.ensure_future(take())
            await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if how not in ("cancelled", "aclose cut"):
            source.check()
        told += [outcome async for outcome in stream]
        source.check()
        if how != "cancelled":
            log.check(told)

    run(leave())


def test_what_a_generator_raises_when_it_is_closed_is_heard_at_the_end(run: Run) -> None:
    """After the outcomes, as anything else that it raises; a cancellation is not lost for it."""

    async def given() -> AsyncIterator[Message]:
        try:
            while True:
                yield Message(TO, "Hi")
        finally:
            raise OSError("the line is gone")

    async def leave() -> None:
        for is_cancelled in (False, True):
            stream = stream_of(given(), 1)
            await anext(stream)
            if is_cancelled:
                with pytest.raises(asyncio.CancelledError):
                    async with stream:
                        raise asyncio.CancelledError
            else:
                await stream.aclose()
            with pytest.raises(OSError, match="the line is gone"):
                await hear(stream, [])
            assert [outcome async for outcome in stream] == []

    run(leave())


def test_the_generator_that_sms_many_reads_is_closed_when_it_is_left(run: Run, sandbox: Sandbox) -> None:
    """When a row breaks a rule, and at a cancellation, whether that finds it waiting or not."""

    async def bad() -> AsyncIterator[Any]:
        yield row(0)
        yield None

    async def endless(turns: int, many: list[int]) -> AsyncIterator[Any]:
        while True:
            many.append(1)
            for _ in range(turns):
                await asyncio.sleep(0)
            yield row(0)

    async def leave() -> None:
        async with AsyncGateway(KEY, base_url=sandbox.url, pacer=Pacer()) as gateway:
            source: Any = bad()
            with pytest.raises(InvalidParameter, match="message 1: "):
                await gateway.sms_many(source)
            assert source.ag_frame is None
            for turns in (0, 1):
                read: list[int] = []
                source = endless(turns, read)
                task = asyncio.ensure_future(gateway.sms_many(source))
                while not read:
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(task, WITHIN_S)
                assert source.ag_frame is None

    sandbox.reset()
    run(leave())
    assert sandbox.messages() == []


# ---- that the loop has its turns


@pytest.mark.parametrize("is_async", [True, False])
@pytest.mark.parametrize("way", ["sms_many", "sms_stream"])
def test_the_loop_has_a_turn_every_thousand_rows(run: Run, sandbox: Sandbox, way: str, is_async: bool) -> None:
    """Also of an input that keeps nobody waiting; and what is sent is the same."""
    count = 0
    most = 0

    def given() -> Iterator[dict[str, str]]:
        nonlocal count
        for number in range(5_000):
            count += 1
            yield {"to": f"+4917{number:08}", "text": "Hi"}

    async def given_later() -> AsyncIterator[dict[str, str]]:
        for one in given():
            yield one

    async def watch() -> None:
        nonlocal most
        before = 0
        while True:
            most, before = max(most, count - before), count
            await asyncio.sleep(0)

    async def send() -> list[SmsOutcome]:
        watcher = asyncio.ensure_future(watch())
        async with AsyncGateway(KEY, base_url=sandbox.url, pacer=Pacer()) as gateway:
            rows: Any = given_later() if is_async else given()
            if way == "sms_many":
                outcomes = await gateway.sms_many(rows)
            else:
                outcomes = [outcome async for outcome in gateway.sms_stream(rows)]
        watcher.cancel()
        with suppress(asyncio.CancelledError):
            await watcher
        return outcomes

    sandbox.reset()
    outcomes = run(send())
    assert 0 < most <= 1_000
    assert sorted(outcome.index for outcome in outcomes) == list(range(5_000))
    assert {outcome.sent for outcome in outcomes} == {Sent.YES}


def test_a_step_of_a_batch_does_not_grow_with_the_input() -> None:
    """Of a plan that stands as a whole, each step orders a part; in order, and all of it."""

    class Counting(Planner):
        given = 0

        def next_bundle(self) -> Bundle | None:
            bundle = super().next_bundle()
            self.given += bundle is not None
            return bundle

    planner = Counting(1)
    for number in range(5_000):
        planner.add(number, Message(TO, f"text {number}"))
    planner.end()
    batch = Batch(planner, 1)
    texts = []
    before = most = 0
    while len(texts) < 5_000:
        batch.next_step()
        most, before = max(most, planner.given - before), planner.given
        order = batch.take()
        assert order is not None
        texts.append(order.bundle.text)
        batch.finish(order, [SmsOutcome(one.index, one.to, Sent.YES) for one in order.bundle.recipients])
    assert most <= 1_000
    assert texts == [f"text {number}" for number in range(5_000)]
