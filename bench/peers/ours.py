"""smswire, all its own: form encoder, JSON decoder, and a typed answer through the gateway object."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from inspect import signature
from typing import Any

from smswire import Client, Gateway, Pacer
from smswire.gateway import SmsOutcome

from ..job import KEEPALIVE_REQUESTS, KEY, Fields, NotThereYet, Task

LONG_S = 3600.0
"""Idle connections stay open as long as the server lets them, as do those of the peers."""
TIMEOUT_S = 120.0


def options(client: type, task: Task, lane: str) -> dict[str, Any]:
    """What a client of ours is built with: everything as it comes, but that nothing is paced unless the task says so.

    Raises:
        NotThereYet: this tree's client has no such lane.
    """
    chosen: dict[str, Any] = {
        "trust": task.ca_file,
        "pacer": None if task.options.get("paced") else Pacer(limit=10_000, spacing=0, lag=0.001),
        "max_connections": task.connections,
        "max_requests": KEEPALIVE_REQUESTS,
        "idle_timeout": LONG_S,
        "timeout": TIMEOUT_S,
        "connect_timeout": 60.0,  # a thousand handshakes at once take their time
    }
    if "lane" in signature(client).parameters:
        chosen["lane"] = lane
    elif lane != "h11":  # without lanes everything goes through h11
        raise NotThereYet(f"not there yet: {client.__name__}(lane={lane!r})")
    return chosen


@contextmanager
def gateway(task: Task, lane: str) -> Iterator[Callable[[Fields], Any]]:
    with _opened(task, lane) as ours:

        def send(fields: Fields) -> Any:
            return ours.sms(**fields)

        yield send


@asynccontextmanager
async def async_gateway(task: Task, lane: str) -> AsyncIterator[Callable[[Fields], Awaitable[Any]]]:
    async with _async_opened(task, lane) as ours:

        def send(fields: Fields) -> Awaitable[Any]:
            awaitable: Awaitable[Any] = ours.sms(**fields)
            return awaitable

        yield send


@contextmanager
def bulk(task: Task, lane: str) -> Iterator[Callable[[list[Fields]], object]]:
    with _opened(task, lane, recipients_per_call=task.options["bundle"]) as ours:
        yield lambda messages: check(ours.sms_many(messages))


@contextmanager
def async_bulk(task: Task, lane: str) -> Iterator[Callable[[list[Fields]], object]]:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        opening = stack.enter_async_context(_async_opened(task, lane, recipients_per_call=task.options["bundle"]))
        ours = runner.run(_awaited(opening))
        try:
            yield lambda messages: check(runner.run(_awaited(ours.sms_many(messages))))
        finally:
            runner.run(stack.aclose())


def check(outcomes: list[SmsOutcome]) -> None:
    """Raises the first error there is."""
    for outcome in outcomes:
        if outcome.error is not None:
            raise outcome.error


@contextmanager
def _opened(task: Task, lane: str, **more: Any) -> Iterator[Gateway]:
    with (
        Client(task.origin, **options(Client, task, lane)) as client,
        Gateway(KEY, client=client, **_gateway_options(task), **more) as ours,
    ):
        yield ours


@asynccontextmanager
async def _async_opened(task: Task, lane: str, **more: Any) -> AsyncIterator[Any]:
    try:
        from smswire import AsyncClient, AsyncGateway
    except ImportError:
        raise NotThereYet("not there yet: smswire.AsyncGateway") from None
    async with (
        AsyncClient(task.origin, **options(AsyncClient, task, lane)) as client,
        AsyncGateway(KEY, client=client, **_gateway_options(task), **more) as ours,
    ):
        yield ours


def _gateway_options(task: Task) -> dict[str, Any]:
    return {"base_url": task.base_url, "auth": "x_api_key", "timeout": TIMEOUT_S}


async def _awaited(awaitable: Awaitable[Any]) -> Any:
    return await awaitable
