"""How a runtime uses a pool, step by step: the calls, their dials, and the far end's part in them.

Two ways are walked. Under asyncio the dials are the pool's own, and what happens is a callback at a time. With threads
calls dial for themselves, and a step is one method of the pool: between any two, others come by. What goes on in one
``Opening.next_step`` is one step. All is over plain http, so that connected is ready.
"""

from __future__ import annotations

import math

from smswire.errors import Closed
from smswire.flow.connection import Connection
from smswire.flow.dialing import CLOSE, CONNECT, OPENED, WATCH, Address, Opening
from smswire.flow.pacing import Pacing
from smswire.flow.pool import Lookup, Pool
from smswire.wire.channel import Channel
from tests.flow.kit import HOST, Bell
from tests.flow.pool_world import REFUSED, UNREACHABLE, Caller, World

from .judge import Judge

LIMIT, WINDOW, MARGIN, LAG = 2, 0.5, 0.25, 0.25
CONNECT_TIMEOUT, IDLE_TIMEOUT = 0.5, 0.75


def new_channel() -> Channel:
    return Channel(HOST)


def draw() -> float:
    return 0.5


class Call(Caller):
    """A call from before it joins until it has a connection: ``to_do`` is its next step, if it has one of its own."""

    def __init__(self, world: PoolRuntime, *, head: bool) -> None:
        super().__init__(world)
        self.head = head
        self.to_do: str | None = "takes"

    def wake(self) -> None:
        self.rung = True


class PoolRuntime(World):
    """One pool. ``owned`` are the dials if they are the pool's; ``calls`` is how many may begin in all. A ``punctual``
    runtime does what is due before time passes.
    """

    def __init__(
        self, addresses: list[Address], *, owned: bool, known: bool, calls: int, punctual: bool, kind: type[Pool]
    ) -> None:
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
        self.punctual = punctual
        self.joining: list[Call] = []
        self.to_close: list[Connection] = []
        self.busy: dict[Opening, bool] = {}  # openings whose next step is due, where threads take steps
        self.bells: dict[Opening, Bell] = {}
        self.rested = Bell()
        self.how_connect = "waits"

    # Calls

    def begin(self, *, head: bool) -> None:
        """Under asyncio nothing comes between ``take`` and ``join``, nor before them."""
        caller = Call(self, head=head)
        self.joining.append(caller)
        if self.owned or not head:
            self.do_joining(caller)
        if self.owned and caller in self.joining:
            self.do_joining(caller)

    def do_joining(self, caller: Call) -> None:
        """Its next step: to take, then to join."""
        self.joining.remove(caller)
        if caller.to_do == "joins":
            self.join(caller)
            return
        caller.to_do = "joins"
        try:
            connection = self.pool.take(self.now)
        except Closed:
            assert self.closed
            return
        if connection is None:
            self.joining.append(caller)
        else:
            self.hold(connection)

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
        if not self.is_given(caller) and not self.owned:
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
