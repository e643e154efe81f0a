"""Servers, clients and gateway objects of the runtime's tests; every test must leave nothing open behind it."""

from __future__ import annotations

import gc
import os
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import pytest

from smswire.net.pacers import Pacer
from smswire.sandbox import Limits, Sandbox
from smswire.sandbox.tls import authority as new_authority

from .raw import WITHIN_S, Handler, RawServer, answering
from .runtimes import LOOPS, RUNTIMES, AnyClient, InLoop, LoopThread, new_client


class Authority(NamedTuple):
    """The servers' context, and the file that makes a client trust it."""

    context: ssl.SSLContext
    ca_file: str


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One throw-away authority for all raw servers."""
    context, pem = new_authority(["gateway.test"])
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    path.write_bytes(pem)
    return Authority(context, str(path))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that makes clients runs over every runtime, unless it is marked as being about some."""
    if "runtime" in metafunc.fixturenames:
        about = metafunc.definition.get_closest_marker("about")
        metafunc.parametrize("runtime", about.args if about else RUNTIMES)


def open_descriptors() -> int:
    return len(os.listdir("/dev/fd"))


@pytest.fixture(scope="session")
def warm_loops() -> None:
    """The first loop of a kind opens descriptors that all later ones share."""
    for new_loop in LOOPS.values():
        LoopThread(new_loop()).end()
    # Every test here collects twice. What the tests before have left alive need not be looked at each time.
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left(authority: Authority, warm_loops: None) -> Iterator[None]:
    """Every test ends with as many descriptors and threads as it began with."""
    gc.collect()
    threads, descriptors = set(threading.enumerate()), open_descriptors()
    yield
    left = [thread for thread in threading.enumerate() if thread not in threads]
    for thread in left:
        thread.join(WITHIN_S)
    assert [thread.name for thread in left if thread.is_alive()] == []
    gc.collect()
    assert open_descriptors() == descriptors


@pytest.fixture
def serve(authority: Authority, nothing_left: None) -> Iterator[Callable[..., RawServer]]:
    """Makes raw servers, ended after the test."""
    with ExitStack() as running:

        def make(
            handler: Handler = answering,
            *,
            tls: bool = False,
            context: ssl.SSLContext | None = None,
            **settings: Any,
        ) -> RawServer:
            context = context or (authority.context if tls else None)
            return running.enter_context(RawServer(handler, tls=context, **settings))

        yield make


@pytest.fixture
def make_client(
    authority: Authority, serve: object, runtime: str, request: pytest.FixtureRequest
) -> Iterator[Callable[..., AnyClient]]:
    """Makes clients with a pacer each (one that never makes anybody wait), closed after the test."""
    with ExitStack() as running:

        def make(origin: str | RawServer | Sandbox, **settings: Any) -> AnyClient:
            if isinstance(origin, Sandbox):
                settings.setdefault("trust", origin.ca_file)
                origin = origin.url.removesuffix("/api")
            elif isinstance(origin, RawServer):
                origin = origin.origin
            if origin.startswith("https"):
                settings.setdefault("trust", authority.ca_file)
            settings.setdefault("pacer", Pacer(limit=10_000, spacing=0.0))
            settings.setdefault("timeout", WITHIN_S)
            settings.setdefault("lane", request.config.getoption("lane"))
            client = new_client(runtime, origin, **settings)
            running.callback(client.end if isinstance(client, InLoop) else lambda: client.close(drain=0.0))
            return client

        yield make


@pytest.fixture
def make_sandbox(nothing_left: None) -> Iterator[Callable[..., Sandbox]]:
    """Makes running sandboxes without the lock on repeated texts, ended after the test."""
    with ExitStack() as running:

        def make(*arguments: Any, **settings: Any) -> Sandbox:
            settings.setdefault("limits", Limits(reload_lock_seconds=0))
            return running.enter_context(Sandbox(*arguments, **settings))

        yield make
