"""``python -m tests.simulation --exchanges 100000 --seed 1``: worlds of any weather until the gateway has had so many
requests, and a census of what went wrong in them and what the calls were told.

Each seed has worlds of its own, numbered from a million times the seed. A world that breaks a law is told with the
command that lives through it again, event by event.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections import Counter
from functools import partial
from multiprocessing import Pool
from random import Random
from typing import NamedTuple

import click
from rich.console import Console
from rich.table import Table

from .journal import Fault
from .laws import check_all
from .world import Weather, World

WORLDS_PER_SEED = 1_000_000


class Seen(NamedTuple):
    """What was seen in the worlds of one seed; ``broken`` is the number of the one that broke a law, if one did."""

    worlds: int
    counts: Counter[str]
    faults: Counter[Fault]
    broken: int | None = None


def weather(number: int) -> Weather:
    """The weather of one world: everything at once, each by its own share."""
    draw = Random(number)

    def share() -> float:
        return draw.choice((0.0, 0.1, 0.5))

    return Weather(
        seed=number,
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
        slow=share(),
        buffer=draw.choice((64, 2000, 65_536)),
        max_requests=draw.choice((500, 5, 1)),
        idle=draw.choice((3.0, 0.3)),
        is_known=draw.random() < 0.5,
        hangs_up=share(),
        late=draw.choice((0.0, 0.0, 0.005, 0.05)),
        eager=share(),
        closes=draw.random() < 0.5,
        stops=draw.choice((0, 0, 1)),
        leaps=draw.choice((0, 1)),
        forks=draw.choice((0, 0, 1)),
        observed=draw.random() < 0.2,
    )


def live(seed: int, exchanges: int) -> Seen:
    """The worlds of one seed, until the gateway has had so many requests or one world breaks a law."""
    counts: Counter[str] = Counter()
    faults: Counter[Fault] = Counter()
    first = number = seed * WORLDS_PER_SEED
    while counts["exchanges"] < exchanges:
        world = World(weather(number))
        try:
            check_all(world.run())
        except Exception:  # noqa: BLE001 - whatever it is, it is this world's
            return Seen(number - first, counts, faults, broken=number)
        counts["exchanges"] += world.gateway.requests
        counts["connections"] += sum(socket.connect_at is not None for socket in world.network.sockets)
        counts["calls"] += len(world.calls)
        counts.update(call.outcome.sent.name for call in world.calls)
        faults += world.journal.faults
        number += 1
    return Seen(number - first, counts, faults)


def replay(number: int, console: Console) -> bool:
    """Lives through one world, and tells all that happens; whether it kept every law."""
    world = World(weather(number))
    world.journal.lines = lines = []
    broken = ""
    try:
        check_all(world.run())
    except Exception:  # noqa: BLE001 - as above
        broken = traceback.format_exc()
    console.print(*lines, world.weather, broken or "no law was broken", sep="\n", markup=False)
    return not broken


def census(seen: list[Seen], seconds: float) -> list[Table | str]:
    """What the worlds of all seeds held."""
    counts: Counter[str] = sum((one.counts for one in seen), Counter())
    faults: Counter[Fault] = sum((one.faults for one in seen), Counter())
    table = Table("fault", "times", title="What went wrong")
    for fault in sorted(Fault, key=lambda fault: -faults[fault]):
        table.add_row(fault.value, f"{faults[fault]:,}")
    told = Table("told", "calls", "share", title="What the calls were told")
    for name in ("YES", "MAYBE", "NO"):
        told.add_row(name, f"{counts[name]:,}", f"{counts[name] / counts['calls']:.1%}")
    worlds = sum(one.worlds for one in seen)
    return [
        table,
        told,
        f"{len(seen)} seeds, {worlds:,} worlds, {counts['calls']:,} calls, {counts['exchanges']:,} exchanges over "
        f"{counts['connections']:,} connections in {seconds:.0f} s; no law was broken",
    ]


@click.command()
@click.option(
    "--exchanges",
    type=click.IntRange(min=1),
    default=20_000,
    show_default=True,
    help="How many requests the gateways are to have, over all seeds.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="The first seed.")
@click.option(
    "--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many seeds share the exchanges."
)
@click.option(
    "--replay", "replayed", type=click.IntRange(min=0), help="Live through this world only, and tell all of it."
)
def main(exchanges: int, seed: int, seeds: int, replayed: int | None) -> None:
    """Simulated calls in any weather: what broke around them, what they were told, and whether every law held."""
    console = Console(soft_wrap=True)
    if replayed is not None:
        sys.exit(not replay(replayed, console))
    begin = time.perf_counter()
    seen = []
    # An interrupt is the parent's to hear, and its pool ends the others.
    ignoring = (signal.SIGINT, signal.SIG_IGN)
    with Pool(min(seeds, os.cpu_count() or 1), initializer=signal.signal, initargs=ignoring) as workers:
        for one in workers.imap(partial(live, exchanges=-(-exchanges // seeds)), range(seed, seed + seeds)):
            seen.append(one)
            if one.broken is not None:
                replay(one.broken, console)
                exchanged = sum(one.counts["exchanges"] for one in seen)
                console.print(f"A law was broken after {exchanged:,} exchanges. To see it again:")
                console.print(f"    python -m tests.simulation --replay {one.broken}")
                sys.exit(1)
    console.print(*census(seen, time.perf_counter() - begin), sep="\n")


if __name__ == "__main__":
    main()
