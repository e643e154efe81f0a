"""Who gets which connection, who waits, and who goes.

One pool serves one origin. Idle connections are a stack: the one used last goes first, so that the rest may age.
Calls that find none wait in a queue, and the first in the queue that is not itself dialling gets the next connection
that is freed or opened. A place in the pool is held by a connection or by an opening; there are never more than
``max_connections`` of both together, and never more openings than calls that wait.

Rules:

- A grant of a connection is state in its ``Waiter``; the wake-up carries nothing. Every way out of the queue calls
  ``leave``, which passes an unused connection on.
- Whatever makes another dial possible wakes the ``dialer``, or where there is none the head of the queue: it alone
  keeps the pacing clock. While the race of an opening waits for a grant, that opening does so, and is woken instead.
- Counts are ``len()`` of containers; a move adds before it removes.
- News are noted before they come true: an interrupt in between may wake somebody for nothing, but forgets nobody.
- A hand-over names the new holder in the connection, then puts the connection into the holder's hand. So an interrupt
  at any point of it leaves one holder, and ``holds`` says who that is.

The pool has no lock and no clock. A runtime with threads wraps each public method in one lock, and fires the wake-ups
that the method has noted after releasing it (``_fire``); the pacing rule's own lock is only ever taken inside.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from itertools import chain, islice
from typing import Final, NamedTuple, Protocol

from ..errors import Closed, ConfigurationError, NetworkError, PoolFull, ResolutionError, SmswireError
from ..wire.channel import Channel
from .connection import Connection
from .dialing import ATTEMPT_DELAY_S, FAR_END_ERRORS, Address, Addresses, Opening
from .pacing import Grant, Pacing, Waker

# How long the answer of a lookup is used; names change with less warning than that nowhere that matters.
ADDRESSES_FRESH_S: Final = 10.0


class PoolStats(NamedTuple):
    """A pool at one instant, and what it has done: connections ``open`` = ``idle`` + ``busy``; openings under way
    (``dialling``); calls ``waiting``, those that dial themselves included. Then totals: connections ``opened``,
    requests on one that had carried a request before (``reused``), connections ``retired`` in good order or ended by
    the server while they were idle, and those that broke in use (``dead``).
    """

    open: int
    idle: int
    busy: int
    dialling: int
    waiting: int
    opened: int
    reused: int
    retired: int
    dead: int


class Holder(Protocol):
    """Who has a connection in hand: a call, or a ``Waiter``."""

    connection: Connection | None


class Waiter:
    """One call in the queue: what it was given (``connection``, ``opening`` or ``error``), and how to wake it."""

    __slots__ = ("connection", "error", "opening", "wake")

    def __init__(self, wake: Waker) -> None:
        self.wake = wake
        self.connection: Connection | None = None
        self.opening: Opening | None = None
        self.error: SmswireError | None = None


class Lookup:
    """A lookup of the host's addresses under way, given up ``until`` then; ``waiter`` asked for it."""

    __slots__ = ("until", "waiter")

    def __init__(self, until: float, waiter: Waiter | None) -> None:
        self.until = until
        self.waiter = waiter


class Pool:
    """The connections of one origin.

    Calling order for a call: ``take``; if there is none, ``join`` (which looks again), then ``dial`` until the waiter
    has its connection. A ``Lookup`` that ``dial`` returns is answered with ``looked_up`` or ``lookup_failed``; an
    ``Opening`` with ``opened`` or ``failed``. A connection in hand goes back by ``give``, which may
    return one to close, or, once closed, by ``drop``; a waiter that has not been served goes by ``leave``.

    Calls dial for themselves unless the runtime sets ``dialer``: then the pool is its own dialler, and the runtime asks
    ``dial`` without a waiter each time ``dialer`` was called, and at the time it named.

    Args:
        pacing: the rule that says when the next connection may open.
        new_channel: makes the channel of a connection.
        draw: random numbers in [0, 1), for ages and request counts.
        max_connections: the most connections and openings at any time.
        max_waiters: the most calls that may wait.
        connect_timeout: seconds for a lookup, and for an opening with its TLS handshake.
        max_requests: the most requests a connection carries; each is given a number between 80 and 100 % of it.
        max_age: about how many seconds a connection is used (within a tenth).
        idle_timeout: seconds a connection may be idle and still be used, before its round trip is taken off.
    """

    def __init__(
        self,
        pacing: Pacing,
        new_channel: Callable[[], Channel],
        draw: Callable[[], float],
        *,
        max_connections: int = 50,
        max_waiters: int = 10_000,
        connect_timeout: float = 5.0,
        max_requests: int = 500,
        max_age: float = 300.0,
        idle_timeout: float = 2.5,
    ) -> None:
        counts = {"max_connections": max_connections, "max_waiters": max_waiters, "max_requests": max_requests}
        for name, value in counts.items():
            if type(value) is not int or value < 1:
                raise ConfigurationError(f"{name} must be a whole number, at least 1, not {value!r}")
        for name, seconds in (("connect_timeout", connect_timeout), ("max_age", max_age)):
            if not seconds > 0:
                raise ConfigurationError(f"{name} must be more than 0 seconds, not {seconds!r}")
        if not idle_timeout >= 0:
            raise ConfigurationError(f"idle_timeout must be 0 seconds or more, not {idle_timeout!r}")
        self.max_connections = max_connections
        self.max_waiters = max_waiters
        self.connect_timeout = connect_timeout
        self.max_requests = max_requests
        self.max_age = max_age
        self.idle_timeout = idle_timeout
        self.addresses = Addresses(max_unsettled=max(1, pacing.limit // 2))
        self._pacing = pacing
        self._new_channel = new_channel
        self._draw = draw
        self._idle: deque[Connection] = deque()
        self._busy: set[Connection] = set()
        self._openings: set[Opening] = set()
        self._races_due: dict[Opening, None] = {}
        self._waiting: OrderedDict[Waiter, None] = OrderedDict()
        self._diallers: set[Waiter] = set()
        self._lookup: Lookup | None = None
        self.dialer: Waker | None = None
        self._closed = False
        self.has_ended = False
        self._rested: list[Waker] = []
        self._wakes: list[Waker] = []
        self._dial_news = False
        self._opened = self._reused = self._retired = self._dead = 0

    # Connections in hand

    def take(self, now: float, holder: Holder | None = None) -> Connection | None:
        """The idle connection used last, or None. It may be past its time: the call closes it and takes the next."""
        if self._closed:
            raise Closed("the client is closed")
        # Nobody overtakes the queue: while somebody waits there is nothing idle.
        if not self._idle:
            return None
        connection = self._idle[-1]
        self._hand_over(connection, holder)
        self._idle.pop()
        return connection

    _take = take

    def give(self, connection: Connection, now: float) -> Connection | None:
        """Takes a connection back that is ready for another request. What it returns, the caller has to close and
        ``drop``: this very one if it is past its time or the pool is closed, else the one idle for longest if that is.
        """
        connection.rest(now, self.idle_timeout)
        if self._closed or connection.is_past(now):
            return connection
        holder = connection.owner
        self._offer(connection, now)
        past = self._longest_idle_if_past(now, holder)
        self._fire()
        return past

    def holds(self, connection: Connection, holder: Holder) -> bool:
        """After an interrupt in ``take`` or ``give``: whether the connection is the holder's, to be closed and dropped.
        If not, the hand-over that was interrupted is completed.
        """
        is_its_own = self._holds(connection, holder)
        self._fire()
        return is_its_own

    def drop(self, connection: Connection, now: float, *, dead: bool) -> None:
        """Forgets a connection that its owner has closed, ``dead`` or in good order; a second time changes nothing."""
        self._dial_news = True
        is_idle = self._closed and connection in self._idle
        if not is_idle and connection not in self._busy:
            return
        # Before it is forgotten: what an interrupt leaves undone, a second ``drop`` does.
        if connection.grant is not None:
            self._abandon(connection.grant, connection.address, now)
            connection.grant = None
        if is_idle:
            self._idle.remove(connection)
        self._busy.discard(connection)
        self._reused += _uses_again(connection)
        if dead:
            self._dead += 1
        else:
            self._retired += 1
        self._fire()

    def handle_idle(self, connection: Connection, news: bytes | OSError, now: float) -> bool:
        """What an idle connection brought: bytes, none for the end, or an error. Whether it is the runtime's to close
        now, and to ``drop``. What one in somebody's hand brings is for its call to read.
        """
        is_word = not isinstance(news, OSError) or news.errno in FAR_END_ERRORS
        if is_word and connection.grant is not None:
            self.settle(connection.grant, connection.address, now)
            connection.grant = None
        if not isinstance(news, OSError):
            with suppress(SmswireError):
                connection.channel.receive_data(news) if news else connection.channel.receive_eof()
            if connection.channel.reusable:
                return False
        self._busy.add(connection)
        self._idle.remove(connection)
        return True

    # The queue

    def join(self, waiter: Waiter, now: float, *, head: bool = False) -> Connection | None:
        """Enters the queue, at its ``head`` if the call was there already; or is granted an idle connection at once."""
        connection = self._take(now, waiter)
        if connection is not None:
            return connection
        if not head and len(self._waiting) + len(self._diallers) >= self.max_waiters:
            raise PoolFull(f"{self.max_waiters} calls wait for a connection already")
        self._waiting[waiter] = None
        if head:
            self._waiting.move_to_end(waiter, last=False)
        if self.dialer is not None:
            self._dial_news = True
            self._fire()
        return None

    def leave(self, waiter: Waiter, now: float) -> Connection | None:
        """Leaves the queue. A connection granted and not taken goes to the next; once the pool is closed it is
        returned instead, to be closed and dropped.
        """
        connection = waiter.connection
        self._dial_news |= self._is_head(waiter)
        self._waiting.pop(waiter, None)
        if connection is not None and not self._closed:
            if self._holds(connection, waiter):
                self._offer(connection, now)
            waiter.connection = connection = None
        self._fire()
        return connection

    # Dialling

    def dial(self, now: float, waiter: Waiter | None = None, deadline: float = math.inf) -> Opening | Lookup | float:
        """The next opening, whose first ``CONNECT`` has to follow at once; or a lookup to make; or when to ask again.

        With a ``waiter``, only the head of the queue may dial, the connection will be its own, and the opening ends at
        its call's ``deadline``.
        An infinite time means: when woken.
        """
        if not self._may_dial(waiter):
            return math.inf
        if not self.addresses.is_fresh(now):
            return self._look_up(now, waiter)
        if self._races_due or (self._openings and self.addresses.first is None):
            return math.inf
        order = self.addresses.in_order()
        if self.addresses.is_crowded(order[0]):
            return math.inf
        granted = self._pacing.ask(now, self.wake_dialer)
        if isinstance(granted, float):
            return granted
        self.addresses.started(order[0], granted)
        until = min(now + self.connect_timeout, deadline)
        opening = Opening(self, order, granted, self._new_channel, until=until, waiter=waiter)
        if waiter is not None:
            # State in the waiter: an interrupt before the call has the opening in hand does not lose it.
            waiter.opening = opening
        self._openings.add(opening)
        if waiter is not None:
            self._dial_news = True
            self._diallers.add(waiter)
            self._waiting.pop(waiter)
            self._fire()
        return opening

    def opened(self, opening: Opening, connection: Connection, now: float) -> Connection | None:
        """The opening is ready. Its connection is returned if it was dialled for a waiter of its own, and once the pool
        is closed, then to be closed and dropped; else it is offered.
        """
        self._opened += 1
        connection.requests_left = max(1, int(self.max_requests * (0.8 + 0.2 * self._draw())))
        connection.retire_at = now + self.max_age * (0.9 + 0.2 * self._draw())
        is_offered = opening.waiter is None and not self._closed
        if is_offered:
            self._offer(connection, now)
        else:
            self._busy.add(connection)
        self._end(opening)
        self._fire()
        return None if is_offered else connection

    def failed(self, opening: Opening, error: SmswireError) -> None:
        """The opening failed. A permanent failure is everybody's; another is its waiter's, or the first one's."""
        self._end(opening)
        if isinstance(error, NetworkError):
            self.addresses.doubt()
        if opening.waiter is not None:
            self._waiting.pop(opening.waiter, None)
        self._charge(error, self._asked(None) if opening.waiter is None else [])
        self._fire()

    def looked_up(self, lookup: Lookup, addresses: Iterable[Address], now: float) -> None:
        """The lookup's answer, in the resolver's order of preference; not empty."""
        if lookup is self._lookup:
            self._dial_news = True
            self._lookup = None
            self.addresses.replace(addresses, now + ADDRESSES_FRESH_S)
            self._fire()

    def lookup_failed(self, lookup: Lookup, error: ResolutionError) -> None:
        """The lookup failed: the waiter that asked for it is told, or the first; all if the name does not exist."""
        if lookup is self._lookup:
            self._lookup = None
            self._charge(error, self._asked(lookup.waiter))
            self._fire()

    def forget_lookup(self, waiter: Waiter) -> None:
        """The waiter's call is given up, perhaps before it made the lookup it asked for: the next makes its own."""
        if self._lookup is not None and self._lookup.waiter is waiter:
            self._dial_news = True
            self._lookup = None
            self._fire()

    def is_dialling_for(self, waiter: Waiter) -> bool:
        """Whether one of the pool's own openings will be this waiter's, as things stand."""
        return self.dialer is not None and waiter in islice(self._waiting, len(self._openings))

    def wake_dialer(self) -> None:
        """The pacing rule's waker, and anybody's who knows that a dial may have become possible."""
        self._dial_news = True
        self._fire()

    # What an opening, or a connection that has not settled, says of its grant

    def ask_for_race(self, opening: Opening, address: Address, now: float) -> Grant | float:
        """A grant for the next address of a race; until it has one, no other dial begins."""
        if self.addresses.is_crowded(address):
            # It looks again by itself, and keeps nobody from dialling meanwhile.
            self._dial_news = True
            self._races_due.pop(opening, None)
            self._fire()
            return now + ATTEMPT_DELAY_S
        granted = self._pacing.ask(now, self.wake_dialer)
        if isinstance(granted, float):
            self._races_due[opening] = None
        else:
            self._dial_news = True
            self.addresses.started(address, granted)
            self._races_due.pop(opening, None)
            self._fire()
        return granted

    def settle(self, grant: Grant, address: Address, now: float) -> None:
        """The far end has been heard of."""
        self._dial_news = True
        self.addresses.settled(address, grant)
        self._wakes += self._pacing.settle(grant, now)
        self._fire()

    def abandon(self, grant: Grant, address: Address, now: float) -> None:
        """The socket was closed before the far end had been heard of."""
        self._abandon(grant, address, now)
        self._fire()

    def give_back(self, grant: Grant, address: Address) -> None:
        """Nothing left this machine."""
        self._dial_news = True
        self.addresses.settled(address, grant)
        self._wakes += self._pacing.give_back(grant)
        self._fire()

    def answered(self, opening: Opening, address: Address, round_trip: float) -> None:
        """The address answered: it goes first, its opening's race is over, and the others may dial."""
        self._dial_news = True
        self.addresses.answered(address, round_trip)
        self._races_due.pop(opening, None)
        self._fire()

    def overdue(self, address: Address) -> None:
        """A dial to the address passed its delay unanswered."""
        self._dial_news = True
        self.addresses.overdue(address)
        self._fire()

    # Life and numbers

    def close(self, rested: Waker | None = None) -> list[Connection]:
        """Takes no further call; returns the idle connections, to be closed and dropped. Those in use come back
        from ``give`` or end by ``drop``, openings by ``failed``; every waiter is told. ``rested`` is woken when nothing
        is left of it.
        """
        self._closed = True
        if rested is not None:
            self._rested.append(rested)
        self._wakes += self._pacing.forget(self.wake_dialer)
        self._charge(Closed("the client was closed while the call waited for a connection"), list(self._waiting))
        self._fire()
        return list(self._idle)

    def end(self) -> None:
        """After ``close``: calls and openings end at their next step. What sockets say from now on may be this side's
        own doing (the runtime shuts them down, to be heard by who waits for them) and is no word of the far end.
        """
        self.has_ended = True

    @property
    def is_closed(self) -> bool:
        """Whether it takes no further call."""
        return self._closed

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing is open, being opened or waiting."""
        return not (self._idle or self._busy or self._openings or self._waiting)

    def stats(self) -> PoolStats:
        idle, busy = len(self._idle), len(self._busy)
        waiting = len(self._waiting) + len(self._diallers)
        reused = self._reused + sum(map(_uses_again, chain(self._idle, self._busy)))
        return PoolStats(
            idle + busy, idle, busy, len(self._openings), waiting, self._opened, reused, self._retired, self._dead
        )

    # Inside

    def _hand_over(self, connection: Connection, holder: Holder | None) -> None:
        connection.owner = holder
        if holder is not None:
            holder.connection = connection
        self._busy.add(connection)

    def _offer(self, connection: Connection, now: float) -> None:
        while self._waiting:
            waiter = next(iter(self._waiting))
            # One that has a connection already was about to leave the queue when an interrupt came.
            is_served = waiter.connection is not None
            if not is_served:
                self._hand_over(connection, waiter)
            self._wakes.append(waiter.wake)
            self._waiting.pop(waiter)
            self._dial_news = True
            if not is_served:
                return
        if not connection.has_rested:
            connection.rest(now, self.idle_timeout)
        connection.owner = None
        self._idle.append(connection)
        self._busy.discard(connection)

    def _holds(self, connection: Connection, holder: Holder) -> bool:
        if connection in self._idle:
            self._busy.discard(connection)
            return False
        other = connection.owner
        if other is None or other is holder or other.connection is not connection:
            return connection in self._busy
        if isinstance(other, Waiter):
            self._wakes.append(other.wake)
            self._waiting.pop(other, None)
        return False

    def _longest_idle_if_past(self, now: float, holder: Holder | None) -> Connection | None:
        # One at a time, so that no call closes everybody's.
        if not self._idle or not self._idle[0].is_past(now):
            return None
        connection = self._idle[0]
        self._hand_over(connection, holder)
        self._idle.popleft()
        return connection

    def _has_room(self) -> bool:
        return len(self._idle) + len(self._busy) + len(self._openings) < self.max_connections

    def _is_head(self, waiter: Waiter) -> bool:
        return bool(self._waiting) and next(iter(self._waiting)) is waiter

    def _may_dial(self, waiter: Waiter | None) -> bool:
        if self._closed or not self._has_room():
            return False
        return len(self._openings) < len(self._waiting) if waiter is None else self._is_head(waiter)

    def _look_up(self, now: float, waiter: Waiter | None) -> Lookup | float:
        late = self._lookup
        if late is not None and now < late.until:
            return late.until
        self._lookup = Lookup(now + self.connect_timeout, waiter)
        if late is not None:
            error = ResolutionError(f"no answer to the name lookup within {self.connect_timeout:g} s")
            self._charge(error, self._asked(late.waiter))
            self._fire()
        return self._lookup

    def _abandon(self, grant: Grant, address: Address, now: float) -> None:
        self._dial_news = True
        self.addresses.settled(address, grant)
        self._wakes += self._pacing.abandon(grant, now)

    def _end(self, opening: Opening) -> None:
        self._dial_news = True
        self._openings.discard(opening)
        self._races_due.pop(opening, None)
        if self._closed:
            # Its race may have asked since.
            self._wakes += self._pacing.forget(self.wake_dialer)
        if opening.waiter is not None:
            self._diallers.discard(opening.waiter)

    def _asked(self, waiter: Waiter | None) -> list[Waiter]:
        """Whom a failure concerns: the waiter that asked, or the first if it is gone."""
        if waiter is not None and waiter in self._waiting:
            return [waiter]
        return [next(iter(self._waiting))] if self._waiting else []

    def _charge(self, error: SmswireError, waiters: list[Waiter]) -> None:
        if isinstance(error, NetworkError) and error.permanent:
            waiters = list(self._waiting)
        self._dial_news = True
        for waiter in waiters:
            waiter.error = error
            self._wakes.append(waiter.wake)
            self._waiting.pop(waiter)

    def _move_wakes(self, wakes: list[Waker]) -> None:
        """Adds the wake-ups to fire now to ``wakes``: those noted, and that of whom news of dialling concern: the first
        race that waits for a grant, which keeps others from dialling, or the head of the queue if it might dial.
        """
        wakes += self._wakes
        if self._dial_news and self._races_due:
            wakes.append(next(iter(self._races_due)).wake)
        elif self._dial_news and self._waiting and self._has_room():
            wakes.append(self.dialer or next(iter(self._waiting)).wake)
        if self._closed and self.is_at_rest:
            wakes += self._rested
        # Only now: waking twice does no harm.
        self._dial_news = False
        self._wakes.clear()

    def _fire(self) -> None:
        """Fires the wake-ups noted. A runtime with a lock leaves this to what releases it."""
        if self._wakes or self._dial_news or self._closed:
            wakes: list[Waker] = []
            self._move_wakes(wakes)
            self._pacing.fire(wakes)


def _uses_again(connection: Connection) -> int:
    return max(0, connection.requests - 1)
