"""The near end of a simulated connection: a non-blocking TCP socket's calls, and its handshake.

What a socket did and heard is kept for the laws: when its ``connect`` began, when it was closed, and when this side
first had evidence of the far end.
"""

from __future__ import annotations

import errno
import math
import os
from collections.abc import Callable

from smswire.flow.dialing import Address

from .clock import Task
from .journal import Fault
from .network import Far, Mood, Network, Pipe, Route, Sign
from .records import Records


class Socket:
    """The near end: a non-blocking TCP socket."""

    def __init__(self, network: Network) -> None:
        self.watcher: Task | None = None
        self.opened_at = network.clock.now
        self.connect_at: float | None = None  # when something first left for the far end
        self.syn_at: float | None = None  # when it first arrived there
        self.evidence_at: float | None = None
        self.closed_at: float | None = None
        self.is_connected = False
        self.far: Far | None = None
        self._network = network
        self._clock = network.clock
        self._route: Route | None = None
        self._up: Pipe | None = None
        self._inbox = bytearray()
        self._error = 0
        self._snaps_at: tuple[str, float] = ("up", math.inf)
        self._has_end = self._is_shut = self._has_failed = False
        self._journal = network.journal
        network.sockets.append(self)
        self.number = len(network.sockets)
        self.readable_pieces = 0  # sent: bytes of plain http, or whole records
        self._records = Records() if network.is_secure else None

    def __str__(self) -> str:
        return f"socket-{self.number}"

    # A socket's calls

    def connect(self, address: Address) -> None:
        self._check()
        route = self._route = self._network.routes[address]
        self._journal.tell(self, "connects to", address)
        if route.mood is Mood.NO_ROUTE:
            self._journal.fault(Fault.NO_ROUTE, self)
            raise _os_error(errno.ENETUNREACH)
        self.connect_at = self._clock.now
        if route.mood is Mood.REFUSING and not route.delay:
            self._journal.fault(Fault.REFUSED, self)
            self._error = errno.ECONNREFUSED
            raise _os_error(self.take_error())
        self._send_syn(0)
        if self._network.random.random() < self._network.breaks:
            self._plan_break()
        raise BlockingIOError(errno.EINPROGRESS, os.strerror(errno.EINPROGRESS))

    def take_error(self) -> int:
        """``SO_ERROR``."""
        self._check()
        number, self._error = self._error, 0
        if number in (errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE) and not self._is_shut:
            self._hear()
        return number

    def send(self, data: bytes | memoryview) -> int:
        self._check()
        if self._error:
            raise _os_error(self.take_error())
        if self._is_shut or self._up is None:
            raise _os_error(errno.EPIPE)
        room = self._network.buffer - self._up.in_flight
        if room <= 0:
            self._journal.fault(Fault.BUFFER_FULL, self)
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
        taken = min(room, len(data))
        if self._network.random.random() < self._network.partial:
            taken = self._network.random.randint(1, taken)
        if taken < len(data):
            self._journal.fault(Fault.SENT_IN_PART, self)
        piece = bytes(data[:taken])
        self.readable_pieces += taken if self._records is None else self._records.completed_by(piece)
        self._up.put(piece)
        return taken

    def recv(self) -> bytes:
        self._check()
        if self._inbox:
            self._hear()
            data = bytes(self._inbox)
            self._inbox.clear()
            return data
        if self._error:
            raise _os_error(self.take_error())
        if self._has_end:
            self._hear()
        if self._has_end or self._is_shut:
            return b""
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def shutdown(self) -> None:
        """Both ways; one that is still connecting is disconnected, and says ECONNRESET (as Linux does)."""
        self._check()
        self._is_shut = True
        if self.is_connected:
            assert self._up is not None
            self._up.sign(Sign.END)
        else:
            self._error = errno.ECONNRESET
        self._tell()

    def close(self) -> None:
        self._check()
        self._journal.tell(self, "is closed")
        self.closed_at = self._clock.now
        if self._up is not None and not self._is_shut:
            self._up.sign(Sign.RESET if self._inbox else Sign.END)

    def is_readable(self) -> bool:
        return bool(self._inbox or self._error or self._has_end or self._is_shut)

    def is_writable(self) -> bool:
        if self._error or self._is_shut:
            return True
        return self._up is not None and self._up.in_flight < self._network.buffer

    # What comes of them

    def receive(self, item: bytes | Sign) -> None:
        """What the pipe from the far end brings."""
        if self.closed_at is not None:
            if not isinstance(item, Sign) and self._up is not None:
                self._up.sign(Sign.RESET)
            return
        if item is Sign.RESET:
            self._error = errno.EPIPE if self._has_end else errno.ECONNRESET
            if self._network.random.random() < 0.5:
                self._inbox.clear()
            self._has_end = True
        elif item is Sign.END:
            self._has_end = True
        else:
            assert isinstance(item, bytes)
            self._inbox += item
        self._tell()

    def _check(self) -> None:
        assert self.closed_at is None, "a socket was used, or closed again, after it was closed"

    def _tell(self) -> None:
        if self.watcher is not None:
            self.watcher.wake()

    def _hear(self) -> None:
        if self.evidence_at is None:
            self.evidence_at = self._clock.now

    def _is_dead(self) -> bool:
        return self.closed_at is not None or self._is_shut or self._has_failed or self._error != 0

    def _later(self, event: Callable[[], None]) -> None:
        assert self._route is not None
        self._clock.at(self._clock.now + self._network.lapse(self._route), event)

    def _is_lost(self) -> bool:
        assert self._route is not None
        return self._network.random.random() < self._route.loss

    def _send_syn(self, tries: int) -> None:
        if self._is_dead() or self.is_connected or tries > 6:
            return
        self._clock.at(self._clock.now + 2.0**tries, lambda: self._send_syn(tries + 1))
        if not self._is_lost():
            self._later(self._arrive)
        else:
            self._journal.fault(Fault.SYN_LOST, self)

    def _arrive(self) -> None:
        assert self._route is not None
        mood = self._route.mood
        if mood is Mood.OPEN:
            self.syn_at = self.syn_at or self._clock.now
            if not self._is_lost():
                self._later(self._be_connected)
            else:
                self._journal.fault(Fault.REPLY_LOST, self)
        elif mood is Mood.REFUSING:
            self._journal.fault(Fault.REFUSED, self)
            self._later(lambda: self._fail(errno.ECONNREFUSED))
        elif mood is Mood.SILENT:
            self._journal.fault(Fault.SILENT, self)
        else:
            self._journal.fault(Fault.UNREACHABLE, self)
            self._later(lambda: self._fail(errno.EHOSTUNREACH))

    def _fail(self, number: int) -> None:
        if not self._is_dead() and not self.is_connected:
            self._error = number
            self._has_failed = True  # for good, also when the error was fetched
            self._tell()

    def _be_connected(self) -> None:
        if self._is_dead() or self.is_connected:
            return
        self.is_connected = True
        assert self._route is not None
        self._up = Pipe(self._network, self._route, self._pass_on)
        self._up.not_before = self._clock.now + self._network.lapse(self._route)
        network = self._network
        if network.slow and network.random.random() < network.slow:
            self._journal.fault(Fault.READ_SLOWLY, self)
            self._up.lag = network.random.choice((0.01, 0.2, 2.0))
        self._clock.at(self._up.not_before, self._enter_queue)
        self._tell()

    def _enter_queue(self) -> None:
        assert self._route is not None
        if self.far is None:
            self.far = Far(self, self._network, self._route)
            network, (side, after) = self._network, self._snaps_at
            if network.slow and network.random.random() < network.slow:
                self._journal.fault(Fault.CAME_SLOWLY, self)
                self.far.down.lag = network.random.choice((0.01, 0.2, 2.0))
            pipe = self._up if side == "up" else self.far.down
            assert pipe is not None
            pipe.snap_at = after
            pipe.snap = self._break if side == "up" else self._break_downwards

    def _pass_on(self, item: bytes | Sign) -> None:
        # The acknowledgement that ends the handshake may be due at the same instant as what follows it.
        self._enter_queue()
        assert self.far is not None
        self.far.receive(item)
        self._tell()

    def _plan_break(self) -> None:
        """At some time, or at some byte in either direction."""
        random = self._network.random
        if random.random() < 0.4:
            self._clock.at(self._clock.now + 2 * random.random(), self._break)
        else:
            after = random.choice((0, 1, random.randrange(400), random.randrange(8000)))
            self._snaps_at = random.choice(("up", "down")), after

    def _break_downwards(self) -> None:
        assert self.far is not None
        was_asked = self.far.stage in (Fault.LOST_BEFORE_ANSWER, Fault.LOST_AT_REST)
        self._break(Fault.LOST_IN_ANSWER if was_asked else None)

    def _break(self, stage: Fault | None = None) -> None:
        far, journal = self.far, self._journal
        if self.closed_at is not None or far is None or not far.is_open:
            return
        assert self._up is not None
        journal.fault(stage or far.stage, self)
        if not far.is_accepted:
            far.reset()
            return
        how = self._network.random.choice(_WAYS)
        journal.fault(how, self)
        if how is Fault.BY_RESET:
            far.down.sign(Sign.RESET)
            far.break_off()
        elif how is Fault.BY_RESET_BETWEEN:
            far.down.sign(Sign.RESET)
        elif how is Fault.BY_RESET_THERE:
            far.break_off()
        elif how is Fault.BY_END:
            far.down.sign(Sign.END)
            far.break_off()
        else:
            self._network.random.choice((self._up, far.down)).is_stalled = True


_WAYS = (Fault.BY_RESET, Fault.BY_RESET_BETWEEN, Fault.BY_RESET_THERE, Fault.BY_END, Fault.BY_SILENCE)


def _os_error(number: int) -> OSError:
    return OSError(number, os.strerror(number))
