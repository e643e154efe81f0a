"""One open connection as the pool sees it: its channel, and when it has to go.

The gateway closes a connection after 500 requests, and when it has been idle for 3 s; both are met early on this
side, because a request that crosses such a close is neither sent nor unsent. Ages and request counts are drawn, since
connections opened together would otherwise all retire together.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ..wire.channel import Channel

if TYPE_CHECKING:
    from .dialing import Address
    from .pacing import Grant

# The share of the server's announced idle time that is used: 2.5 s of the gateway's 3 s.
_IDLE_SHARE = 2.5 / 3


class Connection:
    """A connection with one owner: the idle stack, or one call.

    Attributes:
        channel (Channel): its protocol.
        grant (Grant | None): its grant of the pacing rule, until the far end has been heard of.
        address (Address): where it leads.
        transport: the runtime's socket and whatever it keeps beside it.
        round_trip (float): seconds the TCP connection took.
        requests (int): how many requests it has begun.
        retire_at (float): the monotonic time from which it takes no further request.
        idle_until (float): the monotonic time until which it may be used again; infinite when new and while in use.
        owner: whom the pool handed it to last, or who hands it to the pool; None for the idle stack.
    """

    __slots__ = (
        "address",
        "channel",
        "grant",
        "idle_until",
        "owner",
        "requests",
        "requests_left",
        "retire_at",
        "round_trip",
        "transport",
    )

    def __init__(self, channel: Channel, grant: Grant | None, address: Address, *, round_trip: float) -> None:
        self.channel = channel
        self.grant = grant
        self.address = address
        self.transport: Any = None
        self.round_trip = round_trip
        self.requests = 0
        self.requests_left = 0
        self.retire_at = math.inf
        self.idle_until = math.inf
        self.owner: Any = None

    @property
    def has_rested(self) -> bool:
        """Whether it has been idle since it was opened or last used, and so may have died in silence."""
        return self.idle_until < math.inf

    def is_past(self, now: float) -> bool:
        """Whether it may carry no further request: too old, idle for too long, or at its last one."""
        return now >= self.idle_until or now >= self.retire_at or self.requests_left <= 0

    def begin_request(self) -> None:
        """Counts a request; until its answer no idle time runs."""
        self.requests += 1
        self.requests_left -= 1
        self.idle_until = math.inf

    def rest(self, now: float, idle_timeout: float) -> None:
        """Counts the time it may stay idle from ``now``, by our limit or the server's ``Keep-Alive`` if lower; not anew
        for one that was not used meanwhile, because the server's clock has run on.
        """
        if self.has_rested:
            return
        channel = self.channel
        if channel.says_keep_alive:
            if channel.keep_alive_timeout is not None:
                idle_timeout = min(idle_timeout, channel.keep_alive_timeout * _IDLE_SHARE)
            if channel.keep_alive_max is not None:
                self.requests_left = min(self.requests_left, channel.keep_alive_max)
        channel.forget_exchange()
        # The server's clock started half a round trip ago, and the next request takes another half to arrive.
        self.idle_until = now + idle_timeout - self.round_trip
