"""Many calls at once from one thread: workers send, the caller's thread hears of each outcome. No rule of the gateway.

Threads of our own and nothing from a pool that the host program might have filled or shut down. They are daemons: a
caller who was told twice to stop may leave, and the interpreter with it.

The state is three collections under one lock; a bundle is in one of them or done::

    waiting --take()--> under_way --finish()--> finished --told to the caller--> (done)

``run`` tells until all three are empty; ``news`` wakes it, and carries nothing. Stopping empties ``waiting``, so what
is under way ends and nothing new begins. Giving up (the second interrupt) takes what is ``under_way`` as ``MAYBE``,
since a byte may leave at any moment after; what its worker brings later is dropped.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from ..errors import Sent, SmswireError
from .bundle import Bundle, Recipient, SmsOutcome, read_error
from .codes import LOOK_FIRST

Send = Callable[[Bundle], list[SmsOutcome]]


class Batch:
    """The bundles of one ``sms_many``, sent by up to ``workers`` threads. Calling order: ``run()``, once.

    Args:
        bundles: the calls to make.
        send: makes one call and returns the outcomes of its recipients; called in a worker's thread.
        workers (int): how many calls may be in flight.
        on_outcome: called in the thread of ``run()`` with each outcome, one at a time.
    """

    def __init__(
        self,
        bundles: Sequence[Bundle],
        send: Send,
        workers: int,
        on_outcome: Callable[[SmsOutcome], object] | None = None,
    ) -> None:
        self._send = send
        self._on_outcome = on_outcome
        self._workers = min(len(bundles), workers)
        self._outcomes: list[SmsOutcome | None] = [None] * sum(len(bundle.recipients) for bundle in bundles)
        self._lock = threading.Lock()
        self._waiting = deque(bundles)
        self._under_way: dict[int, Bundle] = {}
        self._finished: deque[tuple[Recipient, SmsOutcome]] = deque()
        self._news: SimpleQueue[None] = SimpleQueue()

    def run(self) -> list[SmsOutcome]:
        """Sends all and returns one outcome a recipient, in the order of their places.

        Raises:
            BaseException: an interrupt, or what ``on_outcome`` raised, after what was under way has ended.
        """
        try:
            self._start()
            self._deliver()
        except BaseException:
            self._stop_and_deliver()
            raise
        return [outcome for outcome in self._outcomes if outcome is not None]

    # ---- the caller's thread

    def _start(self) -> None:
        for number in range(self._workers):
            thread = threading.Thread(target=self._work, name=f"smswire-send-{number}", daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no more threads to be had: fewer do
                if number == 0:
                    raise
                return

    def _deliver(self, *, is_stopping: bool = False) -> None:
        """Tells every outcome to the caller until nothing is left. An interrupted telling is repeated, never lost.

        When stopping, what else ``on_outcome`` raises is passed over: whoever fails at one may still note the next.
        """
        while True:
            with self._lock:
                if not (self._finished or self._waiting or self._under_way):
                    return
            if not self._finished:
                self._news.get()
                continue
            recipient, outcome = self._finished[0]
            self._outcomes[recipient.place] = outcome
            if self._on_outcome is not None:
                try:
                    self._on_outcome(outcome)
                except Exception:
                    if not is_stopping:
                        self._finished.popleft()
                        raise
            self._finished.popleft()

    def _stop_and_deliver(self) -> None:
        try:
            with self._lock:
                self._waiting.clear()
            self._deliver(is_stopping=True)
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        with self._lock:
            self._waiting.clear()
            left, self._under_way = self._under_way, {}
        for bundle in left.values():
            error = SmswireError("given up while the call was under way", sent=Sent.MAYBE, advice=LOOK_FIRST)
            self._finished += zip(bundle.recipients, read_error(bundle.recipients, error), strict=True)
        self._deliver(is_stopping=True)

    # ---- the workers' threads

    def _work(self) -> None:
        while (bundle := self._take()) is not None:
            try:
                outcomes = self._send(bundle)
            except BaseException as fault:  # noqa: BLE001 - a fault of ours must not swallow a bundle's outcomes
                error = SmswireError(f"{type(fault).__name__} in the call", sent=Sent.MAYBE, advice=LOOK_FIRST)
                error.__cause__ = fault
                outcomes = read_error(bundle.recipients, error)
            self._finish(bundle, outcomes)

    def _take(self) -> Bundle | None:
        with self._lock:
            if not self._waiting:
                return None
            bundle = self._waiting.popleft()
            self._under_way[id(bundle)] = bundle
            return bundle

    def _finish(self, bundle: Bundle, outcomes: list[SmsOutcome]) -> None:
        with self._lock:
            if self._under_way.pop(id(bundle), None) is None:
                return
            self._finished += zip(bundle.recipients, outcomes, strict=True)
        self._news.put(None)
