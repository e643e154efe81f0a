"""aiohttp: one session, a parsed URL, no cookies, its compiled parser (which its wheels have)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from yarl import URL

from ..job import HEADERS, Fields, Task, encode, read


@asynccontextmanager
async def session(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    url = URL(task.url)
    connector = aiohttp.TCPConnector(limit=task.connections, ssl=task.context(), keepalive_timeout=600)
    async with aiohttp.ClientSession(
        connector=connector, headers=HEADERS, cookie_jar=aiohttp.DummyCookieJar(), raise_for_status=False
    ) as open_session:

        async def send(fields: Fields) -> Any:
            async with open_session.post(url, data=encode(fields).encode("ascii")) as response:
                return read(response.status, await response.read())

        yield send
