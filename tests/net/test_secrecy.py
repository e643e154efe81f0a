"""The API key is in nothing a failure leaves behind: log records, texts, tracebacks, pickles, URLs."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable

import pytest

from smswire import Gateway, errors
from smswire.gateway import auth, call
from smswire.net.pacers import Pacer

from .raw import OK, Peer

KEY = "kEy-4711-0815"
STYLES = ["basic", "x_api_key", "bearer", "p"]


def cut(peer: Peer) -> None:
    peer.read_request()
    peer.send(OK[:30])


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.read_to_end()


def says(body: bytes, status: bytes = b"200 OK") -> Callable[[Peer], None]:
    head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    return lambda peer: peer.answer_all(head + body)


def ambiguous(peer: Peer) -> None:
    peer.answer_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n100")


# Each: the server's script, settings of the client, what is sent, and the error that follows.
FAILURES: dict[str, tuple[Callable[[Peer], None], dict[str, object], str, type[Exception]]] = {
    "refused": (silent, {}, "Hello", errors.ConnectError),
    "timeout": (silent, {"timeout": 0.1}, "Hello", errors.Timeout),
    "cut": (cut, {}, "Hello", errors.ConnectionEnded),
    "ambiguous": (ambiguous, {}, "Hello", errors.ProtocolError),
    "certificate": (silent, {"trust": None}, "Hello", errors.CertificateError),
    "900": (says(b"900"), {}, "Hello", errors.GatewayError),
    "unreadable": (says(b"<html>"), {}, "Hello", errors.AnswerError),
    "500": (says(b"oops", b"500 Oops"), {}, "Hello", errors.StatusError),
    "parameter": (silent, {}, "x" * 2000, errors.InvalidParameter),
    "lookup": (silent, {"resolve": lambda host: []}, "Hello", errors.ResolutionError),
    "closed": (silent, {}, "Hello", errors.Closed),
}


@pytest.mark.parametrize("send_as", ["form", "json", "query"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_shows_the_key(serve, make_client, caplog, failure, style, send_as):
    """Every failure, with every way to show the key to the gateway: nothing on this side shows it to anybody else."""
    script, settings, text, kind = FAILURES[failure]
    caplog.set_level(logging.DEBUG)
    server = serve(script, tls=True)
    origin = server.origin.replace("127.0.0.1", "localhost") if failure == "lookup" else server.origin
    client = make_client(origin, pacer=Pacer(), **settings)
    gateway = Gateway(
        KEY, base_url=f"{origin}/api", auth=style, send_as=send_as, client=client, timeout=settings.get("timeout", 20.0)
    )
    if failure == "refused":
        server.stop_listening()
    if failure == "closed":
        client.close()
    with pytest.raises(kind) as raised:
        gateway.sms("491716992343", text)
    error = raised.value
    told = [record.getMessage() for record in caplog.records]
    told += [repr(thing) for thing in (client, gateway, error, error.args, vars(error), client.stats())]
    told += [str(error), *traceback.format_exception(error), repr(pickle.dumps(error))]
    assert all(KEY not in text for text in told)
    for request in server.requests:
        assert KEY.encode() in request
        assert (KEY.encode() in request.split(b"\r\n")[0]) == (style == "p" and send_as == "query")


@pytest.mark.parametrize("send_as", ["form", "json", "query"])
@pytest.mark.parametrize("style", STYLES)
def test_no_value_shows_the_key(serve, make_client, style, send_as):
    """Request, response, auth, and the outcomes of many: none shows it in ``repr``."""
    client = make_client(serve(says(b"900")), pacer=Pacer())
    gateway = Gateway(KEY, base_url=f"http://{client.origin.authority}/api", auth=style, send_as=send_as, client=client)
    shown = auth.Auth(KEY, style)
    request = call.build("sms", {"to": "49171"}, auth=shown, path="/api", method="POST", send_as=send_as, sent_with="x")
    response = client.request(request.method, request.target, request.headers, request.body)
    outcomes = gateway.sms_many([{"to": "491716992343", "text": "Hello"}])
    for thing in (request, request.headers, response, response.headers, shown, outcomes):
        assert KEY not in repr(thing)
