"""Sandboxes for the tests: time stands still in them until a test advances it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from smswire.sandbox import Limits, ManualClock, Sandbox

from .raw import Raw


@pytest.fixture
def make_sandbox() -> Iterator[Callable[..., Sandbox]]:
    """Makes running sandboxes: plain http and a manual clock unless told otherwise; ended after the test."""
    with ExitStack() as running:

        def make(*arguments: Any, **settings: Any) -> Sandbox:
            defaults: dict[str, Any] = {"tls": False, "clock": ManualClock(1000.0)}
            return running.enter_context(Sandbox(*arguments, **defaults | settings))

        yield make


@pytest.fixture
def sandbox(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """A sandbox with plain http and everything else by default."""
    return make_sandbox()


@pytest.fixture
def client(sandbox: Sandbox) -> Iterator[Raw]:
    """A connection to ``sandbox``."""
    with Raw(sandbox) as connection:
        yield connection


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Sandbox, Raw]]:
    """One sandbox without a limit on requests, and one connection, for the examples of a property."""
    limits = Limits(requests_per_connection=1_000_000)
    with Sandbox(tls=False, clock=ManualClock(), limits=limits) as sandbox, Raw(sandbox) as connection:
        yield sandbox, connection
