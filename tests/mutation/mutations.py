"""Ways to break the core, each a change of one place, and the tests that must notice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple


class Mutation(NamedTuple):
    """``old`` stands exactly once in ``file`` (under ``src/smswire``), and becomes ``new``."""

    name: str
    file: str
    old: str
    new: str
    tests: str


MUTATIONS: Final[Sequence[Mutation]] = [
    # What an outcome means
    Mutation(
        "a MAYBE is tried again",
        "flow/retry.py",
        "not fails_again and (not handed or repeatable)",
        "not fails_again",
        "tests/flow/test_retry.py tests/net/test_sent.py",
    ),
    Mutation(
        "a 5xx is taken for a refusal",
        "flow/retry.py",
        "400 <= status <= 499",
        "400 <= status <= 599",
        "tests/flow/test_retry.py",
    ),
    Mutation(
        "a 408 that keeps the connection is tried again",
        "flow/retry.py",
        "(status == 408 and not reusable)",
        "status == 408",
        "tests/flow/test_retry.py",
    ),
    Mutation(
        "what fails for good is tried again",
        "flow/retry.py",
        "error.permanent if isinstance(error, NetworkError)",
        "False if isinstance(error, NetworkError)",
        "tests/flow/test_retry.py tests/faults/test_cases.py",
    ),
    Mutation(
        "a call may make any number of attempts",
        "flow/dispatch.py",
        "outcome.attempts < MAX_ATTEMPTS",
        "outcome.attempts < 99",
        "tests/flow/test_dispatch.py",
    ),
    Mutation(
        "a call backs off beyond its deadline",
        "flow/dispatch.py",
        "if now + delay < self._deadline:",
        "if delay < self._deadline:",
        "tests/flow/test_dispatch.py tests/flow/test_dispatch_property.py",
    ),
    Mutation(
        "a call given up says NO though its request had left",
        "flow/dispatch.py",
        "Verdict(_MAYBE if self._has_handed() else _NO, again=False)",
        "Verdict(_NO, again=False)",
        "tests/flow/test_dispatch.py tests/net/test_client_close.py",
    ),
    Mutation(
        "bytes on their way to the kernel are not counted",
        "flow/dispatch.py",
        "return self._unaccounted or (",
        "return (",
        "tests/flow tests/net/test_interrupts_everywhere.py",
    ),
    # The probe
    Mutation(
        "the probe is left out",
        "flow/dispatch.py",
        "        self._state = PROBE\n        return PROBE",
        "        return self._begin(now)",
        "tests/flow/test_dispatch.py tests/net/test_sent.py",
    ),
    Mutation(
        "a connection found dead costs an attempt",
        "flow/dispatch.py",
        "        if self.connection.has_rested:\n            # After a restart",
        "        if False:\n            # After a restart",
        "tests/flow/test_dispatch.py tests/net/test_sent.py",
    ),
    Mutation(
        "a call whose connection was dead goes to the end of the queue",
        "flow/dispatch.py",
        "return self._acquire(now, head=True)",
        "return self._acquire(now, head=False)",
        "tests/flow/test_dispatch.py tests/flow/test_dispatch_property.py",
    ),
    # The pool
    Mutation(
        "a call cancelled while it waits for the answer leaks its connection",
        "flow/dispatch.py",
        "if state in (PROBE, WRITE, READ, DRAIN):",
        "if state in (PROBE, WRITE, DRAIN):",
        "tests/flow/test_dispatch.py tests/net/test_async.py",
    ),
    Mutation(
        "a connection granted to a call that left is lost",
        "flow/pool.py",
        "            if self._holds(connection, waiter):\n                self._offer(connection, now)",
        "            pass",
        "tests/flow/test_pool.py tests/flow/test_pool_machine.py",
    ),
    Mutation(
        "the last in the queue is served first",
        "flow/pool.py",
        "            waiter = next(iter(self._waiting))\n            # One that has",
        "            waiter = next(reversed(self._waiting))\n            # One that has",
        "tests/flow/test_pool.py",
    ),
    Mutation(
        "openings do not count toward the most connections",
        "flow/pool.py",
        "len(self._idle) + len(self._busy) + len(self._openings) < self.max_connections",
        "len(self._idle) + len(self._busy) < self.max_connections",
        "tests/flow/test_pool.py tests/flow/test_pool_machine.py",
    ),
    Mutation(
        "a permanent failure is told to one caller only",
        "flow/pool.py",
        "            waiters = list(self._waiting)\n",
        "            pass\n",
        "tests/flow/test_pool.py",
    ),
    Mutation(
        "one request more than a connection carries",
        "flow/connection.py",
        "self.requests_left <= 0",
        "self.requests_left < 0",
        "tests/flow/test_connection.py tests/flow/test_pool.py",
    ),
    Mutation(
        "idle time is not counted",
        "flow/connection.py",
        "now >= self.idle_until or ",
        "",
        "tests/flow/test_connection.py tests/flow/test_pool.py",
    ),
    Mutation(
        "the server's Keep-Alive is not heard",
        "flow/connection.py",
        "if channel.says_keep_alive:",
        "if False:",
        "tests/flow/test_connection.py tests/net/test_reuse.py",
    ),
    Mutation(
        "a host that moved is asked for at its old address",
        "flow/pool.py",
        "            self.addresses.doubt()\n",
        "            pass\n",
        "tests/flow/test_pool.py",
    ),
    # The pacing rule
    Mutation(
        "an opening settles as TCP connects",
        "flow/dialing.py",
        "        attempt.is_connected = True\n",
        "        attempt.is_connected = True\n        self._settle(attempt, now)\n",
        "tests/flow/test_dialing.py",
    ),
    Mutation(
        "an opening given up is forgotten at once",
        "flow/pacing.py",
        "        self._unsettled.remove(grant)\n        self._abandoned.append(now + self.lag + self.window",
        "        self._unsettled.remove(grant)\n        self._abandoned.append(now + self.window",
        "tests/flow/test_pacing.py",
    ),
    Mutation(
        "the margin is forgotten",
        "flow/pacing.py",
        "self._settled.append(now + self.window + self.margin)",
        "self._settled.append(now + self.window)",
        "tests/flow/test_pacing.py",
    ),
    Mutation(
        "openings are not spaced",
        "flow/pacing.py",
        "time = self._last + self.spacing",
        "time = self._last",
        "tests/flow/test_pacing.py",
    ),
    Mutation(
        "a grant given back is lost",
        "flow/pacing.py",
        "        self._settled.appendleft(-math.inf)\n",
        "",
        "tests/flow/test_pacing.py",
    ),
    Mutation(
        "pools pass one another",
        "flow/pacing.py",
        "                next(times)\n                lapse = named + LAPSE",
        "                pass",
        "tests/flow/test_pacing.py",
    ),
    Mutation(
        "a child of a fork begins with free slots",
        "flow/pacing.py",
        "deque([self._now + self.window + self.margin] * self.limit)",
        "deque([-math.inf] * self.limit)",
        "tests/flow/test_pacing.py",
    ),
    # What was handed over, and where an answer ends
    Mutation(
        "part of a record counts as sent",
        "wire/tls.py",
        "while marks and marks[0][0] <= self._taken:",
        "while marks and marks[0][0] - RECORD_BYTES <= self._taken:",
        "tests/wire/test_handed.py",
    ),
    Mutation(
        "a last word follows half a record",
        "wire/tls.py",
        "        if self.handed < self._written:\n            return\n",
        "        if False:\n            return\n",
        "tests/wire",
    ),
    Mutation(
        "an end without close_notify ends a body",
        "wire/channel.py",
        "self._end(is_orderly=isinstance(self._transport, _Plain))",
        "self._end(is_orderly=True)",
        "tests/wire",
    ),
    Mutation(
        "an answer is taken before anything was asked",
        "wire/channel.py",
        "        if not self._transport.handed:\n            raise ProtocolError",
        "        if False:\n            raise ProtocolError",
        "tests/wire",
    ),
    Mutation(
        "a connection is used again whose request had not left whole",
        "wire/channel.py",
        "exchange.is_reusable and self.fully_handed",
        "exchange.is_reusable",
        "tests/wire tests/net/test_reuse.py",
    ),
    Mutation(
        "what is left over behind an answer is forgotten",
        "wire/general.py",
        "not head.framing.is_odd and not has_leftover and",
        "not head.framing.is_odd and",
        "tests/wire",
    ),
    Mutation(
        "a connection is used again after Connection: close",
        "wire/general.py",
        " and self._reader.our_state is h11.DONE",
        "",
        "tests/wire/test_door.py",
    ),
    # Secrets
    Mutation(
        "the key shows in a repr",
        "gateway/auth.py",
        "return f\"Auth('***', style={self.style!r})\"",
        'return f"Auth({self._key!r}, style={self.style!r})"',
        "tests/gateway/test_auth.py tests/net/test_secrecy.py",
    ),
]
