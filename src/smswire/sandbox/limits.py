"""What the gateway limits, and the window that counts connections.

A *second* is half-open throughout: ``[t, t + 1)``. An accept exactly one second after another is in the next one. So a
connection is admitted when fewer than ``connections_per_second`` admitted ones came in the second that ends with it.
A refused connection takes no place: a client that goes on knocking is not locked out by its own knocks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The documented limits (gateway documents, "HTTP API: general" and "SMS"), and the bounds of this server itself.

    Attributes:
        connections_per_second (int): connections admitted in any second, over all listeners together.
        requests_per_connection (int): the answer to this one says ``Connection: close``; a later one is never served.
        idle_seconds (float): a connection on which nothing arrives for so long is closed.
        reload_lock_seconds (float): the same text to the same recipient within this time is refused (code 402);
            0 switches the lock off.
        messages_per_number_a_day (int | None): more to one number within 24 hours is refused (code 403). The
            gateway's own figure is not known, hence None: no limit.
        text_characters (int): a longer text is refused (code 401).
        head_bytes (int): a longer request head is answered with 431 (this server's own bound).
        body_bytes (int): a longer request body is answered with 413 (this server's own bound).
        request_seconds (float): a request that has not arrived whole this long after its first byte, or an answer
            that is not taken for so long, ends the connection (this server's own bound).
        linger_seconds (float): how long a connection that was told it is closed is still drained, so that no reset
            destroys the answer on its way (this server's own bound).
    """

    connections_per_second: int = 50
    requests_per_connection: int = 500
    idle_seconds: float = 3.0
    reload_lock_seconds: float = 180.0
    messages_per_number_a_day: int | None = None
    text_characters: int = 1520
    head_bytes: int = 65_536
    body_bytes: int = 4_194_304
    request_seconds: float = 60.0
    linger_seconds: float = 2.0


class ConnectionWindow:
    """Admits at most ``limit`` connections in any half-open second.

    >>> window = ConnectionWindow(2)
    >>> [window.admit(t) for t in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)]
    [True, True, False, True, False, True]
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._admitted: deque[float] = deque()

    def admit(self, now: float) -> bool:
        """Whether a connection accepted at ``now`` (seconds) is within the limit; if it is, it counts."""
        admitted = self._admitted
        while admitted and admitted[0] <= now - 1.0:
            admitted.popleft()
        if len(admitted) >= self._limit:
            return False
        admitted.append(now)
        return True


def peak_in_a_second(times: Iterable[float]) -> int:
    """The largest number of ``times`` (seconds, in order) that one half-open second holds.

    >>> peak_in_a_second([0.0, 0.5, 0.999, 1.0, 5.0])
    3
    """
    within: deque[float] = deque()
    peak = 0
    for time in times:
        while within and within[0] <= time - 1.0:
            within.popleft()
        within.append(time)
        peak = max(peak, len(within))
    return peak
