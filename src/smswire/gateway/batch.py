"""Many calls at once: what to send next, what came of it, when to stop, when to give up. Sans-IO, and without a lock.

One *teller* (the caller of ``sms_many``, or who takes from a stream) drives the batch by its steps; *workers* send. A
bundle is in one of these places::

    planner ──► ordered ──take()──► under way ──finish()──► returned ──told──► (gone)

========= ==============================================================================================
``START`` Start a worker with the token of ``add_worker``. It does ``take``, sends, ``finish``, until ``take`` gives
          None; then ``leave``, and it is gone: nothing waits for work, so nothing has to be told to end.
``PULL``  Read the input: ``pull``, or ``handle_row``, ``handle_end`` or ``handle_failure``.
``TELL``  ``tell``; or tell ``outcome``, then ``told``.
``WAIT``  Wait until a worker has finished or left (or the input has brought something).
``DONE``  All is told. ``check_input`` raises what the input raised, if it did.
========= ==============================================================================================

Workers may be threads. They touch three things only, each atomic: they take from one deque, append to another, and
write ``Order.has_begun``. ``is_stopped`` is written without a call, so that no interrupt can come before it; since a
worker looks at it *after* it has written ``has_begun``, an order that is seen as not begun after the stop is never
sent. Stopped, what is under way ends, and is told. Giving up takes what is under way as ``MAYBE``, since a byte may
leave at any moment after; what its worker brings later is dropped.

An input is read as far as the planner has room and fewer than ``ahead`` orders are not told. Where both is possible,
reading and telling take turns: outcomes come out while a slow input goes in, and connections stay busy before a slow
caller. An input that is to be sent as a whole or not at all is read before the first step, while ``wants_row``.

No step takes longer because the input is long: an event loop may be waiting for its turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from math import inf
from typing import Final

from ..errors import InvalidParameter, Sent
from .bundle import Bundle, Planner, Recipient, SmsOutcome, read_error
from .errand import given_up
from .sms import message_of, recipient_of

START: Final = 1
PULL: Final = 2
TELL: Final = 3
WAIT: Final = 4
DONE: Final = 5

# Of a plan that stands as a whole. Below a millisecond, and seconds of work for each connection that this starts.
ORDERS_PER_STEP: Final = 250


class Order:
    """One call to be made: its bundle, whether a worker has begun it, and what came of it (the first thing counts)."""

    __slots__ = ("bundle", "has_begun", "results", "told")

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.has_begun = False
        self.results: list[list[SmsOutcome]] = []
        self.told = 0


class Batch:
    """The calls of one ``sms_many`` or ``sms_stream``.

    Calling order: ``next_step``, and what it asks for, until ``DONE``. ``is_stopped = True`` and ``give_up`` are legal
    at any time, and again after an exception in the midst of anything.

    Args:
        planner: what is to be sent; ended, if there is no input.
        workers: how many calls may be under way.
        ahead: how many orders there may be whose outcomes are not all told.
        is_open: whether there is an input to read.
        is_strict: whether a row that breaks a rule is a failure of the input, and has no outcome.

    Attributes:
        rows (int): how many the input has brought.
        is_stopped (bool): set it, and nothing new begins.
        is_pulling (bool): the driver reads the input by itself at the moment, and is not asked for a row.
    """

    def __init__(
        self, planner: Planner, workers: int, *, ahead: float = inf, is_open: bool = False, is_strict: bool = False
    ) -> None:
        self.rows = 0
        self.is_stopped = False
        self.is_pulling = False
        self._failure: BaseException | None = None
        self._is_strict = is_strict
        self._planner = planner
        self._max_workers = workers
        self._ahead = ahead
        self._is_open = is_open
        self._pulled_last = False
        self._workers: set[object] = set()
        self._open: set[Order] = set()
        self._ordered: deque[Order] = deque()
        self._returned: deque[Order] = deque()

    # ---- the teller's

    def next_step(self) -> int:
        """What to do next."""
        self._forget_told()
        if self.is_stopped:
            self._open = {order for order in self._open if order.has_begun}
            return TELL if self._returned else WAIT if self._open else DONE
        self._order()
        under_way = len(self._open) - len(self._returned)
        if self._ordered and len(self._workers) < min(self._max_workers, under_way):
            return START
        may_pull = self.wants_row and not self.is_pulling
        if self._returned and (self._pulled_last or not may_pull):
            self._pulled_last = False
            return TELL
        if may_pull:
            self._pulled_last = True
            return PULL
        return WAIT if self._open or self._is_open else DONE

    @property
    def wants_row(self) -> bool:
        """Whether the input may be read."""
        return self._is_open and not self.is_stopped and self._planner.has_room and len(self._open) < self._ahead

    @property
    def is_under_way(self) -> bool:
        """Whether a call is being made."""
        return any(order.has_begun and not order.results for order in self._open)

    @property
    def outcome(self) -> tuple[Recipient, SmsOutcome]:
        """The one to tell."""
        order = self._returned[0]
        return order.bundle.recipients[order.told], order.results[0][order.told]

    def told(self) -> None:
        """It was told. Until then it is told again."""
        self._returned[0].told += 1

    def tell(self, on_outcome: Callable[[SmsOutcome], object] | None, outcomes: dict[int, SmsOutcome]) -> None:
        """Notes it by its place, and tells it. An interrupted telling is repeated, never lost.

        When stopped, what else ``on_outcome`` raises is passed over: whoever fails at one may still note the next.
        """
        recipient, outcome = self.outcome
        outcomes[recipient.place] = outcome
        if on_outcome is not None:
            try:
                on_outcome(outcome)
            except Exception:
                if not self.is_stopped:
                    self.told()
                    raise
        self.told()

    def give_up(self) -> None:
        """Stops, and takes what is under way as it stands."""
        self.is_stopped = True
        for order in tuple(self._open):
            if order.has_begun:
                if not order.results:
                    order.results.append(given_up(order.bundle, Sent.MAYBE))
                self._returned.append(order)

    def add_worker(self) -> object:
        """A new worker's token."""
        worker = object()
        self._workers.add(worker)
        return worker

    def handle_no_worker(self, worker: object) -> bool:
        """No more workers can be had: those there are do. False if there are none."""
        self._workers.discard(worker)
        self._max_workers = len(self._workers)
        return bool(self._workers)

    # ---- the input's

    def pull(self, rows: Iterator[object]) -> None:
        """Takes one more of an input, unless it ends or raises: that is raised when what came before it is told."""
        try:
            row = next(rows)
        except StopIteration:
            self.handle_end()
        except Exception as error:  # noqa: BLE001 - it is kept
            self.handle_failure(error)
        else:
            self.handle_row(row)

    def handle_row(self, row: object) -> None:
        """The next of the input. One that breaks a rule has its outcome at once."""
        index = self.rows
        self.rows += 1
        try:
            self._planner.add(index, message_of(row, index))
        except InvalidParameter as error:
            if self._is_strict:
                self.handle_failure(error)
                return
            order = Order(Bundle("", (), [Recipient(index, index, recipient_of(row), None)]))
            order.results.append(read_error(order.bundle.recipients, error))
            order.has_begun = True
            self._open.add(order)
            self._returned.append(order)
        except Exception as error:  # noqa: BLE001 - a mapping of the caller's own may raise anything
            self.handle_failure(error)

    def handle_end(self) -> None:
        """The input has ended."""
        self._planner.end()
        self._is_open = False

    def handle_failure(self, error: BaseException) -> None:
        """The input has raised: what it gave before is sent."""
        self._failure = error
        self.handle_end()

    def check_input(self) -> None:
        """Raises what the input raised, once."""
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure

    # ---- the workers'

    def take(self) -> Order | None:
        """The next call to make, or None: then ``leave``."""
        try:
            order = self._ordered.popleft()
        except IndexError:
            return None
        order.has_begun = True
        if self.is_stopped:
            order.has_begun = False
            return None
        return order

    def finish(self, order: Order, outcomes: list[SmsOutcome]) -> None:
        """What came of a call; then wake the teller."""
        order.results.append(outcomes)
        self._returned.append(order)

    def leave(self, worker: object) -> None:
        """The worker is gone; then wake the teller."""
        self._workers.discard(worker)

    # ----

    def _forget_told(self) -> None:
        """Done with orders told to the end; one that came twice, or was given up and came after, is passed over."""
        while self._returned:
            order = self._returned[0]
            if order in self._open and order.told < len(order.bundle.recipients):
                return
            self._open.discard(order)
            self._returned.popleft()

    def _order(self) -> None:
        for _ in range(ORDERS_PER_STEP):
            if len(self._open) >= self._ahead or (bundle := self._planner.next_bundle()) is None:
                return
            order = Order(bundle)
            self._open.add(order)
            self._ordered.append(order)
