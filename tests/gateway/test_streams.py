"""``sms_stream`` end to end, over both twins: what goes in comes out once, and every end is a defined one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import ConfigurationError, InvalidParameter, Sent
from smswire.gateway import Message, SmsOutcome
from smswire.gateway.bundle import plan
from smswire.gateway.sms import canonical
from smswire.sandbox import Sandbox

from .runtimes import AnyGateway
from .test_client import TO, numbers, texts

Make = Callable[..., AnyGateway]


class Input:
    """An endless input that counts what was read of it: a text each, or the same for all."""

    def __init__(self, text: str = "text {}") -> None:
        self.read = 0
        self._text = text

    def __iter__(self) -> Iterator[dict[str, str]]:
        for number in count():
            self.read += 1
            yield {"to": f"+49171{number:07}", "text": self._text.format(number)}


def arrived(sandbox: Sandbox) -> Counter[str]:
    """The numbers that the gateway accepted something for."""
    return Counter(f"+{message['to']}" for message in sandbox.messages())


@given(
    messages=st.lists(st.builds(Message, st.lists(numbers, min_size=1, max_size=5), texts), max_size=6),
    look_ahead=st.integers(1, 20),
)
def test_a_stream_sends_each_once_and_unchanged(
    sandbox: Sandbox, gateway: AnyGateway, messages: list[Message], look_ahead: int
) -> None:
    """Every text and number that went in, as often as it went in; an outcome for each, with its message's index."""
    sandbox.reset()
    outcomes = list(gateway.sms_stream(iter(messages), look_ahead=look_ahead))
    wanted = Counter((index, to) for index, message in enumerate(messages) for to in message.recipients)
    assert Counter((outcome.index, outcome.to) for outcome in outcomes) == wanted
    assert all(outcome.accepted for outcome in outcomes)
    sent = Counter((canonical(to), messages[index].text) for index, to in wanted.elements())
    assert Counter((message["to"], message["text"]) for message in sandbox.messages()) == sent


def test_a_window_that_covers_all_makes_the_calls_of_the_whole_plan(sandbox: Sandbox, gateway: AnyGateway) -> None:
    """And a window of one makes a call a recipient."""
    messages = [Message(f"+49171{number:07}", f"text {number % 3}") for number in range(60)]
    for look_ahead, calls in ((1000, len(plan(messages))), (1, 60)):
        sandbox.reset()
        assert all(outcome.accepted for outcome in gateway.sms_stream(messages, look_ahead=look_ahead))
        assert len(sandbox.calls()) == calls


def test_a_message_that_breaks_a_rule_has_its_outcome_and_the_stream_goes_on(
    sandbox: Sandbox, gateway: AnyGateway
) -> None:
    """NO, the error that names the message and the rule, and the recipient as far as it can be told."""
    sandbox.reset()
    rows: list[Any] = [
        {"to": TO, "text": "Hi"},
        {"to": TO, "text": ""},
        None,
        {"to": ["0171", "0172"], "text": "Hi", "lable": "x"},
        {"text": "Hi"},
        {"to": 49171, "text": "Hi"},
        {"to": TO, "text": "Ho"},
    ]
    outcomes = {outcome.index: outcome for outcome in gateway.sms_stream(rows)}
    assert [outcomes[index].to for index in range(len(rows))] == [TO, TO, "", "0171,0172", "", "", TO]
    for index, outcome in outcomes.items():
        assert outcome.accepted == (index in (0, 6))
        if not outcome.accepted:
            assert (outcome.sent, outcome.code) == (Sent.NO, None)
            assert isinstance(outcome.error, InvalidParameter)
            assert f"message {index}: " in str(outcome.error)
    assert sorted(message["text"] for message in sandbox.messages()) == ["Hi", "Ho"]  # two connections, in any order


def test_what_an_input_gave_before_it_raised_is_sent(sandbox: Sandbox, gateway: AnyGateway) -> None:
    """Its outcomes come first, then its own exception, then nothing more."""
    sandbox.reset()

    def rows() -> Iterator[Message]:
        yield from (Message(f"+4917{number:08}", "Hi") for number in range(250))
        raise OSError("the disk is gone")

    stream = gateway.sms_stream(rows(), look_ahead=7)
    heard: list[SmsOutcome] = []
    with pytest.raises(OSError, match="the disk is gone"):
        heard.extend(iter(lambda: next(stream), None))
    assert next(stream, None) is None
    assert Counter(outcome.to for outcome in heard if outcome.accepted) == arrived(sandbox)
    assert len(heard) == 250


@pytest.mark.parametrize("text", ["text {}", "Hi"])
def test_who_stops_taking_stops_reading_and_sending(sandbox: Sandbox, make_gateway: Make, text: str) -> None:
    """At most a window is read ahead, and twice as many calls made as there may be connections."""
    sandbox.reset()
    rows = Input(text)
    gateway = make_gateway(sandbox.url, max_connections=3, recipients_per_call=4)
    with gateway.sms_stream(rows, look_ahead=10) as stream:
        for taken in range(1, 200):
            assert next(stream).accepted
            assert rows.read <= taken + 10 + 4 * 2 * 3
            assert len(sandbox.messages()) <= taken + 4 * 2 * 3


def test_who_leaves_early_knows_of_all_that_was_sent(sandbox: Sandbox, make_gateway: Make) -> None:
    """After ``close`` nothing is sent; what had been can be taken, and the rest was not sent."""
    sandbox.reset()
    rows = Input()
    gateway = make_gateway(sandbox.url, max_connections=3)
    with gateway.sms_stream(rows, look_ahead=5) as stream:
        heard = [next(stream) for _ in range(20)]
    at_the_end = arrived(sandbox)
    heard += list(stream)
    assert Counter(outcome.to for outcome in heard) == at_the_end == arrived(sandbox)
    assert all(outcome.accepted for outcome in heard)
    assert len(heard) < rows.read
    stream.close()


def test_after_stop_what_was_under_way_comes_and_nothing_else(sandbox: Sandbox, make_gateway: Make) -> None:
    """As it ends, by iterating on: all that was sent."""
    sandbox.reset()
    rows = Input()
    stream = make_gateway(sandbox.url, max_connections=3).sms_stream(rows, look_ahead=5)
    heard = [next(stream) for _ in range(20)]
    stream.stop()
    read = rows.read
    heard += list(stream)
    stream.stop()
    assert Counter(outcome.to for outcome in heard) == arrived(sandbox)
    assert rows.read == read
    assert len(heard) < read


def test_a_gateway_that_refuses_gives_outcomes_and_no_error(sandbox: Sandbox, make_gateway: Make) -> None:
    """As sms_many does; also when it is closed in the midst of a stream."""
    outcomes = list(make_gateway(sandbox.url, "wrong").sms_stream([Message(TO, "Hi")] * 3))
    assert [(outcome.sent, outcome.code) for outcome in outcomes] == [(Sent.NO, 900)] * 3
    gateway = make_gateway(sandbox.url)
    stream = gateway.sms_stream(Message(TO, f"text {number}") for number in range(200))
    first = next(stream)
    gateway.close()
    outcomes = [first, *stream]
    assert sorted(outcome.index for outcome in outcomes) == list(range(200))
    assert {outcome.sent for outcome in outcomes} >= {Sent.YES, Sent.NO}


@pytest.mark.parametrize("look_ahead", [0, -1, 1.0, True, None, "5"])
def test_a_window_is_a_whole_number(sandbox: Sandbox, gateway: AnyGateway, look_ahead: Any) -> None:
    """Refused before the input is touched, as is a timeout that cannot be."""
    rows = Input()
    with pytest.raises(ConfigurationError):
        gateway.sms_stream(rows, look_ahead=look_ahead)
    with pytest.raises(ConfigurationError):
        gateway.sms_stream(rows, timeout=0)
    assert rows.read == 0
