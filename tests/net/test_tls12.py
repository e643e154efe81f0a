"""TLS 1.2: its handshake has one more turn of the client's than that of 1.3, and its sessions end otherwise."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from smswire import Sent, errors
from smswire.sandbox.tls import authority

from .raw import OK, Handler, Peer, RawServer, answering

Serve = Callable[..., tuple[RawServer, str]]


@pytest.fixture
def serve_tls12(nothing_left, tmp_path) -> Iterator[Serve]:
    """Makes raw servers that speak no newer TLS, with the file that makes a client trust them."""
    context, pem = authority(["gateway.test"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    ca_file = tmp_path / "ca.pem"
    ca_file.write_bytes(pem)
    with ExitStack() as running:

        def make(handler: Handler = answering) -> tuple[RawServer, str]:
            return running.enter_context(RawServer(handler, tls=context)), str(ca_file)

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


def test_a_certificate_that_nobody_vouches_for_means_not_sent(serve_tls12, make_client, authority):
    """The alert goes out, and nothing else."""
    server, _ = serve_tls12()
    with pytest.raises(errors.CertificateError) as raised:
        make_client(server, trust=authority.ca_file).request("POST", "/", body=b"a")
    assert (raised.value.sent, server.requests) == (Sent.NO, [])
