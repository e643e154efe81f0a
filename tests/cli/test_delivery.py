"""The account of a send: every recipient in one place, and never more said than is known."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.cli.delivery import SHOWN_FAILURES, Delivery
from smswire.cli.interrupts import Interrupts
from smswire.cli.report import ReportError
from smswire.cli.table import Finding, Row
from smswire.errors import GatewayError, InvalidParameter, Sent, StatusError, Timeout
from smswire.gateway import MessageResult, SmsAnswer, SmsOutcome

KINDS = {
    "accepted": lambda index: SmsOutcome(index, "to", Sent.YES, 100, (MessageResult(Sent.YES, id="7"),)),
    "accepted_in_part": lambda index: SmsOutcome(
        index, "to", Sent.YES, 101, (MessageResult(Sent.YES, id="7"), MessageResult(Sent.NO)), GatewayError(code=101)
    ),
    "not_sent": lambda index: SmsOutcome(index, "to", Sent.NO, 202, (), GatewayError("bad", code=202, sent=Sent.NO)),
    "maybe_sent": lambda index: SmsOutcome(index, "to", Sent.MAYBE, None, (), Timeout("late", sent=Sent.MAYBE)),
}
SENT = {"accepted": "yes", "accepted_in_part": "yes", "not_sent": "no", "maybe_sent": "maybe"}


def delivery_of(count):
    told = []
    delivery = Delivery(Interrupts(), told.append)
    for index in range(count):
        delivery.take(Row(index + 2, {"to": f"+49{index}", "text": "x"}))
    return delivery, told


def note(delivery, outcome):
    delivery.latest = outcome
    delivery.note()


@given(st.lists(st.sampled_from([*KINDS, None])), st.integers(0, 5), st.booleans(), st.randoms())
def test_every_recipient_is_counted_once_and_has_its_line(kinds, unread, has_heard_all, random):
    """Outcomes come in any order, some twice; those without one were not sent if all is heard of, otherwise perhaps.

    What was not read was not sent.
    """
    delivery, told = delivery_of(len(kinds))
    heard = [KINDS[kind](index) for index, kind in enumerate(kinds) if kind]
    random.shuffle(heard)
    for outcome in heard + heard[:1]:
        note(delivery, outcome)
    assert [line.line - 2 for line in told] == [outcome.index for outcome in heard]
    assert delivery.open() == len(kinds) - len(heard)
    delivery.heard_all = has_heard_all
    delivery.close(Row(len(kinds) + 2 + late, {"to": "+490", "text": "x"}) for late in range(unread))
    found = [kind or ("not_sent" if has_heard_all else "maybe_sent") for kind in kinds] + ["not_sent"] * unread
    lines = sorted(told)
    assert [(line.line, line.sent) for line in lines] == [(at, SENT[kind]) for at, kind in enumerate(found, start=2)]
    assert all(line.error for line in lines if line.sent != "yes")
    account = delivery.as_json()
    assert {kind: account[kind] for kind in KINDS} == {kind: found.count(kind) for kind in KINDS}
    assert account["recipients"] == delivery.recipients() == len(found)
    failed = [line for line, kind in zip(lines, found, strict=True) if kind != "accepted"]
    assert len(delivery.failures) == min(len(failed), SHOWN_FAILURES)
    assert set(delivery.failures) <= set(failed)
    assert not delivery.all_accepted()
    delivery.read_all = True
    assert delivery.all_accepted() == (not failed)


def test_a_line_has_the_ids_of_every_message_behind_the_recipient():
    """A group has several."""
    delivery, told = delivery_of(1)
    results = (MessageResult(Sent.YES, id="7"), MessageResult(Sent.YES, id="8"), MessageResult(Sent.YES))
    note(delivery, SmsOutcome(0, "Friends", Sent.YES, 100, results))
    assert told[0].id == "7 8"


def test_reasons_are_codes_or_kinds_of_error():
    """So that a summary can be read at a glance."""
    delivery, _ = delivery_of(3)
    note(delivery, KINDS["not_sent"](0))
    note(delivery, KINDS["maybe_sent"](1))
    delivery.close()
    assert delivery.as_json()["reasons"] == {"not_sent": {"code 202": 1}, "maybe_sent": {"Timeout": 1, "unknown": 1}}


def test_a_row_that_must_not_be_sent_says_what_is_wrong_with_it():
    """Not what the stream makes of the gap in its place."""
    delivery, told = delivery_of(0)
    delivery.take(Row(7, {"text": "x"}, (Finding(7, "to is empty"), Finding(8, "byte 0xFC"))))
    note(delivery, SmsOutcome(0, "", Sent.NO, None, (), InvalidParameter("to: is missing")))
    assert told == [(7, "", "no", None, "", "to is empty; byte 0xFC")]


def test_a_line_that_cannot_be_told_is_counted_all_the_same():
    """None is told after it, since one in the middle would be missing."""
    calls = []

    def tell(line):
        calls.append(line)
        raise ReportError("the disk is full")

    delivery = Delivery(Interrupts(), tell)
    for index in range(3):
        delivery.take(Row(index + 2, {"to": "+491", "text": "x"}))
    for index in range(3):
        note(delivery, KINDS["accepted"](index))
    assert len(calls) == 1
    assert delivery.recipients() == 3
    with pytest.raises(ReportError, match="full"):
        raise delivery.loss


def refused(code, answers_code=None):
    """An outcome with the code of a recipient, or of the whole answer."""
    answer = SmsAnswer(answers_code or code)
    error = GatewayError("no", code=code, status=200, answer=answer, advice="see", sent=Sent.NO)
    return SmsOutcome(0, "to", Sent.NO, code, (), error)


@pytest.mark.parametrize("code", [300, 900, 902, 903])
def test_a_refused_key_is_noted_with_what_to_do(code):
    """Once; and not if Ctrl-C was there first."""
    delivery, _ = delivery_of(1)
    note(delivery, refused(code))
    assert delivery.refusal == "no: see"
    delivery, _ = delivery_of(1)
    delivery.interrupted = True
    note(delivery, refused(code))
    assert delivery.refusal is None


def test_a_status_that_refuses_the_key_is_noted():
    """401 is about who calls (RFC 9110 15.5.2)."""
    for status, refusal in ((401, "no"), (403, None), (404, None), (500, None)):
        delivery, _ = delivery_of(1)
        note(delivery, SmsOutcome(0, "to", Sent.NO, None, (), StatusError("no", status=status, sent=Sent.NO)))
        assert delivery.refusal == refusal


@pytest.mark.parametrize("outcome", [refused(202), refused(402), refused(500), refused(901), refused(902, 101)])
def test_what_is_wrong_with_a_message_says_nothing_of_the_key(outcome):
    """Nor does the code of one recipient among others."""
    delivery, _ = delivery_of(1)
    note(delivery, outcome)
    assert delivery.refusal is None
