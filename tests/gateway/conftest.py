"""A gateway object over a sandbox, and a server that says what a test tells it to."""

from __future__ import annotations

import asyncio
import gc
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvloop

from smswire.net.pacers import Pacer
from smswire.sandbox import Limits, Sandbox

from .runtimes import RUNTIMES, AnyGateway, end, new_gateway
from .workers import join_workers

KEY = "kEy-4711-0815"
Run = Callable[[Coroutine[Any, Any, Any]], Any]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that has a gateway object runs over every runtime, unless its module names those it is about."""
    if "runtime" in metafunc.fixturenames:
        metafunc.parametrize("runtime", getattr(metafunc.module, "ABOUT", RUNTIMES), scope="module")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Over plain http, without the lock on repeated texts: properties repeat themselves."""
    limits = Limits(reload_lock_seconds=0, requests_per_connection=1_000_000)
    groups = {"Friends": ["+49171555001", "+49171555002"]}
    with Sandbox([KEY], tls=False, limits=limits, groups=groups, failing={"+491716990000": 202}) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(sandbox: Sandbox, runtime: str) -> Iterator[AnyGateway]:
    """One gateway object, for the examples of a property."""
    gateway = new_gateway(runtime, KEY, base_url=sandbox.url, pacer=Pacer())
    yield gateway
    end(gateway)


@pytest.fixture
def make_gateway(runtime: str) -> Iterator[Callable[..., AnyGateway]]:
    """Makes gateway objects with a pacer each, closed after the test."""
    with ExitStack() as running:

        def make(base_url: str, key: str = KEY, **settings: Any) -> AnyGateway:
            settings.setdefault("pacer", Pacer())
            gateway = new_gateway(runtime, key, base_url=base_url, **settings)
            running.callback(end, gateway)
            return gateway

        yield make


class Scripted:
    """A server that reads one request a connection, says the next of ``answers`` (the last one again and again) and
    ends it; for None it says nothing.
    """

    def __init__(self, *answers: bytes | None) -> None:
        self._answers = answers
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self.requests: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/api"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                request = b""
                while not self._is_whole(request):
                    data = connection.recv(65_536)
                    if not data:
                        break
                    request += data
                self.requests.append(request)
                answer = self._answers[min(len(self.requests), len(self._answers)) - 1]
                if answer is None:
                    connection.recv(1)
                else:
                    connection.sendall(answer)

    @staticmethod
    def _is_whole(request: bytes) -> bool:
        head, end, body = request.partition(b"\r\n\r\n")
        length = next((line[15:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b"0")
        return bool(end) and len(body) >= int(length)


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Makes such servers, ended after the test."""
    with ExitStack() as running:

        def make(*answers: bytes | None) -> Scripted:
            server = Scripted(*answers)
            running.callback(server.close)
            return server

        yield make


@pytest.fixture
def no_worker_left() -> Iterator[None]:
    """Workers end by themselves. The collector is off: an interrupt that falls into one of its callbacks is lost, and
    hypothesis has one.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    join_workers()


@pytest.fixture(params=[asyncio.SelectorEventLoop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine in a loop of its own, where no other task may be left at its end."""

    async def checked(coroutine: Coroutine[Any, Any, Any]) -> Any:
        found = await coroutine
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"
        return found

    def run(coroutine: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(checked(coroutine))

    return run
