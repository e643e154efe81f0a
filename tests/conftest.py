"""What holds for every test: no traffic leaves loopback, and hypothesis runs by a named profile."""

from __future__ import annotations

import ipaddress
import os
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

LOOPBACK_NAMES = {"localhost", "", None}


def is_loopback(host: Any) -> bool:
    if host in LOOPBACK_NAMES:
        return True
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def guard(event: str, arguments: tuple[Any, ...]) -> None:
    """Fails whatever would leave this machine. An audit hook cannot be removed, nor got round by a late import."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        if isinstance(address, tuple) and not is_loopback(address[0]):
            raise AssertionError(f"a test would leave loopback: {event} {address!r}")
    elif event == "socket.getaddrinfo" and not is_loopback(arguments[0]):
        raise AssertionError(f"a test would ask the network for a name: {arguments[0]!r}")


sys.addaudithook(guard)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--lane", choices=("auto", "h11"), default="auto", help="The lane of the clients in tests/net.")


_SLOW_MACHINE = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
settings.register_profile("dev", deadline=None, max_examples=50, suppress_health_check=_SLOW_MACHINE)
settings.register_profile("ci", deadline=None, max_examples=100, derandomize=True, suppress_health_check=_SLOW_MACHINE)
settings.register_profile("tenth", settings.get_profile("ci"), max_examples=10)
settings.register_profile("deep", settings.get_profile("dev"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))
