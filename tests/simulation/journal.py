"""What went wrong in a world: how often each kind of fault, and for who wants to read it, every event in a line."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .clock import Clock


class Fault(Enum):
    """A kind of trouble that a world makes for the calls in it."""

    # On the way there
    SYN_LOST = "a SYN was lost"
    REPLY_LOST = "the answer to a SYN was lost"
    SILENT = "a host said nothing"
    REFUSED = "a host refused"
    UNREACHABLE = "a router said unreachable"
    NO_ROUTE = "connect() said no route"
    HELD = "a connection lay in the accept queue"
    ACCEPTED_CLOSED = "a connection was accepted after it was closed"
    NAME_UNKNOWN = "a name did not exist"
    NAME_FAILED = "a lookup failed"
    NAME_LATE = "a lookup took seconds"
    NAME_MOVED = "a lookup left addresses out"
    # Connections lost: where, and how
    LOST_UNACCEPTED = "lost before it was accepted"
    LOST_UNUSED = "lost before any byte"
    LOST_IN_REQUEST = "lost within a request"
    LOST_BEFORE_ANSWER = "lost after a request"
    LOST_IN_ANSWER = "lost within an answer"
    LOST_AT_REST = "lost between requests"
    BY_RESET = "by a reset on both sides"
    BY_RESET_BETWEEN = "by a reset that only this side hears"
    BY_RESET_THERE = "by a loss that only the far side hears"
    BY_END = "by an end"
    BY_SILENCE = "by silence, one way"
    # Bytes
    SENT_IN_PART = "a kernel took part of a send"
    BUFFER_FULL = "a kernel took nothing"
    CAME_IN_PIECES = "bytes came in pieces"
    READ_SLOWLY = "a far end read slowly"
    CAME_SLOWLY = "an answer trickled"
    # The gateway
    RESTARTED = "the gateway restarted"
    GAVE_UP_IDLE = "the gateway closed an idle connection"
    SAID_408_UNASKED = "the gateway said 408 unasked"
    HUNG_UP = "a good answer said close"
    ANSWERED_AND_CLOSED = "an answer closed, and said so"
    WITH_INTERIM = "an interim answer came first"
    WITH_BYTES_BEHIND = "bytes came behind an answer"
    CUT = "acted upon, and the answer was cut"
    UNANSWERED = "acted upon, and never answered"
    DROPPED = "neither acted upon nor answered"
    REFUSED_BY_STATUS = "refused by a 4xx"
    REFUSED_FOR_NOW = "refused for now (408, 421, 425, 429)"
    REFUSED_EARLY = "refused before it was whole"
    FAILED = "a 5xx, acted upon or not"
    MOVED = "a 3xx, acted upon or not"
    REFUSED_BY_CODE = "refused by a code in a 200"
    UNSURE_BY_CODE = "a code that says nothing, acted upon or not"
    UNREADABLE = "a 200 without a code, acted upon or not"
    # This side
    DEADLINE = "a deadline passed"
    INTERRUPTED_AT_STEP = "interrupted at a step"
    INTERRUPTED_IN_WAIT = "interrupted in a wait"
    CLOSED = "a client was closed"
    RAN_LATE = "a task ran late"
    SWITCHED = "a woken task overtook its waker"
    STOPPED = "the process stood still for seconds"
    CLOCK_LEAPT = "the wall clock leapt"
    FORKED = "a process forked"


class Journal:
    """The count of each fault, and the story, if ``lines`` is a list."""

    def __init__(self, clock: Clock) -> None:
        self.faults: Counter[Fault] = Counter()
        self.lines: list[str] | None = None
        self._clock = clock

    def fault(self, fault: Fault, *where: object) -> None:
        """Counts it."""
        self.faults[fault] += 1
        if self.lines is not None:
            self.tell(*(where or ("world",)), f"! {fault.value}")

    def tell(self, who: object, *what: object) -> None:
        """One line of the story."""
        if self.lines is not None:
            self.lines.append(f"{self._clock.now - 1000.0:12.6f}  {who!s:<14} {' '.join(map(str, what))}")
