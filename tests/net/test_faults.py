"""Faults that are none of ours: what a caller's own SSLContext raises reaches the call, and the next call works."""

from __future__ import annotations

import ssl
from typing import Any

import pytest

from smswire import Sent, errors
from smswire.flow.retry import Outcome

from .raw import OK, Peer


class Fault(OSError):
    """As the operating system's own errors: nothing may take it for a word of the socket."""


class Faulty(ssl.SSLObject):
    """Fails once, in the method that the test names; ``left`` counts the calls until then."""

    method = ""
    left = 0

    def _count(self, method: str) -> None:
        if method == Faulty.method:
            Faulty.left -= 1
            if Faulty.left == 0:
                raise Fault("a fault of the caller's")

    def do_handshake(self) -> None:
        self._count("do_handshake")
        super().do_handshake()

    def read(self, *args: Any) -> bytes:
        self._count("read")
        return super().read(*args)

    def unwrap(self) -> Any:
        if Faulty.method:
            raise Fault("a fault of the caller's, in the last word too")
        return super().unwrap()


@pytest.fixture
def faulty(authority):
    """Makes an SSLContext that fails at the given call of a method of its sessions."""

    def make(method: str, at: int) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=authority.ca_file)
        context.sslobject_class = Faulty
        Faulty.method, Faulty.left = method, at
        return context

    yield make
    Faulty.method = ""


@pytest.mark.parametrize("at", [1, 2])
def test_a_fault_in_a_dial_is_raised_and_the_next_call_succeeds(serve, make_client, faulty, at):
    """As the channel is made, and as bytes come. A dial of the pool's tells it as the cause of its failure."""
    server = serve(tls=True)
    client = make_client(server, trust=faulty("do_handshake", at))
    with pytest.raises((Fault, errors.ConnectError)) as raised:
        client.request("POST", "/")
    error = raised.value
    assert isinstance(error, Fault) or (error.sent is Sent.NO and isinstance(error.__cause__, Fault))
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    assert client.request("POST", "/").status == 200
    assert len(server.requests) == 1


def test_a_fault_while_the_answer_is_read_is_raised_with_the_outcome_kept(serve, make_client, faulty):
    """It may have been sent; the connection is closed, and the next call opens another."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        Faulty.method, Faulty.left = "read", 1
        peer.send(OK)
        peer.answer_all()

    server = serve(handler, tls=True)
    client = make_client(server, trust=faulty("", 0))
    outcome = Outcome()
    with pytest.raises(Fault):
        client.request("POST", "/", outcome=outcome)
    assert (outcome.sent, outcome.attempts) == (Sent.MAYBE, 1)
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    server.handler = lambda peer: peer.answer_all()
    assert client.request("POST", "/").status == 200
