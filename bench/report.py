"""What a bench hands back: a table to read, and a file for programs."""

from __future__ import annotations

import json
import platform
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track
from rich.table import Table

from .race import Result
from .rounds import Runs


def collect(results: Iterable[Result], count: int) -> list[Result]:
    """All results, with a bar on stderr while they come in."""
    return list(track(results, "measuring", count, console=Console(stderr=True), transient=True))


def print_table(results: Iterable[Result]) -> None:
    table = Table(title=f"CPython {platform.python_version()}: ratio of the times of a call, medians")
    table.add_column("case")
    table.add_column("against")
    for heading in ("ours µs", "theirs µs", "ratio", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for result in results:
        table.add_row(
            result.case.name,
            result.case.against,
            f"{result.ours_s * 1e6:,.2f}",
            f"{result.theirs_s * 1e6:,.2f}",
            f"{result.ratio:.2f}",
            f"≤ {result.case.goal:g}",
            "ok" if result.ok else "[bold]slower[/bold]",
        )
    console().print(table)


def plain_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A name, and figures on the right of it."""
    table = Table(title=title)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        table.add_row(*row)
    return table


def number(value: float | None, digits: int = 1) -> str:
    return "no result" if value is None else f"{value:,.{digits}f}"


def verdict(row: dict[str, Any], value: str, sign: str = "≤") -> tuple[str, str]:
    """Two cells: the goal, if there is one, and whether the row's value reaches it, if there is one."""
    if row["goal"] is None:
        return "", ""
    reached = "" if row[value] is None else "ok" if row["ok"] else "[bold]missed[/bold]"
    return f"{sign} {row['goal']:g}", reached


def no_results(runs: Mapping[tuple[str, Hashable], Runs]) -> list[str]:
    """A line for each client and reason."""
    lines: dict[tuple[str, str], list[str]] = {}
    for (key, setting), each in runs.items():
        if each.failure is not None:
            lines.setdefault((key, str(each.failure.error)), []).append(str(setting))
    return [f"No result: {key} ({', '.join(settings)}): {error}" for (key, error), settings in lines.items()]


def write_dicts(rows: Iterable[dict[str, Any]], path: Path | None) -> None:
    """A JSON file, if one was asked for."""
    if path is not None:
        path.write_text(json.dumps(list(rows), indent=2) + "\n", encoding="utf-8")


def console() -> Console:
    # A pipe has no width of its own, and a wrapped table is no table.
    own = Console()
    return own if own.is_terminal else Console(width=140)


def say(*lines: str | None) -> None:
    """Each line that there is, as text."""
    for line in filter(None, lines):
        click.echo(line)


def write_json(results: Iterable[Result], path: Path) -> None:
    """``[{"case", "python", "ratio", "goal", "ok"}]``."""
    rows = [
        {
            "case": f"{result.case.name}, against {result.case.against}",
            "python": platform.python_version(),
            "ratio": round(result.ratio, 3),
            "goal": result.case.goal,
            "ok": result.ok,
        }
        for result in results
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
