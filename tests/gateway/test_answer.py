"""One reader for every shape: what can be known is known, and nothing makes it stumble."""

from __future__ import annotations

import json
import pickle
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import AnswerError, GatewayError, Sent, StatusError
from smswire.gateway.answer import (
    Balance,
    MessageResult,
    SmsAnswer,
    read,
    read_balance,
    read_sms,
    strongest,
)
from smswire.gateway.codes import CODES, LOOK_FIRST, explain, sent_by

YES = {100}
NO = {201, 202, *range(300, 308), *range(400, 404), 500, 801, 802, 803, 900, 901, 902, 903}

# What a client library's notes show of a real send and of one in debug mode, with numbers of nobody.
REAL_SEND = b"""{"success":"100","total_price":0.075,"balance":46.748,"debug":"false","sms_type":"direct",
"messages":[{"id":"77229135982","sender":"smswire","recipient":"491716992343","text":"Hello","encoding":"gsm",
"label":null,"parts":1,"udh":null,"is_binary":false,"price":0.075,"success":true,"error":null,"error_text":null}]}"""
DEBUG_SEND = b"""{"success":"100","total_price":0,"balance":4.5,"debug":"true","sms_type":"direct","messages":[
{"id":null,"sender":"smswire","recipient":"491716992343","text":"Hello","encoding":"ucs2","label":"a","parts":2,
"udh":"050003CC0201","is_binary":true,"price":0,"success":true,"error":null,"error_text":null}]}"""
DETAILS = (
    "100\n77229135982\nVerbucht: 1\nPreis: 0.075\nGuthaben: 46.748\nText: Zeile 1\nZeile 2: x\nSMS-Typ: direct\n"
    "Flash SMS: false\nEncoding: gsm\nGSM0338: true\nDebug: false"
)

FIELDS = ["success", "code", "error_code", "error", "messages", "id", "recipient", "price", "parts", "is_binary"]
FIELDS += ["amount", "currency", "0", "1"]

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**50, max_value=10**60),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([100, 101, 202, 600, "100", "202", " 900 ", "true", "false", "", "0", "1", "2e3"]),
    st.text(max_size=8),
)
json_values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(FIELDS),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=20,
)
bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(lambda value: json.dumps(value).encode()),
    st.tuples(
        st.sampled_from([REAL_SEND, DEBUG_SEND, DETAILS.encode()]), st.integers(0, 600), st.binary(max_size=3)
    ).map(lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]),
    st.lists(st.sampled_from(["100", "", "Text: x", "Debug: true", "Preis: 1,5", "77", "\r", "x"])).map(
        lambda lines: "\n".join(lines).encode()
    ),
)


@given(body=bodies)
def test_no_body_makes_the_reader_raise_anything_but_an_answer_error(body: bytes) -> None:
    """An answer is typed, or it is MAYBE; the body is kept as it came either way."""
    try:
        answer = read_sms(200, body)
    except AnswerError as error:
        assert (error.sent, error.body, error.status) == (Sent.MAYBE, body, 200)  # noqa: PT017 - one of two ways out
    else:
        assert answer.raw == body
        assert isinstance(answer.sent, Sent)
        assert pickle.loads(pickle.dumps(answer)) == answer
        repr(answer)


@given(body=bodies)
def test_the_other_readers_raise_gateway_errors_only(body: bytes) -> None:
    """AnswerError is one; so is the code that came in place of an answer."""
    for reader in (read_balance, read):
        try:
            value = reader(200, body)
        except GatewayError as error:
            assert error.body == body  # noqa: PT017 - one of two ways out
        else:
            repr(value)


@given(body=bodies, status=st.integers(100, 599).filter(lambda status: not 200 <= status <= 299))
def test_a_code_in_the_body_of_another_status_is_not_believed(body: bytes, status: int) -> None:
    """It may be anybody's: 4xx is NO, all else MAYBE, whatever the body says."""
    for reader in (read_sms, read_balance, read):
        with pytest.raises(StatusError) as caught:
            reader(status, body)
        assert caught.value.sent is (Sent.NO if 400 <= status <= 499 else Sent.MAYBE)
        assert caught.value.code is None
        assert (caught.value.status, caught.value.body) == (status, body)


def test_a_redirected_send_is_told_both_what_is_wrong_and_what_to_look_for() -> None:
    """It may have been sent, and base_url is why."""
    with pytest.raises(StatusError) as caught:
        read_sms(302, b"")
    assert caught.value.advice == f"redirects are not followed; check base_url; {LOOK_FIRST}"


def test_the_table_of_codes_is_exactly_this() -> None:
    """100 YES; validation, lock, limit, credit and authentication NO; all the rest MAYBE."""
    for code in range(-1, 10_001):
        assert sent_by(code) is (Sent.YES if code in YES else Sent.NO if code in NO else Sent.MAYBE)


def as_shapes(code: int) -> list[bytes]:
    return [
        body.encode()
        for body in (
            f"{code}",
            f' "{code}" ',
            f"\ufeff{code}\r\n",
            f"{code}\n77229135982",
            f"{code}\r\n77229135982\r\n",
            f'"{code}\\n77229135982"',
            f'{{"success":"{code}"}}',
            f'{{"success":{code},"messages":[]}}',
            f'{{"success":false,"code":{code}}}',
            f'{{"success":0,"error_code":"{code}","error_message":"x"}}',
            f'{{"error":"{code}"}}',
            f'{{"success":null,"code":null,"error":{code}}}',
            DETAILS.replace("100", f"{code}", 1),
        )
    ]


@pytest.mark.parametrize("code", [*CODES, 7, 4711])
def test_every_shape_of_every_code_reads_the_same(code: int) -> None:
    """Bare, quoted, in lines, in objects under four names, as a str or an int."""
    for body in as_shapes(code):
        if code == 7:
            with pytest.raises(AnswerError):
                read_sms(200, body)
            continue
        answer = read_sms(200, body)
        assert answer.code == code, body
        assert answer.sent is sent_by(code), body


def test_a_real_send_is_read_to_the_last_field() -> None:
    """Types as documented: prices are Decimal, debug a bool, ids str."""
    answer = read_sms(200, REAL_SEND)
    assert answer == SmsAnswer(
        code=100,
        messages=(
            MessageResult(
                sent=Sent.YES,
                id="77229135982",
                sender="smswire",
                recipient="491716992343",
                text="Hello",
                encoding="gsm",
                label=None,
                parts=1,
                udh=None,
                is_binary=False,
                price=Decimal("0.075"),
                success=True,
                error=None,
                error_text=None,
            ),
        ),
        total_price=Decimal("0.075"),
        balance=Decimal("46.748"),
        debug=False,
        sms_type="direct",
        raw=REAL_SEND,
    )
    assert str(answer.balance) == "46.748"
    assert answer.sent is Sent.YES


def test_a_send_in_debug_mode_has_no_id_and_costs_nothing() -> None:
    """Null ids, int prices, debug as a str."""
    answer = read_sms(200, DEBUG_SEND)
    assert (answer.debug, answer.total_price, answer.balance) == (True, Decimal(0), Decimal("4.5"))
    (message,) = answer.messages
    assert (message.id, message.udh, message.is_binary, message.parts) == (None, "050003CC0201", True, 2)


def test_labelled_lines_are_read_and_a_text_may_have_several() -> None:
    """German labels; a line without a label belongs to the text."""
    answer = read_sms(200, DETAILS.encode())
    assert (answer.code, answer.total_price, answer.balance) == (100, Decimal("0.075"), Decimal("46.748"))
    assert (answer.debug, answer.sms_type) == (False, "direct")
    (message,) = answer.messages
    assert (message.id, message.text, message.encoding) == ("77229135982", "Zeile 1\nZeile 2: x", "gsm")
    assert not message.speaks


def test_the_ids_of_a_text_answer_may_be_several() -> None:
    """On lines of their own or with commas between."""
    for body in (b"100\n1\n2", b"100\n1,2"):
        assert [message.id for message in read_sms(200, body).messages] == ["1", "2"]


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (
            {"id": 77, "parts": "2", "price": "0.5", "success": "true"},
            {"id": "77", "parts": 2, "price": Decimal("0.5")},
        ),
        ({"id": "x", "error": "", "error_text": None, "success": 1}, {"id": "x", "error": None, "success": True}),
        ({"success": False, "error": "202"}, {"success": False, "error": 202, "sent": Sent.NO}),
        ({"success": 0, "error": 0, "recipient": 49171}, {"success": False, "error": None, "recipient": "49171"}),
        ({"success": False, "error": "no route"}, {"error": "no route", "sent": Sent.MAYBE}),
        ({"recipient": None, "messages": ["x", "y"], "success": True}, {"recipient": None, "sent": Sent.YES}),
        ({"id": [], "price": {}, "parts": True, "is_binary": "?"}, {"id": None, "price": None, "parts": None}),
        ({"price": 1e300, "parts": 10**50, "id": 10**50}, {"price": None, "parts": None, "id": None}),
    ],
)
def test_a_field_of_another_type_is_read_or_none(entry: dict[str, Any], expected: dict[str, Any]) -> None:
    """What cannot be read costs the field, never the answer."""
    (message,) = read_sms(200, json.dumps({"success": "100", "messages": [entry]}).encode()).messages
    assert {name: getattr(message, name) for name in expected} == expected


@pytest.mark.parametrize("cut", [b"\\ud83d", b"x\\uDE00\\n", b"\\\\\\ud83d", b"\xf0\x9f\x98", b"\xfc"])
def test_a_repeated_text_that_is_cut_within_a_character_costs_no_answer(cut: bytes) -> None:
    """Half a surrogate pair, or bytes that are no UTF-8, in a field that decides nothing; whole pairs stay."""
    whole = b"\\ud83d\\ude00"
    answer = read_sms(200, b'{"success":"100","messages":[{"text":"%b%b","success":true}]}' % (whole, cut))
    assert answer.sent is Sent.YES
    text = answer.messages[0].text
    assert text is not None
    assert text.startswith("\U0001f600")
    assert "\ufffd" in text


@pytest.mark.parametrize(
    "messages",
    [
        [{"id": "1"}, {"id": "2"}],
        [[{"id": "1"}], [{"id": "2"}]],
        [[[{"id": "1"}, {"id": "2"}]]],
        {"0": {"id": "1"}, "2": {"id": "2"}},
        ["text", None, {"id": "1"}, {}, 5, {"id": "2"}],
    ],
)
def test_entries_are_found_however_lists_are_nested(messages: Any) -> None:
    """In order; strings and empty objects among them are none."""
    answer = read_sms(200, json.dumps({"success": "100", "messages": messages}).encode())
    assert [message.id for message in answer.messages] == ["1", "2"]


codes = st.sampled_from([*CODES, 4711])
entries = st.fixed_dictionaries(
    {}, optional={"success": st.sampled_from([True, False, None]), "error": st.one_of(st.none(), codes, st.just("?"))}
)


@given(code=codes, entry=entries)
def test_a_recipients_own_result_outranks_the_answers_code(code: int, entry: dict[str, Any]) -> None:
    """A clear success is YES and a clear refusal NO under any code; what contradicts itself is never NO."""
    success, error = entry.get("success"), entry.get("error")
    answer = read_sms(200, json.dumps({"success": code, "messages": [entry | {"recipient": "49171"}]}).encode())
    (message,) = answer.messages
    assert answer.sent is message.sent
    if success is True and error in (None, 100):
        assert message.sent is Sent.YES
    elif success is True:
        assert message.sent is Sent.MAYBE
    elif success is False and error in NO:
        assert message.sent is Sent.NO
    elif success is False and error is None:
        assert message.sent is (Sent.NO if code in NO else Sent.MAYBE)
    elif success is False:
        assert message.sent is Sent.MAYBE
    elif error is None:
        assert message.sent is sent_by(code)


@pytest.mark.parametrize(
    "body",
    [
        b'{"success":"100","error":"900"}',
        b'{"error":900,"success":100}',
        b'{"success":"900","code":"100"}',
        b'{"success":"100","success":"900"}',
        b'{"code":900,"messages":[],"code":100}',
        b'{"success":"900","code":"100","code":"900"}',
        b'{"success":"100","code":"900","code":"100"}',
        b'{"code":900,"code":100,"code":900}',
        b'{"success":"100","messages":[{"recipient":"491","success":false,"error":900,"success":true,"error":null}]}',
    ],
)
def test_an_answer_that_contradicts_itself_says_nothing(body: bytes) -> None:
    """Neither that it was accepted, which might lose it, nor that it was not, which might send it twice."""
    with pytest.raises(AnswerError, match="no code of the gateway, or codes that contradict") as caught:
        read_sms(200, body)
    assert caught.value.sent is Sent.MAYBE


def test_codes_that_agree_on_what_was_sent_are_no_contradiction() -> None:
    """The first is told."""
    answer = read_sms(200, b'{"success":"301","code":"302"}')
    assert (answer.code, answer.sent) == (301, Sent.NO)
    for body, code, sent in (
        (b'{"success":"900","error":"902"}', 900, Sent.NO),
        (b'{"success":"100","error":"902"}', 902, Sent.MAYBE),
        (b'{"success":"902","error":"100"}', 902, Sent.MAYBE),
    ):
        for reader in (read, read_balance):
            with pytest.raises(GatewayError) as caught:
                reader(200, body)
            assert (caught.value.code, caught.value.sent) == (code, sent)


@given(st.lists(st.sampled_from(Sent)))
def test_the_strongest_verdict_is_the_one_that_forbids_most(verdicts: list[Sent]) -> None:
    """One YES makes the whole a YES; NO needs all to be NO."""
    whole = strongest(verdicts)
    assert (whole is Sent.YES) == (Sent.YES in verdicts)
    assert (whole is Sent.NO) == all(verdict is Sent.NO for verdict in verdicts)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" \n",
        b"null",
        b"true",
        b"[]",
        b"[100]",
        b"{}",
        b'{"success":true}',
        b"<html>502</html>",
        b"OK",
        b"-100",
        b"100.0",
        b"1",
        b"10000",
        b'{"success":"100"',
        b"\xff\xfe1\x000\x000\x00",
        b"[" * 100_000,
        b"9" * 100_000,
        b'{"success":' + b"9" * 5_000 + b"}",
        b"{" + b'"a":{' * 5_000,
    ],
)
def test_a_body_without_a_code_is_maybe(body: bytes) -> None:
    """A cut-off object too: its code was on the way, and the rest is not known."""
    with pytest.raises(AnswerError) as caught:
        read_sms(200, body)
    assert caught.value.sent is Sent.MAYBE
    assert "journal" in str(caught.value)


@pytest.mark.parametrize(
    ("body", "balance"),
    [
        (b'{"amount":12.34,"currency":"EUR"}', Balance(Decimal("12.34"), "EUR")),
        (b'{"amount":"-1,5"}', Balance(Decimal("-1.5"))),
        (b"12.34\n", Balance(Decimal("12.34"))),
        (b'"0.0750"', Balance(Decimal("0.0750"))),
        (b"900.00", Balance(Decimal("900.00"))),
        (b"100", Balance(Decimal(100))),
        (b'{"amount":900,"currency":"EUR"}', Balance(Decimal(900), "EUR")),
    ],
)
def test_a_balance_is_an_object_or_a_number(body: bytes, balance: Balance) -> None:
    """Exact, as Decimal."""
    assert read_balance(200, body) == balance
    assert str(read_balance(200, body).amount) == str(balance.amount)


@pytest.mark.parametrize("body", [b"900", b'"900"', b'{"code":900}', b'{"success":false,"error_code":"903"}', b"600"])
def test_a_code_is_not_taken_for_a_balance(body: bytes) -> None:
    """A client that reports 900.00 EUR for a wrong key has been seen."""
    with pytest.raises(GatewayError) as caught:
        read_balance(200, body)
    assert caught.value.code in (600, 900, 903)


@pytest.mark.parametrize(
    "body", [b"", b"EUR", b"[]", b"null", b"{}", b'{"amount":null}', b'{"success":"100"}', b"1e99", b"NaN"]
)
def test_what_is_no_balance_is_an_answer_error(body: bytes) -> None:
    """Never a guess."""
    with pytest.raises(AnswerError):
        read_balance(200, body)


@pytest.mark.parametrize(
    ("body", "value", "code"),
    [
        (b'[{"id":"1","price":"0.0750"}]', [{"id": "1", "price": "0.0750"}], None),
        (b'{"price":0.075}', {"price": Decimal("0.075")}, None),
        (b"DELIVERED\n2026-01-02 03:04:05.678", "DELIVERED\n2026-01-02 03:04:05.678", None),
        (b"152\n4711", "152\n4711", 152),
        (b'{"return":"152","id":"1"}', {"return": "152", "id": "1"}, None),
        (b'{"success":true,"code":null,"hooks":[]}', {"success": True, "code": None, "hooks": []}, None),
        (b'{"code":"100","success":"true"}', {"code": "100", "success": "true"}, 100),
        (b"d1", "d1", None),
    ],
)
def test_any_other_answer_is_its_value(body: bytes, value: Any, code: int | None) -> None:
    """JSON as values with exact fractions, text as a str."""
    answer = read(200, body)
    assert (answer.value, answer.code, answer.raw, answer.status) == (value, code, body, 200)


@pytest.mark.parametrize("code", sorted(NO | {11, 600, 700}))
def test_a_failing_code_of_any_endpoint_is_raised_in_words(code: int) -> None:
    """With the answer attached, and whether an SMS may have left."""
    for body in (f"{code}", f'"{code}"', f'{{"success":false,"code":{code}}}'):
        with pytest.raises(GatewayError) as caught:
            read(200, body.encode())
        error = caught.value
        assert (error.code, error.sent) == (code, sent_by(code))
        assert CODES[code].meaning in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_every_code_that_leaves_doubt_says_to_look_first() -> None:
    """Sending again on a MAYBE is how duplicates are made."""
    for code in (11, 600, 700, 4711):
        assert "journal" in (explain(code)[1] or "")


@pytest.mark.parametrize("number", ["1e99999999999999999999", "1e999", "-0.0e-99999", "9" * 300])
def test_a_number_that_is_no_money_costs_the_field_and_not_the_answer(number: str) -> None:
    """However large it claims to be."""
    answer = read_sms(200, f'{{"success":"100","total_price":{number}}}'.encode())
    assert (answer.code, answer.total_price) == (100, None)
