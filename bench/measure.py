"""What happens in a client process: it warms up, sends as much as takes the time asked for, and says what that cost."""

from __future__ import annotations

import ctypes
import gc
import os
import time
from collections.abc import Callable
from random import Random
from resource import RUSAGE_SELF, getrusage
from typing import Any

from .job import Fields, Task
from .peers import Driver
from .samples import send

FEWEST_A_CALLER = 2
WARM_SHARE = 0.25
"""Of the time measured, before it: the first calls of a process cost several times as much as the later ones."""
SETTLING_S = 0.2
"""After the first call of each caller. A client may go on dialling for a call that another connection served in the
meantime (hyper does), and would dial still more if it were kept busy before those are there."""
MOST = 40_000
"""Requests in one run: what the fastest floor sends in half a second."""


def request(draw: Random) -> Fields:
    """What a call is given, its flags as numbers: ``urlencode`` would write their names, which the gateway refuses."""
    return {**send(draw), "flash": 0, "performance_tracking": 1}


def cpu_s() -> float:
    """User and system time of this process so far, all its threads together."""
    used = getrusage(RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def how_many(seconds: float, seconds_each: float, calls_at_once: int) -> int:
    """Requests that take about that long, and enough that starting and ending them do not show.

    >>> how_many(1.0, 0.001, 1), how_many(1.0, 0.1, 50), how_many(10.0, 0.0001, 1)
    (1000, 100, 40000)
    """
    return max(FEWEST_A_CALLER * calls_at_once, min(int(seconds / seconds_each), MOST))


def throughput(task: Task, driver: Driver) -> dict[str, Any]:
    """CPU per request and requests per second, connections open and all caches warm."""
    draw = Random(task.seed)  # noqa: S311  (made to be repeated)
    sent, each = warm_up(task, driver, draw)
    fields = [request(draw) for _ in range(how_many(task.seconds, each, task.calls_at_once))]
    at_rest()
    cpu = cpu_s()
    wall = timed(driver.run, fields)
    cpu = cpu_s() - cpu
    return {
        "sent": sent + len(fields),
        "cpu_us": cpu / len(fields) * 1e6,
        "per_second": len(fields) / wall,
        "requests": len(fields),
    }


def warm_up(task: Task, driver: Driver, draw: Random) -> tuple[int, float]:
    """Opens the connections; gives how many requests that took, and the seconds a request takes in the end."""
    driver.run([request(draw) for _ in range(task.calls_at_once)])
    time.sleep(SETTLING_S)
    sent, count, spent = task.calls_at_once, task.calls_at_once, 0.0
    while spent < WARM_SHARE * task.seconds:
        fields = [request(draw) for _ in range(count)]
        sent += count
        spent = timed(driver.run, fields)
        each = spent / count
        count *= 2
    return sent, each


def latency(task: Task, driver: Driver) -> dict[str, Any]:
    """Every call's own time, in milliseconds, and the rate of them all."""
    draw = Random(task.seed)  # noqa: S311
    driver.run([request(draw) for _ in range(task.calls_at_once)])
    time.sleep(SETTLING_S)
    driver.run([request(draw) for _ in range(task.calls_at_once)])
    fields = [request(draw) for _ in range(task.options["count"])]
    driver.times = []
    at_rest()
    wall = timed(driver.run, fields)
    return {
        "sent": 2 * task.calls_at_once + len(fields),
        "per_second": len(fields) / wall,
        "times_ms": [time * 1000 for time in driver.times],
    }


def idle(task: Task, driver: Driver) -> dict[str, Any]:
    """Memory of the process with all its connections open and nothing going on."""
    fields = request(Random(task.seed))  # noqa: S311
    driver.run([fields] * task.calls_at_once)
    driver.rest()
    time.sleep(SETTLING_S)  # threads are joined a moment before they have ended
    gc.collect()
    trim()
    return {"sent": task.calls_at_once, "resident_kb": resident_kb()}


def messages(task: Task, driver: Driver) -> dict[str, Any]:
    """SMS of one text to many recipients, by ``sms_many``, which bundles them."""
    draw = Random(task.seed)  # noqa: S311
    text = send(draw)["text"]
    warm, many = (
        [{"to": f"+49171{number:07}", "text": f"{text} {part}"} for number in range(count)]
        for part, count in enumerate((task.connections * task.options["bundle"], task.options["count"]))
    )
    driver.run(warm)
    at_rest()
    cpu = cpu_s()
    wall = timed(driver.run, many)
    cpu = cpu_s() - cpu
    return {"sent": len(warm) + len(many), "cpu_us": cpu / len(many) * 1e6, "per_second": len(many) / wall}


def openings(task: Task, driver: Driver) -> dict[str, Any]:
    """As many connections as are asked for; how fast, the server tells."""
    driver.run([{}] * task.options["count"])
    return {"sent": task.options["count"]}


def trim() -> None:
    """Gives free pages back, as far as the C library knows how: they are left from the calls, and weigh on no idle
    connection."""
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)


def resident_kb() -> float:
    """Of this process, by the kernel's own count of pages."""
    with open("/proc/self/statm", encoding="ascii") as counts:
        return int(counts.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 1024


def timed(function: Callable[[list[Fields]], object], argument: list[Fields]) -> float:
    start = time.perf_counter()
    function(argument)
    return time.perf_counter() - start


def at_rest() -> None:
    """What there is so far is no longer looked at when rubbish is collected; what the run makes is."""
    gc.collect()
    gc.freeze()


ACTIONS: dict[str, Callable[[Task, Driver], dict[str, Any]]] = {
    "throughput": throughput,
    "latency": latency,
    "idle": idle,
    "messages": messages,
    "openings": openings,
}
