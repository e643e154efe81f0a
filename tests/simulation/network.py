"""A network that delays, loses, reorders connections, holds them back and breaks them, but keeps bytes in order.

A ``Socket`` is the near end (``near.py``); a ``Far`` is the other, with callbacks. Between them lie two pipes that cut
what goes in into pieces.

The handshake is the kernel's: SYNs are lost and sent again after 1, 2, 4 … s; a connection then waits in the accept
queue, and is accepted later even if it was closed meanwhile. A host that has reset a connection never accepts it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import TYPE_CHECKING, Protocol

from smswire.flow.dialing import Address

from .clock import Clock
from .journal import Fault, Journal

if TYPE_CHECKING:
    from .near import Socket


class Mood(Enum):
    """How the host at an address takes connections."""

    OPEN = auto()
    SILENT = auto()  # a black hole
    REFUSING = auto()
    UNREACHABLE = auto()  # as a router on the way says
    NO_ROUTE = auto()  # as connect() itself says


class Sign(Enum):
    """What travels beside bytes."""

    END = auto()
    RESET = auto()


@dataclass
class Route:
    """The way to one address: seconds one way, seconds of jitter on top, the share of SYNs lost, the mood there, and
    for how long at most a connection waits to be accepted.
    """

    delay: float
    jitter: float = 0.0
    loss: float = 0.0
    hold: float = 0.0
    mood: Mood = Mood.OPEN


class Listener(Protocol):
    """What the far program gives a connection it accepted."""

    @property
    def stage(self) -> Fault: ...

    def receive(self, data: bytes) -> None: ...
    def end(self) -> None: ...
    def lose(self) -> None: ...


class Network:
    """All routes and sockets. ``breaks`` is the share of connections that something happens to, ``buffer`` how many
    bytes a kernel takes before it blocks, ``partial`` the share of sends and deliveries that are cut, ``slow`` that of
    connections on which one side reads slowly.
    """

    def __init__(
        self, clock: Clock, random: Random, journal: Journal, *, breaks: float, partial: float, slow: float, buffer: int
    ) -> None:
        self.clock = clock
        self.random = random
        self.journal = journal
        self.breaks = breaks
        self.partial = partial
        self.slow = slow
        self.buffer = buffer
        self.is_secure = False  # whether what near ends send is TLS
        self.routes: dict[Address, Route] = {}
        self.sockets: list[Socket] = []
        self.accept: Callable[[Far], Listener] | None = None

    def open_sockets(self) -> list[Socket]:
        return [socket for socket in self.sockets if socket.closed_at is None]

    def lapse(self, route: Route) -> float:
        return route.delay + route.jitter * self.random.random()


class Pipe:
    """One direction of a connection: in order, in pieces cut anywhere, until it is stalled; after ``snap_at`` bytes it
    breaks: the rest is lost, and ``snap`` is called.
    """

    def __init__(self, network: Network, route: Route, deliver: Callable[[bytes | Sign], None]) -> None:
        self.in_flight = 0
        self.not_before = 0.0
        self.is_stalled = False
        self.lag = 0.0  # most seconds by which a reader is late for each piece
        self.snap_at: float = math.inf
        self.snap: Callable[[], None] = lambda: None
        self._network = network
        self._route = route
        self._deliver = deliver
        self._queue: deque[bytes | Sign] = deque()

    def put(self, data: bytes) -> None:
        self.in_flight += len(data)
        random = self._network.random
        while len(data) > 1 and random.random() < self._network.partial:
            cut = random.randrange(1, len(data))
            self._network.journal.faults[Fault.CAME_IN_PIECES] += 1
            self._send(data[:cut])
            data = data[cut:]
        self._send(data)

    def sign(self, sign: Sign) -> None:
        self._send(sign)

    def _send(self, item: bytes | Sign) -> None:
        clock = self._network.clock
        self.not_before = max(self.not_before, clock.now + self._network.lapse(self._route))
        if self.lag:
            self.not_before += self.lag * self._network.random.random()
        self._queue.append(item)
        clock.at(self.not_before, self._arrive)

    def _arrive(self) -> None:
        item = self._queue.popleft()
        if self.is_stalled:
            return
        if not isinstance(item, Sign):
            self.in_flight -= len(item)
            self.snap_at -= len(item)
            if self.snap_at < 0:
                item = item[: max(0, len(item) + int(self.snap_at))]
                if item:
                    self._deliver(item)
                snap, self.snap = self.snap, lambda: None
                snap()
                return
        self._deliver(item)


class Far:
    """The far end of a connection: in the accept queue first, then the far program's."""

    def __init__(self, near: Socket, network: Network, route: Route) -> None:
        self.route = route
        self.accepted_at: float | None = None
        self.is_open = True
        self.down = Pipe(network, route, near.receive)
        self._listener: Listener | None = None
        self._near = near
        self._network = network
        self._early: list[bytes | Sign] = []
        hold = route.hold * network.random.random() if network.random.random() < 0.5 else 0.0
        if hold:
            network.journal.fault(Fault.HELD, near)
        network.clock.at(network.clock.now + hold, self._accept)

    @property
    def is_accepted(self) -> bool:
        return self._listener is not None

    def __str__(self) -> str:
        return str(self._near)

    @property
    def stage(self) -> Fault:
        """What a loss of this connection now is a loss in."""
        return Fault.LOST_UNACCEPTED if self._listener is None else self._listener.stage

    def send(self, data: bytes) -> bool:
        """Whether it is on its way."""
        if self.is_open and data:
            self.down.put(data)
        return self.is_open

    def close(self) -> None:
        """The far program closes: what comes from now on is answered by a reset."""
        if self.is_open:
            self.is_open = False
            self.down.sign(Sign.END)

    def reset(self) -> None:
        if self.is_open:
            self.is_open = False
            self.down.sign(Sign.RESET)

    def break_off(self) -> None:
        """The connection breaks: the far program hears of it too."""
        self.is_open = False
        if self._listener is not None:
            self._listener.lose()

    def receive(self, item: bytes | Sign) -> None:
        """What the pipe from the near end brings."""
        if not self.is_open:
            if not isinstance(item, Sign):
                self.down.sign(Sign.RESET)
        elif self._listener is None:
            self._early.append(item)
        elif item is Sign.END:
            self._listener.end()
        elif item is Sign.RESET:
            self.break_off()
        else:
            assert isinstance(item, bytes)
            self._listener.receive(item)

    def _accept(self) -> None:
        if not self.is_open:
            return
        assert self._network.accept is not None
        if self.route.mood is not Mood.OPEN:
            self.reset()
            return
        self.accepted_at = self._network.clock.now
        if self._near.closed_at is not None:
            self._network.journal.fault(Fault.ACCEPTED_CLOSED, self._near)
        self._network.journal.tell(self._near, "is accepted")
        self._listener = self._network.accept(self)
        for item in self._early:
            self.receive(item)
