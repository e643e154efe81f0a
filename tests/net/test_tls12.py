"""TLS 1.2: its handshake has one more turn of the client's than that of 1.3, and its sessions end otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress

import pytest

from smswire import Sent, errors
from smswire.flow.retry import Outcome
from smswire.sandbox.tls import authority as new_authority

from .conftest import Authority
from .raw import OK, Handler, Peer, RawServer, answering

Serve = Callable[..., tuple[RawServer, str]]


@pytest.fixture
def authority12(tmp_path) -> Authority:
    """An authority for servers that speak no newer TLS."""
    context, pem = new_authority(["gateway.test"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(pem)
    return Authority(context, str(ca_file))


@pytest.fixture
def serve_tls12(nothing_left, authority12) -> Iterator[Serve]:
    """Makes such raw servers, with the file that makes a client trust them."""
    context, ca_file = authority12
    with ExitStack() as running:

        def make(handler: Handler = answering) -> tuple[RawServer, str]:
            return running.enter_context(RawServer(handler, tls=context)), ca_file

        yield make


def test_requests_are_answered_over_one_connection(serve_tls12, make_client):
    """The client's second turn in the handshake leaves as soon as the server's first has come."""

    def handler(peer: Peer) -> None:
        assert peer.socket.version() == "TLSv1.2"
        peer.answer_all()

    server, ca_file = serve_tls12(handler)
    client = make_client(server, trust=ca_file)
    for number in range(3):
        assert client.request("POST", f"/{number}", body=b"a" * 40_000).status == 200
    assert (server.accepted, len(server.requests)) == (1, 3)


def test_an_answer_cut_short_is_maybe_sent(serve_tls12, make_client):
    """The end comes without close_notify, and part of the body with it."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK[:-1])

    server, ca_file = serve_tls12(handler)
    with pytest.raises(errors.ConnectionEnded) as raised:
        make_client(server, trust=ca_file).request("POST", "/", body=b"a")
    assert raised.value.sent is Sent.MAYBE


def test_a_connection_ended_right_behind_its_handshake_is_replaced(serve, make_client, authority12):
    """close_notify in one segment with Finished, and TCP stays open: another connection is tried, and carries it."""
    context, ca_file = authority12

    def handler(peer: Peer) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = context.wrap_bio(incoming, outgoing, server_side=True)

        def until_done(step: Callable[[], object]) -> None:
            while True:
                try:
                    step()
                except ssl.SSLWantReadError:
                    peer.send(outgoing.read())
                    incoming.write(peer.read_some())
                else:
                    return

        until_done(session.do_handshake)
        if peer.number == 1:
            with suppress(ssl.SSLWantReadError):
                session.unwrap()
            peer.send(outgoing.read())
            peer.read_to_end()
        else:
            until_done(lambda: session.read(65_536))
            session.write(OK)
            peer.send(outgoing.read())
            peer.read_to_end()

    server = serve(handler)
    client = make_client(server.origin.replace("http:", "https:"), trust=ca_file)
    outcome = Outcome()
    assert client.request("POST", "/", outcome=outcome).status == 200
    assert (server.accepted, outcome.attempts, client.stats().dead) == (2, 2, 0)


def test_a_certificate_that_nobody_vouches_for_means_not_sent(serve_tls12, make_client, authority):
    """The alert goes out, and nothing else."""
    server, _ = serve_tls12()
    with pytest.raises(errors.CertificateError) as raised:
        make_client(server, trust=authority.ca_file).request("POST", "/", body=b"a")
    assert (raised.value.sent, server.requests) == (Sent.NO, [])
