"""Pacing shared by threads: one pacer a gateway host name and process, because the limit is "in total".

A ``Pacer`` is a ``Pacing`` behind a lock that is held for one method call and never while a waker runs. Its times are
those of ``time.monotonic()``, for every thread and every event loop that shares it (a loop's own ``time()`` may be
another clock, or stand still while callbacks run).

After ``fork`` the child has threads of its own, and no knowledge of what the parent opens: every pacer starts anew in
it, with every slot taken for one window. The promise is per process: of N workers each gets ``Pacer(limit=50 // N)``.
"""

from __future__ import annotations

import os
import threading
import time
from weakref import WeakSet

from ..errors import ConfigurationError
from ..flow.pacing import Grant, Pacing, Stats, Waker

CLOCK_GRAIN = time.get_clock_info("monotonic").resolution
"""Seconds by which ``time.monotonic()`` may lag behind: nanoseconds on Linux, 15.6 ms on Windows before Python 3.13."""

SAME_GATEWAY = {"gateway.seven.io": "gateway.sms77.io"}
"""Names of one gateway, which counts the connections to either in one sum."""


class Pacer(Pacing):
    """``Pacing`` for several threads: same arguments, same calling order; any method may be called from any thread.

    To the margin is added what the clock may lag behind: evidence is never stamped earlier than it came.

    >>> pacer = Pacer(limit=10)
    >>> grant = pacer.ask(time.monotonic(), print)
    >>> pacer.stats()
    Stats(live=1, unsettled=1, granted=1)
    >>> pacer.fire(pacer.settle(grant, time.monotonic()))
    """

    def __init__(
        self, limit: int = 50, *, window: float = 1.0, margin: float = 0.010, lag: float = 10.0, spacing: float = 0.010
    ) -> None:
        super().__init__(limit, window=window, margin=margin, lag=lag, spacing=spacing)
        self.margin += CLOCK_GRAIN
        self._lock = threading.Lock()
        _pacers.add(self)

    def ask(self, now: float, waker: Waker) -> Grant | float:
        """As ``Pacing.ask``."""
        with self._lock:
            return super().ask(now, waker)

    def settle(self, grant: Grant, now: float) -> list[Waker]:
        """As ``Pacing.settle``."""
        with self._lock:
            return super().settle(grant, now)

    def abandon(self, grant: Grant, now: float) -> list[Waker]:
        """As ``Pacing.abandon``."""
        with self._lock:
            return super().abandon(grant, now)

    def give_back(self, grant: Grant) -> list[Waker]:
        """As ``Pacing.give_back``."""
        with self._lock:
            return super().give_back(grant)

    def forget(self, waker: Waker) -> list[Waker]:
        """As ``Pacing.forget``."""
        with self._lock:
            return super().forget(waker)

    def restart(self, now: float) -> None:
        """As ``Pacing.restart``."""
        with self._lock:
            super().restart(now)

    def stats(self, now: float | None = None) -> Stats:
        """Count what is live at `now`, which is this instant unless given."""
        with self._lock:
            return super().stats(time.monotonic() if now is None else now)

    def _restart_in_child(self) -> None:
        # A thread that held the lock at the fork does not exist here and will never release it.
        self._lock = threading.Lock()
        self.restart(time.monotonic())


def pacer_for(host_name: str) -> Pacer:
    """Return this process's pacer for a gateway, by its host name or address (no scheme, no port).

    Case and a trailing dot make no difference. A pacer once made stays for the life of the process: what a closed
    client has just opened counts for the next one.

    Raises:
        ConfigurationError: `host_name` is empty, or more than a name.

    >>> pacer_for("gateway.sms77.io") is pacer_for("Gateway.seven.io.")
    True
    """
    name = host_name.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    if not name or "/" in name or name.count(":") == 1:
        raise ConfigurationError(f"a host name without scheme or port is needed, not {host_name!r}")
    name = SAME_GATEWAY.get(name, name)
    # setdefault keeps the first of two that race, and needs no lock that a fork could catch held.
    return _by_name.get(name) or _by_name.setdefault(name, Pacer())


_pacers: WeakSet[Pacer] = WeakSet()
_by_name: dict[str, Pacer] = {}


def _restart_all() -> None:
    for pacer in list(_pacers):
        pacer._restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
