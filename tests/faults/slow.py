"""Servers that take their time: one deadline a call, whatever trickles in."""

from __future__ import annotations

import time
from collections.abc import Sequence
from random import Random

from .case import OK, Case, Peer, Sent, answer, errors, response, silence, trickle


def jittery(peer: Peer) -> None:
    """Pieces of any size, some milliseconds apart."""
    draw = Random(peer.number)
    at = 0
    while at < len(OK):
        size = draw.randrange(1, 12)
        peer.send(OK[at : at + size])
        at += size
        time.sleep(draw.uniform(0, 0.005))


def late(name: str, number: int, *steps: object, **more: object) -> Case:
    return Case(name, [number], answer(*steps), error=errors.Timeout, call={"timeout": 0.3}, **more)  # type: ignore[arg-type]


CASES: Sequence[Case] = [
    late("no answer", 61, silence),
    late("no answer, in plain", 61, silence, tls=False),
    late("a head that trickles", 62, trickle(OK[:30] + b"y")),
    late("a body that trickles", 61, trickle(response(b"Content-Length: 1000000", body=b"x"))),
    late("chunks that trickle", 61, trickle(response(b"Transfer-Encoding: chunked", body=b"1\r\nx\r\n" * 1000))),
    late("an answer that stops within its head", 62, OK[:20], silence),
    late("an answer that stops within its body", 61, OK[:-1], silence),
    late("a body that ends with the connection, which does not end", 61, response(start=b"HTTP/1.0 200 OK"), silence),
    Case("pieces at odd times", [65], answer(jittery), sent=Sent.YES, kept=True),
]  # fmt: skip
