"""Rounds: who runs when, and what a failure means."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bench.machine import LoadWatch
from bench.processes import Report
from bench.rounds import Contender, collect, shuffled

GROUPS = [[("a", "length"), ("b", "length"), ("c", "length")], [("a", "chunked"), ("d", "chunked")]]


@given(st.integers(1, 6), st.integers(0, 2**32))
def test_everybody_runs_once_a_round_beside_their_group(rounds: int, seed: int) -> None:
    """And in the same order, if the seed is the same."""
    order = list(shuffled(GROUPS, rounds, seed))
    assert order == list(shuffled(GROUPS, rounds, seed))
    assert [number for number, _ in order] == sorted(number for number, _ in order)
    for number in range(rounds):
        mine = [contender for at, contender in order if at == number]
        assert Counter(mine) == Counter(GROUPS[0] + GROUPS[1])
        changes = sum(one[1] != other[1] for one, other in pairwise(mine))
        assert changes == 1


def test_the_order_changes_from_round_to_round() -> None:
    """So that nobody always runs after the same neighbour."""
    order = list(shuffled(GROUPS, 20, 1))
    assert len({tuple(each for at, each in order if at == number) for number in range(20)}) > 5


def test_who_fails_once_is_no_result_and_not_run_again() -> None:
    """The others are, in every round."""
    ran: Counter[Contender] = Counter()

    def run(contender: Contender, number: int) -> Report:
        ran[contender] += 1
        if contender == ("b", "length") and number == 1:
            return Report({"cpu_us": 1.0}, error="51 connections")
        return Report({"cpu_us": float(number)})

    watch = LoadWatch(seconds=0.0)
    runs = collect(GROUPS, 3, run, watch)
    assert ran[("b", "length")] == 2
    assert runs[("b", "length")].figures("cpu_us") == {}
    assert runs[("b", "length")].median("cpu_us") is None
    assert runs[("a", "length")].figures("cpu_us") == {0: 0.0, 1: 1.0, 2: 2.0}
    assert runs[("a", "length")].median("cpu_us") == 1.0
    assert len(watch.shares) == 4
