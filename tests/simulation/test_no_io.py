"""The core does no I/O: of a world that is lived through, the interpreter reports nothing to its audit hooks.

They are told of sockets, files, imports, processes and sleeps (PEP 578). They hear of no clock and no random numbers:
those would make two worlds of one weather differ, which ``test_laws`` looks for.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import given

from .weathers import ANY, SECURE
from .world import Weather, World

_heard: list[str] = []
_listening = False


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _listening:
        _heard.append(event)


sys.addaudithook(_hear)  # it cannot be removed, so it is silent but for these tests


def heard_of(act: Callable[[], object]) -> list[str]:
    """What the interpreter reports while ``act`` runs."""
    global _listening
    _heard.clear()
    _listening = True
    try:
        act()
    finally:
        _listening = False
    return list(_heard)


@given(ANY | SECURE)
def test_a_world_is_lived_through_without_a_word_to_the_operating_system(weather: Weather) -> None:
    """Neither the core nor the simulator opens, connects, sleeps or imports anything once a world like it has been."""
    World(weather).run()  # what is loaded once is loaded here: a trust store, OpenSSL's texts
    again = World(weather)
    assert heard_of(again.run) == []


def test_what_would_break_that_is_heard() -> None:
    """The hook is told of what the test above looks for: silence is silence, not deafness."""
    assert "open" in heard_of(lambda: open(os.devnull).close())
