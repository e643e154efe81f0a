"""A call that tells what happens to it: ``Dispatch`` over an ``ObservedPool``, with notes taken beside.

What is noted within a step is told behind it; see ``observed``.
"""

from __future__ import annotations

from collections.abc import Callable

from ..errors import SmswireError
from ..events import Answered, CallEnded, CallStarted, Reason, RequestSent, Waited
from ..wire.message import Request, Response
from .connection import Connection
from .dispatch import _BACKING_OFF, _BROKEN, _STALE, _TAKING, DIAL, DONE, DRAIN, PROBE, READ, WRITE, Dispatch, Signal
from .observed import GIVEN_UP, ObservedPool, in_words
from .pool import Pool
from .retry import Outcome


class ObservedDispatch(Dispatch):
    """A call of an ``ObservedPool`` that notes what becomes of it, and tells behind each step."""

    __slots__ = ("_asked_at", "_began_at", "_call_id", "_has_ended", "_observer", "_started_at", "_was_to_go_on")

    _pool: ObservedPool

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
        assert isinstance(pool, ObservedPool)
        super().__init__(
            pool, request, deadline=deadline, signal=signal, draw=draw, outcome=outcome, repeatable=repeatable
        )
        self._observer = pool.observer
        self._call_id = outcome.call_id = pool.observer.next_call_id()
        # One that has not started has no end to tell.
        self._has_ended = True
        self._was_to_go_on = False
        self._started_at = self._asked_at = self._began_at = 0.0

    # Steps: as ever, then what they brought is told

    def start(self, now: float) -> int:
        self._started_at = now
        self._has_ended = False
        self._observer.note(CallStarted(now, self._call_id, self._request.call))
        # Told before it has a place in the queue: a slow hook then holds up nobody behind it.
        self._observer.tell()
        return self._told(super().start(now), now)

    def next_step(self, now: float) -> int:
        return self._told(super().next_step(now), now)

    def abandon(self, now: float, error: SmswireError | None = None) -> int:
        self._was_to_go_on = self._was_to_go_on or self._state == _BACKING_OFF
        return self._told(super().abandon(now, error), now)

    def handle_opened(self, connection: Connection, now: float) -> int:
        return self._told(super().handle_opened(connection, now), now)

    def handle_not_opened(self, now: float) -> int:
        return self._told(super().handle_not_opened(now), now)

    def handle_would_block(self, now: float) -> int:
        return self._told(super().handle_would_block(now), now)

    def handle_sent(self, n: int, now: float) -> int:
        step = super().handle_sent(n, now)
        connection = self.connection
        if step == READ and connection is not None:
            size = connection.channel.handed
            number = self._pool.id_of(connection)
            self._observer.note(RequestSent(now, self._call_id, number, self.outcome.attempts, size))
        return self._told(step, now)

    def handle_data(self, data: bytes, now: float) -> int:
        return self._told(super().handle_data(data, now), now)

    def handle_end(self, now: float) -> int:
        return self._told(super().handle_end(now), now)

    def handle_error(self, error: OSError, now: float) -> int:
        return self._told(super().handle_error(error, now), now)

    def handle_closed(self, now: float) -> int:
        return self._told(super().handle_closed(now), now)

    # Inside steps: notes

    def _acquire(self, now: float, *, head: bool) -> int:
        self._asked_at = now
        return super()._acquire(now, head=head)

    def _lease(self, connection: Connection, now: float) -> int:
        has_waited = self._state != _TAKING
        step = super()._lease(connection, now)
        if has_waited and step == PROBE:
            number = self._pool.id_of(connection)
            self._observer.note(Waited(now, self._call_id, number, now - self._asked_at))
        return step

    def _begin(self, now: float) -> int:
        step = super()._begin(now)
        if step == WRITE:
            self._began_at = now
        return step

    def _answered(self, response: Response, now: float) -> int:
        assert self.connection is not None
        number = self._pool.id_of(self.connection)
        size, seconds = len(response.body), now - self._began_at
        self._observer.note(Answered(now, self._call_id, number, response.status, size, seconds))
        return super()._answered(response, now)

    def _close(self, why: int) -> int:
        connection = self.connection
        assert connection is not None
        if why == _BROKEN:
            if self._failure is not None:
                self._pool.will_die(connection, self._failure)
        elif why == _STALE and self._state == PROBE:
            self._pool.will_retire(connection, Reason.ENDED_WHILE_IDLE)
        elif self._state in (WRITE, READ, DRAIN):
            self._pool.will_retire(connection, Reason.NOT_KEPT)
        return super()._close(why)

    def _told(self, step: int, now: float) -> int:
        if step == DONE and not self._has_ended:
            end = self._end_of_call(now)
            self._has_ended = True
            self._observer.note(end)
        # Nobody comes between a grant and its connect(): the runtime tells behind that.
        if step != DIAL:
            self._observer.tell()
        return step

    def _end_of_call(self, now: float) -> CallEnded:
        outcome, error = self.outcome, self.error
        # An answer that was to be asked for again is none that the call returned.
        status = None if self.response is None or self._was_to_go_on else self.response.status
        words = GIVEN_UP if error is None and status is None else None
        return CallEnded(
            now,
            self._call_id,
            self._request.call,
            outcome.sent,
            status,
            outcome.attempts,
            now - self._started_at,
            None if error is None else type(error).__name__,
            words if error is None else in_words(error),
        )
