"""``python -m bench scale``: what a request costs with 10, 100 and 1,000 connections, and with 10,000 who wait for 50.

More connections cost everybody more: the kernel's and OpenSSL's memory no longer fits into the caches. So the growth
stands beside that of the floors, which do nothing else.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import click

from . import goals, machine, nginx
from .job import Task
from .options import json_file, quickly
from .peers import PEERS
from .processes import Report, run
from .progress import bar
from .ratios import paired
from .report import console, no_results, number, plain_table, say, verdict, write_dicts
from .rounds import Contender, Runs, collect

SIZES: Final = (10, 100, 1000)
POOL: Final = 50
WAITERS: Final = 10_000
CLIENTS: Final = (
    "50-way smswire auto",
    "50-way smswire h11",
    "50-way floor: asyncio",
    "50-way floor: epoll",
    "50-way aiohttp",
    "50-way pycurl CurlMulti",
)
CROWDED: Final = ("50-way smswire auto", "50-way smswire h11", "50-way aiohttp")
"""Clients that queue callers; httpx takes minutes for this."""


def growth(runs: dict[Contender, Runs], key: str, small: Any, large: Any) -> float | None:
    """CPU per request in the large setting against the small one, by rounds."""
    few, many = (runs[(key, setting)].figures("cpu_us") for setting in (small, large))
    return paired(many, few).ratio if few and many else None


def rows_of(runs: dict[Contender, Runs], keys: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for key in keys:
        grown = growth(runs, key, (SIZES[0], SIZES[0]), (SIZES[-1], SIZES[-1]))
        crowd = (POOL, WAITERS)
        goal = goals.SCALE if PEERS[key].is_ours else None
        rows.append(
            {
                "client": key,
                **{f"cpu_us_{size}": runs[(key, (size, size))].median("cpu_us") for size in SIZES},
                "growth": grown,
                "goal": goal,
                "ok": grown is not None and (goal is None or grown <= goal),
                "waiters": growth(runs, key, (POOL, POOL), crowd) if (key, crowd) in runs else None,
            }
        )
    return rows


@click.command()
@quickly
@json_file
@click.option("--only", default="", help="Only the clients whose name holds this.")
def scale(quick: bool, path: Path | None, only: str) -> None:
    """CPU per request at 10, 100 and 1,000 connections; 10,000 calls that wait for 50."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    rounds, seconds = (2, 0.3) if quick else (9, 1.0)
    keys = [key for key in CLIENTS if only in key]
    settings = [(key, (size, size)) for key in keys for size in SIZES]
    settings += [(key, (POOL, workers)) for key in CROWDED if key in keys for workers in (POOL, WAITERS)]
    contenders: list[Contender] = [*settings]
    with nginx.running(server_core) as server, bar(rounds * len(contenders)) as advance:

        def one(contender: Contender, round_number: int) -> Report:
            key, (connections, workers) = cast(tuple[str, tuple[int, int]], contender)
            advance(f"{key}: {connections:,} connections, {workers:,} calls")
            task = Task(
                key,
                server.ports["length"],
                server.ca_file,
                connections=connections,
                workers=workers,
                seconds=seconds,
                seed=round_number,
                core=core,
            )
            return run(task, server.counts)

        runs = collect([contenders], rounds, one, watch)
    rows = rows_of(runs, keys)
    table = plain_table(
        "CPU per request (µs) by number of connections; growth of 1,000 against 10, and of 10,000 calls on 50",
        ("client", *(f"{size:,}" for size in SIZES), "growth", "goal", "", "10,000 waiters"),
        (
            [
                each["client"],
                *(number(each[f"cpu_us_{size}"]) for size in SIZES),
                number(each["growth"], 2),
                *verdict(each, "growth"),
                "" if each["waiters"] is None else f"× {each['waiters']:.2f}",
            ]
            for each in rows
        ),
    )
    console().print(table)
    say(machine.describe())
    say(*no_results(runs))
    say(watch.warning())
    write_dicts(rows, path)
