"""The runtimes a test of behaviour runs over: the blocking client, and the asyncio one on three event loops.

A test is written once, with blocking calls from threads. ``InLoop`` makes them in an event loop of its own.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, NoReturn, Self

import uvloop

from smswire import AsyncClient, AsyncGateway, Client, Gateway
from smswire.flow.pool import PoolStats
from smswire.wire.message import Response


class ReaderlessLoop(asyncio.SelectorEventLoop):
    """A loop without readiness callbacks, as Windows' default one is."""

    def add_reader(self, *_: object) -> NoReturn:
        raise NotImplementedError

    add_writer = remove_reader = remove_writer = add_reader

    # By which the loop's own sock_* let go of a descriptor.

    def _sock_read_done(self, fd: int, _: object, handle: asyncio.Handle | None = None) -> None:
        if handle is None or not handle.cancelled():
            self._remove_reader(fd)

    def _sock_write_done(self, fd: int, _: object, handle: asyncio.Handle | None = None) -> None:
        if handle is None or not handle.cancelled():
            self._remove_writer(fd)


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.SelectorEventLoop,
    "uvloop": uvloop.new_event_loop,
    "readerless": ReaderlessLoop,
}
RUNTIMES = ("blocking", *LOOPS)


class LoopThread:
    """An event loop that runs in a thread of its own, to its end."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._thread = threading.Thread(target=loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, coroutine: Any) -> Any:
        """Runs it there, and gives what comes of it; an interrupt here cancels it there."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self.loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        """Nothing may be left: no task, no callback of a descriptor."""
        self.run(self._check_tasks())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.run_executor_down()
        self.loop.close()

    def run_executor_down(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())

    async def _check_tasks(self) -> None:
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"


class InLoop:
    """An ``AsyncClient`` with the methods of a ``Client``."""

    def __init__(self, origin: str, *, new_loop: Callable[[], asyncio.AbstractEventLoop], **settings: Any) -> None:
        self._client = AsyncClient(origin, **settings)
        self._thread = LoopThread(new_loop())
        self._ended = False
        self._pool = self._client._pool
        self.origin = self._client.origin
        self.max_connections = self._client.max_connections

    def request(self, *args: Any, **options: Any) -> Response:
        response: Response = self._thread.run(self._client.request(*args, **options))
        return response

    def stats(self) -> PoolStats:
        async def stats() -> PoolStats:
            return self._client.stats()

        found: PoolStats = self._thread.run(stats()) if not self._ended else self._client.stats()
        return found

    def close(self, drain: float = 5.0) -> None:
        if not self._ended:
            self._thread.run(self._client.aclose(drain))

    def end(self) -> None:
        """Closes the client, then the loop."""
        self.close(0.0)
        if not self._ended:
            self._ended = True
            self._thread.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._client)


AnyClient = Client | InLoop


def new_client(runtime: str, origin: str, **settings: Any) -> AnyClient:
    """A client of that runtime."""
    if runtime == "blocking":
        return Client(origin, **settings)
    return InLoop(origin, new_loop=LOOPS[runtime], **settings)


class GatewayInLoop:
    """An ``AsyncGateway`` over the client of an ``InLoop``, with the methods of a ``Gateway``."""

    def __init__(self, client: InLoop, api_key: str, **settings: Any) -> None:
        self._gateway = AsyncGateway(api_key, client=client._client, **settings)
        self._thread = client._thread

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._gateway, name)
        return lambda *args, **options: self._thread.run(method(*args, **options))

    def close(self) -> None:
        self._thread.run(self._gateway.aclose())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return repr(self._gateway)


def gateway_over(client: AnyClient, api_key: str, **settings: Any) -> Gateway | GatewayInLoop:
    """A gateway object of the client's runtime, over that client."""
    if isinstance(client, Client):
        return Gateway(api_key, client=client, **settings)
    return GatewayInLoop(client, api_key, **settings)
