"""``python -m bench messages``: SMS per second through the sandbox, by the number of recipients a call carries.

The sandbox is a server in Python, and for bundles it does more work than the client: what limits the rate is mostly the
sandbox. What an SMS costs the client is CPU per SMS.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, cast

import click

from . import machine, sandboxed
from .job import Task
from .options import json_file, quickly
from .peers import BULK, of_mode
from .processes import Report, run
from .progress import bar
from .report import console, no_results, number, plain_table, say, write_dicts
from .rounds import Contender, Runs, collect

BUNDLES: Final = (1, 10, 100)
CONNECTIONS: Final = 50


def rows_of(runs: dict[Contender, Runs]) -> list[dict[str, Any]]:
    return [
        {
            "client": key,
            "bundle": bundle,
            "sms_per_second": each.median("per_second"),
            "cpu_us_per_sms": each.median("cpu_us"),
        }
        for (key, bundle), each in runs.items()
    ]


@click.command()
@quickly
@json_file
def messages(quick: bool, path: Path | None) -> None:
    """SMS per second through the sandbox, for bundles of 1, 10 and 100."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    rounds, calls = (2, 200) if quick else (9, 1_000)
    contenders: list[Contender] = [(key, bundle) for key in of_mode(BULK) for bundle in BUNDLES]
    with sandboxed.running(server_core) as sandbox, bar(rounds * len(contenders)) as advance:

        def one(contender: Contender, round_number: int) -> Report:
            key, bundle = cast(tuple[str, int], contender)
            advance(f"{key}, bundles of {bundle}")
            task = Task(
                key,
                sandbox.port,
                sandbox.ca_file,
                action="messages",
                connections=CONNECTIONS,
                seed=round_number,
                core=core,
                options={"bundle": bundle, "count": calls * bundle},
            )
            return run(task, sandbox.counts)

        runs = collect([contenders], rounds, one, watch)
    rows = rows_of(runs)
    table = plain_table(
        f"{CONNECTIONS} connections to the sandbox, each SMS once; medians",
        ("client", "SMS a call", "SMS/s", "CPU µs an SMS"),
        (
            [each["client"], str(each["bundle"]), number(each["sms_per_second"], 0), number(each["cpu_us_per_sms"])]
            for each in rows
        ),
    )
    console().print(table)
    say(machine.describe())
    say(*no_results(runs))
    say(watch.warning())
    write_dicts(rows, path)
