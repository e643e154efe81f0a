"""The machine: cores and load."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from bench.machine import IDLE_ENOUGH, LoadWatch, busy_and_total, cores, describe, pinned


def test_what_is_started_within_stays_on_the_core_and_we_do_not() -> None:
    """The affinity from before is back afterwards."""
    before = os.sched_getaffinity(0)
    server, client = cores()
    assert {server, client} <= before
    with pinned(server):
        assert os.sched_getaffinity(0) == {server}
    assert os.sched_getaffinity(0) == before


@given(st.lists(st.integers(0, 10**9), min_size=8, max_size=8))
def test_busy_is_all_but_idle_and_waiting_for_disks(ticks: list[int]) -> None:
    """Time stolen by other machines is busy: it is missing here."""
    busy, total = busy_and_total("cpu  " + " ".join(map(str, ticks)) + " 5 5\n")
    assert total == sum(ticks)
    assert busy == total - ticks[3] - ticks[4]


@given(st.lists(st.floats(0, 1), max_size=9))
def test_a_warning_is_given_if_any_look_found_the_machine_loaded(shares: list[float]) -> None:
    """And says in how many."""
    watch = LoadWatch()
    watch.shares += shares
    loaded = sum(share > IDLE_ENOUGH for share in shares)
    warning = watch.warning()
    assert (warning is None) == (loaded == 0)
    if warning is not None:
        assert f"in {loaded} of {len(shares)} looks" in warning


def test_the_machine_is_described_with_its_python() -> None:
    """Figures are worth little without."""
    assert "CPython 3." in describe()
    assert "OpenSSL" in describe()
