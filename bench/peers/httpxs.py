"""httpx: a client with HTTP/1.1 only, no look at the environment, and as many connections as allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx

from ..job import HEADERS, Fields, Task, encode, read


def options(task: Task) -> dict[str, Any]:
    limits = httpx.Limits(
        max_connections=task.connections, max_keepalive_connections=task.connections, keepalive_expiry=600
    )
    return {"verify": task.context(), "headers": HEADERS, "limits": limits, "trust_env": False, "timeout": 120.0}


@contextmanager
def blocking(task: Task) -> Iterator[Callable[[Fields], Any]]:
    url = httpx.URL(task.url)
    with httpx.Client(**options(task)) as client:

        def send(fields: Fields) -> Any:
            response = client.post(url, content=encode(fields))
            return read(response.status_code, response.content)

        yield send


@asynccontextmanager
async def asyncio_client(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    url = httpx.URL(task.url)
    async with httpx.AsyncClient(**options(task)) as client:

        async def send(fields: Fields) -> Any:
            response = await client.post(url, content=encode(fields))
            return read(response.status_code, response.content)

        yield send
