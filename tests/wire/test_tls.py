"""The TLS handshake: whom it trusts, what it speaks, and what breaks it."""

from __future__ import annotations

import ctypes
import ssl
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.errors import CertificateError, ConfigurationError, ConnectionEnded, Sent, SmswireError, TLSError
from smswire.wire import TLS, Channel, Request
from smswire.wire.tls import RECORD_BYTES, Session

from .feeding import pieces_of
from .lanes import new_channel
from .peer import (
    HOST,
    NAME,
    TLS12,
    TLS13,
    VERSIONS,
    Peer,
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


def test_a_session_has_its_context_as_it_was_given() -> None:
    """Nothing about a shared context is changed by using it."""
    context = client_context()
    before = (context.options, context.verify_mode, context.check_hostname, context.minimum_version)
    channel = new_channel(HOST, tls=TLS(context, NAME))
    shake_hands(channel, Peer(server_context()))
    assert before == (context.options, context.verify_mode, context.check_hostname, context.minimum_version)


def test_a_server_of_tls_1_1_is_refused() -> None:
    """By a client that wants TLS 1.2 or better; the server is told so (alert 70, protocol_version)."""
    hello = b"\x03\x02" + bytes(range(32)) + b"\0" + b"\xc0\x13" + b"\0"
    body = b"\x02" + len(hello).to_bytes(3, "big") + hello
    channel = opening()
    channel.handed_over(len(channel.bytes_to_send()))
    with pytest.raises(TLSError, match="protocol") as caught:
        channel.receive_data(b"\x16\x03\x02" + len(body).to_bytes(2, "big") + body)
    assert (type(caught.value), caught.value.sent) == (TLSError, Sent.NO)
    assert channel.bytes_to_close()[-2:] == b"\x02\x46"


def test_a_context_that_allows_no_version_is_an_error_at_once() -> None:
    """There is nothing to send, and nobody was asked."""
    context = client_context.__wrapped__(minimum=TLS13)
    context.maximum_version = TLS12
    with pytest.raises(TLSError) as caught:
        opening(context=context)
    assert (caught.value.sent, caught.value.host) == (Sent.NO, HOST)


def test_a_session_carries_nothing_before_its_handshake() -> None:
    """A write that comes too early is an error, and counts for nothing, however much of the handshake leaves."""
    session = Session(TLS(client_context(), NAME), HOST)
    with pytest.raises(TLSError):
        session.write(b"GET / HTTP/1.1\r\n\r\n")
    session.handed_over(len(session.bytes_to_send()))
    assert session.handed == 0
    assert session.failure is not None


# what is kept


class _Allocated(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("arena", "b", "c", "d", "e", "f", "g", "in_use", "free", "top")]


def in_use() -> int:
    """Bytes that the C library has given out, where it can tell (glibc); else 0."""
    mallinfo2 = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if mallinfo2 is None:
        return 0
    mallinfo2.restype = _Allocated
    return int(mallinfo2().in_use)


def test_tickets_are_not_answered_and_leave_no_buffer_behind() -> None:
    """OpenSSL would keep the 16 KB it reads them into until the next request, which an idle connection may wait for."""
    channel, peer = opening(), Peer(server_context(TLS13))
    tickets = shake_hands(channel, peer)
    assert tickets
    before = in_use()
    assert channel.receive_data(tickets) is None
    assert in_use() - before < RECORD_BYTES // 2
    assert bytes(channel.bytes_to_send()) == b""
    assert channel.reusable
