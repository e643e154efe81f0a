"""pyreqwest and wreq: clients in Rust. Each with HTTP/1.1, the one authority, and as many connections as allowed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from ..job import HEADERS, Fields, Task, encode, read


def _pyreqwest_built(builder: Any, task: Task) -> Any:
    return (
        builder.http1_only()
        .no_proxy()
        .follow_redirects(False)
        .max_connections(task.connections)
        .pool_max_idle_per_host(task.connections)
        .pool_idle_timeout(None)
        .default_headers(HEADERS)
        .add_root_certificate_pem(Path(task.ca_file).read_bytes())
        .build()
    )


@contextmanager
def pyreqwest_blocking(task: Task) -> Iterator[Callable[[Fields], Any]]:
    from pyreqwest.client import SyncClientBuilder
    from pyreqwest.http import Url

    url = Url(task.url)
    with _pyreqwest_built(SyncClientBuilder(), task) as client:

        def send(fields: Fields) -> Any:
            response = client.post(url).body_text(encode(fields)).build().send()
            return read(response.status, response.text())

        yield send


@asynccontextmanager
async def pyreqwest_asyncio(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    from pyreqwest.client import ClientBuilder
    from pyreqwest.http import Url

    url = Url(task.url)
    async with _pyreqwest_built(ClientBuilder(), task) as client:

        async def send(fields: Fields) -> Any:
            response = await client.post(url).body_text(encode(fields)).build().send()
            return read(response.status, await response.text())

        yield send


def _wreq_options(task: Task) -> dict[str, Any]:
    return {
        "http1_only": True,
        "no_proxy": True,
        "headers": HEADERS,
        "tls_verify": Path(task.ca_file),
        "pool_max_size": task.connections,
        "pool_max_idle_per_host": task.connections,
    }


@contextmanager
def wreq_blocking(task: Task) -> Iterator[Callable[[Fields], Any]]:
    from wreq.blocking import Client

    url = task.url
    client = Client(**_wreq_options(task))

    def send(fields: Fields) -> Any:
        with client.post(url, body=encode(fields)) as response:
            return read(response.status.as_int(), response.text())

    yield send
    client.close()


@asynccontextmanager
async def wreq_asyncio(task: Task) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    from wreq import Client

    url = task.url
    async with Client(**_wreq_options(task)) as client:

        async def send(fields: Fields) -> Any:
            async with client.post(url, body=encode(fields)) as response:
                return read(response.status.as_int(), await response.text())

        yield send
