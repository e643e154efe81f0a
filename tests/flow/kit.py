"""What the tests of flow share: real pools, pacing and channels, the runtime's part played by hand in virtual time.

Nothing here stands in for a part of ours. ``Peer`` is the far end of a TLS handshake: OpenSSL as the server.
"""

from __future__ import annotations

import math
import socket
import ssl
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import trustme

from smswire.flow.connection import Connection
from smswire.flow.dialing import CLOSE, CONNECT, OPENED, WATCH, Address, Opening
from smswire.flow.pacing import Grant, Pacing, Waker
from smswire.flow.pool import Pool, Waiter
from smswire.wire.channel import Channel
from smswire.wire.tls import TLS

A, B, C = (Address(socket.AF_INET, ("127.0.0.1", port)) for port in (8001, 8002, 8003))
V6 = Address(socket.AF_INET6, ("::1", 8001, 0, 0))
HOST = "gateway.test"


class Ledger(Pacing):
    """The pacing rule, and a list of what it was told of each grant."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.endings: list[tuple[Grant, str]] = []

    def settle(self, grant: Grant, now: float) -> list[Waker]:
        self.endings.append((grant, "settle"))
        return super().settle(grant, now)

    def abandon(self, grant: Grant, now: float) -> list[Waker]:
        self.endings.append((grant, "abandon"))
        return super().abandon(grant, now)

    def give_back(self, grant: Grant) -> list[Waker]:
        self.endings.append((grant, "give_back"))
        return super().give_back(grant)

    def told(self) -> list[str]:
        return [ending for _, ending in self.endings]


class Bell:
    """A signal: what a waiting call is woken by."""

    def __init__(self) -> None:
        self.rung = False

    def arm(self) -> None:
        self.rung = False

    def wake(self) -> None:
        self.rung = True


def new_pool(
    pacing: Pacing | None = None,
    addresses: Iterable[Address] = (A,),
    *,
    tls: TLS | None = None,
    new_channel: Callable[[], Channel] | None = None,
    draw: Callable[[], float] = lambda: 0.5,
    **options: Any,
) -> Pool:
    """A pool that knows its addresses for good, unless there are none."""
    make = new_channel or (lambda: Channel(HOST, tls=tls))
    pool = Pool(Ledger(spacing=0.0) if pacing is None else pacing, make, draw, **options)
    addresses = list(addresses)
    if addresses:
        pool.addresses.replace(addresses, math.inf)
    return pool


def ledger(pool: Pool) -> Ledger:
    assert isinstance(pool._pacing, Ledger)
    return pool._pacing


def joined(pool: Pool, now: float = 0.0) -> tuple[Waiter, Bell]:
    """A call that waits in the queue."""
    bell = Bell()
    waiter = Waiter(bell.wake)
    assert pool.join(waiter, now) is None
    return waiter, bell


def dialled(pool: Pool, now: float = 0.0, waiter: Waiter | None = None) -> Opening:
    """The opening the pool grants now; without a waiter it is the pool's own."""
    opening = pool.dial(now, waiter)
    assert isinstance(opening, Opening), opening
    return opening


def opened_plain(opening: Opening, now: float, round_trip: float = 0.0) -> Connection:
    """Connects an opening's first address over plain http, ``round_trip`` after its start."""
    assert opening.next_step(now) == CONNECT
    opening.handle_connected(opening.address, now + round_trip)
    assert opening.next_step(now + round_trip) == OPENED
    assert opening.connection is not None
    return opening.connection


def connection_of(pool: Pool, now: float = 0.0, round_trip: float = 0.0) -> Connection:
    """A connection in hand, dialled by a call of its own."""
    waiter, _ = joined(pool, now)
    opening = dialled(pool, now, waiter)
    connection = opened_plain(opening, now, round_trip)
    assert pool.opened(opening, connection, now + round_trip) is connection
    return connection


def closed_to_the_end(opening: Opening, now: float) -> tuple[list[Address], int]:
    """Does each ``CLOSE`` an opening asks for; returns the addresses closed, and the step after."""
    addresses = []
    while (step := opening.next_step(now)) == CLOSE:
        addresses.append(opening.address)
        opening.handle_closed(opening.address, now)
    return addresses, step


def racing(opening: Opening, now: float, count: int) -> float:
    """Lets an opening start ``count`` addresses that do not answer; returns the time of the last start."""
    assert opening.next_step(now) == CONNECT
    for _ in range(count - 1):
        assert opening.next_step(now) == WATCH
        now = opening.wait_until
        assert opening.next_step(now) == CONNECT
    return now


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def client_tls(name: str = HOST) -> TLS:
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return TLS(context, name)


@cache
def server_context(name: str = HOST) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority().issue_cert(name).configure_cert(context)
    return context


class Peer:
    """A TLS server without a socket: takes what a channel sends, gives what it answers."""

    def __init__(self, name: str = HOST) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = server_context(name).wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._established = False

    def receive(self, data: bytes) -> bytes:
        self._incoming.write(data)
        try:
            if not self._established:
                self._object.do_handshake()
                self._established = True
            while self._object.read(65_536):
                pass
        except ssl.SSLError:
            pass
        return self._outgoing.read()

    def close_notify(self) -> bytes:
        with suppress(ssl.SSLWantReadError):
            self._object.unwrap()
        return self._outgoing.read()


def exchange(opening: Opening, address: Address, peer: Peer, now: float) -> bool:
    """Carries what the channel has to send to its peer, and the answer back; says whether there was one."""
    data = bytes(opening.attempts[address].channel.bytes_to_send())
    opening.handle_sent(address, len(data))
    answer = peer.receive(data)
    if answer:
        opening.handle_data(address, answer, now)
    return bool(answer)
