"""pycurl: handles that are set up once and used again, as its documents say.

``CurlMulti`` is driven by its multi-socket interface over ``epoll``, the one libcurl recommends for many transfers;
``AsyncCurlMulti`` does the same by the event loop.
"""

from __future__ import annotations

import select
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import islice
from typing import Any

import pycurl

from ..job import HEADERS, Fields, Task, encode, read


class Handle:
    """An easy handle for one request after the other."""

    __slots__ = ("_chunks", "curl")

    def __init__(self, task: Task) -> None:
        self.curl = pycurl.Curl()
        self._chunks: list[bytes] = []
        for option, value in (
            (pycurl.URL, task.url),
            (pycurl.CAINFO, task.ca_file),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in HEADERS.items()]),
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),
            (pycurl.WRITEFUNCTION, self._chunks.append),
            (pycurl.MAXAGE_CONN, 3600),
        ):
            self.curl.setopt(option, value)

    def load(self, fields: Fields) -> None:
        self._chunks.clear()
        self.curl.setopt(pycurl.POSTFIELDS, encode(fields))

    def unload(self) -> Any:
        return read(self.curl.getinfo(pycurl.RESPONSE_CODE), b"".join(self._chunks))


@contextmanager
def easy(task: Task) -> Iterator[Callable[[Fields], Any]]:
    handle = Handle(task)

    def send(fields: Fields) -> Any:
        handle.load(fields)
        handle.curl.perform()
        return handle.unload()

    yield send
    handle.curl.close()


@contextmanager
def multi(task: Task) -> Iterator[Callable[[list[Fields]], object]]:
    curls = Multi(task)
    yield curls.run
    curls.close()


class Multi:
    """Many transfers at once in one thread."""

    def __init__(self, task: Task) -> None:
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, task.connections)
        self._multi.setopt(pycurl.M_MAXCONNECTS, task.connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._on_socket)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._on_timer)
        self._handles = {handle.curl: handle for handle in (Handle(task) for _ in range(task.calls_at_once))}
        self._epoll = select.epoll()
        self._watched: set[int] = set()
        self._until: float | None = None

    def run(self, requests: list[Fields]) -> None:
        share = iter(requests)
        free = list(self._handles.values())
        under_way = 0
        while True:
            for fields in islice(share, len(free)):
                handle = free.pop()
                handle.load(fields)
                self._multi.add_handle(handle.curl)
                under_way += 1
            if not under_way:
                return
            self._wait()
            queued = 1
            while queued:
                queued, done, failed = self._multi.info_read()
                if failed:
                    raise pycurl.error(*failed[0][1:])
                for curl in done:
                    self._multi.remove_handle(curl)
                    handle = self._handles[curl]
                    handle.unload()
                    free.append(handle)
                under_way -= len(done)

    def close(self) -> None:
        for curl in self._handles:
            curl.close()
        self._multi.close()
        self._epoll.close()

    def _wait(self) -> None:
        timeout = None if self._until is None else max(0.0, self._until - time.monotonic())
        for fd, events in self._epoll.poll(timeout):
            bits = (pycurl.CSELECT_IN if events & ~select.EPOLLOUT else 0) | (
                pycurl.CSELECT_OUT if events & select.EPOLLOUT else 0
            )
            self._multi.socket_action(fd, bits)
        if self._until is not None and time.monotonic() >= self._until:
            self._until = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)

    def _on_socket(self, what: int, fd: int, _multi: Any, _data: Any) -> None:
        if what == pycurl.POLL_REMOVE:
            self._watched.discard(fd)
            self._epoll.unregister(fd)
            return
        events = (select.EPOLLIN if what & pycurl.POLL_IN else 0) | (select.EPOLLOUT if what & pycurl.POLL_OUT else 0)
        if fd in self._watched:
            self._epoll.modify(fd, events)
        else:
            self._watched.add(fd)
            self._epoll.register(fd, events)

    def _on_timer(self, milliseconds: int) -> None:
        self._until = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000


@asynccontextmanager
async def asyncio_multi(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    async with pycurl.AsyncCurlMulti() as many:
        many.setopt(pycurl.M_MAX_TOTAL_CONNECTIONS, task.connections)
        many.setopt(pycurl.M_MAXCONNECTS, task.connections)
        free = [Handle(task) for _ in range(task.calls_at_once)]

        async def send(fields: Fields) -> Any:
            handle = free.pop()
            handle.load(fields)
            await many.perform(handle.curl)
            try:
                return handle.unload()
            finally:
                free.append(handle)

        yield send
