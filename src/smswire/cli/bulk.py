"""``smswire bulk``: a file of messages, sent through one pool of connections, with an account of every recipient."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .interrupts import Interrupts
from .options import (
    ACCEPTED,
    INTERRUPTED,
    NOT_ALL_ACCEPTED,
    WRONG_USAGE,
    Command,
    Result,
    Settings,
    complain,
    gateway_options,
    visible,
)

if TYPE_CHECKING:
    from .delivery import Delivery


def _report_place(context: click.Context, option: click.Parameter, value: str | None) -> Path | None:
    if value == "-":
        raise click.BadParameter("a report goes to a file: on standard output, half of one looks like a whole")
    return None if value is None else Path(value)


@click.command(cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--report",
    callback=_report_place,
    metavar="FILE",
    help="Write a line a recipient (CSV), in the order in which outcomes come.",
)
@gateway_options
@click.pass_obj
def bulk(interrupts: Interrupts, /, settings: Settings, file: str, report: Path | None, **_: object) -> Result:
    """Send every message of a CSV file, or of standard input for "-".

    The first line of FILE names the columns: to and text, and any of the gateway's options (from, label, foreign_id,
    delay, ttl, flash, ...). UTF-8; comma, semicolon or tab. Files of any length take the same memory; recipients of the
    same text share calls as far as they stand within 1,000 rows of each other.

    A file is checked to its end before anything is sent; if one row cannot be sent, none is. Of a pipe, standard input
    included, the header is checked before anything is sent, and each row before that row is: one that cannot be sent is
    reported as not sent, and the others go. Rows of a pipe wait until 1,000 are there, a call is full, or it ends.

    The report has a line for each row, in the order in which outcomes come: sort it by its first column, the number of
    the row's line in FILE. It stands in its place when it is whole. Ctrl-C sends nothing new and waits for calls under
    way, a second one does not. A refused key stops it as well. Rows that were not sent, in a file all the way to its
    end, are in the report, too.

    Exit status: 0 all accepted, 1 not all or no report, 2 nothing sent because of the file or the usage, 130
    interrupted. That the result cannot be printed does not change it.
    """
    name = "standard input" if file == "-" else visible(file)
    try:
        from .report import ReportError
        from .sending import send_file
        from .source import SourceError
        from .table import TableError

        delivery = send_file(file, settings, interrupts, report=report)
    except KeyboardInterrupt:  # once something is sent, it is the delivery that says so
        complain("interrupted; nothing was sent")
        return Result(INTERRUPTED, {"error": "interrupted", "sent": "no"})
    except TableError as error:
        complain(f"{name} cannot be sent as it is, and nothing was:\n{error}")
        findings = [finding._asdict() for finding in error.findings]
        what = {"error": "the file cannot be sent as it is", "sent": "no", "findings": findings, "found": error.found}
        return Result(WRONG_USAGE, what)
    except (ReportError, SourceError) as error:
        complain(f"{error}; nothing was sent")
        return Result(WRONG_USAGE, {"error": str(error), "sent": "no"})
    for sentence in failures(delivery):
        complain(sentence)
    account = delivery.as_json() | {"report": str(report) if delivery.reported else None}
    return Result(_status(delivery, report), account, summary(delivery))


def _status(delivery: Delivery, report: Path | None) -> int:
    if delivery.interrupted:
        return INTERRUPTED
    return ACCEPTED if delivery.all_accepted() and delivery.reported == bool(report) else NOT_ALL_ACCEPTED


def summary(delivery: Delivery) -> Iterator[str]:
    """The account by outcome, with the reasons behind each: one line an outcome."""
    from .delivery import ACCEPTED_IN_PART, IN_WORDS

    cause = "a refused key" if delivery.ended_by_refusal() else "Ctrl-C" if delivery.interrupted else ""
    stopped = f"; stopped by {cause}" if cause else ""
    yield f"{delivery.recipients():,} recipients in {delivery.seconds:.1f} s{stopped}"
    for kind, reasons in delivery.counts.items():
        if kind == ACCEPTED_IN_PART and not reasons:
            continue  # it needs a group, which most files have none of
        why = ", ".join(f"{reason}: {count:,}" for reason, count in reasons.most_common())
        yield f"  {IN_WORDS[kind]:<18} {reasons.total():>9,}" + (f"   ({why})" if why else "")


def failures(delivery: Delivery) -> Iterator[str]:
    """A sentence for each of the first recipients not accepted, how many more there are, and what was not read."""
    from .delivery import ACCEPTED

    for line in sorted(delivery.failures):
        yield f"line {line.line}, {visible(line.to)}: {visible(line.error)}"
    more = delivery.recipients() - delivery.counts[ACCEPTED].total() - len(delivery.failures)
    if more:
        yield f"and {more:,} more not accepted"
    if delivery.ended_by_refusal():
        yield f"the rest was not sent, since {delivery.refusal}"
    if delivery.failure is not None:
        yield delivery.failure
    if not delivery.read_all:
        yield f"what follows line {delivery.last_line:,} was not read, and not sent"
