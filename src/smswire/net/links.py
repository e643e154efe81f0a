"""A socket on an event loop: callbacks for what it brings, a count for what it takes.

``Link`` goes by readiness: one ``add_reader`` for as long as the connection lives, on a plain non-blocking socket.
asyncio's own transports cannot say how many bytes the kernel took, and what was sent is a question of money here.

``TaskLink`` is for loops that have no ``add_reader``: a task waits in ``loop.sock_recv``. It sends what the kernel
takes at once, which is nearly always all, and counts it; only the rest goes to ``loop.sock_sendall``, of which nobody
can say how much has left. That is ``unknown`` until it is done, and whoever gives up meanwhile takes it for gone.

A link tells its ``owner``, which may change: an opening first, then a connection. A callback comes from the loop,
never from within a call of the link's methods.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress
from typing import Any, Protocol

from ..flow.dialing import Address
from .polling import IN, Poll
from .settings import RECEIVE_BYTES


class Owner(Protocol):
    """Who is told what a link brings."""

    def link_connected(self, link: Link, error: OSError | None) -> None:
        """``connect`` has come to its end."""

    def link_readable(self, link: Link) -> None:
        """``receive`` has something: bytes, an end or an error."""

    def link_writable(self, link: Link, taken: int) -> None:
        """After ``wait_writable``: try again; ``taken`` bytes have gone meanwhile."""


class Link:
    """One socket, by readiness."""

    __slots__ = ("_is_writing", "_loop", "_poll", "fd", "owner", "socket", "unknown")

    yields = False

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, family: int) -> None:
        self.owner = owner
        self._loop = loop
        self._is_writing = False
        self.unknown = 0
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        self.fd = self.socket.fileno()

    def connect(self, address: Address, local: Address | None) -> bool:
        """Begins to connect; whether that is done already. Raises what the system calls raise at once."""
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if local is not None:
            self.socket.bind(local.sockaddr)
        try:
            self.socket.connect(address.sockaddr)
        except BlockingIOError:
            self._loop.add_writer(self.fd, self._connected)
            return False
        return True

    def watch(self) -> None:
        """From now on the owner hears of what the socket brings."""
        self._poll = Poll()
        self._poll.register(self.fd, IN)
        self._loop.add_reader(self.fd, self._readable)

    def has_news(self) -> bool:
        """Whether ``receive`` has something this instant; a third of the price of a failed read."""
        return bool(self._poll.poll(0))

    def has_failed(self) -> bool:
        """Whether the far end reset it, maybe behind bytes that are still to be read. A callback has to read them all:
        libuv watches no socket any more that has failed.
        """
        ready = self._poll.poll(0)
        return bool(ready) and ready[0][1] & ~IN != 0

    def receive(self) -> bytes:
        """As ``socket.recv``: raises BlockingIOError when there is nothing."""
        return self.socket.recv(RECEIVE_BYTES)

    def send(self, data: bytes | memoryview) -> int:
        """As ``socket.send``: raises BlockingIOError when nothing is taken."""
        return self.socket.send(data)

    def wait_writable(self, data: bytes | memoryview) -> None:
        """The owner hears when sending ``data`` is worth another try."""
        self._is_writing = True
        self._loop.add_writer(self.fd, self._writable)

    def stop_writing(self) -> None:
        """Nobody waits for that any more."""
        if self._is_writing:
            self._is_writing = False
            self._loop.remove_writer(self.fd)

    def close(self, last_word: bytes) -> None:
        """Sends the last word if it is taken at once, and closes; nothing is heard after."""
        # On a loop that is closed already nothing is watched.
        with suppress(RuntimeError):
            self._loop.remove_reader(self.fd)
            self._loop.remove_writer(self.fd)
        if last_word:
            with suppress(OSError):
                self.socket.send(last_word)
        self.socket.close()

    def _connected(self) -> None:
        self._loop.remove_writer(self.fd)
        number = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self.owner.link_connected(self, OSError(number, os.strerror(number)) if number else None)

    def _readable(self) -> None:
        self.owner.link_readable(self)

    def _writable(self) -> None:
        self.stop_writing()
        self.owner.link_writable(self, 0)


class TaskLink(Link):
    """One socket, by ``loop.sock_*`` in tasks of its own. It is closed when these have let go of it: a loop does not
    like to find that a descriptor is gone, or is another socket's.
    """

    __slots__ = ("_is_closed", "_news", "_reading", "_wanted", "_writing")

    yields = True

    def __init__(self, loop: asyncio.AbstractEventLoop, owner: Owner, family: int) -> None:
        super().__init__(loop, owner, family)
        self._is_closed = False
        self._news: bytes | OSError | None = None
        self._wanted = asyncio.Event()
        self._reading: asyncio.Task[Any] | None = None
        self._writing: asyncio.Task[Any] | None = None

    def connect(self, address: Address, local: Address | None) -> bool:
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if local is not None:
            self.socket.bind(local.sockaddr)
        self._writing = self._loop.create_task(self._connect(address))
        return False

    def watch(self) -> None:
        self._reading = self._loop.create_task(self._read())

    def has_news(self) -> bool:
        return self._news is not None

    def has_failed(self) -> bool:
        return False

    def receive(self) -> bytes:
        news, self._news = self._news, None
        if news is None:
            raise BlockingIOError
        self._wanted.set()
        if isinstance(news, OSError):
            raise news
        return news

    def send(self, data: bytes | memoryview) -> int:
        # What a task is sending stands before it.
        if self._writing is not None:
            raise BlockingIOError
        return super().send(data)

    def wait_writable(self, data: bytes | memoryview) -> None:
        if self._writing is None:
            self.unknown = len(data)
            self._writing = self._loop.create_task(self._write(bytes(data)))

    def stop_writing(self) -> None:
        """What was begun goes on: half of it would be in the way of the next request."""

    def close(self, last_word: bytes) -> None:
        self._is_closed = True
        # Half of what a task was sending has left, as far as is known: a record so cut off stays the last.
        if last_word and self._writing is None:
            with suppress(OSError):
                self.socket.send(last_word)
        using = {task for task in (self._reading, self._writing) if task is not None and not task.done()}
        if not using or self._loop.is_closed():
            self.socket.close()
            return

        def let_go(task: asyncio.Task[Any]) -> None:
            using.discard(task)
            if not using:
                self.socket.close()

        for task in list(using):
            task.add_done_callback(let_go)
            task.cancel()

    async def _connect(self, address: Address) -> None:
        error = None
        try:
            await self._loop.sock_connect(self.socket, address.sockaddr)
        except OSError as raised:
            # asyncio says which address it was, and leaves out what went wrong.
            error = OSError(raised.errno, os.strerror(raised.errno)) if raised.errno else raised
        self._writing = None
        self.owner.link_connected(self, error)

    async def _read(self) -> None:
        while not self._is_closed:
            try:
                self._news = await self._loop.sock_recv(self.socket, RECEIVE_BYTES)
            except OSError as error:
                self._news = error
            self._wanted.clear()
            self.owner.link_readable(self)
            if self._news is not None:
                await self._wanted.wait()

    async def _write(self, data: bytes) -> None:
        with suppress(OSError):  # the read that follows tells what it was
            await self._loop.sock_sendall(self.socket, data)
        taken, self.unknown = self.unknown, 0
        self._writing = None
        self.owner.link_writable(self, taken)
