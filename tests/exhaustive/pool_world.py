"""A pool with two places, its pacing rule with two slots, and three calls: what may happen, and what must hold.

Times are multiples of a quarter second, and time passes from one instant at which something is due to the next.
The laws are those of ``tests.flow``.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from smswire.flow.dialing import Opening
from smswire.flow.pacing import Grant
from tests.flow.pool_world import PASSING, PERMANENT, has_reason

from .pool_print import fingerprint_of_world
from .pool_runtime import LIMIT, PoolRuntime
from .walk import Operation

CALLERS = 3
HOW_CONNECT = ("waits", "raises", "is refused at once")
# What nobody has to do, and what the network may do better.
NOT_DUE = {
    *("a call begins", "the pool closes", "the pool ends", "time passes"),
    *("gives up", "times out", "goes", "abandon", "is given back unused", "is found stale", "breaks", "ends"),
    *("fails", "fails for good", "refuse", "unreachable", "raises", "is refused at once"),
}
DUTIES = {"takes", "joins", "looks", "dials", "leaves", "dialer", "goes on", "is closed"}


class PoolWorld(PoolRuntime):
    """One pool, walked."""

    # What may happen

    def operations(self) -> Iterator[Operation]:
        yield from self.operations_of_calls()
        yield from self.operations_of_connections()
        yield from self.operations_of_openings()
        for index in range(len(self.lookups)):
            yield from (("lookup", index, answer) for answer in ("is answered", "fails", "fails for good"))
        if self.soonest() < math.inf and not (self.punctual and self.is_anybody_due()):
            yield ("time passes",)
        if not self.closed:
            yield ("the pool closes",)
        elif not self.pool.has_ended:
            yield ("the pool ends",)

    def operations_of_calls(self) -> Iterator[Operation]:
        alive = len(self.joining) + len(self.queue) + len(self.hands) - len(self.to_close)
        alive += sum(caller is not None for caller in self.openings.values())
        if self.calls_left and alive < CALLERS and not self.closed:
            yield ("a call begins",)
        for index, caller in enumerate(self.joining):
            yield from (("joining", index, what) for what in (caller.to_do, "goes"))
        for index, caller in enumerate(self.queue):
            if caller.to_do is not None:
                yield "queued", index, caller.to_do
            elif caller.rung or (not self.owned and has_reason(caller, caller.told, self.now)):
                yield "queued", index, "looks"
            if caller.to_do != "leaves":
                yield "queued", index, "gives up"
            if caller.to_do is None and not self.owned:
                yield "queued", index, "times out"

    def operations_of_connections(self) -> Iterator[Operation]:
        for index, connection in enumerate(self.hands):
            if connection in self.to_close:
                yield "connection", index, "is closed"
                continue
            if connection.grant is None:
                yield "connection", index, "is given back used"
            else:
                yield "connection", index, "is heard of"
            yield "connection", index, "is given back unused"
            yield "connection", index, "breaks"
            if not self.closed:
                yield "connection", index, "is found stale"
        if self.owned:
            yield from (("idle", index, "ends") for index in range(len(self.pool._idle)))

    def operations_of_openings(self) -> Iterator[Operation]:
        if self.owned and not self.closed and has_reason(self.dialer, self.dialer_told, self.now):
            yield from (("dialer", how) for how in HOW_CONNECT)
        for index, (opening, caller) in enumerate(self.openings.items()):
            if self.is_due(opening):
                # Whether a connect comes of it shows only then.
                yield from (("opening", index, "goes on", how) for how in HOW_CONNECT[: 3 if opening._order else 1])
            else:
                for place in range(len(opening.attempts)):
                    yield from (("opening", index, what, place) for what in ("connect", "refuse", "unreachable"))
            if caller is not None and opening.error is None:
                yield "opening", index, "abandon"

    def is_due(self, opening: Opening) -> bool:
        """Whether its runtime takes its next step: something came, it was woken, or its time has come."""
        return self.busy.get(opening, False) or self.bells[opening].rung or opening.wait_until <= self.now

    def is_anybody_due(self) -> bool:
        """Whether the runtime has anything to do at once."""
        operations = (*self.operations_of_calls(), *self.operations_of_openings(), *self.operations_of_connections())
        return not DUTIES.isdisjoint(word for operation in operations for word in operation)

    def soonest(self) -> float:
        """The next instant at which something may be due."""
        times = [self.pool.addresses._fresh_until]
        times += [opening.wait_until for opening in self.openings]
        times += [connection.idle_until for connection in (*self.pool._idle, *self.hands)]
        times += [caller.told for caller in self.queue if caller.told is not None]
        times += [lookup.until for lookup in self.lookups]
        times += [self.dialer_told] if self.dialer_told is not None else []
        times += [*self.pool._pacing._settled, *self.pool._pacing._abandoned]
        return min((time for time in times if time > self.now), default=math.inf)

    def do(self, operation: Operation) -> None:
        subject, *what = operation
        self.how_connect = "waits"
        match subject:
            case "time passes":
                self.now = self.soonest()
            case "a call begins":
                self.calls_left -= 1
                self.begin(head=False)
            case "joining":
                caller = self.joining[what[0]]
                if what[1] == "goes":
                    self.joining.remove(caller)
                else:
                    self.do_joining(caller)
            case "queued":
                self.do_queued(self.queue[what[0]], what[1])
            case "connection":
                self.do_connection(self.hands[what[0]], what[1])
            case "idle":
                self.end_idle(self.pool._idle[what[0]])
            case "dialer":
                self.how_connect = what[0]
                self.ask_until_told()
            case "opening":
                self.do_opening(list(self.openings)[what[0]], *what[1:])
            case "lookup":
                lookup = self.lookups[what[0]]
                concerns_all = what[1] == "fails for good" and lookup is self.pool._lookup
                self.answer(lookup, {"fails": PASSING, "fails for good": PERMANENT}.get(what[1]))
                assert not (concerns_all and any(caller.is_waiting for caller in self.queue)), "not all were told"
            case "the pool closes":
                self.close()
            case "the pool ends":
                self.end()
        self.check()

    # What must hold

    def grants_of(self, opening: Opening) -> Iterator[Grant | None]:
        """Between two of its steps it may hold others: one for a connect to come, and those of sockets to close."""
        yield from super().grants_of(opening)
        yield opening._grant
        yield from (attempt.grant for attempt in opening._closing.values())

    def check(self) -> None:
        super().check()
        self.judge.check(self.now)
        stats = self.pool._pacing.stats(self.now)
        assert self.judge.live(self.now) <= stats.live <= LIMIT, "a slot is free too early"
        assert self.rested.rung == (self.closed and self.pool.is_at_rest), "who closes is woken when nothing is left"

    def look_ahead(self) -> Iterator[None]:
        """Everybody acts who has reason to, and nobody else: no call waits for ever, and at the end nothing is left."""
        while (operation := next(self.due(), None)) is not None:
            self.do(operation)
            yield
        left = [*self.joining, *self.queue, *self.openings, *self.hands]
        assert left == [], "somebody waits for ever"
        if not self.closed:
            self.close()
        assert self.pool.is_at_rest
        assert self.rested.rung
        assert self.pool._pacing.stats(self.now).unsettled == 0

    def due(self) -> Iterator[Operation]:
        """What somebody has reason to do, and what the network does sooner or later; time passes if nothing else."""
        for operation in self.operations():
            if NOT_DUE.isdisjoint(operation):
                yield operation
        if self.joining or self.queue or self.openings:
            yield from (operation for operation in self.operations() if operation == ("time passes",))

    def fingerprint(self) -> Hashable:
        return fingerprint_of_world(self)
