"""Where a bulk file comes from, in chunks: never more of it in memory than one.

A regular file can be read again from where it began, and is then the same file even if another has taken its name. A
pipe (standard input ``-``, a FIFO, a process substitution) can be read once, as it comes.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

_CHUNK_BYTES = 65_536  # what a pipe holds
_STDIN = 0


class SourceError(Exception):
    """The input cannot be read, or not further."""


class Source:
    """An open input, for the length of a ``with`` block.

    Args:
        path: a file, or ``"-"`` for standard input (``"./-"`` is a file).

    Raises:
        SourceError: on entering: it cannot be opened.

    Attributes:
        name: what to call it in a sentence.
        descriptor: of the open file.
        is_repeatable: it can be read again.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = path
        self._is_stdin = str(path) == "-"
        self.name = "standard input" if self._is_stdin else str(path)

    def __enter__(self) -> Source:
        try:
            # Not sys.stdin, which waits until its buffer is full, or is not there.
            place = _STDIN if self._is_stdin else self._path
            self._file = io.FileIO(place, "r", closefd=not self._is_stdin)
            self.descriptor = self._file.fileno()
            self.is_repeatable = stat.S_ISREG(os.fstat(self.descriptor).st_mode)
            self._start = self._file.tell() if self.is_repeatable else 0
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read: {error.strerror}") from error
        return self

    def chunks(self) -> Iterator[bytes]:
        """All of it if it is repeatable, otherwise what has not been read of it.

        Raises:
            SourceError: it cannot be read on.
        """
        try:
            if self.is_repeatable:
                self._file.seek(self._start)
            while data := self._file.read(_CHUNK_BYTES):
                yield data
            if data is None:  # a pipe that does not wait: not its end
                raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        except OSError as error:
            raise SourceError(f"{self.name} cannot be read on: {error.strerror}") from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._file.close()
