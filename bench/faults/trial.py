"""One client and one fault: the calls, and what they came to."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from time import sleep
from typing import Any, Final

from ..processes import ROOT, environment, python
from .caller import Order
from .clients import CLIENTS, PATIENCE_S
from .rows import CHURN, HELD_FROM, IDLE_S, SLOTS, WITHIN_S, Row, Stage, own, serving

PATIENCE_WITH_ALL_S: Final = 60.0


@dataclass(frozen=True)
class Finding:
    """What one fault came to with one client.

    Attributes:
        told: of the call that met the fault: ``answer`` (its own), ``another's answer``, ``cut answer``, ``error``,
            ``timeout`` (an error of the client's own time-out), ``died``; ``not applicable``.
        error: the error's name; ``sent``: what a smswire error says.
        seen: how often the server saw the message.
        next: what the call after it was told, in the same words.
        is_kept: after idle tickets: whether the same connection was used again.
        slots, anothers, left: after cancelled calls: how many of ``SLOTS`` were usable at once, how many calls got the
            answer to another, how many descriptors more there were with the client closed.
    """

    client: str
    fault: str
    told: str
    error: str | None = None
    sent: str | None = None
    seen: int | None = None
    next: str | None = None
    is_kept: bool | None = None
    slots: int | None = None
    anothers: int | None = None
    left: int | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def word(said: dict[str, Any] | None, number: int) -> str:
    """What a caller was told, in a word or two.

    >>> word({"status": 200, "text": own(3), "seconds": 0.1}, 3), word({"error": "OSError", "seconds": 9.0}, 3)
    ('answer', 'timeout')
    """
    if said is None:
        return "died"
    if "error" in said:
        return "timeout" if said["seconds"] >= PATIENCE_S * 0.95 else "error"
    if said["text"] == own(number):
        return "answer"
    return "cut answer" if own(number).startswith(said["text"]) else "another's answer"


class Caller:
    """The client's process."""

    def __init__(self, process: subprocess.Popen[str], order: Order) -> None:
        self._process = process
        self._write(json.dumps(order._asdict()))

    def next_call(self) -> dict[str, Any] | None:
        """Lets it make a call; None if it died."""
        assert self._process.stdout is not None
        self._write("")
        line = self._process.stdout.readline()
        return json.loads(line) if line else None

    def _write(self, line: str) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()


@contextmanager
def calling(order: Order) -> Iterator[Caller]:
    command = python("bench.faults.caller")
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
        env=environment(),
    ) as process:
        patience = threading.Timer(PATIENCE_WITH_ALL_S, process.kill)
        patience.start()
        try:
            yield Caller(process, order)
        finally:
            patience.cancel()
            process.kill()


def try_out(client: str, row: Row) -> Finding:
    """Makes the row's calls with that client."""
    contestant = CLIENTS[client]
    if row.is_churn and contestant.opened_async is None:
        return Finding(client, row.name, "not applicable")
    with serving(row) as (stage, server, ca_file):
        order = Order(client, server.port, ca_file, row.calls)
        if row.is_churn:
            return churned(client, row, stage, order._replace(churn=CHURN, slots=SLOTS, held_from=HELD_FROM))
        said: list[dict[str, Any] | None] = []
        with calling(order) as caller:
            for number in range(1, row.calls + 1):
                said.append(caller.next_call())
                if number == 1 and row.is_idle:
                    stage.may_go.set()
                    stage.gone.wait(WITHIN_S)
                    sleep(IDLE_S)
    subject = said[row.about - 1]
    return Finding(
        client,
        row.name,
        word(subject, row.about),
        error=(subject or {}).get("error"),
        sent=(subject or {}).get("sent"),
        seen=stage.times(row.about),
        next=word(said[row.about], row.about + 1) if row.calls > row.about else None,
        is_kept=stage.connection_of(row.about) == 1 if row.by_hand else None,
    )


def churned(client: str, row: Row, stage: Stage, order: Order) -> Finding:
    with calling(order) as caller:
        said = caller.next_call()
    if said is None:
        return Finding(client, row.name, "died")
    told = [word(each, HELD_FROM + place) for place, each in enumerate(said["together"])]
    return Finding(
        client,
        row.name,
        next((each for each in told if each != "answer"), "answer"),
        error=next((each["error"] for each in said["together"] if "error" in each), None),
        slots=min(stage.at_once, told.count("answer")),
        anothers=said["anothers"],
        left=said["left"],
    )
