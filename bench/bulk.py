"""``python -m bench bulk``: any number of SMS in the same memory.

``AsyncGateway.sms_stream`` from a generator and ``smswire bulk`` from a file, each in a fresh process, paced as by
default, to the sandbox in another. The sandbox sets the rate; what is looked for is a peak of memory that does not
grow with the rows.
"""

from __future__ import annotations

import csv
import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from . import machine, sandboxed
from .bulk_client import WAYS, Order, rows_of
from .options import json_file
from .processes import ROOT, environment, python
from .progress import bar
from .report import console, number, plain_table, say, write_dicts

TEXTS: Final = {"a text each": False, "one text": True}


def cases(rows: tuple[int, ...], only: str) -> Iterator[tuple[str, str, int]]:
    for way in WAYS:
        for text in TEXTS:
            if only in f"{way}, {text}":
                yield from ((way, text, count) for count in rows)


def measure(order: Order, sandbox: sandboxed.Running) -> dict[str, Any]:
    """The client's figures, if the sandbox has seen every row once."""
    before = sandbox.counts().messages
    done = subprocess.run(
        python("bench.bulk_client"),
        input=json.dumps(order._asdict()),
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    arrived = sandbox.counts().messages - before
    if done.returncode or arrived != order.rows:
        last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return {"error": f"{arrived:,} of {order.rows:,} arrived; {last[0]}"}
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def write_file(place: Path, count: int, *, is_shared: bool) -> None:
    with place.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, ("to", "text"))
        writer.writeheader()
        writer.writerows(rows_of(count, is_shared=is_shared))


@click.command()
@click.option("--rows", "counts", type=click.IntRange(1), multiple=True, help="How many; repeatable.")
@click.option("--quick", is_flag=True, help="1,000 and 10,000 rows: to see that it works.")
@click.option("--only", default="", help="Only the cases whose name holds this.")
@json_file
def bulk(counts: tuple[int, ...], quick: bool, only: str, path: Path | None) -> None:
    """Peak memory of 10,000 and 100,000 sends by stream, from a generator and a file."""
    server_core, core = machine.cores()
    watch = machine.LoadWatch()
    watch.look()
    wanted = list(cases(counts or ((1_000, 10_000) if quick else (10_000, 100_000)), only))
    rows: list[dict[str, Any]] = []
    with (
        sandboxed.running(server_core) as sandbox,
        bar(len(wanted)) as advance,
        tempfile.TemporaryDirectory(prefix="smswire-bench-") as folder,
    ):
        for way, text, count in wanted:
            advance(f"{way}, {text}, {count:,}")
            file = Path(folder, "messages.csv")
            if way == "smswire bulk":
                write_file(file, count, is_shared=TEXTS[text])
            order = Order(way, count, TEXTS[text], sandbox.port, sandbox.ca_file, str(file), core)
            rows.append({"way": way, "texts": text, "rows": count} | measure(order, sandbox))
    console().print(
        plain_table(
            "each SMS once, over TLS, paced; a fresh process each",
            ("", "texts", "rows", "SMS/s", "peak MiB", "rows in flight"),
            (
                [
                    each["way"],
                    each["texts"],
                    f"{each['rows']:,}",
                    number(each.get("per_second"), 0),
                    number(each.get("peak_mib")),
                    "" if each.get("in_flight") is None else f"{each['in_flight']:,}",
                ]
                for each in rows
            ),
        )
    )
    say(machine.describe())
    say(
        *(
            f"No result: {each['way']}, {each['texts']}, {each['rows']:,}: {each['error']}"
            for each in rows
            if "error" in each
        )
    )
    say(watch.warning())
    write_dicts(rows, path)
