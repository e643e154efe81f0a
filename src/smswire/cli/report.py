"""The report of a bulk send: one line a recipient, whole or not there.

It is written beside its place and renamed into it, so that a reader never sees half of one and an older report stands
until the new one is complete. It is opened before anything is sent: a report that cannot be written must not be found
out after 20,000 SMS. Only its owner may read it, since it holds numbers.
"""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import NamedTuple


class ReportError(Exception):
    """The report cannot be written where it was asked for."""


class Line(NamedTuple):
    """What became of one recipient.

    Attributes:
        line: the line of the file its row begins on.
        to: the recipient, as the file has it.
        sent: ``yes``, ``no`` or ``maybe``: may the gateway have accepted it?
        code: the gateway's code, where it gave one.
        id: the gateway's id of the message; several, with a space between, where a group expanded.
        error: what went wrong, in a sentence; empty if it was accepted.
    """

    line: int
    to: str
    sent: str
    code: int | None
    id: str
    error: str


class Report:
    """A place for a report, held from before the first send until the report is written.

    Calling order: enter, ``write`` once, leave. Without a ``write`` nothing is left behind.

    Args:
        path: where the report goes; a regular file there is replaced.
        source: the file being sent, which the report must not replace.

    Raises:
        ReportError: on entering: the place is no place for a file, or may not be written to.
    """

    def __init__(self, path: Path, source: Path) -> None:
        self.path = path
        self._source = source
        self._written_as: str | None = None

    def __enter__(self) -> Report:
        place = Path(os.path.realpath(self.path))
        try:
            if place.exists():
                if not place.is_file():
                    raise ReportError(f"the report cannot go to {self.path}: it is not a regular file")
                if place.samefile(self._source):
                    raise ReportError(f"the report cannot go to {self.path}: it is the file to be sent")
            descriptor, self._written_as = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
        except OSError as error:
            raise ReportError(f"the report cannot go to {self.path}: {error.strerror}") from error
        self._place = place
        self._out = open(descriptor, "w", encoding="utf-8", errors="backslashreplace", newline="")
        return self

    def write(self, lines: Iterable[Line]) -> None:
        """Writes the report and puts it in its place.

        Raises:
            ReportError: it could not be written or renamed; what stood in its place is untouched.
        """
        assert self._written_as is not None
        try:
            with self._out:
                writer = csv.writer(self._out)
                writer.writerow(Line._fields)
                writer.writerows(lines)
                self._out.flush()
                os.fsync(self._out.fileno())
            os.replace(self._written_as, self._place)
        except OSError as error:
            raise ReportError(f"the report could not be written to {self.path}: {error.strerror}") from error
        self._written_as = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._written_as is not None:
            with contextlib.suppress(OSError):  # a full disk is told of once, by ``write``
                self._out.close()
            with contextlib.suppress(OSError):
                os.unlink(self._written_as)
