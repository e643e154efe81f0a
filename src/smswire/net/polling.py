"""``select.poll``, and the same over ``select.select`` where a platform has none."""

from __future__ import annotations

import select
from typing import Final

IN: Final = 0x001
OUT: Final = 0x004


class SelectPoll:
    """The part of ``select.poll`` used here, by ``select.select``."""

    def __init__(self) -> None:
        self._events: dict[int, int] = {}

    def register(self, fd: int, events: int) -> None:
        self._events[fd] = events

    modify = register

    def poll(self, timeout_ms: float | None = None) -> list[tuple[int, int]]:
        readers = [fd for fd, events in self._events.items() if events & IN]
        writers = [fd for fd, events in self._events.items() if events & OUT]
        # A failed connect shows as an exceptional condition on Windows, not as writable.
        ready = select.select(readers, writers, writers, None if timeout_ms is None else timeout_ms / 1000)
        found: dict[int, int] = {}
        for fds, event in zip(ready, (IN, OUT, OUT), strict=True):
            for fd in fds:
                found[fd] = found.get(fd, 0) | event
        return list(found.items())


if hasattr(select, "poll"):  # noqa: SIM108 - mypy tells the two platforms apart only in this form
    Poll = select.poll
else:  # pragma: no cover - Windows
    Poll = SelectPoll  # type: ignore[misc, assignment]
