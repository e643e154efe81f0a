"""What the far end may count, kept beside the code and by other means: brute force over a handful of openings.

The far end counts an opening at some instant between its grant and the evidence of it, or `lag` after it was closed
without any; which instant is its own affair. So it may find in one window whatever openings reach into that window.
"""

from __future__ import annotations

import math


class Opening:
    """One connection: counted somewhere from ``since`` to ``until``, both included."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.until = math.inf


class Judge:
    """All openings that can still be counted together with one to come."""

    def __init__(self, limit: int, window: float, lag: float) -> None:
        self.limit = limit
        self.window = window
        self.lag = lag
        self.openings: list[Opening] = []

    def begin(self, now: float) -> Opening:
        """It was granted: the far end may count it from now on."""
        opening = Opening(now)
        self.openings.append(opening)
        return opening

    def settle(self, opening: Opening, now: float) -> None:
        """The far end has been heard of, so it has counted."""
        opening.until = min(opening.until, now)

    def close(self, opening: Opening, now: float) -> None:
        """Closed on this side: the far end counts it within the lag, unless it has by now."""
        opening.until = min(opening.until, now + self.lag)

    def withdraw(self, opening: Opening) -> None:
        """Nothing left this machine."""
        self.openings.remove(opening)

    def live(self, now: float) -> int:
        """How many may be counted in a window that reaches to ``now``."""
        return sum(opening.until + self.window >= now for opening in self.openings)

    def check(self, now: float) -> None:
        """No window can hold more than the limit."""
        # The fullest closed window begins at an opening's last instant, or ends at one's first.
        begins = [opening.until for opening in self.openings if opening.until < math.inf]
        begins += [opening.since - self.window for opening in self.openings]
        for begin in begins:
            end = begin + self.window
            count = sum(opening.since <= end and opening.until >= begin for opening in self.openings)
            assert count <= self.limit, f"the far end may count {count} in one window"
        self.openings = [opening for opening in self.openings if opening.until + self.window >= now]

    def fingerprint(self, now: float) -> list[float]:
        """Since when they began makes no difference to a window that reaches beyond now."""
        return sorted(opening.until - now for opening in self.openings)
