"""``python -m bench.bulk_client``: one bulk send in a process of its own. An order on stdin, its figures on stdout."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from .job import HOST, KEY


class Order(NamedTuple):
    """What to send, where, and how; ``file`` holds the rows for who reads one."""

    way: str
    rows: int
    is_shared: bool
    port: int
    ca_file: str
    file: str
    core: int

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}/api"


def rows_of(count: int, *, is_shared: bool) -> Iterator[dict[str, str]]:
    """Each to a number of its own; with one text, or a text each."""
    for number in range(count):
        text = "Sale: everything must go until Saturday, 6 pm!"
        yield {
            "to": f"+49151{number:08}",
            "text": text if is_shared else f"Your order {number:08} is on its way to you.",
        }


def stream(order: Order) -> dict[str, Any]:
    """``AsyncGateway.sms_stream`` from a generator that counts how far it is ahead."""
    from smswire import AsyncGateway

    told = most = 0

    def counted() -> Iterator[dict[str, str]]:
        nonlocal most
        for read, row in enumerate(rows_of(order.rows, is_shared=order.is_shared), start=1):
            most = max(most, read - told)
            yield row

    async def send() -> None:
        nonlocal told
        async with AsyncGateway(KEY, base_url=order.url, trust=order.ca_file) as gateway:
            async for outcome in gateway.sms_stream(counted()):
                if outcome.error is not None:
                    raise outcome.error
                told += 1

    start = time.perf_counter()
    asyncio.run(send())
    return {"per_second": order.rows / (time.perf_counter() - start), "in_flight": most}


def command(order: Order) -> dict[str, Any]:
    """``smswire bulk`` with a report; its time is that of the command, checking the file included."""
    from smswire.cli.app import app

    os.environ["SMSWIRE_API_KEY"] = KEY
    report = f"{order.file}.report"
    words = ["bulk", order.file, "--report", report, "--base-url", order.url, "--trust", order.ca_file]
    start = time.perf_counter()
    status = app(words, standalone_mode=False)
    seconds = time.perf_counter() - start
    if status != 0:
        raise SystemExit(f"smswire bulk ended with {status}")
    return {"per_second": order.rows / seconds, "in_flight": None}


WAYS: Final[dict[str, Callable[[Order], dict[str, Any]]]] = {"AsyncGateway.sms_stream": stream, "smswire bulk": command}


def peak_mib() -> float:
    """Of this process: what ``ru_maxrss`` says may be that of the process that started it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


if __name__ == "__main__":
    order = Order(**json.load(sys.stdin))
    os.sched_setaffinity(0, {order.core})
    figures = WAYS[order.way](order) | {"peak_mib": peak_mib()}
    sys.stdout.write(json.dumps(figures) + "\n")
