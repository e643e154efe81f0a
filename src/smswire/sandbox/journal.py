"""What the sandbox saw: every accept, every call, every message it accepted.

Written in the server's thread, read from any: the lists only grow, and a reader gets a copy. Entries are plain
dictionaries, the same that the inspection port hands out as JSON. No entry holds an API key; a key is named by its
position. All of it stays in memory until :meth:`Journal.reset`.
"""

from __future__ import annotations

from typing import Any

from .limits import peak_in_a_second

Entry = dict[str, Any]


class Journal:
    """The lists, and what can be said of them in one line."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything. Connections that are open keep their numbers, and calls go on being counted from 1."""
        self._accepts: list[Entry] = []
        self._calls: list[Entry] = []
        self._messages: list[Entry] = []
        self._calls_begun = 0

    def next_call(self) -> int:
        """The number of the next call, from 1."""
        self._calls_begun += 1
        return self._calls_begun

    def add_accept(self, entry: Entry) -> None:
        self._accepts.append(entry)

    def add_call(self, entry: Entry) -> None:
        self._calls.append(entry)

    def add_messages(self, entries: list[Entry]) -> None:
        self._messages.extend(entries)

    def accepts(self) -> list[Entry]:
        return self._accepts.copy()

    def calls(self) -> list[Entry]:
        return self._calls.copy()

    def messages(self) -> list[Entry]:
        return self._messages.copy()

    def summary(self) -> Entry:
        accepts = self.accepts()
        admitted = sum(entry["admitted"] for entry in accepts)
        return {
            "messages": len(self._messages),
            "calls": len(self._calls),
            "accepts": len(accepts),
            "admitted": admitted,
            "refused": len(accepts) - admitted,
            "peak_accepts_per_second": peak_in_a_second(entry["time"] for entry in accepts),
        }
