"""A pool with two places, its pacing rule with two slots, and three calls; the laws are those of ``tests.flow``.

Two ways to use a pool are walked. Under asyncio the dials are the pool's own, and what happens is a callback at a time.
With threads calls dial for themselves, and a step is one method of the pool: between any two, others come by.
What goes on in one ``Opening.next_step`` is one step. All is over plain http, so that connected is ready.

Times are multiples of a quarter second, and time passes from one instant at which something is due to the next.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator

from smswire.errors import Closed
from smswire.flow.connection import Connection
from smswire.flow.dialing import CLOSE, CONNECT, OPENED, WATCH, Address, Opening
from smswire.flow.pacing import Grant, Pacing
from smswire.flow.pool import Lookup, Pool
from smswire.wire.channel import Channel
from tests.flow.kit import HOST, Bell
from tests.flow.pool_world import PASSING, PERMANENT, REFUSED, UNREACHABLE, Caller, World, has_reason

from .judge import Judge
from .pool_print import fingerprint_of_world
from .walk import Operation

LIMIT, WINDOW, MARGIN, LAG = 2, 1.0, 0.25, 0.5
CONNECT_TIMEOUT, IDLE_TIMEOUT = 1.0, 1.5
CALLERS = 3
HOW_CONNECT = ("waits", "raises", "is refused at once")


def new_channel() -> Channel:
    return Channel(HOST)


def draw() -> float:
    return 0.5


class Call(Caller):
    """A call from before it joins until it has a connection: ``to_do`` is its next step, if it has one of its own."""

    def __init__(self, world: PoolWorld, *, head: bool) -> None:
        super().__init__(world)
        self.head = head
        self.to_do: str | None = "joins"

    def wake(self) -> None:
        self.rung = True


class PoolWorld(World):
    """One pool. ``owned`` are the dials if they are the pool's; ``calls`` is how many may begin in all."""

    def __init__(self, addresses: list[Address], *, owned: bool, known: bool, calls: int, kind: type[Pool]) -> None:
        pacing = Pacing(LIMIT, window=WINDOW, margin=MARGIN, lag=LAG, spacing=0.0)
        pool = kind(
            pacing,
            new_channel,
            draw,
            max_connections=2,
            connect_timeout=CONNECT_TIMEOUT,
            max_requests=1_000_000,
            max_age=math.inf,
            idle_timeout=IDLE_TIMEOUT,
        )
        super().__init__(pool, addresses, owned=owned)
        if known:
            pool.addresses.replace(addresses, math.inf)
        if owned:
            pool.dialer = self.dialer.wake
            self.dialer_told = math.inf
        self.judge = Judge(LIMIT, WINDOW, LAG)
        self.calls_left = calls
        self.joining: list[Call] = []
        self.to_close: list[Connection] = []
        self.busy: dict[Opening, bool] = {}  # openings whose next step is due, where threads take steps
        self.bells: dict[Opening, Bell] = {}
        self.rested = Bell()
        self.how_connect = "waits"

    # What may happen

    def operations(self) -> Iterator[Operation]:
        yield from self.operations_of_calls()
        yield from self.operations_of_connections()
        yield from self.operations_of_openings()
        for index in range(len(self.lookups)):
            yield from (("lookup", index, answer) for answer in ("is answered", "fails", "fails for good"))
        if self.soonest() < math.inf:
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
        if self.joining:
            yield from (("joining", index, what) for index in range(len(self.joining)) for what in ("joins", "goes"))
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
                caller = self.joining.pop(what[0])
                if what[1] == "joins":
                    self.join(caller)
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
                self.answer(self.lookups[what[0]], {"fails": PASSING, "fails for good": PERMANENT}.get(what[1]))
            case "the pool closes":
                self.close()
            case "the pool ends":
                self.end()
        self.check()

    # Calls

    def begin(self, *, head: bool) -> None:
        """``take``; under asyncio nothing comes between that and ``join``."""
        connection = self.pool.take(self.now)
        if connection is not None:
            self.hold(connection)
            return
        caller = Call(self, head=head)
        self.joining.append(caller)
        if self.owned:
            self.join(self.joining.pop())

    def join(self, caller: Call) -> None:
        caller.to_do = None
        try:
            connection = self.pool.join(caller.waiter, self.now, head=caller.head)
        except Closed:
            assert self.closed
            return
        self.queue.insert(0 if caller.head else len(self.queue), caller)
        if connection is not None:
            assert connection is caller.waiter.connection
            caller.was_served = caller.rung = True
        elif self.owned:
            caller.told = math.inf

    def do_queued(self, caller: Call, what: str) -> None:
        if what == "looks":
            self.look(caller)
        elif what == "dials":
            caller.to_do = None
            caller.told = self.found(self.pool.dial(self.now, caller.waiter), caller)
        elif what == "gives up":
            self.pool.forget_lookup(caller.waiter)
            caller.told, caller.to_do = None, "leaves"
            if self.owned:
                self.leave(caller)
        else:
            self.leave(caller)

    def look(self, caller: Call) -> None:
        """What ``Dispatch`` does when it is woken; if there is nothing, it dials in a step of its own."""
        caller.arm()
        connection = caller.waiter.connection
        if connection is not None:
            self.queue.remove(caller)
            self.hold(connection)
        elif caller.waiter.error is not None:
            self.queue.remove(caller)
        elif not self.owned:
            caller.told = None
            caller.to_do = "dials"

    def leave(self, caller: Call) -> None:
        self.queue.remove(caller)
        connection = self.pool.leave(caller.waiter, self.now)
        if connection is not None:
            assert self.closed
            self.hands.append(connection)
            self.must_close(connection)

    # Connections

    def do_connection(self, connection: Connection, what: str) -> None:
        if what == "is closed":
            self.drop(connection, dead=False)
        elif what == "is heard of":
            self.hear(connection)
        elif what == "breaks":
            self.drop(connection, dead=True)
        elif what == "is found stale":
            self.hear(connection)
            self.drop(connection, dead=False)
            self.check_book()
            self.begin(head=True)
        else:
            if what == "is given back used":
                connection.begin_request()
            self.hands.remove(connection)
            past = self.pool.give(connection, self.now)
            if past is not None:
                self.hold(past)
                self.must_close(past)

    def hear(self, connection: Connection) -> None:
        """The far end has spoken."""
        self.judge.settle(connection.transport, self.now)
        self.settle(connection)

    def drop(self, connection: Connection, *, dead: bool) -> None:
        if connection in self.to_close:
            self.to_close.remove(connection)
        self.judge.close(connection.transport, self.now)
        super().drop(connection, dead=dead)

    def must_close(self, connection: Connection) -> None:
        """It is in hand to be closed; under asyncio that is done at once."""
        self.to_close.append(connection)
        if self.owned:
            self.drop(connection, dead=False)

    def end_idle(self, connection: Connection) -> None:
        """The far end closes while nobody uses it."""
        self.judge.settle(connection.transport, self.now)
        assert self.pool.handle_idle(connection, b"", self.now)
        self.hold(connection)
        self.must_close(connection)

    # Openings

    def found(self, found: Opening | Lookup | float, caller: Caller | None) -> float:
        if isinstance(found, float):
            assert found > self.now, f"told {found} at {self.now}"
            return found
        if isinstance(found, Lookup):
            self.lookups.append(found)
            return self.now
        waiting = sum(other.is_waiting for other in self.queue)
        self.openings[found] = caller
        own = sum(caller is None for caller in self.openings.values())
        assert caller is not None or own <= waiting, "more openings than calls that wait"
        self.bells[found] = Bell()
        found.wake = self.bells[found].wake
        if caller is not None:
            self.queue.remove(caller)
        self.go_on(found)
        return self.now

    def ask_until_told(self) -> None:
        self.dialer.arm()
        while (told := self.found(self.pool.dial(self.now), None)) <= self.now:
            pass
        self.dialer_told = told

    def do_opening(self, opening: Opening, what: str, detail: object = None) -> None:
        if what == "goes on":
            self.how_connect = str(detail)
            self.bells[opening].arm()
            if not self.owned:
                self.take_step(opening)
                return
        elif what == "abandon":
            opening.abandon(self.now)
        else:
            address = list(opening.attempts)[int(str(detail))]
            if what == "connect":
                opening.handle_connected(address, self.now)
            elif what == "refuse":
                self.judge.settle(opening.sockets[address], self.now)
                opening.handle_failed(address, REFUSED, self.now)
            else:
                opening.handle_failed(address, UNREACHABLE, self.now)
        self.go_on(opening)

    def go_on(self, opening: Opening) -> None:
        """Takes its steps until it waits or has ended; a thread takes them one by one."""
        if not self.owned:
            self.busy[opening] = True
            return
        while self.take_step(opening):
            pass

    def take_step(self, opening: Opening) -> bool:
        """One step; whether another follows at once."""
        step = opening.next_step(self.now)
        self.busy[opening] = step in (CONNECT, CLOSE)
        if step == CONNECT:
            self.connect(opening)
        elif step == CLOSE:
            self.judge.close(opening.sockets[opening.address], self.now)
            opening.handle_closed(opening.address, self.now)
        elif step != WATCH:
            self.finish_opening(opening, is_open=step == OPENED)
        return self.busy.get(opening, False)

    def connect(self, opening: Opening) -> None:
        address = opening.address
        socket = opening.sockets[address] = self.judge.begin(self.now)
        if self.how_connect == "raises":
            self.judge.withdraw(socket)
            opening.handle_failed_at_once(address, UNREACHABLE, self.now)
        elif self.how_connect == "is refused at once":
            self.judge.settle(socket, self.now)
            opening.handle_failed_at_once(address, REFUSED, self.now)

    def finish_opening(self, opening: Opening, *, is_open: bool) -> None:
        caller = self.openings.pop(opening)
        del self.busy[opening], self.bells[opening]
        if not is_open:
            assert opening.error is not None
            self.pool.failed(opening, opening.error)
            return
        connection = opening.connection
        assert connection is not None
        connection.transport = opening.sockets[opening.address]
        mine = self.pool.opened(opening, connection, self.now)
        assert (mine is None) == (caller is None and not self.closed)
        if mine is not None:
            self.hands.append(mine)
            if caller is None:
                self.must_close(mine)

    # The end

    def close(self) -> None:
        self.closed = True
        for connection in self.pool.close(self.rested.wake):
            self.hold(connection)
            self.drop(connection, dead=False)
        if self.owned:
            for opening in list(self.openings):
                opening.abandon(self.now)
                self.go_on(opening)

    def end(self) -> None:
        """Sockets are shut down, and whoever waits is woken."""
        self.pool.end()
        for opening in self.openings:
            self.busy[opening] = True

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
        assert not (self.joining or self.queue or self.openings or self.hands), "somebody waits for ever"
        if not self.closed:
            self.close()
        assert self.pool.is_at_rest
        assert self.rested.rung
        assert self.pool._pacing.stats(self.now).unsettled == 0

    def due(self) -> Iterator[Operation]:
        """What somebody has reason to do, and what the network does sooner or later; time passes if nothing else."""
        passing = {
            "gives up",
            "times out",
            "goes",
            "is found stale",
            "is given back unused",
            "breaks",
            "abandon",
            "ends",
        }
        failing = {"fails", "fails for good", "refuse", "unreachable", "raises", "is refused at once"}
        others = {"a call begins", "the pool closes", "the pool ends", "time passes"}
        for operation in self.operations():
            if not {word for word in operation if isinstance(word, str)} & (passing | failing | others):
                yield operation
        if self.joining or self.queue or self.openings:
            yield from (operation for operation in self.operations() if operation == ("time passes",))

    def fingerprint(self) -> Hashable:
        return fingerprint_of_world(self)
