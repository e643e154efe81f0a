"""A whole world from one seed: weather, network, gateway, names, two pools, and the calls they make.

Everything random comes from ``Random(weather.seed)``; the same weather gives the same world, event by event.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from smswire.errors import Sent
from smswire.flow.dialing import Address
from smswire.flow.pacing import Pacing

from .calls import Call
from .clock import Clock
from .gateway import Gateway, Manners
from .names import Names
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
    buffer: int = 65_536
    max_requests: int = 500
    idle: float = 3.0  # seconds after which the gateway closes
    is_known: bool = True  # the pool knows that time
    hangs_up: float = 0.0  # share of answers that say "Connection: close"
    delays: tuple[float, ...] = (0.0, 0.001, 0.02, 0.15)  # seconds one way
    late: float = 0.0  # most seconds by which a task runs late
    eager: float = 0.0  # share of wake-ups after which the woken task runs first
    closes: bool = False  # one pool is closed on the way


class World:
    """The world of one weather. ``run`` lives it through to the end, when all calls have ended and all is closed."""

    def __init__(self, weather: Weather) -> None:
        self.weather = weather
        self.random = random = Random(weather.seed)
        self.clock = clock = Clock(random)
        self.network = Network(clock, random, breaks=weather.breaks, partial=weather.partial, buffer=weather.buffer)
        manners = Manners(
            trouble=weather.trouble,
            thinks=0.05,
            max_requests=weather.max_requests,
            idle=weather.idle,
            greets=weather.trouble / 4,
            hangs_up=weather.hangs_up,
            announces=weather.is_known and random.random() < 0.3,
        )
        self.gateway = Gateway(clock, random, manners)
        accept = self.gateway.accept
        self.network.accept = (lambda far: Secure(far, random, accept)) if weather.tls else accept
        self.pacing = Pacing(weather.limit)
        self.calls: list[Call] = []
        self.gateway.acts = self._check_outcome
        addresses = [Address(AF_INET, (f"127.0.0.{number}", 80)) for number in range(1, weather.addresses + 1)]
        for address in addresses:
            self.network.routes[address] = self._route()
        names = Names(clock, random, addresses, takes=0.1, fails=weather.names)
        self.clients = [
            Client(
                clock,
                random,
                self.network,
                names,
                self.pacing,
                late=self._late,
                dials=weather.dials,
                tls=client_tls() if weather.tls else None,
                max_connections=weather.connections,
                max_requests=weather.max_requests,
                idle_timeout=(weather.idle if weather.is_known else 3.0) * 2.5 / 3,
            )
            for _ in range(2)
        ]

    def run(self) -> World:
        """Lives it through."""
        weather, random, clock = self.weather, self.random, self.clock
        begin = clock.now
        # Threads may be switched wherever the pool's lock is released; an event loop's tasks are not.
        clock.eager = weather.eager if weather.dials else 0.0
        clock.quiet = self._look_for_lost_wake_ups
        for number in range(weather.calls):
            self._plan(number, begin + weather.span * random.random())
        for _ in range(weather.restarts):
            clock.at(begin + 2 * weather.span * random.random(), self._restart)
        if weather.moods:
            for route in self.network.routes.values():
                self._change_mood(route)
        if weather.closes:
            clock.at(begin + 2 * weather.span * random.random(), lambda: self._close(self.clients[0]))
        # Patience: by then every call has ended by itself.
        clock.at(begin + weather.span + weather.timeout + 5.0, self._close_all)
        clock.run()
        return self

    def _check_outcome(self, target: str) -> None:
        """``outcome`` is never behind, not even while the request is under way."""
        call = next(call for call in self.calls if call.target == target)
        assert call.outcome.sent is not Sent.NO, f"{target}: acted upon, and NO in that moment"

    # Plans

    def _plan(self, number: int, at: float) -> None:
        weather, random = self.weather, self.random
        size = random.choice((0, 1, 100, 5000))
        timeout = weather.timeout
        if random.random() < weather.impatient:
            timeout *= random.random() ** 3 + 1e-6
        call = Call(f"/call-{number}/{size}", b"x" * size, timeout, repeatable=random.random() < weather.repeatable)
        self.calls.append(call)
        client = random.choice(self.clients)
        if random.random() < weather.interrupted:
            if random.random() < 0.5:
                call.interrupt_at_point = random.randint(1, 12)
            else:
                self.clock.at(at + 2 * random.random() ** 3, lambda: client.interrupt(call))
        self.clock.at(at, lambda: client.start(call))

    def _route(self) -> Route:
        random, weather = self.random, self.weather
        delay = random.choice(weather.delays)
        return Route(delay, delay * random.random(), weather.loss, weather.hold)

    def _late(self) -> float:
        late = self.weather.late
        return late * self.random.random() if late and self.random.random() < 0.3 else 0.0

    # What happens

    def _restart(self) -> None:
        """The gateway restarts: for a moment nobody answers at the old door."""
        self.gateway.restart()
        for route in self.network.routes.values():
            if route.mood is Mood.OPEN:
                self._be(route, Mood.REFUSING, self.random.random())

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

    def _close_all(self) -> None:
        for client in self.clients:
            # Once each: a second close would clear away what the first has left.
            if not client.is_closed:
                self._close(client)

    def _look_for_lost_wake_ups(self) -> None:
        if not self.clock.due and self.random.random() < 0.25:
            for client in self.clients:
                client.check_wake_ups()
