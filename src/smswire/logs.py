"""A client's events as records of the standard ``logging``, under the logger ``smswire``.

Give ``log`` as ``on_event``. Nothing else imports this module, and so nothing else imports ``logging``. No handler is
added and no level set: that is the program's affair. The event itself is the record's attribute ``event``.

Levels: ``WARNING`` for what went wrong, ``INFO`` for what became of each call, ``DEBUG`` for the rest. The status of an
answer never makes a record say that something was sent: that is for the gateway to say.

>>> level_and_text(events.RequestSent(at=7.5, call_id=3, connection_id=1, attempt=1, request_bytes=204))
(10, 'call 3: attempt 1, 204 bytes, is on connection 1')
"""

from __future__ import annotations

import logging
from logging import DEBUG, INFO, WARNING
from typing import Final

from . import events
from .errors import Sent
from .events import CallEnded, Event, GatewayAnswered

_logger = logging.getLogger("smswire")
_ACCEPTED: Final = 100  # the code of full success
_DONE_IN_WORDS: Final = {Sent.NO: "refused", Sent.MAYBE: "may have been done", Sent.YES: "done"}
_IN_WORDS: Final = {Sent.NO: "not sent", Sent.MAYBE: "may have been sent", Sent.YES: "sent"}

_LINES: Final[dict[type, tuple[int, str]]] = {
    events.CallStarted: (DEBUG, "call {0.call_id}: {0.call} begins"),
    events.Waited: (DEBUG, "call {0.call_id}: waited {0.seconds:.3f} s for connection {0.connection_id}"),
    events.RequestSent: (
        DEBUG,
        "call {0.call_id}: attempt {0.attempt}, {0.request_bytes} bytes, is on connection {0.connection_id}",
    ),
    events.Answered: (
        DEBUG,
        "call {0.call_id}: answered {0.status} with {0.body_bytes} bytes after {0.seconds:.3f} s",
    ),
    events.OpeningStarted: (DEBUG, "connection {0.connection_id}: connecting to {0.address}"),
    events.OpeningSettled: (DEBUG, "connection {0.connection_id}: the far end spoke after {0.seconds:.3f} s"),
    events.OpeningAbandoned: (
        DEBUG,
        "connection {0.connection_id}: given up after {0.seconds:.3f} s without a word from the far end",
    ),
    events.OpeningGivenBack: (DEBUG, "connection {0.connection_id}: nothing left this machine"),
    events.DialFailed: (WARNING, "no connection of {0.connection_ids} after {0.seconds:.3f} s: {0.error}"),
    events.ConnectionOpened: (
        DEBUG,
        "connection {0.connection_id}: open to {0.address} after {0.seconds:.3f} s",
    ),
    events.ConnectionRetired: (
        DEBUG,
        "connection {0.connection_id}: closed after {0.requests} requests and {0.seconds:.1f} s: {0.reason.value}",
    ),
    events.ConnectionDied: (
        WARNING,
        "connection {0.connection_id}: broke after {0.requests} requests and {0.seconds:.1f} s: {0.error}",
    ),
}


def log(event: Event) -> None:
    """Logs one event: for ``on_event``."""
    level, text = level_and_text(event)
    if _logger.isEnabledFor(level):
        # As an argument: a text is no format.
        _logger.log(level, "%s", text, extra={"event": event})


def level_and_text(event: Event) -> tuple[int, str]:
    """How much an event matters, and what it says in one line."""
    if isinstance(event, CallEnded):
        return _of_end(event)
    if isinstance(event, GatewayAnswered):
        return _of_verdict(event)
    level, line = _LINES[type(event)]
    return level, line.format(event)


def _of_end(event: CallEnded) -> tuple[int, str]:
    took = f"after {event.seconds:.3f} s" + (f" and {event.attempts} attempts" if event.attempts > 1 else "")
    call = f"call {event.call_id}: {event.call}"
    if event.status is None:
        return WARNING, f"{call} {_IN_WORDS[event.sent]} {took}: {event.error}"
    return INFO if event.sent is Sent.YES else WARNING, f"{call} answered {event.status} {took}"


def _of_verdict(event: GatewayAnswered) -> tuple[int, str]:
    call = f"call {event.call_id}: {event.call}"
    code = "" if event.code is None else f", code {event.code}"
    if event.recipients is None:
        return INFO if event.sent is Sent.YES else WARNING, f"{call} {_DONE_IN_WORDS[event.sent]}{code}"
    is_good = event.accepted == event.recipients and event.code in (None, _ACCEPTED)
    level = INFO if is_good else WARNING
    return level, f"{call} {_IN_WORDS[event.sent]}{code}, {event.accepted} of {event.recipients} recipients accepted"
