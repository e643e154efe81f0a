"""What an outcome means, and whether it may be tried again.

One question decides everything: *may the far end have acted on the request?* A complete final response answers it
(``judge_response``); without one the count of bytes handed over does (``judge_failure``). ``NO`` may be tried again
where it would not fail in the same way; ``MAYBE`` only where the caller has said that twice does no harm.

This module knows statuses, errors and counts. It does not know the gateway: what a code in a body means is judged in
``gateway``, and only for a complete 2xx.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..errors import Closed, CodecError, ConfigurationError, InvalidRequest, NetworkError, Sent, SmswireError, Timeout
from ..wire.message import Headers, Response

# Where the whole request was refused unprocessed: RFC 9110 15.5.20, RFC 8470 5.2, RFC 6585 4.
_REFUSED: Final = frozenset({421, 425, 429})
# What another attempt would meet again; of a NetworkError its ``permanent`` says so.
_FAILS_AGAIN: Final = (Closed, CodecError, ConfigurationError, InvalidRequest, Timeout)
_NO: Final = Sent.NO
_BACKOFF_S: Final = 0.25
# A server that asks for more than an hour is not waited for by anybody's deadline; this also keeps floats small.
_MAX_RETRY_AFTER_DIGITS: Final = 6


class Outcome:
    """What became of a call, kept even when the exception that ends it is not one of ours (an interrupt, a cancel).

    Attributes:
        sent (Sent): may the far end have acted on the request?
        attempts (int): how many times a connection was asked for or a request sent.
        status (int | None): the status of the last complete response.
        call_id (int | None): the call's number in the events of a client with ``on_event``.
    """

    __slots__ = ("_call_id", "attempts", "sent", "status")

    def __init__(self) -> None:
        self.sent = _NO
        self.attempts = 0
        self.status: int | None = None

    def reset(self) -> None:
        """As new: nothing of a call has begun."""
        self.sent = _NO
        self.attempts = 0
        self.status = None
        self.call_id = None

    @property
    def call_id(self) -> int | None:
        # Set where somebody looks on, and by nobody else: not even to None.
        return getattr(self, "_call_id", None)

    @call_id.setter
    def call_id(self, call_id: int | None) -> None:
        self._call_id = call_id

    def __repr__(self) -> str:
        return f"<Outcome sent={self.sent.name} attempts={self.attempts} status={self.status}>"


class Verdict(NamedTuple):
    """What one attempt came to: ``sent``, whether it may be tried ``again``, and not before ``delay`` seconds."""

    sent: Sent
    again: bool
    delay: float | None = None


_SUCCEEDED: Final = Verdict(Sent.YES, again=False)


def judge_status(status: int) -> Sent:
    """What a complete final response says by its status alone: 2xx ``YES``, 4xx ``NO``, all others ``MAYBE``.

    A 5xx is no refusal: gateways and caches answer 502, 503 and 504 when a back end took the request and was slow.
    """
    if 200 <= status <= 299:
        return Sent.YES
    return Sent.NO if 400 <= status <= 499 else Sent.MAYBE


def judge_response(response: Response, *, reusable: bool, repeatable: bool) -> Verdict:
    """The verdict on a complete final response; ``reusable`` says that the server keeps the connection."""
    status = response.status
    if 200 <= status <= 299:
        return _SUCCEEDED
    sent = judge_status(status)
    # 408 means that the server did not get the whole request and closes (RFC 9110 15.5.9).
    refused = status in _REFUSED or (status == 408 and not reusable)
    again = refused or (repeatable and status >= 500)
    return Verdict(sent, again, retry_after(response.headers) if again else None)


def judge_failure(error: SmswireError, *, handed: bool, repeatable: bool) -> Verdict:
    """The verdict on an attempt without a complete final response, by whether any byte was ``handed`` over."""
    sent = Sent.MAYBE if handed else Sent.NO
    fails_again = error.permanent if isinstance(error, NetworkError) else isinstance(error, _FAILS_AGAIN)
    return Verdict(sent, not fails_again and (not handed or repeatable))


def backoff(attempt: int, draw: float) -> float:
    """Seconds to wait after failed attempt number ``attempt`` (from 1); ``draw`` is random in [0, 1).

    Doubles from a quarter of a second; the draw spreads callers that failed together over half of the span.
    """
    return _BACKOFF_S * 2.0 ** (attempt - 1) * (0.5 + draw / 2)


def retry_after(headers: Headers) -> float | None:
    """The seconds ``Retry-After`` asks for (RFC 9110 10.2.3); None where it is absent, a date or not understood.

    A date would have to be compared with a wall clock that nobody here has to trust: the backoff serves instead.
    """
    value = headers.get("retry-after")
    if value is None or not (value.isascii() and value.isdigit()) or len(value) > _MAX_RETRY_AFTER_DIGITS:
        return None
    return float(value)
