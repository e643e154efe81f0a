"""The plain lane: what takes it, what does not, and that nobody can tell which of them it was."""

from __future__ import annotations

import gzip
import socket
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz.plain_lane import LIMITS, check_answer
from smswire.errors import ConfigurationError, SmswireError
from smswire.sandbox import Sandbox
from smswire.wire import Channel, Limits, Request
from smswire.wire.exchange import MAX_LOOKS, Exchange

from .feeding import CHUNKED, HOST, OK, SIZED, THREE, answer, pieces_of
from .lanes import LANES
from .record import RECORDED, answer_to
from .test_exchange import BROKEN_BITS, Stream, streams

LONG = bytes(range(256)) * 400
GZIP = gzip.compress(b"100", mtime=0)


def take(*pieces: bytes, method: str = "POST", limits: Limits = Limits()) -> Exchange:  # noqa: B008  (frozen)
    """An exchange in the automatic lane that has got the pieces; by h11 the same comes of them."""
    check_answer(list(pieces), method, limits, has_end=False)
    exchange = Exchange(method, limits, "auto")
    with suppress(SmswireError):
        for piece in pieces:
            exchange.receive(piece)
    return exchange


PLAIN = {
    "a length": answer(SIZED),
    "chunked": answer(CHUNKED, body=b"\r\n" + THREE),
    "length in other case, without space": answer(b"cOnTeNt-LeNgTh:3\r\n"),
    "length among spaces": answer(b"Content-Length: \t 3 \t\r\n"),
    "length of ten digits": answer(b"Content-Length: 0000000003\r\n"),
    "coding in other case, without space": answer(b"TRANSFER-encoding:chunked\r\n", body=b"\r\n" + THREE),
    "sizes of eight digits": answer(CHUNKED, body=b"\r\n00000003\r\n100\r\n00000000\r\n\r\n"),
    "two chunks": answer(CHUNKED, body=b"\r\n1\r\n1\r\nA\r\n0123456789\r\n0\r\n\r\n"),
    "no reason": answer(SIZED, start=b"HTTP/1.1 200 \r\n"),
    "no reason, and no space": answer(SIZED, start=b"HTTP/1.1 200\r\n"),
    "reason and value above ASCII": answer(b"X: \xff\x80\r\n", SIZED, start=b"HTTP/1.1 503 gr\xfc\xdf \t dich \r\n"),
    "keep-alive": answer(b"Connection: Keep-Alive\r\nKeep-Alive: timeout=3, max=9\r\n", SIZED),
    "empty values": answer(b"A:\r\nB: \t\r\n", SIZED),
    "names that begin like framing": answer(
        b"Content-Length-X: 9\r\nTransfer-Encodings: gzip\r\nConnections: x\r\n", SIZED
    ),
    "names of one letter": answer(b"C: 9\r\nT: gzip\r\nt:\r\n", SIZED),
    "no content": answer(b"Content-Length: 0\r\n", body=b"\r\n"),
    "no content, chunked": answer(CHUNKED, body=b"\r\n0\r\n\r\n"),
    "status 599": answer(SIZED, start=b"HTTP/1.1 599 X\r\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", PLAIN)
def test_what_can_be_read_in_one_way_only_needs_no_h11(case: str) -> None:
    """And leaves the connection usable, unless something comes behind it."""
    for tail in (b"", b"H"):
        exchange = take(PLAIN[case] + tail)
        assert exchange.took_plain_lane
        assert exchange.is_reusable is not bool(tail)


NOT_PLAIN = {
    "an interim response first": b"HTTP/1.1 103 Hints\r\n\r\n" + answer(SIZED),
    "HTTP/1.0": answer(SIZED, start=b"HTTP/1.0 200 OK\r\n"),
    "status 204": answer(b"Content-Length: 0\r\n", start=b"HTTP/1.1 204 X\r\n", body=b"\r\n"),
    "status 304": answer(SIZED, start=b"HTTP/1.1 304 X\r\n", body=b"\r\n"),
    "status 600": answer(SIZED, start=b"HTTP/1.1 600 X\r\n"),
    "neither length nor coding": answer(),
    "two equal lengths": answer(SIZED, SIZED),
    "length of eleven digits": answer(b"Content-Length: 00000000003\r\n"),
    "close": answer(b"Connection: close\r\n", SIZED),
    "close behind the length": answer(SIZED, b"connection: Close\r\n"),
    "close beside keep-alive": answer(b"Connection: keep-alive, close\r\n", SIZED),
    "coding in capitals": answer(b"Transfer-Encoding: CHUNKED\r\n", body=b"\r\n" + THREE),
    "gzip": answer(b"content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(GZIP), body=b"\r\n" + GZIP),
    "fold": answer(b"X: a\r\n b\r\n", SIZED),
    "control character": answer(b"X: a\x01b\r\n", SIZED),
    "extension": answer(CHUNKED, body=b"\r\n3;a\r\n100\r\n0\r\n\r\n"),
    "space behind a size": answer(CHUNKED, body=b"\r\n3 \r\n100\r\n0\r\n\r\n"),
    "size of nine digits": answer(CHUNKED, body=b"\r\n000000003\r\n100\r\n0\r\n\r\n"),
    "trailer": answer(CHUNKED, body=b"\r\n" + THREE[:-2] + b"X: y\r\n\r\n"),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_whatever_is_unusual_h11_reads(case: str) -> None:
    """These are lawful, or odd but clear; what is refused is refused by h11's lane alone."""
    exchange = take(NOT_PLAIN[case])
    assert not exchange.took_plain_lane
    exchange = take(NOT_PLAIN[case][:-1], NOT_PLAIN[case][-1:])
    assert not exchange.took_plain_lane


def test_the_answer_to_head_is_not_plain() -> None:
    """It has no body, whatever its length says."""
    exchange = take(answer(SIZED, body=b"\r\n"), method="HEAD")
    assert exchange.response is not None
    assert (exchange.response.body, exchange.took_plain_lane) == (b"", False)


def test_what_passes_a_limit_is_not_plain() -> None:
    """At the limit it is; bodies in chunks count as they came."""
    sized, chunked = answer(b"X: y\r\n", SIZED), answer(CHUNKED, body=b"\r\n1\r\n1\r\n2\r\n00\r\n0\r\n\r\n")
    sized_head, chunked_head = sized.index(b"100"), chunked.index(b"1\r\n1")
    for data, name, most in (
        (sized, "max_head_bytes", sized_head),
        (sized, "max_fields", 2),
        (sized, "max_body_bytes", 3),
        (chunked, "max_head_bytes", chunked_head),
        (chunked, "max_fields", 1),
        (chunked, "max_body_bytes", len(chunked) - chunked_head - 2),
        (chunked, "max_chunks", 2),
        (chunked, "max_line_bytes", 10),
    ):
        assert take(data, limits=Limits()._replace(**{name: most})).took_plain_lane
        assert not take(data, limits=Limits()._replace(**{name: most - 1})).took_plain_lane


RECORDINGS = sorted(RECORDED.glob("*.http"), key=lambda path: path.name)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_what_real_servers_answer_is_plain(path: Path) -> None:
    """Whole, and with head and body, or the last chunk, in reads of their own; `record` made the recordings."""
    data = path.read_bytes()
    assert (b"chunked\r\n" in data) is ("chunked" in path.stem)
    assert_plain_however_it_is_sent(data)


def test_there_are_recordings_of_each_server_with_a_length_and_chunked() -> None:
    """So that none goes missing unnoticed."""
    assert {path.stem.rsplit("-", 1)[0] for path in RECORDINGS} >= {
        f"{server}-{kind}" for server in ("nginx", "apache", "haproxy") for kind in ("sized", "chunked")
    }


@pytest.mark.parametrize("chunked", [False, True])
def test_what_the_sandbox_answers_is_plain(chunked: bool) -> None:
    """Its errors too."""
    with (
        Sandbox(tls=False, chunked=chunked) as sandbox,
        socket.create_connection(("127.0.0.1", sandbox.plain_port)) as connection,
    ):
        for target in ("/api/balance?p=sandbox-key", "/api/sms", "/nowhere"):
            data = answer_to(connection, target)
            assert (b"chunked\r\n" in data) is chunked
            assert_plain_however_it_is_sent(data)


def assert_plain_however_it_is_sent(data: bytes) -> None:
    head = data.index(b"\r\n\r\n") + 4
    for edges in ({}, {head}, {head, len(data) - 5}, {head, head + 10}, {len(data) - 1}):
        exchange = take(*[data[start:stop] for start, stop in pairwise(sorted({0, *edges, len(data)}))])
        assert exchange.took_plain_lane, edges
        assert exchange.is_reusable


@pytest.mark.parametrize("chunked", [False, True])
def test_a_long_answer_is_plain_in_however_many_reads_its_body_comes(chunked: bool) -> None:
    """While the end of the content, or of a chunk, is known there is nothing to look at."""
    if chunked:
        data = answer(CHUNKED, body=b"\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(LONG), LONG))
    else:
        data = answer(b"Content-Length: %d\r\n" % len(LONG), body=b"\r\n" + LONG)
    exchange = take(*[data[at : at + 1000] for at in range(0, len(data), 1000)])
    assert exchange.response is not None
    assert (exchange.response.body == LONG, exchange.took_plain_lane) == (True, True)


def test_an_answer_in_many_parts_is_h11s_in_the_end() -> None:
    """Each look begins at the first byte, so they are counted; else the work would grow with the square."""
    chunks = [b"1\r\nx\r\n"] * 100
    for count, is_plain in ((MAX_LOOKS - 2, True), (MAX_LOOKS - 1, False), (100, False)):
        exchange = take(answer(CHUNKED, body=b"\r\n"), *chunks[:count], b"0\r\n\r\n")
        assert exchange.response is not None
        assert (exchange.response.body, exchange.took_plain_lane) == (b"x" * count, is_plain)


@given(
    streams(),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 5), st.sampled_from(BROKEN_BITS)), max_size=2),
    st.lists(st.integers(0, 10_000), max_size=6),
    st.sampled_from(["POST", "GET", "HEAD"]),
    st.sampled_from(LIMITS),
    st.booleans(),
)
def test_both_lanes_come_to_the_same_after_every_read(
    stream: Stream,
    edits: list[tuple[int, int, bytes]],
    cuts: list[int],
    method: str,
    limits: Limits,
    has_end: bool,
) -> None:
    """Lawful or damaged, cut anywhere, ended anywhere: response, error and its words, and the verdict on reuse."""
    data = stream.data
    for place, gone, put in edits:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + gone :]
    for pieces in ([data], pieces_of(data, cuts), pieces_of(data, range(len(data)))):
        check_answer(pieces, method, limits, has_end=has_end)


def test_a_channel_takes_the_lane_it_is_told() -> None:
    """By default the plain one where it can."""
    for lane, is_plain in (("auto", True), ("h11", False), (None, True)):
        channel = Channel(HOST) if lane is None else Channel(HOST, lane=lane)
        for _ in range(2):
            channel.send_request(Request("POST", "/"))
            channel.handed_over(len(channel.bytes_to_send()))
            assert channel.receive_data(OK + SIZED + b"\r\n100") is not None
            assert channel._exchange is not None
            assert channel._exchange.took_plain_lane is is_plain
            assert channel.reusable


def test_there_are_two_lanes() -> None:
    """Any other is a mistake, found before anything is sent."""
    assert LANES == ("auto", "h11")
    with pytest.raises(ConfigurationError):
        Channel(HOST, lane="fast")  # type: ignore[arg-type]
