"""A pool that tells what happens to its openings and connections: ``Pool`` with notes taken beside.

A client without ``on_event`` loads neither this module nor ``observed_dispatch``, which does the same for calls: its
pool and calls are of the plain classes, and to be observable costs nothing.

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
)
from .connection import Connection
from .dialing import Address, Opening
from .pacing import Grant
from .pool import Lookup, Pool, Waiter

_P = TypeVar("_P", bound=Pool)

GIVEN_UP = "the call was given up"


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
        self.error = GIVEN_UP


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
            self.observer.note(DialFailed(now, ids, now - dial.began_at, type(error).__name__, in_words(error)))

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


def observed(kind: type[_P], observer: Observer) -> Callable[..., _P]:
    """The pool of a runtime, observed: takes what that takes."""
    made = _kinds.get(kind) or _kinds.setdefault(kind, type(f"Observed{kind.__name__}", (ObservedPool, kind), {}))
    return partial(made, observer)


_kinds: dict[type[Pool], Any] = {}


def in_words(error: SmswireError) -> str:
    """What happened, without the place, which the event has itself, and without advice."""
    if isinstance(error, ConnectError) and error.failures:
        tried = "; ".join(f"{address}: {reason}" for address, reason in error.failures)
        return f"{error.message} [{tried}]"
    return error.message
