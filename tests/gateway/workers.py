"""What the tests of workers share: a call that is accepted, and the end of every thread."""

from __future__ import annotations

import _thread
import threading
import time

from smswire.errors import Sent
from smswire.flow.retry import Outcome
from smswire.gateway.bundle import Bundle, SmsOutcome

from ..net.raw import WITHIN_S


def accept(bundle: Bundle, told: Outcome) -> list[SmsOutcome]:
    """Every recipient was accepted."""
    return [SmsOutcome(one.index, one.to, Sent.YES, 100) for one in bundle.recipients]


def join_workers() -> None:
    """Waits until whatever is under way has ended: ``threading`` knows of all threads but of these."""
    until = time.monotonic() + WITHIN_S
    while _thread._count() >= len(threading.enumerate()):
        assert time.monotonic() < until
