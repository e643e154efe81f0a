"""A pool and a call that tell what happens to them: ``Pool`` and ``Dispatch`` with notes taken beside.

A client without ``on_event`` never loads this module, and its pool and calls are of the plain classes: to be observable
costs nothing.

*Noting* and *telling* are two things. What happens is noted where it happens, in the midst of a step and under a
runtime's lock: that calls nobody. It is told, in the order of the notes, where nothing is half done: behind each step
of a call. How either is done is the ``Observer``'s affair, which the runtime makes. So whatever an ``on_event`` does or
raises, it is as though it came between two steps.

An ending is noted once: what is known of an opening or a connection is forgotten as its end is noted.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from ..errors import ConnectError, SmswireError
from ..events import (
    Answered,
    CallEnded,
    CallStarted,
    ConnectionDied,
    ConnectionOpened,
    ConnectionRetired,
    DialFailed,
    Event,
    OpeningAbandoned,
    OpeningGivenBack,
    OpeningSettled,
    OpeningStarted,
    Reason,
    RequestSent,
    Waited,
)
from ..wire.message import Request, Response
from .connection import Connection
from .dialing import Address, Opening
from .dispatch import _BACKING_OFF, _BROKEN, _STALE, _TAKING, DIAL, DONE, DRAIN, PROBE, READ, WRITE, Dispatch, Signal
from .pacing import Grant
from .pool import Lookup, Pool, Waiter
from .retry import Outcome

_P = TypeVar("_P", bound=Pool)

_GIVEN_UP = "the call was given up"


class Observer:
    """Where events go; one a client.

    Args:
        note: takes an event down, at any point, under any lock; raises nothing.
        tell: calls ``on_event`` with what this thread has noted. It may raise what is no ``Exception``.
        clock: the time of the runtime's steps.

    Attributes:
        next_call_id, next_connection_id: give the numbers.
    """

    __slots__ = ("clock", "next_call_id", "next_connection_id", "note", "tell")

    def __init__(self, note: Callable[[Event], object], tell: Callable[[], object], clock: Callable[[], float]) -> None:
        self.note = note
        self.tell = tell
        self.clock = clock
        self.next_call_id: Callable[[], int] = count(1).__next__
        self.next_connection_id: Callable[[], int] = count(1).__next__


class _Dial:
    """An opening under way: when it began, and the number of each address it tried."""

    __slots__ = ("began_at", "ids")

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.ids: dict[Address, int] = {}


class _Life:
    """What is known of an open connection: its number, since when, and why it is to go."""

    __slots__ = ("error", "id", "opened_at", "reason")

    def __init__(self, id: int, opened_at: float) -> None:
        self.id = id
        self.opened_at = opened_at
        self.reason: Reason | None = None
        self.error = _GIVEN_UP


class ObservedPool(Pool):
    """A ``Pool`` that notes what becomes of openings and connections; ``observed`` makes one of a runtime's.

    An interrupt may come before something is known here: then its end is not noted either.
    """

    def __init__(self, observer: Observer, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.observer = observer
        # Weak, as in ``Pacing``: a grant that an interrupt has lost must not be kept.
        self._ids: WeakKeyDictionary[Grant, int] = WeakKeyDictionary()
        self._dials: dict[Opening, _Dial] = {}
        self._lives: dict[Connection, _Life] = {}

    def id_of(self, connection: Connection) -> int:
        """The number of an open connection."""
        return self._lives[connection].id

    def will_retire(self, connection: Connection, reason: Reason) -> None:
        """Why it is being closed, where the pool cannot see that itself."""
        life = self._lives.get(connection)
        if life is not None:
            life.reason = reason

    def will_die(self, connection: Connection, error: SmswireError) -> None:
        """What broke it. Without that, its call was given up."""
        life = self._lives.get(connection)
        if life is not None:
            life.error = error.message

    # Openings

    def dial(self, now: float, waiter: Waiter | None = None, deadline: float = math.inf) -> Opening | Lookup | float:
        found = super().dial(now, waiter, deadline)
        if isinstance(found, Opening):
            assert found._grant is not None
            self._started(found, found.address, found._grant)
        return found

    def ask_for_race(self, opening: Opening, address: Address, now: float) -> Grant | float:
        granted = super().ask_for_race(opening, address, now)
        if isinstance(granted, Grant):
            self._started(opening, address, granted)
        return granted

    def settle(self, grant: Grant, address: Address, now: float) -> None:
        super().settle(grant, address, now)
        self._ended(OpeningSettled, grant, now)

    def give_back(self, grant: Grant, address: Address) -> None:
        super().give_back(grant, address)
        self._ended(OpeningGivenBack, grant, self.observer.clock())

    def _abandon(self, grant: Grant, address: Address, now: float) -> None:
        super()._abandon(grant, address, now)
        self._ended(OpeningAbandoned, grant, now)

    def failed(self, opening: Opening, error: SmswireError) -> None:
        super().failed(opening, error)
        dial = self._dials.pop(opening, None)
        if dial is not None:
            now = self.observer.clock()
            ids = tuple(dial.ids.values())
            self.observer.note(DialFailed(now, ids, now - dial.began_at, type(error).__name__, _in_words(error)))

    def _started(self, opening: Opening, address: Address, grant: Grant) -> None:
        dial = self._dials.setdefault(opening, _Dial(grant.at))
        self._ids[grant] = dial.ids[address] = number = self.observer.next_connection_id()
        self.observer.note(OpeningStarted(grant.at, number, str(address)))

    def _ended(
        self, kind: type[OpeningSettled | OpeningAbandoned | OpeningGivenBack], grant: Grant, now: float
    ) -> None:
        number = self._ids.pop(grant, None)
        if number is not None:
            self.observer.note(kind(now, number, now - grant.at))

    # Connections

    def opened(self, opening: Opening, connection: Connection, now: float) -> Connection | None:
        unwanted = super().opened(opening, connection, now)
        dial = self._dials.pop(opening)
        number = dial.ids[connection.address]
        self._lives[connection] = _Life(number, now)
        address, round_trip = str(connection.address), connection.round_trip
        self.observer.note(ConnectionOpened(now, number, address, round_trip, now - dial.began_at))
        return unwanted

    def handle_idle(self, connection: Connection, news: bytes | OSError, now: float) -> bool:
        is_ended = super().handle_idle(connection, news, now)
        if is_ended:
            self.will_retire(connection, Reason.ENDED_WHILE_IDLE)
        return is_ended

    def drop(self, connection: Connection, now: float, *, dead: bool) -> None:
        super().drop(connection, now, dead=dead)
        life = self._lives.pop(connection, None)
        if life is None:
            return
        seconds = now - life.opened_at
        if dead:
            self.observer.note(ConnectionDied(now, life.id, life.error, connection.requests, seconds))
        else:
            reason = life.reason or self._reason(connection, now)
            self.observer.note(ConnectionRetired(now, life.id, reason, connection.requests, seconds))

    def _reason(self, connection: Connection, now: float) -> Reason:
        if self._closed:
            return Reason.CLIENT_CLOSED
        if connection.requests_left <= 0:
            return Reason.LAST_REQUEST
        if now >= connection.retire_at:
            return Reason.AGE
        return Reason.IDLE if now >= connection.idle_until else Reason.GIVEN_UP


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
        words = _GIVEN_UP if error is None and status is None else None
        return CallEnded(
            now,
            self._call_id,
            self._request.call,
            outcome.sent,
            status,
            outcome.attempts,
            now - self._started_at,
            None if error is None else type(error).__name__,
            words if error is None else _in_words(error),
        )


def observed(kind: type[_P], observer: Observer) -> Callable[..., _P]:
    """The pool of a runtime, observed: takes what that takes."""
    made = _kinds.get(kind) or _kinds.setdefault(kind, type(f"Observed{kind.__name__}", (ObservedPool, kind), {}))
    return partial(made, observer)


_kinds: dict[type[Pool], Any] = {}


def _in_words(error: SmswireError) -> str:
    """What happened, without the place, which the event has itself, and without advice."""
    if isinstance(error, ConnectError) and error.failures:
        tried = "; ".join(f"{address}: {reason}" for address, reason in error.failures)
        return f"{error.message} [{tried}]"
    return error.message
