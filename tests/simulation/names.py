"""Name lookups: slow, failing, never answered, and of changing answers."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from smswire.errors import ResolutionError
from smswire.flow.dialing import Address

from .clock import Clock
from .journal import Fault, Journal


class Names:
    """The resolver of one host name. ``fails`` is the share of lookups that fail, or are answered far too late."""

    def __init__(
        self, clock: Clock, random: Random, journal: Journal, addresses: list[Address], *, takes: float, fails: float
    ) -> None:
        self._clock = clock
        self._journal = journal
        self._random = random
        self._addresses = addresses
        self._takes = takes
        self._fails = fails

    def start(self, callback: Callable[[list[Address] | ResolutionError], None]) -> None:
        """Begins a lookup; its answer goes to ``callback``, never within this call."""
        random = self._random
        takes = self._takes * random.random()
        answer: list[Address] | ResolutionError = random.sample(
            self._addresses, random.randint(1, len(self._addresses)) if self._fails else len(self._addresses)
        )
        leaves_out = len(answer) < len(self._addresses)
        if random.random() < self._fails:
            how = random.randrange(4)
            if how == 3:
                self._journal.fault(Fault.NAME_LATE)
                takes += 20 * random.random()
            else:
                self._journal.fault(Fault.NAME_UNKNOWN if how == 0 else Fault.NAME_FAILED)
                answer = ResolutionError("the name lookup failed", permanent=how == 0)
                leaves_out = False
        if leaves_out:
            self._journal.fault(Fault.NAME_MOVED)
        self._clock.at(self._clock.now + takes, lambda: callback(answer))
