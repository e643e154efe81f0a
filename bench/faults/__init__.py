"""``python -m bench faults``: what clients make of eight faults of a server, all on loopback.

The same scripted server for all (``rows``), each client in a process of its own and set up as its documents say
(``clients``). Said is what its user is told, how often the server saw the message, and what the next call gets.
"""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from .. import machine
from ..options import json_file
from ..progress import bar
from ..report import console, say, write_dicts
from .clients import CLIENTS
from .rows import ROWS, SLOTS
from .trial import Finding, try_out

LEGEND: Final = (
    "First line: what the user is told: an answer, another's, a cut one, an error (smswire's say whether it may have "
    "been sent). Second line: how often the server saw the message, and what the next call is told. 5: whether the "
    f"connection is used again. 6: connections that are usable, of {SLOTS}, and descriptors left behind."
)


def cell(finding: Finding) -> str:
    """Two short lines.

    >>> cell(Finding("c", "f", "error", sent="MAYBE", seen=1, next="answer"))
    'error MAYBE\\n×1, answer'
    """
    if finding.told in ("not applicable", "died"):
        return finding.told
    if finding.slots is not None:
        others = f", {finding.anothers} of others" if finding.anothers else ""
        return f"{finding.slots} of {SLOTS} usable\n{finding.left} left{others}"
    told, following = (word.removesuffix(" answer") for word in (finding.told, finding.next or ""))
    first = " ".join(filter(None, (told, finding.sent)))
    if finding.is_kept is not None:
        return f"{first}\n{'kept' if finding.is_kept else 'not kept'}"
    return f"{first}\n×{finding.seen}, {following}"


def version_of(package: str) -> str | None:
    """Of a package; of Python, for what comes with it. None: it is not installed."""
    if package == "smswire":
        import smswire

        return smswire.__version__
    return machine.installed_version(package) if package else platform.python_version()


def table_of(findings: dict[str, list[Finding]], rows: list[str]) -> Table:
    table = Table(title="what clients make of faults of the server", show_lines=True)
    table.add_column("client", overflow="fold")
    for name in rows:
        table.add_column(name, overflow="fold")
    for client, found in findings.items():
        version = version_of(CLIENTS[client].package)
        table.add_row(f"{client}\n{version}", *(cell(finding) for finding in found))
    return table


def errors_of(client: str, findings: list[Finding]) -> str | None:
    """The names of its errors, by the number of the fault."""
    named = [f"{finding.fault.split(' ')[0]} {finding.error}" for finding in findings if finding.error]
    return f"{client}: {', '.join(named)}" if named else None


@click.command()
@json_file
@click.option("--only", multiple=True, help="Only this client, by its whole name; repeatable.")
@click.option("--fault", default="", help="Only the faults whose name holds this.")
def faults(path: Path | None, only: tuple[str, ...], fault: str) -> None:
    """What clients make of a server's faults: what is told, sent twice, mixed up, lost."""
    unknown = set(only) - CLIENTS.keys()
    if unknown:
        raise click.BadParameter(f"no client is called {' or '.join(sorted(unknown))}; there are {' | '.join(CLIENTS)}")
    wanted = [client for client in CLIENTS if not only or client in only]
    absent = [client for client in wanted if version_of(CLIENTS[client].package) is None]
    present = [client for client in wanted if client not in absent]
    rows = [row for row in ROWS if fault in row.name]
    findings: dict[str, list[Finding]] = {client: [] for client in present}
    with bar(len(present) * len(rows)) as advance:
        for client in present:
            for row in rows:
                advance(f"{client}: {row.name}")
                findings[client].append(try_out(client, row))
    console().print(table_of(findings, [row.name for row in rows]))
    say(LEGEND)
    say(*(errors_of(client, found) for client, found in findings.items()))
    say(machine.describe())
    say(*(f"Not installed: {client} (pip install {CLIENTS[client].package})" for client in absent))
    write_dicts(
        (
            {"version": version_of(CLIENTS[finding.client].package), **finding.to_dict()}
            for found in findings.values()
            for finding in found
        ),
        path,
    )
