"""What the sandbox saw, as JSON, on a port of its own that counts toward no limit.

``GET /messages``, ``/accepts``, ``/calls``: each an object with ``count`` and the list. ``GET /summary``: the counts.
``POST /reset``: forget.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from .exchange import Call, Reply
from .journal import Journal

JSON = "application/json"


class Inspection:
    """Answers on the inspection port.

    Args:
        summary: what ``/summary`` shows.
        reset: what ``/reset`` does.
    """

    def __init__(self, journal: Journal, summary: Callable[[], dict[str, object]], reset: Callable[[], None]) -> None:
        self._summary = summary
        self._reset = reset
        self._lists = {"/messages": journal.messages, "/accepts": journal.accepts, "/calls": journal.calls}

    def handle(self, call: Call) -> Reply:
        """Answer ``call``."""
        path = call.path
        wanted = "POST" if path == "/reset" else "GET"
        if path not in self._lists and path not in ("/summary", "/reset"):
            return Reply(404, b"Here are /messages, /accepts, /calls, /summary and /reset.")
        if call.method != wanted:
            return Reply(405, f"The method here is {wanted}.".encode(), allow=wanted)
        if path == "/summary":
            return _json(self._summary())
        if path == "/reset":
            self._reset()
            return _json({"reset": True})
        entries = self._lists[path]()
        return _json({"count": len(entries), path[1:]: entries})


def _json(value: object) -> Reply:
    return Reply(200, json.dumps(value, separators=(",", ":")).encode(), JSON)
