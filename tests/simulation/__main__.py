"""``python -m tests.simulation 20000``: as many simulated calls in any weather, from seeds 0, 1, 2 …, what became of
them, and how fast. A second number is the first seed.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from random import Random

from .laws import check_all
from .near import Socket
from .world import Weather, World


def weather(seed: int) -> Weather:
    """The weather of one seed: everything at once."""
    draw = Random(seed)

    def share() -> float:
        return draw.choice((0.0, 0.1, 0.5))

    return Weather(
        seed=seed,
        calls=draw.randint(1, 40),
        dials=draw.random() < 0.5,
        tls=draw.random() < 0.1,
        limit=draw.randint(1, 8),
        connections=draw.randint(1, 6),
        addresses=draw.randint(1, 3),
        span=draw.choice((0.01, 1.0, 5.0, 40.0)),
        timeout=draw.choice((5.0, 30.0, 60.0)),
        impatient=share(),
        interrupted=share(),
        repeatable=share(),
        trouble=share(),
        restarts=draw.randint(0, 3),
        breaks=share(),
        loss=share(),
        hold=draw.choice((0.0, 0.05, 2.0, 8.0)),
        moods=share(),
        names=share(),
        partial=share(),
        buffer=draw.choice((64, 2000, 65_536)),
        max_requests=draw.choice((500, 5, 1)),
        idle=draw.choice((3.0, 0.3)),
        is_known=draw.random() < 0.5,
        hangs_up=share(),
        late=draw.choice((0.0, 0.0, 0.005, 0.05)),
        eager=share(),
        closes=draw.random() < 0.5,
    )


def main(wanted: int, seed: int) -> None:
    """Lives through worlds until as many calls were made; the first violation ends it, and names its weather."""
    first = seed
    seen: Counter[str] = Counter()
    begin = time.perf_counter()
    while seen["calls"] < wanted:
        world = World(weather(seed))
        try:
            check_all(world.run())
        except BaseException:
            print(world.weather)
            raise
        seen += what_was_seen(world)
        seed += 1
    seconds = time.perf_counter() - begin
    print(f"{seed - first} worlds, no violation; {seen['calls'] / seconds:.0f} calls a second")
    print(", ".join(f"{count} {what}" for what, count in seen.items()))


def what_was_seen(world: World) -> Counter[str]:
    """How much there was to judge: a world in which nothing happens breaks no law."""
    sockets = world.network.sockets
    seen = Counter(
        {
            "calls": len(world.calls),
            "answered": sum(call.response is not None for call in world.calls),
            "openings": len(sockets),
            "given up unanswered": sum(socket.evidence_at is None for socket in sockets),
            "accepted": len(world.gateway.accepted_at),
            "accepted after their close": sum(was_accepted_late(socket) for socket in sockets),
        }
    )
    return seen + Counter(f"told {call.outcome.sent.name}" for call in world.calls)


def was_accepted_late(socket: Socket) -> bool:
    accepted_at = socket.far.accepted_at if socket.far is not None else None
    return accepted_at is not None and socket.closed_at is not None and accepted_at > socket.closed_at


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    main(*(numbers + [20_000, 0][len(numbers) :]))
