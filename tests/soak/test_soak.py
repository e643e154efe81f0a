"""The command in little: a real nginx, the relay, and the verdict; and the relay alone, before a server of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from bench.job import HOST
from bench.nginx import INSTALL
from bench.processes import ROOT, environment

from ..net.raw import Peer, RawServer
from . import relay
from .accounts import judge, seen
from .load import Calls, Settings, by_tasks, by_threads
from .samples import Watch

LOADS: dict[str, Callable[..., None]] = {"tasks": by_tasks, "threads": by_threads}


def echo(peer: Peer) -> None:
    """Answers with the number at the end of the target."""
    while (request := peer.read_request()) is not None:
        serial = request.split(b" ")[1].rpartition(b"/")[2]
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s " % (len(serial) + 1, serial))


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS.keys())
def test_every_call_through_the_relay_is_accounted_for(load: Callable[..., None]) -> None:
    """In the clear, where every byte counts as handed over, and with a fault for every hundredth piece."""
    calls, watch = Calls(2000), Watch()
    with RawServer(echo) as server:
        with relay.running(server.port, 1, 100) as between:
            settings = Settings(f"http://{HOST}:{between.port}", {}, 10, 0.1, 0.0)
            load(settings, calls, watch, lambda _: None)
            weather = between.report()
        requests = list(server.requests)
    times, strange = seen((request.split(b" ")[1].decode() for request in requests), len(calls.told))
    kinds, complaints = judge(calls.told, times)
    # Whether it is flat is for a process of its own to say: the server's threads are in this one.
    assert complaints + strange + calls.complaints == []
    assert kinds["YES, seen 1"] > kinds.total() / 2
    assert weather["faults"].keys() - {relay.REFUSED}
    assert weather["fullest_second"] <= 50


def is_installed() -> bool:
    return shutil.which("nginx") is not None or shutil.which("/usr/sbin/nginx") is not None


@pytest.mark.parametrize("more", [(), ("--blocking",)], ids=LOADS.keys())
def test_the_command_ends_with_a_verdict(more: tuple[str, ...]) -> None:
    """Where nginx is not installed it says how to install it."""
    words = ["--requests", "3000", "--one-in", "200", "--every", "0.2", "--lull", "0"]
    done = subprocess.run(
        [sys.executable, "-m", "tests.soak", *words, *more],
        capture_output=True, text=True, cwd=ROOT, env=environment(),
    )  # fmt: skip
    if is_installed():
        assert done.stdout.endswith("Every call is accounted for; descriptors, threads and tasks are flat.\n"), done
        assert done.returncode == 0
    else:
        assert INSTALL in done.stderr
        assert done.returncode == 1
