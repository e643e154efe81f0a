"""A ``Batch`` driven by threads: the calling thread reads the input and tells outcomes, others send.

Threads of our own and nothing from a pool that the host program might have filled or shut down. The interpreter does
not wait for them: a caller who was told twice to stop may leave. One lives as long as there is something to
send, so that none is left behind by whoever drops a stream.

Before every wait the batch is asked again, so that the queue of news carries nothing, and an interrupt loses nothing
that was taken from it.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import SimpleQueue
from typing import Self

from ..errors import Closed
from ..flow.retry import Outcome
from .batch import DONE, PULL, START, TELL, WAIT, Batch
from .bundle import Bundle, SmsOutcome
from .errand import failed

Send = Callable[[Bundle, Outcome], list[SmsOutcome]]


class Threads:
    """The threads of one batch.

    Args:
        batch: what to send.
        send: makes one call and notes in the ``Outcome`` how it stands; called in the threads.
    """

    def __init__(self, batch: Batch, send: Send) -> None:
        self.batch = batch
        self._send = send
        self._news: SimpleQueue[None] = SimpleQueue()

    def do(self, step: int) -> None:
        """Does ``START`` or ``WAIT``.

        Raises:
            RuntimeError: not a single thread can be had.
        """
        if step == WAIT:
            self._news.get()
            return
        assert step == START
        worker = self.batch.add_worker()
        try:
            # Not Thread.start, which waits for the thread on an Event: two signals there come out as a RuntimeError.
            _thread.start_new_thread(self._work, (worker,))
        except RuntimeError:
            if not self.batch.handle_no_worker(worker):
                raise

    def _work(self, worker: object) -> None:
        batch = self.batch
        while (order := batch.take()) is not None:
            told = Outcome()
            try:
                outcomes = self._send(order.bundle, told)
            except BaseException as error:  # noqa: BLE001 - whatever it was, every recipient gets an outcome
                outcomes = failed(order.bundle, error, told)
            batch.finish(order, outcomes)
            self.wake()
        batch.leave(worker)
        self.wake()

    def wake(self) -> None:
        """Whoever waits looks again."""
        # One that is there already will be taken behind what has just been noted. So they do not pile up.
        if self._news.empty():
            self._news.put(None)


def send_all(batch: Batch, send: Send, on_outcome: Callable[[SmsOutcome], object] | None) -> list[SmsOutcome]:
    """Sends all and gives one outcome a recipient, in the order of their places.

    Raises:
        BaseException: an interrupt, or what ``on_outcome`` raised, after what was under way has ended.
    """
    threads = Threads(batch, send)
    outcomes: dict[int, SmsOutcome] = {}

    def tell_all() -> None:
        while (step := batch.next_step()) != DONE:
            if step == TELL:
                batch.tell(on_outcome, outcomes)
            else:
                threads.do(step)

    try:
        tell_all()
    except BaseException:
        try:
            # Without a call before it: that is where a second interrupt would come.
            batch.is_stopped = True
            tell_all()
        except BaseException:
            batch.give_up()
            tell_all()
            raise
        raise
    return [outcomes[place] for place in sorted(outcomes)]


class SmsStream:
    """The outcomes of a ``Gateway.sms_stream``, as they come: an iterator, for one thread at a time.

    An interrupt while it waits, ``stop`` and ``close`` stop the sending; what the calls under way came to can still be
    taken, by iterating on. Dropping it stops the sending, too. ``stop`` and ``give_up`` may be called from any thread.

    Raises:
        RuntimeError: another thread is in the midst of taking an outcome.
        Closed: iterated on in another process than the one that made it.
    """

    def __init__(self, batch: Batch, send: Send, messages: Iterable[object]) -> None:
        self._batch = batch
        self._threads = Threads(batch, send)
        self._rows = iter(messages)
        self._process = os.getpid()
        self._taker: int | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SmsOutcome:
        batch = self._batch
        if os.getpid() != self._process:
            raise Closed("the stream belongs to the process that made it")
        self._taker = self._only_taker()
        try:
            while (step := batch.next_step()) != TELL:
                if step == PULL:
                    batch.pull(self._rows)
                elif step == DONE:
                    batch.check_input()
                    raise StopIteration
                else:
                    self._threads.do(step)
            _, outcome = batch.outcome
            # The last call before the return, so that what an interrupt keeps from the caller comes again.
            batch.told()
            return outcome
        except BaseException:
            batch.is_stopped = True
            raise
        finally:
            self._taker = None

    def _only_taker(self) -> int:
        """This thread, if no other one is at it: two of them would each wait for what the other has taken."""
        thread = _thread.get_ident()
        # From here to where it is written down nothing is called, and so no other thread comes between.
        if self._taker not in (None, thread):
            raise RuntimeError("another thread is taking from this stream; only stop and give_up may be called now")
        return thread

    def stop(self) -> None:
        """Begins nothing new. Iterating on gives what the calls under way come to, as they end."""
        self._batch.is_stopped = True

    def give_up(self) -> None:
        """Stops, and waits for no call under way. Iterating on gives those as ``MAYBE``."""
        self._batch.give_up()
        self._threads.wake()  # another thread may wait for one

    def close(self) -> None:
        """Begins nothing new, and waits for the calls under way, which end at the latest at their deadlines.

        Raises:
            KeyboardInterrupt: it gives up waiting; those calls are ``MAYBE``.
            RuntimeError: another thread takes or closes, and gets what they come to; nothing new begins all the same.
        """
        batch = self._batch
        batch.is_stopped = True
        if os.getpid() != self._process:
            return  # what is under way is the other's
        self._taker = self._only_taker()
        try:
            while batch.is_under_way:
                self._threads.do(WAIT)
        except BaseException:
            batch.give_up()
            raise
        finally:
            self._taker = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except RuntimeError:
            if kind is None:  # else what ended the block is told of, and nothing new begins
                raise

    def __del__(self) -> None:
        with suppress(AttributeError):  # an interrupt kept it from being set up
            self._batch.is_stopped = True
