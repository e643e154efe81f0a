"""Time as the sandbox sees it, and its alarms.

Everything that waits here (an idle connection, a delayed answer) is an :class:`Alarm` due at a time of the sandbox's
own clock. With a real clock the event loop wakes the alarms; with a :class:`ManualClock` nothing but
``Sandbox.advance`` does, so a test can let three seconds pass in none.

An alarm is moved far more often than it rings (at every request), so moving it later only writes a number: its entry
in the heap stays, and when that comes up, the alarm is queued anew for the time it is really due.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable


class ManualClock:
    """A clock that stands still until it is told to move; give it as ``clock=`` and use ``Sandbox.advance``.

    >>> clock = ManualClock(100.0)
    >>> clock.advance(2.5)
    >>> clock()
    102.5
    """

    def __init__(self, now: float = 0.0) -> None:
        self._now = now

    def __call__(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        """Move by ``seconds``; under a running sandbox call ``Sandbox.advance``, which rings the alarms as well.

        Raises:
            ValueError: time would run backwards.
        """
        if not seconds >= 0:
            raise ValueError(f"a clock moves forward, not by {seconds} s")
        self._now += seconds


class Alarm:
    """Something to be done at a time that may still be moved. Set and cleared through :class:`Timers`."""

    __slots__ = ("due", "queued_for", "ring")

    def __init__(self, ring: Callable[[], None]) -> None:
        self.ring = ring
        self.due: float | None = None
        self.queued_for: float | None = None


class Timers:
    """All alarms of one event loop. Used in the loop's thread only."""

    def __init__(self, clock: Callable[[], float], loop: asyncio.AbstractEventLoop) -> None:
        self.now = clock
        self._loop = loop
        self._is_manual = isinstance(clock, ManualClock)
        self._heap: list[tuple[float, int, Alarm]] = []
        self._entries = 0  # breaks ties in the heap: alarms have no order
        self._wake: asyncio.TimerHandle | None = None
        self._wake_for = float("inf")

    def set(self, alarm: Alarm, due: float) -> None:
        """Let ``alarm`` ring at ``due`` instead of any time set before."""
        alarm.due = due
        if alarm.queued_for is None or due < alarm.queued_for:
            self._entries += 1
            alarm.queued_for = due
            heapq.heappush(self._heap, (due, self._entries, alarm))
            if due < self._wake_for:
                self._arm()

    def clear(self, alarm: Alarm) -> None:
        """Let ``alarm`` not ring."""
        alarm.due = None

    def ring_due(self) -> None:
        """Ring every alarm that is due by now. One that fails is gone; the others are still awaited."""
        now = self.now()
        try:
            while self._heap and self._heap[0][0] <= now:
                queued_for, _, alarm = heapq.heappop(self._heap)
                if alarm.queued_for != queued_for:
                    continue  # a nearer entry stands for this alarm, or stood
                alarm.queued_for = None
                if alarm.due is None:
                    continue
                if alarm.due > now:
                    self.set(alarm, alarm.due)
                else:
                    alarm.due = None
                    alarm.ring()
        finally:
            self._arm()

    def close(self) -> None:
        """Forget every alarm."""
        self._heap.clear()
        self._arm()

    def _arm(self) -> None:
        if self._is_manual:
            return
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None
        self._wake_for = float("inf")
        if self._heap:
            self._wake_for = self._heap[0][0]
            self._wake = self._loop.call_later(max(0.0, self._wake_for - self.now()), self.ring_due)
