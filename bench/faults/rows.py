"""The faults: what the server does, byte by byte, and which call it is about.

The server is the one that the tests use (``tests/net/raw.py``; ``tests/wire/key_update.py`` makes records by hand).
What peers meet here, smswire meets there in two hundred more ways. A message has a number, and its answer says the same
number. Only the first connection has the fault; any other is answered as it should be.
"""

from __future__ import annotations

import re
import ssl
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final

from tests.net.raw import Handler, Peer, RawServer
from tests.wire.key_update import ServerKeys

from ..nginx import write_certificates

WITHIN_S: Final = 20.0
IDLE_S: Final = 0.2
"""What came to an idle connection has been there for so long when the next call begins."""
ANOTHERS: Final = "another's answer"
SLOTS: Final = 10
CHURN: Final = 300
HELD_FROM: Final = 1000
"""Messages of this number and above are answered when as many as there are slots have arrived."""
HELD_S: Final = 1.5


def own(number: int) -> str:
    return f"answer to message {number}"


def response(body: str, *fields: str) -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *fields, "", body]).encode("latin-1")


def number_of(request: bytes) -> int:
    """The number of a message.

    >>> number_of(b"POST /api/sms HTTP/1.1\\r\\nContent-Length: 10\\r\\n\\r\\nmessage=17")
    17
    """
    found = re.search(rb"message=(\d+)$", request)
    assert found is not None, request
    return int(found[1])


class Stage:
    """One row with one client: its server's state.

    Attributes:
        saw: connection and number of each message, in the order of arrival.
        may_go, gone: for what happens to an idle connection: when it may, and that it has.
        at_once: the most messages that were held at the same time.
    """

    def __init__(self, keys: Callable[[], str]) -> None:
        self.saw: list[tuple[int, int]] = []
        self.may_go, self.gone = threading.Event(), threading.Event()
        self.at_once = 0
        self._keys = keys
        self._lock = threading.Lock()
        self._held = 0
        self._all_held = threading.Event()

    def next_message(self, peer: Peer) -> int | None:
        request = peer.read_request()
        if request is None:
            return None
        self.saw.append((peer.number, number_of(request)))
        return self.saw[-1][1]

    def answer_all(self, peer: Peer) -> None:
        while (number := self.next_message(peer)) is not None:
            peer.send(response(own(number)))

    def idle(self) -> Iterator[None]:
        """Waits until the connection is idle; to be iterated over once, around what is done to it then."""
        self.may_go.wait(WITHIN_S)
        yield
        self.gone.set()

    def hold(self) -> None:
        with self._lock:
            self._held += 1
            self.at_once = max(self.at_once, self._held)
        if self._held >= SLOTS:
            self._all_held.set()
        self._all_held.wait(HELD_S)
        with self._lock:
            self._held -= 1

    def server_keys(self) -> ServerKeys:
        return ServerKeys.of(self._keys())

    def times(self, number: int) -> int:
        return Counter(seen for _, seen in self.saw)[number]

    def connection_of(self, number: int) -> int | None:
        return next((connection for connection, seen in self.saw if seen == number), None)


Act = Callable[[Stage, Peer, int], object]


def instead_of_answer(number: int, act: Act) -> Callable[[Stage], Handler]:
    """Does this when the message arrives on the first connection, and then nothing more on it."""

    def script(stage: Stage) -> Handler:
        def handle(peer: Peer) -> None:
            while (arrived := stage.next_message(peer)) is not None:
                if peer.number == 1 and arrived == number:
                    act(stage, peer, arrived)
                    return
                peer.send(response(own(arrived)))

        return handle

    return script


def close(_: Stage, peer: Peer, __: int) -> None:
    """close_notify and FIN, as politely as can be."""
    assert isinstance(peer.socket, ssl.SSLSocket)
    peer.socket.settimeout(0.0)
    with suppress(OSError):
        peer.socket.unwrap()


def bogus_record(_: Stage, peer: Peer, __: int) -> None:
    peer.send_raw(b"\x17\x03\x03\x00\x20" + bytes(32))
    peer.read_to_end()


def two_answers(stage: Stage, peer: Peer, number: int) -> None:
    peer.send(response(own(number)) + response(ANOTHERS))
    stage.answer_all(peer)


def late_answer(stage: Stage, peer: Peer, number: int) -> None:
    peer.send(response(own(number)))
    for _ in stage.idle():
        peer.send(response(ANOTHERS))
    stage.answer_all(peer)


def tickets(stage: Stage, peer: Peer, number: int) -> None:
    keys = stage.server_keys()
    peer.send_raw(keys.say(response(own(number))))
    for _ in stage.idle():
        peer.send_raw(keys.ticket() + keys.ticket())
    while (following := stage.next_message(peer)) is not None:
        peer.send_raw(keys.say(response(own(following))))


def cut_off(_: Stage, peer: Peer, number: int) -> None:
    peer.send(f"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{own(number)[:-12]}".encode())
    peer.finish()
    peer.read_to_end()


def with_nul(stage: Stage, peer: Peer, number: int) -> None:
    peer.send(response(own(number), "X-Note: a\0b"))
    stage.answer_all(peer)


def churned(stage: Stage) -> Handler:
    """Answers after some milliseconds, and holds the messages behind the churn."""

    def handle(peer: Peer) -> None:
        draw = Random(peer.number)  # noqa: S311  (made to be repeated)
        while (number := stage.next_message(peer)) is not None:
            if number >= HELD_FROM:
                stage.hold()
            else:
                time.sleep(draw.uniform(0.0, 0.003))
            peer.send(response(own(number)))

    return handle


@dataclass(frozen=True)
class Row:
    """One fault.

    Attributes:
        name: short, for a column.
        about: the number of the call that meets it, from 1; one more call follows.
        script: what the server does with each connection.
        is_idle: whether the fault comes to a connection that is idle behind call 1.
        is_churn: whether it is about calls that are cancelled.
        by_hand: whether the server's records are made by hand.
    """

    name: str
    about: int
    script: Callable[[Stage], Handler]
    is_idle: bool = False
    is_churn: bool = False
    by_hand: bool = field(default=False)

    @property
    def calls(self) -> int:
        """How many calls are made."""
        return self.about + (0 if self.by_hand else 1)


ROWS: Final = (
    Row("1 closes, no answer", 2, instead_of_answer(2, close)),
    Row("2 bogus TLS record", 2, instead_of_answer(2, bogus_record)),
    Row("3 two answers at once", 1, instead_of_answer(1, two_answers)),
    Row("4 answer while idle", 1, instead_of_answer(1, late_answer), is_idle=True),
    Row("5 tickets while idle", 2, instead_of_answer(1, tickets), is_idle=True, by_hand=True),
    Row("6 calls cancelled", 1, churned, is_churn=True),
    Row("7 cut, no close_notify", 1, instead_of_answer(1, cut_off)),
    Row("8 NUL in a header", 1, instead_of_answer(1, with_nul)),
)


@contextmanager
def serving(row: Row) -> Iterator[tuple[Stage, RawServer, str]]:
    """The server of a row, its state, and the file with the authority that vouches for it."""
    with tempfile.TemporaryDirectory(prefix="smswire-bench-") as name:
        folder = Path(name)
        ca_file = write_certificates(folder)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem")
        context.set_alpn_protocols(["http/1.1"])
        keys = folder / "keys"
        if row.by_hand:
            # One cipher suite for all, no record before ours, and the secrets to make them.
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
            context.num_tickets = 0
            context.keylog_filename = str(keys)
        stage = Stage(lambda: keys.read_text(encoding="ascii"))
        with RawServer(row.script(stage), tls=context) as server:
            try:
                yield stage, server, ca_file
            finally:
                stage.may_go.set()
