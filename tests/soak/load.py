"""The calls: as many under way as there may be connections, by tasks or by threads, with a lull after each tenth.

Each has a serial number of its own in its target and body. One in ``LARGE_ONE_IN`` is of several TLS records; one in
``IMPATIENT_ONE_IN`` gives up after some milliseconds. In a lull the server ends the connections that nobody uses.
"""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

from smswire import AsyncClient, Client, errors
from smswire.wire.message import Response

from .accounts import TOLD, Sent
from .samples import Sample, Watch
from .server import TARGETS

LARGE_ONE_IN: Final = 50
LARGE_BYTES: Final = 40_000
IMPATIENT_ONE_IN: Final = 500
PATIENCES_S: Final = (0.0005, 0.001, 0.002, 0.004, 0.008)
PARTS: Final = 10
HEADERS: Final = [("Content-Type", "text/plain"), ("X-Api-Key", "sandbox-key")]


class Settings(NamedTuple):
    """``origin`` and what else the client takes, seconds from look to look, and seconds of a lull."""

    origin: str
    options: dict[str, Any]
    connections: int
    every: float
    lull: float


class Calls:
    """What is asked, and what was told: ``told`` holds a verdict for each serial number."""

    def __init__(self, count: int) -> None:
        self.told = bytearray(count)
        self.errors: Counter[str] = Counter()
        self.complaints: list[str] = []
        self._lock = threading.Lock()

    @property
    def done(self) -> int:
        return len(self.told) - self.told.count(0)

    def parts(self) -> Iterator[range]:
        """All serial numbers, in a few parts."""
        size = -(-len(self.told) // PARTS)
        yield from (range(first, min(first + size, len(self.told))) for first in range(0, len(self.told), size))

    def answered(self, serial: int, response: Response) -> None:
        self.told[serial] = TOLD[Sent.YES]
        if response.status != 200 or not response.body.startswith(b"%d " % serial):
            self._complain(f"call {serial} was answered {response.status} {response.body[:40]!r}")

    def failed(self, serial: int, error: errors.SmswireError) -> None:
        self.told[serial] = TOLD[error.sent]
        with self._lock:
            self.errors[f"{type(error).__name__}, {error.sent.name}"] += 1

    def crashed(self, serial: int, error: BaseException) -> None:
        self._complain(f"call {serial} raised {error!r}")

    def _complain(self, what: str) -> None:
        with self._lock:
            self.complaints.append(what)


def call_of(serial: int) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Method, target, headers and body."""
    body = b"%d Your appointment is on Tuesday at half past two." % serial
    if serial % LARGE_ONE_IN == 0:
        body = body.ljust(LARGE_BYTES, b".")
    return "POST", f"{TARGETS[serial % 2]}{serial}", HEADERS, body


def patience_of(serial: int) -> float | None:
    """Seconds that a call may take; None: as long as the client lets it."""
    turn, place = divmod(serial, IMPATIENT_ONE_IN)
    return None if place else PATIENCES_S[turn % len(PATIENCES_S)]


def by_tasks(settings: Settings, calls: Calls, watch: Watch, show: Callable[[Sample], None]) -> None:
    """One ``AsyncClient``, a task for each connection."""
    asyncio.run(_by_tasks(settings, calls, watch, show))


async def _by_tasks(settings: Settings, calls: Calls, watch: Watch, show: Callable[[Sample], None]) -> None:
    show(watch.look(0, 0))
    async with AsyncClient(settings.origin, max_connections=settings.connections, **settings.options) as client:

        async def look() -> None:
            while True:
                await asyncio.sleep(settings.every)
                show(watch.look(calls.done, client.stats().opened))

        async def work(share: Iterator[int]) -> None:
            for serial in share:
                try:
                    response = await client.request(*call_of(serial), timeout=patience_of(serial))
                except errors.SmswireError as error:
                    calls.failed(serial, error)
                except Exception as error:  # noqa: BLE001  whatever it is, it is told
                    calls.crashed(serial, error)
                else:
                    calls.answered(serial, response)

        looking = asyncio.create_task(look())
        for part in calls.parts():
            share = iter(part)
            await asyncio.gather(*(work(share) for _ in range(settings.connections)))
            await asyncio.sleep(settings.lull)
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)
        opened = client.stats().opened
    gc.collect()
    show(watch.look(calls.done, opened))


def by_threads(settings: Settings, calls: Calls, watch: Watch, show: Callable[[Sample], None]) -> None:
    """One ``Client``, a thread for each connection."""
    show(watch.look(0, 0))
    with Client(settings.origin, max_connections=settings.connections, **settings.options) as client:
        next_look = time.monotonic() + settings.every

        def work(share: Iterator[int]) -> None:
            for serial in share:
                try:
                    response = client.request(*call_of(serial), timeout=patience_of(serial))
                except errors.SmswireError as error:
                    calls.failed(serial, error)
                except Exception as error:  # noqa: BLE001  whatever it is, it is told
                    calls.crashed(serial, error)
                else:
                    calls.answered(serial, response)

        def wait_for(rest: Callable[[float], object], is_over: Callable[[], bool]) -> None:
            nonlocal next_look
            while not is_over():
                rest(max(0.0, next_look - time.monotonic()))
                if time.monotonic() >= next_look:
                    show(watch.look(calls.done, client.stats().opened))
                    next_look += settings.every

        for part in calls.parts():
            share = iter(part)
            threads = [threading.Thread(target=work, args=(share,)) for _ in range(settings.connections)]
            for thread in threads:
                thread.start()
            for thread in threads:
                wait_for(thread.join, lambda thread=thread: not thread.is_alive())  # type: ignore[misc]
            until = time.monotonic() + settings.lull
            wait_for(
                lambda seconds, until=until: time.sleep(min(seconds, max(0.0, until - time.monotonic()))),  # type: ignore[misc]
                lambda until=until: time.monotonic() >= until,  # type: ignore[misc]
            )
        opened = client.stats().opened
    gc.collect()
    show(watch.look(calls.done, opened))
