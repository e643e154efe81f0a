"""What became of a bulk send: outcomes as they come in, and at any moment the whole account of every recipient.

The account never says more than is known: a row whose outcome came in has that one; a row that has none is *not sent*
if the send was stopped by Ctrl-C, since then every call that had begun was heard of, and *may have been sent* if it
ended in any other way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Sent
from .report import Line
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
_STOPPED = "stopped before it was sent"
_UNKNOWN = "the send ended before its outcome was known"


class Delivery:
    """The account of one send.

    Calling order: ``record`` for each outcome, in any order; ``stop`` at Ctrl-C; the getters at any time.

    Args:
        rows: what is sent, one recipient a row; an outcome's ``index`` is its row's place here.

    Attributes:
        interrupted: the send was stopped by Ctrl-C.
        reported: a report of it has been written.
        seconds: how long the send took.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.interrupted = False
        self.reported = False
        self.seconds = 0.0
        self._outcomes: dict[int, SmsOutcome] = {}

    def record(self, outcome: SmsOutcome) -> None:
        """The outcome of one recipient; told twice it counts once."""
        self._outcomes[outcome.index] = outcome

    def stop(self) -> None:
        """Ctrl-C: nothing more was begun, and every call that had been is recorded."""
        self.interrupted = True

    def recorded(self) -> int:
        """How many recipients have an outcome."""
        return len(self._outcomes)

    def lines(self) -> Iterator[Line]:
        """Every recipient, in the order of the file."""
        for index, row in enumerate(self.rows):
            yield self._line(index, row)

    def counts(self) -> dict[str, Counter[str]]:
        """How many recipients had each outcome, by the gateway's code or the kind of error behind it."""
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in IN_WORDS}
        for outcome in self._outcomes.values():
            counts[_kind(outcome)][_reason(outcome)] += 1
        if silent := len(self.rows) - len(self._outcomes):
            kind, reason = (NOT_SENT, "stopped") if self.interrupted else (MAYBE_SENT, "unknown")
            counts[kind][reason] += silent
        return counts

    def all_accepted(self) -> bool:
        """Whether the gateway accepted every recipient."""
        return self.counts()[ACCEPTED].total() == len(self.rows)

    def failures(self) -> Iterator[Line]:
        """Every recipient not accepted, in the order of the file."""
        for index, row in enumerate(self.rows):
            outcome = self._outcomes.get(index)
            if outcome is None or not outcome.accepted:
                yield self._line(index, row)

    def as_json(self) -> dict[str, Any]:
        """The account in numbers, for ``--json``."""
        counts = self.counts()
        return {
            "recipients": len(self.rows),
            **{kind: reasons.total() for kind, reasons in counts.items()},
            "reasons": {kind: dict(sorted(reasons.items())) for kind, reasons in counts.items() if reasons},
            "interrupted": self.interrupted,
            "seconds": round(self.seconds, 3),
        }

    def _line(self, index: int, row: Row) -> Line:
        outcome = self._outcomes.get(index)
        if outcome is not None:
            ids = " ".join(message.id for message in outcome.messages if message.id is not None)
            error = str(outcome.error) if outcome.error is not None else ""
            return Line(row.line, row.cells["to"], outcome.sent.value, outcome.code, ids, error)
        if self.interrupted:
            return Line(row.line, row.cells["to"], Sent.NO.value, None, "", "stopped before it was sent")
        return Line(
            row.line, row.cells["to"], Sent.MAYBE.value, None, "", "the send ended before its outcome was known"
        )


def _kind(outcome: SmsOutcome) -> str:
    if outcome.sent is Sent.YES:
        return ACCEPTED if outcome.accepted else ACCEPTED_IN_PART
    return NOT_SENT if outcome.sent is Sent.NO else MAYBE_SENT


def _reason(outcome: SmsOutcome) -> str:
    if outcome.code is not None:
        return f"code {outcome.code}"
    return type(outcome.error).__name__
