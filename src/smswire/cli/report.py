"""The report of a bulk send: one line a recipient, as its outcome comes; whole, or not in its place.

It is written beside its place, line by line, and renamed into it in the end, so that a reader never sees half of one
and an older report stands until the new one is complete. What there is of one that does not come to its end (the disk
is full, the process is killed) stays beside its place, as ``.NAME.….part``: it is the account of what was sent. It is
opened before anything is sent: a report that cannot be written must not be found out after 20,000 SMS. Only its owner
may read it, since it holds numbers.
"""

from __future__ import annotations

import contextlib
import csv
import os
import tempfile
from collections.abc import Mapping
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
    """A place for a report, held from before the first send until the report is whole.

    Calling order: enter, ``add`` each line, ``finish``, leave. Without a line nothing is left behind.

    Args:
        path: where the report goes; a regular file there is replaced.
        source: the file being sent, or its descriptor, which the report must not replace.
        others: more files that it must not replace, by what they are.

    Raises:
        ReportError: on entering: the place is no place for a file, or may not be written to.
    """

    def __init__(self, path: Path, source: Path | int, others: Mapping[str, str | Path] | None = None) -> None:
        self.path = path
        self._used = {"the file to be sent": source, "where stdout goes": 1, "where stderr goes": 2, **(others or {})}
        self._written_as: str | None = None
        self._has_lines = False

    def __enter__(self) -> Report:
        place = Path(os.path.realpath(self.path))
        try:
            if place.exists():
                if not place.is_file():
                    raise ReportError(f"the report cannot go to {self.path}: it is not a regular file")
                for what, file in self._used.items():
                    with contextlib.suppress(FileNotFoundError):  # it is gone meanwhile
                        if os.path.samestat(os.stat(place), os.stat(file)):
                            raise ReportError(f"the report cannot go to {self.path}: it is {what}")
            descriptor, self._written_as = tempfile.mkstemp(dir=place.parent, prefix=f".{place.name}.", suffix=".part")
        except OSError as error:
            raise ReportError(f"the report cannot go to {self.path}: {error.strerror}") from error
        self._place = place
        # A line at a time: what a process has written is there however it ends.
        self._out = open(descriptor, "w", 1, encoding="utf-8", errors="backslashreplace", newline="")
        self._writer = csv.writer(self._out)
        return self

    def add(self, line: Line) -> None:
        """Writes a line.

        Raises:
            ReportError: it could not be written; then add no more.
        """
        try:
            if not self._has_lines:
                self._has_lines = True
                self._writer.writerow(Line._fields)
            self._writer.writerow(line)
        except OSError as error:
            raise self._lost(error) from error

    def finish(self) -> None:
        """Puts the report in its place.

        Raises:
            ReportError: that could not be done; what stood there is untouched.
        """
        assert self._written_as is not None
        try:
            with self._out:
                if not self._has_lines:
                    self._writer.writerow(Line._fields)
                self._out.flush()
                os.fsync(self._out.fileno())
            os.replace(self._written_as, self._place)
        except OSError as error:
            raise self._lost(error) from error
        self._written_as = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._written_as is not None:
            with contextlib.suppress(OSError):  # a full disk is told of once
                self._out.close()
            if not self._has_lines:
                with contextlib.suppress(OSError):
                    os.unlink(self._written_as)

    def _lost(self, error: OSError) -> ReportError:
        return ReportError(
            f"the report could not be written to {self.path}: {error.strerror}; what there is of it is in "
            f"{self._written_as}"
        )
