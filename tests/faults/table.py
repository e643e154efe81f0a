"""The whole table, and what of the project's list of faults is not in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from . import bodies, closing, connecting, emitting, framing, handshakes, slow
from .case import Case

CASES: Final[Sequence[Case]] = [
    case for part in (connecting, handshakes, closing, slow, framing, bodies, emitting) for case in part.CASES
]

#: Faults that the list names and no row stands for.
ELSEWHERE: Final[Mapping[int, str]] = {
    16: "a call ends while its lookup goes on and others wait for it: test_lives.py",
    17: "addresses are not judged: whoever gives the origin, or resolve=, decides where it leads",
    22: "self-signed is an unknown authority (23)",
    24: "an incomplete chain is an unknown authority (23): OpenSSL fetches nothing",
    26: "revocation is not checked, and docs/security.md says so",
    43: "certificates are not pinned; an SSLContext of the caller's may trust one only",
    46: "a file of trust that is missing, empty or no PEM is a ConfigurationError: tests/net/test_trust.py",
    47: "fifty threads that want the trust store at once: test_lives.py",
    54: "close never waits for the far end: test_lives.py",
    59: "an idle connection retires after 2.5 s, before a NAT forgets it: tests/flow/test_connection.py",
    68: "what decides is told the time, and reads no clock: tests/test_layers.py",
    69: "what died in a suspension is found by the probe: tests/net/test_sent.py",
    70: "a loop that was blocked: tests/net/test_async.py",
    79: "bytes ahead of a request are poison to the probe: tests/wire/test_states.py",
    123: "names of hosts are judged as an origin is read: tests/net/test_origin.py",
    124: "an origin with user information is refused: tests/net/test_origin.py",
    126: "ports and zones: tests/net/test_origin.py",
    132: "JSON that must not be believed: tests/codec, tests/gateway/test_answer.py",
    **dict.fromkeys(range(134, 143), "there are no proxies"),
    143: "a cancel at every wait: tests/net/test_async.py, tests/simulation",
    146: "FIFO: tests/net/test_queue.py, tests/simulation",
    147: "at every line of the runtimes: tests/net/test_interrupts_everywhere.py; not within the core",
    149: "close with calls under way: tests/net/test_client_close.py",
    150: "use after close: tests/net/test_client_close.py",
    151: "fork: tests/net/test_fork.py",
    153: "the end of the interpreter with everything open: tests/net/test_interpreter_end.py",
    154: "memory and descriptors over a million requests: tests/soak",
    155: "a client has one origin and one trust, and shares no connection: tests/net/test_origin.py",
}
