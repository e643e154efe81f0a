"""What calls and openings of the third runtime share: sockets, waiting for them, and the steps of an opening."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import suppress
from typing import TypeVar

from smswire.flow import dialing
from smswire.flow.connection import Connection
from smswire.flow.dialing import Address, Opening

from .calls import Call, Interrupted, Signal, Transport
from .clock import Clock, Steps
from .journal import Fault
from .near import Socket
from .network import Network

_T = TypeVar("_T")
Waits = Generator[float, None, _T]


class Sockets:
    """The sockets of one client. ``late`` draws how late a task runs."""

    def __init__(self, clock: Clock, network: Network, late: Callable[[], float]) -> None:
        self.all_sockets: list[Socket] = []
        self._clock = clock
        self._network = network
        self._journal = network.journal
        self._late = late
        self._sockets: dict[Socket, None] = {}
        self._news_of: dict[Signal, None] = {}

    # An opening

    def _dial(self, call: Call | None, opening: Opening) -> Waits[Connection | None]:
        clock = self._clock
        news = Signal(clock)
        news.task = clock.running
        opening.wake = news.wake
        while True:
            yield from self._pause(call)
            if call is not None:
                self._point(call)
            news.arm()
            step = opening.next_step(clock.now)
            if step == dialing.CONNECT:
                self._connect(opening, opening.address)
            elif step == dialing.WATCH:
                yield from self._watch_opening(opening, news)
            elif step == dialing.CLOSE:
                self._let_go(opening.sockets[opening.address], opening.bytes_to_close())
                opening.handle_closed(opening.address, clock.now)
            elif step == dialing.OPENED:
                assert opening.connection is not None
                opening.connection.transport = Transport(opening.sockets[opening.address])
                return opening.connection
            else:
                return None

    def _connect(self, opening: Opening, address: Address) -> None:
        socket = opening.sockets[address] = Socket(self._network)
        self._sockets[socket] = None
        self.all_sockets.append(socket)
        try:
            socket.connect(address)
        except BlockingIOError:
            return
        except OSError as error:
            opening.handle_failed_at_once(address, error, self._clock.now)

    def _watch_opening(self, opening: Opening, news: Signal) -> Steps:
        sockets = [opening.sockets[address] for address in opening.attempts]

        def is_ready(address: Address) -> bool:
            attempt = opening.attempts[address]
            socket: Socket = opening.sockets[address]
            if not attempt.is_connected:
                return socket.is_writable()
            return socket.is_readable() or (len(attempt.channel.bytes_to_send()) > 0 and socket.is_writable())

        self._news_of[news] = None
        try:
            yield from self._watch(
                lambda: news.is_set or any(map(is_ready, opening.attempts)), sockets, opening.wait_until
            )
        finally:
            del self._news_of[news]
        for address in [address for address in opening.attempts if is_ready(address)]:
            if address in opening.attempts:
                self._serve(opening, address)

    def _serve(self, opening: Opening, address: Address) -> None:
        socket, now = opening.sockets[address], self._clock.now
        if not opening.attempts[address].is_connected:
            number = socket.take_error()
            if number:
                opening.handle_failed(address, OSError(number, "connect"), now)
            else:
                opening.handle_connected(address, now)
        elif socket.is_readable():
            try:
                data = socket.recv()
            except OSError as error:
                opening.handle_failed(address, error, now)
            else:
                (opening.handle_data(address, data, now) if data else opening.handle_end(address, now))
        attempt = opening.attempts.get(address)
        data = attempt.channel.bytes_to_send() if attempt is not None else b""
        if data and socket.is_writable():
            try:
                opening.handle_sent(address, socket.send(data))
            except OSError as error:
                opening.handle_failed(address, error, now)

    # Waiting

    def _watch(self, is_ready: Callable[[], bool], sockets: list[Socket], until: float) -> Steps:
        """``poll``: level-triggered."""
        if is_ready() or self._clock.now >= until:
            return
        task = self._clock.running
        for socket in sockets:
            socket.watcher = task
        while not is_ready() and self._clock.now < until:
            yield until
        for socket in sockets:
            socket.watcher = None

    def _pause(self, call: Call | None) -> Steps:
        """Others may run between any two steps."""
        pause = self._draw_late(call)
        if pause:
            if call is not None:
                call.has_paused = True
            self._clock.due += 1
            try:
                yield self._clock.now + pause
            finally:
                self._clock.due -= 1

    def _draw_late(self, call: Call | None) -> float:
        late = self._late()
        now = self._clock.now
        if call is not None and now + late > call.deadline:
            call.late += now + late - max(now, call.deadline)
        return late

    def _point(self, call: Call) -> None:
        """A point at which an interrupt may hit."""
        if call.interrupt_at_point > 0:
            call.interrupt_at_point -= 1
            if call.interrupt_at_point == 0:
                call.interrupt_at_point = -1
                self._journal.fault(Fault.INTERRUPTED_AT_STEP, call)
                raise Interrupted

    def _let_go(self, socket: Socket, last_word: bytes) -> None:
        if last_word:
            with suppress(OSError):
                socket.send(last_word)
        socket.close()
        del self._sockets[socket]
