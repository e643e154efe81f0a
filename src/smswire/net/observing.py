"""How a client's events get to its ``on_event``. Loaded only by a client that has one.

Blocking, a thread tells what it has noted itself, between two steps of its call. Under asyncio each event is a
callback of the loop's own, in the context of whoever noted it. Either way ``on_event`` runs under no lock and nothing
is half done around it. An ``Exception`` that it raises goes to ``sys.excepthook``, and no further.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic
from typing import Any, Protocol

from ..events import Event, OnEvent
from ..flow.observed import Observer


class Loop(Protocol):
    """What is needed of an event loop."""

    def call_soon(self, callback: Callable[[Event], None], event: Event, /) -> Any: ...


class _Notes(threading.local):
    """What one thread has noted and not told."""

    def __init__(self) -> None:
        self.events: deque[Event] = deque()


def in_its_thread(on_event: OnEvent) -> Observer:
    """Tells each event in the thread in which it happened."""
    notes = _Notes()
    tell_one = _telling(on_event)

    def note(event: Event) -> None:
        notes.events.append(event)

    def tell() -> None:
        events = notes.events
        while events:
            # Taken first: an interrupt does not bring it a second time.
            tell_one(events.popleft())

    return Observer(note, tell, monotonic)


def in_its_loop(on_event: OnEvent, loop: Callable[[], Loop]) -> Observer:
    """Tells each event in the loop, in a callback of its own; at once where the loop is closed."""
    tell_one = _telling(on_event)

    def note(event: Event) -> None:
        try:
            loop().call_soon(tell_one, event)
        except RuntimeError:
            tell_one(event)

    return Observer(note, _tell_nothing, monotonic)


def _tell_nothing() -> None:
    """The loop tells."""


def _telling(on_event: OnEvent) -> Callable[[Event], None]:
    def tell_one(event: Event) -> None:
        try:
            on_event(event)
        except Exception as error:  # noqa: BLE001 - it is shown, and no call may end otherwise for it
            with suppress(Exception):  # nor for a reporter that is down
                sys.excepthook(type(error), error, error.__traceback__)

    return tell_one
