"""``python -m bench lane``: the plain lane against everything through h11, on the same answers."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from pathlib import Path
from random import Random

import click

from smswire.sandbox.tls import authority
from smswire.wire import TLS, Channel, Limits, Request
from smswire.wire.exchange import Exchange, Lane

from . import samples
from .race import Case, race
from .report import collect, print_table, write_json

_FIELDS = (
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Wed, 25 Nov 2026 14:44:%02d GMT\r\n"
    "Content-Type: application/json; charset=utf-8\r\n%s\r\nConnection: keep-alive\r\nVary: Accept-Encoding\r\n"
    "Cache-Control: no-store\r\nX-Request-Id: %016x\r\nX-Padding: %s\r\n\r\n"
)
_REQUEST = Request("POST", "/api/sms", [("X-Api-Key", "sandbox-key")], bytes(300))


def sized_answer(draw: Random) -> bytes:
    """711 bytes, nine fields, a length."""
    return _padded(draw, "Content-Length: %d", samples.answer_of_400_bytes(draw), 711)


def chunked_answer(draw: Random) -> bytes:
    """730 bytes, nine fields, one chunk and the last."""
    content = samples.answer_of_400_bytes(draw)
    return _padded(draw, "Transfer-Encoding: chunked", b"%x\r\n%s\r\n0\r\n\r\n" % (len(content), content), 730)


def _padded(draw: Random, framing: str, body: bytes, size: int) -> bytes:
    if "%" in framing:
        framing %= len(body)
    without = len(_FIELDS % (0, framing, 0, "")) + len(body)
    head = _FIELDS % (draw.randrange(60), framing, draw.randrange(16**16), "x" * (size - without))
    return head.encode("ascii") + body


def _read_by(lane: Lane) -> Callable[[bytes], object]:
    limits = Limits()
    return lambda answer: Exchange("POST", limits, lane).receive(answer)


class _Line:
    """A client and a server over TLS, joined by memory: exchanges in turn, on one connection."""

    def __init__(self, lane: Lane) -> None:
        server, pem = authority(["gateway.test"])
        client = ssl.create_default_context(cadata=pem.decode("ascii"))
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._far = server.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._channel = Channel("gateway.test", tls=TLS(client, "gateway.test"), lane=lane)
        is_open = False
        while not is_open or not self._channel.established:
            self._carry()
            try:
                self._far.do_handshake()
                is_open = True
            except ssl.SSLWantReadError:
                pass
            self._channel.receive_data(self._outgoing.read())

    def _carry(self) -> None:
        data = self._channel.bytes_to_send()
        self._incoming.write(data)
        self._channel.handed_over(len(data))

    def exchange(self, answer: bytes) -> None:
        channel = self._channel
        channel.send_request(_REQUEST)
        self._carry()
        self._far.read(16_384)
        self._far.write(answer)
        channel.receive_data(self._outgoing.read())
        if not channel.reusable:
            raise RuntimeError("the connection is gone")


def cases() -> list[Case]:
    def inputs(make: Callable[[Random], bytes]) -> Callable[[int], list[bytes]]:
        def of_round(number: int) -> list[bytes]:
            draw = Random(number)  # noqa: S311  (made to be repeated)
            return [make(draw) for _ in range(500)]

        return of_round

    rows = []
    for kind, make in (("711 bytes with a length", sized_answer), ("730 bytes, chunked", chunked_answer)):
        rows.append(Case(f"reading {kind}", "h11", 0.1, _read_by("auto"), _read_by("h11"), inputs(make)))
        ours, theirs = _Line("auto"), _Line("h11")
        rows.append(Case(f"exchange over TLS, {kind}", "h11", 0.25, ours.exchange, theirs.exchange, inputs(make)))
    return rows


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=25, show_default=True)
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the ratios to a file.")
def lane(rounds: int, path: Path | None) -> None:
    """The plain lane against h11: an answer read, and a whole exchange, the server's part of it included."""
    rows = cases()
    results = collect(race(rows, rounds), len(rows))
    print_table(results)
    if path is not None:
        write_json(results, path)
