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
)

if TYPE_CHECKING:
    from .delivery import Delivery

_SHOWN_FAILURES = 10  # without a report they are all there is to go by; 20,000 of them must not bury the summary


@click.command(cls=Command)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE", help="Write a line a recipient (CSV).")
@gateway_options
@click.pass_obj
def bulk(interrupts: Interrupts, /, settings: Settings, file: Path, report: Path | None, **_: object) -> Result:
    """Send every message of a CSV file.

    The first line of FILE names the columns: to and text, and any of the gateway's options (from, label, foreign_id,
    delay, ttl, flash, ...). UTF-8; comma, semicolon or tab. The whole file is checked before anything is sent.

    Exit status: 0 all accepted, 1 not all or no report, 2 nothing sent because of the file or the usage, 130
    interrupted. That the result cannot be printed does not change it.
    """
    from .report import ReportError
    from .sending import send_file
    from .table import TableError

    try:
        delivery = send_file(file, settings, interrupts, report=report)
    except TableError as error:
        complain(f"{file} cannot be sent as it is, and nothing was:\n{error}")
        findings = [finding._asdict() for finding in error.findings]
        return Result(WRONG_USAGE, {"error": "the file cannot be sent as it is", "sent": "no", "findings": findings})
    except ReportError as error:
        complain(f"{error}; nothing was sent")
        return Result(WRONG_USAGE, {"error": str(error), "sent": "no"})
    except KeyboardInterrupt:  # once something is sent, it is the delivery that says so
        complain("interrupted; nothing was sent")
        return Result(INTERRUPTED, {"error": "interrupted", "sent": "no"})
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

    stopped = "; stopped by Ctrl-C" if delivery.interrupted else ""
    yield f"{len(delivery.rows):,} recipients in {delivery.seconds:.1f} s{stopped}"
    for kind, reasons in delivery.counts().items():
        if kind == ACCEPTED_IN_PART and not reasons:
            continue  # it needs a group, which most files have none of
        why = ", ".join(f"{reason}: {count:,}" for reason, count in reasons.most_common())
        yield f"  {IN_WORDS[kind]:<18} {reasons.total():>9,}" + (f"   ({why})" if why else "")


def failures(delivery: Delivery) -> Iterator[str]:
    """A sentence for each of the first recipients not accepted, and how many more there are."""
    others = list(delivery.failures())
    for line in others[:_SHOWN_FAILURES]:
        yield f"line {line.line}, {line.to}: {line.error}"
    if len(others) > _SHOWN_FAILURES:
        yield f"and {len(others) - _SHOWN_FAILURES:,} more not accepted"
