"""What a gateway object tells beside its client: the verdict, which the status of an answer is not."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from smswire import AsyncClient, AsyncGateway, Client, Gateway, Outcome, errors, events
from smswire.errors import Sent, SmswireError
from smswire.events import CallEnded, Event, GatewayAnswered
from smswire.gateway.setup import Setup
from smswire.logs import level_and_text, log
from smswire.sandbox import Sandbox

from .conftest import KEY
from .runtimes import AnyGateway
from .test_client import TO, Make, Script, http

BAD = "+491716990000"
PAIRED = pytest.mark.parametrize(("kind", "client_kind"), [(Gateway, Client), (AsyncGateway, AsyncClient)])


def verdicts(told: list[Event]) -> list[tuple[Any, ...]]:
    return [
        (event.call, event.sent, event.code, event.accepted, event.recipients)
        for event in told
        if isinstance(event, GatewayAnswered)
    ]


def test_a_verdict_follows_its_call(sandbox: Sandbox, make_gateway: Make) -> None:
    """Of an SMS by the recipients; of what sends none without them. The caller's outcome knows the number."""
    told: list[Event] = []
    gateway = make_gateway(sandbox.url, on_event=told.append)
    outcome = Outcome()
    gateway.sms([TO, "+491716992344"], "Hi", outcome=outcome)
    assert verdicts(told) == [("POST /api/sms", Sent.YES, 100, 2, 2)]
    assert [type(event) for event in told[-2:]] == [CallEnded, GatewayAnswered]
    assert told[-1].call_id == told[-2].call_id == outcome.call_id == 1
    del told[:]
    gateway.balance()
    gateway.call("balance")
    assert verdicts(told) == [
        ("GET /api/balance", Sent.YES, None, None, None),
        ("POST /api/balance", Sent.YES, None, None, None),
    ]


def test_the_gateways_no_is_no_though_its_status_is_200(sandbox: Sandbox, make_gateway: Make) -> None:
    """The client's own event goes by the status; the verdict by the code."""
    told: list[Event] = []
    gateway = make_gateway(sandbox.url, key="wrong-key", on_event=told.append)
    for call in (lambda: gateway.sms(TO, "Hi"), gateway.balance):
        with pytest.raises(errors.GatewayError):
            call()
    gateway.sms_many([{"to": [TO, "+491716992344"], "text": "Hi"}])
    assert [event.sent for event in told if isinstance(event, CallEnded)] == [Sent.YES] * 3
    assert verdicts(told) == [
        ("POST /api/sms", Sent.NO, 900, 0, 1),
        ("GET /api/balance", Sent.NO, 900, None, None),
        ("POST /api/sms", Sent.NO, 900, 0, 2),
    ]


def test_a_part_that_was_accepted_is_counted(sandbox: Sandbox, make_gateway: Make) -> None:
    """By one call or in a bundle: the strongest verdict, the answer's code, and how many were taken."""
    told: list[Event] = []
    gateway = make_gateway(sandbox.url, on_event=told.append)
    with pytest.raises(errors.GatewayError):
        gateway.sms([TO, BAD, "+491716992345"], "Hi")
    gateway.sms_many([{"to": [TO, BAD, "+491716992345"], "text": "Hello"}])
    for _ in gateway.sms_stream([{"to": TO, "text": "Ho"}]):
        pass
    assert verdicts(told) == [
        ("POST /api/sms", Sent.YES, 101, 2, 3),
        ("POST /api/sms", Sent.YES, 101, 2, 3),
        ("POST /api/sms", Sent.YES, 100, 1, 1),
    ]


@pytest.mark.parametrize(
    ("answer", "sent", "code"),
    [
        (http("200 OK", b"<html>"), Sent.MAYBE, None),
        (http("500 Oops", b"900"), Sent.MAYBE, None),
        (http("401 Unauthorized", b"100"), Sent.NO, None),
        (http("200 OK", b"600"), Sent.MAYBE, 600),
    ],
)
def test_an_answer_that_is_no_success_has_its_verdict(
    scripted: Script, make_gateway: Make, answer: bytes, sent: Sent, code: int | None
) -> None:
    """The one the error has."""
    told: list[Event] = []
    gateway = make_gateway(scripted(answer).url, on_event=told.append)
    with pytest.raises(errors.GatewayError) as raised:
        gateway.sms(TO, "Hi")
    assert verdicts(told) == [("POST /api/sms", sent, code, 0, 1)]
    assert raised.value.sent is sent


@pytest.mark.parametrize(
    ("body", "sent", "code", "text"),
    [
        (b"100", Sent.YES, 100, "done, code 100"),
        (b'{"success":"101","messages":[{"success":false,"error":202}]}', Sent.NO, 101, "refused, code 101"),
        (b'{"success":"100","messages":[{"success":false,"error":402}]}', Sent.NO, 100, "refused, code 100"),
        (b"600", Sent.MAYBE, 600, "may have been done, code 600"),
        (b"garbage", Sent.MAYBE, None, "may have been done"),
    ],
)  # fmt: skip
def test_a_send_by_call_is_judged_as_a_send(
    scripted: Script, make_gateway: Make, body: bytes, sent: Sent, code: int | None, text: str
) -> None:
    """``call`` returns answers that ``sms`` would raise; whoever counts SMS counts by the verdict."""
    told: list[Event] = []
    with suppress(errors.GatewayError):
        make_gateway(scripted(http("200 OK", body)).url, on_event=told.append).call("sms", {"to": TO, "text": "Hi"})
    assert verdicts(told) == [("POST /api/sms", sent, code, None, None)]
    level, said = level_and_text(told[-1])
    assert said.endswith(f"POST /api/sms {text}")
    assert level == (logging.INFO if sent is Sent.YES else logging.WARNING)


def test_the_code_of_a_bundle_is_the_answers(scripted: Script, make_gateway: Make) -> None:
    """Whatever it says of the recipients, who are counted beside it."""
    body = b'{"success":"900","messages":[{"recipient":"491716992343","success":true}]}'
    told: list[Event] = []
    make_gateway(scripted(http("200 OK", body)).url, on_event=told.append).sms_many([{"to": TO, "text": "Hi"}])
    assert [(code, taken) for _, _, code, taken, _ in verdicts(told)] == [(900, 1)]
    assert level_and_text(told[-1])[0] == logging.WARNING


def test_a_success_that_answers_nothing_is_no_yes(scripted: Script, make_gateway: Make) -> None:
    """Of a balance that was asked for."""
    told: list[Event] = []
    with pytest.raises(errors.GatewayError):
        make_gateway(scripted(http("200 OK", b'{"success":"100"}')).url, on_event=told.append).balance()
    assert [event[1:3] for event in verdicts(told)] == [(Sent.MAYBE, None)]


def test_a_call_without_an_answer_has_no_verdict(scripted: Script, make_gateway: Make) -> None:
    """Its end says how it stands."""
    told: list[Event] = []
    with pytest.raises(SmswireError):
        make_gateway(scripted(b"").url, on_event=told.append).sms(TO, "Hi")
    assert verdicts(told) == []
    assert isinstance(told[-1], CallEnded)
    assert (told[-1].sent, told[-1].status) == (Sent.MAYBE, None)


def test_no_record_says_sent_where_the_gateway_said_no(
    sandbox: Sandbox, make_gateway: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """And none shows the key, whichever way it goes to the gateway."""
    caplog.set_level(logging.DEBUG, "smswire")
    for auth, send_as in (("basic", "form"), ("x_api_key", "json"), ("p", "query")):
        caplog.clear()
        gateway = make_gateway(sandbox.url, key="wrong-key", on_event=log, auth=auth, send_as=send_as)
        with suppress(SmswireError):
            gateway.sms(TO, "A text nobody logs")
        texts = [record.getMessage() for record in caplog.records]
        assert len(texts) > 6
        assert texts[-1].endswith("POST /api/sms not sent, code 900, 0 of 1 recipients accepted")
        assert [text for text in texts if " sent" in text.replace("not sent", "")] == []
        shown = texts + [repr(vars(record)) for record in caplog.records]
        assert not any("wrong-key" in text or "nobody" in text for text in shown)


def test_an_accepted_sms_is_logged_as_sent(
    sandbox: Sandbox, make_gateway: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """At INFO two lines: the answer, and what it says. The event is in the record."""
    caplog.set_level(logging.INFO, "smswire")
    make_gateway(sandbox.url, on_event=log).sms(TO, "Hi")
    answered, sent = caplog.records
    assert answered.getMessage().startswith("call 1: POST /api/sms answered 200 after ")
    assert sent.getMessage() == "call 1: POST /api/sms sent, code 100, 1 of 1 recipients accepted"
    assert isinstance(sent.event, GatewayAnswered)  # type: ignore[attr-defined]
    assert {record.levelno for record in caplog.records} == {logging.INFO}


@PAIRED
def test_on_event_beside_a_client_is_refused(kind: Any, client_kind: Any) -> None:
    """The client's own is used, and two would be one too many."""
    client = client_kind("http://127.0.0.1:1")
    with pytest.raises(errors.ConfigurationError, match="on_event"):
        kind(KEY, base_url="http://127.0.0.1:1/api", client=client, on_event=print)
    with pytest.raises(errors.ConfigurationError, match="on_event"):
        kind(KEY, base_url="http://127.0.0.1:1/api", on_event=5)


@PAIRED
def test_a_given_clients_hook_hears_the_verdict(kind: Any, client_kind: Any) -> None:
    """And where nobody listens, nothing is observed: the setup is the plain one."""
    told: list[Event] = []
    url = "http://127.0.0.1:1"
    gateway = kind(KEY, base_url=f"{url}/api", client=client_kind(url, on_event=told.append))
    assert type(gateway._setup) is not Setup
    for plain in (kind(KEY, base_url=f"{url}/api", client=client_kind(url)), kind(KEY, base_url=f"{url}/api")):
        assert type(plain._setup) is Setup
        assert plain._client._observer is None


def run_all(gateway: AnyGateway) -> Callable[[], None]:
    def run() -> None:
        gateway.sms_many([{"to": f"+49171699{number:04}", "text": f"No. {number}"} for number in range(60)])

    return run


def test_of_many_each_call_has_one_verdict(sandbox: Sandbox, make_gateway: Make) -> None:
    """As many as calls, whatever they came to, with all recipients in their sum."""
    told: list[Event] = []
    gateway = make_gateway(sandbox.url, on_event=told.append, recipients_per_call=1)
    run_all(gateway)()
    ended = sorted(event.call_id for event in told if isinstance(event, CallEnded))
    judged = sorted(event.call_id for event in told if isinstance(event, GatewayAnswered))
    assert ended == judged == list(range(1, 61))
    assert sum(event.accepted or 0 for event in told if isinstance(event, events.GatewayAnswered)) == 59
