"""The floors: prepared bytes over TLS in memory buffers, and nothing done with the answer but to see that it is whole.

What no client that speaks TLS from Python can go below, with the kernel's and OpenSSL's part alone. They encode
nothing, parse nothing, and know no deadline.
"""

from __future__ import annotations

import asyncio
import select
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from random import Random

from ..job import HEADERS, HOST, Fields, Task, WrongAnswer, encode
from ..measure import request

_ENDS = (b"}", b"\r\n0\r\n\r\n")
"""Of an answer with its length, and of a chunked one."""


class Line:
    """One connection, and one exchange at a time on it."""

    __slots__ = ("_incoming", "_outgoing", "_received", "_request", "_tls", "fd", "socket")

    def __init__(self, task: Task, context: ssl.SSLContext) -> None:
        self.socket = socket.create_connection((HOST, task.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fd = self.socket.fileno()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=HOST)
        self._request = prepared(task)
        self._received = b""
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self.socket.sendall(self._outgoing.read())
                self._incoming.write(self.socket.recv(65_536))
            else:
                break
        self.socket.sendall(self._outgoing.read())

    def send(self) -> None:
        self._tls.write(self._request)
        self.socket.send(self._outgoing.read())

    def receive(self) -> bool:
        """Reads once; whether the answer is whole."""
        data = self.socket.recv(65_536)
        if not data:
            raise WrongAnswer("the server closed")
        self._incoming.write(data)
        try:
            received = self._tls.read(65_536)
        except ssl.SSLWantReadError:  # the session's tickets come before the first answer
            return False
        if self._received:
            received = self._received + received
        if not received.endswith(_ENDS):
            self._received = received
            return False
        self._received = b""
        if not received.startswith(b"HTTP/1.1 200 "):
            raise WrongAnswer(received[:40].decode("latin-1"))
        return True


def prepared(task: Task) -> bytes:
    body = encode(request(Random(0))).encode("ascii")  # noqa: S311
    fields = {"Host": f"{HOST}:{task.port}", **HEADERS, "Content-Length": len(body)}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST {task.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


@contextmanager
def lines(task: Task) -> Iterator[list[Line]]:
    context = task.context()
    opened = [Line(task, context) for _ in range(task.connections)]
    try:
        yield opened
    finally:
        for line in opened:
            line.socket.close()


@contextmanager
def blocking(task: Task) -> Iterator[Callable[[list[Fields]], object]]:
    with lines(task) as (line,):

        def run(requests: list[Fields]) -> None:
            for _ in requests:
                line.send()
                while not line.receive():
                    pass

        yield run


@contextmanager
def epoll(task: Task) -> Iterator[Callable[[list[Fields]], object]]:
    with lines(task) as opened, select.epoll() as watcher:
        by_fd = {line.fd: line for line in opened}
        for fd in by_fd:
            watcher.register(fd, select.EPOLLIN)

        def run(requests: list[Fields]) -> None:
            left = len(requests)
            share = iter(requests)
            for line in opened[:left]:
                next(share)
                line.send()
            while left:
                for fd, _ in watcher.poll():
                    line = by_fd[fd]
                    if line.receive():
                        left -= 1
                        for _ in islice(share, 1):
                            line.send()

        yield run


@contextmanager
def asyncio_readers(task: Task) -> Iterator[Callable[[list[Fields]], object]]:
    """The loop calls back when a connection has something; there is no task and no future but one for it all."""
    with lines(task) as opened, asyncio.Runner() as runner:
        loop = runner.get_loop()
        share: Iterator[Fields] = iter(())
        left = 0
        done: asyncio.Future[None] = loop.create_future()

        def on_readable(line: Line) -> None:
            nonlocal left
            try:
                if not line.receive():
                    return
                left -= 1
                for _ in share:
                    line.send()
                    return
            except Exception as error:  # noqa: BLE001  told by who waits
                left = 0
                if not done.done():
                    done.set_exception(error)
            if not left and not done.done():
                done.set_result(None)

        async def all_of(requests: list[Fields]) -> None:
            nonlocal share, left, done
            share, left, done = iter(requests), len(requests), loop.create_future()
            for line in opened[:left]:
                next(share)
                line.send()
            await done

        for line in opened:
            loop.add_reader(line.fd, on_readable, line)
        try:
            yield lambda requests: runner.run(all_of(requests))
        finally:
            for line in opened:
                loop.remove_reader(line.fd)
