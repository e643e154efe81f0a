"""``python -m bench footprint``: how long it takes to import, and what an idle connection weighs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import click

from . import goals, machine, nginx
from .job import Task
from .options import json_file, quickly
from .peers import PEERS
from .processes import ROOT, Report, environment, run
from .progress import bar
from .ratios import paired
from .report import console, no_results, number, plain_table, say, verdict, write_dicts
from .rounds import Contender, Runs, collect

BASE: Final = "import h11, ssl, socket"
OURS: Final = "from smswire import Client, Gateway"
IMPORTS: Final = (
    BASE,
    OURS,
    "from smswire import AsyncClient, AsyncGateway",
    "import http.client, ssl",
    "import asyncio",
    "import urllib3",
    "import requests",
    "import httpx",
    "import aiohttp",
    "import pycurl",
    "import pyreqwest.client",
    "import wreq",
)
FEW, MANY = 100, 1100
HELD_MS: Final = {FEW: 5000, MANY: 30_000}
"""How late the answers come: when the last connection is open, the first must still be in use."""
PACED, AT_ONCE, ONE_BY_ONE = "50 a second", "at once", "one by one"
HOLDERS: Final = (
    ("50 threads smswire auto", PACED),
    ("50 threads smswire auto", AT_ONCE),
    ("50-way smswire auto", PACED),
    ("50-way smswire auto", AT_ONCE),
    ("50-way floor: epoll", ONE_BY_ONE),
    ("50 threads http.client", AT_ONCE),
    ("50 threads urllib3", AT_ONCE),
    ("50-way aiohttp", AT_ONCE),
    ("50-way httpx", AT_ONCE),
    ("50-way pycurl CurlMulti", AT_ONCE),
    ("50-way pyreqwest", AT_ONCE),
    ("50-way wreq", AT_ONCE),
)
"""Who holds connections, and how they were opened, which shows in the heap: what handshakes that run side by side take
for a moment leaves holes. Ours does both, as it is by default and with a pacer that lets everything through."""


def import_time(statement: str) -> Report:
    """Milliseconds in a fresh interpreter, its own start left out."""
    program = f"import time; start = time.perf_counter(); {statement}; print((time.perf_counter() - start) * 1000)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=environment())
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1]
        return Report(error=f"not there yet: {last}", is_not_there_yet="ImportError" in last or "ModuleNot" in last)
    return Report({"import_ms": float(done.stdout)})


def import_rows(runs: dict[Contender, Runs]) -> list[dict[str, Any]]:
    base = runs[(BASE, "import")].figures("import_ms")
    rows: list[dict[str, Any]] = []
    for (statement, _), each in runs.items():
        times = each.figures("import_ms")
        goal = goals.IMPORT if statement == OURS else None
        ratio = paired(times, base).ratio if times and base else None
        rows.append(
            {
                "what": statement,
                "import_ms": median(times.values()) if times else None,
                "ratio": ratio,
                "goal": goal,
                "ok": ratio is not None and (goal is None or ratio <= goal),
            }
        )
    return rows


def memory_rows(runs: dict[Contender, Runs]) -> list[dict[str, Any]]:
    """The difference of the two sizes: what is there only once, such as the interpreter, counts for nothing."""
    rows: list[dict[str, Any]] = []
    for key, opened in dict.fromkeys((key, opened) for key, (opened, _) in runs):
        few, many = (runs[(key, (opened, count))].figures("resident_kb") for count in (FEW, MANY))
        both = few.keys() & many.keys()
        weight = median((many[each] - few[each]) / (MANY - FEW) for each in both) if both else None
        goal = goals.IDLE_KB if PEERS[key].is_ours else None
        rows.append(
            {
                "what": name_of(key),
                "opened": opened,
                "kb_per_connection": weight,
                "goal": goal,
                "ok": weight is not None and (goal is None or weight <= goal),
            }
        )
    return rows


def name_of(key: str) -> str:
    """Of a peer, and who drives it: a mode's name says 50, and here it is another number."""
    peer = PEERS[key]
    drivers = {"blocking": ", threads", "asyncio": ", asyncio", "own": ""}
    return f"{peer.name}{drivers[peer.kind]}" + (f", lane {peer.lane}" if peer.lane else "")


def hold(server: nginx.Server, key: str, opened: str, count: int, round_number: int, core: int) -> Report:
    task = Task(
        key,
        server.ports["length"],
        server.ca_file,
        action="idle",
        prefix=f"/delay/{HELD_MS[count]}",
        connections=count,
        seed=round_number,
        core=core,
        options={"paced": opened == PACED},
    )
    report = run(task, server.counts)
    if report.error is None and report.connections != count:
        return Report(report.figures, report.connections, f"{report.connections:,} connections instead of {count:,}")
    return report


@click.command()
@quickly
@json_file
@click.option("--only", default="", help="Only the clients whose mode and name hold this.")
def footprint(quick: bool, path: Path | None, only: str) -> None:
    """Time to import, and memory of an idle TLS connection."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    imports: list[Contender] = [(statement, "import") for statement in IMPORTS]
    holders: list[Contender] = [
        (key, (opened, count)) for key, opened in HOLDERS if only in key for count in (FEW, MANY)
    ]
    rounds, memory_rounds = (3, 1) if quick else (15, 3)
    with nginx.running(server_core) as server, bar(rounds * len(imports) + memory_rounds * len(holders)) as advance:

        def imported(contender: Contender, _: int) -> Report:
            advance(contender[0])
            with machine.pinned(core):
                return import_time(contender[0])

        def held(contender: Contender, round_number: int) -> Report:
            key, (opened, count) = cast(tuple[str, tuple[str, int]], contender)
            advance(f"{key}, {count} connections {opened}")
            return hold(server, key, opened, count, round_number, core)

        for statement in IMPORTS:
            import_time(statement)  # compiles what was never compiled
        import_runs = collect([imports], rounds, imported, watch)
        memory_runs = collect([holders], memory_rounds, held, watch)
    rows = import_rows(import_runs) + (memory := memory_rows(memory_runs))
    console().print(
        plain_table(
            f"time to import, median of {rounds} fresh processes",
            ("", "ms", "ratio", "goal", ""),
            (
                [each["what"], number(each["import_ms"]), number(each["ratio"], 2), *verdict(each, "ratio")]
                for each in rows
                if "import_ms" in each
            ),
        ),
        plain_table(
            f"memory of an idle TLS connection: resident size with {MANY:,} and with {FEW} of them",
            ("", "opened", "KB each", "goal", ""),
            (
                [each["what"], each["opened"], number(each["kb_per_connection"]), *verdict(each, "kb_per_connection")]
                for each in memory
            ),
        ),
    )
    say(machine.describe())
    for runs in (import_runs, memory_runs):
        say(*no_results(runs))
    say(watch.warning())
    write_dicts(rows, path)
