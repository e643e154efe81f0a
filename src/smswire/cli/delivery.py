"""What became of a bulk send: each recipient's line as its outcome comes, and the account of all in numbers.

Only rows that have been read and have no outcome yet are kept, and so memory does not grow with the input. At the end
the account never says more than is known. A row that has no outcome is *not sent* if the send came to an end of its
own or was stopped, since then every call that had begun was heard of; it *may have been sent* if it ended in any other
way. A row that was not read was not sent.

An interrupt at any point loses nothing: rows are noted before they are handed on, an outcome is kept in ``latest``
until it is noted, and noting is not torn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from ..errors import GatewayError, Sent
from ..gateway.codes import KEY_REFUSED
from .interrupts import Interrupts
from .report import Line, ReportError
from .table import Row

if TYPE_CHECKING:
    from ..gateway import SmsOutcome

ACCEPTED, ACCEPTED_IN_PART, NOT_SENT, MAYBE_SENT = "accepted", "accepted_in_part", "not_sent", "maybe_sent"
IN_WORDS = {
    ACCEPTED: "accepted",
    ACCEPTED_IN_PART: "accepted in part",  # a group, some of whose members were not
    NOT_SENT: "not sent",
    MAYBE_SENT: "may have been sent",
}
SHOWN_FAILURES = 10  # without a report they are all there is to go by; 20,000 of them must not bury the summary
_STOPPED, _STOPPED_REASON = "stopped before it was sent", "stopped"
_UNKNOWN = "the send ended before its outcome was known"


class _Open(NamedTuple):
    """A row without an outcome, as far as its line in the report needs it; ``fault`` is why it must not be sent."""

    line: int
    to: str
    fault: str


class Delivery:
    """The account of one send.

    Calling order: ``take`` each row and hand it on; for each outcome set ``latest`` and ``note``; in the end ``close``.

    Args:
        interrupts: held back while an outcome is noted.
        tell: what to do with each line; ``ReportError`` is kept in ``loss``, and nothing is told any more.

    Attributes:
        latest: the outcome to be noted; noted twice it counts once.
        taken: how many rows have been read.
        last_line: the line that the last of them begins on.
        breaks_off: nothing behind that one can be read.
        interrupted: the send was stopped by Ctrl-C.
        heard_all: every call that had begun was heard of.
        read_all: the input was read to its end.
        failure: why the input could not be.
        loss: why the report is not whole.
        refusal: what the gateway said of the key, where that was not of one recipient alone.
        reported: a report has been written.
        seconds: how long the send took.
        counts: how many recipients had each outcome, by the gateway's code or the kind of error behind it.
        failures: the first recipients not accepted.
    """

    def __init__(self, interrupts: Interrupts, tell: Callable[[Line], object] = lambda line: None) -> None:
        self._interrupts = interrupts
        self._tell = tell
        self._open: dict[int, _Open] = {}
        self.latest: SmsOutcome | None = None
        self.taken = 0
        self.last_line = 0
        self.breaks_off = False
        self.interrupted = False
        self.heard_all = False
        self.read_all = False
        self.failure: str | None = None
        self.loss: ReportError | None = None
        self.refusal: str | None = None
        self.reported = False
        self.seconds = 0.0
        self.counts: dict[str, Counter[str]] = {kind: Counter() for kind in IN_WORDS}
        self.failures: list[Line] = []

    def take(self, row: Row) -> None:
        """A row has been read: the next in the input of the send. Interrupted, it is as if it had not been read."""
        fault = "; ".join(finding.what for finding in row.faults)
        self._open[self.taken] = _Open(row.line, row.cells.get("to", ""), fault)
        self.taken += 1
        self.last_line = row.line
        self.breaks_off = row.breaks_off

    def note(self) -> None:
        """The ``latest`` outcome."""
        with self._interrupts.held():
            outcome = self.latest
            row = None if outcome is None else self._open.pop(outcome.index, None)
            if outcome is not None and row is not None:
                ids = " ".join(message.id for message in outcome.messages if message.id is not None)
                error = row.fault or (str(outcome.error) if outcome.error is not None else "")
                line = Line(row.line, row.to, outcome.sent.value, outcome.code, ids, error)
                self._count(_kind(outcome), _reason(outcome), line)
                if not self.interrupted:
                    self.refusal = self.refusal or _refusal(outcome)

    def close(self, unread: Iterable[Row] = ()) -> None:
        """Nothing more comes.

        Args:
            unread: the rows of the input that were not taken.
        """
        kind, sent, why = (NOT_SENT, Sent.NO, _STOPPED) if self.heard_all else (MAYBE_SENT, Sent.MAYBE, _UNKNOWN)
        for place, row in sorted(self._open.items()):
            if place < self.taken:
                reason = _STOPPED_REASON if self.heard_all else "unknown"
                self._count(kind, reason, Line(row.line, row.to, sent.value, None, "", why))
        self._open.clear()
        for late in unread:
            line = Line(late.line, late.cells.get("to", ""), Sent.NO.value, None, "", _STOPPED)
            self._count(NOT_SENT, _STOPPED_REASON, line)

    def recipients(self) -> int:
        """How many have been told of."""
        return sum(reasons.total() for reasons in self.counts.values())

    def open(self) -> int:
        """How many rows have been read and have no outcome."""
        return len(self._open)

    def ended_by_refusal(self) -> bool:
        """Whether there are rows that were not sent for no other reason than that the key was refused."""
        is_read = self.read_all or self.breaks_off or self.failure is not None
        return self.refusal is not None and (bool(self.counts[NOT_SENT][_STOPPED_REASON]) or not is_read)

    def all_accepted(self) -> bool:
        """Whether there is nothing in the input that the gateway did not accept."""
        return self.read_all and self.counts[ACCEPTED].total() == self.recipients()

    def as_json(self) -> dict[str, Any]:
        """The account in numbers, for ``--json``."""
        return {
            "recipients": self.recipients(),
            **{kind: reasons.total() for kind, reasons in self.counts.items()},
            "reasons": {kind: dict(sorted(reasons.items())) for kind, reasons in self.counts.items() if reasons},
            "interrupted": self.interrupted,
            "refusal": self.refusal,
            "unread_after_line": None if self.read_all else self.last_line,
            "seconds": round(self.seconds, 3),
        }

    def _count(self, kind: str, reason: str, line: Line) -> None:
        self.counts[kind][reason] += 1
        if kind != ACCEPTED and len(self.failures) < SHOWN_FAILURES:
            self.failures.append(line)
        if self.loss is None:
            try:
                self._tell(line)
            except ReportError as error:
                self.loss = error


def _kind(outcome: SmsOutcome) -> str:
    if outcome.sent is Sent.YES:
        return ACCEPTED if outcome.accepted else ACCEPTED_IN_PART
    return NOT_SENT if outcome.sent is Sent.NO else MAYBE_SENT


def _reason(outcome: SmsOutcome) -> str:
    if outcome.code is not None:
        return f"code {outcome.code}"
    return type(outcome.error).__name__


def _refusal(outcome: SmsOutcome) -> str | None:
    """What the gateway said of the key. An answer that speaks of recipients does not, whatever its code."""
    error = outcome.error
    if not isinstance(error, GatewayError) or outcome.messages:
        return None
    # 401 is about who calls (RFC 9110 15.5.2), 403 need not be (15.5.4).
    is_refused = error.status == 401 or (error.answer and error.answer.code in KEY_REFUSED)
    return ": ".join(filter(None, (error.message, error.advice))) if is_refused else None
