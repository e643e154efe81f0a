"""Laws of pacing across threads and forks, with the real lock and no wall clock."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from itertools import count

import pytest

from smswire.errors import ConfigurationError
from smswire.flow.pacing import Grant
from smswire.net.pacers import CLOCK_GRAIN, Pacer, pacer_for
from tests.flow.test_pacing import Opening, most_at_once

TICK = 0.001


@contextlib.contextmanager
def eager_switching() -> Iterator[None]:
    """Threads change places as often as the interpreter lets them, so that a missing lock shows."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


class Worker(threading.Thread):
    """Opens connections as it may, by a clock that ticks at every reading, and ends them in every way."""

    def __init__(self, pacer: Pacer, clock: count[int], start: threading.Barrier, taste: int) -> None:
        super().__init__()
        self.pacer, self.clock, self.begin, self.taste = pacer, clock, start, taste
        self.openings: list[Opening] = []
        self.woken = 0
        self.error: BaseException | None = None

    def wake(self) -> None:
        self.woken += 1

    def read(self) -> float:
        return next(self.clock) * TICK

    def run(self) -> None:
        self.begin.wait()
        try:
            for turn in range(1500):
                answer = self.pacer.ask(self.read(), self.wake)
                if isinstance(answer, Grant):
                    self.open(answer, (turn + self.taste) % 4)
            self.pacer.fire(self.pacer.forget(self.wake))
        except BaseException as error:  # noqa: BLE001 - handed to the test, which raises it
            self.error = error

    def open(self, grant: Grant, ending: int) -> None:
        opening = Opening(self, self.read())
        if ending == 0:
            self.pacer.fire(self.pacer.give_back(grant))
            return
        self.openings.append(opening)
        if ending == 1:
            opening.ended = self.read() + self.pacer.lag
            self.pacer.fire(self.pacer.abandon(grant, self.read()))
        else:
            opening.ended = self.read()
            self.pacer.fire(self.pacer.settle(grant, self.read()))
        assert self.pacer.settle(grant, self.read()) == []


@pytest.mark.parametrize("limit", [1, 7, 50])
def test_threads_together_keep_the_limit(limit):
    """Eight threads at one pacer never have more than `limit` openings that one window could hold."""
    pacer = Pacer(limit=limit, window=0.02, margin=0.002, lag=0.05, spacing=0.0)
    clock, start = count(), threading.Barrier(9)
    workers = [Worker(pacer, clock, start, taste) for taste in range(8)]
    for worker in workers:
        worker.start()
    start.wait()
    with eager_switching():
        for worker in workers:
            worker.join()
    for worker in workers:
        if worker.error is not None:
            raise worker.error
    openings = [opening for worker in workers for opening in worker.openings]
    assert len(openings) > 2 * limit
    assert most_at_once(openings, pacer.window) <= limit
    assert pacer.stats(next(clock) * TICK + 1.0) == (0, 0, len(openings))


def test_what_the_clock_may_lag_behind_is_added_to_the_margin():
    """A settlement read from a coarse clock may be stamped early by its grain, which the margin takes up."""
    assert Pacer(margin=0.25).margin == 0.25 + CLOCK_GRAIN


def test_a_waker_may_ask_again_at_once():
    """No lock is held while wakers run, so a pool may do anything in its waker."""
    pacer = Pacer(limit=1, spacing=0.0)
    answers = []

    def ask() -> None:
        answers.append(pacer.ask(5.0, ask))

    grant = pacer.ask(5.0, ask)
    ask()
    pacer.fire(pacer.give_back(grant))
    assert [type(answer) for answer in answers] == [float, Grant]


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("gateway.sms77.io", "GATEWAY.sms77.io."),
        ("gateway.sms77.io", "gateway.seven.io"),
        ("127.0.0.1", "127.0.0.1"),
        ("::1", "[::1]"),
    ],
)
def test_one_host_has_one_pacer(name, same):
    """Spelling makes no difference, and the gateway's two names are one host."""
    assert pacer_for(name) is pacer_for(same)
    assert isinstance(pacer_for(name), Pacer)


def test_other_hosts_have_other_pacers():
    """Hosts that count by themselves are paced by themselves."""
    assert len({pacer_for(name) for name in ("gateway.sms77.io", "localhost", "127.0.0.1", "::1")}) == 4


def test_threads_that_ask_for_a_new_host_together_get_one_pacer():
    """However they race, there is one pacer for a host."""
    start = threading.Barrier(8)
    found = []

    def ask() -> None:
        start.wait()
        found.append(pacer_for("raced.example"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8


@pytest.mark.parametrize("name", ["", ".", "https://gateway.sms77.io", "gateway.sms77.io:443", "gateway.sms77.io/api"])
def test_only_a_host_name_names_a_pacer(name):
    """A port or a scheme would quietly make a second pacer for the same gateway, so they are refused."""
    with pytest.raises(ConfigurationError, match="host name"):
        pacer_for(name)


IN_A_FORK = """
    import os, threading, time
    from smswire.net.pacers import Pacer, pacer_for

    known = pacer_for("127.0.0.1")
    pacer = Pacer(window=600.0)
    grant = pacer.ask(time.monotonic(), print)
    pacer.ask(time.monotonic(), max)

    is_held, may_end = threading.Event(), threading.Event()
    def hold():
        with pacer._lock:
            is_held.set()
            may_end.wait()
    thread = threading.Thread(target=hold)
    thread.start()
    is_held.wait()

    child = os.fork()
    if child == 0:
        now = time.monotonic()
        stats = pacer.stats()
        answer = pacer.ask(now, print)
        inherited = pacer.settle(grant, now)
        same = pacer_for("127.0.0.1") is known
        os.write(1, repr((stats, type(answer), inherited, same)).encode())
        os._exit(0)
    _, status = os.waitpid(child, 0)
    may_end.set()
    thread.join()
    os.write(1, b"|" + repr((status, pacer.stats())).encode())
"""


def test_a_forked_child_starts_with_every_slot_taken():
    """A fork while another thread holds the lock leaves the child a working pacer that lets nothing through yet."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", textwrap.dedent(IN_A_FORK)],
        capture_output=True, env=environment, timeout=60, check=False, text=True,
    )  # fmt: skip
    assert done.stderr == ""
    child, parent = done.stdout.split("|")
    assert child == "(Stats(live=50, unsettled=0, granted=0), <class 'float'>, [], True)"
    assert parent == "(0, Stats(live=1, unsettled=1, granted=1))"
