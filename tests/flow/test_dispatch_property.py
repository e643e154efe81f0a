"""Whatever the runtime reports to a call, in whatever order: it ends, its verdict is true, and nothing is left over."""

from __future__ import annotations

import errno
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from smswire.errors import Sent
from smswire.flow import dialing
from smswire.flow.dispatch import (
    CLOSE,
    DIAL,
    DONE,
    DRAIN,
    LOOKUP,
    MAX_ATTEMPTS,
    PROBE,
    READ,
    WAIT,
    WRITE,
    Dispatch,
)
from smswire.flow.pool import Pool
from smswire.flow.retry import Outcome
from smswire.wire.message import Request

from .kit import A, Bell, Ledger, connection_of, new_pool
from .pool_world import PASSING, PERMANENT, REFUSED, UNREACHABLE

DEADLINE = 8.0
RESET = ConnectionResetError(errno.ECONNRESET, "reset")
BROKEN_PIPE = BrokenPipeError(errno.EPIPE, "Broken pipe")
STATUSES = [200, 200, 202, 302, 404, 408, 421, 429, 500, 503]
FIELDS = ["", "", "Connection: close\r\n", "Retry-After: 1\r\n", "Keep-Alive: timeout=1, max=1\r\n"]
NEWS = ["answer", "answer", "answer", "half", "interim", "junk", "end", "reset", "nothing", "late"]
# What the step's name promises of the next ones, beside CLOSE and DONE.
FOLLOWS = {
    WAIT: {WAIT, LOOKUP, DIAL, PROBE},
    LOOKUP: {WAIT, LOOKUP, DIAL, PROBE},
    DIAL: {PROBE, WAIT},
    PROBE: {PROBE, WRITE},
    WRITE: {WRITE, READ, DRAIN, WAIT},
    READ: {READ, WAIT},
    DRAIN: {DRAIN, WAIT},
    CLOSE: {WAIT, LOOKUP, DIAL, PROBE},
}


class Book:
    """What one attempt came to, by this side's own count: bytes taken, and the status of its complete answer."""

    def __init__(self) -> None:
        self.handed = 0
        self.status: int | None = None
        self.is_unknown = False

    @property
    def sent(self) -> Sent:
        if self.status is None:
            return Sent.MAYBE if self.handed or self.is_unknown else Sent.NO
        if 200 <= self.status <= 299:
            return Sent.YES
        return Sent.NO if 400 <= self.status <= 499 else Sent.MAYBE


class Runtime:
    """One call's runtime, which draws what its sockets say."""

    def __init__(self, pool: Pool, draw: Any, *, repeatable: bool) -> None:
        self.pool, self.draw = pool, draw
        self.now = 0.0
        self.outcome = Outcome()
        self.books: list[Book] = []
        self.bell = Bell()
        self.dispatch = Dispatch(
            pool,
            Request("POST", "/api/sms", [], b"to=49171&text=hi"),
            deadline=DEADLINE,
            signal=self.bell,
            draw=lambda: 0.5,
            outcome=self.outcome,
            repeatable=repeatable,
        )

    def run(self, give_up_at: int) -> None:
        step = self.dispatch.start(self.now)
        for count in range(200):
            if count == give_up_at:
                # Between WRITE and its report nobody knows what the system call took.
                if step == WRITE:
                    self.books[-1].is_unknown = True
                step = self.dispatch.abandon(self.now)
                assert step in (CLOSE, DIAL, DONE)
            if step == DONE:
                return
            before, step = step, self.do(step)
            assert step in FOLLOWS[before] | {CLOSE, DONE}, (before, step)
            if step == WRITE and before == PROBE:
                self.books.append(Book())
        raise AssertionError("the call does not end")

    def do(self, step: int) -> int:
        call = self.dispatch
        if step == WAIT:
            assert self.now < call.wait_until <= DEADLINE
            self.now = call.wait_until
            return call.next_step(self.now)
        if step == LOOKUP:
            return self.look_up()
        if step == DIAL:
            return self.dial()
        assert call.connection is not None
        assert call.connection in self.pool._busy
        if step == CLOSE:
            return call.handle_closed(self.now)
        if step == PROBE:
            news = self.draw(["nothing"] * 5 + ["end", "reset", "junk"], "probe")
            return self.say(step, news)
        if step == WRITE and self.draw([True, True, False], "writes"):
            return self.write()
        return self.say(step, self.draw(NEWS, "news"))

    def look_up(self) -> int:
        call = self.dispatch
        assert call.lookup is not None
        error = self.draw([None, None, PASSING, PERMANENT], "lookup")
        if error is None:
            self.pool.looked_up(call.lookup, [A], self.now)
        else:
            self.pool.lookup_failed(call.lookup, error)
        return call.next_step(self.now)

    def dial(self) -> int:
        call, opening = self.dispatch, self.dispatch.opening
        assert opening is not None
        while True:
            step = opening.next_step(self.now)
            if step == dialing.CLOSE:
                opening.handle_closed(opening.address, self.now)
            elif step == dialing.WATCH:
                news = self.draw(["connect"] * 4 + [REFUSED, UNREACHABLE, "late"], "dial")
                if news == "connect":
                    opening.handle_connected(A, self.now)
                elif news == "late":
                    self.now = opening.wait_until
                else:
                    opening.handle_failed(A, news, self.now)
            elif step == dialing.OPENED:
                assert opening.connection is not None
                return call.handle_opened(opening.connection, self.now)
            elif step == dialing.FAILED:
                return call.handle_not_opened(self.now)

    def write(self) -> int:
        call = self.dispatch
        assert call.connection is not None
        size = len(call.connection.channel.bytes_to_send())
        what = self.draw(["all", "all", "one", "block", "error"], "write")
        if what == "block":
            call.handle_would_block(self.now)
            self.now = self.draw([self.now, DEADLINE], "until")
            return call.next_step(self.now)
        if what == "error":
            return call.handle_error(BROKEN_PIPE, self.now)
        taken = size if what == "all" else 1
        self.books[-1].handed += taken
        return call.handle_sent(taken, self.now)

    def say(self, step: int, news: str) -> int:
        """What the socket brings; at WRITE it comes while the request waits to be taken."""
        call = self.dispatch
        if step == WRITE or news in ("nothing", "late"):
            next_step = call.handle_would_block(self.now)
            if step in (PROBE, DRAIN):
                return next_step
        if news in ("nothing", "late"):
            self.now = DEADLINE if news == "late" else min(DEADLINE, self.now + 1.0)
            return call.next_step(self.now)
        if news == "end":
            return call.handle_end(self.now)
        if news == "reset":
            return call.handle_error(RESET, self.now)
        if news == "junk":
            return call.handle_data(b"\x00\x00\r\n\r\n", self.now)
        if news == "interim":
            return call.handle_data(b"HTTP/1.1 102 Processing\r\n\r\n", self.now)
        status, field = self.draw(STATUSES, "status"), self.draw(FIELDS, "field")
        answer = f"HTTP/1.1 {status} X\r\n{field}Content-Length: 3\r\n\r\n100".encode()
        if news == "half":
            # Whole in two pieces, unless the deadline or the end comes between.
            step = call.handle_data(answer[:-2], self.now)
            if step not in (READ, WRITE, DRAIN):
                return step
            if self.draw([True, False], "cut"):
                return call.handle_end(self.now)
            answer = answer[-2:]
        if self.books[-1].handed:
            self.books[-1].status = status
        return call.handle_data(answer, self.now)


@given(st.data(), st.booleans(), st.integers(0, 3), st.booleans(), st.one_of(st.none(), st.integers(0, 25)))
def test_a_call_ends_with_a_true_verdict_and_leaves_nothing_behind(data, repeatable, idle, known, give_up_at):
    """The verdict is what this side's own count of bytes and answers says; only the caller's word repeats a MAYBE."""
    pacing = Ledger(limit=8, spacing=0.0)
    pool = new_pool(pacing, [A])
    for connection in [connection_of(pool) for _ in range(idle)]:
        pool.give(connection, 0.0)
    if not known:
        pool.addresses.replace([A], 0.0)
    runtime = Runtime(pool, lambda choices, label: data.draw(st.sampled_from(choices), label), repeatable=repeatable)
    runtime.run(-1 if give_up_at is None else give_up_at)
    call, outcome, verdicts = runtime.dispatch, runtime.outcome, [book.sent for book in runtime.books]
    event(f"{outcome.sent.name} after {len(verdicts)} requests")
    # A later NO does not take an earlier MAYBE back; a success outranks all.
    expected = next((sent for sent in (Sent.YES, Sent.MAYBE) if sent in verdicts), Sent.NO)
    assert outcome.sent is expected
    assert len(verdicts) <= outcome.attempts <= MAX_ATTEMPTS
    assert repeatable or Sent.MAYBE not in verdicts[:-1]
    assert Sent.YES not in verdicts[:-1]
    if give_up_at is None:
        assert (call.response is None) != (call.error is None)
    if call.error is not None:
        assert (call.response, call.error.sent, call.error.attempts) == (None, outcome.sent, outcome.attempts)
    if call.response is not None:
        assert call.response.status == outcome.status == runtime.books[-1].status
    stats = pool.stats()
    assert (call.connection, stats.busy, stats.dialling, stats.waiting) == (None, 0, 0, 0)
    for connection in pool.close():
        pool.drop(connection, runtime.now, dead=False)
    assert pool.is_at_rest
    assert pacing.stats(runtime.now).unsettled == 0
    assert len({grant for grant, _ in pacing.endings}) == len(pacing.endings)
