"""``python -m tests.faults``: runs the fault table and prints it: each row, what it must come to, and whether it did so
over both runtimes and both lanes.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from .case import Case
from .conftest import LANES, RUNTIMES
from .table import CASES, ELSEWHERE

EACH = len(RUNTIMES) * len(LANES)


class Results:
    """A pytest plugin: how each test of a row ended, by row."""

    def __init__(self) -> None:
        self.passed: defaultdict[str, int] = defaultdict(int)
        self._rows: dict[str, str] = {}

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        for item in items:
            case = getattr(item, "callspec", None) and item.callspec.params.get("case")
            if isinstance(case, Case):
                self._rows[item.nodeid] = str(case)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        row = self._rows.get(report.nodeid)
        if row is not None and report.passed and report.when == "call":
            self.passed[row] += 1
        elif row is not None and report.failed and report.when == "teardown":
            self.passed[row] -= 1  # something was left behind


def verdict(case: Case) -> list[str]:
    """What the call must come to, in words."""
    came = f"{case.status}" if case.error is None else case.error.__name__
    sent = "NO or MAYBE" if case.sent is None else case.sent.name
    seen = "" if case.seen is None else f"{case.seen}"
    after = "kept" if case.kept else "found out" if case.kept is None else "gone"
    return [came, sent, seen, after]


@click.command()
def main() -> None:
    """Runs every row of the fault table over both runtimes and both lanes, and prints it with its results."""
    results = Results()
    begin = time.perf_counter()
    status = pytest.main(["-q", "--no-header", str(Path(__file__).parent / "test_cases.py")], plugins=[results])
    seconds = time.perf_counter() - begin
    table = Table("fault", "call", "sent", "seen", "connection", "passed")
    for case in CASES:
        passed = results.passed[str(case)]
        mark = Text(f"{passed} of {EACH}", style="" if passed == EACH else "red")
        table.add_row(Text(str(case).encode("unicode_escape").decode()), *verdict(case), mark)
    console = Console()
    console.print(table)
    console.print(f"{len(CASES)} rows; {sum(results.passed.values())} of {len(CASES) * EACH} pass, in {seconds:.0f} s")
    console.print(f"{len(ELSEWHERE)} faults of the list have no row, each for its reason (tests/faults/table.py)")
    sys.exit(int(status))


if __name__ == "__main__":
    main()
