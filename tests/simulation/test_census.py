"""A world in which nothing goes wrong breaks no law: so what goes wrong is counted."""

from __future__ import annotations

from .__main__ import live
from .journal import Fault


def test_every_kind_of_fault_happens_and_every_outcome_is_told() -> None:
    """In a few hundred worlds of any weather."""
    seen = live(seed=0, exchanges=1500)
    assert seen.broken is None
    assert set(Fault) == set(+seen.faults)
    assert all(seen.counts[name] > seen.counts["calls"] / 100 for name in ("YES", "MAYBE", "NO"))
