"""The account of a send: every recipient in one place, and never more said than is known."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smswire.cli.delivery import Delivery
from smswire.cli.table import Row
from smswire.errors import GatewayError, Sent, Timeout
from smswire.gateway import MessageResult, SmsOutcome

KINDS = {
    "accepted": lambda index: SmsOutcome(index, "to", Sent.YES, 100, (MessageResult(Sent.YES, id="7"),)),
    "accepted_in_part": lambda index: SmsOutcome(
        index, "to", Sent.YES, 101, (MessageResult(Sent.YES, id="7"), MessageResult(Sent.NO)), GatewayError(code=101)
    ),
    "not_sent": lambda index: SmsOutcome(index, "to", Sent.NO, 202, (), GatewayError("bad", code=202, sent=Sent.NO)),
    "maybe_sent": lambda index: SmsOutcome(index, "to", Sent.MAYBE, None, (), Timeout("late", sent=Sent.MAYBE)),
}


@given(st.lists(st.sampled_from([*KINDS, None])), st.booleans(), st.randoms())
def test_every_recipient_is_counted_once_and_has_its_line(kinds, is_stopped, random):
    """Outcomes come in any order, some twice; those without one are not sent after Ctrl-C, otherwise perhaps sent."""
    delivery = Delivery([Row(index + 2, {"to": f"+49{index}", "text": "x"}) for index in range(len(kinds))])
    heard = [KINDS[kind](index) for index, kind in enumerate(kinds) if kind]
    random.shuffle(heard)
    for outcome in heard + heard[:1]:
        delivery.record(outcome)
    if is_stopped:
        delivery.stop()
    silent = "not_sent" if is_stopped else "maybe_sent"
    account = delivery.as_json()
    for kind in KINDS:
        assert account[kind] == sum((found or silent) == kind for found in kinds)
    lines = list(delivery.lines())
    assert [(line.line, line.to) for line in lines] == [(row.line, row.cells["to"]) for row in delivery.rows]
    sent_by_kind = {"accepted": "yes", "accepted_in_part": "yes", "not_sent": "no", "maybe_sent": "maybe"}
    assert [line.sent for line in lines] == [sent_by_kind[kind or silent] for kind in kinds]
    failed = [line for line, kind in zip(lines, kinds, strict=True) if kind != "accepted"]
    assert list(delivery.failures()) == failed
    assert all(line.error for line in failed if line.code != 101)
    assert delivery.all_accepted() == (not failed)


def test_a_line_has_the_ids_of_every_message_behind_the_recipient():
    """A group has several."""
    delivery = Delivery([Row(2, {"to": "Friends", "text": "x"})])
    results = (MessageResult(Sent.YES, id="7"), MessageResult(Sent.YES, id="8"), MessageResult(Sent.YES))
    delivery.record(SmsOutcome(0, "Friends", Sent.YES, 100, results))
    assert next(delivery.lines()).id == "7 8"


def test_reasons_are_codes_or_kinds_of_error():
    """So that a summary can be read at a glance."""
    delivery = Delivery([Row(index, {"to": "+491", "text": "x"}) for index in range(3)])
    delivery.record(KINDS["not_sent"](0))
    delivery.record(KINDS["maybe_sent"](1))
    assert delivery.as_json()["reasons"] == {"not_sent": {"code 202": 1}, "maybe_sent": {"Timeout": 1, "unknown": 1}}
