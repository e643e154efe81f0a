"""Ratios, percentiles, and the file they go into."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.ratios import Ratio, paired, percentile, read_rows, row, write_rows

TIMES = st.floats(0.1, 1e6)
ROUNDS = st.dictionaries(st.integers(0, 30), TIMES, min_size=1)


@given(st.lists(TIMES, min_size=1), st.floats(0, 100), st.floats(0, 100))
@example([0.1] * 3, 10.0, 90.0)
def test_a_percentile_lies_within_the_values_and_grows_with_the_percent(
    values: list[float], one: float, other: float
) -> None:
    """From the least at 0 to the greatest at 100."""
    low, high = sorted((one, other))
    assert percentile(values, 0) == min(values)
    assert percentile(values, 100) == max(values)
    tolerance = 1e-9 * max(values)
    assert min(values) - tolerance <= percentile(values, low) <= percentile(values, high) + tolerance
    assert percentile(values, high) <= max(values) + tolerance


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], -1), ([1.0], 101)])
def test_a_percentile_that_cannot_be_is_refused(values: list[float], percent: float) -> None:
    """Of nothing, or outside 0 to 100."""
    with pytest.raises(ValueError, match="percentile"):
        percentile(values, percent)


@given(ROUNDS, st.floats(0.01, 100))
def test_who_takes_so_many_times_as_long_in_each_round_has_that_ratio(theirs: dict[int, float], factor: float) -> None:
    """However much the machine drifts from round to round."""
    ratio = paired({number: time * factor for number, time in theirs.items()}, theirs)
    assert (ratio.ratio, ratio.p10, ratio.p90) == pytest.approx((factor,) * 3)


@given(ROUNDS, ROUNDS)
def test_only_rounds_that_both_have_count(ours: dict[int, float], theirs: dict[int, float]) -> None:
    """Others have no pair."""
    both = ours.keys() & theirs.keys()
    if both:
        ratio = paired(ours, theirs)
        assert ratio == paired({n: ours[n] for n in both}, {n: theirs[n] for n in both})
        assert ratio.p10 <= ratio.ratio * (1 + 1e-9)
        assert ratio.ratio <= ratio.p90 * (1 + 1e-9)
    else:
        with pytest.raises(ValueError, match="no round"):
            paired(ours, theirs)


@given(st.floats(0.01, 10), st.none() | st.floats(0.01, 10))
def test_a_row_with_figures_is_ok_up_to_its_goal(value: float, goal: float | None) -> None:
    """Or always, where there is none."""
    made = row("50-way", "aiohttp", "length", "auto", Ratio(value, value, value), goal)
    assert made.ok == (goal is None or value <= goal)
    assert made.ratio == pytest.approx(value, abs=0.0005)


def test_a_row_without_figures_is_never_ok() -> None:
    """It failed: there is no result."""
    made = row("50-way", "aiohttp", "length", "auto", None, None)
    assert (made.ratio, made.p10, made.p90, made.ok) == (None, None, None, False)


def test_the_file_holds_these_nine_names_and_is_read_back(tmp_path: Path) -> None:
    """Programs rely on them."""
    rows = [
        row("sequential", "pycurl", "chunked", "h11", Ratio(0.5, 0.4, 0.6), 0.72),
        row("50-way", "wreq", "length", "auto", None, 0.45),
    ]
    path = tmp_path / "ratios.json"
    write_rows(rows, path)
    first, second = json.loads(path.read_text(encoding="utf-8"))
    assert list(first) == ["mode", "peer", "answer", "lane", "ratio", "p10", "p90", "goal", "ok"]
    assert (first["ratio"], first["ok"]) == (0.5, True)
    assert (second["ratio"], second["goal"], second["ok"]) == (None, 0.45, False)
    assert read_rows(path) == rows
