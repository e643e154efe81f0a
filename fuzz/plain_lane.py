"""Whatever the plain lane reads h11 reads to the same response, after the same bytes, and says the same of reuse.

Of the input's bytes the first few decide how to look at the rest, which is the answer: the request's method, limits,
where it is cut, and whether the stream ends behind it. The answer is made of its bytes as they are, or as `recipe`
spells it: a lawful answer, damaged in so many places. `plain` counts the cases of which the plain lane took the answer.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from itertools import pairwise
from random import Random

from smswire.errors import SmswireError
from smswire.wire import Limits
from smswire.wire.exchange import Exchange

OK = b"HTTP/1.1 200 OK\r\n"
SIZED, CHUNKED = b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n"
THREE = b"3\r\n100\r\n0\r\n\r\n"
LINES = [
    b"Server: x", b"Date: Mon, 1", b"content-type:\ttext/plain; charset=utf-8 ", b"Connection: keep-alive", b"X:",
    b"connection:Keep-Alive ", b"Keep-Alive: timeout=3", b"Connection: close", b"Via: \xff\x80 a", b"C: d", b"T: u",
    b"Content-Length-X: 4", b"Transfer-Encodings: gzip", b"Content-Encoding: gzip", b"Connection: keep-alive, close",
    b"Content-Length: 3", b"Transfer-Encoding: chunked", b"Upgrade: h2c", b"a!#$%&'*+-.^_`|~9: b  c", b"Trailer: x",
]  # fmt: skip
TOKENS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b";", b"0", b"1", b"f", b"-", b"+", b"_", b"0x",
    b"\xff", b"\x0b", b"\x0c", b"\x1c", b"\x7f", b"\x85", b"\xa0", OK, SIZED, CHUNKED, THREE, b"0\r\n\r\n", b"204",
    b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.0 200 OK\r\n", b"Content-Encoding: gzip\r\n", b"Connection: close\r\n",
    b"\r\n Content-Length: 1", b"\r\n\t", b"Content-Length", b"tRANSFER-eNCODING", b"Connection", b"close",
    b"keep-alive", b"00000003\r\n", b"000000003\r\n", b"X: y\r\n", b" :", b",", b"Chunked", b"3\r\n",
]  # fmt: skip
_AS_IT_IS = b"\0\0\0"
SEEDS = [
    _AS_IT_IS + OK + SIZED + b"\r\n100",
    _AS_IT_IS + OK + CHUNKED + b"\r\n" + THREE,
    b"\x07\x30\x00" + OK + CHUNKED + b"Via: a\r\n\r\n" + THREE,
    b"\x02\x10\x33" + OK + b"Date: x\r\n" + SIZED + b"Connection: keep-alive\r\n\r\n100HTTP",
    _AS_IT_IS + OK + SIZED + SIZED + b"\r\n100",
    _AS_IT_IS + OK + SIZED + CHUNKED + b"\r\n" + THREE,
    _AS_IT_IS + b"HTTP/1.1 103 Hints\r\n\r\n" + OK + SIZED + b"\r\n100",
    _AS_IT_IS + OK + CHUNKED + b"\r\n3;a=b\r\n100\r\n0\r\nX: y\r\n\r\n",
    b"\x80\x00\x00" + bytes(range(64)),
    b"\x81\x25\x11" + bytes(range(90, 120)),
    b"\x82\x51\x2f\x02\x05\x01\x03\x07\x01\x02\x02\x04\x04\x01\x09",
    b"",
]  # fmt: skip

# What a recipe draws from: the first of each more often than all the rest.
STARTS = [b"HTTP/1.1 ", b"HTTP/1.0 "]
STATUSES = [
    b"200 OK", b"200", b"200 ", b"200 a \xfc", b"202 \t", b"299 OK", b"400 OK", b"503 OK", b"599 OK", b"204 OK",
    b"304 OK", b"600 OK", b"100 OK", b"101 OK", b"199 OK",
]  # fmt: skip
CODINGS = [b"Transfer-Encoding: chunked", b"transfer-encoding:chunked\t", b"Transfer-Encoding: Chunked"]
SIZE_LINES = [b"%x\r\n", b"%08X\r\n", b"%09x\r\n", b"%x;a=b\r\n", b"%x \r\n"]
ENDS = [b"0\r\n\r\n", b"00000000\r\n\r\n", b"0\r\nX: y\r\n\r\n", b"0\r\nX y\r\n\r\n", b"0;a\r\n\r\n"]

# Few can be passed by a short answer, so here are small ones too.
LIMITS = [
    Limits(),
    Limits(max_head_bytes=64, max_fields=3, max_body_bytes=20, max_chunks=2),
    Limits(max_line_bytes=9, max_chunks=2),
    Limits(max_fields=1, max_line_bytes=12, max_body_bytes=3, max_chunks=1),
]
METHODS = ["POST", "GET", "HEAD", "DELETE"]

plain = 0
"""Cases so far of which the plain lane took the answer."""


def check(data: bytes) -> None:
    source = Bytes(data)
    how, cut, place = source.next(), source.next(), source.next()
    answer = recipe(source) if how & 0x80 else source.rest()
    # Most cases have the usual limits, and most are not HEAD.
    limits = LIMITS[how >> 3 & 3 if how & 0x60 == 0x60 else 0]
    method = METHODS[how & 3 if how & 4 else 0]
    check_answer(cut_up(answer, cut, place), method, limits, has_end=bool(place & 1))


def check_answer(pieces: list[bytes], method: str, limits: Limits, *, has_end: bool) -> None:
    global plain
    auto, by_h11 = (Exchange(method, limits, lane) for lane in ("auto", "h11"))
    for piece in pieces:
        came = what_comes_of(auto, lambda lane, piece=piece: lane.receive(piece))
        assert came == what_comes_of(by_h11, lambda lane, piece=piece: lane.receive(piece)), pieces
        if came is not None:
            plain += auto.took_plain_lane
            return
    if has_end:
        came = what_comes_of(auto, lambda lane: lane.receive_end(is_orderly=True))
        assert came == what_comes_of(by_h11, lambda lane: lane.receive_end(is_orderly=True)), pieces


def what_comes_of(exchange: Exchange, call: Callable[[Exchange], object]) -> tuple[object, ...] | None:
    """A response and the verdict on the connection, or the error with its words; None for nothing yet."""
    try:
        call(exchange)
    except SmswireError as error:
        return type(error), str(error), exchange.response
    answer = exchange.response
    if answer is None:
        return None
    asked = answer.headers.get("connection"), answer.headers.get("CONTENT-length"), answer.headers.get("x")
    fields = answer.headers.pairs
    return answer.status, asked, fields, answer.body, answer.reason, answer.http_version, exchange.is_reusable


def cut_up(answer: bytes, cut: int, place: int) -> list[bytes]:
    """The answer whole, byte by byte, or in pieces, some of which are cut where cutting hurts."""
    if not cut & 0x10 or not answer:
        return [answer] if answer else []
    if cut & 0xF0 == 0xF0:
        return [answer[at : at + 1] for at in range(len(answer))]
    head = answer.find(b"\r\n\r\n") + 4
    edges = {0, len(answer), place * 7 % len(answer)}
    if cut & 0x20:
        edges |= {min(head, len(answer)), (head + (cut & 15)) % len(answer), len(answer) - (cut & 7)}
    return [answer[start:stop] for start, stop in pairwise(sorted(edges)) if start < stop]


def generate(random: Random) -> bytes:
    """An input that has `recipe` make the answer."""
    return bytes([random.randrange(0x80, 0x100)]) + random.randbytes(40)


def tally() -> str:
    return f"{plain:,} of them plain"


class Bytes:
    """Numbers from bytes; past the end all are zero."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def next(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def one_of(self, choices: list[bytes]) -> bytes:
        number = self.next()
        return choices[number % len(choices) if number > 200 else 0]

    def rest(self) -> bytes:
        return self.data[self.at :]


def recipe(source: Bytes) -> bytes:
    """A lawful answer of a length or of chunks, then as many faults as the source asks for."""
    shape, size = source.next(), source.next()
    lines = [source.one_of(STARTS) + source.one_of(STATUSES)]
    for _ in range(source.next() % 6):
        kind = source.next()
        lines.append(LINES[kind % (len(LINES) if kind > 240 else 7)])
    body = bytes((index * 37 + size) % 256 for index in range(size % 40))
    if shape & 0x0F == 0x0F:
        body = gzip.compress(body, mtime=0)
        lines.append(b"Content-Encoding: gzip")
    if shape & 0x20:
        framing = (b"Content-Length: %d", b"content-length:%d ")[shape >> 6 & 1] % len(body)
    else:
        framing = source.one_of(CODINGS)
        step = size % 17 + 1
        parts = [body[start : start + step] for start in range(0, len(body), step)]
        line = source.one_of(SIZE_LINES)
        end = source.one_of(ENDS)
        body = b"".join(line % len(part) + part + b"\r\n" for part in parts) + end
    lines.insert(source.next() % len(lines) + 1, framing)
    answer = b"\r\n".join(lines) + b"\r\n\r\n" + body
    for _ in range(max(0, source.next() % 8 - 5)):
        start = source.next() * 3 % (len(answer) + 1)
        gone = max(0, source.next() % 8 - 3)
        answer = answer[:start] + TOKENS[source.next() % len(TOKENS)] + answer[start + gone :]
    return answer
