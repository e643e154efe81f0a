"""The fingerprint of a pool's world: callers by their place in the queue, the rest as sorted descriptions.

Left out is what only counts (totals, requests), and what these pools never reach (ages, requests left).
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from smswire.errors import NetworkError
from smswire.flow.connection import Connection
from smswire.flow.dialing import Address, Attempt, Opening

from .pacing_world import fingerprint_of

if TYPE_CHECKING:
    from .pool_runtime import Call, PoolRuntime


class _Printer:
    """Times from now on: a past one is past, however long."""

    def __init__(self, world: PoolRuntime) -> None:
        self.world = world
        self.now = world.now

    def left(self, time: float | None) -> float | None:
        return None if time is None else max(time - self.now, 0.0)

    def place(self, address: Address | None) -> int | None:
        return None if address is None else self.world.addresses.index(address)

    def way(self, seconds: float) -> float:
        """Of a round trip as long as any wait it makes no difference how long."""
        return min(seconds, max(self.world.pool.idle_timeout, self.world.pool.connect_timeout))

    def connection(self, connection: Connection | None) -> Hashable:
        if connection is None:
            return None
        idle = self.left(connection.idle_until), connection.has_rested, self.way(connection.round_trip)
        return connection.grant is not None, self.place(connection.address), idle

    def call(self, call: Call) -> Hashable:
        waiter = call.waiter
        error = waiter.error is not None
        return call.to_do, call.rung, self.left(call.told), self.connection(waiter.connection), error, call.was_served

    def attempt(self, address: Address, attempt: Attempt) -> Hashable:
        began = self.way(self.now - attempt.started_at), self.way(attempt.connected_at - attempt.started_at)
        is_so = attempt.grant is not None, attempt.is_connected, attempt.answered
        return self.place(address), began, self.left(attempt.due_at), is_so

    def opening(self, opening: Opening) -> Hashable:
        world = self.world
        error = opening.error
        races = list(world.pool._races_due)
        return (
            world.openings[opening] is not None,
            world.busy.get(opening, False),
            world.bells[opening].rung,
            [self.attempt(*item) for item in opening.attempts.items()],
            [self.attempt(*item) for item in opening._closing.items()],
            [self.place(address) for address in opening._order],
            opening._grant is not None,
            [self.left(time) for time in (opening.wait_until, opening._next_due, opening._until)],
            opening.awaits_grant,
            (type(error).__name__, isinstance(error, NetworkError) and error.permanent),
            opening._is_permanent,
            races.index(opening) if opening in races else None,
        )

    def addresses(self) -> Hashable:
        known = self.world.pool.addresses
        of_each = [
            (self.place(address), self.way(known.delay(address)), len(known._unsettled.get(address, ())))
            for address in self.world.addresses
        ]
        order = [self.place(address) for address in known._known]
        return of_each, order, self.place(known.first), self.left(known._fresh_until)

    def lookups(self) -> Hashable:
        world = self.world
        current = world.pool._lookup
        asker: Any = None
        if current is not None:
            asker = [place for place, call in enumerate(world.queue) if call.waiter is current.waiter]
        # Of those not waited for any more, any number is as good as one.
        stale = any(lookup is not current for lookup in world.lookups)
        return asker, current in world.lookups, self.left(current and current.until), stale


def fingerprint_of_world(world: PoolRuntime) -> Hashable:
    printer = _Printer(world)
    pool = world.pool
    return (
        (world.closed, pool.has_ended, world.calls_left, pool._dial_news, world.rested.rung),
        (world.dialer.rung, printer.left(world.dialer_told)),
        sorted((call.head, str(call.to_do)) for call in world.joining),
        [printer.call(call) for call in world.queue],  # type: ignore[arg-type]
        [printer.connection(connection) for connection in pool._idle],
        sorted(repr((printer.connection(one), one in world.to_close)) for one in world.hands),
        sorted(repr(printer.opening(opening)) for opening in world.openings),
        printer.addresses(),
        printer.lookups(),
        fingerprint_of(pool._pacing, world.now, [], world.now),
        world.judge.fingerprint(world.now),
    )
