"""The machine: its cores, what else runs on it, and what is installed."""

from __future__ import annotations

import os
import platform
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

IDLE_ENOUGH = 0.10
"""Share of the machine that others may take before figures are called disturbed: ratios were steady to 15 % below."""


def cores() -> tuple[int, int]:
    """One core for the server and one for the clients; the same one twice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """What is started in here stays on that core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def busy_and_total(stat: str) -> tuple[int, int]:
    """Ticks from the first line of ``/proc/stat``: at work (also for other machines on this host), and all.

    >>> busy_and_total("cpu  10 0 5 80 3 0 1 1 0 0")
    (17, 100)
    """
    ticks = [int(each) for each in stat.split()[1:9]]  # user nice system idle iowait irq softirq steal
    return sum(ticks) - ticks[3] - ticks[4], sum(ticks)


class LoadWatch:
    """How busy the machine is while none of ours runs; looked at before, between and after the rounds."""

    def __init__(self, seconds: float = 0.3) -> None:
        self._seconds = seconds
        self.shares: list[float] = []

    def look(self) -> float:
        busy, total = _ticks()
        time.sleep(self._seconds)
        busy_now, total_now = _ticks()
        share = (busy_now - busy) / max(1, total_now - total)
        self.shares.append(share)
        return share

    def warning(self) -> str | None:
        """What to tell the reader, if the machine was not idle."""
        worst = max(self.shares, default=0.0)
        if worst <= IDLE_ENOUGH:
            return None
        loaded = sum(share > IDLE_ENOUGH for share in self.shares)
        return (
            f"The machine is loaded: others took up to {worst:.0%} of it, and more than {IDLE_ENOUGH:.0%} in {loaded} "
            f"of {len(self.shares)} looks. Ratios of a round bear some of that, absolute figures do not."
        )


def _ticks() -> tuple[int, int]:
    with Path("/proc/stat").open(encoding="ascii") as stat:
        return busy_and_total(stat.readline())


def processor() -> str:
    with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as lines:
        names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
        return next(names, platform.machine())


def describe() -> str:
    """One line: machine and versions, as figures need beside them."""
    return (
        f"{processor()}, {os.cpu_count()} cores; {platform.system()} {platform.release()}; CPython "
        f"{platform.python_version()}, {ssl.OPENSSL_VERSION}"
    )


def installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
