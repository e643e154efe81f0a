"""Standard streams whose failures change nothing else.

A pipe that nobody reads, a full disk, a terminal that has gone: none of it may end a send half-way, or make of what was
sent something that was not. So nothing that is printed raises; what stdout could not take is told once, at the end, on
stderr (``tell_loss``), and whoever has nothing to give but what is printed may ask (``stdout_loss``).

A stream that was closed before the program began is replaced by the null device, descriptor and all: the next file or
connection opened would have its number, and what is meant for the stream would go there.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import Any, TextIO


class _ClosedStream(io.FileIO):
    """The null device in the place of a stream that was closed: what is said to it is lost."""

    def write(self, data: Any) -> int:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


class _Lenient(io.RawIOBase):
    """The raw end of a stream; what cannot be written is dropped.

    Args:
        raw: what it writes to.
        owner: kept, since it would close ``raw`` when it went.

    Attributes:
        loss: the first error, if there was one.
    """

    def __init__(self, raw: io.RawIOBase, owner: object) -> None:
        self._raw = raw
        self._owner = owner
        self.loss: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        left = memoryview(data)
        try:
            taken = self._raw.write(left)
        except OSError as error:
            return self._lose(left, error)
        if taken is None:  # a stream that does not wait for its reader, and the reader is slow
            return self._lose(left, BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)))
        return taken

    def fileno(self) -> int:
        return self._raw.fileno()

    def isatty(self) -> bool:
        return self._raw.isatty()

    def _lose(self, data: memoryview, error: OSError) -> int:
        self.loss = self.loss or error
        return len(data)


_ends: dict[str, _Lenient] = {}


def settle() -> None:
    """Makes stdout and stderr such streams, for the rest of the process; characters they cannot show are escaped."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    sys.stdout = _settled("stdout", sys.stdout, 1)
    sys.stderr = _settled("stderr", sys.stderr, 2)


def _settled(name: str, stream: TextIO | None, number: int) -> TextIO:
    raw: Any
    if stream is None:
        raw, encoding, line_buffering, write_through = _ClosedStream(number, "w", closefd=False), "utf-8", False, False
    elif isinstance(stream, io.TextIOWrapper):
        stream.flush()
        raw = getattr(stream.buffer, "raw", stream.buffer)  # with ``python -u`` the buffer is the raw end
        encoding, line_buffering, write_through = stream.encoding, stream.line_buffering, stream.write_through
    else:
        return stream
    _ends[name] = end = _Lenient(raw, stream)
    return io.TextIOWrapper(
        io.BufferedWriter(end), encoding, "backslashreplace", line_buffering=line_buffering, write_through=write_through
    )


def stdout_loss() -> OSError | None:
    """Why something printed so far was lost; None if nothing was."""
    sys.stdout.flush()
    return _ends["stdout"].loss if "stdout" in _ends else None


def tell_loss() -> None:
    """A sentence on stderr if stdout could not take everything."""
    if loss := stdout_loss():
        print(f"smswire: the result could not be written to stdout: {loss.strerror}", file=sys.stderr)
