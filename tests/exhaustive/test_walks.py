"""Every order of operations, as deep as a few seconds allow; ``python -m tests.exhaustive`` goes deeper."""

from __future__ import annotations

import pytest

from smswire.flow.connection import Connection
from smswire.flow.pacing import Grant, Pacing, Waker
from smswire.flow.pool import Pool, Waiter

from .judge import Judge
from .walk import Violation
from .walks import WALKS, Walk, pacing, pool


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.name)
def test_no_order_of_operations_breaks_a_law(walk: Walk) -> None:
    """The laws are asserted in the worlds, after each operation and of what must come of each state."""
    assert walk.go(walk.shallow).states > walk.shallow


def test_a_walk_ends_by_itself_where_there_are_no_more_states() -> None:
    """One call, and a pool that closes: the depth is none of ours."""
    walked = pool("a call", 0, 0, owned=True, calls=1).go(10_000)
    assert walked.is_whole
    assert walked.depth < 100


# What it is worth: each of these faults is found


class GivesUpAtOnce(Pacing):
    """An opening given up is taken for one that has settled."""

    def abandon(self, grant: Grant, now: float) -> list[Waker]:
        return self.settle(grant, now)


class ForgetsTheMargin(Pacing):
    """The window is taken for half open."""

    def settle(self, grant: Grant, now: float) -> list[Waker]:
        wakers = super().settle(grant, now)
        self._settled[-1] -= self.margin
        return wakers


class WakesNobody(Pacing):
    """Times come nearer, and nobody is told."""

    def give_back(self, grant: Grant) -> list[Waker]:
        super().give_back(grant)
        return []


class DatesBack(Pacing):
    """A grant lost without a word is dated to a reading from before it was lost."""

    def give_back(self, grant: Grant) -> list[Waker]:
        wakers = super().give_back(grant)
        self._advance(self._now)
        return wakers


class KeepsNoPlace(Pacing):
    """Whoever asks may pass those who wait."""

    def ask(self, now: float, waker: Waker) -> Grant | float:
        others, self._claims = self._claims, {}
        answer = super().ask(now, waker)
        self._claims = others | self._claims
        return answer


class LosesWhatIsNotTaken(Pool):
    """A connection granted to a call that left goes to nobody."""

    def leave(self, waiter: Waiter, now: float) -> Connection | None:
        waiter.connection = None
        return super().leave(waiter, now)


class LeavesInSilence(Pool):
    """The head of the queue leaves, and the next is not woken to dial in its place."""

    def leave(self, waiter: Waiter, now: float) -> Connection | None:
        if waiter.connection is None:
            self._waiting.pop(waiter, None)
        return super().leave(waiter, now)


class ServesTheLast(Pool):
    """The call that came last is served first."""

    def _offer(self, connection: Connection, now: float) -> None:
        if self._waiting:
            self._waiting.move_to_end(next(reversed(self._waiting)), last=False)
        super()._offer(connection, now)


@pytest.mark.parametrize("kind", [GivesUpAtOnce, ForgetsTheMargin, WakesNobody, DatesBack, KeepsNoPlace])
def test_a_walk_finds_a_fault_planted_in_the_rule(kind: type[Pacing]) -> None:
    """And tells a shortest way there."""
    with pytest.raises(Violation, match=r" 1\. "):
        pacing(kind.__name__, 0, 0, spacing=0, kind=kind).go(12)


@pytest.mark.parametrize(
    ("kind", "owned"),
    [(LosesWhatIsNotTaken, True), (LosesWhatIsNotTaken, False), (ServesTheLast, True), (LeavesInSilence, False)],
)
def test_a_walk_finds_a_fault_planted_in_the_pool(kind: type[Pool], owned: bool) -> None:
    """And tells a shortest way there."""
    with pytest.raises(Violation, match=r" 1\. "):
        pool(kind.__name__, 0, 0, owned=owned, kind=kind).go(12)


def test_the_judge_takes_the_far_ends_worst_choice() -> None:
    """An opening may be counted as late as it settled, one closed as late as the lag allows, one given back never."""
    judge = Judge(limit=2, window=2.0, lag=3.0)
    first, second, third = (judge.begin(0.0) for _ in range(3))
    with pytest.raises(AssertionError, match="may count 3"):
        judge.check(0.0)
    judge.withdraw(third)
    judge.settle(first, 1.0)
    judge.close(second, 1.0)
    judge.check(3.0)
    assert judge.live(3.0) == 2
    judge.begin(3.5)
    judge.check(3.5)
    assert judge.live(6.0) == 2
    judge.begin(6.0)
    with pytest.raises(AssertionError, match="may count 3"):
        judge.check(6.0)
