"""``python -m bench.gate``: servers that count connections when they *accept* them, however late those arrive.

Three ways in, each at a port of its own: ``prompt``; ``relay``, which takes a connection at once and hands it on at
random after up to ``RELAY_S``, as a network or a balancer does; ``late``, which accepts all that wait, then nothing for
up to ``ACCEPT_S``, as a busy server does. Every request is answered, and its connection closed.

On stdout: the ports, as a line of JSON; then, for each line on stdin, the times of the accepts since the line before.
"""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import Any, Final

from .job import HOST
from .machine import pinned
from .processes import ROOT, python

RELAY_S: Final = 0.4
ACCEPT_S: Final = 0.3
DELAYS_S: Final = {"prompt": 0.0, "relay": RELAY_S / 2, "late": ACCEPT_S / 3}
"""How long an opening takes on average. One that comes while nobody accepts for x seconds waits half of x, and long
waits meet more of them: E[x²] / 2 E[x], a third of the longest."""

ANSWER: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\n100"


class Answerer(asyncio.Protocol):
    """Answers one request and closes."""

    def __init__(self, on_accept: Callable[[], None] | None = None) -> None:
        self._on_accept = on_accept
        self._received = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if self._on_accept is not None:
            self._on_accept()

    def data_received(self, data: bytes) -> None:
        assert self._transport is not None
        self._received += data
        if b"\r\n\r\n" in self._received:
            self._transport.write(ANSWER)
            self._transport.close()


class Relay(asyncio.Protocol):
    """Takes a connection, and opens its other half ``delay`` later, even if this half is closed by then."""

    def __init__(self, delay: float, port: int) -> None:
        self._delay = delay
        self._port = port
        self._received: list[bytes] = []
        self._near: asyncio.Transport | None = None
        self._far: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._near = transport
        self._opening = asyncio.get_running_loop().create_task(self._open())

    def data_received(self, data: bytes) -> None:
        if self._far is None:
            self._received.append(data)
        else:
            self._far.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        if self._far is not None:
            self._far.close()

    async def _open(self) -> None:
        await asyncio.sleep(self._delay)
        assert self._near is not None
        self._far, _ = await asyncio.get_running_loop().create_connection(partial(Return, self._near), HOST, self._port)
        self._far.writelines(self._received)


class Return(asyncio.Protocol):
    """The way back of a relayed connection."""

    def __init__(self, near: asyncio.Transport) -> None:
        self._near = near

    def data_received(self, data: bytes) -> None:
        self._near.write(data)

    def connection_lost(self, _: Exception | None) -> None:
        self._near.close()


async def accept_late(listener: socket.socket, draw: Random, on_accept: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(draw.uniform(0, ACCEPT_S))
        while True:
            try:
                connection, _ = listener.accept()
            except BlockingIOError:
                break
            on_accept()
            connection.setblocking(False)
            await loop.connect_accepted_socket(Answerer, connection)


async def serve() -> None:
    loop = asyncio.get_running_loop()
    draw = Random(1)  # noqa: S311  (made to be repeated)
    times: list[float] = []

    def note() -> None:
        times.append(loop.time())

    listener = socket.create_server((HOST, 0), backlog=4096)
    listener.setblocking(False)
    prompt = await loop.create_server(lambda: Answerer(note), HOST, 0, backlog=4096)
    prompt_port = prompt.sockets[0].getsockname()[1]
    relay = await loop.create_server(lambda: Relay(draw.uniform(0, RELAY_S), prompt_port), HOST, 0, backlog=4096)
    accepting = loop.create_task(accept_late(listener, draw, note))
    ports = {
        "prompt": prompt_port,
        "relay": relay.sockets[0].getsockname()[1],
        "late": listener.getsockname()[1],
    }
    _say(ports)
    while await loop.run_in_executor(None, sys.stdin.readline):
        _say(times)
        times.clear()
    accepting.cancel()


def _say(what: Any) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Gate:
    """The servers, in a process of their own."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.ports: dict[str, int] = self._read()

    def accepts(self) -> list[float]:
        """When connections were accepted since the last question, in seconds."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        times: list[float] = self._read()
        return times

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def running(core: int) -> Iterator[Gate]:
    with (
        pinned(core),
        subprocess.Popen(
            python("bench.gate"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process,
    ):
        yield Gate(process)


if __name__ == "__main__":
    asyncio.run(serve())
