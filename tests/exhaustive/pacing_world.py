"""The pacing rule with two pools and two slots, in whole ticks.

Times are small integers, so that equal times are equal: the two constants of the rule that are no arguments
(``LAPSE``, ``TURN``) are set to whole ticks too. What takes a time may bring a reading of the clock that is a tick old,
as threads do. A grant may also be lost without a word.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from functools import partial

from smswire.flow import pacing as rule
from smswire.flow.pacing import Grant, Pacing

from .judge import Judge, Opening
from .walk import Operation, copied

LIMIT, WINDOW, MARGIN = 2, 2, 1
LAPSE, TURN = 2, 1
IN_ORDER, LATE = "now", "with a reading a tick old"


@contextmanager
def whole_ticks() -> Iterator[None]:
    """Within it the rule counts in ticks."""
    seconds = rule.LAPSE, rule.TURN
    rule.LAPSE, rule.TURN = LAPSE, TURN
    try:
        yield
    finally:
        rule.LAPSE, rule.TURN = seconds


class Asker:
    """A pool: what it was told, and whether it was woken since."""

    def __init__(self) -> None:
        self.told = math.inf
        self.is_woken = False

    def wake(self) -> None:
        self.is_woken = True

    def hear(self, told: float) -> None:
        self.told = told
        self.is_woken = False

    @property
    def waits(self) -> bool:
        return self.told < math.inf


class PacingWorld:
    """One rule, two pools, and the far end's judge. ``skewed``: readings of the clock may come late."""

    def __init__(self, kind: type[Pacing], *, spacing: int, lag: int, skewed: bool) -> None:
        self.readings = [IN_ORDER, LATE][: 1 + skewed]
        # The longest a claim waits once nothing is unsettled any more: a lost grant is noticed when somebody asks, at
        # the time named before; the last of the slots comes back; whoever stands before it lapses, or takes its turn.
        self.patience = (WINDOW + MARGIN) + (lag + WINDOW + MARGIN) + 2 * LAPSE
        self.pacing = kind(LIMIT, window=WINDOW, margin=MARGIN, lag=lag, spacing=spacing)
        self.judge = Judge(LIMIT, WINDOW, lag)
        self.askers = Asker(), Asker()
        self.unsettled: list[tuple[Grant, Opening]] = []
        self.now = 0

    # What may happen

    def operations(self) -> Iterator[Operation]:
        yield ("a tick passes",)
        for name in "AB":
            yield from ((f"{name} asks", reading) for reading in self.readings)
            if self.asker(name).waits:
                yield f"{name} closes", "and is forgotten"
        for index in range(len(self.unsettled)):
            for ending in ("settles", "is closed unsettled"):
                yield from ((f"grant {index}", ending, reading) for reading in self.readings)
            yield f"grant {index}", "is given back"
            yield f"grant {index}", "is lost without a word"

    def do(self, operation: Operation) -> None:
        subject, *what = operation
        reading = self.now - (what[-1:] == [LATE])
        if subject == "a tick passes":
            self.now += 1
        elif subject.endswith(" asks"):
            self.ask(self.asker(subject[0]), reading)
        elif subject.endswith(" closes"):
            self.forget(self.asker(subject[0]))
        else:
            self.end(*self.unsettled.pop(int(subject.split()[1])), what[0], reading)
        self.check()

    def asker(self, name: str) -> Asker:
        return self.askers["AB".index(name)]

    def ask(self, asker: Asker, reading: float) -> bool:
        """Whether there was a grant."""
        answer = self.pacing.ask(reading, asker.wake)
        if isinstance(answer, Grant):
            asker.hear(math.inf)
            earlier = [opening.since for opening in self.judge.openings]
            assert all(since + self.pacing.spacing <= self.now for since in earlier), "two grants are too close"
            self.unsettled.append((answer, self.judge.begin(self.now)))
            return True
        assert reading < answer < math.inf, f"told {answer} at {reading}"
        asker.hear(answer)
        return False

    def forget(self, asker: Asker) -> None:
        asker.hear(math.inf)
        self.pacing.fire(self.pacing.forget(asker.wake))

    def end(self, grant: Grant, opening: Opening, ending: str, reading: float) -> None:
        """The evidence of a settlement came before the clock was read, and so did the close of one unsettled."""
        if ending == "settles":
            self.judge.settle(opening, reading)
            self.pacing.fire(self.pacing.settle(grant, reading))
        elif ending == "is closed unsettled":
            self.judge.close(opening, reading)
            self.pacing.fire(self.pacing.abandon(grant, reading))
        elif ending == "is given back":
            self.judge.withdraw(opening)
            live = self.pacing.stats(self.now).live
            self.pacing.fire(self.pacing.give_back(grant))
            assert self.pacing.stats(self.now).live == live - 1, "its slot is not free again"
        else:
            # With the caller's reference, which is the last. The rule notes it with the next reading, which may be a
            # tick old; so much less of the lag is left for the network.
            self.judge.close(opening, self.now - 1)

    # What must hold

    def check(self) -> None:
        self.judge.check(self.now)
        stats = self.pacing.stats(self.now)
        assert stats.unsettled == len(self.unsettled), "an unsettled opening is not counted"
        assert self.judge.live(self.now) <= stats.live <= LIMIT, "a slot is free too early"

    def look_ahead(self) -> tuple[()]:
        if not any(asker.waits for asker in self.askers):
            return ()
        self.look_for_lost_wakers()
        for alone in range(2):
            world = copied(self)
            # The other one is never heard of again, and nobody tells the rule.
            world.look_for_starvation(world.askers[alone : alone + 1])
        self.look_for_starvation(self.askers)
        return ()

    def look_for_lost_wakers(self) -> None:
        """Who has not been woken learns nothing by asking early: its time has not come nearer."""
        slack = 0 if self.pacing.spacing else TURN  # who follows another is let in a turn later than need be
        for index, asker in enumerate(self.askers):
            if not asker.waits or asker.is_woken or asker.told <= self.now:
                continue
            world = copied(self)
            asker = world.askers[index]
            told = asker.told
            soonest = world.now if world.ask(asker, world.now) else asker.told
            assert soonest >= told - slack, f"told {told}, it could have come at {soonest}, and was not woken"

    def look_for_starvation(self, askers: tuple[Asker, ...]) -> None:
        """All openings settle now; these pools act on their times and wakers, and nothing else: each gets its grant."""
        self.settle_all()
        end = self.now + self.patience
        waiting = [asker for asker in askers if asker.waits]
        while waiting:
            due: Callable[[Asker], float] = partial(due_at, now=self.now)
            asker = min(waiting, key=due)
            self.now = max(self.now, int(due(asker)))
            assert self.now <= end, f"a claim is not served within {self.patience} ticks"
            if self.ask(asker, self.now):
                waiting.remove(asker)
                self.settle_all()
            self.check()

    def settle_all(self) -> None:
        while self.unsettled:
            self.end(*self.unsettled.pop(), "settles", self.now)

    # What makes a difference

    def fingerprint(self) -> Hashable:
        """Pools are alike, so one is told from the other by its place among the claims alone."""
        places = {wake: place for place, wake in enumerate(self.pacing._claims)}
        askers = [
            (places.get(asker.wake, -1), max(asker.told - self.now, 0), asker.is_woken)
            for asker in self.askers
            if asker.waits
        ]
        grants = [grant for grant, _ in self.unsettled]
        oldest = self.now - (LATE in self.readings)
        return sorted(askers), fingerprint_of(self.pacing, self.now, grants, oldest), self.judge.fingerprint(self.now)


def due_at(asker: Asker, now: float) -> float:
    return now if asker.is_woken else max(now, asker.told)


def fingerprint_of(pacing: Pacing, now: float, grants: list[Grant], oldest: float) -> Hashable:
    """All that a rule's later answers depend on.

    Of a time in its past it makes no difference how long ago it was: for slots that is its own latest reading of the
    clock, for claims ``LAPSE`` before that, for the last grant `spacing` before. Since its latest reading, time cannot
    have passed further than matters; without claims nothing asks for that one before the next, the ``oldest`` to come.
    """
    latest = pacing._now if pacing._claims else max(pacing._now, oldest)
    slots = sorted(max(free_at - latest, 0) for free_at in (*pacing._settled, *pacing._abandoned))
    claims = [max(named - latest, -rule.LAPSE) for named in pacing._claims.values()]
    horizon = max([*slots, *claims, rule.LAPSE + 1]) + rule.LAPSE
    return slots, claims, lasts_of(pacing, latest, grants), min(now - latest, horizon)


def lasts_of(pacing: Pacing, latest: float, grants: list[Grant]) -> list[tuple[int, float]]:
    """What the time of the last grant is, and what it becomes as one after the other is given back; nothing where
    grants are not spaced, since the last was never later than now.
    """
    if not pacing.spacing:
        return []
    places = {grant.at: place for place, grant in enumerate(grants) if grant.before < grant.at}
    last = pacing._last
    lasts = [(-1, max(last - latest, -pacing.spacing))]
    while last in places:
        place = places[last]
        last = grants[place].before
        lasts.append((place, max(last - latest, -pacing.spacing)))
    return lasts
