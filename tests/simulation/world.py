"""A whole world from one seed: weather, network, gateway, names, a process with two pools, and the calls they make.

A process may fork. The child has a pool and a pacing rule of its own, as ``smswire.net`` makes them there, and nothing
of its parent's; the calls that begin later are made by either.

Everything random comes from ``Random(weather.seed)``; the same weather gives the same world, event by event.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random

from smswire.errors import Sent
from smswire.flow.dialing import Address
from smswire.flow.pacing import Pacing

from .calls import Call
from .clock import Clock
from .gateway import Gateway, Manners
from .journal import Fault, Journal
from .names import Names
from .near import Socket
from .network import Mood, Network, Route
from .runtime import Client
from .secure import Secure, client_tls

AF_INET = 2


@dataclass(frozen=True)
class Weather:
    """What kind of world it is. Shares are between 0 and 1; the defaults are a fair day."""

    seed: int = 0
    calls: int = 20
    dials: bool = True  # each call dials for itself; otherwise the pool does
    tls: bool = False
    limit: int = 5  # openings live at a time, over both pools
    connections: int = 4  # of each pool
    addresses: int = 1
    span: float = 1.0  # seconds over which the calls begin
    timeout: float = 60.0  # of the most patient call
    impatient: float = 0.0  # share of calls with much less time
    interrupted: float = 0.0  # share of calls
    repeatable: float = 0.0  # share of calls
    trouble: float = 0.0  # share of requests that the gateway treats oddly
    restarts: int = 0
    breaks: float = 0.0  # share of connections
    loss: float = 0.0  # share of SYNs
    hold: float = 0.0  # most seconds in the accept queue
    moods: float = 0.0  # share of addresses that are dead for a while
    names: float = 0.0  # share of lookups that go wrong
    partial: float = 0.0  # share of sends and deliveries that are cut
    slow: float = 0.0  # share of connections on which one side reads slowly
    buffer: int = 65_536
    max_requests: int = 500
    idle: float = 3.0  # seconds after which the gateway closes
    is_known: bool = True  # the pool knows that time
    hangs_up: float = 0.0  # share of answers that say "Connection: close"
    delays: tuple[float, ...] = (0.0, 0.001, 0.02, 0.15)  # seconds one way
    late: float = 0.0  # most seconds by which a task runs late
    eager: float = 0.0  # share of wake-ups after which the woken task runs first
    closes: bool = False  # one pool is closed on the way
    stops: int = 0  # times the first process stands still, for up to seconds
    leaps: int = 0  # times the wall clock leaps, by up to a year either way
    forks: int = 0
    observed: bool = False  # pools and calls note what happens to them


@dataclass
class Process:
    """One process: its pacing rule, its clients, and what had been opened and had settled when it was made. What its
    parent was still opening then is the parent's: the promise is one of each process.
    """

    pacing: Pacing
    clients: list[Client] = field(default_factory=list)
    inherited: list[Socket] = field(default_factory=list)

    def sockets(self) -> list[Socket]:
        """All that its pacing rule has to answer for."""
        return self.inherited + [socket for client in self.clients for socket in client.all_sockets]


class World:
    """The world of one weather. ``run`` lives it through to the end, when all calls have ended and all is closed."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.random = random = Random(weather.seed)
        self.clock = clock = Clock(random)
        self.journal = journal = Journal(clock)
        self.network = Network(
            clock,
            random,
            journal,
            breaks=weather.breaks,
            partial=weather.partial,
            slow=weather.slow,
            buffer=weather.buffer,
        )
        manners = Manners(
            trouble=weather.trouble,
            thinks=0.05,
            max_requests=weather.max_requests,
            idle=weather.idle,
            greets=weather.trouble / 4,
            hangs_up=weather.hangs_up,
            announces=weather.is_known and random.random() < 0.3,
        )
        self.gateway = Gateway(clock, random, journal, manners)
        accept = self.gateway.accept
        self.network.is_secure = weather.tls
        self.network.accept = (lambda far: Secure(far, random, accept)) if weather.tls else accept
        self.calls: list[Call] = []
        self._stands_until = -math.inf
        self.gateway.acts = self._check_outcome
        addresses = [Address(AF_INET, (f"127.0.0.{number}", 80)) for number in range(1, weather.addresses + 1)]
        for address in addresses:
            self.network.routes[address] = self._route()
        self._names = Names(clock, random, journal, addresses, takes=0.1, fails=weather.names)
        # Threads may be switched wherever the pool's lock is released; an event loop's tasks are not.
        clock.eager = weather.eager if weather.dials else 0.0
        clock.quiet = self._look_for_lost_wake_ups
        clock.switched = lambda: journal.fault(Fault.SWITCHED)
        first = Process(Pacing(weather.limit))
        self.processes = [first]
        first.clients += [self._new_client(first.pacing) for _ in range(2)]

    @property
    def clients(self) -> list[Client]:
        """Those of all processes."""
        return [client for process in self.processes for client in process.clients]

    def run(self) -> World:
        """Lives it through."""
        weather, random, clock = self.weather, self.random, self.clock
        begin = clock.now
        for _ in range(weather.calls):
            self._plan(begin + weather.span * random.random())
        for times, event in (
            (weather.restarts, self.restart),
            (weather.stops, self.stand_still),
            (weather.leaps, self.leap),
            (weather.forks, self.fork),
            (weather.closes, self.close_one),
        ):
            for _ in range(times):
                clock.at(begin + 2 * weather.span * random.random(), event)
        if weather.moods:
            for route in self.network.routes.values():
                self._change_mood(route)
        # Patience: by then every call has ended by itself.
        clock.at(begin + weather.span + weather.timeout + 5.0, self.close_all)
        clock.run()
        return self

    def _check_outcome(self, target: str) -> None:
        """``outcome`` is never behind, not even while the request is under way."""
        call = next(call for call in self.calls if call.target == target)
        assert call.outcome.sent is not Sent.NO, f"{target}: acted upon, and NO in that moment"

    # Plans

    def _plan(self, at: float) -> None:
        call = self.new_call()
        random = self.random
        if random.random() < self.weather.interrupted:
            if random.random() < 0.5:
                call.interrupt_at_point = random.randint(1, 12)
            else:
                self.clock.at(at + 2 * random.random() ** 3, lambda: self.interrupt(call))
        self.clock.at(at, lambda: self.start(call))

    def new_call(self) -> Call:
        """A call that is to be started."""
        weather, random = self.weather, self.random
        number = len(self.calls)
        size = random.choice((0, 1, 100, 5000))
        timeout = weather.timeout
        if random.random() < weather.impatient:
            timeout *= random.random() ** 3 + 1e-6
        call = Call(f"/call-{number}/{size}", b"x" * size, timeout, repeatable=random.random() < weather.repeatable)
        self.calls.append(call)
        return call

    def start(self, call: Call) -> None:
        """Has one of the clients there are begin it."""
        call.client = self.random.choice(self.clients)
        call.client.start(call)

    def interrupt(self, call: Call) -> None:
        """Interrupts it where it waits, if it does."""
        if call.client is not None:
            call.client.interrupt(call)

    def _new_client(self, pacing: Pacing) -> Client:
        weather = self.weather
        return Client(
            self.clock,
            self.random,
            self.network,
            self._names,
            pacing,
            late=self._late,
            dials=weather.dials,
            tls=client_tls() if weather.tls else None,
            observed=weather.observed,
            max_connections=weather.connections,
            max_requests=weather.max_requests,
            idle_timeout=(weather.idle if weather.is_known else 3.0) * 2.5 / 3,
        )

    def _route(self) -> Route:
        random, weather = self.random, self.weather
        delay = random.choice(weather.delays)
        return Route(delay, delay * random.random(), weather.loss, weather.hold)

    def _late(self) -> float:
        late, random = self.weather.late, self.random.random
        if self.clock.now < self._stands_until:
            return self._stands_until - self.clock.now + 0.001 * random()
        if not late or random() >= 0.3:
            return 0.0
        self.journal.faults[Fault.RAN_LATE] += 1
        return late * random()

    # What happens

    def restart(self) -> None:
        """The gateway restarts: for a moment nobody answers at the old door."""
        self.gateway.restart()
        for route in self.network.routes.values():
            if route.mood is Mood.OPEN:
                self._be(route, Mood.REFUSING, self.random.random())

    def stand_still(self) -> None:
        """No task runs for a while: the machine sleeps, or something else has the processor."""
        self.journal.fault(Fault.STOPPED)
        self._stands_until = self.clock.now + self.random.choice((0.05, 2.0, 20.0)) * self.random.random()

    def leap(self) -> None:
        """The wall clock leaps. Nothing on this side has one; answers tell of the gateway's."""
        self.journal.fault(Fault.CLOCK_LEAPT)
        self.gateway.wall += self.random.choice((-1, 1)) * self.random.choice((1.0, 3600.0, 31_536_000.0))

    def fork(self) -> None:
        """A process makes a child."""
        self.journal.fault(Fault.FORKED)
        parent = self.random.choice(self.processes)
        settled = [socket for socket in parent.sockets() if socket.evidence_at is not None]
        child = Process(Pacing(self.weather.limit), inherited=settled)
        child.pacing.restart(self.clock.now)
        child.clients.append(self._new_client(child.pacing))
        self.processes.append(child)

    def close_one(self) -> None:
        """A client is closed, whatever it is at."""
        client = self.clients[0]
        if not client.is_closed:
            self.journal.fault(Fault.CLOSED)
            self._close(client)

    def _change_mood(self, route: Route) -> None:
        random = self.random
        if random.random() < self.weather.moods:
            dead = [mood for mood in Mood if mood is not Mood.OPEN]
            self._be(route, random.choice(dead), 2 * self.weather.span * random.random())
        if self.clock.now < 1000.0 + 2 * self.weather.span:
            again = self.weather.span * (0.1 + random.random())
            self.clock.at(self.clock.now + again, lambda: self._change_mood(route))

    def _be(self, route: Route, mood: Mood, seconds: float) -> None:
        route.mood = mood

        def recover() -> None:
            route.mood = Mood.OPEN

        self.clock.at(self.clock.now + seconds, recover)

    def _close(self, client: Client) -> None:
        client.close(drain=self.random.choice((0.0, 0.1, 5.0)))

    def close_all(self) -> None:
        """Closes what is not closed yet."""
        for client in self.clients:
            # Once each: a second close would clear away what the first has left.
            if not client.is_closed:
                self._close(client)

    def _look_for_lost_wake_ups(self) -> None:
        if not self.clock.due and self.random.random() < 0.25:
            for client in self.clients:
                client.check_wake_ups()
