"""``python -m tests.faults``: runs the fault table and prints it: each row, what it must come to, and by which runtimes
and lanes it did.
"""

from __future__ import annotations

import re
import sys
import time
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from .case import Case
from .conftest import LANES, RUNTIMES
from .table import CASES, ELSEWHERE

TEST = re.compile(r"test_a_fault_has_its_verdict\[(.*)\]", re.DOTALL)


class Results:
    """A pytest plugin: how each test of a row ended, by row."""

    def __init__(self) -> None:
        self.by_row: defaultdict[str, dict[str, bool]] = defaultdict(dict)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        match = TEST.search(report.nodeid)
        if match is None:
            return
        column = next(column for column in columns() if column in match[1])
        row = match[1].replace(column, "").strip("-")
        self.by_row[row][column] = self.by_row[row].get(column, True) and report.passed


def columns() -> list[str]:
    return [f"{runtime}-{lane}" for runtime in RUNTIMES for lane in LANES]


def verdict(case: Case) -> list[str]:
    """What the call must come to, in words."""
    came = f"{case.status}" if case.error is None else case.error.__name__
    sent = "NO or MAYBE" if case.sent is None else case.sent.name
    seen = "" if case.seen is None else f"{case.seen}"
    after = "kept" if case.kept else "found out" if case.kept is None else "gone"
    return [came, sent, seen, after]


def main() -> int:
    """The status of pytest."""
    results = Results()
    begin = time.perf_counter()
    status = pytest.main(["-q", "--no-header", str(Path(__file__).parent / "test_cases.py")], plugins=[results])
    seconds = time.perf_counter() - begin
    table = Table("fault", "call", "sent", "seen", "connection", *columns())
    for case in CASES:
        ended = next((ended for row, ended in results.by_row.items() if case.name in row), {})
        marks = [{True: "ok", False: "[red]failed[/red]", None: "[red]not run[/red]"}[ended.get(c)] for c in columns()]
        table.add_row(str(case), *verdict(case), *marks)
    console = Console(width=200)
    console.print(table)
    passed = sum(sum(ended.values()) for ended in results.by_row.values())
    console.print(f"{len(CASES)} rows; {passed} of {len(CASES) * len(columns())} cases pass, in {seconds:.0f} s")
    console.print(f"{len(ELSEWHERE)} faults of the list have no row, each for its reason (tests/faults/table.py)")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
