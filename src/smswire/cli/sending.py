"""Sending a file: the one way from a CSV file to a ``Delivery``, which ``bulk`` and the demonstration share.

The order is the promise. A file that can be read twice is read and checked to its end, the report's place is held, and
only then does the first byte leave. A pipe can be read only once: its header is checked before anything is sent, and
each row before that row is; one that cannot be sent is reported as not sent, and the others go.

Rows are read as the sending needs them, and reported as their outcomes come. Once something is sent, whatever ends the
send, the report is completed before the gateway is closed: a file is read to its end for the rows that were not sent.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .columns import COLUMNS, read
from .delivery import Delivery
from .interrupts import Interrupts
from .options import Settings, complain
from .report import Line, Report, ReportError
from .source import Source, SourceError
from .table import Row, TableError, check, rows

if TYPE_CHECKING:
    from ..gateway import Message, SmsStream
    from ..net.pacers import Pacer

_NO_MESSAGE: Mapping[str, Any] = {}  # stands for a row that must not be sent: the stream says NO to it in its turn


def send_file(
    file: str | Path,
    settings: Settings,
    interrupts: Interrupts,
    *,
    report: Path | None = None,
    pacer: Pacer | None = None,
    on_line: Callable[[Line], object] | None = None,
) -> Delivery:
    """Sends every row of a file and says what became of each.

    Ctrl-C during the send does not raise: the delivery says so.

    Args:
        file: the CSV file (see ``table``), or ``-`` for standard input.
        settings: which gateway, and how.
        interrupts: entered, so that no second Ctrl-C tears what the first has set going.
        report: where to write the report, if anywhere.
        pacer: in place of the one shared by every client of the gateway's host.
        on_line: hears each line of the report.

    Raises:
        SourceError: the file cannot be read; nothing was sent.
        TableError: the file cannot be sent as it is; nothing was sent.
        ReportError: the report's place cannot be held; nothing was sent.
        ConfigurationError: the settings cannot work; nothing was sent.
    """
    with Source(file) as source:
        total = check(row for row, _ in read(_rows(source))) if source.is_repeatable else None
        files = {"the file of the key": settings.api_key_file, "the file of trusted certificates": settings.trust}
        others = {what: file for what, file in files.items() if file is not None}
        held = Report(report, source.descriptor, others) if report else contextlib.nullcontext()
        with held as place, settings.gateway(pacer=pacer) as gateway:
            heard = [tell for tell in (on_line, place.add if place else None) if tell]
            delivery = Delivery(interrupts, lambda line: [tell(line) for tell in heard])
            try:
                with _progress(total) as show:
                    _send(gateway.sms_stream(_messages(source, delivery, total)), delivery, interrupts, show)
            finally:
                _complete(delivery, source, place)
    return delivery


def _rows(source: Source) -> Iterator[Row]:
    return rows(source.chunks(), COLUMNS)


def _messages(source: Source, delivery: Delivery, total: int | None) -> Iterator[Message | Mapping[str, Any]]:
    """What the stream reads: a place for each row, and every row known before it is in the stream's hands."""
    for row, message in read(_rows(source)):
        delivery.take(row)
        yield message or _NO_MESSAGE
    if total is not None and delivery.taken < total:
        delivery.failure = f"{source.name} had {total:,} rows when it was checked, and has {delivery.taken:,} now"
    else:
        delivery.read_all = not delivery.breaks_off


def _send(stream: SmsStream, delivery: Delivery, interrupts: Interrupts, show: Callable[[int], object]) -> None:
    started = time.monotonic()
    try:
        with interrupts.second_gives_up(), stream:
            # Nothing is called between an except and the try in it: that is where the next interrupt would come.
            try:
                _follow(stream, delivery, interrupts, show)
            except KeyboardInterrupt:
                delivery.interrupted = True
                try:
                    stream.stop()
                    _follow(stream, delivery, interrupts, show)
                except KeyboardInterrupt:  # the second, and the last that is raised
                    stream.give_up()
                    _follow(stream, delivery, interrupts, show)
    finally:
        delivery.seconds = time.monotonic() - started


def _follow(stream: SmsStream, delivery: Delivery, interrupts: Interrupts, show: Callable[[int], object]) -> None:
    """Notes outcomes until no more come; again after an interrupt, from where it came."""
    delivery.note()
    try:
        for delivery.latest in stream:
            delivery.note()
            show(delivery.recipients())
            # Nothing more is sent of which there would be no account, or which would be refused like this one.
            if delivery.loss is not None or delivery.refusal is not None:
                stream.stop()
    except SourceError as error:
        if not delivery.taken:
            raise
        delivery.failure = str(error)
    delivery.heard_all = True
    interrupts.end()  # the report is completed, and the account given


def _complete(delivery: Delivery, source: Source, place: Report | None) -> None:
    """Tells of the rows that were not sent, and puts the report in its place.

    That this cannot be done must not hide what became of the send.
    """
    if not (delivery.taken or delivery.heard_all):
        return  # nothing was sent, and an exception says why
    has_more = source.is_repeatable and not (delivery.read_all or delivery.failure)
    try:
        delivery.close(islice(_rows(source), delivery.taken, None) if has_more else ())
    except (SourceError, TableError) as error:
        delivery.failure = str(error)
    else:
        delivery.read_all |= has_more
    try:
        if delivery.loss is not None:
            raise delivery.loss
        if place is not None:
            place.finish()
            delivery.reported = True
    except ReportError as error:
        complain(str(error))


@contextlib.contextmanager
def _progress(total: int | None) -> Iterator[Callable[[int], None]]:
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
