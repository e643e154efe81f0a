"""Walks every order of operations, shallowest first, and every state once.

A state is known by its fingerprint: whatever of it can make a difference later, with times counted from now and
whoever is like another told apart by nothing. Two ways to one fingerprint are one state, so a space that has no end as
sequences often has one as states; a walk that comes to it has seen every sequence of any length.

A state is kept as the operations that lead to it, and made again by doing them. From there each operation is tried on a
copy of its own (a pickle: the weak sets of the core do not survive ``copy.deepcopy``).
"""

from __future__ import annotations

import copyreg
import io
import pickle
import time
import traceback
from collections.abc import Callable, Hashable, Iterable
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol, TypeVar
from weakref import WeakSet

Operation = tuple[Any, ...]
"""A name, and what it is done to."""

_W = TypeVar("_W")


class World(Protocol):
    """What is walked."""

    def operations(self) -> Iterable[Operation]:
        """What may happen now."""

    def do(self, operation: Operation) -> None:
        """Lets it happen; what must hold of every step and every state is asserted here."""

    def fingerprint(self) -> Hashable:
        """Whatever can make a difference to what happens from now on."""

    def look_ahead(self) -> Iterable[None]:
        """Asserts what must come of this state, which is a copy; each state is asked once. Where that takes steps that
        depend on nothing but the state, it yields after each: from a state that has been seen to end well it need not
        go on.
        """


class Walked(NamedTuple):
    """One walk. ``is_whole`` if no operation leads to a state that it has not seen; seconds are of the processor."""

    name: str
    states: int
    transitions: int
    depth: int
    is_whole: bool
    seconds: float


class Violation(AssertionError):
    """What must hold does not; the text tells a shortest way there."""


def told(name: str, operations: tuple[Operation, ...], error: Exception, *, is_ahead: bool) -> str:
    """The way to an error; ``is_ahead``: it shows in what must follow."""
    lines = [f"{number:3}. {describe(operation)}" for number, operation in enumerate(operations, 1)]
    if is_ahead:
        lines.append("  …  then everybody acts as told")
    line = traceback.extract_tb(error.__traceback__)[-1].line
    return "\n".join([f"{name}:", *lines, f"     {type(error).__name__}: {str(error) or line}"])


def describe(operation: Operation) -> str:
    return " ".join(map(str, operation))


class _Pickler(pickle.Pickler):
    dispatch_table = copyreg.dispatch_table.copy()
    dispatch_table[WeakSet] = lambda these: (WeakSet, (list(these),))


def frozen(world: object) -> bytes:
    """A world from which ``pickle.loads`` makes any number of copies."""
    file = io.BytesIO()
    _Pickler(file, pickle.HIGHEST_PROTOCOL).dump(world)
    return file.getvalue()


def copied(world: _W) -> _W:
    copy: _W = pickle.loads(frozen(world))
    return copy


def digest(world: World) -> bytes:
    # Python's own hash of a tuple takes -1 and -2 for one.
    return blake2b(repr(world.fingerprint()).encode(), digest_size=16).digest()


def look_ahead(world: World, end_well: set[bytes]) -> None:
    trail: dict[bytes, None] = {}
    for _ in world.look_ahead():
        key = digest(world)
        if key in end_well:
            break
        assert key not in trail, "it goes round and round"
        trail[key] = None
    end_well.update(trail)


def walk(name: str, start: Callable[[], World], depth: int) -> Walked:
    """Walks all sequences of up to ``depth`` operations.

    Raises:
        Violation: something does not hold.
    """
    begin = time.process_time()
    seen = {digest(start())}
    end_well: set[bytes] = set()
    frontier: list[tuple[Operation, ...]] = [()]
    transitions = level = 0
    while frontier and level < depth:
        level += 1
        further: list[tuple[Operation, ...]] = []
        for way in frontier:
            world = start()
            for operation in way:
                world.do(operation)
            assert digest(world) in seen, "the same operations led to another state"
            freeze = frozen(world)
            for operation in world.operations():
                transitions += 1
                is_new = False
                try:
                    one: World = pickle.loads(freeze)
                    one.do(operation)
                    key = digest(one)
                    if key in seen:
                        continue
                    seen.add(key)
                    is_new = True
                    look_ahead(one, end_well)
                except Exception as error:
                    raise Violation(told(name, (*way, operation), error, is_ahead=is_new)) from error
                further.append((*way, operation))
        frontier = further
    return Walked(name, len(seen), transitions, level - (not frontier), not frontier, time.process_time() - begin)
