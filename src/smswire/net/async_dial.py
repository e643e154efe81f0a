"""One opening under asyncio: callbacks do what ``Opening`` says, and a timer looks again when nothing comes.

It belongs to the pool. The call that wanted a connection may be cancelled; its dial goes on into the pool, or ends when
the opening's own time is up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf
from time import monotonic

from ..flow import dialing
from ..flow.dialing import Address, Opening
from .links import Link

NewLink = Callable[["Dial", int], Link]


class Dial:
    """Drives ``opening`` to its end, then calls ``ended``; ``opening.connection`` has its link as ``transport``.

    Calling order: ``go`` once; ``give_up`` at any time.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        opening: Opening,
        new_link: NewLink,
        local: Address | None,
        ended: Callable[[Dial], None],
    ) -> None:
        self.opening = opening
        self._loop = loop
        self._new_link = new_link
        self._local = local
        self._ended = ended
        self._address_of: dict[Link, Address] = {}
        self._timer: asyncio.Handle | None = None
        self._timer_at = inf
        opening.wake = self._wake

    def go(self) -> None:
        """Does what is to be done, up to the next wait."""
        self._do(self._go)

    def _do(self, *acts: Callable[[], None]) -> None:
        """What is raised in a callback of the loop, nobody would hear of: it ends the dial, and so is told."""
        try:
            for act in acts:
                act()
        except Exception as error:  # noqa: BLE001 - a caller's own SSLContext may raise anything
            self.opening.abandon(monotonic(), error)
            self._go()

    def _go(self) -> None:
        opening = self.opening
        while (step := opening.next_step(monotonic())) != dialing.WATCH:
            if step == dialing.CONNECT:
                self._connect(opening.address)
            elif step == dialing.CLOSE:
                self._close(opening.address)
            else:
                self._stop_timer()
                if opening.connection is not None:
                    opening.connection.transport = opening.sockets[opening.address]
                self._ended(self)
                return
        if opening.wait_until != self._timer_at:
            self._stop_timer()
            self._timer_at = opening.wait_until
            self._timer = self._loop.call_later(max(0.0, self._timer_at - monotonic()), self._look_again)

    def give_up(self) -> None:
        """Closes everything; ``ended`` is called before this returns."""
        self.opening.abandon(monotonic())
        self.go()

    # What links tell

    def link_connected(self, link: Link, error: OSError | None) -> None:
        self._do(partial(self._learn_of_connect, link, error), self._go)

    def link_readable(self, link: Link) -> None:
        self._do(partial(self._receive_all, link), self._go)

    def link_writable(self, link: Link, taken: int) -> None:
        address = self._address_of[link]
        self.opening.handle_sent(address, taken)
        self._do(partial(self._flush, link, address), self._go)

    # Steps

    def _connect(self, address: Address) -> None:
        opening = self.opening
        try:
            link = self._new_link(self, address.family)
            opening.sockets[address] = link
            self._address_of[link] = address
            is_connected = link.connect(address, self._local)
        except OSError as error:
            opening.handle_failed_at_once(address, error, monotonic())
        else:
            if is_connected:
                self._connected(link, address)

    def _learn_of_connect(self, link: Link, error: OSError | None) -> None:
        address = self._address_of[link]
        if error is None:
            self._connected(link, address)
        else:
            self.opening.handle_failed(address, error, monotonic())

    def _connected(self, link: Link, address: Address) -> None:
        self.opening.handle_connected(address, monotonic())
        link.watch()
        self._flush(link, address)

    def _receive_all(self, link: Link) -> None:
        address = self._address_of[link]
        self._receive(link, address)
        while address in self.opening.attempts and link.has_failed():
            self._receive(link, address)
        self._flush(link, address)

    def _receive(self, link: Link, address: Address) -> None:
        try:
            data = link.receive()
        except BlockingIOError:
            return
        except OSError as error:
            self.opening.handle_failed(address, error, monotonic())
            return
        if data:
            self.opening.handle_data(address, data, monotonic())
        else:
            self.opening.handle_end(address, monotonic())

    def _flush(self, link: Link, address: Address) -> None:
        attempt = self.opening.attempts.get(address)
        data = b"" if attempt is None else attempt.channel.bytes_to_send()
        if not data:
            return
        try:
            self.opening.handle_sent(address, link.send(data))
        except BlockingIOError:
            link.wait_writable(data)
        except OSError as error:
            self.opening.handle_failed(address, error, monotonic())

    def _close(self, address: Address) -> None:
        # Without a link, socket() itself had failed.
        link = self.opening.sockets.get(address)
        if link is not None:
            link.close(self.opening.bytes_to_close())
        self.opening.handle_closed(address, monotonic())

    def _wake(self) -> None:
        # Without a timer it is not waiting: it has yet to begin, is about to look by itself, or has ended.
        if self._timer is not None:
            self._stop_timer()
            self._timer = self._loop.call_soon(self._look_again)

    def _look_again(self) -> None:
        self._timer = None
        self._timer_at = inf
        self.go()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._timer_at = inf
