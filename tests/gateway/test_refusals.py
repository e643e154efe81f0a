"""What cannot be sent is refused before a byte leaves, by an error of ours, in both twins."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

import pytest

from smswire.errors import ConfigurationError, InvalidParameter, InvalidRequest, Sent, SmswireError
from smswire.flow.retry import Outcome
from smswire.gateway import AsyncGateway, Gateway, Message, SmsOutcome
from smswire.sandbox import Sandbox

from .conftest import KEY
from .runtimes import AnyGateway
from .test_client import TEXT, TO, Make, Script, http


def test_what_breaks_a_rule_never_leaves(sandbox: Sandbox, gateway: AnyGateway) -> None:
    """Of many messages the first bad one is named by its place, and not one of them is sent."""
    sandbox.reset()
    good = Message(TO, TEXT)
    for bad, parameter in [
        ({"to": TO, "text": "x" * 1521}, "text"),
        ({"to": TO}, "text"),
        ({"text": "Hi"}, "to"),
        ({"to": TO, "text": "Hi", "lable": "x"}, "lable"),
        ("Hi", "messages"),
        (None, "messages"),
    ]:
        with pytest.raises(InvalidParameter, match="message 1: ") as caught:
            gateway.sms_many([good, bad])  # type: ignore[list-item]
        assert caught.value.parameter == parameter
    with pytest.raises(InvalidParameter, match="same number twice"):
        gateway.sms([TO, "0171 6992343"], TEXT)
    assert sandbox.calls() == []


@pytest.mark.parametrize("messages", [None, 5, "Hi", b"Hi", Message(TO, TEXT), {"to": TO, "text": TEXT}])
def test_what_is_not_many_messages_is_refused(sandbox: Sandbox, gateway: AnyGateway, messages: Any) -> None:
    """And of a single message it is said that it is one."""
    sandbox.reset()
    for send in (gateway.sms_many, gateway.sms_stream):
        with pytest.raises(InvalidParameter, match="messages: ") as caught:
            send(messages)
        assert caught.value.parameter == "messages"
        assert ("single" in str(caught.value)) == isinstance(messages, Message | dict)
    assert sandbox.calls() == []


@pytest.mark.parametrize("params", ["ab", b"ab", 5, None, ["ab"], [("a",)], [("a", "b", "c")], [5]])
def test_parameters_are_pairs(sandbox: Sandbox, gateway: AnyGateway, params: Any) -> None:
    """Anything else is an error of ours, before anything is sent."""
    sandbox.reset()
    with pytest.raises(InvalidRequest):
        gateway.call("balance", params)
    assert sandbox.calls() == []


@pytest.mark.parametrize("endpoint", [None, 5, b"sms", "", "\ud800"])
@pytest.mark.parametrize("repeatable", [False, True])
def test_an_endpoint_is_text(gateway: AnyGateway, endpoint: Any, repeatable: bool) -> None:
    """Also where it has to be known whether it sends."""
    with pytest.raises(InvalidRequest):
        gateway.call(endpoint, repeatable=repeatable)


@pytest.mark.parametrize("outcome", ["x", 0, False, {}, object(), Outcome])
def test_an_outcome_that_is_none_is_refused_before_anything_is_sent(
    sandbox: Sandbox, gateway: AnyGateway, outcome: Any
) -> None:
    """Else it would fail when the SMS has left."""
    sandbox.reset()
    with pytest.raises(ConfigurationError, match="outcome"):
        gateway.sms(TO, TEXT, outcome=outcome)
    assert sandbox.calls() == []


@pytest.mark.parametrize(
    "call",
    [
        lambda gateway, outcome: gateway.sms(TO, "", outcome=outcome),
        lambda gateway, outcome: gateway.sms(TO, "Hi", timeout=0, outcome=outcome),
        lambda gateway, outcome: gateway.sms([TO, TO], "Hi", outcome=outcome),
        lambda gateway, outcome: gateway.sms(TO, "Hi", repeatable=True, outcome=outcome),
    ],
)
def test_an_outcome_used_again_says_nothing_of_the_call_before(
    sandbox: Sandbox, gateway: AnyGateway, call: Callable[[AnyGateway, Outcome], object]
) -> None:
    """Also if the next call is refused before it begins."""
    outcome = Outcome()
    gateway.sms(TO, "Hi", outcome=outcome)
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.YES, 1, 200)
    with pytest.raises(SmswireError):
        call(gateway, outcome)
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.NO, 0, None)


def test_a_send_is_never_repeatable(gateway: AnyGateway) -> None:
    """Not by sms, and not by call with an endpoint that sends, however it is spelt."""
    with pytest.raises(InvalidParameter):
        gateway.sms(TO, TEXT, repeatable=True)
    for endpoint in ("sms", "SMS", "sms.php", "voice"):
        for method in ("GET", "POST"):
            with pytest.raises(InvalidRequest, match="never repeated"):
                gateway.call(endpoint, {"to": TO}, method=method, repeatable=True)


def test_where_the_endpoint_begins_makes_no_difference_to_what_sends(scripted: Script, make_gateway: Make) -> None:
    """The path may stand in the base URL, or in the endpoint; a send is not repeatable either way."""
    server = scripted(http("200 OK", b"100"))
    host = server.url.removesuffix("/api")
    for base_url, endpoint in (
        (host, "api/sms"),
        (f"{host}/api", "sms"),
        (f"{host}/sms", "x"),
        (host, "a/b/voice.php"),
    ):
        with pytest.raises(InvalidRequest, match="never repeated"):
            make_gateway(base_url).call(endpoint, {"to": TO}, repeatable=True)
    assert server.requests == []
    assert make_gateway(host).call("api/journal/voice", repeatable=True).code == 100


def test_a_callback_that_cannot_be_called_is_refused_before_anything_is_sent(
    sandbox: Sandbox, gateway: AnyGateway
) -> None:
    """Else the first outcome would find that out, with others under way."""
    sandbox.reset()

    async def hear(outcome: SmsOutcome) -> None:
        raise AssertionError("nobody awaits it")

    async def generate(outcome: SmsOutcome) -> AsyncIterator[SmsOutcome]:
        yield outcome

    def generate_plainly(outcome: SmsOutcome) -> Iterator[SmsOutcome]:
        yield outcome

    class Hears:
        async def __call__(self, outcome: SmsOutcome) -> None:
            await hear(outcome)

    for on_outcome in (5, hear, generate, generate_plainly, partial(hear), Hears(), Hears().__call__, partial(Hears())):
        with pytest.raises(ConfigurationError):
            gateway.sms_many([Message(TO, TEXT)], on_outcome=on_outcome)
    assert sandbox.messages() == []


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
        {"client": 0},
        {"client": object()},
        {"base_url": "127.0.0.1/api"},
        {"base_url": "https://127.0.0.1:99999/api"},
    ],
)
@pytest.mark.parametrize("kind", [Gateway, AsyncGateway])
def test_a_setting_that_cannot_work_is_refused_at_once(kind: type, settings: dict[str, Any]) -> None:
    """Before the first call, and without the key in the error."""
    with pytest.raises(ConfigurationError) as caught:
        kind(KEY, **({"base_url": "http://127.0.0.1:1/api"} | settings))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "1", 1e308, 10**400])
def test_a_timeout_that_cannot_be_is_refused_before_anything_is_sent(
    sandbox: Sandbox, gateway: AnyGateway, timeout: Any
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
