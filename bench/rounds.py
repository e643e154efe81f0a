"""Rounds: every client once a round, in an order that changes, so that a drifting machine favours nobody.

Clients that are compared run within seconds of each other (a *group*: one mode, one kind of answer), and what counts is
the ratio of their figures within a round.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any

from .machine import LoadWatch
from .processes import Report

Contender = tuple[str, Hashable]
"""A peer's key, and the setting in which it runs."""


@dataclass
class Runs:
    """What became of one contender in all the rounds so far."""

    reports: dict[int, Report] = field(default_factory=dict)

    @property
    def failure(self) -> Report | None:
        """The first report with an error: one makes the row no result."""
        return next((each for each in self.reports.values() if each.error is not None), None)

    def figures(self, name: str) -> dict[int, float]:
        """By round; none if the row failed."""
        if self.failure is not None:
            return {}
        return {number: report.figures[name] for number, report in self.reports.items()}

    def median(self, name: str) -> float | None:
        figures = self.figures(name)
        return median(figures.values()) if figures else None

    def all_of(self, name: str) -> list[Any]:
        """The lists of all rounds as one."""
        return [each for report in self.reports.values() for each in report.figures.get(name, ())]


def shuffled(groups: Sequence[Sequence[Contender]], rounds: int, seed: int) -> Iterator[tuple[int, Contender]]:
    """The order of everything: rounds, in each the groups in an order of its own, in each of these its contenders."""
    draw = Random(seed)  # noqa: S311  (made to be repeated)
    for number in range(rounds):
        for group in draw.sample(groups, len(groups)):
            for contender in draw.sample(group, len(group)):
                yield number, contender


def collect(
    groups: Sequence[Sequence[Contender]],
    rounds: int,
    run: Callable[[Contender, int], Report],
    watch: LoadWatch,
    seed: int = 1,
) -> dict[Contender, Runs]:
    """Runs them all. Who failed is not run again: it can no longer become a result."""
    runs = {contender: Runs() for group in groups for contender in group}
    current = -1
    for number, contender in shuffled(groups, rounds, seed):
        if number > current:
            watch.look()
            current = number
        if runs[contender].failure is None:
            runs[contender].reports[number] = run(contender, number)
    watch.look()
    return runs
