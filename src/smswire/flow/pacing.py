"""When the next connection may open: never more than `limit` in any second, as the gateway counts them.

The gateway counts connections; this side cannot see when. It knows two instants about each: when it was granted,
before ``connect()``, and when the far end first answered. The gateway counted it somewhere in between. So pacing keeps
no rate and fills no bucket: it keeps *slots*, and an opening holds one until its second cannot matter any more.

Also decided here: which pool is served when several wait. Refused to know: addresses, sockets, clocks, locks, why an
opening failed, and what a pool does with a grant. The caller says ``now``; ``smswire.net.pacers`` adds the lock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from heapq import merge
from itertools import chain, repeat
from typing import NamedTuple
from weakref import WeakSet

from ..errors import ConfigurationError

Waker = Callable[[], object]

LAPSE = 0.020
"""Seconds a pool has to take what it was promised. Long enough for a timer and a thread switch (a few milliseconds
each, up to 5 ms per busy thread in CPython), short beside the 20 ms between grants at 50 a second: a dead pool costs
the others one grant."""

TURN = 0.001
"""Seconds between looks at whether the claim ahead has been taken, where `spacing` gives no such step."""


class Grant:
    """The right to open one connection, at once. Tell its pacing what became of it: settled, abandoned, given back."""

    __slots__ = ("__weakref__", "at", "before")

    def __init__(self, at: float, before: float) -> None:
        self.at = at
        self.before = before  # the grant before this one, should this one be given back

    def __repr__(self) -> str:
        return f"<Grant at {self.at:.3f}>"


class Stats(NamedTuple):
    """What is open now, in the sense of the limit, and what was.

    Attributes:
        live: openings that count toward the limit.
        unsettled: those among them the far end has not answered yet.
        granted: how many openings there have been, without those given back.
    """

    live: int
    unsettled: int
    granted: int


class Pacing:
    """At most `limit` openings live at any time; an opening lives from its grant until its second is over.

    Args:
        limit: how many openings may be live: the most the far end ever counts in one `window`.
        window: the far end's window, in seconds.
        margin: seconds added to it for the clock's grain, rounding and drift; without any, a *closed* window may
            hold one more.
        lag: how long, in seconds, the network and the far end's queues may hold back a connection that this side has
            already closed, before the far end counts it.
        spacing: least time between two grants, in seconds; smooths bursts. Where ``limit * spacing`` exceeds
            ``window + margin``, it and not the limit sets the pace.

    Raises:
        ConfigurationError: an argument is not a number in its range.

    **Calling order.** All times are seconds of one monotonic clock; threads may bring theirs slightly out of order. ::

        ask(now, waker) ─┬─ a float: ask again then, or when `waker` is called, whichever is first
                         └─ a Grant: connect() now, in the same step, and then one of
                              settle(grant, now)    the far end spoke: its first byte, a refusal, a reset, an end
                              abandon(grant, now)   it did not: closed here, timed out, unreachable
                              give_back(grant)      connect() itself raised: nothing left this machine

    ``now`` is read before the step in ``ask``, and in ``settle`` after the system call that brought the evidence. The
    three endings (the first one counts, others do nothing) and ``forget`` return wakers: release your locks, then
    ``fire`` them. A waker stands for its pool: the same (equal, hashable) one each time. A pool that closes calls
    ``forget``. Keep the grant until you have told its ending: one that is dropped before counts as abandoned then.

    **The rule.** An opening is live from its grant until ``window + margin`` after it settled, in whatever order they
    settle. Giving up is no evidence: accept queues were seen to hand over all of 100 connections closed 200 ms before.
    So an abandoned opening counts as settled `lag` after it was closed.

    **Why it holds.** Take any ``limit + 1`` openings, and of them the one granted last, *k*. When it was granted, one
    of the others, *i*, was no longer live. So the far end had counted *i* by the time it settled, that was more than
    `window` before *k* was granted, and *k* was counted no sooner than granted: *i* and *k* are more than a window
    apart. No window holds all of them, wherever between SYN and ``accept()`` the far end counts.

    **What simpler rules broke**, in simulated connections counted in one second, of 50: a log of grants alone 99 (slow
    ones arrive together with fast ones); "settled when ``connect()`` returns" 200 (the queue before ``accept()`` keeps
    them back); "the *k*-th waits for the *k − 50*-th" 101 (they do not settle in order); a token bucket 99.

    **Order among pools.** Pools are served in the order they were refused; who got a grant goes to the back. A claim
    not taken within 20 ms (``LAPSE``) of the time named lapses, so that a dead pool stops nobody: the next may pass it,
    and it loses its place by that. (Not before: pools that are all late would take each other's places for ever. One
    that is always late, beside one that never is, gets what the other leaves.) No timer is driven here: whoever is
    refused is told when to come, and that time allows for the lapse of the claim before.

    A time named is the earliest that the next slot can be free, even should an opening settle this instant: so it never
    lies more than ``window + margin`` ahead while any is unsettled, and a lost wake-up heals by itself.

    >>> pacing = Pacing(limit=1, window=1.0, margin=0.25)
    >>> grant = pacing.ask(0.0, print)
    >>> pacing.ask(0.1, print)
    1.35
    >>> pacing.settle(grant, 0.5)
    []
    >>> pacing.ask(1.35, print)
    1.75
    >>> pacing.ask(1.75, print)
    <Grant at 1.750>
    """

    def __init__(
        self, limit: int = 50, *, window: float = 1.0, margin: float = 0.010, lag: float = 10.0, spacing: float = 0.010
    ) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise ConfigurationError(f"limit must be a whole number of at least 1, not {limit!r}")
        if _seconds("window", window) == 0:
            raise ConfigurationError("window must be longer than 0 s")
        self.limit = limit
        self.window = window
        self.margin = _seconds("margin", margin)
        self.lag = _seconds("lag", lag)
        self.spacing = _seconds("spacing", spacing)
        self._now = self._last = -math.inf
        self._granted = 0
        # Every slot is in one of three containers. The first two hold the time from which it is free; both stay
        # sorted by themselves, because time never runs backwards here.
        self._settled = deque([-math.inf] * limit)
        self._abandoned: deque[float] = deque()
        self._unsettled: WeakSet[Grant] = WeakSet()
        # The claims: each pool's waker with the time it was told last, in the order of their refusals.
        self._claims: dict[Waker, float] = {}

    def ask(self, now: float, waker: Waker) -> Grant | float:
        """Ask to open one connection: a grant to be used in this very step, or the time at which to ask again.

        The time is later than `now`; until then the pool has its place in the queue, and asking early keeps it.
        """
        now = self._advance(now)
        times = self._times(now)
        lapsed = []
        lapse = math.inf
        for other, named in self._claims.items():
            if other == waker:
                break
            if named + LAPSE <= now:
                lapsed.append(other)
            else:
                next(times)
                lapse = named + LAPSE
        time = next(times)
        if time <= now:
            for passed in (*lapsed, waker):
                self._claims.pop(passed, None)
            return self._grant(now)
        self._claims[waker] = time = min(time, lapse)
        return time

    def settle(self, grant: Grant, now: float) -> list[Waker]:
        """The far end has spoken, and `now` was read after that: the opening counts for one window more."""
        if grant not in self._unsettled:
            return []
        now = self._advance(now)
        self._unsettled.remove(grant)
        self._settled.append(now + self.window + self.margin)
        return self._wakers(now)

    def abandon(self, grant: Grant, now: float) -> list[Waker]:
        """Closed at `now`, here, without a word from the far end: the opening counts as settled `lag` seconds on."""
        if grant not in self._unsettled:
            return []
        now = self._advance(now)
        self._unsettled.remove(grant)
        self._abandoned.append(now + self.lag + self.window + self.margin)
        return self._wakers(now)

    def give_back(self, grant: Grant) -> list[Waker]:
        """``connect()`` itself raised, so nothing left this machine: all is as though never granted."""
        if grant not in self._unsettled:
            return []
        self._unsettled.remove(grant)
        self._settled.appendleft(-math.inf)
        self._granted -= 1
        if self._last == grant.at:
            self._last = grant.before
        return self._wakers(self._now)

    def forget(self, waker: Waker) -> list[Waker]:
        """Take a pool out of the queue: it closed, or its waker raised. Its grants stay as they are."""
        if self._claims.pop(waker, None) is None:
            return []
        return self._wakers(self._now)

    def fire(self, wakers: Iterable[Waker]) -> None:
        """Call each waker, holding no lock. One that raises is forgotten, and those who gain by it are called too."""
        pending = deque(wakers)
        while pending:
            waker = pending.popleft()
            try:
                waker()
            except Exception:  # noqa: BLE001 - a pool that cannot be woken (its event loop is closed) must stop no other
                pending.extend(self.forget(waker))

    def restart(self, now: float) -> None:
        """Start anew, with every slot taken for one window: what came before (the parent process) is not known."""
        self._now = max(now, self._now)
        self._last = -math.inf
        self._granted = 0
        self._settled = deque([self._now + self.window + self.margin] * self.limit)
        self._abandoned = deque()
        self._unsettled = WeakSet()
        self._claims = {}

    def stats(self, now: float) -> Stats:
        """Count what is live at `now`."""
        now = max(now, self._now)
        free = sum(free_at <= now for free_at in chain(self._settled, self._abandoned))
        return Stats(live=self.limit - free, unsettled=len(self._unsettled), granted=self._granted)

    def _advance(self, now: float) -> float:
        """Move on to `now`, never backwards, and take lost grants for abandoned."""
        # Of two threads that read the clock, the later reader may come first. Its reading is then the truer one for
        # both: a grant is never stamped later than it is made, nor a settlement earlier.
        self._now = now = max(now, self._now)
        # A slot in no container: its grant was dropped with nothing said of it, as when an interrupt tears a step. That
        # may have been since the last reading, so only a new one can date it.
        for _ in range(self.limit - len(self._unsettled) - len(self._settled) - len(self._abandoned)):
            self._abandoned.append(now + self.lag + self.window + self.margin)
        return now

    def _grant(self, now: float) -> Grant:
        grant = Grant(now, self._last)
        self._unsettled.add(grant)
        first = min((slots for slots in (self._settled, self._abandoned) if slots), key=lambda slots: slots[0])
        first.popleft()
        self._last = now
        self._granted += 1
        return grant

    def _times(self, now: float) -> Iterator[float]:
        """The earliest times at which the first, second, … claim can be granted, whatever settles meanwhile."""
        soonest = now + self.window + self.margin  # of an opening that settles this instant
        slots = merge(self._settled, repeat(soonest, len(self._unsettled)), self._abandoned)
        time = self._last + self.spacing
        for free_at in chain(slots, repeat(soonest)):
            time = max(time, free_at)
            yield time
            # The claim ahead has not been taken yet. Passing it while slots abound would be faster, but a pool slow to
            # wake was then passed again and again, held off each time by the spacing: 1 grant to its neighbour's 49.
            time = max(time, now) + max(self.spacing, TURN)

    def _wakers(self, now: float) -> list[Waker]:
        """Name their times to the claims anew; return the wakers of those that came nearer."""
        nearer = []
        times = self._times(now)
        lapse = math.inf
        for waker, named in self._claims.items():
            if named + LAPSE <= now:
                continue
            time = max(now, min(next(times), lapse))
            if time < named:
                self._claims[waker] = named = time
                nearer.append(waker)
            lapse = named + LAPSE
        return nearer


def _seconds(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        raise ConfigurationError(f"{name} must be a number of seconds, 0 or more, not {value!r}")
    return value
