"""Which walks there are, and how deep each goes: by the command, and in the suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from smswire.flow.pacing import Pacing
from smswire.flow.pool import Pool
from tests.flow.kit import A, B

from .pacing_world import PacingWorld, whole_ticks
from .pool_world import PoolWorld
from .walk import Walked, World, walk


class Walk(NamedTuple):
    """One space of states. ``depth`` is how deep the command goes, ``shallow`` how deep the suite does."""

    name: str
    start: Callable[[], World]
    depth: int
    shallow: int

    def go(self, depth: int) -> Walked:
        """Walks it.

        Raises:
            Violation: something does not hold.
        """
        with whole_ticks():
            return walk(self.name, self.start, depth)


def pacing(
    name: str,
    depth: int,
    shallow: int,
    *,
    spacing: int,
    lag: int = 2,
    skewed: bool = True,
    kind: type[Pacing] = Pacing,
) -> Walk:
    def start() -> PacingWorld:
        return PacingWorld(kind, spacing=spacing, lag=lag, skewed=skewed)

    return Walk(f"pacing, {name}", start, depth, shallow)


def pool(
    name: str,
    depth: int,
    shallow: int,
    *,
    owned: bool,
    addresses: int = 1,
    known: bool = True,
    calls: int = 3,
    punctual: bool = True,
    kind: type[Pool] = Pool,
) -> Walk:
    def start() -> PoolWorld:
        return PoolWorld([A, B][:addresses], owned=owned, known=known, calls=calls, punctual=punctual, kind=kind)

    return Walk(f"pool, {name}", start, depth, shallow)


WALKS: Final = [
    pool("its own dials", 99, 7, owned=True),
    pool("calls that dial, two of them", 99, 9, owned=False, calls=2),
    pacing("not spaced", 99, 7, spacing=0),
    pacing("spaced", 99, 7, spacing=1, lag=1, skewed=False),
    pool("its own dials, two addresses", 11, 6, owned=True, addresses=2),
    pool("its own dials, lookups", 12, 7, owned=True, known=False),
    pool("its own dials, done late", 11, 6, owned=True, punctual=False),
    pool("calls that dial", 15, 8, owned=False),
    pool("calls that dial, two addresses", 13, 8, owned=False, addresses=2),
    pool("calls that dial, lookups", 14, 8, owned=False, known=False),
    pool("calls that dial, done late", 13, 8, owned=False, punctual=False),
]
