"""The API key is in nothing a failure leaves behind: log records, texts, tracebacks, pickles, URLs."""

from __future__ import annotations

import logging
import pickle
import traceback
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from smswire import Gateway, errors
from smswire.flow.retry import Outcome
from smswire.gateway import auth, call
from smswire.net.pacers import Pacer

from .raw import OK, WITHIN_S, Peer
from .runtimes import gateway_over

KEY = "kEy-4711-0815"
STYLES = ["basic", "x_api_key", "bearer", "p"]
WAYS = list(product(STYLES, ["form", "json", "query"]))


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


def reset(peer: Peer) -> None:
    peer.read_request()
    peer.reset()


def broken_record(peer: Peer) -> None:
    peer.read_request()
    peer.send_raw(b"\x17\x03\x03\x00\x20" + bytes(32))
    peer.read_to_end()


class Failure(NamedTuple):
    """The server's script, the error that follows, settings of the client, and the text that is sent."""

    script: Callable[[Peer], None]
    kind: type[errors.SmswireError]
    settings: Mapping[str, Any] = MappingProxyType({})
    text: str = "Hello"


FAILURES = {
    "refused": Failure(silent, errors.ConnectError),
    "timeout": Failure(silent, errors.Timeout, {"timeout": 0.3}),
    "cut": Failure(cut, errors.ConnectionEnded),
    "reset": Failure(reset, errors.ConnectionEnded),
    "ambiguous": Failure(ambiguous, errors.ProtocolError),
    "record": Failure(broken_record, errors.TLSError),
    "certificate": Failure(silent, errors.CertificateError, {"trust": None}),
    "900": Failure(says(b"900"), errors.GatewayError),
    "unreadable": Failure(says(b"<html>"), errors.AnswerError),
    "429": Failure(says(b"later", b"429 Too Many Requests"), errors.StatusError),
    "500": Failure(says(b"oops", b"500 Oops"), errors.StatusError),
    "parameter": Failure(silent, errors.InvalidParameter, text="x" * 2000),
    "lookup": Failure(silent, errors.ResolutionError, {"resolve": lambda host: []}),
    "closed": Failure(silent, errors.Closed),
}


def sms(gateway: Gateway, text: str) -> tuple[errors.SmswireError, Outcome]:
    """One SMS that fails, and how."""
    outcome = Outcome()
    with pytest.raises(errors.SmswireError) as raised:
        gateway.sms("491716992343", text, outcome=outcome)
    return raised.value, outcome


def texts_of(error: BaseException) -> list[str]:
    """What of an error may end in a log."""
    formatted = traceback.TracebackException.from_exception(error, capture_locals=False).format()
    return [str(error), repr(error), repr(error.args), *formatted, *traceback.format_exception(error)]


@pytest.mark.parametrize("failure", FAILURES)
def test_no_failure_shows_the_key(serve, make_client, caplog, failure):
    """Every failure, with every way to show the key to the gateway: nothing on this side shows it to anybody else."""
    script, kind, settings, text = FAILURES[failure]
    caplog.set_level(logging.DEBUG)
    tried = []
    for style, send_as in WAYS:
        server = serve(script, tls=True)
        origin = server.origin.replace("127.0.0.1", "localhost") if failure == "lookup" else server.origin
        client = make_client(origin, **settings)
        gateway = gateway_over(client, KEY, base_url=f"{origin}/api", auth=style, send_as=send_as,
                          timeout=settings.get("timeout", WITHIN_S))  # fmt: skip
        tried.append((server, client, gateway))
        if failure == "refused":
            server.stop_listening()
        if failure == "closed":
            client.close()
    # All at once, for some of them are tried again after a pause.
    with ThreadPoolExecutor(len(WAYS)) as threads:
        failed = list(threads.map(lambda one: sms(one[2], text), tried))
    for (style, send_as), (server, client, gateway), (error, outcome) in zip(WAYS, tried, failed, strict=True):
        assert type(error) is kind
        told = [record.getMessage() for record in caplog.records]
        told += [repr(thing) for thing in (client, gateway, outcome, client.stats(), vars(error))]
        told += [*texts_of(error), repr(pickle.dumps(error)), *texts_of(pickle.loads(pickle.dumps(error)))]
        assert all(KEY not in text for text in told)
        for request in server.requests:
            assert KEY.encode() in request
            assert (KEY.encode() in request.split(b"\r\n")[0]) == (style == "p" and send_as == "query")


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "404 Not Found", "500 Oops", "429 Too Many Requests"])
def test_a_gateway_that_repeats_the_key_does_not_make_an_error_tell_it(serve, make_client, status):
    """In its reason, its fields and its body, as servers do that explain themselves: only ``body`` has it."""

    def echo(peer: Peer) -> None:
        head = f"HTTP/1.1 {status} {KEY}\r\nLocation: /api?p={KEY}\r\nConnection: close\r\n"
        if peer.read_request() is not None:
            peer.send(f"{head}Content-Length: {len(KEY)}\r\n\r\n{KEY}".encode())

    client = make_client(serve(echo, tls=True))
    error, outcome = sms(gateway_over(client, KEY, base_url=f"https://{client.origin.authority}/api"), "a")
    assert isinstance(error, errors.GatewayError)
    assert error.body == KEY.encode()
    assert all(KEY not in text for text in [*texts_of(error), repr(outcome), repr(error.answer)])
    response = client.request("GET", "/")
    assert response.body == KEY.encode()
    assert KEY not in repr(response)


@pytest.mark.parametrize(("style", "send_as"), WAYS)
def test_no_value_shows_the_key(serve, make_client, style, send_as):
    """Request, response, auth, and the outcomes of many: none shows it in ``repr``."""
    client = make_client(serve(says(b"900")), pacer=Pacer())
    gateway = gateway_over(client, KEY, base_url=f"http://{client.origin.authority}/api", auth=style, send_as=send_as)
    shown = auth.Auth(KEY, style)
    request = call.build("sms", {"to": "49171"}, auth=shown, path="/api", method="POST", send_as=send_as, sent_with="x")
    response = client.request(request.method, request.target, request.headers, request.body)
    outcomes = gateway.sms_many([{"to": "491716992343", "text": "Hello"}])
    for thing in (request, request.headers, response, response.headers, shown, outcomes):
        assert KEY not in repr(thing)
