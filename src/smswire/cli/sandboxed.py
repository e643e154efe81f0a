"""A sandbox as a process of its own, for as long as it is needed, and what it saw.

It is a separate process so that the client's promises are judged from outside: another interpreter, another clock
reader, nothing shared but the wire. What it saw is read with the standard library, not with the code on trial: this
module is the one of the command that uses ``json`` and ``urllib``.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Any

from .interrupts import Interrupts
from .options import KEY_VARIABLE

_START_S = 30.0  # a busy machine takes seconds to make the certificates
_END_S = 10.0


class SandboxError(Exception):
    """The sandbox did not start or does not answer."""


@dataclass(frozen=True, slots=True)
class RunningSandbox:
    """Where it is.

    Attributes:
        url: base URL of its API, with TLS.
        ca_file: the certificates by which to trust it.
        inspection_url: where to read what it saw.
    """

    url: str
    ca_file: str
    inspection_url: str
    api_key: str = field(repr=False)

    def saw(self, what: str) -> list[dict[str, Any]]:
        """Everything it recorded of ``messages``, ``accepts`` or ``calls``.

        Raises:
            SandboxError: it does not answer.
        """
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(f"{self.inspection_url}/{what}", timeout=_START_S) as answer:
                entries: list[dict[str, Any]] = json.load(answer)[what]
        except (OSError, HTTPException, ValueError) as error:
            raise SandboxError(f"the sandbox does not say what it saw: {error}") from error
        return entries


@contextlib.contextmanager
def running_sandbox(api_key: str, interrupts: Interrupts, *arguments: str) -> Iterator[RunningSandbox]:
    """Starts ``smswire sandbox`` and ends it on leaving, whatever happens inside.

    A process that is killed ends nothing; then the sandbox ends by itself, when its standard input does.

    Args:
        api_key: the one key it accepts; handed over in its environment, which other users cannot read.
        interrupts: held back while the process is started and ended, so that none is left running.
        arguments: further options of ``smswire sandbox``.

    Raises:
        SandboxError: it did not start.
    """
    with contextlib.ExitStack() as ending:
        with interrupts.held():
            process = subprocess.Popen(  # noqa: S603  our own interpreter and our own arguments
                [sys.executable, "-m", "smswire", "sandbox", "--json", "--until-stdin-ends", *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=os.environ | {KEY_VARIABLE: api_key},
                start_new_session=True,  # a Ctrl-C in the terminal is for the sender, which has calls in flight there
            )
            ending.callback(_end, process, interrupts)
        place = _first_line(process)
        yield RunningSandbox(place["url"], place["ca_file"], place["inspection_url"], api_key)


def _end(process: subprocess.Popen[bytes], interrupts: Interrupts) -> None:
    """Ends and reaps the process."""
    with interrupts.held(), process:
        process.terminate()
        try:
            process.wait(_END_S)
        except subprocess.TimeoutExpired:
            process.kill()


def _first_line(process: subprocess.Popen[bytes]) -> dict[str, str]:
    """The line of JSON in which the sandbox says where it is."""
    assert process.stdout is not None
    too_late = threading.Timer(_START_S, process.kill)  # a killed process ends its output, and with it the wait
    too_late.start()
    try:
        line = process.stdout.readline()
    finally:
        too_late.cancel()
    try:
        place: dict[str, str] = json.loads(line)
    except ValueError:
        raise SandboxError("the sandbox did not start") from None
    return place
