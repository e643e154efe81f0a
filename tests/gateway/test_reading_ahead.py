"""How far a stream reads ahead of the outcomes it has handed out: rows are counted, at every row and every outcome.

The bound is the window, and what the calls carry whose outcomes are not all taken, of which there are at most twice as
many as connections. It does not depend on how many rows there are, nor on how slowly the outcomes are taken: here each
is taken only when everything has come to rest that could go on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.flow.retry import Outcome
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Bundle, Planner, SmsOutcome
from smswire.gateway.tasks import AsyncSmsStream
from smswire.gateway.threads import SmsStream

from .conftest import Run
from .workers import accept, join_workers

TEXTS = {"a text each": "text {}", "one text": "Hi", "a few texts": "text {}"}
LONG_ENOUGH_TURNS = 50  # a call takes two, and so a task that can go on does so in fewer


class Ledger:
    """Rows, counted as they are read; ``told`` counts outcomes; the most by which the first was ahead."""

    def __init__(self, kind: str, count: int) -> None:
        self.read = self.told = self.most_ahead = 0
        self._kind = kind
        self._count = count

    def __iter__(self) -> Iterator[dict[str, str]]:
        for number in range(self._count):
            self.read += 1
            self.most_ahead = max(self.most_ahead, self.read - self.told)
            yield {
                "to": f"+4917{number:08}",
                "text": TEXTS[self._kind].format(number % 5 if "few" in self._kind else number),
            }

    async def __aiter__(self) -> AsyncIterator[dict[str, str]]:
        for row in self:
            yield row

    def check(self, size: int, window: int, workers: int) -> None:
        assert self.told == self.read == self._count
        per_call = 1 if self._kind == "a text each" else size
        assert self.most_ahead <= window + 2 * workers * per_call


async def accept_soon(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
    await asyncio.sleep(0)
    return accept(bundle, told)


def batch(size: int, window: int, workers: int) -> Batch:
    return Batch(Planner(size, window), workers, ahead=2 * workers, is_open=True)


shapes = given(
    kind=st.sampled_from(list(TEXTS)),
    size=st.integers(1, 5),
    window=st.integers(1, 12),
    workers=st.integers(1, 3),
    slow=st.sampled_from([1, 2, 7]),
)


@shapes
def test_threads_read_no_further_than_window_and_calls(
    kind: str, size: int, window: int, workers: int, slow: int
) -> None:
    """Each ``slow``-th outcome is taken when no thread has anything left to do."""
    ledger = Ledger(kind, 60)
    for outcome in SmsStream(batch(size, window, workers), accept, ledger):
        assert outcome.accepted
        ledger.told += 1
        if ledger.told % slow == 0:
            join_workers()
    ledger.check(size, window, workers)


@pytest.mark.parametrize("is_async", [True, False])
@shapes
def test_tasks_read_no_further_than_window_and_calls(
    is_async: bool, kind: str, size: int, window: int, workers: int, slow: int
) -> None:
    """Each ``slow``-th outcome is taken when no task has anything left to do, the one that reads the input included."""
    ledger = Ledger(kind, 60)

    async def take() -> None:
        rows: Any = ledger if is_async else iter(ledger)
        async for outcome in AsyncSmsStream(batch(size, window, workers), accept_soon, rows):
            assert outcome.accepted
            ledger.told += 1
            if ledger.told % slow == 0:
                for _ in range(LONG_ENOUGH_TURNS):
                    await asyncio.sleep(0)

    asyncio.run(take())
    ledger.check(size, window, workers)


@pytest.mark.parametrize("kind", TEXTS)
def test_ten_times_the_rows_are_read_no_further_ahead(run: Run, kind: str) -> None:
    """With what ``sms_stream`` does by itself: 1,000 rows, calls of 100 and, here, 5 connections; by both twins."""

    def ahead(count: int) -> tuple[int, int]:
        by_threads, by_tasks = Ledger(kind, count), Ledger(kind, count)
        for _ in SmsStream(batch(100, 1000, 5), accept, by_threads):
            by_threads.told += 1

        async def take() -> None:
            async for _ in AsyncSmsStream(batch(100, 1000, 5), accept_soon, by_tasks):
                by_tasks.told += 1

        run(take())
        for ledger in (by_threads, by_tasks):
            ledger.check(100, 1000, 5)
        return by_threads.most_ahead, by_tasks.most_ahead

    few, many = ahead(2_000), ahead(20_000)
    assert max(many) <= 1000 + 2 * 5 * 100
    assert few[1] == many[1]  # tasks take turns in an order that is always the same
