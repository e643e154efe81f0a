"""What a call says about an SMS when the connection fails: not sent, or maybe sent, and never sent twice."""

from __future__ import annotations

import threading

import pytest

from smswire import Sent, errors
from smswire.flow.retry import Outcome
from smswire.net.pacers import Pacer

from .raw import OK, Peer
from .runtimes import gateway_over
from .test_queue import Caller

BODY = b"to=491716992343&text=Hello"

both = pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])


@both
@pytest.mark.parametrize("end", ["finish", "reset"])
def test_a_connection_closed_after_the_request_was_read_is_maybe_sent(serve, make_client, tls, end):
    """The server has read one whole message and ends the connection: MAYBE, and nothing is repeated."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        getattr(peer, end)()

    server = serve(handler, tls=tls)
    outcome = Outcome()
    with pytest.raises(errors.ConnectionEnded) as raised:
        make_client(server).request("POST", "/api/sms", body=BODY, outcome=outcome)
    assert raised.value.sent is outcome.sent is Sent.MAYBE
    assert raised.value.call == "POST /api/sms"
    assert (len(server.requests), server.accepted, outcome.attempts) == (1, 1, 1)


@both
def test_a_request_under_way_is_maybe_sent_already(serve, make_client, tls):
    """The caller's outcome says so while the call waits for its answer: nobody may come to say it later."""
    server = serve(lambda peer: peer.read_request() and peer.read_to_end(), tls=tls)
    client = make_client(server)
    call = Caller(client)
    server.next_request()
    assert (call.outcome.sent, call.error) == (Sent.MAYBE, None)
    client.close(drain=0.0)
    call.join()


@both
@pytest.mark.parametrize("end", ["finish", "reset"])
def test_a_connection_closed_before_the_answer_on_reuse_is_maybe_sent(serve, make_client, tls, end):
    """On a connection that was used before, libcurl sends again; here the server sees the second message once."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        getattr(peer, end)()

    server = serve(handler, tls=tls)
    client = make_client(server)
    client.request("POST", "/api/sms", body=BODY)
    with pytest.raises(errors.ConnectionEnded) as raised:
        client.request("POST", "/api/sms", body=BODY)
    assert raised.value.sent is Sent.MAYBE
    assert (len(server.requests), server.accepted) == (2, 1)


@both
@pytest.mark.parametrize("end", ["finish", "reset"])
def test_a_connection_that_ended_while_idle_is_replaced(serve, make_client, tls, end):
    """The probe finds the end before anything is sent on it, so the call succeeds and is seen once."""
    ended = threading.Event()

    def handler(peer: Peer) -> None:
        if peer.number > 1:
            peer.answer_all()
            return
        peer.read_request()
        peer.send(OK)
        peer.server.may_end.wait()
        getattr(peer, end)()
        ended.set()

    server = serve(handler, tls=tls)
    server.may_end = threading.Event()
    client = make_client(server)
    client.request("POST", "/first")
    server.may_end.set()
    ended.wait()
    outcome = Outcome()
    assert client.request("POST", "/second", body=BODY, outcome=outcome).status == 200
    assert [request.split(b" ")[1] for request in server.requests] == [b"/first", b"/second"]
    assert outcome.attempts == 1
    stats = client.stats()
    assert (stats.opened, stats.dead) == (2, 0)


@both
def test_a_gateway_that_is_down_means_not_sent(serve, make_client, tls):
    """Refused connections are tried three times, and the error lists the address."""
    server = serve(tls=tls)
    server.stop_listening()
    with pytest.raises(errors.ConnectError) as raised:
        make_client(server).request("POST", "/api/sms", body=BODY)
    assert raised.value.sent is Sent.NO
    assert raised.value.attempts == 3
    assert raised.value.failures == ((f"127.0.0.1:{server.port}", "Connection refused"),)


def test_a_gateway_that_restarts_with_fifty_idle_connections_costs_no_call(make_sandbox, make_client):
    """All fifty are dead; the next call discards what it meets, dials, succeeds, and is seen once."""
    sandbox = make_sandbox(delay=1.0, plain=True)  # within which all fifty have dialled
    client = make_client(sandbox.plain_url.removesuffix("/api"), pacer=Pacer(spacing=0.0), connect_timeout=20.0)
    balance = ("GET", "/api/balance", [("X-Api-Key", "sandbox-key")])
    callers = [threading.Thread(target=client.request, args=balance) for _ in range(50)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert client.stats().idle == 50
    sandbox.restart()
    with gateway_over(client, "sandbox-key", base_url=sandbox.plain_url) as gateway:
        gateway.sms("491716992343", "after the restart")
    assert [message["text"] for message in sandbox.messages()] == ["after the restart"]
    assert sandbox.calls()[-1]["status"] == 200


def test_a_wrong_key_means_not_sent(make_sandbox, make_client):
    """Code 900 comes with HTTP 200, and is the gateway's word that nothing was sent."""
    sandbox = make_sandbox()
    gateway = gateway_over(make_client(sandbox), "another-key", base_url=sandbox.url)
    with pytest.raises(errors.GatewayError) as raised:
        gateway.sms("491716992343", "Hello")
    assert (raised.value.sent, raised.value.code) == (Sent.NO, 900)
    assert len(sandbox.calls()) == 1


@both
@pytest.mark.parametrize(
    "answer",
    [
        OK,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n100\r\n0\r\nVia: a\r\n\r\n",
    ],
    ids=["length", "chunked"],
)
def test_an_answer_cut_after_any_byte_is_maybe_sent(serve, make_client, tls, answer):
    """The connection ends after each byte k of an answer: MAYBE for all of them but the last, and seen once each."""

    def handler(peer: Peer) -> None:
        request = peer.read_request()
        if request is not None:
            peer.send(answer[: int(request.split(b" ")[1][1:])])
            peer.finish()

    server = serve(handler, tls=tls)
    client = make_client(server)
    for k in range(len(answer)):
        with pytest.raises(errors.SmswireError) as raised:
            client.request("POST", f"/{k}", body=BODY)
        assert raised.value.sent is Sent.MAYBE, k
    assert client.request("POST", f"/{len(answer)}", body=BODY).body == b"100"
    assert len(server.requests) == server.accepted == len(answer) + 1


@both
def test_a_reset_after_any_part_of_an_answer_is_maybe_sent(serve, make_client, tls):
    """The same with RST, which may destroy what was already on its way."""

    def handler(peer: Peer) -> None:
        request = peer.read_request()
        if request is not None:
            peer.send(OK[: int(request.split(b" ")[1][1:])])
            peer.reset()

    server = serve(handler, tls=tls)
    client = make_client(server)
    for k in range(0, len(OK), 3):
        with pytest.raises(errors.SmswireError) as raised:
            client.request("POST", f"/{k}", body=BODY)
        assert raised.value.sent is Sent.MAYBE, k
    assert len(server.requests) == server.accepted


def test_a_repeatable_call_is_sent_again_after_a_cut(serve, make_client):
    """The caller's word that twice does no harm: MAYBE is tried again, and the last answer counts."""

    def handler(peer: Peer) -> None:
        if peer.number < 3:
            peer.read_request()
            peer.send(OK[:20])
        else:
            peer.answer_all()

    server = serve(handler)
    outcome = Outcome()
    assert make_client(server).request("GET", "/api/balance", repeatable=True, outcome=outcome).status == 200
    assert (len(server.requests), outcome.attempts, outcome.sent) == (3, 3, Sent.YES)


@pytest.mark.parametrize("status", ["408 Request Timeout\r\nConnection: close", "421 M", "425 E", "429 T"])
def test_a_request_refused_unprocessed_is_tried_again(serve, make_client, status):
    """The server says that it did not act on it, so the next attempt is the first to count."""

    def handler(peer: Peer) -> None:
        if peer.server.requests:
            peer.answer_all()
            return
        peer.read_request()
        peer.send(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        if "close" not in status:
            peer.answer_all()

    server = serve(handler)
    outcome = Outcome()
    assert make_client(server).request("POST", "/api/sms", body=BODY, outcome=outcome).status == 200
    assert (len(server.requests), outcome.attempts) == (2, 2)


@pytest.mark.parametrize("end", ["finish", "reset"])
def test_an_end_within_the_handshake_means_not_sent(serve, make_client, end):
    """The server accepts, reads the ClientHello and ends: three attempts, and nothing was sent."""

    def handler(peer: Peer) -> None:
        peer.read_some()
        getattr(peer, end)()

    server = serve(handler)
    with pytest.raises(errors.NetworkError) as raised:
        make_client(server.origin.replace("http:", "https:")).request("POST", "/api/sms", body=BODY)
    assert raised.value.sent is Sent.NO
    assert (raised.value.attempts, server.accepted) == (3, 3)


def test_a_broken_record_in_the_answer_is_maybe_sent_and_not_repeated(serve, make_client):
    """A TLS failure after the request is no reason to send it again (urllib3 sent it four times)."""

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send_raw(b"\x17\x03\x03\x00\x20" + bytes(32))
        peer.read_to_end()

    server = serve(handler, tls=True)
    with pytest.raises(errors.TLSError) as raised:
        make_client(server).request("POST", "/api/sms", body=BODY)
    assert raised.value.sent is Sent.MAYBE
    assert len(server.requests) == server.accepted == 1
