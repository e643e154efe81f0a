"""``python -m tests.soak --requests 1000000``: a long time in bad weather, with every call accounted for.

A client with all its defaults (50 connections, 50 openings a second) sends to nginx over TLS, through a relay that
breaks connections. Then what each call was told is held against nginx's log, and what the process weighed over
time against the criterion of ``samples``. The exit status is 1 if either does not hold.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from bench.job import HOST
from bench.report import console, plain_table, say

from . import relay, server
from .accounts import SHOWN, judge, seen
from .load import Calls, Settings, by_tasks, by_threads
from .samples import LONG, Sample, Watch, is_flat

MOST_A_SECOND = 50
HEADINGS = ("", "seconds", "calls", "calls/s", "MiB", "descriptors", "threads", "tasks", "opened")
_WIDTHS = (6, 7, 9, 7, 6, 11, 7, 5, 7)


def line(cells: Sequence[str]) -> str:
    return " ".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))


def cells_of(name: str, sample: Sample, per_second: float) -> list[str]:
    return [
        name,
        f"{sample.seconds:.1f}",
        f"{sample.done:,}",
        f"{per_second:,.0f}",
        f"{sample.memory_mib:.1f}",
        f"{sample.descriptors}",
        f"{sample.threads}",
        f"{sample.tasks}",
        f"{sample.opened:,}",
    ]


def rate(earlier: Sample, later: Sample) -> float:
    return (later.done - earlier.done) / max(1e-9, later.seconds - earlier.seconds)


def chosen(samples: Sequence[Sample]) -> list[tuple[str, Sample]]:
    """The process before, at first, in the middle, at last, and with all closed."""
    within = samples[1:-1]
    if not within:
        return [("before", samples[0]), ("closed", samples[-1])]
    middle = min(within, key=lambda sample: abs(sample.done - samples[-1].done / 2))
    return [
        ("before", samples[0]),
        ("first", within[0]),
        ("middle", middle),
        ("last", within[-1]),
        ("closed", samples[-1]),
    ]


def show_result(samples: Sequence[Sample], calls: Calls, kinds: Mapping[str, int], weather: Mapping[str, Any]) -> None:
    rows = [
        cells_of(name, sample, rate(samples[0], sample) if sample.done else 0.0) for name, sample in chosen(samples)
    ]
    console().print(plain_table("the process; calls/s since the beginning", HEADINGS, rows))
    say(
        "Calls: " + "; ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items())),
        "Errors: " + "; ".join(f"{count:,} {kind}" for kind, count in sorted(calls.errors.items())),
        "Faults: " + "; ".join(f"{count:,} {fault}" for fault, count in sorted(weather["faults"].items())),
        f"Connections: {weather['accepted']:,} at the relay, {weather['fullest_second']} in the fullest second",
    )


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--requests", type=click.IntRange(1), default=1_000_000, show_default=True)
@click.option("--blocking", is_flag=True, help="Client and threads, instead of AsyncClient and tasks.")
@click.option("--connections", type=click.IntRange(1), default=50, show_default=True)
@click.option("--one-in", type=click.IntRange(1), default=2000, show_default=True, help="Pieces sent to one fault.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--every", type=click.FloatRange(0.01), default=5.0, show_default=True, help="Seconds to a look.")
@click.option("--lull", type=click.FloatRange(0.0), default=4.0, show_default=True, help="Seconds after each tenth.")
def soak(requests: int, blocking: bool, connections: int, one_in: int, seed: int, every: float, lull: float) -> None:
    """Many requests to nginx over connections that break; each is accounted for."""
    watch, calls = Watch(), Calls(requests)

    def show(sample: Sample) -> None:
        earlier = watch.samples[-2] if len(watch.samples) > 1 else sample
        say(line(cells_of("", sample, rate(earlier, sample))))

    with server.folder() as place:
        with server.running(place) as nginx, relay.running(nginx.port, seed, one_in) as between:
            origin = f"https://{HOST}:{between.port}"
            settings = Settings(origin, {"trust": nginx.ca_file}, connections, every, lull)
            say(line(HEADINGS))
            (by_threads if blocking else by_tasks)(settings, calls, watch, show)
            weather = between.report()
        times, strange = seen(nginx.targets(), requests)
    kinds, complaints = judge(calls.told, times)
    complaints += [f"a request that is nobody's: {target!r}" for target in strange[:SHOWN]]
    complaints += calls.complaints[:SHOWN]
    complaints += is_flat(watch.samples, requests)
    if weather["fullest_second"] > MOST_A_SECOND:
        complaints.append(f"{weather['fullest_second']} connections in one second, where {MOST_A_SECOND} are allowed")
    show_result(watch.samples, calls, kinds, weather)
    say(*(f"WRONG: {complaint}" for complaint in complaints))
    if complaints:
        sys.exit(1)
    weighed = "memory, descriptors, threads and tasks" if requests >= LONG else "descriptors, threads and tasks"
    say(f"Every call is accounted for; {weighed} are flat.")


if __name__ == "__main__":
    soak(prog_name="python -m tests.soak")
