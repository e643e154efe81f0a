"""``python -m tests.soak.relay PORT SEED ONE_IN``: hands bytes on to a port of this machine, and breaks connections.

It knows nothing of what it carries. Some connections are reset as soon as they are accepted, now and then many in a
row. Of the pieces that a client sends, one in so many meets a fault: nothing of it goes on, or half of it, or all, and
then the connection ends before, within or behind what comes back. It ends by RST or by FIN, on both sides at once. What
happens to a connection depends on the seed and its number alone.

On stdout: the port to connect to, as a line of JSON; then, for each line on stdin, what was done so far.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, Final

from bench.job import HOST
from bench.processes import ROOT, python

REFUSED: Final = "reset as accepted"
NOTHING, PART = "nothing went on", "half went on"
NO_ANSWER, PART_BACK, BEHIND = "all went on, nothing back", "half of the answer", "behind an answer"
FAULTS: Final = (NOTHING, PART, NO_ANSWER, PART_BACK, BEHIND)
ENDS: Final = ("RST", "FIN")

AT_ACCEPT: Final = 0.03
STORM_EVERY, STORM_FROM, STORM_TO = 300, 60, 100
"""Of so many connections those from the one number to the other are reset: more in a row than three attempts of all
calls that wait for one, so that some calls fail with nothing sent."""

_RST: Final = struct.pack("ii", 1, 0)


class Weather:
    """What breaks, and what has been done."""

    def __init__(self, port: int, seed: int, one_in: int) -> None:
        self.port = port
        self.one_in = one_in
        self.done: Counter[str] = Counter()
        self.accepted = 0
        self.fullest_second = 0
        self._seed = seed
        self._last_second: deque[float] = deque()

    def draw(self) -> Random:
        """For the next connection, which is counted here."""
        self.accepted += 1
        now = time.monotonic()
        self._last_second.append(now)
        while self._last_second[0] <= now - 1.0:
            self._last_second.popleft()
        self.fullest_second = max(self.fullest_second, len(self._last_second))
        return Random(f"{self._seed} {self.accepted}")

    def refuses(self, draw: Random) -> bool:
        is_storm = STORM_FROM <= self.accepted % STORM_EVERY < STORM_TO
        return is_storm or draw.random() < AT_ACCEPT


class Side(asyncio.BufferedProtocol):
    """One of the two connections of a relayed one."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._buffer = bytearray(65_536)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def get_buffer(self, _: int) -> bytearray:
        return self._buffer

    def buffer_updated(self, size: int) -> None:
        self.receive(bytes(memoryview(self._buffer)[:size]))

    def receive(self, data: bytes) -> None:
        raise NotImplementedError

    def send(self, data: bytes) -> None:
        """What the kernel does not take at once follows, unless the connection is reset before."""
        if self.transport is not None and data:
            self.transport.write(data)

    def end(self, how: str) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if how == "RST":
            self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
            self.transport.abort()
        else:
            self.transport.close()


class Far(Side):
    """The server's."""

    def __init__(self, near: Near) -> None:
        super().__init__()
        self._near = near

    def receive(self, data: bytes) -> None:
        self._near.answered(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._near.end("FIN")


class Near(Side):
    """The client's, which decides."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self._weather = weather
        self._far: Far | None = None
        self._early: list[bytes] = []
        self._fault: str | None = None
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._draw = self._weather.draw()
        if self._weather.refuses(self._draw):
            self._weather.done[REFUSED] += 1
            self.end("RST")
        else:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        far = Far(self)
        try:
            await asyncio.get_running_loop().create_connection(lambda: far, HOST, self._weather.port)
        except OSError:
            self.end("FIN")
            return
        self._far = far
        if self.transport is None or self.transport.is_closing():
            far.end("FIN")
            return
        for data in self._early:
            self.receive(data)

    def receive(self, data: bytes) -> None:
        far = self._far
        if far is None:
            self._early.append(data)
            return
        if self._fault is None and self._draw.random() * self._weather.one_in < 1.0:
            self._fault = self._draw.choice(FAULTS)
        if self._fault == NOTHING:
            self._break_off()
        elif self._fault == PART:
            far.send(data[: len(data) // 2])
            self._break_off()
        else:
            far.send(data)

    def answered(self, data: bytes) -> None:
        if self._fault in (None, BEHIND):
            self.send(data)
        elif self._fault == PART_BACK:
            self.send(data[: len(data) // 2])
        if self._fault is not None:
            self._break_off()

    def _break_off(self) -> None:
        assert self._far is not None
        how = self._draw.choice(ENDS)
        self._weather.done[f"{self._fault}, {how}"] += 1
        for side in (self, self._far):
            side.end(how)

    def connection_lost(self, _: Exception | None) -> None:
        if self._far is not None:
            self._far.end("FIN")


async def serve(weather: Weather) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Near(weather), HOST, 0, backlog=1024)
    _say({"port": server.sockets[0].getsockname()[1]})
    while await loop.run_in_executor(None, sys.stdin.readline):
        _say({"accepted": weather.accepted, "fullest_second": weather.fullest_second, "faults": weather.done})
    server.close()


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Relay:
    """The relay of another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.port: int = self._read()["port"]

    def report(self) -> dict[str, Any]:
        """``accepted``, ``fullest_second`` (the most connections in any second), ``faults`` by name."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def running(port: int, seed: int, one_in: int) -> Iterator[Relay]:
    command = python("tests.soak.relay", str(port), str(seed), str(one_in))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Relay(process)  # its end of stdin is closed on the way out, and it ends by that


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):  # of the terminal's whole group: whoever started this one tells
        asyncio.run(serve(Weather(*map(int, sys.argv[1:]))))
