"""pycurl: handles that are set up once and used again, as its documents say.

``CurlMulti`` is driven by ``perform`` and ``select``: with 50 connections that takes a tenth less than its multi-socket
interface over ``epoll``, which Python code has to call for every socket. ``AsyncCurlMulti`` brings its own driver.
"""

from __future__ import annotations

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
        self._handles = {handle.curl: handle for handle in (Handle(task) for _ in range(task.calls_at_once))}

    def run(self, requests: list[Fields]) -> None:
        share = iter(requests)
        free = list(self._handles.values())
        left = len(requests)
        while left:
            for fields in islice(share, len(free)):
                handle = free.pop()
                handle.load(fields)
                self._multi.add_handle(handle.curl)
            self._multi.perform()
            queued, before = 1, left
            while queued:
                queued, done, failed = self._multi.info_read()
                if failed:
                    raise pycurl.error(*failed[0][1:])
                for curl in done:
                    self._multi.remove_handle(curl)
                    handle = self._handles[curl]
                    handle.unload()
                    free.append(handle)
                left -= len(done)
            if left == before:
                self._multi.select(1.0)

    def close(self) -> None:
        for curl in self._handles:
            curl.close()
        self._multi.close()


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
