"""The TLS session: whom it trusts, what breaks it, and what its end means for an answer."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.errors import CertificateError, ConfigurationError, ConnectionEnded, Sent, SmswireError, TLSError
from smswire.wire import TLS, Channel, Request

from .feeding import pieces_of
from .peer import (
    HOST,
    NAME,
    TLS12,
    TLS13,
    VERSIONS,
    Peer,
    authority,
    client_context,
    connected,
    opening,
    server_context,
    shake_hands,
    take,
)

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


def failure_of(channel: Channel, server: ssl.SSLContext) -> tuple[SmswireError, Peer]:
    """Why the handshake fails, and the far end after it got what was said at the close."""
    peer = Peer(server)
    with pytest.raises(SmswireError) as caught:
        shake_hands(channel, peer)
    error = caught.value
    assert (error.sent, error.host, error.call) == (Sent.NO, HOST, None)
    assert error.__cause__ is None
    assert not channel.reusable
    assert channel.handed == 0
    assert bytes(channel.bytes_to_send()) == b""
    peer.receive(channel.bytes_to_close())
    return error, peer


# whom it trusts

PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2090, 1, 1, tzinfo=UTC)

UNTRUSTED: dict[str, tuple[str, dict[str, Any]]] = {
    "another name": (NAME, {"names": ("other.example",)}),
    "the domain above": (NAME, {"names": ("example",)}),
    "an address for a name": (NAME, {"names": ("127.0.0.1",)}),
    "a name for an address": ("127.0.0.1", {}),
    "another address": ("127.0.0.1", {"names": ("127.0.0.2", "::1")}),
    "an address in brackets": ("[::1]", {"names": ("::1",)}),
    "a wildcard over two labels": ("a.b.gateway.example", {"names": ("*.gateway.example",)}),
    "an unknown authority": (NAME, {"issuer": 1}),
    "expired": (NAME, {"not_before": PAST, "not_after": datetime(2020, 2, 1, tzinfo=UTC)}),
    "not yet valid": (NAME, {"not_before": FUTURE, "not_after": datetime(2090, 2, 1, tzinfo=UTC)}),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", UNTRUSTED)
def test_a_certificate_that_does_not_fit_is_a_permanent_error_before_anything_is_sent(
    case: str, version: ssl.TLSVersion
) -> None:
    """It would fail again; the far end is told by an alert, and gets nothing else."""
    name, options = UNTRUSTED[case]
    error, peer = failure_of(opening(name), server_context(version, **options))
    assert type(error) is CertificateError
    assert error.permanent
    assert peer.plain == b""
    assert peer.error is not None
    assert "ALERT" in (peer.error.reason or "")


@pytest.mark.parametrize(
    ("name", "names"),
    [
        (NAME, (NAME,)),
        (NAME + ".", (NAME,)),
        (NAME.upper(), (NAME,)),
        ("a.gateway.example", ("*.gateway.example",)),
        ("127.0.0.1", ("127.0.0.1",)),
        ("::1", ("::1",)),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_name_or_an_address_in_the_certificate_is_trusted(
    name: str, names: tuple[str, ...], version: ssl.TLSVersion
) -> None:
    """A dot at the end is no part of the name, and is not sent; nor is an address (RFC 6066 3)."""
    told: list[str | None] = []
    server = server_context.__wrapped__(version, names=names)
    server.sni_callback = lambda _session, told_name, _context: told.append(told_name)
    channel = opening(name)
    shake_hands(channel, Peer(server))
    assert channel.reusable
    assert told == [None if names[0] in ("127.0.0.1", "::1") else name.removesuffix(".")]


@pytest.mark.parametrize("name", ["", ".", ".example", "ä.example", "\ud800", "a\0b.example", "a" * 256])
def test_a_name_that_cannot_be_asked_for_is_a_configuration_error(name: str) -> None:
    """It is found before there is anything to send."""
    with pytest.raises(ConfigurationError) as caught:
        opening(name)
    assert caught.value.sent is Sent.NO
    assert caught.value.host == HOST


def test_a_context_for_servers_is_a_configuration_error() -> None:
    """No handshake of a client can come of it."""
    with pytest.raises(ConfigurationError):
        opening(context=server_context())


# versions and protocols


def test_no_common_version_is_no_connection() -> None:
    """A client that wants TLS 1.3 does not talk to a server of TLS 1.2."""
    error, _ = failure_of(opening(context=client_context(minimum=TLS13)), server_context(TLS12))
    assert type(error) is TLSError
    assert not error.permanent


@pytest.mark.parametrize("version", VERSIONS)
def test_a_protocol_other_than_http_1_1_is_refused(version: ssl.TLSVersion) -> None:
    """A caller's own context may offer others, but no other is spoken."""
    channel = opening(context=client_context(("h2", "http/1.1")))
    error, peer = failure_of(channel, server_context(version, alpn=("h2",)))
    assert type(error) is TLSError
    assert error.permanent
    assert peer.plain == b""
    assert not channel.established


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("alpn", [(), ("http/1.1",), ("http/1.1", "h2")])
def test_http_1_1_or_no_choice_at_all_is_taken(alpn: tuple[str, ...], version: ssl.TLSVersion) -> None:
    """A server that knows nothing of ALPN speaks HTTP/1.1."""
    channel, _ = connected(version, server_context(version, alpn=alpn))
    assert channel.reusable


# what breaks a handshake


@given(
    st.binary(min_size=1, max_size=200), st.sampled_from([b"", b"\x16\x03\x03", b"\x15\x03\x03\x00\x02", b"HTTP/1.1 "])
)
@example(b"\x02\x28", b"\x15\x03\x03\x00\x02")
@example(b"400 Bad Request\r\n\r\n", b"HTTP/1.1 ")
def test_what_is_no_handshake_sends_nothing(noise: bytes, start: bytes) -> None:
    """Noise, an alert or plain HTTP: the error is TLS's, or the end's if it could still have become a handshake."""
    channel = opening()
    channel.handed_over(len(channel.bytes_to_send()))

    def feed() -> None:
        channel.receive_data(start + noise)
        channel.receive_eof()

    with pytest.raises((TLSError, ConnectionEnded)) as caught:
        feed()
    assert (caught.value.sent, caught.value.host) == (Sent.NO, HOST)
    assert not channel.established
    assert not channel.reusable


def test_an_alert_in_place_of_a_handshake_is_named() -> None:
    """The far end's reason is in the text."""
    channel = opening()
    with pytest.raises(TLSError, match="handshake failure"):
        channel.receive_data(b"\x15\x03\x03\x00\x02\x02\x28")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_end_within_the_handshake_is_an_end_with_nothing_sent(version: ssl.TLSVersion) -> None:
    """After any byte of the server's first flight."""
    length = -1
    whole = 0
    while length < whole:  # each flight is new, and a signature may be a byte longer than the last
        length += 1
        channel, peer = opening(), Peer(server_context(version))
        take(channel, peer)
        flight = peer.outgoing.read()
        whole = len(flight)
        assert channel.receive_data(flight[:length]) is None
        assert channel.established is (length >= whole and version is TLS13)
        if channel.established:
            continue
        with pytest.raises(ConnectionEnded, match="handshake") as caught:
            channel.receive_eof()
        assert caught.value.sent is Sent.NO
        assert channel.bytes_to_close() == b""


@given(versions, st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_handshake_never_carries_a_request_to_anyone_else(
    version: ssl.TLSVersion, place: int, flip: int
) -> None:
    """A changed byte is an error with nothing sent, or one that means nothing: then both ends hold the same keys."""
    channel, peer = opening(), Peer(server_context(version))
    take(channel, peer)
    flight = bytearray(peer.outgoing.read())
    flight[place % len(flight)] ^= flip
    try:
        channel.receive_data(bytes(flight))
        shake_hands(channel, peer)
        if not channel.established:
            channel.receive_eof()
    except (TLSError, ConnectionEnded) as error:
        failure: SmswireError | None = error
    else:
        failure = None
    if failure is not None:
        assert failure.sent is Sent.NO
        assert not channel.reusable
    else:
        channel.send_request(Request("GET", "/"))
        take(channel, peer)
        assert peer.plain.startswith(b"GET / ")


@given(versions, cuts, cuts)
def test_a_handshake_is_the_same_however_it_is_cut(version: ssl.TLSVersion, ours: list[int], theirs: list[int]) -> None:
    """Both ends may get it byte by byte; the tickets behind it leave the connection usable."""
    channel, peer = opening(), Peer(server_context(version))
    while True:
        data = bytes(channel.bytes_to_send())
        for piece in pieces_of(data, ours):
            take(channel, peer, len(piece))
        answer = peer.outgoing.read()
        if not data and not answer:
            break
        for piece in pieces_of(answer, theirs):
            assert channel.receive_data(piece) is None
    assert channel.established
    assert channel.reusable
    assert channel.handed == 0


@pytest.mark.parametrize("tickets", [0, 1, 2, 8])
def test_tickets_on_a_fresh_connection_are_nothing(tickets: int) -> None:
    """They may come with the handshake's end, before a request, behind it, or with the answer."""
    server = server_context(TLS13, tickets=tickets)
    for moment in range(3):
        channel, peer = opening(), Peer(server)
        behind = shake_hands(channel, peer)
        assert bool(behind) is (tickets > 0)
        if moment == 0:
            assert channel.receive_data(behind) is None
            assert (channel.reusable, channel.handed) == (True, 0)
            behind = b""
        channel.send_request(Request("GET", "/"))
        if moment == 1:
            assert channel.receive_data(behind) is None
            assert (channel.reusable, channel.handed) == (False, 0)
            behind = b""
        take(channel, peer)
        assert channel.receive_data(behind + peer.say(SIZED)) is not None
        assert channel.reusable


# what breaks a session, and what ends it


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


def test_a_session_has_its_context_as_it_was_given() -> None:
    """Nothing about a shared context is changed by using it."""
    context = client_context()
    before = (context.options, context.verify_mode, context.check_hostname, context.minimum_version)
    channel = Channel(HOST, tls=TLS(context, NAME))
    shake_hands(channel, Peer(server_context()))
    assert before == (context.options, context.verify_mode, context.check_hostname, context.minimum_version)
