"""``Gateway`` end to end: against the sandbox, and against servers that misbehave."""

from __future__ import annotations

import logging
import pickle
import socket
import sys
import traceback
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import (
    AnswerError,
    ConfigurationError,
    ConnectError,
    ConnectionEnded,
    GatewayError,
    InvalidParameter,
    InvalidRequest,
    Sent,
    SmswireError,
    StatusError,
    Timeout,
)
from smswire.flow.retry import Outcome
from smswire.gateway import Gateway, Message, SmsOutcome
from smswire.gateway.auth import STYLES
from smswire.gateway.call import SEND_AS
from smswire.gateway.sms import canonical
from smswire.net.blocking import Client
from smswire.net.pacers import Pacer
from smswire.sandbox import Sandbox

from .conftest import KEY, Scripted

TO = "+491716992343"
TEXT = "Grüße & 1+1=2 100% 😀\n\t;,"
Make = Callable[..., Gateway]
Script = Callable[[bytes | None], Scripted]

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
numbers = st.from_regex(r"(\+49|0049|0)17[0-9]{8}", fullmatch=True)


def http(status: str, body: bytes, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    return f"HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n".encode() + body


@pytest.mark.parametrize("auth", STYLES)
@pytest.mark.parametrize("send_as", SEND_AS)
def test_every_auth_and_encoding_sends_the_same_sms(
    sandbox: Sandbox, make_gateway: Make, auth: str, send_as: str
) -> None:
    """Text and recipient arrive as they were given, options with them, and the balance can be asked for."""
    sandbox.reset()
    gateway = make_gateway(sandbox.url, auth=auth, send_as=send_as)
    answer = gateway.sms(TO, TEXT, from_="smswire", flash=True, label="a.b", ttl=60)
    (message,) = sandbox.messages()
    assert (message["text"], message["to"], message["from"]) == (TEXT, TO[1:], "smswire")
    assert {name: int(message["parameters"][name]) for name in ("flash", "ttl")} == {"flash": 1, "ttl": 60}
    assert (answer.code, answer.messages[0].id, answer.messages[0].text) == (100, message["id"], TEXT)
    balance = gateway.balance()
    assert balance.amount == sandbox.balance
    assert balance.currency == "EUR"


def test_a_send_over_tls_trusts_whom_it_is_told_to(make_gateway: Make) -> None:
    """And nobody else: without that trust nothing is sent."""
    with Sandbox([KEY]) as sandbox:
        assert make_gateway(sandbox.url, trust=sandbox.ca_file).sms(TO, TEXT).code == 100
        with pytest.raises(SmswireError) as caught:
            make_gateway(sandbox.url).sms(TO, TEXT)
        assert caught.value.sent is Sent.NO
        assert len(sandbox.messages()) == 1


@given(messages=st.lists(st.builds(Message, st.lists(numbers, min_size=1, max_size=5), texts), max_size=6))
def test_many_sms_arrive_each_once_and_unchanged(sandbox: Sandbox, gateway: Gateway, messages: list[Message]) -> None:
    """Every text and number that went in, as often as it went in; and an outcome for each, in order."""
    sandbox.reset()
    wanted = [(index, to) for index, message in enumerate(messages) for to in message.recipients]
    told: list[SmsOutcome] = []
    outcomes = gateway.sms_many(messages, on_outcome=told.append)
    assert [(outcome.index, outcome.to) for outcome in outcomes] == wanted
    assert all(outcome.accepted for outcome in outcomes)
    assert sorted(map(id, told)) == sorted(map(id, outcomes))
    sent = Counter((canonical(to), messages[index].text) for index, to in wanted)
    assert Counter((message["to"], message["text"]) for message in sandbox.messages()) == sent
    for outcome in outcomes:
        assert [message.recipient for message in outcome.messages] == [canonical(outcome.to)]


def test_a_bad_number_in_a_bundle_spoils_no_other(sandbox: Sandbox, gateway: Gateway) -> None:
    """Each recipient has its own result; a group stands for all its numbers."""
    outcomes = gateway.sms_many([{"to": [TO, "0171 6990000", "Friends", "0171 1234567"], "text": "Hi"}])
    assert [(outcome.code, outcome.sent) for outcome in outcomes] == [
        (100, Sent.YES),
        (202, Sent.NO),
        (100, Sent.YES),
        (100, Sent.YES),
    ]
    assert [len(outcome.messages) for outcome in outcomes] == [1, 1, 2, 1]


def test_anything_but_full_success_is_raised(sandbox: Sandbox, gateway: Gateway) -> None:
    """A part that was accepted makes the whole YES: sending it again would send twice."""
    outcome = Outcome()
    with pytest.raises(GatewayError) as caught:
        gateway.sms([TO, "+491716990000"], "Hi", outcome=outcome)
    error = caught.value
    assert (error.code, error.sent, outcome.sent) == (101, Sent.YES, Sent.YES)
    assert [message.sent for message in error.answer.messages] == [Sent.YES, Sent.NO]
    assert "POST /api/sms" in str(error)


def test_a_wrong_key_is_an_error_that_says_so(sandbox: Sandbox, make_gateway: Make) -> None:
    """Code 900 comes with HTTP 200, and nothing was sent."""
    gateway = make_gateway(sandbox.url, key="wrong-key")
    outcome = Outcome()
    for call in (lambda: gateway.sms(TO, TEXT, outcome=outcome), gateway.balance, lambda: gateway.call("balance")):
        with pytest.raises(GatewayError, match="the API key is wrong") as caught:
            call()
        assert (caught.value.code, caught.value.sent) == (900, Sent.NO)
    assert (outcome.sent, outcome.status) == (Sent.NO, 200)
    (result,) = gateway.sms_many([Message(TO, TEXT)])
    assert (result.code, result.sent) == (900, Sent.NO)


FAILURES: list[tuple[bytes | None, type[SmswireError], Sent]] = [
    (http("200 OK", b'"900"'), GatewayError, Sent.NO),
    (http("200 OK", b"600"), GatewayError, Sent.MAYBE),
    (http("200 OK", b'{"success":"100"'), AnswerError, Sent.MAYBE),
    (http("200 OK", b"<html>"), AnswerError, Sent.MAYBE),
    (http("200 OK", b"100", length=5), ConnectionEnded, Sent.MAYBE),
    (http("302 Found", b"100"), StatusError, Sent.MAYBE),
    (http("401 Unauthorized", b"100"), StatusError, Sent.NO),
    (http("500 Internal Server Error", b"900"), StatusError, Sent.MAYBE),
    (http("503 Service Unavailable", b"100"), StatusError, Sent.MAYBE),
    (b"", ConnectionEnded, Sent.MAYBE),
    (None, Timeout, Sent.MAYBE),
]


@pytest.mark.parametrize(("answer", "kind", "sent"), FAILURES)
def test_every_failure_says_whether_it_was_sent_and_is_sent_once(
    scripted: Script, make_gateway: Make, answer: bytes | None, kind: type[SmswireError], sent: Sent
) -> None:
    """One request each, the error's class and verdict, the caller's Outcome, and sms_many's outcome agree."""
    server = scripted(answer)
    gateway = make_gateway(server.url, timeout=30.0 if answer is not None else 0.3)
    outcome = Outcome()
    with pytest.raises(kind) as caught:
        gateway.sms(TO, TEXT, outcome=outcome)
    error = caught.value
    assert (error.sent, outcome.sent) == (sent, sent)
    assert ("journal" in str(error)) == (sent is Sent.MAYBE)
    (result,) = gateway.sms_many([Message(TO, TEXT)])
    assert (result.sent, type(result.error), result.accepted) == (sent, type(error), False)
    assert len(server.requests) == 2


def test_a_gateway_that_is_down_is_no_for_every_recipient(make_gateway: Make) -> None:
    """Nothing could be sent, and nothing is raised for it by sms_many."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/api"
    gateway = make_gateway(url, recipients_per_call=2)
    outcomes = gateway.sms_many([Message([TO, "0171", "0172"], TEXT)])
    assert [(outcome.sent, type(outcome.error)) for outcome in outcomes] == [(Sent.NO, ConnectError)] * 3


@pytest.mark.parametrize("auth", STYLES)
@pytest.mark.parametrize("send_as", SEND_AS)
def test_the_key_is_nowhere_but_in_the_request(
    scripted: Script, make_gateway: Make, caplog: pytest.LogCaptureFixture, auth: str, send_as: str
) -> None:
    """No repr, error, traceback, pickle, log record or request line; the line only with p and query."""
    caplog.set_level(logging.DEBUG)
    server = scripted(http("200 OK", b'"900"'))
    gateway = make_gateway(server.url, auth=auth, send_as=send_as)
    outcomes = gateway.sms_many([Message(TO, TEXT)])
    said = [repr(gateway), str(gateway), repr(outcomes), caplog.text]
    calls: list[Callable[[], Any]] = [
        lambda: gateway.sms(TO, TEXT),
        gateway.balance,
        lambda: gateway.call("pricing", {"country": "DE"}, method="GET"),
        lambda: gateway.call("sms", {"to": TO}, repeatable=True),
        lambda: gateway.sms(TO, TEXT, p=KEY),
        lambda: gateway.sms("a,b", TEXT),
    ]
    for call in calls:
        with pytest.raises(SmswireError) as caught:
            call()
        error = caught.value
        pickled = pickle.dumps(error)
        assert KEY.encode() not in pickled
        said += [str(error), repr(error), str(vars(error)), *traceback.format_exception(error)]
    with pytest.raises(TypeError):
        pickle.dumps(gateway)
    assert not [text for text in said if KEY in text and "p=KEY" not in text]
    for request in server.requests:
        line, _, rest = request.partition(b"\r\n")
        assert (KEY.encode() in line) == (auth == "p" and send_as == "query")
        assert (KEY.encode() in rest) != (KEY.encode() in line)


def test_a_send_is_never_repeatable(gateway: Gateway) -> None:
    """Not by sms, and not by call with an endpoint that sends, however it is spelt."""
    with pytest.raises(InvalidParameter):
        gateway.sms(TO, TEXT, repeatable=True)
    for endpoint in ("sms", "SMS", "sms.php", "voice"):
        for method in ("GET", "POST"):
            with pytest.raises(InvalidRequest, match="never repeated"):
                gateway.call(endpoint, {"to": TO}, method=method, repeatable=True)


def test_any_endpoint_can_be_called(sandbox: Sandbox, gateway: Gateway) -> None:
    """Its answer is the JSON value; an endpoint that does not exist is a StatusError."""
    answer = gateway.call("balance", method="GET", repeatable=True)
    assert answer.value == {"amount": sandbox.balance, "currency": "EUR"}
    assert answer.code is None
    sent = gateway.call("sms", [("to", TO), ("text", "Hi")])
    assert (sent.code, sent.value["success"]) == (100, "100")
    with pytest.raises(StatusError) as caught:
        gateway.call("no/such/endpoint")
    assert (caught.value.status, caught.value.sent) == (404, Sent.NO)


def test_what_breaks_a_rule_never_leaves(sandbox: Sandbox, gateway: Gateway) -> None:
    """Of many messages the first bad one is named by its place, and not one of them is sent."""
    sandbox.reset()
    good = Message(TO, TEXT)
    for bad, parameter in [
        ({"to": TO, "text": "x" * 1521}, "text"),
        ({"to": TO}, "text"),
        ({"text": "Hi"}, "to"),
        ({"to": TO, "text": "Hi", "lable": "x"}, "lable"),
        ("Hi", "messages"),
    ]:
        with pytest.raises(InvalidParameter, match="message 1: ") as caught:
            gateway.sms_many([good, bad])  # type: ignore[list-item]
        assert caught.value.parameter == parameter
    with pytest.raises(InvalidParameter, match="same number twice"):
        gateway.sms([TO, "0171 6992343"], TEXT)
    assert sandbox.calls() == []


def test_nothing_to_send_is_nothing_sent(gateway: Gateway) -> None:
    """No messages, no outcomes."""
    assert gateway.sms_many([]) == []


def test_an_interrupt_leaves_nothing_in_doubt(sandbox: Sandbox, make_gateway: Make) -> None:
    """What the caller heard of is exactly what the gateway accepted."""
    sandbox.reset()
    gateway = make_gateway(sandbox.url, max_connections=3)
    heard: list[SmsOutcome] = []

    def hear(outcome: SmsOutcome) -> None:
        heard.append(outcome)
        if len(heard) == 5:
            raise KeyboardInterrupt

    messages = [Message(TO, f"number {number}") for number in range(200)]
    with pytest.raises(KeyboardInterrupt):
        gateway.sms_many(messages, on_outcome=hear)
    accepted = {messages[outcome.index].text for outcome in heard if outcome.accepted}
    assert {message["text"] for message in sandbox.messages()} == accepted
    assert len(accepted) < len(messages)


def test_a_callback_that_always_fails_still_hears_of_everything_sent(sandbox: Sandbox, gateway: Gateway) -> None:
    """Its first error is raised at the end; a recipient it did not hear of was not sent to."""
    sandbox.reset()
    heard: list[SmsOutcome] = []

    def fail(outcome: SmsOutcome) -> None:
        heard.append(outcome)
        raise OSError(f"disk full at {len(heard)}")

    with pytest.raises(OSError, match="disk full at 1"):
        gateway.sms_many([Message(f"+4917100{n:05d}", f"text {n}") for n in range(300)], on_outcome=fail)
    assert sorted(one.to[1:] for one in heard) == sorted(message["to"] for message in sandbox.messages())
    assert 0 < len(heard) < 300


def test_a_callback_that_cannot_be_called_is_refused_before_anything_is_sent(
    sandbox: Sandbox, gateway: Gateway
) -> None:
    """Else the first outcome would find that out, with others under way."""
    sandbox.reset()
    with pytest.raises(ConfigurationError):
        gateway.sms_many([Message(TO, TEXT)], on_outcome=5)  # type: ignore[arg-type]
    assert sandbox.messages() == []


def test_the_error_of_a_recipient_says_where_and_after_how_many_attempts(sandbox: Sandbox, make_gateway: Make) -> None:
    """As the error of a single call does."""
    (outcome,) = make_gateway(sandbox.url, "wrong").sms_many([Message(TO, TEXT)])
    assert outcome.error is not None
    place = sandbox.url.split("/")[2]
    assert (outcome.error.host, outcome.error.call, outcome.error.attempts) == (place, "POST /api/sms", 1)


def test_an_interrupt_before_the_code_is_judged_is_maybe(make_gateway: Make, scripted: Script) -> None:
    """The status says 200 and the code in the body, not read yet, may say that nothing was accepted."""
    server = scripted(http("200 OK", b"900"))
    outcome = Outcome()

    def interrupt_reading(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name == "read_sms":
            sys.setprofile(None)
            raise KeyboardInterrupt

    sys.setprofile(interrupt_reading)
    try:
        with pytest.raises(KeyboardInterrupt):
            make_gateway(server.url).sms(TO, TEXT, outcome=outcome)
    finally:
        sys.setprofile(None)
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.MAYBE, 1, 200)


def test_a_client_that_was_given_stays_open(sandbox: Sandbox) -> None:
    """Its owner closes it; one for another origin is refused."""
    origin = sandbox.url.removesuffix("/api")
    with Client(origin, pacer=Pacer()) as client:
        for _ in range(2):
            with Gateway(KEY, base_url=sandbox.url, client=client) as gateway:
                assert gateway.balance().amount == sandbox.balance
        with pytest.raises(ConfigurationError, match="origin"):
            Gateway(KEY, client=client)


@pytest.mark.parametrize(
    "settings",
    [
        {"auth": "digest"},
        {"send_as": "xml"},
        {"sent_with": "a\nb"},
        {"timeout": 0},
        {"timeout": -1},
        {"timeout": float("inf")},
        {"timeout": float("nan")},
        {"timeout": True},
        {"timeout": "5"},
        {"recipients_per_call": 0},
        {"recipients_per_call": 1.0},
        {"recipients_per_call": True},
        {"max_connections": 0},
        {"base_url": "127.0.0.1/api"},
        {"base_url": "https://127.0.0.1:99999/api"},
    ],
)
def test_a_setting_that_cannot_work_is_refused_at_once(settings: dict[str, Any]) -> None:
    """Before the first call, and without the key in the error."""
    with pytest.raises(ConfigurationError) as caught:
        Gateway(KEY, **({"base_url": "http://127.0.0.1:1/api"} | settings))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "1", 1e308, 10**400])
def test_a_timeout_that_cannot_be_is_refused_before_anything_is_sent(
    sandbox: Sandbox, gateway: Gateway, timeout: Any
) -> None:
    """By every kind of call."""
    sandbox.reset()
    for call in (
        lambda: gateway.sms(TO, TEXT, timeout=timeout),
        lambda: gateway.sms_many([Message(TO, TEXT)], timeout=timeout),
        lambda: gateway.balance(timeout=timeout),
        lambda: gateway.call("balance", timeout=timeout),
    ):
        with pytest.raises(ConfigurationError):
            call()
    assert sandbox.calls() == []


def test_prices_are_exact(sandbox: Sandbox, gateway: Gateway) -> None:
    """Three thousandths of a cent more or less add up."""
    assert gateway.sms(TO, "Hi").messages[0].price == Decimal("0.075")
