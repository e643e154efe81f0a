"""One call from queue to verdict: what a runtime has to do next.

``Dispatch`` holds the deadline, the place in the queue, the connection in hand, the attempts and the outcome. A
runtime is a loop that does what the step says and reports what came of it; it owns no rule. The steps:

========== ============================================================================================
``WAIT``    Wait until ``signal`` is woken, or until ``wait_until``; then ``next_step``.
``LOOKUP``  Start looking up the host for ``lookup`` (its answer goes to the pool); then ``next_step``.
``DIAL``    Drive ``opening`` to its end; then ``handle_opened`` or ``handle_not_opened``.
``PROBE``   Receive from ``connection`` without waiting, until it would block.
``WRITE``   Send the call's ``bytes_to_send``.
``BLOCKED`` Wait until ``wait_until`` for the socket of ``connection`` to take *or bring* bytes: servers answer before
            they have the whole request. Receive what it brings; then ``handle_*``, or ``next_step`` if nothing.
``READ``    Receive from ``connection``, waiting until ``wait_until``; then ``handle_*``, or ``next_step`` if nothing.
``DRAIN``   The write failed; receive once more without waiting, for servers answer and close.
``CLOSE``   Close the socket of ``connection``, after ``bytes_to_close`` if it takes them at once; ``handle_closed``.
``DONE``    ``response`` or ``error`` is there.
========== ============================================================================================

State changes come before the I/O they imply. From ``bytes_to_send`` until the runtime reports what came of it, bytes
count as possibly gone, and ``outcome`` is ``MAYBE`` from then on, unless the report says that nothing went: an end that
no one hears of here (the event loop was closed) finds it true. What is handed to the pool or got from it stays
in hand until the pool's method has returned, and ``abandon`` tells it again: an interrupt there loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import Final, Protocol

from ..errors import Closed, ConnectionEnded, NetworkError, Sent, SmswireError, Timeout
from ..wire.message import Request, Response
from .connection import Connection
from .dialing import FAR_END_ERRORS, Opening
from .pool import Lookup, Pool, Waiter
from .retry import Outcome, Verdict, backoff, judge_failure, judge_response

WAIT: Final = 1
LOOKUP: Final = 2
DIAL: Final = 3
PROBE: Final = 4
WRITE: Final = 5
READ: Final = 6
DRAIN: Final = 7
CLOSE: Final = 8
DONE: Final = 9
BLOCKED: Final = 10

MAX_ATTEMPTS: Final = 3
_NO, _MAYBE, _YES = Sent.NO, Sent.MAYBE, Sent.YES  # looked up once
_NOTHING_HANDED: Final = Verdict(_NO, again=False)

# States whose step is WAIT or LOOKUP, told apart because something different follows.
_QUEUED: Final = 11
_BACKING_OFF: Final = 12
# A connection is between this call and the pool: on its way here; on its way back, the answer being there.
_TAKING: Final = 13
_GIVING: Final = 14
# What a call with a connection in hand is doing, should its deadline pass.
_PHASES: Final = {
    PROBE: "waiting for a connection",
    WRITE: "sending the request",
    READ: "waiting for the answer",
    DRAIN: "waiting for the answer",
}
# Why a connection is being closed, and so what follows.
_STALE: Final = 21
_SPENT: Final = 22
_BROKEN: Final = 23


class Signal(Protocol):
    """What the runtime gives a call to wait with: a wake between ``arm`` and the wait counts."""

    def arm(self) -> None: ...
    def wake(self) -> None: ...


class Dispatch:
    """One call.

    Calling order: ``start``, then whatever the step asks for, until ``DONE``. ``abandon`` is legal at every step and
    leads by ``DIAL`` (an opening that only closes) and ``CLOSE`` to ``DONE``, with the outcome kept.

    Args:
        pool: where connections come from.
        request: what to send.
        deadline: the monotonic time at which the call ends.
        signal: woken when the pool has news for this call.
        draw: random numbers in [0, 1), for the backoff.
        outcome: where to record what became of the call, as new.
        repeatable: the caller's word that sending twice does no harm.
    """

    __slots__ = (
        "_abandoned",
        "_closing",
        "_deadline",
        "_draw",
        "_failure",
        "_known",
        "_pool",
        "_repeatable",
        "_request",
        "_signal",
        "_state",
        "_unaccounted",
        "_verdict",
        "_waiter",
        "connection",
        "error",
        "lookup",
        "opening",
        "outcome",
        "response",
        "wait_until",
    )

    def __init__(
        self,
        pool: Pool,
        request: Request,
        *,
        deadline: float,
        signal: Signal,
        draw: Callable[[], float],
        outcome: Outcome,
        repeatable: bool = False,
    ) -> None:
        self.connection: Connection | None = None
        self.opening: Opening | None = None
        self.lookup: Lookup | None = None
        self.response: Response | None = None
        self.error: SmswireError | None = None
        self.outcome = outcome
        self.wait_until = deadline
        self._pool = pool
        self._request = request
        self._deadline = deadline
        self._signal = signal
        self._draw = draw
        self._repeatable = repeatable
        self._waiter: Waiter | None = None
        self._state = DONE
        self._closing = _SPENT
        self._failure: SmswireError | None = None
        self._verdict = _NOTHING_HANDED
        # What the attempts before came to: ``outcome`` says so too, but for what the one under way may have sent.
        self._known = _NO
        self._unaccounted = False
        self._abandoned = False

    # Commands

    def start(self, now: float) -> int:
        """The first step."""
        return self._acquire(now, head=False)

    def next_step(self, now: float) -> int:
        """The step after a ``WAIT``, a ``LOOKUP``, or a wait for the socket that brought nothing."""
        if self._is_ended():
            return self._end(now)
        state = self._state
        if state == _QUEUED:
            return self._queued(now)
        phase = _PHASES.get(state)
        if phase is not None:
            return self._broken(_timeout(phase)) if now >= self._deadline else self._resume()
        if state == _BACKING_OFF:
            if now < self.wait_until:
                self._signal.arm()
                return WAIT
            self.response = self._failure = None
            self._verdict = _NOTHING_HANDED
            return self._acquire(now, head=False)
        return state

    def abandon(self, now: float, error: SmswireError | None = None) -> int:
        """Ends the call from this side; ``outcome`` says how it stood, and so does ``error`` where one is given."""
        state = self._state
        self._abandoned = True
        if error is not None and state not in (_GIVING, CLOSE, DONE):
            self.response, self._failure = None, error
        elif self.response is None:
            self._failure = self._failure or error
        if state == _QUEUED:
            assert self._waiter is not None
            if self._waiter.opening is None:
                self._pool.forget_lookup(self._waiter)
                return self._leave(now)
            self.opening = self._waiter.opening
            state = self._state = DIAL
        if state == DIAL:
            assert self.opening is not None
            self.opening.abandon(now)
            return DIAL
        if state in (PROBE, WRITE, READ, DRAIN):
            self._verdict = Verdict(_MAYBE if self._has_handed() else _NO, again=False)
            return self._close(_BROKEN)
        if state in (_TAKING, _GIVING) and self.connection is not None:
            if self._pool.holds(self.connection, self):
                return self._close(_SPENT)
            self.connection = None
        if state == DONE or (state == CLOSE and self.connection is not None):
            return state
        return self._conclude(now)

    def _is_ended(self) -> bool:
        return self._pool.has_ended and not self._abandoned

    def _end(self, now: float) -> int:
        return self.abandon(now, Closed("the client was closed before the call had ended"))

    # What came of the step

    def handle_opened(self, connection: Connection, now: float) -> int:
        """The opening is ready, and ``connection.transport`` is set."""
        assert self.opening is not None
        self.connection = connection
        self._pool.opened(self.opening, connection, now)
        return self._lease(connection, now)

    def handle_not_opened(self, now: float) -> int:
        """The opening failed, and everything it had open is closed."""
        opening = self.opening
        assert opening is not None
        assert opening.error is not None
        if self.connection is not None:
            # It was given up when the pool had it already.
            self._pool.drop(self.connection, now, dead=False)
            self.connection = None
        self._pool.failed(opening, opening.error)
        self.outcome.attempts += 1
        if self._abandoned and self._failure is not None:
            return self._failed(self._failure, now)
        return self._failed(_timeout("connecting") if now >= self._deadline else opening.error, now)

    def bytes_to_send(self) -> bytes | memoryview:
        """At ``WRITE``: what to send in this very step, to be followed by its report."""
        assert self.connection is not None
        self._unaccounted = True
        self.outcome.sent = _MAYBE
        return self.connection.channel.bytes_to_send()

    def handle_would_block(self, now: float) -> int:
        """The socket had nothing, or took nothing."""
        if self._unaccounted:
            self._account()
        if self._pool.has_ended and self._is_ended():
            return self._end(now)
        if self._state == PROBE:
            return self._begin(now)
        if self._state == DRAIN:
            assert self._failure is not None
            return self._broken(self._failure)
        step = self.next_step(now)
        return BLOCKED if step == WRITE else step

    def handle_sent(self, n: int, now: float) -> int:
        """The kernel took ``n`` bytes from the front of ``bytes_to_send``."""
        assert self.connection is not None
        is_all = self.connection.channel.handed_over(n)
        if is_all:
            self._unaccounted = False
            self._state = READ
        else:
            self._account()
        return self._resume()

    def handle_data(self, data: bytes, now: float) -> int:
        """The socket brought bytes."""
        connection = self.connection
        assert connection is not None
        if connection.grant is not None:
            self._settle(connection, now)
        try:
            response = connection.channel.receive_data(data)
        except SmswireError as error:
            return self._unfit(now) if self._state == PROBE else self._broken(error)
        if response is not None:
            return self._answered(response, now)
        if self._state == PROBE and not connection.channel.reusable:
            return self._unfit(now)
        # With its look at the deadline: a far end that never stops sending must not outlast it.
        return self.next_step(now)

    def handle_end(self, now: float) -> int:
        """The socket brought the end of the stream."""
        if self._is_ended():
            return self._end(now)
        connection = self.connection
        assert connection is not None
        if connection.grant is not None:
            self._settle(connection, now)
        if self._state == PROBE:
            return self._unfit(now)
        try:
            response = connection.channel.receive_eof()
        except SmswireError as error:
            return self._broken(error)
        if response is None:
            return self._broken(ConnectionEnded("the server closed the connection before it answered"))
        return self._answered(response, now)

    def handle_error(self, error: OSError, now: float) -> int:
        """The socket reported an error."""
        if self._unaccounted:
            self._account()
        if self._is_ended():
            return self._end(now)
        connection = self.connection
        assert connection is not None
        if connection.grant is not None and error.errno in FAR_END_ERRORS:
            self._settle(connection, now)
        if self._state == PROBE:
            return self._unfit(now)
        failure = ConnectionEnded(f"the connection broke: {error.strerror or type(error).__name__}")
        if self._state == WRITE:
            self._failure = failure
            self._state = DRAIN
            return DRAIN
        return self._broken(failure)

    def handle_closed(self, now: float) -> int:
        """The socket of ``connection`` is closed."""
        assert self.connection is not None
        self._pool.drop(self.connection, now, dead=self._closing == _BROKEN)
        self.connection = None
        if self._closing == _STALE and not self._abandoned:
            return self._acquire(now, head=True)
        return self._conclude(now)

    # Towards a connection

    def _acquire(self, now: float, *, head: bool) -> int:
        self._state = _TAKING
        try:
            connection = self._pool.take(now, self)
            if connection is None:
                # Armed before anybody can know of the waiter: a wake before the wait counts.
                self._signal.arm()
                self._waiter = Waiter(self._signal.wake)
                self._state = _QUEUED
                self._pool.join(self._waiter, now, head=head)
        except SmswireError as error:
            # A full pool may be asked again, and every attempt counts; a closed one was never asked.
            self.outcome.attempts += not isinstance(error, Closed)
            return self._failed(error, now)
        return self._queued(now) if connection is None else self._lease(connection, now)

    def _queued(self, now: float) -> int:
        self._signal.arm()
        waiter = self._waiter
        assert waiter is not None
        if waiter.connection is not None:
            return self._lease(waiter.connection, now)
        if waiter.error is not None:
            self.outcome.attempts += isinstance(waiter.error, NetworkError)
            # One failure may be told to many calls, and each adds to it how it stood.
            error = copy(waiter.error)
            error.__cause__ = waiter.error.__cause__
            return self._failed(error, now)
        if now >= self._deadline:
            is_dialled_for = self._pool.is_dialling_for(waiter)
            self.outcome.attempts += is_dialled_for
            self._failure = _timeout("connecting" if is_dialled_for else "waiting for a connection")
            return self._leave(now)
        self.wait_until = self._deadline
        if self._pool.dialer is not None:
            return WAIT
        found = self._pool.dial(now, waiter, self._deadline)
        if isinstance(found, Opening):
            self.opening = found
            self._state = DIAL
            return DIAL
        if isinstance(found, Lookup):
            self.lookup = found
            return LOOKUP
        self.wait_until = min(self._deadline, found)
        return WAIT

    def _leave(self, now: float) -> int:
        assert self._waiter is not None
        unused = self._pool.leave(self._waiter, now)
        if unused is not None:
            self.connection = unused
            return self._close(_SPENT)
        return self._conclude(now)

    def _lease(self, connection: Connection, now: float) -> int:
        self.connection = connection
        if connection.is_past(now):
            return self._close(_STALE)
        self._state = PROBE
        return PROBE

    def _unfit(self, now: float) -> int:
        """The probe found an end, an error or bytes nobody asked for."""
        assert self.connection is not None
        if self.connection.has_rested:
            # After a restart of the gateway all are dead: the next one is taken at once, and that is no attempt.
            return self._close(_STALE)
        self.outcome.attempts += 1
        return self._broken(ConnectionEnded("the server closed the new connection before the request"))

    # The exchange

    def _begin(self, now: float) -> int:
        connection = self.connection
        assert connection is not None
        if now >= self._deadline:
            self._failure = _timeout("waiting for a connection")
            return self._give_back(connection, now)
        try:
            connection.channel.send_request(self._request)
        except SmswireError as error:
            return self._broken(error)
        connection.begin_request()
        self.outcome.attempts += 1
        self.wait_until = self._deadline
        self._state = WRITE
        return WRITE

    def _resume(self) -> int:
        self.wait_until = self._deadline
        return self._state

    def _settle(self, connection: Connection, now: float) -> None:
        assert connection.grant is not None
        self._pool.settle(connection.grant, connection.address, now)
        connection.grant = None

    def _answered(self, response: Response, now: float) -> int:
        connection = self.connection
        assert connection is not None
        self.response = response
        self._failure = None
        self._unaccounted = False
        self.outcome.status = response.status
        reusable = connection.channel.reusable
        self._verdict = judge_response(response, reusable=reusable, repeatable=self._repeatable)
        return self._give_back(connection, now) if reusable else self._close(_SPENT)

    def _give_back(self, connection: Connection, now: float) -> int:
        connection.owner = self
        self._state = _GIVING
        self.connection = self._pool.give(connection, now)
        return self._conclude(now) if self.connection is None else self._close(_SPENT)

    def _broken(self, error: SmswireError) -> int:
        """The exchange cannot be finished; what it came to is told by the bytes handed over."""
        # The first thing that went wrong is what happened; what a read after a failed write adds is an echo.
        self._failure = self._failure or error
        self._verdict = judge_failure(self._failure, handed=self._has_handed(), repeatable=self._repeatable)
        self._unaccounted = False
        return self._close(_BROKEN)

    def _account(self) -> None:
        """The system call under way has ended: the channel knows what has left."""
        assert self.connection is not None
        self._unaccounted = False
        if not self.connection.channel.handed:
            self.outcome.sent = self._known

    def _has_handed(self) -> bool:
        """Whether anything has left, as far as is known."""
        # Before WRITE the channel still counts the request before this one.
        assert self.connection is not None
        return self._unaccounted or (self._state in (WRITE, READ, DRAIN) and self.connection.channel.handed > 0)

    def _close(self, why: int) -> int:
        self._closing = why
        self._state = CLOSE
        return CLOSE

    # The verdict

    def _failed(self, error: SmswireError, now: float) -> int:
        """An attempt failed before there was a connection to send on."""
        self._failure = error
        self._verdict = judge_failure(error, handed=False, repeatable=self._repeatable)
        return self._conclude(now)

    def _conclude(self, now: float) -> int:
        """Tries again, or ends the call."""
        verdict = self._verdict
        outcome = self.outcome
        if verdict.sent is _YES or (verdict.sent is _MAYBE and self._known is _NO):
            self._known = verdict.sent
        outcome.sent = self._known
        if verdict.again and not self._abandoned and outcome.attempts < MAX_ATTEMPTS:
            delay = backoff(max(1, outcome.attempts), self._draw())
            if verdict.delay is not None:
                delay = max(delay, verdict.delay)
            if now + delay < self._deadline:
                self._signal.arm()
                self.wait_until = now + delay
                self._state = _BACKING_OFF
                return WAIT
        if self.response is None and self._failure is not None:
            self.error = error = self._failure
            error.sent = outcome.sent
            error.attempts = outcome.attempts
        self._state = DONE
        return DONE


def _timeout(phase: str) -> Timeout:
    return Timeout(f"the deadline passed while {phase}", phase=phase)
