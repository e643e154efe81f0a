"""The accept loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import resource
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from smswire.sandbox.listening import Listener, listening


def test_whatever_is_queued_is_accepted_in_one_go() -> None:
    """Each with its own time, right after its accept."""
    times = iter(range(100))
    taken: list[tuple[float, Any]] = []

    def take(sock: socket.socket, address: Any, now: float) -> None:
        taken.append((now, address))
        sock.close()

    async def accept() -> None:
        with listening("127.0.0.1", 0) as sock:
            clients = [socket.create_connection(sock.getsockname()) for _ in range(60)]
            listener = Listener(asyncio.get_running_loop(), sock, lambda: float(next(times)), take)
            while not taken:
                await asyncio.sleep(0)
            listener.close()
            assert taken == [(float(number), client.getsockname()) for number, client in enumerate(clients)]
            for client in clients:
                client.close()

    asyncio.run(accept())


def test_a_place_that_cannot_be_listened_on_is_named() -> None:
    """Address and port: one of several may be at fault."""
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1, port {port}: ") as caught:
            listening("127.0.0.1", port)
        assert caught.value.errno == errno.EADDRINUSE


@contextlib.contextmanager
def no_descriptor_left() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("is_closed_meanwhile", [False, True])
def test_without_descriptors_accepting_is_taken_up_again_later(is_closed_meanwhile: bool) -> None:
    """Nothing is lost, and the loop does not spin in the meantime; a closed listener does not come back."""
    taken: list[socket.socket] = []

    async def accept() -> None:
        with listening("127.0.0.1", 0) as sock, socket.create_connection(sock.getsockname()):
            loop = asyncio.get_running_loop()
            listener = Listener(loop, sock, loop.time, lambda accepted, address, now: taken.append(accepted))
            with no_descriptor_left():
                listener.accept_all()
            assert not loop.remove_reader(sock)
            while not taken and not is_closed_meanwhile:
                await asyncio.sleep(0)
            listener.close()

    asyncio.run(accept())
    assert len(taken) == (not is_closed_meanwhile)
    for sock in taken:
        sock.close()
