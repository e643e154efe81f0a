"""Laws of pacing, over a simulated network in virtual time.

The promise is tested as the far end's worst case: an opening may be counted at any instant between the call of
``connect()`` and its settlement (or `lag` after it was closed here), so *some* choice of instants puts a set of
openings into one closed window exactly if the latest of their grants lies within a window of the earliest of their
ends. No set of ``limit + 1`` may allow that.
"""

from __future__ import annotations

import heapq
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import ConfigurationError
from smswire.flow.pacing import LAPSE, TURN, Grant, Pacing, Waker

WINDOW, MARGIN, LAG = 1.0, 0.010, 10.0
ENDINGS = ("settle", "abandon", "give_back")


class Opening:
    """What the network knows of one opening: the far end counts it somewhere in ``granted`` to ``ended``."""

    def __init__(self, pool: object, granted: float) -> None:
        self.pool = pool
        self.granted = granted
        self.ended = math.inf

    def counted(self, fraction: float) -> float:
        """Return one instant at which the far end may count it."""
        return self.granted + fraction * (min(self.ended, self.granted + 1000) - self.granted)


def most_at_once(openings: list[Opening], window: float) -> int:
    """Return how many openings the far end can count in one closed window, if it picks the worst instants."""
    # It can where the intervals from grant to end + window overlap; closed, so at one instant starts come first.
    changes = [(opening.granted, 0, 1) for opening in openings]
    changes += [(opening.ended + window, 1, -1) for opening in openings]
    return max(accumulate(change for _, _, change in sorted(changes)), default=0)


def most_in_a_window(instants: list[float], window: float) -> int:
    instants = sorted(instants)
    return max((sum(start <= at <= start + window for at in instants) for start in instants), default=0)


class Network:
    """One pacing and its pools in virtual time: events run in order, the clock jumps from one to the next."""

    def __init__(self, pacing: Pacing) -> None:
        self.pacing = pacing
        self.now = 100.0
        self.openings: list[Opening] = []
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, time: float, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(time, self.now), next(self._order), event))

    def run(self, until: float = math.inf) -> None:
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()

    def end(self, grant: Grant, opening: Opening, ending: str, read: float) -> None:
        """One of three things becomes of an opening; `read` is the reading of the clock that goes with it."""
        if ending == "settle":
            opening.ended = read
            wakers = self.pacing.settle(grant, read)
        elif ending == "abandon":
            opening.ended = read + self.pacing.lag
            wakers = self.pacing.abandon(grant, read)
        else:
            self.openings.remove(opening)
            wakers = self.pacing.give_back(grant)
        for again in ENDINGS:
            assert self.again(grant, again) == []
        self.pacing.fire(wakers)

    def again(self, grant: Grant, ending: str) -> list[Waker]:
        if ending == "give_back":
            return self.pacing.give_back(grant)
        return (self.pacing.settle if ending == "settle" else self.pacing.abandon)(grant, self.now)


class Pool:
    """Wants `fates` connections as fast as it may: it obeys the times named and its waker, and knows nothing else.

    A fate is (ending, seconds from grant to it). `late` is how long this pool takes to act on a time or a waker,
    `skew` how old its reading of the clock is by the time the pacing hears it. After `dies_after` calls it is never
    heard of again, and nobody tells the pacing.
    """

    def __init__(
        self,
        network: Network,
        fates: Iterator[tuple[str, float]] | list[tuple[str, float]],
        *,
        late: float = 0.0,
        skew: float = 0.0,
        dies_after: float = math.inf,
    ) -> None:
        self.network, self.late, self.skew = network, late, skew
        self.fates = iter(fates)
        self.next_fate = next(self.fates, None)
        self.calls_left = dies_after
        self.told: float | None = None
        self.granted: list[float] = []
        network.at(network.now, self.ask)

    @property
    def is_waiting(self) -> bool:
        return self.next_fate is not None and self.calls_left > 0

    def wake(self) -> None:
        self.network.at(self.network.now + self.late, self.ask)

    def ask(self, due: float = -math.inf) -> None:
        network = self.network
        while self.is_waiting:
            self.calls_left -= 1
            reading = max(network.now - self.skew, due)
            answer = network.pacing.ask(reading, self.wake)
            if isinstance(answer, float):
                assert reading < answer < math.inf
                if answer != self.told:
                    network.at(answer + self.late + self.skew, partial(self.ask, answer))
                self.told = answer
                return
            self.connect(answer)

    def connect(self, grant: Grant) -> None:
        network = self.network
        assert self.next_fate is not None
        ending, delay = self.next_fate
        self.next_fate = next(self.fates, None)
        opening = Opening(self, network.now)
        network.openings.append(opening)
        self.granted.append(network.now)
        read = network.now + delay
        if ending == "give_back":
            network.end(grant, opening, ending, network.now)
        else:
            network.at(read + self.skew, lambda: network.end(grant, opening, ending, read))


delays = st.one_of(st.floats(0, 0.5), st.floats(0, 5), st.floats(0, 30))
fates = st.lists(st.tuples(st.sampled_from(ENDINGS), delays), max_size=12)
pacings = st.builds(
    Pacing,
    st.integers(1, 5),
    margin=st.sampled_from([0.001, 0.010, 0.2]),
    lag=st.sampled_from([0.0, 0.3, 10.0]),
    spacing=st.sampled_from([0.0, 0.010, 0.3]),
)


@given(pacings, st.lists(st.tuples(fates, st.floats(0, 0.1), st.floats(0, 0.05)), max_size=4), st.data())
def test_no_second_holds_more_than_limit_and_at_rest_nothing_is_live(pacing, pools, data):
    """Whatever becomes of openings, in whatever order: the far end never counts too many, and every slot comes back."""
    network = Network(pacing)
    drivers = [Pool(network, fates, late=late, skew=skew) for fates, late, skew in pools]
    network.run()
    assert not any(driver.is_waiting for driver in drivers)
    assert most_at_once(network.openings, pacing.window) <= pacing.limit
    fractions = data.draw(st.lists(st.floats(0, 1), min_size=len(network.openings), max_size=len(network.openings)))
    instants = [opening.counted(fraction) for opening, fraction in zip(network.openings, fractions, strict=True)]
    assert most_in_a_window(instants, pacing.window) <= pacing.limit
    stats = pacing.stats(network.now + pacing.lag + pacing.window + pacing.margin)
    assert stats == (0, 0, len(network.openings))


operations = st.lists(
    st.tuples(st.sampled_from(["ask", *ENDINGS, "drop", "forget", "wait"]), st.integers(0, 7), st.floats(-0.05, 2)),
    max_size=60,
)


@given(pacings, operations)
def test_no_misuse_breaks_the_promise(pacing, operations):
    """Pools that ask at any time, end openings twice or never, lose grants and bring stale readings are paced too."""
    network = Network(pacing)
    grants: list[Grant | None] = []
    openings: list[Opening] = []
    bells = [Counter().clear for _ in range(3)]

    def call(operation: str, index: int, reading: float) -> None:
        if operation == "ask":
            answer = pacing.ask(reading, bells[index % 3])
            if isinstance(answer, Grant):
                grants.append(answer)
                openings.append(Opening(index, network.now))
                network.openings.append(openings[-1])
            else:
                assert reading < answer < math.inf
        elif operation == "forget":
            pacing.forget(bells[index % 3])
        elif grants:
            end(operation, index % len(grants))

    def end(ending: str, index: int) -> None:
        grant, opening = grants[index], openings[index]
        if ending == "drop":
            grants[index] = None
            opening.ended = min(opening.ended, network.now + pacing.lag)
        elif grant is not None and opening.ended == math.inf and opening in network.openings:
            network.end(grant, opening, ending, network.now)
        elif grant is not None:
            assert network.again(grant, ending) == []

    for operation, index, seconds in operations:
        if operation == "wait":
            network.now += max(seconds, 0)
        else:
            call(operation, index, network.now + min(seconds, 0))
        stats = pacing.stats(network.now)
        assert stats.unsettled == sum(opening.ended == math.inf for opening in network.openings) <= stats.live
        assert stats.live <= pacing.limit
        assert stats.granted == len(network.openings)
    assert most_at_once(network.openings, pacing.window) <= pacing.limit


def possible_from(pacing: Pacing, openings: list[Opening], wanted: float) -> float:
    """Return when, after these openings, one more could first have been granted to a pool that wants one."""
    free = sorted([opening.ended + pacing.window + pacing.margin for opening in openings] + [-math.inf] * pacing.limit)
    last = max((opening.granted for opening in openings), default=-math.inf)
    return max(free[len(openings)], last + pacing.spacing, wanted)


@given(pacings, st.lists(fates, min_size=1, max_size=4))
def test_no_slot_stays_idle_while_a_pool_waits(pacing, pools):
    """Pools that obey times and wakers, and nothing else, take each slot in the instant it is free."""
    network = Network(pacing)
    drivers = [Pool(network, fates) for fates in pools]
    network.run()
    assert not any(driver.is_waiting for driver in drivers)
    openings = sorted(network.openings, key=lambda opening: opening.granted)
    for index, opening in enumerate(openings):
        possible = possible_from(pacing, openings[:index], 100.0)
        assert possible - 1e-6 <= opening.granted <= possible + 1e-6 + (0 if pacing.spacing else TURN)


@given(pacings, st.lists(st.integers(1, 4), max_size=3), fates)
def test_a_dead_pool_costs_the_others_one_lapse_a_claim(pacing, dead, fates):
    """A pool that is never heard of again blocks the rest for at most 20 ms for each claim it left behind."""
    network = Network(pacing)
    for calls in dead:
        Pool(network, [("settle", 0.1)] * 10, dies_after=calls)
    alive = Pool(network, fates)
    network.run()
    assert not alive.is_waiting
    openings = sorted(network.openings, key=lambda opening: opening.granted)
    for index, opening in enumerate(openings):
        latest = possible_from(pacing, openings[:index], 100.0) + len(dead) * LAPSE
        assert opening.granted <= latest + 1e-6


@given(st.integers(2, 5), st.sampled_from([0.0, 0.010]), st.floats(0.001, 3))
def test_pools_that_always_want_more_are_served_in_turn(pools, spacing, round_trip):
    """Once all of them have been refused, waiting pools get one grant each, round and round."""
    network = Network(Pacing(limit=3, spacing=spacing))
    drivers = [Pool(network, [("settle", round_trip)] * 8) for _ in range(pools)]
    network.run()
    turns = [opening.pool for opening in network.openings]
    contended = turns[3 : 3 + 5 * pools] if spacing == 0 else turns[1 : 1 + 5 * pools]
    for start in range(len(contended) - pools + 1):
        assert set(contended[start : start + pools]) == set(drivers)


@given(st.floats(0, 0.015), st.floats(0, 0.015), st.sampled_from([0.002, 0.04, 0.2, 0.6]))
def test_two_greedy_pools_share_evenly(late, other_late, round_trip):
    """Neither of two greedy pools gets less than 40 % of the grants, though one is slower to wake than the other."""
    network = Network(Pacing())
    drivers = [Pool(network, repeating("settle", round_trip), late=each) for each in (late, other_late)]
    network.run(until=110.0)
    shares = [len(driver.granted) / len(network.openings) for driver in drivers]
    assert min(shares) >= 0.4


def repeating(ending: str, delay: float) -> Iterator[tuple[str, float]]:
    while True:
        yield ending, delay


def achieved_rate(round_trip: float, *, spacing: float = 0.010, seconds: float = 30.0) -> tuple[float, float]:
    """Return openings a second that a greedy pool gets, TCP and TLS at 2 round trips, and what the rule allows."""
    network = Network(Pacing(spacing=spacing))
    pool = Pool(network, repeating("settle", 2 * round_trip))
    network.run(until=100.0 + seconds)
    return len(pool.granted) / seconds, 50 / (WINDOW + MARGIN + 2 * round_trip)


@pytest.mark.parametrize("spacing", [0.0, 0.010])
@pytest.mark.parametrize("round_trip", [0.001, 0.020, 0.100, 0.300])
def test_the_ceiling_is_reached(round_trip, spacing):
    """A greedy pool gets at least 97 % of 50 / (window + margin + 2 round trips), smoothed or not."""
    achieved, ceiling = achieved_rate(round_trip, spacing=spacing)
    assert achieved >= 0.97 * ceiling


def refused(pacing: Pacing, now: float, waker: Waker) -> float:
    answer = pacing.ask(now, waker)
    assert isinstance(answer, float)
    return answer


def granted(pacing: Pacing, now: float, waker: Waker = print) -> Grant:
    answer = pacing.ask(now, waker)
    assert isinstance(answer, Grant)
    return answer


def served_at(pacing: Pacing, now: float, waker: Waker) -> float:
    """Obey the times named from `now` on, and return the one at which the grant came."""
    while isinstance(answer := pacing.ask(now, waker), float):
        now = answer
    return now


def test_a_grant_given_back_is_as_though_never_granted():
    """After connect() raised at once the same instant has room again, in limit, spacing and totals."""
    pacing = Pacing(limit=1)
    grant = granted(pacing, 5.0)
    assert pacing.give_back(grant) == []
    assert pacing.stats(5.0) == (0, 0, 0)
    assert granted(pacing, 5.0).at == 5.0


def test_a_grant_given_back_wakes_the_pool_that_waits_longest():
    """What comes free at once is promised at once to the head of the queue, and to nobody else for 20 ms."""
    pacing = Pacing(limit=1)
    bells: deque[str] = deque()
    first, second = (lambda: bells.append("first")), (lambda: bells.append("second"))
    grant = granted(pacing, 5.0)
    refused(pacing, 5.0, first)
    refused(pacing, 5.0, second)
    pacing.fire(pacing.give_back(grant))
    assert bells[0] == "first"
    refused(pacing, 5.0, second)
    granted(pacing, 5.0, first)


def test_a_forgotten_pool_leaves_its_place():
    """When the head of the queue closes, the next one is told that its time came nearer, and takes its slot."""
    pacing = Pacing(limit=1)
    closing, waiting = Counter().clear, Counter().copy
    pacing.settle(granted(pacing, 0.0), 0.0)
    head = refused(pacing, 0.0, closing)
    assert head < refused(pacing, 0.0, waiting) <= head + LAPSE
    assert pacing.forget(closing) == [waiting]
    assert pacing.forget(closing) == []
    granted(pacing, head, waiting)


def test_a_waker_that_raises_is_forgotten_and_the_next_pool_gains_by_it():
    """A pool whose event loop is gone loses its claim, and the pool behind it is woken to come in its place."""
    pacing = Pacing(limit=1)
    told = []

    def broken() -> None:
        raise RuntimeError("the event loop is closed")

    def healthy() -> None:
        told.append(pacing.ask(0.0, healthy))

    pacing.settle(granted(pacing, 0.0), 0.0)
    due = refused(pacing, 0.0, broken)
    healthy()
    assert told[-1] > due
    pacing.fire([broken])
    assert told[-1] == due
    granted(pacing, due, healthy)


def test_a_pool_that_is_woken_and_does_not_come_stops_nobody():
    """A wake-up renews the promise to the head, and with it the time at which the next one may pass."""
    pacing = Pacing(limit=1)
    dead, alive = Counter().clear, Counter().copy
    grant = granted(pacing, 0.0)
    refused(pacing, 0.0, dead)
    refused(pacing, 0.0, alive)
    refused(pacing, 0.5, dead)
    assert pacing.give_back(grant) == [dead, alive]
    assert served_at(pacing, 0.5, alive) == 0.5 + LAPSE


def test_nobody_is_woken_who_gains_nothing():
    """A pool that was told of a nearer time once is not told again, nor one whose time stays as it is."""
    pacing = Pacing(limit=3)
    first, second, third = (granted(pacing, at) for at in (0.0, 0.1, 0.2))
    waiting = Counter().clear
    refused(pacing, 0.2, waiting)
    assert pacing.give_back(first) == [waiting]
    assert pacing.give_back(second) == []
    granted(pacing, 0.22, waiting)
    pacing.settle(third, 0.3)
    assert pacing.forget(waiting) == []


def test_a_lapsed_claim_brings_nobody_nearer():
    """Who waits for a slot that is not free yet is not woken because the claim ahead has lapsed."""
    pacing = Pacing(limit=2)
    first, second = granted(pacing, 0.0), granted(pacing, 0.1)
    dead, alive = Counter().clear, Counter().copy
    refused(pacing, 0.2, dead)
    pacing.settle(first, 0.5)
    assert refused(pacing, 1.3, alive) == pytest.approx(0.5 + WINDOW + MARGIN)
    assert pacing.settle(second, 1.3) == []


def test_a_stale_reading_counts_as_the_latest():
    """Of two threads that read the clock the later may come first; the other's reading is then taken for the same."""
    pacing = Pacing(limit=2, spacing=0)
    stale = granted(pacing, 4.0)
    assert granted(pacing, 5.0).at == 5.0
    pacing.settle(stale, 4.5)
    assert refused(pacing, 4.6, print) == 5.0 + WINDOW + MARGIN


def test_asking_early_keeps_the_place():
    """A pool that asks before its time is told the same time again, and stays ahead of who came later."""
    pacing = Pacing(limit=1)
    early, later = Counter().clear, Counter().copy
    pacing.settle(granted(pacing, 0.0), 0.0)
    time = refused(pacing, 0.0, early)
    refused(pacing, 0.1, later)
    assert refused(pacing, 0.2, early) == time
    refused(pacing, time, later)
    granted(pacing, time, early)


def test_a_claim_not_taken_in_time_can_be_passed():
    """The next pool has the slot 20 ms after the head was due, on its own timer; the late one then queues behind."""
    pacing = Pacing(limit=1)
    late, prompt = Counter().clear, Counter().copy
    pacing.settle(granted(pacing, 0.0), 0.0)
    due = refused(pacing, 0.0, late)
    assert served_at(pacing, 0.0, prompt) == due + LAPSE
    refused(pacing, due + LAPSE, prompt)
    refused(pacing, due + LAPSE, late)
    assert refused(pacing, due + LAPSE, late) > refused(pacing, due + LAPSE, prompt)


def test_a_late_claim_that_nobody_passed_keeps_its_place():
    """Being late costs a pool its place only if another pool came meanwhile."""
    pacing = Pacing(limit=1)
    late, later = Counter().clear, Counter().copy
    pacing.settle(granted(pacing, 0.0), 0.0)
    due = refused(pacing, 0.0, late)
    refused(pacing, due - 0.001, later)
    granted(pacing, due + 5 * LAPSE, late)


def test_a_time_named_is_never_further_off_than_an_opening_that_settles_now():
    """While any opening is unsettled no pool waits longer than window + margin without asking again."""
    pacing = Pacing(limit=2)
    pacing.abandon(granted(pacing, 0.0), 0.0)
    unsettled = granted(pacing, 0.1)
    assert refused(pacing, 0.2, print) == pytest.approx(0.2 + WINDOW + MARGIN)
    pacing.settle(unsettled, 0.3)
    assert refused(pacing, 0.3, print) == pytest.approx(0.3 + WINDOW + MARGIN)


def test_an_abandoned_opening_counts_for_the_lag_and_one_window():
    """Closing here says nothing about when the far end counts: its slot comes back only after lag + window + margin."""
    pacing = Pacing(limit=1)
    pacing.abandon(granted(pacing, 0.0), 2.0)
    assert refused(pacing, 2.0, print) == pytest.approx(2.0 + LAG + WINDOW + MARGIN)


def test_a_grant_that_is_dropped_counts_as_abandoned():
    """A slot is never lost: of a grant dropped with nothing said, the slot comes back as though closed there."""
    pacing = Pacing(limit=1)
    pacing.ask(0.0, print)
    assert pacing.stats(0.0) == (1, 0, 1)
    assert refused(pacing, 1.0, print) == pytest.approx(1.0 + LAG + WINDOW + MARGIN)
    granted(pacing, 1.0 + LAG + WINDOW + 2 * MARGIN)


@pytest.mark.parametrize("brings_no_reading", ["give_back", "forget"])
def test_a_grant_that_is_dropped_is_not_dated_back(brings_no_reading):
    """Nobody knows when it was dropped, so its slot counts from the next reading of the clock, not from the last."""
    pacing = Pacing(limit=3, spacing=0)
    dropped, _kept, other = (granted(pacing, 0.0) for _ in range(3))
    refused(pacing, 0.0, max)
    del dropped
    if brings_no_reading == "give_back":
        pacing.give_back(other)
        granted(pacing, 30.0)
    else:
        pacing.forget(max)
    assert refused(pacing, 30.0, print) == pytest.approx(30.0 + WINDOW + MARGIN)
    assert pacing.stats(30.0).live == 3


@given(pacings, st.lists(st.sampled_from([*ENDINGS, None]), max_size=5))
def test_after_a_restart_every_slot_is_taken_for_one_window(pacing, endings):
    """A forked child can open nothing for a window, then everything; grants and claims of its parent are gone."""
    network = Network(pacing)
    grants = [answer for at in range(5) if isinstance(answer := pacing.ask(at * 0.3, print), Grant)]
    for grant, ending in zip(grants, endings, strict=False):
        if ending is not None:
            network.again(grant, ending)
    pacing.ask(1.2, print)
    network.now = 110.0
    pacing.restart(110.0)
    full = 110.0 + pacing.window + pacing.margin
    assert pacing.stats(110.0) == (pacing.limit, 0, 0)
    for grant in grants:
        assert [network.again(grant, ending) for ending in ENDINGS] == [[], [], []]
    assert refused(pacing, 110.0, max) == full
    assert pacing.stats(full + pacing.lag + 1.0) == (0, 0, 0)
    for place in range(pacing.limit):
        grants.append(granted(pacing, full + place * pacing.spacing * 1.001, max))
    refused(pacing, full + pacing.limit * pacing.spacing * 1.001, max)


@pytest.mark.parametrize("limit", [0, -1, 1.0, True, "50", None])
def test_a_limit_is_a_whole_number_of_at_least_one(limit):
    """A limit that would let nothing through, or that is no count, is refused when it is set."""
    with pytest.raises(ConfigurationError, match="limit"):
        Pacing(limit)
    assert Pacing(1).limit == 1


@pytest.mark.parametrize("name", ["window", "margin", "lag", "spacing"])
@pytest.mark.parametrize("value", [-0.001, math.nan, math.inf, True, "1", None])
def test_times_are_finite_numbers_of_seconds(name, value):
    """No time is negative, endless, or anything but a number."""
    with pytest.raises(ConfigurationError, match=name):
        Pacing(**{name: value})


def test_both_ends_of_each_time():
    """A window of nothing is refused; margin, lag and spacing of nothing mean just that."""
    with pytest.raises(ConfigurationError, match="window"):
        Pacing(window=0)
    bare = Pacing(limit=2, margin=0, lag=0, spacing=0)
    granted(bare, 0.0)
    bare.abandon(granted(bare, 0.0), 0.0)
    assert refused(bare, 0.0, print) == bare.window
