"""``python -m bench latency``: 50 connections to a server that takes 20 ms, and how much of the possible comes of it.

Whoever waits 20 ms for an answer can send 50 times a second: 50 connections carry 2,500 at most. What is missing is the
time between an answer's arrival and the next request's departure, and the server's own lateness, which the floor shows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from . import goals, machine, nginx
from .job import Task
from .options import json_file, quickly
from .peers import PEERS
from .processes import Report, run
from .progress import bar
from .ratios import percentile
from .report import console, no_results, number, plain_table, say, verdict, write_dicts
from .rounds import Contender, Runs, collect

CONNECTIONS: Final = 50
DELAY_MS: Final = 20
POSSIBLE: Final = CONNECTIONS * 1000 / DELAY_MS
CLIENTS: Final = (
    "50 threads smswire auto",
    "50 threads smswire h11",
    "50-way smswire auto",
    "50-way smswire h11",
    "50-way floor: epoll",
    "50-way floor: asyncio",
    "50 threads http.client",
    "50 threads urllib3",
    "50-way pycurl CurlMulti",
    "50-way pycurl AsyncCurlMulti",
    "50-way pyreqwest",
    "50-way wreq",
    "50-way aiohttp",
    "50-way httpx",
)


def rows_of(runs: dict[Contender, Runs]) -> list[dict[str, Any]]:
    """Clients with a loop of their own have a rate, and no times of single calls."""
    rows: list[dict[str, Any]] = []
    for (key, _), each in runs.items():
        rate = each.median("per_second")
        times = [] if rate is None else each.all_of("times_ms")
        share = None if rate is None else rate / POSSIBLE
        goal = goals.SHARE_OF_POSSIBLE if PEERS[key].is_ours else None
        rows.append(
            {
                "client": key,
                "per_second": rate,
                "share": share,
                "p50_ms": percentile(times, 50) if times else None,
                "p99_ms": percentile(times, 99) if times else None,
                "goal": goal,
                "ok": share is not None and (goal is None or share >= goal),
            }
        )
    return rows


@click.command()
@quickly
@json_file
@click.option("--only", default="", help="Only the clients whose mode and name hold this.")
def latency(quick: bool, path: Path | None, only: str) -> None:
    """Requests per second and their times, 20 ms at the server."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    rounds, count = (2, 1_000) if quick else (9, 5_000)
    contenders: list[Contender] = [(key, DELAY_MS) for key in CLIENTS if only in key]
    with nginx.running(server_core) as server, bar(rounds * len(contenders)) as advance:

        def one(contender: Contender, round_number: int) -> Report:
            key = contender[0]
            advance(key)
            task = Task(
                key,
                server.ports["length"],
                server.ca_file,
                action="latency",
                prefix=f"/delay/{DELAY_MS}",
                connections=CONNECTIONS,
                seed=round_number,
                core=core,
                options={"count": count},
            )
            return run(task, server.counts)

        runs = collect([contenders], rounds, one, watch)
    rows = rows_of(runs)
    table = plain_table(
        f"{CONNECTIONS} connections, {DELAY_MS} ms at the server: {POSSIBLE:,.0f}/s are possible",
        ("client", "/s", "share", "p50 ms", "p99 ms", "goal", ""),
        (
            [
                each["client"],
                number(each["per_second"], 0),
                number(each["share"], 3),
                *("" if each[name] is None else number(each[name]) for name in ("p50_ms", "p99_ms")),
                *verdict(each, "share", "≥"),
            ]
            for each in rows
        ),
    )
    console().print(table)
    say(machine.describe())
    say(*no_results(runs))
    say(watch.warning())
    write_dicts(rows, path)
