"""Two functions on the same inputs, in turns; what counts is the ratio of their medians.

A machine's speed drifts by more than what is to be measured. So the two run a few milliseconds apart, in an order that
changes from round to round, and a round that was disturbed is outvoted by the others. Each round has inputs of its
own, made by the same rule and never seen before: what a codec remembers of texts helps it here as much as it would
help on the wire. As in ``timeit`` the garbage collector is off while the clock runs; the clock is the thread's own CPU
time, since what else the machine does is no property of a codec.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any


@dataclass(frozen=True)
class Case:
    """One row: ``ours`` should take at most ``goal`` times as long as ``theirs``."""

    name: str
    against: str
    goal: float
    ours: Callable[[Any], Any]
    theirs: Callable[[Any], Any]
    inputs: Callable[[int], list[Any]]
    """The inputs of a round, by its number."""


@dataclass(frozen=True)
class Result:
    case: Case
    ours_s: float
    theirs_s: float

    @property
    def ratio(self) -> float:
        return self.ours_s / self.theirs_s

    @property
    def ok(self) -> bool:
        return self.ratio <= self.case.goal


def race(cases: Iterable[Case], rounds: int) -> Iterator[Result]:
    """Runs each case; times are those of one call, the median of all rounds."""
    for case in cases:
        times: dict[Any, list[float]] = {case.ours: [], case.theirs: []}
        for number in range(-1, rounds):  # the first warms up, and does not count
            inputs = case.inputs(number)
            for function in sorted(times, key=lambda each: each is case.ours, reverse=number % 2 == 0):
                spent = _time(function, inputs)
                if number >= 0:
                    times[function].append(spent)
        yield Result(case, median(times[case.ours]), median(times[case.theirs]))


def _time(function: Callable[[Any], Any], inputs: list[Any]) -> float:
    gc.collect()
    gc.disable()
    try:
        start = time.thread_time()
        for each in inputs:
            function(each)
        return (time.thread_time() - start) / len(inputs)
    finally:
        gc.enable()
