"""The ``smswire`` command.

It stands on click and rich, which the extra ``cli`` brings; the library does without them. This module is what the
installed command calls, and therefore the only one here that loads where they are missing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import sys


def main() -> None:
    """Runs the command line and ends the process with its exit status.

    Status: 0 all is well, 1 not everything was accepted, 2 wrong usage or a file that cannot be sent, 130 interrupted.
    """
    for stream in (sys.stdout, sys.stderr):  # a terminal that cannot show a character must not end a send half-way
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    missing = [name for name in ("click", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        print(
            f"smswire: the command line needs {' and '.join(missing)}; install it with: pip install 'smswire[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(2)
    from .app import app

    with contextlib.suppress(BrokenPipeError):
        app(prog_name="smswire")
