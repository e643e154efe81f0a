"""What a row of the table says: the server's script, and what the call must come to.

A row is data, so that the same checks are made for each: the outcome, the connection kept or gone, the place in the
pool free, how often the server saw the message, the next call.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from smswire import Sent, errors

from ..net.raw import OK, Handler, Peer, RawServer, answering
from ..net.runtimes import AnyClient

KEY = "sandbox-key-that-no-error-shows"
BODY = b"to=491716992343&text=Hello"
CALL: Mapping[str, Any] = {
    "method": "POST",
    "target": "/api/sms",
    "headers": [("X-Api-Key", KEY)],
    "body": BODY,
}


class Stage(NamedTuple):
    """What a row may need besides a script: servers, clients of the runtime and lane, and an end for all of it."""

    serve: Callable[..., RawServer]
    make_client: Callable[..., AnyClient]
    ends: ExitStack


class Place(NamedTuple):
    """Who is called, and who calls."""

    server: RawServer | None
    client: AnyClient


@dataclass(frozen=True)
class Case:
    """One row.

    Attributes:
        name: the fault, in words.
        numbers: of the faults in the project's list that it stands for.
        script: what the server does with each connection.
        place: instead of a script: makes the servers and the client that is to call.
        tls, client_tls: whether the server speaks TLS, and whether the client does (as the server, if None).
        call: what differs from ``CALL``.
        settings: of the client.
        error: the type of the error, exactly, or ``NetworkError`` for any of its kinds; None for an answer.
        sent: what ``.sent`` must say; None: NO or MAYBE, as it happens to be told.
        status, body: of the answer.
        attempts: how many the call made; None: as it happens.
        seen: how often the server saw the whole message; None where it cannot be asked.
        kept: whether the connection is used for the next call; None: it is left idle, and found out by the probe.
        says: what the error's text must hold.
        idle: what the server does to a connection that is idle behind a first call; the row is about the second, which
            must have a new one.
        goes_on: whether another call, to a server that is well again, must succeed.
        dials_on: whether an opening may outlive the call: in asyncio it is the pool's.
    """

    name: str
    numbers: Sequence[int]
    script: Handler = answering
    place: Callable[[Stage], Place] | None = None
    tls: bool = True
    client_tls: bool | None = None
    call: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    error: type[errors.SmswireError] | None = None
    sent: Sent | None = Sent.MAYBE
    status: int = 200
    body: bytes = b"100"
    attempts: int | None = 1
    seen: int | None = 1
    kept: bool | None = False
    says: str = ""
    idle: Handler | None = None
    goes_on: bool = True
    dials_on: bool = False

    def __str__(self) -> str:
        return f"{'·'.join(map(str, self.numbers))} {self.name}"


def first(script: Handler, connections: int = 1) -> Handler:
    """Does this to the first connections, and answers all that comes on any other."""
    return lambda peer: script(peer) if peer.number <= connections else peer.answer_all()


Step = bytes | Callable[[Peer], object]


def answer(*steps: Step) -> Handler:
    """Reads a request, then sends bytes and does what else is named; then reads on until the client has enough.

    One connection is scripted: what the first call left of it must never serve a second.
    """

    def script(peer: Peer) -> None:
        if peer.read_request() is None:
            return
        for step in steps:
            if isinstance(step, bytes):
                peer.send(step)
            elif step(peer) is STOP:
                return
        peer.answer_all()

    return first(script)


STOP = object()


def finish(peer: Peer) -> object:
    """FIN; over TLS without close_notify."""
    peer.finish()
    return STOP


def reset(peer: Peer) -> object:
    """RST."""
    peer.reset()
    return STOP


def notify(peer: Peer) -> object:
    """close_notify, and FIN."""
    if isinstance(peer.socket, ssl.SSLSocket):
        peer.socket.settimeout(0.0)
        with suppress(OSError):
            peer.socket.unwrap()
        peer.socket.settimeout(None)
    peer.finish()
    return STOP


def silence(peer: Peer) -> object:
    """Nothing more, until the client ends."""
    peer.read_to_end()
    return STOP


def trickle(data: bytes) -> Handler:
    """A byte at a time, and then the last one again and again: each read succeeds, and there is no end of it."""

    def send(peer: Peer) -> None:
        peer.socket.settimeout(0.02)
        sent = 0
        while True:
            peer.send(data[sent : sent + 1] or data[-1:])
            sent += 1
            try:
                if not peer.socket.recv(1):
                    return
            except TimeoutError:
                continue
            except OSError:
                return

    return send


def response(*fields: bytes, start: bytes = b"HTTP/1.1 200 OK", body: bytes = b"100") -> bytes:
    return b"\r\n".join([start, *fields, b"", body])


SIZED = b"Content-Length: 3"
CHUNKED = b"Transfer-Encoding: chunked"
THREE = b"3\r\n100\r\n0\r\n\r\n"

__all__ = [
    "BODY", "CALL", "CHUNKED", "KEY", "OK", "SIZED", "STOP", "THREE", "Case", "Peer", "Place", "RawServer", "Sent",
    "Stage", "answer", "errors", "finish", "first", "notify", "reset", "response", "silence", "trickle",
]  # fmt: skip
