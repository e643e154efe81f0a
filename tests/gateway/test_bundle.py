"""The plan loses nobody and doubles nobody; the answer comes back to whom it belongs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import AnswerError, ConnectionEnded, GatewayError, Sent, SmswireError, Timeout
from smswire.gateway.answer import read_sms
from smswire.gateway.bundle import Bundle, Recipient, SmsOutcome, plan, read_answer, read_error, refused
from smswire.gateway.codes import LOOK_FIRST, sent_by
from smswire.gateway.sms import Message, canonical

NUMBERS = [f"4917{place}000000" for place in range(8)]
SPELLINGS = [
    form for number in NUMBERS for form in (f"+{number}", f"00{number}", f"0{number[2:]}", f"+49 {number[2:]}")
]
NAMES = ["Friends", "Anna", "Anna "]

tos = st.lists(st.sampled_from(SPELLINGS + NAMES), min_size=1, max_size=6)
messages = st.lists(
    st.builds(
        Message,
        tos,
        st.sampled_from(["Hi", "Ho"]),
        flash=st.sampled_from([None, True]),
    ),
    max_size=8,
)
sizes = st.sampled_from([1, 2, 3, 100])


def seats(bundles: list[Bundle]) -> list[Recipient]:
    return [recipient for bundle in bundles for recipient in bundle.recipients]


def bundle_of(*to: str) -> Bundle:
    return Bundle("Hi", (), [Recipient(place, 0, one, canonical(one)) for place, one in enumerate(to)])


def entry(recipient: str | None, code: int = 100, **more: Any) -> dict[str, Any]:
    is_accepted = code == 100
    return {"recipient": recipient, "success": is_accepted, "error": None if is_accepted else code, "id": "7"} | more


def answered(bundle: Bundle, entries: list[dict[str, Any]], code: int | str = 100) -> list[SmsOutcome]:
    return read_answer(
        bundle.recipients, read_sms(200, json.dumps({"success": str(code), "messages": entries}).encode())
    )


@given(messages=messages, size=sizes)
def test_every_recipient_is_in_the_plan_exactly_once(messages: list[Message], size: int) -> None:
    """With its message's text and options, and its place in the input."""
    bundles = plan(messages, size)
    wanted = [(index, to) for index, message in enumerate(messages) for to in message.recipients]
    placed = sorted(seats(bundles), key=lambda recipient: recipient.place)
    assert [recipient.place for recipient in placed] == list(range(len(wanted)))
    assert [(recipient.index, recipient.to) for recipient in placed] == wanted
    for bundle in bundles:
        for recipient in bundle.recipients:
            message = messages[recipient.index]
            assert (bundle.text, bundle.options) == (message.text, message.options)


@given(messages=messages, size=sizes)
def test_no_call_is_too_large_or_carries_a_number_twice(messages: list[Message], size: int) -> None:
    """However the number is spelt; and a name shares its call with nobody."""
    for bundle in plan(messages, size):
        assert 1 <= len(bundle.recipients) <= size
        numbers = [recipient.number for recipient in bundle.recipients]
        if None in numbers:
            assert len(numbers) == 1
        assert len(set(numbers)) == len(numbers)
        assert bundle.parameters()[0][1].split(",") == [recipient.to for recipient in bundle.recipients]


@given(messages=messages, size=sizes)
def test_a_second_naming_goes_into_a_later_call(messages: list[Message], size: int) -> None:
    """Of the same text and options: the order in which a number was named is that of its calls."""
    calls: dict[Any, list[int]] = {}
    for bundle in plan(messages, size):
        for recipient in bundle.recipients:
            if recipient.number:
                calls.setdefault((bundle.text, bundle.options, recipient.number), []).append(recipient.place)
    assert all(places == sorted(places) for places in calls.values())


@given(messages=messages, size=sizes)
def test_the_plan_follows_the_order_of_first_appearance(messages: list[Message], size: int) -> None:
    """Calls by their first recipient, and recipients within a call."""
    firsts = [bundle.recipients[0].place for bundle in plan(messages, size)]
    assert firsts == sorted(firsts)
    for bundle in plan(messages, size):
        places = [recipient.place for recipient in bundle.recipients]
        assert places == sorted(places)


@given(messages=messages, size=sizes)
def test_no_more_calls_are_made_than_sizes_and_repeats_demand(messages: list[Message], size: int) -> None:
    """For each text and set of options: names, plus what the size or the most repeated number needs."""
    calls = Counter((bundle.text, bundle.options) for bundle in plan(messages, size))
    for key, made in calls.items():
        to = [
            canonical(one)
            for message in messages
            if (message.text, message.options) == key
            for one in message.recipients
        ]
        numbers = Counter(number for number in to if number)
        most_repeated = max(numbers.values(), default=0)
        assert made <= to.count(None) + -(-numbers.total() // size) + most_repeated


def test_twenty_thousand_recipients_of_one_text_are_two_hundred_calls() -> None:
    """And a plan of as many calls of one recipient each is made as well."""
    message = Message([f"+4917{number:08}" for number in range(20_000)], "Hi")
    assert [len(bundle.recipients) for bundle in plan([message])] == [100] * 200
    assert len(plan([message], 1)) == 20_000


permuted = st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=6, unique=True).flatmap(
    lambda numbers: st.tuples(
        st.just(numbers),
        st.permutations(numbers),
        st.lists(st.sampled_from([100, 202, 402, 600, 4711]), min_size=len(numbers), max_size=len(numbers)),
    )
)


@given(permuted)
def test_a_permuted_answer_comes_back_to_whom_it_belongs(case: tuple[list[str], list[str], list[int]]) -> None:
    """By number, whatever the order and the spelling."""
    numbers, order, results = case
    by_number = dict(zip(order, results, strict=True))
    bundle = bundle_of(*(f"0{number[2:]}" for number in numbers))
    outcomes = answered(bundle, [entry(number, by_number[number]) for number in order], 101)
    for number, outcome in zip(numbers, outcomes, strict=True):
        code = by_number[number]
        assert (outcome.code, outcome.sent) == (code, sent_by(code))
        assert [message.recipient for message in outcome.messages] == [number]
        assert outcome.accepted == (code == 100) == (outcome.error is None)


anything = st.lists(
    st.builds(
        entry,
        st.one_of(st.none(), st.sampled_from([*NUMBERS, "Friends", "0", ""])),
        st.sampled_from([100, 202, 600, 101]),
    ),
    max_size=8,
)
errors = st.sampled_from(
    [
        Timeout("late", sent=Sent.MAYBE),
        ConnectionEnded("gone", sent=Sent.NO),
        AnswerError("odd"),
        GatewayError("900", code=900, sent=Sent.NO),
        SmswireError("other", sent=Sent.YES),
    ]
)


@given(messages=messages, size=sizes, data=st.data())
def test_every_recipient_has_one_outcome_whatever_became_of_its_call(
    messages: list[Message], size: int, data: st.DataObject
) -> None:
    """An error, an answer of any kind, an answer about somebody else: one outcome each, and its reason."""
    bundles = plan(messages, size)
    outcomes: dict[int, SmsOutcome] = {}
    for bundle in bundles:
        error = data.draw(st.one_of(st.none(), errors))
        if error is not None:
            ended = read_error(bundle.recipients, error)
            assert all((outcome.sent, outcome.error) == (error.sent, error) for outcome in ended)
        else:
            ended = answered(bundle, data.draw(anything), data.draw(st.sampled_from([100, 101, 600, 900, 4711])))
        assert len(ended) == len(bundle.recipients)
        outcomes.update((one.place, outcome) for one, outcome in zip(bundle.recipients, ended, strict=True))
    wanted = [(index, to) for index, message in enumerate(messages) for to in message.recipients]
    assert [(outcomes[place].index, outcomes[place].to) for place in range(len(wanted))] == wanted
    for outcome in outcomes.values():
        assert outcome.accepted == (outcome.error is None)
        assert outcome.error is None or outcome.error.sent is outcome.sent
        assert outcome.accepted <= (outcome.sent is Sent.YES)


@given(entries=anything, numbers=st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=6, unique=True))
def test_no_entry_is_given_to_two_recipients_or_to_a_stranger(
    entries: list[dict[str, Any]], numbers: list[str]
) -> None:
    """An entry with a number that was asked for never leaves that number."""
    bundle = bundle_of(*numbers)
    given_out = [
        (recipient.number, message.recipient)
        for recipient, outcome in zip(bundle.recipients, answered(bundle, entries), strict=True)
        for message in outcome.messages
    ]
    assert len(given_out) <= len(entries)
    if len(numbers) > 1:
        assert all(mine == theirs for mine, theirs in given_out if theirs in numbers)


@pytest.mark.parametrize("code", [100, 101, 202, 402, 600, 900, 4711])
@pytest.mark.parametrize("body", ["{}", '{{"success":"{}","messages":[]}}', "{}\n77"])
def test_an_answer_that_speaks_of_nobody_counts_for_all(code: int, body: str) -> None:
    """A bare code, an object without entries, an id that belongs to nobody in particular."""
    bundle = bundle_of("0171", "0172")
    for outcome in read_answer(bundle.recipients, read_sms(200, body.format(code).encode())):
        assert (outcome.code, outcome.sent, outcome.messages) == (code, sent_by(code), ())


def test_as_many_ids_as_recipients_are_given_out_in_order() -> None:
    """A text answer with an id each."""
    outcomes = read_answer(bundle_of("0171", "0172").recipients, read_sms(200, b"100\n7\n8"))
    assert [outcome.messages[0].id for outcome in outcomes] == ["7", "8"]
    assert all(outcome.accepted for outcome in outcomes)


def test_a_group_has_all_its_entries_and_the_strongest_verdict() -> None:
    """Accepted only if all of them were; sent if any was."""
    bundle = bundle_of("Friends")
    (whole,) = answered(bundle, [entry("49171"), entry("49172")])
    assert (whole.sent, whole.code, whole.accepted, len(whole.messages)) == (Sent.YES, 100, True, 2)
    (part,) = answered(bundle, [entry("49171"), entry("49172", 202)], 101)
    assert (part.sent, part.code, part.accepted) == (Sent.YES, 101, False)
    assert isinstance(part.error, GatewayError)
    (none,) = answered(bundle, [entry("49171", 402), entry("49172", 202)], 101)
    assert (none.sent, none.code, none.accepted) == (Sent.NO, 402, False)


def test_a_null_recipient_is_paired_in_order_with_who_is_left() -> None:
    """By number first; then as many entries as recipients."""
    first, second, third = answered(
        bundle_of("0171", "0172", "0173"), [entry(None, 202), entry("49172"), entry(None)], 101
    )
    assert (first.code, second.code, third.code) == (202, 100, 100)


def test_a_missing_entry_leaves_maybe_and_advice() -> None:
    """For those without an entry only; nobody is said to have been refused by a guess."""
    first, second = answered(bundle_of("0171", "0172"), [entry("49172")])
    assert (second.sent, second.accepted) == (Sent.YES, True)
    assert (first.sent, first.messages) == (Sent.MAYBE, ())
    assert first.error is not None
    assert first.error.advice == LOOK_FIRST
    assert {outcome.sent for outcome in answered(bundle_of("0171", "0172"), [entry(None, 202)])} == {Sent.MAYBE}


def test_surplus_entries_change_nobodys_outcome() -> None:
    """An entry about a number nobody asked for stays in the answer."""
    first, second = answered(bundle_of("0171", "0172"), [entry("49171"), entry("49179", 202), entry("49172")])
    assert first.accepted
    assert second.accepted
    repeated, _ = answered(bundle_of("0171", "0172"), [entry("49171", 202), entry("49172"), entry("49171")])
    assert (repeated.sent, repeated.code, len(repeated.messages)) == (Sent.YES, 101, 2)


def test_a_success_that_a_recipient_denies_is_no_success() -> None:
    """The recipient's own result wins, also over code 100, and also where it gives no cause."""
    denied, cause = answered(bundle_of("0171", "0172"), [entry("49171", 202), entry("49172", 100, success=False)])
    assert (denied.sent, denied.code) == (Sent.NO, 202)
    assert (cause.sent, cause.accepted) == (Sent.MAYBE, False)
    assert "accepted" not in str(cause.error)


@pytest.mark.parametrize(
    ("body", "recipients", "sent"),
    [
        (b"100", 5, None),
        (json.dumps({"success": "100", "messages": [entry("49171")]}).encode(), 1, None),
        (json.dumps({"success": "100", "messages": [entry("49171"), entry("49172")]}).encode(), 1, None),
        (json.dumps({"success": "100", "messages": [entry("49171")]}).encode(), 2, Sent.YES),
        (json.dumps({"success": "100", "messages": [entry("49171", 202)]}).encode(), 1, Sent.NO),
        (json.dumps({"success": "100", "messages": [entry("49171", 202)]}).encode(), 2, Sent.MAYBE),
        (json.dumps({"success": "101", "messages": [entry("49171"), entry("49172", 202)]}).encode(), 2, Sent.YES),
        (
            json.dumps({"success": "101", "messages": [entry("49171", 600), entry("49172", 202)]}).encode(),
            2,
            Sent.MAYBE,
        ),
        (b"101", 2, Sent.MAYBE),
        (b"900", 1, Sent.NO),
        (b"4711", 1, Sent.MAYBE),
    ],
)
def test_a_call_is_a_success_only_if_every_recipient_is(body: bytes, recipients: int, sent: Sent | None) -> None:
    """Otherwise an error whose ``sent`` is the strongest over the recipients, missing ones MAYBE."""
    error = refused(recipients, read_sms(200, body))
    assert (error.sent if error else None) is sent
