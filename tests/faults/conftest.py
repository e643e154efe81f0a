"""Every row over both runtimes and both lanes, with what tests/net leaves nothing behind by."""

from __future__ import annotations

import pytest

from ..net.conftest import authority, make_client, nothing_left, serve, warm_loops

__all__ = ["authority", "make_client", "nothing_left", "serve", "warm_loops"]

RUNTIMES = ("blocking", "asyncio")
LANES = ("auto", "h11")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "runtime" in metafunc.fixturenames:
        metafunc.parametrize("runtime", RUNTIMES)
    if "lane" in metafunc.fixturenames:
        metafunc.parametrize("lane", LANES)
