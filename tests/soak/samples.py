"""What the process weighs over time, and whether that is flat.

The criterion: the most memory in the last quarter of the requests is at most 3 % and 1 MiB above the most in the second
quarter (the first warms up); the most descriptors, threads and tasks are at most a few above. Memory says nothing in a
short run, and is judged from ``LONG`` requests on. In the end, all closed, there are as many descriptors, threads and
tasks as in the beginning, whatever the length.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

LONG: Final = 100_000
MEMORY_SHARE: Final = 0.03
MEMORY_MIB: Final = 1.0
A_FEW: Final = 5
"""Connections that end while others open: a tenth of those there may be."""

_PAGES_PER_MIB: Final = 2**20 / os.sysconf("SC_PAGE_SIZE")


class Sample(NamedTuple):
    """A process at one instant: seconds since it began, calls told, connections opened, and what it holds."""

    seconds: float
    done: int
    opened: int
    memory_mib: float
    descriptors: int
    threads: int
    tasks: int


class Watch:
    """Takes samples of this process."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.samples: list[Sample] = []

    def look(self, done: int, opened: int) -> Sample:
        """To be called in the thread of the event loop, if there is one."""
        sample = Sample(
            time.monotonic() - self._start,
            done,
            opened,
            int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) / _PAGES_PER_MIB,
            len(os.listdir("/dev/fd")) - 1,  # without the one that lists them
            threading.active_count(),
            _tasks(),
        )
        self.samples.append(sample)
        return sample


def _tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs here
        return 0


def is_flat(samples: Sequence[Sample], calls: int) -> list[str]:
    """A line for each thing that grew. The first and the last sample are those before and behind all calls."""
    complaints: list[str] = []
    first, last = samples[0], samples[-1]
    for name in ("descriptors", "threads", "tasks"):
        before, after = getattr(first, name), getattr(last, name)
        if after != before:
            complaints.append(f"{name}: {before} in the beginning, {after} in the end")
    second = [sample for sample in samples[1:-1] if 0.25 <= sample.done / calls < 0.5]
    fourth = [sample for sample in samples[1:-1] if sample.done / calls >= 0.75]
    if calls < LONG:
        return complaints
    if not second or not fourth:
        return [*complaints, "too few samples to say whether anything grew: look more often"]
    for name, share, more in (
        ("memory_mib", MEMORY_SHARE, MEMORY_MIB),
        ("descriptors", 0.0, A_FEW),
        ("threads", 0.0, A_FEW),
        ("tasks", 0.0, A_FEW),
    ):
        early, late = (max(getattr(sample, name) for sample in quarter) for quarter in (second, fourth))
        if late > early * (1 + share) + more:
            complaints.append(f"{name}: {early:,.1f} at most in the second quarter, {late:,.1f} in the last")
    return complaints
