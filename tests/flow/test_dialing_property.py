"""Whatever happens to an opening's sockets, in whatever order: each is closed once, each grant ends once, it ends."""

from __future__ import annotations

import errno
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from smswire.flow.dialing import CLOSE, CONNECT, FAILED, FAR_END_ERRORS, OPENED, WATCH, Address, Opening
from smswire.flow.pacing import Grant
from smswire.flow.pool import Pool

from .kit import HOST, A, B, C, Ledger, Peer, client_tls, dialled, exchange, joined, new_pool

AT_ONCE = ["pending"] * 5 + ["connected", errno.ECONNREFUSED, errno.ENETUNREACH, errno.EMFILE]
EVENTS = ["nothing", "connect", "connect", "bytes", "bytes", "junk", "end", "abandon", "too late"]
EVENTS += [errno.ECONNREFUSED, errno.ECONNRESET, errno.ETIMEDOUT, errno.EHOSTUNREACH]


class Sockets:
    """The runtime of one opening, and the far ends of its sockets; it checks every step it is told."""

    def __init__(self, pool: Pool, opening: Opening, names: list[str], at_once: Any) -> None:
        self.pool, self.opening, self.at_once = pool, opening, at_once
        self.peers = dict(zip((A, B, C), map(Peer, names), strict=True))
        self.now = 0.0
        self.grants: dict[Address, Grant] = {}
        self.endings: dict[Address, str] = {}
        self.open: set[Address] = set()
        self.closed: list[Address] = []

    def settle(self, address: Address) -> None:
        self.endings.setdefault(address, "settle")

    def run(self) -> int:
        """Does what the opening says, up to WATCH or its end."""
        opening = self.opening
        while True:
            step = opening.next_step(self.now)
            assert step == CONNECT or opening.next_step(self.now) == step
            if step == CONNECT:
                self.connect(opening.address)
            elif step == CLOSE:
                opening.bytes_to_close()
                self.open.remove(opening.address)
                self.closed.append(opening.address)
                self.endings.setdefault(opening.address, "abandon")
                opening.handle_closed(opening.address, self.now)
            else:
                assert set(opening.attempts) == self.open
                assert step != WATCH or self.now < opening.wait_until <= 5.0
                return step

    def connect(self, address: Address) -> None:
        opening = self.opening
        assert address not in self.grants
        grant = opening.attempts[address].grant
        assert grant is not None
        assert grant not in self.grants.values()
        assert grant.at == self.now or len(self.grants) == 0
        self.grants[address] = grant
        self.open.add(address)
        outcome = self.at_once()
        if outcome == "connected":
            opening.handle_connected(address, self.now)
        elif isinstance(outcome, int):
            self.endings[address] = "settle" if outcome in FAR_END_ERRORS else "give_back"
            opening.handle_failed_at_once(address, OSError(outcome, "x"), self.now)

    def happen(self, event: Any, index: int) -> None:
        opening, addresses = self.opening, list(self.opening.attempts)
        if event == "abandon":
            opening.abandon(self.now)
        elif event == "too late":
            self.now = max(self.now, 5.0)
        if event in ("nothing", "abandon", "too late") or not addresses:
            return
        address = addresses[index % len(addresses)]
        attempt = opening.attempts[address]
        if isinstance(event, int):
            if event in FAR_END_ERRORS:
                self.settle(address)
            opening.handle_failed(address, OSError(event, "x"), self.now)
        elif not attempt.is_connected:
            opening.handle_connected(address, self.now)
        elif event == "bytes":
            if not attempt.channel.established and exchange(opening, address, self.peers[address], self.now):
                self.settle(address)
        elif event == "junk":
            self.settle(address)
            opening.handle_data(address, b"HTTP/1.1 503 Busy\r\n\r\n", self.now)
        elif event == "end":
            self.settle(address)
            opening.handle_end(address, self.now)


@given(st.data(), st.booleans(), st.integers(1, 3), st.sampled_from([1, 2, 8]))
def test_every_socket_is_closed_once_and_every_grant_ends_once(data, secure, count, limit):
    """Connects, bytes, junk, ends, errors and giving up in any order end in OPENED or FAILED, nothing left over."""
    pacing = Ledger(limit=limit, spacing=0.0)
    pool = new_pool(pacing, [A, B, C][:count], tls=client_tls() if secure else None)
    joined(pool)
    opening = dialled(pool)
    names = data.draw(st.lists(st.sampled_from([HOST, HOST, "other.test"]), min_size=3, max_size=3), label="names")
    sockets = Sockets(pool, opening, names, lambda: data.draw(st.sampled_from(AT_ONCE), label="connect"))
    events = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 2), st.floats(0, 0.4)), max_size=20)
    for event, index, seconds in data.draw(events, label="events"):
        if sockets.run() != WATCH:
            break
        sockets.now += seconds
        sockets.happen(event, index)
        assert pacing.stats(sockets.now).unsettled <= limit
    while (step := sockets.run()) == WATCH:
        sockets.now = opening.wait_until
    assert sockets.now <= 6.0
    assert sockets.closed == list(dict.fromkeys(sockets.closed))
    told = dict(pacing.endings)
    assert len(told) == len(pacing.endings)
    expected = {sockets.grants[address]: ending for address, ending in sockets.endings.items()}
    unused = {grant: "give_back" for grant in told if grant not in sockets.grants.values()}
    assert len(unused) <= 1
    assert told == expected | unused
    if step == OPENED:
        connection = opening.connection
        assert connection is not None
        assert sockets.open == {opening.address} == {connection.address}
        assert connection.channel.established
        assert (connection.grant is None) == (sockets.grants[opening.address] in told)
        pool.opened(opening, connection, sockets.now)
    else:
        assert step == FAILED
        assert sockets.open == set()
        assert opening.error is not None
        assert opening.connection is None
        assert pacing.stats(sockets.now).unsettled == 0
        pool.failed(opening, opening.error)
        assert pool.addresses._unsettled == {}
    assert pool.stats().dialling == 0
