"""``python -m bench.sandboxed``: the sandbox in a process of its own, its limits out of the way.

On stdout: where it listens, as a line of JSON; then, for each line on stdin, what it has seen so far.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from smswire.sandbox import Limits, Sandbox

from .job import KEEPALIVE_REQUESTS
from .machine import pinned
from .processes import ROOT, python


class Seen(NamedTuple):
    connections: int
    messages: int


class Running:
    """The sandbox of another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        said = self._read()
        self.port: int = said["port"]
        self.ca_file: str = said["ca_file"]

    def counts(self) -> Seen:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        said = self._read()
        return Seen(said["accepts"], said["messages"])

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        return said


@contextmanager
def running(core: int) -> Iterator[Running]:
    with (
        pinned(core),
        subprocess.Popen(
            python("bench.sandboxed"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        ) as process,
    ):
        yield Running(process)  # its end of stdin is closed on the way out, and it ends by that


def main() -> None:
    limits = Limits(
        connections_per_second=100_000,
        requests_per_connection=KEEPALIVE_REQUESTS,
        idle_seconds=600.0,
        reload_lock_seconds=0.0,
    )
    with Sandbox(limits=limits) as sandbox:
        _say({"port": urlsplit(sandbox.url).port, "ca_file": sandbox.ca_file})
        for _ in sys.stdin:
            summary = sandbox.summary()
            _say({"accepts": summary["accepts"], "messages": summary["messages"]})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
