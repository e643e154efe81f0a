"""Sending a file: the one way from a CSV file to a ``Delivery``, which ``bulk`` and the demonstration share.

The order is the promise: the file is read and checked to the end, the report's place is held, and only then does the
first byte leave. Whatever ends the send, the report is written before the gateway is closed.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .columns import COLUMNS, messages
from .delivery import Delivery
from .interrupts import Interrupts
from .options import Settings, complain
from .report import Report, ReportError
from .table import read

if TYPE_CHECKING:
    from ..gateway import Gateway, Message, SmsOutcome
    from ..net.pacers import Pacer


def send_file(
    file: Path,
    settings: Settings,
    interrupts: Interrupts,
    *,
    report: Path | None = None,
    pacer: Pacer | None = None,
) -> Delivery:
    """Sends every row of a file and says what became of each.

    Ctrl-C during the send does not raise: the delivery says so.

    Args:
        file: the CSV file (see ``table``).
        settings: which gateway, and how.
        interrupts: entered, so that no second Ctrl-C tears what the first has set going.
        report: where to write the report, if anywhere.
        pacer: in place of the one shared by every client of the gateway's host.

    Raises:
        OSError: the file cannot be read; nothing was sent.
        TableError: the file cannot be sent as it is; nothing was sent.
        ReportError: the report's place cannot be held; nothing was sent.
        ConfigurationError: the settings cannot work; nothing was sent.
    """
    rows = read(file.read_bytes(), COLUMNS)
    made = messages(rows)
    delivery = Delivery(rows)
    held = Report(report, file) if report else contextlib.nullcontext()
    with held as place, settings.gateway(pacer=pacer) as gateway:
        try:
            _send(gateway, made, delivery, interrupts)
        finally:
            if place is not None:
                _write(place, delivery)
    return delivery


def _send(gateway: Gateway, made: Sequence[Message], delivery: Delivery, interrupts: Interrupts) -> None:
    with _progress(len(made)) as show:

        def note(outcome: SmsOutcome) -> None:
            delivery.record(outcome)
            show(delivery.recorded())

        started = time.monotonic()
        try:
            with interrupts.second_gives_up():
                gateway.sms_many(made, on_outcome=note)
                interrupts.end()  # the report is written whole, and the account given
        except KeyboardInterrupt:
            delivery.stop()
        finally:
            delivery.seconds = time.monotonic() - started


def _write(place: Report, delivery: Delivery) -> None:
    """Writes the report; that it could not be written must not hide what became of the send."""
    try:
        place.write(delivery.lines())
    except ReportError as error:
        complain(str(error))
    else:
        delivery.reported = True


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, where that is a terminal; yields what to tell how many recipients are done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("sending", total=total)
        yield lambda done: progress.update(task, completed=done)
