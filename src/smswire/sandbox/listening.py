"""Listening sockets, and the loop that accepts.

A connection is counted when ``accept()`` has returned it: the clock is read right after, before anything else is done
with it. Whatever the kernel has queued is accepted each time the listener is readable.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterable
from typing import Any

# More than any test opens at once; the kernel cuts it to its own limit (net.core.somaxconn).
BACKLOG = 1024

# Accepting goes on so long after the process ran out of descriptors or memory.
RETRY_ACCEPT_SECONDS = 0.05


class Listener:
    """Accepts all there is on one listening socket, whenever there is something.

    Args:
        take: called with each accepted socket, its far end's address, and the time right after ``accept()``.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sock: socket.socket,
        clock: Callable[[], float],
        take: Callable[[socket.socket, Any, float], None],
    ) -> None:
        self._loop = loop
        self._socket = sock
        self._clock = clock
        self._take = take
        self._retry: asyncio.TimerHandle | None = None
        self._watch()

    def close(self) -> None:
        """Stop listening."""
        if self._retry is not None:
            self._retry.cancel()
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _watch(self) -> None:
        self._loop.add_reader(self._socket, self.accept_all)

    def accept_all(self) -> None:
        """Accept everything that waits; called whenever the socket is readable."""
        while True:
            try:
                sock, address = self._socket.accept()
                now = self._clock()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # that one is gone, the next may be well (ECONNABORTED, accept(2))
            except OSError:  # EMFILE, ENFILE, ENOBUFS, ENOMEM: the queue stays readable, so the loop must not look
                self._loop.remove_reader(self._socket)
                self._retry = self._loop.call_later(RETRY_ACCEPT_SECONDS, self._watch)
                return
            sock.setblocking(False)
            self._take(sock, address, now)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens on the first address of ``host``.

    Raises:
        OSError: it cannot; the error says on which host and port.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(address)
            sock.listen(BACKLOG)
            sock.setblocking(False)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise type(error)(error.errno, f"cannot listen on {host}, port {port}: {error.strerror}") from error
    return sock


def listening_on(host: str, ports: Iterable[tuple[str, int]]) -> list[tuple[str, socket.socket]]:
    """A listening socket for each named port, or none at all.

    Raises:
        OSError: one of them cannot be listened on.
    """
    with contextlib.ExitStack() as opened:
        sockets = [(name, opened.enter_context(listening(host, port))) for name, port in ports]
        opened.pop_all()
    return sockets
