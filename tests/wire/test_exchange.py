"""One request and its response: heads that are h11's, answers that are the same however they are cut."""

from __future__ import annotations

import gzip
import threading
import tracemalloc
import zlib

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import ConnectionEnded, InvalidRequest, ProtocolError
from smswire.wire import Limits, Request
from smswire.wire.channel import Channel
from smswire.wire.content import inflate
from smswire.wire.exchange import MAX_HEADS, Heads
from smswire.wire.general import SLICE_BYTES, General, new_reader

from .feeding import HOST, Read, asked, pieces_of, read, read_any_way
from .lanes import new_channel

TCHAR = "!#$%&'*+-.^_`|~0123456789ABCXYZabcxyz"
names = st.text(TCHAR, min_size=1, max_size=8).map(lambda name: "X-" + name)
values = st.text("".join(map(chr, range(33, 127))), max_size=12)
fields = st.lists(
    st.tuples(names, values) | st.just(("Accept-Encoding", "gzip")) | st.just(("accept", "a b")), max_size=4
)
targets = st.text("abc/%=&?;.~-_", max_size=10).map(lambda rest: "/" + rest)
methods = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "M-X"])
bodies = st.binary(max_size=40)


def by_h11(request: Request) -> bytes:
    """The bytes h11 makes of a request with the fields that ought to be there."""
    pairs = [("Host", HOST), *request.headers]
    if "accept-encoding" not in [name.lower() for name, _ in request.headers]:
        pairs.append(("Accept-Encoding", "identity"))
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        pairs.append(("Content-Length", str(len(request.body))))
    connection = h11.Connection(h11.CLIENT)
    head = connection.send(h11.Request(method=request.method, target=request.target, headers=pairs))
    return head + connection.send(h11.Data(data=request.body)) + connection.send(h11.EndOfMessage())


@given(
    st.lists(st.tuples(methods, targets, fields), min_size=1, max_size=3),
    st.lists(st.tuples(st.integers(0, 2), bodies), min_size=1, max_size=6),
)
def test_a_remembered_head_is_what_h11_would_have_said(
    calls: list[tuple[str, str, list[tuple[str, str]]]], sent: list[tuple[int, bytes]]
) -> None:
    """Whatever was said before on the connection, head and body are h11's bytes, to the last."""
    channel = new_channel(HOST)
    for index, body in sent:
        request = Request(*calls[index % len(calls)], body)
        channel.send_request(request)
        data = bytes(channel.bytes_to_send())
        assert data == by_h11(request)
        channel.handed_over(len(data))
        assert channel.receive_data(b"HTTP/1.1 204 No Content\r\n\r\n") is not None
        assert channel.reusable


def test_a_request_says_how_long_it_is_where_it_must() -> None:
    """POST, PUT and PATCH do so even without content, others only with some; the length comes last."""
    for method in ("POST", "PUT", "PATCH"):
        assert Heads(HOST).head_of(Request(method, "/")).endswith(b"\r\nContent-Length: 0\r\n\r\n")
    for method in ("GET", "DELETE", "HEAD"):
        assert b"Content-Length" not in Heads(HOST).head_of(Request(method, "/"))
    head = Heads(HOST).head_of(Request("DELETE", "/", [("A", "b")], b"xyz"))
    assert head.startswith(b"DELETE / HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nA: b\r\n")
    assert head.endswith(b"\r\nContent-Length: 3\r\n\r\n")


def test_no_coding_is_asked_for_unless_the_caller_does() -> None:
    """`Accept-Encoding: identity` is added in the absence of another, in any case."""
    assert b"Accept-Encoding: identity\r\n" in Heads(HOST).head_of(Request("GET", "/"))
    head = Heads(HOST).head_of(Request("GET", "/", [("accept-ENCODING", "gzip")]))
    assert b"identity" not in head


def test_what_is_said_once_is_not_remembered() -> None:
    """A query, a signature, a time or a nonce would fill the memory with what never comes again."""
    heads = Heads(HOST)
    heads.head_of(Request("GET", "/?p=secret"))
    for name in ("X-Signature", "x-timestamp", "X-NONCE", "Date", "Idempotency-Key", "X-Request-Id", "Content-Digest"):
        heads.head_of(Request("GET", "/", [(name, "1")]))
    assert not heads._known
    heads.head_of(Request("GET", "/", [("X-Api-Key", "1")]))
    assert len(heads._known) == 1


def test_the_memory_of_heads_is_bounded() -> None:
    """When it is full it begins anew."""
    heads = Heads(HOST)
    for number in range(3 * MAX_HEADS):
        heads.head_of(Request("GET", f"/{number}"))
        assert len(heads._known) <= MAX_HEADS
    assert f"/{3 * MAX_HEADS - 1}" in [target for _, _, target, _ in heads._known]


def test_threads_share_what_is_remembered() -> None:
    """More heads than there is room for, asked for by many at once: each is the right one."""
    heads = Heads(HOST)
    requests = [Request("GET", f"/{number}") for number in range(MAX_HEADS + 8)]
    expected = [Heads(HOST).head_of(request) for request in requests]
    found: list[list[bytes]] = []
    threads = [
        threading.Thread(target=lambda: found.append([heads.head_of(request) for request in requests * 3]))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected * 3] * 8


def test_channels_may_share_what_is_remembered() -> None:
    """A connection that was just opened builds no head that another has built."""
    heads = Heads(HOST)
    request = Request("POST", "/api/sms", [("X-Api-Key", "1")], b"a")
    sent = []
    for _ in range(2):
        channel = Channel(HOST, heads=heads)
        channel.send_request(request)
        sent.append(bytes(channel.bytes_to_send()))
    own = Channel(HOST)
    own.send_request(request)
    assert sent == [bytes(own.bytes_to_send())] * 2
    assert len(heads._known) == 1


def test_what_h11_refuses_is_an_invalid_request_without_its_values() -> None:
    """A host that is none is found before anything leaves."""
    with pytest.raises(InvalidRequest) as caught:
        Heads("a\r\nb").head_of(Request("GET", "/?p=secret", [("X", "secret")]))
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("fields", "timeout", "most"),
    [
        (["timeout=3, max=9"], 3.0, 9),
        (['TIMEOUT = "3"', "max=9"], 3.0, 9),
        (["max=9", "timeout=5, max=2", "timeout=3"], 3.0, 2),
        (["timeout=soon"], None, None),
        ([], None, None),
    ],
)
def test_how_long_a_connection_is_kept_is_read_from_every_field(
    fields: list[str], timeout: float | None, most: int | None
) -> None:
    """Of two statements the shorter life counts: a request on a connection about to be closed may be lost."""
    channel = asked()
    lines = "".join(f"Keep-Alive: {field}\r\n" for field in fields)
    assert channel.receive_data(f"HTTP/1.1 204 X\r\n{lines}\r\n".encode()) is not None
    assert (channel.keep_alive_timeout, channel.keep_alive_max) == (timeout, most)


class Stream:
    """An answer as bytes, and what it says."""

    def __init__(self, data: bytes, status: int, body: bytes, *, needs_end: bool) -> None:
        self.data = data
        self.status = status
        self.body = body
        self.needs_end = needs_end

    def __repr__(self) -> str:
        return f"Stream({self.data!r})"


@st.composite
def streams(draw: st.DrawFn) -> Stream:
    """Lawful answers of every framing, with interim responses, extensions, trailers and gzip."""
    interim = draw(st.lists(st.sampled_from([b"100 Continue", b"102", b"103 Early Hints\r\nLink: <a>"]), max_size=2))
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 401, 429, 500, 503]))
    body = (
        b"" if status in (204, 304) else draw(st.binary(max_size=30) | st.just(b"100") | st.just(b"\r\n\r\n0\r\n\r\n"))
    )
    lines = [b"HTTP/1.1 %d Reason" % status]
    lines += draw(st.lists(st.sampled_from([b"Server: x", b"Date: Mon", b"date:Tue", b"X:", b"Keep-Alive: timeout=3"])))
    wire = body
    if body and draw(st.booleans()):
        wire = gzip.compress(body)
        lines.append(draw(st.sampled_from([b"Content-Encoding: gzip", b"content-encoding: X-GZIP"])))
    framing = "none" if status in (204, 304) else draw(st.sampled_from(["sized", "chunked", "until the end"]))
    if framing == "sized":
        lines.append(b"Content-Length: %d" % len(wire))
    elif framing == "chunked":
        lines.append(b"Transfer-Encoding: chunked")
        extension = draw(st.sampled_from([b"", b";a", b"; b=c"]))
        parts = pieces_of(wire, draw(st.lists(st.integers(0, 100), max_size=3)))
        wire = b"".join(b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts) + b"0\r\n"
        wire += draw(st.sampled_from([b"", b"X: y\r\n", b"X: y\r\nContent-Digest: z\r\n"])) + b"\r\n"
    head = b"".join(b"HTTP/1.1 %s\r\n\r\n" % one for one in interim) + b"\r\n".join(lines) + b"\r\n\r\n"
    return Stream(head + wire, status, body, needs_end=framing == "until the end")


@given(streams(), st.lists(st.integers(0, 10_000), max_size=12))
def test_any_cut_of_a_stream_gives_the_same_answer(stream: Stream, cuts: list[int]) -> None:
    """Where reads begin and end means nothing."""
    outcome = read(pieces_of(stream.data, cuts), end=stream.needs_end)
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body) == (stream.status, stream.body)
    assert outcome.reusable is not stream.needs_end
    assert read_any_way(stream.data, end=stream.needs_end) == outcome


@given(streams())
def test_an_end_before_the_end_is_never_an_answer(stream: Stream) -> None:
    """Closed after any number of bytes: no response, unless it was complete. Only one sort of body cannot tell."""
    head = stream.data.rindex(b"\r\n\r\n", 0, -len(stream.body) or None) if stream.needs_end else len(stream.data)
    for length in range(min(head, len(stream.data))):
        outcome = read([stream.data[:length]] if length else [], end=True)
        if stream.needs_end and outcome.response is not None:
            assert length > stream.data.index(b"HTTP/1.1 %d Reason" % stream.status)
            continue
        expected = ProtocolError if stream.needs_end and outcome.error is ProtocolError else ConnectionEnded
        assert outcome == Read(None, expected, False)
    assert read([stream.data], end=True).response is not None


BROKEN_BITS = [
    b"\r", b"\n", b"\r\n", b"\r\n\r\n", b"\0", b" ", b"\t", b":", b";", b"0", b"1", b"f", b"-", b"\xff",
    b"Content-Length: 3\r\n", b"Transfer-Encoding: chunked\r\n", b"HTTP/1.1 100 C\r\n\r\n", b"HTTP/1.1 200 OK\r\n",
    b"\r\n Content-Length: 1", b"Content-Encoding: gzip\r\n", b"Connection: close\r\n",
]  # fmt: skip


@given(
    streams(), st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 5), st.sampled_from(BROKEN_BITS)), max_size=3)
)
def test_whatever_comes_is_an_answer_or_one_of_two_errors(stream: Stream, edits: list[tuple[int, int, bytes]]) -> None:
    """Damaged in any way, a stream is read alike in one piece and in many, and ends as a response, `ProtocolError` or
    `ConnectionEnded`."""
    data = stream.data
    for place, gone, put in edits:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + gone :]
    read_any_way(data)
    outcome = read_any_way(data, end=True)
    assert (outcome.response is None) is (outcome.error in (ProtocolError, ConnectionEnded))


@given(st.binary(max_size=60_000), st.booleans())
def test_a_long_body_goes_through_in_slices(body: bytes, is_chunked: bool) -> None:
    """Bodies longer than a slice arrive whole."""
    body = body * 3
    if is_chunked:
        wire = (
            b"Transfer-Encoding: chunked\r\n\r\n"
            + (b"%x\r\n%s\r\n" % (len(body), body) if body else b"")
            + b"0\r\n\r\n"
        )
    else:
        wire = b"Content-Length: %d\r\n\r\n%s" % (len(body), body)
    outcome = read([b"HTTP/1.1 200 OK\r\n" + wire])
    assert outcome.response is not None
    assert outcome.response.body == body
    assert outcome.reusable


def with_gzip(wire: bytes, label: bytes = b"gzip") -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n\r\n%s" % (label, len(wire), wire)


def test_a_bomb_is_refused_at_the_limit() -> None:
    """32 KiB that inflate to 32 MiB and one byte are too long; nothing beyond the limit is inflated."""
    limits = Limits(max_body_bytes=100_000)
    fits, exceeds = (gzip.compress(bytes(size)) for size in (100_000, 100_001))
    assert read_any_way(with_gzip(fits), limits=limits).reusable
    assert read_any_way(with_gzip(exceeds), limits=limits).error is ProtocolError
    assert read([with_gzip(gzip.compress(bytes(33_554_433)))]).error is ProtocolError


@pytest.mark.parametrize("status", [b"302 Found", b"401 Unauthorized", b"500 Oops"])
@pytest.mark.parametrize("wire", [b"no gzip", gzip.compress(bytes(100_001)), gzip.compress(b"900")[:-1]])
def test_a_refusal_whose_gzip_cannot_be_read_stands(status: bytes, wire: bytes) -> None:
    """Its status has said what matters, so its body stays as it came; of a 2xx nobody would know."""
    answer = with_gzip(wire)
    limits = Limits(max_body_bytes=100_000)
    assert read_any_way(answer, limits=limits).error is ProtocolError
    outcome = read_any_way(answer.replace(b"200 OK", status), limits=limits)
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body) == (int(status[:3]), wire)


def test_a_bomb_takes_no_more_room_than_the_limit_allows() -> None:
    """64 MiB in 64 KiB: what is beyond the limit is never made, and not only refused."""
    answer = with_gzip(gzip.compress(bytes(67_108_864)))
    channel = asked(limits=Limits(max_body_bytes=100_000))
    tracemalloc.start()
    try:
        with pytest.raises(ProtocolError, match="inflated"):
            channel.receive_data(answer)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 2_000_000


GOOD = gzip.compress(b"100" * 10)


@pytest.mark.parametrize(
    "wire", [GOOD[:-1], GOOD[:5], b"100", GOOD[:-8] + bytes(8), GOOD + b"x", GOOD + GOOD, zlib.compress(b"1")]
)
def test_gzip_that_is_no_whole_gzip_is_refused(wire: bytes) -> None:
    """Cut short, damaged, labelled wrongly, or with something behind it."""
    assert read_any_way(with_gzip(wire)).error is ProtocolError
    with pytest.raises(ProtocolError) as caught:
        inflate(wire, 1000)
    assert caught.value.__context__ is None or caught.value.__suppress_context__


@pytest.mark.parametrize("label", [b"deflate", b"br", b"identity", b"gzip, gzip", b""])
def test_other_codings_are_left_as_they_are(label: bytes) -> None:
    """Nobody asked for them, and the answer stands."""
    outcome = read_any_way(with_gzip(b"100", label))
    assert outcome.response is not None
    assert outcome.response.body == b"100"


def test_no_error_repeats_what_the_peer_sent() -> None:
    """A peer may echo the key; h11 quotes what it refuses, we do not."""
    for data in (
        b"HTTP/1.1 200 OK\r\nsecret secret\r\n\r\n",
        b"HTTP/1.1 secret\r\n\r\n",
        b"secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: secret\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxse\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nsecret\r\n\r\n",
    ):
        channel = new_channel(HOST)
        channel.send_request(Request("GET", "/?secret"))
        channel.handed_over(len(channel.bytes_to_send()))
        with pytest.raises(ProtocolError) as caught:
            channel.receive_data(data)
        error = caught.value
        assert "secret" not in str(error) + repr(error)
        assert error.__cause__ is None
        assert error.__context__ is None or error.__suppress_context__
        assert "se" not in repr(error.__context__ or "")


@pytest.mark.parametrize("size", [1, 3, SLICE_BYTES + 1, 3 * SLICE_BYTES])
@pytest.mark.parametrize(("for_h11", "for_the_door"), [("HEAD", "GET"), ("GET", "HEAD")])
def test_where_the_door_and_h11_see_different_ends_nobody_is_believed(
    for_h11: str, for_the_door: str, size: int
) -> None:
    """Whichever ends first: a byte that one takes for the body and the other for what follows is no answer."""
    general = General(new_reader(for_h11, Limits()), for_the_door, Limits())
    with pytest.raises(ProtocolError, match="end in two places"):
        general.receive(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (size, bytes(size)))
    assert not general.is_reusable
