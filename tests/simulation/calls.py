"""One simulated call, what it waits with, and what it is interrupted with."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from smswire.flow.retry import Outcome
from smswire.gateway.answer import SmsAnswer
from smswire.wire.message import Response

from .clock import Clock, Steps, Task
from .near import Socket

if TYPE_CHECKING:
    from .runtime import Client


class Interrupted(BaseException):
    """What a task is interrupted with: a KeyboardInterrupt, or a cancellation."""


@dataclass(eq=False)
class Call:
    """One call, and what became of it. ``interrupt_at_point`` is 0 for never, and less once it was interrupted;
    ``late`` is by how many seconds its task was kept from running after its deadline, ``taken`` how much of it kernels
    took that can be read (bytes, or records of TLS), ``has_paused`` whether it wrote, or others ran, since it last
    looked for news on its connection.
    """

    target: str
    body: bytes
    timeout: float
    repeatable: bool = False
    interrupt_at_point: int = 0
    outcome: Outcome = field(default_factory=Outcome)
    deadline: float = math.inf
    late: float = 0.0
    client: Client | None = None
    steps: int = 0
    taken: int = 0
    has_paused: bool = False
    ended_at: float | None = None
    response: Response | None = None
    answer: SmsAnswer | None = None
    error: BaseException | None = None

    def __str__(self) -> str:
        return self.target.split("/")[1]


class Signal:
    """What a call waits with."""

    def __init__(self, clock: Clock, deadline: float = math.inf) -> None:
        self.task: Task | None = None
        self.deadline = deadline
        self._clock = clock
        self.is_set = False

    def arm(self) -> None:
        self.is_set = False

    def wake(self) -> None:
        self.is_set = True
        if self.task is not None:
            self.task.wake(at_once=self._clock.is_eager())

    def wait(self, until: float) -> Steps:
        while not self.is_set and self._clock.now < until:
            yield until


class Transport:
    """A connection's socket, and the call that uses it."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.user: Call | None = None
