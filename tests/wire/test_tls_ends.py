"""The end of a TLS session: what breaks it, what ends it, and what either means for an answer under way."""

from __future__ import annotations

import ssl
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import ConnectionEnded, Sent, SmswireError, TLSError
from smswire.wire import Channel, Request

from .feeding import pieces_of
from .key_update import ServerKeys, server_with_secrets
from .peer import TLS13, VERSIONS, Peer, authority, connected, opening, server_context, take

versions = st.sampled_from(VERSIONS)
cuts = st.lists(st.integers(0, 100_000), max_size=12)

SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n100"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n100\r\n0\r\n\r\n"
UNTIL_THE_END = b"HTTP/1.1 200 OK\r\n\r\n100"


def asked(version: ssl.TLSVersion = TLS13, server: ssl.SSLContext | None = None) -> tuple[Channel, Peer]:
    """A channel whose request the far end has read."""
    channel, peer = connected(version, server)
    channel.send_request(Request("POST", "/api/sms", body=b"text=hi"))
    take(channel, peer)
    assert channel.fully_handed
    assert peer.plain.endswith(b"text=hi")
    return channel, peer


@given(versions, st.integers(0, 10_000), st.integers(1, 255))
def test_a_corrupt_record_within_an_answer_leaves_it_open_whether_it_was_sent(
    version: ssl.TLSVersion, place: int, flip: int
) -> None:
    """Whichever byte of its content was changed: MAYBE, and the far end is told why."""
    channel, peer = asked(version)
    assert channel.receive_data(peer.say(SIZED[:30])) is None
    record = bytearray(peer.say(SIZED[30:]))
    record[5 + place % (len(record) - 5)] ^= flip
    with pytest.raises(TLSError) as caught:
        channel.receive_data(bytes(record))
    assert (caught.value.sent, caught.value.call) == (Sent.MAYBE, "POST /api/sms")
    assert not channel.reusable
    assert bytes(channel.bytes_to_send()) == b""
    peer.receive(channel.bytes_to_close())
    assert peer.error is not None
    assert "ALERT_BAD_RECORD_MAC" in (peer.error.reason or "")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_record_broken_behind_an_answer_costs_the_connection_only(version: ssl.TLSVersion) -> None:
    """What came before it was whole."""
    channel, peer = asked(version)
    response = channel.receive_data(peer.say(SIZED) + b"\x17\x03\x03\x00\x20" + bytes(32))
    assert response is not None
    assert channel.response is response
    assert not channel.reusable
    assert bytes(channel.bytes_to_send()) == b""


def answered(pieces: list[bytes], channel: Channel, *, end: bool = True) -> tuple[Any, ...]:
    response, failure = None, None
    try:
        for piece in pieces:
            response = channel.receive_data(piece) or response
        if end:
            response = channel.receive_eof() or response
    except SmswireError as error:
        failure = error
    assert channel.response is response
    return response and response.body, failure and (type(failure), failure.sent), channel.reusable


CUT = (None, (ConnectionEnded, Sent.MAYBE), False)
WHOLE = (b"100", None, False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("answer", [SIZED, CHUNKED])
def test_an_end_after_any_byte_of_the_ciphertext_is_no_answer(version: ssl.TLSVersion, answer: bytes) -> None:
    """The last byte of the last record makes it one; close_notify behind it changes nothing."""
    channel, peer = asked(version)
    data = peer.say(answer[:25]) + peer.say(answer[25:])
    length = len(data)
    for taken in range(length):
        channel, peer = asked(version)
        data = peer.say(answer[:25]) + peer.say(answer[25:])
        assert answered([data[:taken]], channel) == CUT
    for farewell in (False, True):
        channel, peer = asked(version)
        data = peer.say(answer[:25]) + peer.say(answer[25:]) + (peer.close() if farewell else b"")
        assert answered([data], channel) == WHOLE


@given(versions, st.sampled_from([SIZED, CHUNKED, UNTIL_THE_END]), cuts, cuts, st.booleans(), st.booleans())
def test_the_end_of_an_answer_is_the_same_however_it_is_cut(
    version: ssl.TLSVersion, answer: bytes, records: list[int], reads: list[int], farewell: bool, end: bool
) -> None:
    """Into records and into reads. Without length only close_notify ends a body: an end without it is anyone's."""
    channel, peer = asked(version)
    data = b"".join(peer.say(piece) for piece in pieces_of(answer, records)) + (peer.close() if farewell else b"")
    if answer is not UNTIL_THE_END:
        expected: tuple[Any, ...] = (b"100", None, not (farewell or end))
    elif farewell:
        expected = WHOLE
    else:
        expected = CUT if end else (None, None, False)
    assert answered(pieces_of(data, reads), channel, end=end) == expected


@pytest.mark.parametrize("version", VERSIONS)
def test_a_farewell_to_an_idle_connection_retires_it(version: ssl.TLSVersion) -> None:
    """Fresh or used, it takes no request any more, and nothing was lost; our own farewell is still said."""
    for make in (connected, asked):
        channel, peer = make(version)
        if make is asked:
            assert channel.receive_data(peer.say(SIZED)) is not None
        assert channel.receive_data(peer.close()) is None
        assert not channel.reusable
        assert channel.receive_eof() is None
        farewell = channel.bytes_to_close()
        assert farewell
        peer.incoming.write(farewell)
        peer.session.unwrap()  # raises unless ours has come


@pytest.mark.parametrize("version", VERSIONS)
def test_a_farewell_is_said_once_and_can_be_read(version: ssl.TLSVersion) -> None:
    """To a healthy session; before the handshake is done there is nobody to say it to."""
    assert opening().bytes_to_close() == b""
    channel, peer = connected(version)
    farewell = channel.bytes_to_close()
    channel.handed_over(len(farewell))
    peer.receive(farewell)
    assert peer.has_ended
    assert channel.bytes_to_close() == b""


def test_a_demand_for_our_certificate_after_the_handshake_is_told_by_what_had_left() -> None:
    """In TLS 1.3 the refusal comes behind the handshake: NO if it comes before a request, MAYBE if one has left."""
    server = server_context.__wrapped__(TLS13)
    server.verify_mode = ssl.CERT_REQUIRED
    authority(0).configure_trust(server)
    for has_asked, sent in ((False, Sent.NO), (True, Sent.MAYBE)):
        channel, peer = opening(), Peer(server)
        take(channel, peer)
        channel.receive_data(peer.outgoing.read())
        assert channel.reusable
        if has_asked:
            channel.send_request(Request("GET", "/"))
        take(channel, peer)
        assert peer.error is not None
        with pytest.raises(TLSError, match="certificate required") as caught:
            channel.receive_data(peer.outgoing.read())
        assert caught.value.sent is sent


def renegotiate(peer: Peer) -> bytes:
    """A HelloRequest, which only TLS 1.2 knows, under no key: an attacker's."""
    return b"\x16\x03\x03\x00\x04\x00\x00\x00\x00"


@pytest.mark.parametrize("put", [renegotiate, lambda peer: b"\x15\x03\x03\x00\x02\x01\x00"])
@pytest.mark.parametrize("version", VERSIONS)
def test_nobody_on_the_way_can_end_or_restart_a_session(version: ssl.TLSVersion, put: Callable[[Peer], bytes]) -> None:
    """Handshake records and close_notify in the clear are an error: no body is ended by them."""
    channel, peer = asked(version)
    assert channel.receive_data(peer.say(UNTIL_THE_END)) is None
    with pytest.raises(TLSError) as caught:
        channel.receive_data(put(peer))
    assert caught.value.sent is Sent.MAYBE
    assert channel.response is None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("answer", [SIZED, CHUNKED, UNTIL_THE_END, b"HTTP/1.1 102 Processing\r\n\r\n" + SIZED])
def test_a_farewell_after_any_byte_of_an_answer_ends_only_a_body_without_length(
    answer: bytes, version: ssl.TLSVersion
) -> None:
    """The far end's own word that there is no more makes no answer of a part of one."""
    head = answer.index(b"\r\n\r\n100") + 4 if answer is UNTIL_THE_END else len(answer)
    for length in range(len(answer)):
        channel, peer = asked(version)
        data = b"".join(peer.say(part) for part in pieces_of(answer[:length], [length // 2])) + peer.close()
        expected = CUT if length < head else (answer[head:length], None, False)
        assert answered([data], channel, end=False) == expected


def test_an_empty_record_is_no_end() -> None:
    """Records without content are lawful in TLS 1.3 (RFC 8446 5.1): none ends a body or a connection."""
    with server_with_secrets() as (server, secrets):
        channel, peer = connected(server=server)
        keys = ServerKeys.of(secrets())
    assert channel.receive_data(keys.say(b"")) is None
    assert channel.reusable
    channel.send_request(Request("GET", "/"))
    take(channel, peer)
    parts = [b"", UNTIL_THE_END[:10], b"", b"", UNTIL_THE_END[10:-1], b"", UNTIL_THE_END[-1:], b""]
    for data in (b"".join(map(keys.say, parts[:4])), *map(keys.say, parts[4:])):
        assert channel.receive_data(data) is None
    response = channel.receive_data(keys.alert(b"\x01\x00"))
    assert response is not None
    assert response.body == b"100"
    assert not channel.reusable


@pytest.mark.parametrize("alert", [b"\x02\x50", b"\x02\x0a", b"\x01\x2a", b"\x02\x00"])
def test_an_alert_within_an_answer_is_an_error_and_behind_it_costs_the_connection(alert: bytes) -> None:
    """Internal error, unexpected message and the like; a close_notify called fatal is a close_notify all the same."""
    for part in (UNTIL_THE_END, SIZED):
        with server_with_secrets() as (server, secrets):
            channel, peer = connected(server=server)
            keys = ServerKeys.of(secrets())
        channel.send_request(Request("GET", "/"))
        take(channel, peer)
        expected: tuple[Any, ...] = WHOLE
        if part is UNTIL_THE_END and alert != b"\x02\x00":
            expected = (None, (TLSError, Sent.MAYBE), False)
        assert answered([keys.say(part) + keys.alert(alert)], channel, end=False) == expected


@pytest.mark.parametrize("is_partly_out", [False, True], ids=["all taken", "partly taken"])
def test_the_last_word_gives_the_memory_of_the_session_back(is_partly_out: bool) -> None:
    """At once, whoever still refers to the channel; what it knows of the request stays, and so does the last word."""
    channel, peer = connected(TLS13)
    session = weakref.ref(channel._transport._object)  # type: ignore[union-attr]
    channel.send_request(Request("POST", "/api/sms", body=b"text=hi"))
    if is_partly_out:
        channel.handed_over(10)
    else:
        take(channel, peer)
    handed = channel.handed
    assert session() is not None
    last_word = channel.bytes_to_close()
    assert session() is None
    assert bool(last_word) is not is_partly_out
    assert channel.bytes_to_close() == last_word
    assert (channel.handed, channel.fully_handed) == (handed, not is_partly_out)
    with pytest.raises(SmswireError):
        channel.receive_data(b"more")
