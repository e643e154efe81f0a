"""A ``Batch`` driven by asyncio: the calling task reads the input and tells outcomes, others send. Twin of ``threads``.

A task lives as long as there is something to send, or to read from an asynchronous input, and none is left behind: a
cancellation ends them all before it goes on. What their calls came to is then known exactly: ``NO`` where not a byte
had left, ``MAYBE`` otherwise.

What has to be done when a task ends is done by a callback of its end: one that is cancelled before its first step runs
not a line of its own. If it was ended from outside (by a shutdown that cancels ``all_tasks()``), the caller is
cancelled with it: a batch that was cut short never looks like one that came to its end.
"""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
)
from contextlib import suppress
from functools import partial
from types import TracebackType
from typing import Any, Final, Self

from ..flow.retry import Outcome
from .batch import DONE, PULL, START, TELL, WAIT, Batch
from .bundle import Bundle, SmsOutcome
from .errand import failed
from .sms import check_messages

Send = Callable[[Bundle, Outcome], Awaitable[list[SmsOutcome]]]

# Rows that are read before the loop has a turn: some ten milliseconds.
ROWS_PER_TURN: Final = 1000


class Input:
    """The rows of an input, of an asynchronous one or not: which of both it is, is decided here.

    Raises:
        InvalidParameter: it cannot be many messages.
    """

    def __init__(self, messages: Iterable[object] | AsyncIterable[object]) -> None:
        check_messages(messages, Iterable | AsyncIterable)
        self._later: AsyncIterator[object] | None = None
        self._rows: Iterator[object] = iter(())
        if isinstance(messages, AsyncIterable):
            self._later = aiter(messages)
        else:
            self._rows = iter(messages)

    @property
    def is_async(self) -> bool:
        """Whether it may keep one waiting."""
        return self._later is not None

    async def pull(self, batch: Batch) -> None:
        """Takes one more for the batch, and lets the loop turn now and then.

        Raises:
            CancelledError: this task is cancelled. One that comes out of the input is like anything else it raises.
        """
        try:
            if self._later is None:
                batch.pull(self._rows)
            else:
                await self._pull_later(self._later, batch)
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if batch.is_stopped or (task is not None and task.cancelling()):
                raise
            batch.handle_failure(error)
        if batch.rows % ROWS_PER_TURN == 0:
            await asyncio.sleep(0)

    async def read_all(self, batch: Batch) -> None:
        """Reads it to its end, before the batch begins; and closes it.

        Raises:
            BaseException: what it raised.
        """
        try:
            while batch.wants_row:
                await self.pull(batch)
            batch.check_input()
        finally:
            await self.aclose(batch)

    async def aclose(self, batch: Batch) -> None:
        """Closes a generator that nobody waits for. What it raises at that, it has raised as an input."""
        if isinstance(self._later, AsyncGenerator):
            try:
                await self._later.aclose()
            except Exception as error:  # noqa: BLE001 - it is kept
                batch.handle_failure(error)

    @staticmethod
    async def _pull_later(rows: AsyncIterator[object], batch: Batch) -> None:
        try:
            row = await anext(rows)
        except StopAsyncIteration:
            batch.handle_end()
        except Exception as error:  # noqa: BLE001 - it is kept
            batch.handle_failure(error)
        else:
            batch.handle_row(row)


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
        self._broken_by: BaseException | None = None

    def next_step(self) -> int:
        """That of the batch.

        Raises:
            BaseException: what ended a task from outside, once.
        """
        error, self._broken_by = self._broken_by, None
        if error is not None:
            raise error
        return self.batch.next_step()

    async def do(self, step: int) -> None:
        """Does ``START`` or ``WAIT``."""
        if step == WAIT:
            self._news.clear()
            await self._news.wait()
        else:
            assert step == START
            worker = self.batch.add_worker()
            self._start(self._work(), partial(self.batch.leave, worker))

    def feed(self, rows: Input) -> None:
        """Does ``PULL``: reads on as long as rows are wanted."""
        self.batch.is_pulling = True
        self._feeder = self._start(self._feed(rows), self._end_feeding)

    def stop(self) -> None:
        """Begins nothing new, and reads no more. From any thread."""
        self.batch.is_stopped = True
        self._broken_by = None
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
        self.stop()
        for task in self._tasks:
            task.cancel()

    async def cancel(self) -> None:
        """Ends all, and takes what they came to as it stands. Another cancellation does not end it sooner."""
        self.end()
        while self._tasks:
            self.end()
            with suppress(asyncio.CancelledError):
                await asyncio.wait(self._tasks)
        self.batch.give_up()

    def _start(self, coroutine: Coroutine[Any, Any, None], leave: Callable[[], object]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, leave))
        return task

    def _ended(self, leave: Callable[[], object], task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        leave()
        try:
            error = task.exception()
        except asyncio.CancelledError as cancelled:
            error = cancelled
        if error is not None:
            self._break(error)
        self._news.set()

    def _break(self, error: BaseException) -> None:
        if not self.batch.is_stopped:  # else it was we who ended it, or the caller has been told
            self.batch.is_stopped = True
            self._broken_by = error

    async def _work(self) -> None:
        batch = self.batch
        while (order := batch.take()) is not None:
            told = Outcome()
            try:
                outcomes = await self._send(order.bundle, told)
            except BaseException as error:
                batch.finish(order, failed(order.bundle, error, told))
                if not isinstance(error, Exception):
                    # Here already, so that no other begins another call before the callback.
                    self._break(error)
                    raise
            else:
                batch.finish(order, outcomes)
            self._news.set()

    async def _feed(self, rows: Input) -> None:
        while self.batch.wants_row:
            await rows.pull(self.batch)
            self._news.set()

    def _end_feeding(self) -> None:
        self.batch.is_pulling = False


async def send_all(batch: Batch, send: Send, on_outcome: Callable[[SmsOutcome], object] | None) -> list[SmsOutcome]:
    """Sends all and gives one outcome a recipient, in the order of their places.

    Raises:
        BaseException: a cancellation, or what ``on_outcome`` raised, after what was under way has ended.
    """
    tasks = Tasks(batch, send)
    outcomes: dict[int, SmsOutcome] = {}

    async def tell_all() -> None:
        while (step := tasks.next_step()) != DONE:
            if step == TELL:
                batch.tell(on_outcome, outcomes)
            else:
                await tasks.do(step)

    try:
        await tell_all()
    except BaseException as error:
        try:
            tasks.stop()
            if isinstance(error, asyncio.CancelledError):
                await tasks.cancel()
            await tell_all()
        except BaseException:
            await tasks.cancel()
            await tell_all()
            raise
        raise
    return [outcomes[place] for place in sorted(outcomes)]


class AsyncSmsStream:
    """The outcomes of an ``AsyncGateway.sms_stream``, as they come: an asynchronous iterator, for one task at a time.

    A cancellation while it waits, ``stop`` and ``aclose`` stop the sending; what the calls under way came to can still
    be taken, by iterating on. Dropping it stops the sending, too.
    """

    def __init__(self, batch: Batch, send: Send, messages: Iterable[object] | AsyncIterable[object]) -> None:
        self._batch = batch
        self._tasks = Tasks(batch, send)
        self._rows = Input(messages)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SmsOutcome:
        batch = self._batch
        try:
            while (step := self._tasks.next_step()) != TELL:
                if step == PULL:
                    if self._rows.is_async:
                        self._tasks.feed(self._rows)
                    else:
                        await self._rows.pull(batch)
                elif step == DONE:
                    await self._end()
                    batch.check_input()
                    raise StopAsyncIteration
                else:
                    await self._tasks.do(step)
            _, outcome = batch.outcome
        except BaseException as error:
            self.stop()
            if isinstance(error, asyncio.CancelledError):
                await self._cancel()
            raise
        batch.told()
        return outcome

    def stop(self) -> None:
        """Begins nothing new. Iterating on gives what the calls under way come to, as they end."""
        self._tasks.stop()

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
            await self._end()
        except BaseException:
            await self._cancel()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, asyncio.CancelledError):
            await self._cancel()
        else:
            await self.aclose()

    def __del__(self) -> None:
        self.stop()

    async def _end(self) -> None:
        await self._tasks.join()
        await self._rows.aclose(self._batch)

    async def _cancel(self) -> None:
        await self._tasks.cancel()
        await self._rows.aclose(self._batch)
