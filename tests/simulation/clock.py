"""Virtual time: a queue of events, a clock that jumps to the next one, and tasks that wait for times and wake-ups.

Events due at the same instant run in a drawn order, so that nothing can lean on the order they were noted in.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Generator
from random import Random

Steps = Generator[float, None, None]
"""A task's steps: each yield is a wait, until the time yielded or a wake-up."""


class Timer:
    """One event of the queue; ``cancel`` takes it out."""

    __slots__ = ("_tie", "event", "time")

    def __init__(self, time: float, tie: float, event: Callable[[], None]) -> None:
        self.time = time
        self._tie = tie
        self.event: Callable[[], None] | None = event

    def __lt__(self, other: Timer) -> bool:
        return (self.time, self._tie) < (other.time, other._tie)

    def cancel(self) -> None:
        self.event = None


class Clock:
    """``now``, and what is to happen when. ``quiet`` is called whenever all that was due has happened; ``eager`` is the
    share of wake-ups after which the woken task runs first, and whoever woke it goes on later, as threads may:
    ``switched`` is called then.
    """

    def __init__(self, random: Random) -> None:
        self.now = 1000.0
        self.eager = 0.0
        self.quiet: Callable[[], None] = lambda: None
        self.running: Task | None = None
        self.has_suspended = False
        self.due = 0  # tasks that are about to run
        self.switched: Callable[[], None] = lambda: None
        self._random = random
        self._failure: Exception | None = None
        self._timers: list[Timer] = []

    def at(self, time: float, event: Callable[[], None]) -> Timer:
        """Has ``event`` called at ``time``; at an infinite one, never."""
        timer = Timer(max(time, self.now), self._random.random(), event)
        if time != math.inf:
            heapq.heappush(self._timers, timer)
        return timer

    def is_eager(self) -> bool:
        """Whether this wake-up is one of those."""
        return self.eager > 0 and self._random.random() < self.eager

    def suspend(self, seconds: float) -> None:
        """Lets ``seconds`` pass within an event."""
        until = self.now + seconds
        self.has_suspended = True
        self.due += 1
        try:
            self.run(until)
        finally:
            self.due -= 1
            self.has_suspended = False
        self.now = until

    def fail(self, error: Exception) -> None:
        """Ends the run with ``error``, before anything else happens."""
        self._failure = self._failure or error

    def run(self, until: float = math.inf) -> None:
        """Runs until nothing is left to happen before ``until``."""
        timers = self._timers
        while timers and timers[0].time <= until:
            if timers[0].event is not None and timers[0].time > self.now:
                self.quiet()
            timer = heapq.heappop(timers)
            if timer.event is not None:
                self.now = timer.time
                timer.event()
                if self._failure is not None:
                    raise self._failure


class Task:
    """One thread of the simulated program. ``late`` draws how long after a wake-up or a time it runs again."""

    def __init__(self, clock: Clock, steps: Steps, late: Callable[[], float]) -> None:
        self._clock = clock
        self._steps = steps
        self._late = late
        self._waiting: Timer | None = None
        self._interrupt: BaseException | None = None

    def start(self) -> None:
        """Runs up to the first wait."""
        self._go_on()

    def wake(self, *, at_once: bool = False) -> None:
        """Ends its wait, if it waits; ``at_once`` it runs within this call."""
        if self._waiting is None:
            return
        self._waiting.cancel()
        if at_once:
            self._clock.switched()
            self._waiting = None
            try:
                self._go_on()
            except Exception as error:  # noqa: BLE001 - whoever fires wake-ups lives on; the world may not
                self._clock.fail(error)
        else:
            self._run_soon()

    def interrupt(self, error: BaseException) -> None:
        """Ends its wait, or the next one, with ``error``."""
        self._interrupt = error
        self.wake()

    def be_suspended(self) -> None:
        """Loses the processor for a drawn while, within a step: the world goes on. One task at a time."""
        seconds = self._late()
        if seconds and not self._clock.has_suspended:
            self._clock.suspend(seconds)

    def _run_soon(self) -> None:
        self._waiting = None
        self._clock.due += 1
        self._clock.at(self._clock.now + self._late(), self._run)

    def _run(self) -> None:
        self._clock.due -= 1
        self._go_on()

    def _go_on(self) -> None:
        error, self._interrupt = self._interrupt, None
        caller, self._clock.running = self._clock.running, self
        try:
            until = next(self._steps) if error is None else self._steps.throw(error)
        except StopIteration:
            return
        finally:
            self._clock.running = caller
        self._waiting = self._clock.at(until, self._run_soon)
