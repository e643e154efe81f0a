"""A ``Batch`` driven by asyncio: the calling task reads the input and tells outcomes, others send. Twin of ``threads``.

A task lives as long as there is something to send, or to read from an asynchronous input, and none is left behind: a
cancellation ends them all before it goes on. What their calls came to is then known exactly: ``NO`` where not a byte
had left, ``MAYBE`` otherwise.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self, TypeVar

from ..flow.retry import Outcome
from .batch import DONE, PULL, START, TELL, WAIT, Batch
from .bundle import Bundle, SmsOutcome
from .errand import failed

_R = TypeVar("_R")

Send = Callable[[Bundle, Outcome], Awaitable[list[SmsOutcome]]]


class Tasks:
    """The tasks of one batch.

    Args:
        batch: what to send.
        send: makes one call and notes in the ``Outcome`` how it stands.
    """

    def __init__(self, batch: Batch, send: Send) -> None:
        self.batch = batch
        self._send = send
        self._news = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._feeder: asyncio.Task[None] | None = None

    async def do(self, step: int) -> None:
        """Does ``START`` or ``WAIT``."""
        if step == WAIT:
            self._news.clear()
            await self._news.wait()
        else:
            assert step == START
            worker = self.batch.add_worker()
            self._start(self._work(worker), lambda: self.batch.leave(worker))

    def feed(self, rows: AsyncIterator[object]) -> None:
        """Does ``PULL``: reads on as long as rows are wanted."""
        self.batch.is_pulling = True
        self._feeder = self._start(self._feed(rows), self._fed)

    def stop_feeding(self) -> None:
        """Reads no more. From any thread."""
        feeder, self._feeder = self._feeder, None
        if feeder is not None:
            with suppress(RuntimeError):  # the loop is closed, and nothing runs any more
                feeder.get_loop().call_soon_threadsafe(feeder.cancel)

    async def join(self) -> None:
        """Waits until all have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def end(self) -> None:
        """Ends all, and waits for none."""
        self.batch.is_stopped = True
        for task in self._tasks:
            task.cancel()

    async def cancel(self) -> None:
        """Ends all, and takes what they came to as it stands. Another cancellation does not end it sooner."""
        while self._tasks:
            self.end()
            with suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)
        self.batch.give_up()

    def _start(self, coroutine: Coroutine[Any, Any, None], ended: Callable[[], None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            if task.cancelled():
                self._cancelled()
                ended()  # before its first step it has run none of its own lines
                self._news.set()

        self._tasks.add(task)
        task.add_done_callback(done)
        return task

    def _cancelled(self) -> None:
        """A task was cancelled. If not by us, whoever did so wants nothing more to begin, and the caller hears of it
        when what was under way has been told.
        """
        if not self.batch.is_stopped:
            self.batch.is_stopped = True
            self.batch.failure = asyncio.CancelledError("a task of this batch was cancelled")

    def _fed(self) -> None:
        self.batch.is_pulling = False

    async def _work(self, worker: object) -> None:
        batch = self.batch
        try:
            while (order := batch.take()) is not None:
                told = Outcome()
                try:
                    outcomes = await self._send(order.bundle, told)
                except BaseException as error:
                    batch.finish(order, failed(order.bundle, error, told))
                    if not isinstance(error, Exception):
                        self._cancelled()
                        raise
                else:
                    batch.finish(order, outcomes)
                self._news.set()
        finally:
            batch.leave(worker)
            self._news.set()

    async def _feed(self, rows: AsyncIterator[object]) -> None:
        batch = self.batch
        try:
            while batch.wants_row:
                try:
                    row = await anext(rows)
                except StopAsyncIteration:
                    batch.handle_end()
                except asyncio.CancelledError as error:
                    feeder = asyncio.current_task()
                    assert feeder is not None
                    if feeder.cancelling():
                        raise
                    batch.handle_failure(error)  # what the input waited for was cancelled, and not this task
                except Exception as error:  # noqa: BLE001 - it is raised when what came before it is told
                    batch.handle_failure(error)
                else:
                    batch.handle_row(row)
                self._news.set()
        finally:
            self._fed()
            self._news.set()


async def each(rows: Iterable[_R]) -> AsyncIterator[_R]:
    """The rows, asynchronously."""
    for row in rows:
        yield row


async def send_all(batch: Batch, send: Send, on_outcome: Callable[[SmsOutcome], object] | None) -> list[SmsOutcome]:
    """Sends all and gives one outcome a recipient, in the order of their places.

    Raises:
        BaseException: a cancellation, or what ``on_outcome`` raised, after what was under way has ended.
    """
    tasks = Tasks(batch, send)
    outcomes: dict[int, SmsOutcome] = {}
    try:
        await _tell_all(tasks, on_outcome, outcomes)
    except BaseException as error:
        try:
            batch.is_stopped = True
            if isinstance(error, asyncio.CancelledError):
                await tasks.cancel()
            await _tell_all(tasks, on_outcome, outcomes)
        except BaseException:
            await tasks.cancel()
            await _tell_all(tasks, on_outcome, outcomes)
            raise
        raise
    if batch.failure is not None:
        raise batch.failure
    return [outcomes[place] for place in range(len(outcomes))]


async def _tell_all(
    tasks: Tasks, on_outcome: Callable[[SmsOutcome], object] | None, outcomes: dict[int, SmsOutcome]
) -> None:
    """Tells every outcome until nothing is left. An interrupted telling is repeated, never lost.

    When stopped, what else ``on_outcome`` raises is passed over: whoever fails at one may still note the next.
    """
    batch = tasks.batch
    while (step := batch.next_step()) != DONE:
        if step != TELL:
            await tasks.do(step)
            continue
        recipient, outcome = batch.outcome
        outcomes[recipient.place] = outcome
        if on_outcome is not None:
            try:
                on_outcome(outcome)
            except Exception:
                if not batch.is_stopped:
                    batch.told()
                    raise
        batch.told()


class AsyncSmsStream:
    """The outcomes of an ``AsyncGateway.sms_stream``, as they come: an asynchronous iterator, for one task at a time.

    A cancellation while it waits, ``stop`` and ``aclose`` stop the sending; what the calls under way came to can still
    be taken, by iterating on. Dropping it stops the sending, too.
    """

    def __init__(self, batch: Batch, send: Send, messages: Iterable[object] | AsyncIterable[object]) -> None:
        self._batch = batch
        self._tasks = Tasks(batch, send)
        self._rows: Iterator[object] | None = None
        self._async_rows: AsyncIterator[object] | None = None
        if isinstance(messages, AsyncIterable):
            self._async_rows = aiter(messages)
        else:
            self._rows = iter(messages)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SmsOutcome:
        batch = self._batch
        try:
            while (step := batch.next_step()) != TELL:
                if step == PULL:
                    self._pull()
                elif step == DONE:
                    failure, batch.failure = batch.failure, None
                    raise StopAsyncIteration if failure is None else failure
                else:
                    await self._tasks.do(step)
            _, outcome = batch.outcome
        except BaseException as error:
            batch.is_stopped = True
            if isinstance(error, asyncio.CancelledError):
                await self._tasks.cancel()
            raise
        batch.told()
        return outcome

    def stop(self) -> None:
        """Begins nothing new. Iterating on gives what the calls under way come to, as they end."""
        self._batch.is_stopped = True
        self._tasks.stop_feeding()

    def give_up(self) -> None:
        """Stops, and waits for no call under way. Iterating on gives those as ``MAYBE``.

        Or as ``NO`` where not a byte had left: they are ended.
        """
        self._tasks.end()

    async def aclose(self) -> None:
        """Begins nothing new, and waits for the calls under way, which end at the latest at their deadlines.

        Raises:
            CancelledError: it ends those calls; they are ``MAYBE``, or ``NO`` where not a byte had left.
        """
        self.stop()
        try:
            await self._tasks.join()
        except BaseException:
            await self._tasks.cancel()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            await self._tasks.cancel()
        else:
            await self.aclose()

    def __del__(self) -> None:
        self.stop()

    def _pull(self) -> None:
        if self._async_rows is not None:
            self._tasks.feed(self._async_rows)
            return
        assert self._rows is not None
        try:
            row = next(self._rows)
        except StopIteration:
            self._batch.handle_end()
        except Exception as error:  # noqa: BLE001 - it is raised when what came before it is told
            self._batch.handle_failure(error)
        else:
            self._batch.handle_row(row)
