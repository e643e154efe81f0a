"""What benches make of their figures, and whom the goals are about."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bench
from bench import footprint, latency, scale
from bench.goals import GOALS
from bench.pacing import possible, steady_rate
from bench.peers import PEERS
from bench.peers.paced import TokenBucket
from bench.processes import Report
from bench.rounds import Runs
from bench.throughput import ANSWERS, groups, rows_of

MODULES = [f"bench.{module.name}" for module in pkgutil.iter_modules(bench.__path__) if module.name != "__main__"]


@pytest.mark.parametrize("name", [*MODULES, "bench.peers.paced"])
def test_examples_are_true(name: str) -> None:
    """Those in the docstrings."""
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_every_goal_is_about_a_row_there_is() -> None:
    """A name misspelt would be a goal never looked at."""
    rows = {
        (ours.mode, ours.lane, peer.name, answer)
        for ours in PEERS.values()
        for peer in PEERS.values()
        for answer in ANSWERS
        if ours.is_ours and not peer.is_ours and ours.mode == peer.mode
    }
    assert GOALS.keys() <= rows


@pytest.mark.parametrize("keys", [dict(footprint.HOLDERS), latency.CLIENTS, scale.CLIENTS, scale.CROWDED])
def test_every_client_named_is_one_there_is(keys: tuple[str, ...]) -> None:
    """By its key."""
    assert set(keys) <= PEERS.keys()


def test_each_of_ours_is_compared_with_each_peer_of_its_mode_and_answer() -> None:
    """By rounds; with who failed there is nothing to compare."""
    runs = {contender: Runs() for group in groups() for contender in group}
    for (key, _), each in runs.items():
        for number, drift in enumerate((1.0, 5.0, 2.0)):
            cpu = drift * (1.0 if PEERS[key].is_ours else 4.0)
            error = "refused" if "wreq" in key else None
            each.reports[number] = Report({"cpu_us": cpu}, error=error)
    rows = rows_of(runs)
    assert len(rows) == len({(row.mode, row.peer, row.answer, row.lane) for row in rows})
    assert {row.mode for row in rows} == {"sequential", "50 threads", "50-way"}
    for row in rows:
        assert row.ratio == (None if row.peer == "wreq" else 0.25)
        assert row.goal == GOALS.get((row.mode, row.lane, row.peer, row.answer))
        assert row.ok == (row.peer != "wreq" and (row.goal is None or row.goal >= 0.25))


def test_memory_of_a_connection_is_what_more_of_them_weigh() -> None:
    """What the process weighs without any is not in it."""
    counts = (footprint.FEW, footprint.MANY)
    runs = {(key, (opened, count)): Runs() for key, opened in footprint.HOLDERS for count in counts}
    key = "50-way floor: epoll"
    for number, base in enumerate((20_000.0, 30_000.0)):
        for count in counts:
            runs[(key, (footprint.ONE_BY_ONE, count))].reports[number] = Report({"resident_kb": base + 27.5 * count})
    row = next(row for row in footprint.memory_rows(runs) if row["what"] == "floor: epoll")
    assert row["kb_per_connection"] == pytest.approx(27.5)
    assert sum(row["kb_per_connection"] is None for row in footprint.memory_rows(runs)) == len(footprint.HOLDERS) - 1


@given(st.integers(2, 60), st.floats(1.0, 3.0), st.floats(0, 1000))
def test_a_rate_is_the_same_for_openings_in_bursts(seconds: int, period: float, start: float) -> None:
    """50 at once, every so often."""
    times = [start + burst * period for burst in range(seconds + 4) for _ in range(50)]
    assert steady_rate(times) == pytest.approx(50 / period)


def test_a_run_too_short_has_no_rate() -> None:
    """It would be a guess."""
    with pytest.raises(ValueError, match="longer"):
        steady_rate([number / 20 for number in range(80)])


def test_late_openings_make_less_possible() -> None:
    """50 in a second and the margin, where they take no time."""
    assert 49 < possible("prompt") < 50
    assert possible("relay") < possible("late") < possible("prompt")


@given(st.lists(st.floats(0, 0.2), min_size=1, max_size=200))
def test_a_token_bucket_gives_its_capacity_and_then_its_rate(gaps: list[float]) -> None:
    """Never more than both together in any span that begins with it full."""
    bucket = TokenBucket(rate=50, capacity=50)
    now, granted = 0.0, []
    for gap in gaps:
        now += gap
        granted.append(now + bucket.take(now))
    assert granted == sorted(granted)
    for number, time in enumerate(granted, 1):
        assert number <= 50 + 50 * time + 1e-6
