"""Paired ratios: ours against a peer's in the same round, and what a file of them looks like."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """The value below which ``percent`` of them lie, between two neighbours in proportion.

    >>> percentile([1, 2, 3, 4, 5], 50), percentile([0, 10], 90)
    (3.0, 9.0)
    """
    if not values or not 0 <= percent <= 100:
        raise ValueError("a percentile is of at least one value, and from 0 to 100")
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(frozen=True)
class Ratio:
    """Ours divided by theirs: the median of the rounds, and where the middle eight of ten lie."""

    ratio: float
    p10: float
    p90: float


def paired(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Ratio:
    """The ratio over the rounds in which both have a figure, by the round's number.

    >>> paired({0: 1.0, 1: 3.0, 2: 2.0}, {0: 2.0, 1: 2.0, 2: 2.0}).ratio
    1.0
    """
    rounds = sorted(ours.keys() & theirs.keys())
    if not rounds:
        raise ValueError("no round has both")
    ratios = [ours[number] / theirs[number] for number in rounds]
    return Ratio(median(ratios), percentile(ratios, 10), percentile(ratios, 90))


@dataclass(frozen=True)
class Row:
    """One line of the file. Without figures the row failed: it is no result, and not ``ok``."""

    mode: str
    peer: str
    answer: str
    lane: str
    ratio: float | None
    p10: float | None
    p90: float | None
    goal: float | None
    ok: bool


def row(mode: str, peer: str, answer: str, lane: str, ratio: Ratio | None, goal: float | None) -> Row:
    """A row is ok if it has figures and they reach the goal, where there is one."""
    if ratio is None:
        return Row(mode, peer, answer, lane, None, None, None, goal, ok=False)
    middle, p10, p90 = (round(each, 3) for each in (ratio.ratio, ratio.p10, ratio.p90))
    return Row(mode, peer, answer, lane, middle, p10, p90, goal, ok=goal is None or ratio.ratio <= goal)


def write_rows(rows: Iterable[Row], path: Path) -> None:
    """``[{"mode", "peer", "answer", "lane", "ratio", "p10", "p90", "goal", "ok"}]``."""
    path.write_text(json.dumps([asdict(each) for each in rows], indent=2) + "\n", encoding="utf-8")


def read_rows(path: Path) -> list[Row]:
    return [Row(**each) for each in json.loads(path.read_text(encoding="utf-8"))]
