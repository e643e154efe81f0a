"""The ``smswire`` command.

It stands on click and rich, which the extra ``cli`` brings; the library does without them. This module is what the
installed command calls, and therefore, with ``streams``, the only one here that loads where they are missing.
"""

from __future__ import annotations

import importlib.util
import sys

from . import streams


def main() -> None:
    """Runs the command line and ends the process with its exit status.

    Status: 0 all is well, 1 not everything was accepted, 2 wrong usage or a file that cannot be sent, 130 interrupted.
    It is by what became of the messages: that the result could not be printed is told on stderr and changes nothing.
    """
    streams.settle()
    try:
        status = _run()
    except KeyboardInterrupt:  # before a command had begun
        print("smswire: interrupted; nothing was sent", file=sys.stderr)
        status = 130
    finally:
        streams.tell_loss()
    raise SystemExit(status)


def _run() -> int:
    missing = [name for name in ("click", "rich") if importlib.util.find_spec(name) is None]
    if missing:
        names = " and ".join(missing)  # not the extra: pip finds that by its name only where smswire came from an index
        print(f"smswire: the command line needs {names}: pip install {' '.join(missing)}", file=sys.stderr)
        return 2
    from .app import run

    return run()
