"""A pool, its callers and its dials in virtual time: the runtime's part, with a book kept beside the pool's own.

A caller acts only when it has reason to: it was woken, its time has come, or it has not asked yet. ``finish`` lets
everybody act by that rule alone, so that whoever was forgotten stands still for good, and shows.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Iterator
from itertools import pairwise

from smswire.errors import NetworkError, ResolutionError, SmswireError
from smswire.flow.connection import Connection
from smswire.flow.dialing import CLOSE, CONNECT, OPENED, WATCH, Address, Opening
from smswire.flow.pacing import Grant
from smswire.flow.pool import Lookup, Pool, Waiter

from .kit import Bell, Ledger, new_pool

REFUSED, UNREACHABLE = OSError(errno.ECONNREFUSED, "refused"), OSError(errno.EHOSTUNREACH, "unreachable")


class Caller(Bell):
    """A call in the queue; ``told`` is the time its last question was answered with, None if it has not asked."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.waiter = Waiter(self.wake)
        self.told: float | None = None
        self.was_served = False

    def wake(self) -> None:
        super().wake()
        self.world.dialer.wake()

    @property
    def is_served(self) -> bool:
        return self.waiter.connection is not None

    @property
    def is_waiting(self) -> bool:
        return not self.is_served and self.waiter.error is None


class World:
    def __init__(self, pool: Pool, addresses: list[Address], *, owned: bool) -> None:
        self.pool, self.addresses, self.owned = pool, addresses, owned
        self.now = 0.0
        self.closed = False
        self.dialer = Bell()
        self.dialer_told: float | None = None
        self.queue: list[Caller] = []
        self.hands: list[Connection] = []
        self.idle: list[Connection] = []
        self.openings: dict[Opening, Caller | None] = {}
        self.lookups: list[Lookup] = []
        self.ended = 0

    @classmethod
    def new(cls, addresses: list[Address], *, known: bool, owned: bool, limit: int, **options: float) -> World:
        pool = new_pool(Ledger(limit=limit, spacing=0.0), addresses if known else [], **options)
        return cls(pool, addresses, owned=owned)

    # Calls

    def hold(self, connection: Connection) -> None:
        """A connection comes into a call's hands; it can be in no others."""
        assert connection not in self.hands
        assert all(caller.waiter.connection is not connection for caller in self.queue)
        if connection in self.idle:
            self.idle.remove(connection)
        self.hands.append(connection)

    def call(self, *, head: bool = False) -> None:
        connection = self.pool.take(self.now)
        if connection is None:
            caller = Caller(self)
            connection = self.pool.join(caller.waiter, self.now, head=head)
            if connection is None:
                self.queue.insert(0 if head else len(self.queue), caller)
                self.dialer.wake()
        if connection is not None:
            assert connection is self.idle[-1]
            self.hold(connection)

    def step(self, caller: Caller) -> None:
        """What ``Dispatch`` does for a call in the queue: look, then ask."""
        if not self.is_given(caller) and not self.owned:
            found = self.pool.dial(self.now, caller.waiter)
            caller.told = self.found(found, caller)

    def is_given(self, caller: Caller) -> bool:
        """Takes what the call was given in the queue, if that was anything: a connection, or an error."""
        caller.arm()
        connection = caller.waiter.connection
        if connection is None and caller.waiter.error is None:
            return False
        self.queue.remove(caller)
        if connection is not None:
            self.hold(connection)
        return True

    def ask_if_owned(self) -> None:
        """The pool's own dialer asks, where there is one."""
        if self.owned:
            self.ask()

    def ask(self) -> None:
        self.dialer.arm()
        self.dialer_told = self.found(self.pool.dial(self.now), None)

    def found(self, found: Opening | Lookup | float, caller: Caller | None) -> float:
        """Does what ``dial`` says; returns when it has to be asked again."""
        if isinstance(found, float):
            assert found > self.now
            return found
        if isinstance(found, Lookup):
            self.lookups.append(found)
        else:
            if caller is not None:
                self.queue.remove(caller)
            self.openings[found] = caller
            self.run(found)
        return self.now

    def leave(self, caller: Caller) -> None:
        self.queue.remove(caller)
        connection = self.pool.leave(caller.waiter, self.now)
        if connection is not None:
            assert self.closed
            self.hands.append(connection)

    def give(self, connection: Connection, *, used: bool) -> None:
        if used:
            connection.begin_request()
            self.settle(connection)
        self.hands.remove(connection)
        past = self.pool.give(connection, self.now)
        if past is None:
            return
        assert past.is_past(self.now) or (self.closed and past is connection)
        assert past is connection or past is self.idle[0]
        self.hold(past)
        self.drop(past, dead=False)

    def drop(self, connection: Connection, *, dead: bool) -> None:
        self.hands.remove(connection)
        self.pool.drop(connection, self.now, dead=dead)
        assert connection.grant is None
        self.ended += 1

    def settle(self, connection: Connection) -> None:
        if connection.grant is not None:
            grant, connection.grant = connection.grant, None
            self.pool.settle(grant, connection.address, self.now)

    def close(self) -> None:
        self.closed = True
        for connection in self.pool.close():
            self.hold(connection)
            self.drop(connection, dead=False)

    # Openings

    def run(self, opening: Opening) -> None:
        """Takes an opening as far as it goes by itself."""
        while (step := opening.next_step(self.now)) in (CONNECT, CLOSE):
            if step == CLOSE:
                opening.handle_closed(opening.address, self.now)
        if step == WATCH:
            return
        caller = self.openings.pop(opening)
        if step == OPENED:
            assert opening.connection is not None
            mine = self.pool.opened(opening, opening.connection, self.now)
            assert (mine is None) == (caller is None and not self.closed)
            if mine is not None:
                self.hands.append(mine)
                if self.closed:
                    self.drop(mine, dead=False)
        else:
            assert opening.error is not None
            self.pool.failed(opening, opening.error)

    def happen(self, opening: Opening, event: str, index: int) -> None:
        if event == "abandon":
            opening.abandon(self.now)
        elif opening.attempts:
            address = list(opening.attempts)[index % len(opening.attempts)]
            if event == "connect":
                opening.handle_connected(address, self.now)
            elif event == "refuse":
                opening.handle_failed(address, REFUSED, self.now)
            elif event == "unreachable":
                opening.handle_failed(address, UNREACHABLE, self.now)
            elif event == "at once":
                opening.handle_failed_at_once(address, UNREACHABLE, self.now)
        self.run(opening)

    def answer(self, lookup: Lookup, error: SmswireError | None) -> None:
        self.lookups.remove(lookup)
        if isinstance(error, ResolutionError):
            self.pool.lookup_failed(lookup, error)
        else:
            self.pool.looked_up(lookup, self.addresses, self.now)

    # Laws

    def check(self) -> None:
        """What holds after every operation."""
        self.check_book()
        self.check_order()
        self.check_wakes()

    def check_book(self) -> None:
        pool, stats = self.pool, self.pool.stats()
        granted = [caller.waiter.connection for caller in self.queue if caller.waiter.connection is not None]
        self.idle = list(pool._idle)
        everywhere = [*self.hands, *granted, *self.idle]
        assert len(set(everywhere)) == len(everywhere)
        waiting = sum(caller.is_waiting for caller in self.queue)
        dialling = [caller for caller in self.openings.values() if caller is not None]
        assert (stats.idle, stats.busy) == (len(self.idle), len(self.hands) + len(granted))
        assert stats.open == stats.idle + stats.busy
        assert stats.dialling == len(self.openings)
        assert stats.open + stats.dialling <= pool.max_connections
        assert stats.waiting == waiting + len(dialling)
        assert stats.waiting <= pool.max_waiters or any(caller.is_waiting for caller in self.queue)
        assert not (stats.idle and waiting)
        assert stats.opened == stats.open + stats.retired + stats.dead
        assert stats.retired + stats.dead == self.ended
        held = [connection.grant for connection in everywhere]
        held += [grant for opening in self.openings for grant in self.grants_of(opening)]
        unsettled = {grant for grant in held if grant is not None}
        assert pool._pacing.stats(self.now).unsettled == len(unsettled)
        assert sum(map(len, pool.addresses._unsettled.values())) == len(unsettled)

    def grants_of(self, opening: Opening) -> Iterator[Grant | None]:
        """The grants an opening holds when it waits."""
        yield from (attempt.grant for attempt in opening.attempts.values())

    def check_order(self) -> None:
        """A connection goes to the first that waits."""
        for before, after in pairwise(self.queue):
            assert not (before.is_waiting and after.is_served and not after.was_served)
        for caller in self.queue:
            caller.was_served |= caller.is_served

    def check_wakes(self) -> None:
        """Who is served has been woken; who could dial now has been woken too, or its time has come."""
        for caller in self.queue:
            assert caller.is_waiting or caller.rung
        waiting = [caller for caller in self.queue if caller.is_waiting]
        if not waiting or not self.could_dial():
            return
        if self.owned:
            assert len(self.openings) >= len(waiting) or has_reason(self.dialer, self.dialer_told, self.now)
        else:
            assert has_reason(waiting[0], waiting[0].told, self.now)

    def could_dial(self) -> bool:
        """Whether a question now would be answered with more than a time."""
        pool, known = self.pool, self.pool.addresses
        if self.closed or pool.stats().open + len(self.openings) >= pool.max_connections:
            return False
        # What a race or a crowd holds back has no use for a lookup yet.
        if self.openings and (known.first is None or pool._races_due):
            return False
        order = known.in_order()
        if order and known.is_crowded(order[0]):
            return False
        has_slot = pool._pacing.stats(self.now).live < pool._pacing.limit
        if not known.is_fresh(self.now):
            # Addresses grow old by themselves: who waits for a slot learns of it when there is one, and loses nothing.
            is_wanted = has_slot or not order
            return is_wanted and (pool._lookup is None or self.now >= pool._lookup.until)
        return has_slot

    # The end

    def finish(self) -> None:
        """Everybody acts who has reason to, until nobody waits; then the pool closes and is at rest."""
        for _ in range(2_000):
            if not self.act():
                break
            self.check()
        assert not self.queue, "somebody waits for ever"
        assert not self.openings
        self.close()
        for connection in list(self.hands):
            self.drop(connection, dead=False)
        self.check()
        assert self.pool.is_at_rest
        assert self.pool._pacing.stats(self.now).unsettled == 0
        assert self.pool.addresses._unsettled == {}

    def act(self) -> bool:
        for caller in self.queue:
            if caller.rung or (not self.owned and has_reason(caller, caller.told, self.now)):
                self.step(caller)
                return True
        if self.hands:
            self.give(self.hands[0], used=True)
            return True
        if self.lookups:
            self.answer(self.lookups[0], None)
            return True
        for opening in self.openings:
            if opening.attempts or opening.wait_until <= self.now:
                self.happen(opening, "connect", 0)
                return True
        waits = any(caller.is_waiting for caller in self.queue)
        if self.owned and waits and has_reason(self.dialer, self.dialer_told, self.now):
            self.ask()
            return True
        times = [opening.wait_until for opening in self.openings]
        if waits:
            times += [self.dialer_told] if self.owned and self.dialer_told is not None else []
            times += [caller.told for caller in self.queue if caller.told is not None]
        soonest = min(times, default=math.inf)
        if soonest == math.inf:
            return False
        self.now = max(self.now, soonest)
        return True


def has_reason(bell: Bell, told: float | None, now: float) -> bool:
    return bell.rung or told is None or told <= now


PERMANENT = ResolutionError("no such name", permanent=True)
PASSING = ResolutionError("try again")
assert isinstance(PERMANENT, NetworkError)
