"""``python -m tests.simulation 20000``: as many simulated calls in any weather, from seeds 0, 1, 2 …, and how fast."""

from __future__ import annotations

import sys
import time
from random import Random

from .laws import check_all
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
        limit=draw.randint(1, 8),
        connections=draw.randint(1, 6),
        addresses=draw.randint(1, 3),
        span=draw.choice((0.01, 1.0, 5.0)),
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


def main(wanted: int) -> None:
    """Lives through worlds until as many calls were made; the first violation ends it, and names its weather."""
    calls = answered = seed = 0
    begin = time.perf_counter()
    while calls < wanted:
        world = World(weather(seed))
        try:
            check_all(world.run())
        except BaseException:
            print(world.weather)
            raise
        calls += len(world.calls)
        answered += sum(call.response is not None for call in world.calls)
        seed += 1
    seconds = time.perf_counter() - begin
    print(f"{calls} calls in {seed} worlds, {answered} answered, no violation; {calls / seconds:.0f} calls a second")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
