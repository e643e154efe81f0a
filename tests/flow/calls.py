"""A call brought to each of its steps, by the runtime's part played by hand over plain http."""

from __future__ import annotations

import math

from smswire.errors import Sent
from smswire.flow import dialing
from smswire.flow.connection import Connection
from smswire.flow.dispatch import CLOSE, DIAL, DONE, DRAIN, LOOKUP, PROBE, READ, WAIT, WRITE, Dispatch
from smswire.flow.pool import Pool
from smswire.flow.retry import Outcome
from smswire.wire.message import Request

from .kit import Bell, connection_of, new_pool

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n100"
BUSY = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
BROKEN_PIPE = BrokenPipeError(32, "Broken pipe")
DEADLINE = 30.0


class Call:
    """One dispatch with its signal and outcome; ``step`` is the step it is at."""

    def __init__(self, pool: Pool, *, repeatable: bool = False, now: float = 0.0) -> None:
        self.pool = pool
        self.bell = Bell()
        self.outcome = Outcome()
        self.dispatch = Dispatch(
            pool,
            Request("POST", "/api/sms", [], b"to=49171"),
            deadline=DEADLINE,
            signal=self.bell,
            draw=lambda: 0.0,
            outcome=self.outcome,
            repeatable=repeatable,
        )
        self.step = self.dispatch.start(now)

    @property
    def connection(self) -> Connection:
        assert self.dispatch.connection is not None
        return self.dispatch.connection

    def next(self, now: float) -> int:
        self.step = self.dispatch.next_step(now)
        return self.step

    def dial(self, now: float) -> int:
        """Opens a connection, as far as the probe before its first request."""
        assert self.step == DIAL
        opening = self.dispatch.opening
        assert opening is not None
        assert opening.next_step(now) == dialing.CONNECT
        opening.handle_connected(opening.address, now)
        assert opening.next_step(now) == dialing.OPENED
        assert opening.connection is not None
        self.step = self.dispatch.handle_opened(opening.connection, now)
        return self.step

    def send(self, now: float, count: int | None = None) -> int:
        """Probes, and hands ``count`` bytes of the request over: all of them unless told."""
        if self.step == DIAL:
            self.dial(now)
        if self.step == PROBE:
            self.step = self.dispatch.handle_would_block(now)
        assert self.step == WRITE
        size = len(self.connection.channel.bytes_to_send())
        self.step = self.dispatch.handle_sent(size if count is None else count, now)
        return self.step

    def receive(self, data: bytes, now: float) -> int:
        self.step = self.dispatch.handle_data(data, now) if data else self.dispatch.handle_end(now)
        return self.step

    def error(self, error: OSError, now: float) -> int:
        self.step = self.dispatch.handle_error(error, now)
        return self.step

    def would_block(self, now: float) -> int:
        self.step = self.dispatch.handle_would_block(now)
        return self.step

    def closed(self, now: float) -> int:
        assert self.step == CLOSE
        self.step = self.dispatch.handle_closed(now)
        return self.step

    def finish(self, now: float) -> None:
        """After ``abandon``: closes what it says, which is all it may ask for."""
        for _ in range(10):
            if self.step == CLOSE:
                self.closed(now)
            elif self.step == DIAL:
                opening = self.dispatch.opening
                assert opening is not None
                while opening.next_step(now) == dialing.CLOSE:
                    opening.handle_closed(opening.address, now)
                assert opening.next_step(now) == dialing.FAILED
                self.step = self.dispatch.handle_not_opened(now)
        assert self.step == DONE


def to_queue() -> Call:
    pool = new_pool(max_connections=1)
    connection_of(pool)
    call = Call(pool)
    assert (call.step, call.dispatch.wait_until) == (WAIT, DEADLINE)
    return call


def to_grant() -> Call:
    call = to_queue()
    (connection,) = call.pool._busy
    call.pool.give(connection, 0.0)
    assert call.bell.rung
    return call


def to_lookup() -> Call:
    call = Call(new_pool(addresses=[]))
    assert call.step == LOOKUP
    return call


def to_dial() -> Call:
    call = Call(new_pool())
    assert call.step == DIAL
    return call


def to_connect() -> Call:
    call = to_dial()
    assert call.dispatch.opening is not None
    assert call.dispatch.opening.next_step(0.0) == dialing.CONNECT
    return call


def to_probe() -> Call:
    call = to_dial()
    assert call.dial(0.0) == PROBE
    return call


def to_write() -> Call:
    call = to_probe()
    assert call.would_block(0.0) == WRITE
    return call


def to_blocked_write() -> Call:
    call = to_write()
    assert call.would_block(0.0) == WRITE
    return call


def to_partial_write() -> Call:
    call = to_write()
    assert call.send(0.0, 10) == WRITE
    assert call.would_block(0.0) == WRITE
    return call


def to_read() -> Call:
    call = to_write()
    assert call.send(0.0) == READ
    return call


def to_drain() -> Call:
    call = to_blocked_write()
    assert call.error(BROKEN_PIPE, 0.0) == DRAIN
    return call


def to_partial_drain() -> Call:
    call = to_partial_write()
    assert call.error(BROKEN_PIPE, 0.0) == DRAIN
    return call


def to_backoff() -> Call:
    call = to_read()
    assert call.receive(BUSY, 0.0) == WAIT
    return call


def to_maybe_backoff() -> Call:
    call = Call(new_pool(), repeatable=True)
    call.send(0.0)
    assert call.receive(b"", 0.0) == CLOSE
    assert call.closed(0.0) == WAIT
    return call


def to_broken_close() -> Call:
    call = to_read()
    assert call.receive(b"", 0.0) == CLOSE
    return call


def to_stale_close() -> Call:
    pool = new_pool()
    connection = connection_of(pool)
    connection.requests = 1
    pool.give(connection, 0.0)
    call = Call(pool)
    assert call.receive(b"", 0.0) == CLOSE
    return call


def to_answered_close() -> Call:
    call = to_read()
    assert call.receive(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", 0.0) == CLOSE
    return call


def to_done() -> Call:
    call = to_read()
    assert call.receive(OK, 0.0) == DONE
    return call


PLACES = {
    "queue": (to_queue, Sent.NO),
    "grant": (to_grant, Sent.NO),
    "lookup": (to_lookup, Sent.NO),
    "dial": (to_dial, Sent.NO),
    "connect": (to_connect, Sent.NO),
    "probe": (to_probe, Sent.NO),
    "write": (to_write, Sent.MAYBE),  # what the system call took is not known
    "blocked write": (to_blocked_write, Sent.NO),
    "partial write": (to_partial_write, Sent.MAYBE),
    "read": (to_read, Sent.MAYBE),
    "drain": (to_drain, Sent.NO),
    "partial drain": (to_partial_drain, Sent.MAYBE),
    "backoff": (to_backoff, Sent.NO),
    "maybe backoff": (to_maybe_backoff, Sent.MAYBE),
    "stale close": (to_stale_close, Sent.NO),
    "broken close": (to_broken_close, Sent.MAYBE),
    "answered close": (to_answered_close, Sent.YES),
    "done": (to_done, Sent.YES),
}
assert math.isfinite(DEADLINE)
