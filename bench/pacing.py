"""``python -m bench pacing``: how many connections the server counts in its fullest second, where 50 are allowed.

It counts when it accepts; between a client's ``connect`` and that lies a network, a balancer, a queue. So they are put
there: see ``gate``. Whoever limits when it begins is counted when it arrives, and late ones arrive together with early
ones. Ours holds a place from before ``connect`` until a second after the far end spoke, which costs rate: with openings
that take *d*, 50 every 1 s + margin + *d*.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import click

from smswire import Pacer
from smswire.sandbox.limits import peak_in_a_second

from . import gate, goals, machine
from .job import Task
from .options import json_file, quickly
from .peers import PACED, of_mode
from .processes import Report, run_alone
from .progress import bar
from .report import console, no_results, number, plain_table, say, verdict, write_dicts
from .rounds import Contender, Runs, collect

CALLERS: Final = 200
"""Calls that wait for a connection at any time: there is always somebody."""
SETTLED_S: Final = 2.0
"""The first seconds are not counted for the rate: a bucket that is full at first gives more than it can keep up."""


def possible(way: str) -> float:
    """Openings per second that keep the promise, where they take as long as this way in makes them."""
    return goals.EACH_SECOND / (1.0 + Pacer().margin + gate.DELAYS_S[way])


def steady_rate(times: Sequence[float]) -> float:
    """Per second, from ``SETTLED_S`` after the first on, over a multiple of 50 openings: they may come in bursts.

    >>> steady_rate([number // 50 for number in range(500)])
    50.0
    """
    begin = next(index for index, time in enumerate(times) if time >= times[0] + SETTLED_S)
    count = (len(times) - 1 - begin) // goals.EACH_SECOND * goals.EACH_SECOND
    if not count:
        raise ValueError("a rate needs a longer run")
    return count / (times[begin + count] - times[begin])


def rows_of(runs: dict[Contender, Runs]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for (key, way), each in runs.items():
        peaks, rates = (each.figures(name).values() for name in ("peak", "rate"))
        peak = int(max(peaks)) if peaks else None
        rate = median(rates) if rates else None
        rows.append(
            {
                "client": key,
                "way": way,
                "peak": peak,
                "per_second": rate,
                "share": None if rate is None else rate / possible(str(way)),
                "goal": goals.EACH_SECOND,
                "ok": peak is not None and peak <= goals.EACH_SECOND,
            }
        )
    return rows


@click.command()
@quickly
@json_file
@click.option("--only", default="", help="Only the clients whose name holds this.")
def pacing(quick: bool, path: Path | None, only: str) -> None:
    """The server's fullest second, where openings are late: ours and rate limiters."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    rounds, seconds = (1, 6) if quick else (3, 30)
    contenders: list[Contender] = [(key, way) for key in of_mode(PACED) if only in key for way in gate.DELAYS_S]
    with gate.running(server_core) as servers, bar(rounds * len(contenders)) as advance:

        def one(contender: Contender, round_number: int) -> Report:
            key, way = cast(tuple[str, str], contender)
            advance(f"{key}, {way}")
            task = Task(
                key,
                servers.ports[way],
                "",
                action="openings",
                connections=CALLERS,
                seed=round_number,
                core=core,
                options={"count": seconds * goals.EACH_SECOND},
            )
            servers.accepts()
            report = run_alone(task)
            times = sorted(servers.accepts())
            if report.error is not None:
                return report
            return Report({"peak": peak_in_a_second(times), "rate": steady_rate(times)}, len(times))

        runs = collect([contenders], rounds, one, watch)
    rows = rows_of(runs)
    table = plain_table(
        "connections in the server's fullest second, of 50 allowed; openings per second as share of the possible",
        ("client", "way in", "fullest second", "goal", "", "/s", "share"),
        (
            [
                each["client"],
                each["way"],
                number(each["peak"], 0),
                *verdict(each, "peak"),
                number(each["per_second"]),
                number(each["share"], 3),
            ]
            for each in rows
        ),
    )
    console().print(table)
    say(machine.describe())
    say(*no_results(runs))
    say(watch.warning())
    write_dicts(rows, path)
