"""A host with several addresses, some of which swallow every SYN: the call finds the one that answers."""

from __future__ import annotations

import threading

import pytest

from smswire import Sent, errors
from smswire.net.pacers import Pacer

from .raw import Peer, RawServer, black_hole

both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


def origin_of(server: RawServer) -> str:
    """By a name, whose addresses are then those of ``resolve=``."""
    return server.origin.replace(server.host, "localhost")


@both
def test_the_second_address_answers_where_the_first_is_a_black_hole(serve, make_client, tls):
    """The race begins while the first address is silent, and its answer is in time for the call's deadline."""
    server = serve(tls=tls, host="127.0.0.3")
    with black_hole("127.0.0.2", server.port):
        client = make_client(origin_of(server), resolve=lambda host: ["127.0.0.2", "127.0.0.3"])
        assert client.request("POST", "/api/sms", body=b"a").status == 200
        # The one that answered goes first from now on.
        assert client.request("POST", "/api/sms", body=b"b").status == 200
    assert (len(server.requests), server.accepted) == (2, 1)


def test_an_address_that_accepts_and_says_nothing_is_passed_over(serve, make_client):
    """Kernels complete TCP handshakes for servers that hang: only a byte of TLS counts as an answer."""

    def silent(peer: Peer) -> None:
        peer.read_to_end()

    good = serve(tls=True, host="127.0.0.3")
    hung = serve(silent, host="127.0.0.2", port=good.port)
    client = make_client(origin_of(good), resolve=lambda host: ["127.0.0.2", "127.0.0.3"])
    assert client.request("POST", "/api/sms", body=b"a").status == 200
    assert (len(good.requests), hung.accepted, hung.requests) == (1, 1, [])


def test_an_address_that_refuses_is_passed_over_at_once(serve, make_client):
    """A refusal needs no delay, and is no attempt of its own."""
    server = serve(tls=True, host="127.0.0.3")
    client = make_client(origin_of(server), resolve=lambda host: ["127.0.0.2", "127.0.0.3"])
    assert client.request("POST", "/api/sms", body=b"a").status == 200
    assert (len(server.requests), server.accepted) == (1, 1)


@both
def test_fifty_callers_survive_that_the_first_address_becomes_a_black_hole(serve, make_client, tls):
    """The address that answered before dies: every caller gets through by the other, within its own deadline."""
    first = serve(tls=tls, host="127.0.0.2")
    second = serve(tls=tls, host="127.0.0.3", port=first.port)
    client = make_client(origin_of(first), resolve=lambda host: ["127.0.0.2", "127.0.0.3"], pacer=Pacer())
    assert client.request("POST", "/warm").status == 200
    assert len(first.requests) == 1
    first.stop_listening()
    first.end_connections()
    answers: list[object] = []

    def call(number: int) -> None:
        try:
            answers.append(client.request("POST", f"/{number}").status)
        except errors.SmswireError as error:
            answers.append(error)

    with black_hole("127.0.0.2", first.port):
        callers = [threading.Thread(target=call, args=(number,)) for number in range(50)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        client.close(0.0)
    assert answers == [200] * 50
    targets = [request.split(b" ")[1] for request in second.requests]
    assert sorted(targets) == sorted(f"/{number}".encode() for number in range(50))


def test_a_deadline_among_silent_addresses_means_not_sent(make_client):
    """The call's own deadline passes first: Timeout, NO."""
    with black_hole("127.0.0.2") as port, black_hole("127.0.0.3", port):
        client = make_client(f"https://localhost:{port}", resolve=lambda host: ["127.0.0.2", "127.0.0.3"])
        # On a busy machine the first dial may begin too late for a short deadline.
        for timeout in (0.3, 1.0, 5.0):
            with pytest.raises(errors.Timeout) as raised:
                client.request("POST", "/api/sms", body=b"a", timeout=timeout)
            assert raised.value.sent is Sent.NO
            if raised.value.phase == "connecting":
                break
    assert raised.value.phase == "connecting"


def test_an_error_lists_every_silent_and_refusing_address(make_client):
    """All addresses are silent or refuse: one error, NO, and each of them named with what came of it."""
    with black_hole("127.0.0.2") as port:
        client = make_client(
            f"https://localhost:{port}",
            resolve=lambda host: ["127.0.0.2", "127.0.0.3", "127.0.0.4"],
            connect_timeout=0.3,
        )
        with pytest.raises(errors.ConnectError) as raised:
            client.request("POST", "/api/sms", body=b"a")
    assert raised.value.sent is Sent.NO
    assert raised.value.advice == "check host and port, and what is in between"
    assert raised.value.attempts == 3
    assert dict(raised.value.failures) == {
        f"127.0.0.2:{port}": "no answer",
        f"127.0.0.3:{port}": "Connection refused",
        f"127.0.0.4:{port}": "Connection refused",
    }


def test_a_dial_given_up_counts_for_the_lag(make_client):
    """A black hole is no evidence: its slots at the pacer stay taken after the call has failed."""
    pacer = Pacer()
    with black_hole("127.0.0.2") as port:
        client = make_client(f"http://127.0.0.2:{port}", connect_timeout=0.05, pacer=pacer)
        with pytest.raises(errors.ConnectError):
            client.request("POST", "/api/sms")
    assert pacer.stats()[:2] == (3, 0)
