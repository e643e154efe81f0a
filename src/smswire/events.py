"""What a client tells its ``on_event``: one frozen value for each thing that happened.

====================  ==================================================================================
of a call             ``CallStarted``, ``Waited``, ``RequestSent``, ``Answered``, ``CallEnded``, and, of a
                      gateway object's call, ``GatewayAnswered`` after it
of an opening         ``OpeningStarted``, then one of ``OpeningSettled``, ``OpeningAbandoned`` and
                      ``OpeningGivenBack``: what the pacing rule counts
of a connection       ``ConnectionOpened``, then one of ``ConnectionRetired`` and ``ConnectionDied``; where
                      no address gave one ``DialFailed``
====================  ==================================================================================

``call_id`` and ``connection_id`` tie them together. Both count from 1 in each client; a connection has its number from
its opening on, so an address that was tried in vain has one too. ``at`` and every ``seconds`` are seconds of
``time.monotonic()``; sizes are bytes.

Nothing here holds a header field, a query, a body or the API key: ``call`` is method and path, as in errors, and
error texts are this package's own.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from .errors import Sent


class Reason(enum.Enum):
    """Why a connection went in good order."""

    LAST_REQUEST = "it had carried its last request"
    AGE = "it was too old"
    IDLE = "it was idle for too long"
    ENDED_WHILE_IDLE = "the server ended it while it was idle, or sent what nobody had asked for"
    NOT_KEPT = "the server does not keep it, or sent more than its answer"
    GIVEN_UP = "its call was given up"
    CLIENT_CLOSED = "the client was closed"


# ---- of a call


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call begins: ``call`` is method and path, without the query."""

    at: float
    call_id: int
    call: str


@dataclass(frozen=True, slots=True)
class Waited:
    """A call that found no idle connection has one, after so many ``seconds`` in the queue or of a dial of its own."""

    at: float
    call_id: int
    connection_id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RequestSent:
    """The kernel has taken all of the request, head and body: ``request_bytes``, without what TLS adds.

    ``attempt`` counts from 1. A request that did not get so far has none; ``CallEnded.sent`` says how it stands.
    """

    at: float
    call_id: int
    connection_id: int
    attempt: int
    request_bytes: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A complete final response: its ``body_bytes``, and the ``seconds`` since this attempt began to send.

    Its status is not the gateway's word, which stands in the body, and not the call's end: it may be tried again.
    """

    at: float
    call_id: int
    connection_id: int
    status: int
    body_bytes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class CallEnded:
    """What became of a call, once for each.

    Attributes:
        sent (Sent): may the far end have acted on the request? By the *status* of the answer where there is one: what
            the gateway says of an SMS is in ``GatewayAnswered``.
        status (int | None): of the answer that the call returned; None where there is an error in its place. A call
            that was interrupted as it returned has its answer's.
        attempts (int): how many there were.
        seconds (float): since ``CallStarted``.
        error_type (str | None): the class of the error in its place; None also for a call that was given up by an
            interrupt or a cancellation.
        error (str | None): what happened, in words.
    """

    at: float
    call_id: int
    call: str
    sent: Sent
    status: int | None
    attempts: int
    seconds: float
    error_type: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class GatewayAnswered:
    """The answer of a gateway object's call was read, after its ``CallEnded``: this is the verdict.

    Attributes:
        sent (Sent): whether an SMS may have left, the strongest over the recipients. Of a call that sends none:
            whether it did what it was asked.
        code (int | None): the gateway's code; None where the answer holds none.
        accepted (int | None): how many recipients the gateway took; None of a call that has none.
        recipients (int | None): how many there were.
    """

    at: float
    call_id: int
    call: str
    sent: Sent
    code: int | None
    accepted: int | None
    recipients: int | None


# ---- of an opening


@dataclass(frozen=True, slots=True)
class OpeningStarted:
    """The pacing rule granted an opening, and ``connect()`` to ``address`` follows."""

    at: float
    connection_id: int
    address: str


@dataclass(frozen=True, slots=True)
class OpeningSettled:
    """The far end has been heard of (a byte, a refusal, an end), ``seconds`` after the grant."""

    at: float
    connection_id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OpeningAbandoned:
    """It was closed before the far end had been heard of, ``seconds`` after the grant: it counts for longer."""

    at: float
    connection_id: int
    seconds: float


@dataclass(frozen=True, slots=True)
class OpeningGivenBack:
    """Nothing left this machine; it counts for nothing."""

    at: float
    connection_id: int
    seconds: float


# ---- of a connection


@dataclass(frozen=True, slots=True)
class DialFailed:
    """No address gave a connection: ``connection_ids`` are the openings tried, ``seconds`` those since the first."""

    at: float
    connection_ids: tuple[int, ...]
    seconds: float
    error_type: str
    error: str


@dataclass(frozen=True, slots=True)
class ConnectionOpened:
    """A connection is ready, TLS included, ``seconds`` after its dial began; TCP took ``round_trip`` seconds of it."""

    at: float
    connection_id: int
    address: str
    round_trip: float
    seconds: float


@dataclass(frozen=True, slots=True)
class ConnectionRetired:
    """A connection was closed in good order after so many ``requests`` and ``seconds``."""

    at: float
    connection_id: int
    reason: Reason
    requests: int
    seconds: float


@dataclass(frozen=True, slots=True)
class ConnectionDied:
    """A connection broke in use, or its call did not wait for the end; ``error`` says what it was."""

    at: float
    connection_id: int
    error: str
    requests: int
    seconds: float


Event = (
    CallStarted
    | Waited
    | RequestSent
    | Answered
    | CallEnded
    | GatewayAnswered
    | OpeningStarted
    | OpeningSettled
    | OpeningAbandoned
    | OpeningGivenBack
    | DialFailed
    | ConnectionOpened
    | ConnectionRetired
    | ConnectionDied
)

OnEvent = Callable[[Event], object]
