"""Openings at 50 a second: by our pacing, and by limiters as they are used. One call is one connection.

The limiters' clients open a plain connection when the limiter lets them, and ask for a page: what they know is when
they begin, and that is all they limit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from smswire import Client, Pacer

from ..goals import EACH_SECOND
from ..job import HOST, Fields, NotThereYet, Task, WrongAnswer

OPTIONS: dict[str, Any] = {"max_connections": 500, "timeout": 300.0, "connect_timeout": 60.0}
"""Not short of connections: how often one opens is to depend on the pacing alone."""


@contextmanager
def blocking(task: Task, **_: str) -> Iterator[Callable[[Fields], Any]]:
    with Client(f"http://{HOST}:{task.port}", pacer=Pacer(), **OPTIONS) as client:
        yield lambda _: _check(client.request("GET", "/").status)


@asynccontextmanager
async def asyncio_client(task: Task, **_: str) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    try:
        from smswire import AsyncClient
    except ImportError:
        raise NotThereYet("not there yet: smswire.AsyncClient") from None
    async with AsyncClient(f"http://{HOST}:{task.port}", pacer=Pacer(), **OPTIONS) as client:

        async def send(_: Fields) -> None:
            _check((await client.request("GET", "/")).status)

        yield send


@asynccontextmanager
async def aiolimiter(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    from aiolimiter import AsyncLimiter

    limiter = AsyncLimiter(EACH_SECOND, 1.0)

    async def send(_: Fields) -> None:
        async with limiter:
            await exchange(task.port)

    yield send


@asynccontextmanager
async def pyrate_limiter(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    from pyrate_limiter import BucketAsyncWrapper, Duration, InMemoryBucket, Limiter, Rate

    limiter = Limiter(BucketAsyncWrapper(InMemoryBucket([Rate(EACH_SECOND, Duration.SECOND)])))

    async def send(_: Fields) -> None:
        await limiter.try_acquire_async("openings")
        await exchange(task.port)

    yield send


@asynccontextmanager
async def token_bucket(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    bucket = TokenBucket(EACH_SECOND, EACH_SECOND)

    async def send(_: Fields) -> None:
        await asyncio.sleep(bucket.take(time.monotonic()))
        await exchange(task.port)

    yield send


class TokenBucket:
    """As in every textbook: so many tokens at first, and so many more each second.

    >>> bucket = TokenBucket(rate=50, capacity=1)
    >>> bucket.take(0.0), bucket.take(0.0)
    (0.0, 0.02)
    """

    def __init__(self, rate: float, capacity: float) -> None:
        self._rate, self._capacity, self._tokens = rate, capacity, capacity
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Takes a token; gives how many seconds it is until there is one."""
        if self._at is not None:
            self._tokens = min(self._capacity, self._tokens + (now - self._at) * self._rate)
        self._at = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)


async def exchange(port: int) -> None:
    reader, writer = await asyncio.open_connection(HOST, port)
    writer.write(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    _check(int(answer.split(b" ", 2)[1]))


def _check(status: int) -> None:
    if status != 200:
        raise WrongAnswer(f"status {status}")
