"""The ``smswire`` command.

It stands on click and rich, which the extra ``cli`` brings; the library does without them. This module is what the
installed command calls, and therefore, with ``streams``, the only one here that loads where they are missing.
"""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import sys

from . import streams


def main() -> None:
    """Runs the command line and ends the process with its exit status.

    Status: 0 all is well, 1 not everything was accepted, 2 wrong usage or a file that cannot be sent, 130 interrupted.
    It is by what became of the messages: that the result could not be printed is told on stderr and changes nothing.
    """
    streams.settle()
    told: list[int] = []
    try:
        status = _run(told)
    except KeyboardInterrupt:
        if told:
            status = told[0]
        else:
            print("smswire: interrupted; nothing was sent", file=sys.stderr)
            status = 130
    finally:
        streams.tell_loss()
    with contextlib.suppress(ValueError):  # not in the main thread, where no signal comes
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # what is left is the interpreter's own end
    raise SystemExit(status)


def _run(told: list[int]) -> int:
    missing = [name for name in ("click", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)  # not the extra: pip finds that by its name only where smswire came from an index
        print(f"smswire: the command line needs {names}: pip install {' '.join(missing)}", file=sys.stderr)
        return 2
    from .app import run

    return run(told)
