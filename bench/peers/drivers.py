"""How a list of requests becomes calls, one after the other or many at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, contextmanager
from time import perf_counter
from typing import Any

from ..job import Fields, Task


class Driver:
    """Runs requests through one client, which stays open between two runs.

    Attributes:
        times: a list to be filled with the seconds of each call, or None. Clients with a loop of their own fill none.
    """

    def __init__(
        self, run: Callable[[list[Fields], list[float] | None], object], rest: Callable[[], object] | None = None
    ) -> None:
        self._run = run
        self._rest = rest
        self.times: list[float] | None = None

    def run(self, requests: list[Fields]) -> None:
        """Sends all of them; raises what the first call to fail raises."""
        self._run(requests, self.times)

    def rest(self) -> None:
        """No more requests: threads that only drive the client end, and the client stays open."""
        if self._rest is not None:
            self._rest()


@contextmanager
def blocking_driver(
    client: Callable[..., AbstractContextManager[Callable[[Fields], Any]]], task: Task, lane: str | None
) -> Iterator[Driver]:
    with client(task, **_lane(lane)) as send:

        def one_after_the_other(requests: Iterable[Fields], times: list[float] | None) -> None:
            if times is None:
                for fields in requests:
                    send(fields)
                return
            for fields in requests:
                start = perf_counter()
                send(fields)
                times.append(perf_counter() - start)

        def by_threads(requests: list[Fields], times: list[float] | None) -> None:
            threads.run(lambda share: one_after_the_other(share, times), requests)

        if task.calls_at_once == 1:
            yield Driver(one_after_the_other)
            return
        threads = _Threads(task.calls_at_once)
        try:
            yield Driver(by_threads, threads.end)
        finally:
            threads.end()


class _Threads:
    """Threads that stay: starting them costs as much as several requests, and is not what is measured."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._start = threading.Barrier(count + 1)
        self._end = threading.Barrier(count + 1)
        self._work: Callable[[Iterator[Fields]], None] | None = None
        self._share: Iterator[Fields] = iter(())
        self._errors: list[Exception] = []
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]
        for thread in self._threads:
            thread.start()

    def run(self, work: Callable[[Iterator[Fields]], None], requests: list[Fields]) -> None:
        # Whoever is free takes the next one; next() of a list's iterator is one step under the interpreter's lock.
        self._work, self._share = work, iter(requests)
        self._start.wait()
        self._end.wait()
        if self._errors:
            raise self._errors[0]

    def end(self) -> None:
        if self._threads:
            self._work = None
            self._start.wait()
            for thread in self._threads:
                thread.join()
            self._threads.clear()

    def _run(self) -> None:
        while True:
            self._start.wait()
            if self._work is None:
                return
            try:
                self._work(self._share)
            except Exception as error:  # noqa: BLE001  told by the thread that waits
                self._errors.append(error)
            self._end.wait()


@contextmanager
def asyncio_driver(
    client: Callable[..., AbstractAsyncContextManager[Callable[[Fields], Awaitable[Any]]]],
    task: Task,
    lane: str | None,
) -> Iterator[Driver]:
    async def all_of(requests: list[Fields], times: list[float] | None) -> None:
        share = iter(requests)

        async def work() -> None:
            if times is None:
                for fields in share:
                    await send(fields)
                return
            for fields in share:
                start = perf_counter()
                await send(fields)
                times.append(perf_counter() - start)

        await asyncio.gather(*(work() for _ in range(task.calls_at_once)))

    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def enter() -> Callable[[Fields], Awaitable[Any]]:
            return await stack.enter_async_context(client(task, **_lane(lane)))

        send = runner.run(enter())
        try:
            yield Driver(lambda requests, times: runner.run(all_of(requests, times)))
        finally:
            runner.run(stack.aclose())


@contextmanager
def own_driver(
    client: Callable[..., AbstractContextManager[Callable[[list[Fields]], object]]], task: Task, lane: str | None
) -> Iterator[Driver]:
    with client(task, **_lane(lane)) as run:
        yield Driver(lambda requests, _: run(requests))


def _lane(lane: str | None) -> dict[str, str]:
    return {} if lane is None else {"lane": lane}
