"""Eight faults with smswire and the standard library: the bench says what is so."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bench.__main__ import bench
from bench.faults import cell
from bench.faults.clients import CLIENTS, PATIENCE_S
from bench.faults.rows import ANOTHERS, ROWS, Row, own
from bench.faults.trial import Finding, try_out, word

OURS = {
    "1 closes, no answer": "error MAYBE\n×1, answer",
    "2 bogus TLS record": "error MAYBE\n×1, answer",
    "3 two answers at once": "answer\n×1, answer",
    "4 answer while idle": "answer\n×1, answer",
    "5 tickets while idle": "answer\nkept",
    "6 calls cancelled": "10 of 10 usable\n0 left",
    "7 cut, no close_notify": "error MAYBE\n×1, answer",
    "8 NUL in a header": "error MAYBE\n×1, answer",
}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("client", ["smswire", "smswire, asyncio"])
def test_smswire_tells_the_truth_of_each_fault(client: str, row: Row) -> None:
    """Never a second message, never another's answer, and the next call is well."""
    is_blocking_churn = row.is_churn and client == "smswire"
    assert cell(try_out(client, row)) == ("not applicable" if is_blocking_churn else OURS[row.name])


def test_the_command_runs_for_the_standard_library(tmp_path: Path) -> None:
    """A client that knows no pool, and no cancelling: a cell for each fault all the same."""
    path = tmp_path / "faults.json"
    done = CliRunner().invoke(bench, ["faults", "--only", "http.client", "--json", str(path)], catch_exceptions=False)
    assert done.exit_code == 0
    findings = json.loads(path.read_text())
    assert [finding["fault"] for finding in findings] == [row.name for row in ROWS]
    assert {finding["client"] for finding in findings} == {"http.client"}
    assert findings[0] | {"version": ""} == {
        "version": "",
        "client": "http.client",
        "fault": "1 closes, no answer",
        "told": "error",
        "error": "http.client.RemoteDisconnected",
        "seen": 1,
        "next": "answer",
    }
    assert findings[5]["told"] == "not applicable"
    assert "http.client: 1 http.client.RemoteDisconnected" in done.output


def test_a_client_of_no_such_name_is_told_of() -> None:
    """With the names that there are."""
    done = CliRunner().invoke(bench, ["faults", "--only", "telnet"])
    assert done.exit_code == 2
    assert "no client is called telnet" in done.output


def test_a_client_that_is_not_installed_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are tried all the same."""
    from bench.faults.clients import Contestant

    monkeypatch.setitem(CLIENTS, "telnet", Contestant("no-such-package", None))  # type: ignore[arg-type]
    done = CliRunner().invoke(bench, ["faults", "--only", "telnet"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "Not installed: telnet (pip install no-such-package)" in done.output


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (None, "died"),
        ({"error": "OSError", "seconds": 0.1}, "error"),
        ({"error": "OSError", "seconds": PATIENCE_S}, "timeout"),
        ({"text": own(2), "seconds": 0.1}, "answer"),
        ({"text": own(1), "seconds": 0.1}, "another's answer"),
        ({"text": ANOTHERS, "seconds": 0.1}, "another's answer"),
        ({"text": own(2)[:-3], "seconds": 0.1}, "cut answer"),
        ({"text": "", "seconds": 0.1}, "cut answer"),
    ],
)
def test_what_was_told_is_put_in_a_word(said: dict[str, object] | None, expected: str) -> None:
    """Of message 2."""
    assert word(said, 2) == expected


def test_what_cancelled_calls_left_is_put_in_two_lines() -> None:
    """Answers to other calls are told where there were any."""
    assert cell(Finding("c", "f", "answer", slots=3, anothers=2, left=7)) == "3 of 10 usable\n7 left, 2 of others"
