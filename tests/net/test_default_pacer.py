"""Two clients of one gateway in one process keep the limit together, without being told to."""

from __future__ import annotations

import asyncio
import itertools
from concurrent.futures import ThreadPoolExecutor

from smswire import AsyncClient, Client
from smswire.sandbox import Limits

from .test_queue import Caller

OPENINGS = 200
CALLERS = 30  # of each kind


def test_two_clients_together_never_open_more_than_fifty_a_second(make_sandbox):
    """Forty connections each, at once: the sandbox counts at most 50 accepts in any second and admits all."""
    sandbox = make_sandbox(delay=1.5)
    origin = sandbox.url.removesuffix("/api")
    with Client(origin, trust=sandbox.ca_file) as one, Client(origin, trust=sandbox.ca_file) as other:
        callers = [Caller(client, "/api/nothing") for client in (one, other) for _ in range(40)]
        for caller in callers:
            caller.join()
        opened = one.stats().opened + other.stats().opened
    assert [caller.error for caller in callers] == [None] * 80
    accepts = sandbox.accepts()
    assert len(accepts) == opened > 50
    assert all(accept["admitted"] for accept in accepts)
    assert sandbox.summary()["peak_accepts_per_second"] <= 50


def test_a_blocking_and_an_asyncio_client_share_the_openings(make_sandbox):
    """Both short of connections, one call each: at most 50 accepts in any second, and neither gets less than 40 %."""
    sandbox = make_sandbox(limits=Limits(requests_per_connection=1, reload_lock_seconds=0))
    origin = sandbox.url.removesuffix("/api")
    turns = itertools.count(1)
    opened: dict[str, int] = {}

    def call_by_thread(client: Client) -> None:
        while next(turns) <= OPENINGS:
            client.request("POST", "/api/nothing", timeout=30)

    async def call_by_task(client: AsyncClient) -> None:
        while next(turns) <= OPENINGS:
            await client.request("POST", "/api/nothing", timeout=30)

    async def all_tasks() -> None:
        async with AsyncClient(origin, trust=sandbox.ca_file) as client, asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(call_by_task(client))
        opened["asyncio"] = client.stats().opened

    with Client(origin, trust=sandbox.ca_file) as client, ThreadPoolExecutor(CALLERS + 1) as pool:
        asyncio_part = pool.submit(asyncio.run, all_tasks())
        blocking_part = [pool.submit(call_by_thread, client) for _ in range(CALLERS)]
        for part in (asyncio_part, *blocking_part):
            part.result()
        opened["blocking"] = client.stats().opened
    assert sandbox.summary()["peak_accepts_per_second"] <= 50
    assert all(accept["admitted"] for accept in sandbox.accepts())
    assert min(opened.values()) >= 0.4 * sum(opened.values())
