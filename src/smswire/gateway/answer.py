"""One reader for every shape in which the gateway answers. Sans-IO: status and body in, a typed answer out.

The shapes, as its documents and clients show them (``docs/gateway.md``)::

    100                                            a bare code
    "900"                                          a code in quotes, or as a JSON number
    100 LF 77229135982                             a code, then the message's id
    100 LF Verbucht: 1 LF Preis: 0.075 LF ...      a code, then labelled lines, in German
    {"success": "100", "messages": [{...}], ...}   an object, its code a str or an int
    {"code": 900}  {"error_code": "900"}           an object that holds little more than a code

Types vary between versions (``id`` a str, an int or null; ``debug`` a bool or a str; ``error`` null, int or str), so
every field is read leniently and what cannot be read is None: an answer refused for an odd field would turn a known
outcome into a MAYBE. Prices are ``Decimal``. The body stays in ``raw`` as it came.

What is decided, and in this order:

1. A status other than 2xx is a ``StatusError``, judged by the status. A code in its body may be anybody's.
2. A 2xx without a readable code is an ``AnswerError``: nobody knows what it stands for, so ``MAYBE``.
3. Otherwise the code says whether an SMS may have left (``codes``), and a recipient's own result outranks it.

No body makes the reader raise anything but ``AnswerError`` (or return).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, NamedTuple

from ..codec import json
from ..errors import AnswerError, DecodeError, GatewayError, Sent, StatusError
from ..flow.retry import judge_status
from . import fields
from .codes import ACCEPTED, ANY_ENDPOINT, CODES, LOOK_FIRST, PARTIAL, advise_on_status, explain, sent_by

_IDS = re.compile(r"[0-9]{1,40}(?:,[0-9]{1,40})*")
_LABEL = re.compile(r"(Verbucht|Preis|Guthaben|Text|SMS-Typ|Flash SMS|Encoding|GSM0338|Debug): ?(.*)", re.DOTALL)

# An escape: a pair of surrogates, half of one (which no text can hold), any other.
_ESCAPE = re.compile(
    r"\\(?:u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}|(u[Dd][89A-Fa-f][0-9A-Fa-f]{2})|.)", re.DOTALL
)

#: The codes that say an endpoint did what it was asked: accepted, partly accepted, the contacts' three.
_NO_FAILURE: Final = frozenset({ACCEPTED, PARTIAL, 151, 152, 153})
_YES: Final = Sent.YES
_STRENGTH: Final = {Sent.NO: 0, Sent.MAYBE: 1, Sent.YES: 2}


class MessageResult(NamedTuple):
    """What became of one recipient; None where the gateway did not say.

    Attributes:
        sent (Sent): whether this SMS may have left: by its own result, without one by the answer's code.
        id (str | None): the message's id; null in debug mode.
        sender (str | None): as the recipient sees it.
        recipient (str | None): digits with the country code, no ``+``.
        text (str | None): the text as it was sent.
        encoding (str | None): ``"gsm"`` or ``"ucs2"``.
        label (str | None): as given.
        parts (int | None): how many parts are billed.
        udh (str | None): as given, hexadecimal.
        is_binary (bool | None): an 8-bit SMS.
        price (Decimal | None): in the account's currency, usually EUR.
        success (bool | None): whether the gateway took it.
        error (int | str | None): its code if it did not.
        error_text (str | None): the same in words.
    """

    sent: Sent
    id: str | None = None
    sender: str | None = None
    recipient: str | None = None
    text: str | None = None
    encoding: str | None = None
    label: str | None = None
    parts: int | None = None
    udh: str | None = None
    is_binary: bool | None = None
    price: Decimal | None = None
    success: bool | None = None
    error: int | str | None = None
    error_text: str | None = None

    @property
    def speaks(self) -> bool:
        """Whether it says anything of its own about a recipient; the id of a text answer alone does not."""
        return self.success is not None or self.error is not None or self.recipient is not None


class SmsAnswer(NamedTuple):
    """The answer to a send.

    Attributes:
        code (int): the gateway's code.
        messages (tuple[MessageResult, ...]): one a recipient, in the gateway's order; empty in most text answers.
        total_price, balance (Decimal | None): of the call, and of the account after it.
        debug (bool | None): nothing was sent or billed.
        sms_type (str | None): such as ``"direct"``.
        raw (bytes): the body as it came.
    """

    code: int
    messages: tuple[MessageResult, ...] = ()
    total_price: Decimal | None = None
    balance: Decimal | None = None
    debug: bool | None = None
    sms_type: str | None = None
    raw: bytes = b""

    @property
    def sent(self) -> Sent:
        """The strongest over the recipients; by the code alone where no recipient has a result of its own."""
        own = [message.sent for message in self.messages if message.speaks]
        return strongest(own) if own else sent_by(self.code)

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True) if name != "raw")
        return f"SmsAnswer({shown})"


@dataclass(frozen=True, slots=True)
class Balance:
    """The account's credit: ``amount`` (Decimal), and ``currency`` (str, or None in a text answer)."""

    amount: Decimal
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of any endpoint.

    Attributes:
        status (int): the HTTP status.
        value (object): the JSON value, its fractions as Decimal; the text as a str where it is no JSON, or names
            anything twice.
        code (int | None): the gateway's code, where the answer is one or holds one.
        raw (bytes): the body as it came.
    """

    status: int
    value: Any
    code: int | None = None
    raw: bytes = field(default=b"", repr=False)


def strongest(verdicts: Iterable[Sent]) -> Sent:
    """YES before MAYBE before NO; NO of nothing."""
    return max(verdicts, key=_STRENGTH.__getitem__, default=Sent.NO)


def read_sms(status: int, body: bytes) -> SmsAnswer:
    """Reads the answer to a send. A failing code is returned, not raised: look at ``code`` and ``sent``.

    Raises:
        StatusError: the status is not 2xx.
        AnswerError: the body holds no code that can be read.

    >>> read_sms(200, b'"900"').sent
    <Sent.NO: 'no'>
    """
    check_status(status, body, LOOK_FIRST)
    value = _value(body)
    answer = _object_answer(value, body) if isinstance(value, dict) else _text_answer(value, body)
    if answer is None:
        raise _unreadable(status, body, "holds no code of the gateway, or codes that contradict", LOOK_FIRST)
    return answer


def read_balance(status: int, body: bytes) -> Balance:
    """Reads the answer to ``balance``: an object, or a number alone.

    Raises:
        StatusError: the status is not 2xx.
        GatewayError: a code in place of the balance. A bare 900 is the code: the balance would be 900.00.
        AnswerError: neither.

    >>> read_balance(200, b'{"amount": 12.34, "currency": "EUR"}')
    Balance(amount=Decimal('12.34'), currency='EUR')
    """
    check_status(status, body)
    value = _value(body)
    codes = fields.codes_of(value)
    if not isinstance(value, dict):
        _check_codes([code for code in codes if code in ANY_ENDPOINT], status, value, body)
    elif "amount" not in value:
        _check_codes(codes, status, value, body)
    amount = fields.decimal(value.get("amount") if isinstance(value, dict) else value)
    if amount is None:
        raise _unreadable(status, body, "holds no balance")
    return Balance(amount, fields.text(value.get("currency")) if isinstance(value, dict) else None)


def read(status: int, body: bytes) -> Answer:
    """Reads the answer of any endpoint.

    Raises:
        StatusError: the status is not 2xx.
        GatewayError: the answer is, or holds, a code that the gateway documents as a failure.
        AnswerError: the body is empty.
    """
    check_status(status, body)
    value = _value(body)
    if value == "":
        raise _unreadable(status, body, "is empty")
    codes = fields.codes_of(value)
    _check_codes(codes, status, value, body)
    return Answer(status, value, codes[0] if codes else None, body)


def _check_codes(codes: Sequence[int], status: int, value: Any, body: bytes) -> None:
    """Raises ``GatewayError`` for the first documented failure among them; ``MAYBE`` if they do not agree on more."""
    for code in codes:
        if code in CODES and code not in _NO_FAILURE:
            raise refusal(code, Answer(status, value, code, body), _verdict(codes) or Sent.MAYBE, status)


def _verdict(codes: Iterable[int]) -> Sent | None:
    """Whether an SMS may have left, if all codes say the same of it."""
    verdicts = {*map(sent_by, codes)}
    return verdicts.pop() if len(verdicts) == 1 else None


def check_status(status: int, body: bytes, advice_if_maybe: str | None = None) -> None:
    """Raises ``StatusError`` for any status but 2xx, its ``.sent`` judged by the status alone."""
    if not 200 <= status <= 299:
        sent = judge_status(status)
        advice = "; ".join(filter(None, (advise_on_status(status), advice_if_maybe if sent is Sent.MAYBE else None)))
        message = f"the gateway answered with HTTP status {status}"
        raise StatusError(message, status=status, body=body, sent=sent, advice=advice or None)


def refusal(code: int, answer: Answer | SmsAnswer, sent: Sent, status: int = 200) -> GatewayError:
    """The error for a call or a recipient that was not accepted: the code in words, and what to do about it."""
    message, advice = explain(code)
    if code == ACCEPTED:
        message = f"the gateway answered {code}, and yet not success for every recipient"
    if sent is Sent.MAYBE:
        advice = LOOK_FIRST
    return GatewayError(message, code=code, status=status, body=answer.raw, answer=answer, sent=sent, advice=advice)


def _unreadable(status: int, body: bytes, why: str, advice: str | None = None) -> AnswerError:
    message = f"the gateway's answer ({len(body):,} bytes) {why}"
    return AnswerError(message, status=status, body=body, sent=Sent.MAYBE, advice=advice)


# ---- bodies


def _value(body: bytes) -> Any:
    """The JSON value; its text, without white space around it, where it is no JSON or names anything twice.

    A text that an answer repeats may be cut within a character. JSON allows neither bytes that are no UTF-8 nor half
    a surrogate pair, but the code beside them is as good as ever: they become U+FFFD.
    """
    stripped = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        return json.decode(stripped, parse_float=Decimal)
    except DecodeError:
        text = stripped.decode("utf-8", "replace")
    mended = _ESCAPE.sub(lambda escape: r"\ufffd" if escape[1] else escape[0], text)
    try:
        return json.decode(mended, parse_float=fields.fraction)
    except DecodeError:
        return text


def _object_answer(value: dict[str, Any], body: bytes) -> SmsAnswer | None:
    codes = fields.codes_of(value)
    if not codes or (len(codes) > 1 and _verdict(codes) is None):
        return None
    code = codes[0]
    return SmsAnswer(
        code,
        tuple([_message(entry, code) for entry in _entries(value.get("messages"))]),
        fields.decimal(value.get("total_price")),
        fields.decimal(value.get("balance")),
        fields.flag(value.get("debug")),
        fields.text(value.get("sms_type")),
        body,
    )


def _text_answer(value: Any, body: bytes) -> SmsAnswer | None:
    """A bare code, or a code with lines after it: ids are digits alone, details begin with their label."""
    code = fields.first_code(value)
    if code is None:
        return None
    details: dict[str, str] = {}
    ids: list[str | None] = []
    label = None
    for line in fields.lines(value)[1:]:
        match = _LABEL.fullmatch(line)
        if match and match[1] not in details:
            label = match[1]
            details[label] = match[2]
        elif label == "Text":
            details[label] += f"\n{line}"
        elif label is None and _IDS.fullmatch(line.strip()):
            ids += line.strip().split(",")
    found = ids or ([None] if details else [])
    text, encoding = details.get("Text"), details.get("Encoding")
    return SmsAnswer(
        code=code,
        messages=tuple(MessageResult(sent_by(code), id=one, text=text, encoding=encoding) for one in found),
        total_price=fields.decimal(details.get("Preis")),
        balance=fields.decimal(details.get("Guthaben")),
        debug=fields.flag(details.get("Debug")),
        sms_type=details.get("SMS-Typ"),
        raw=body,
    )


def _entries(messages: Any) -> Iterator[Mapping[str, Any]]:
    """The objects among ``messages``, in order, however lists are nested; a list with holes may come as an object."""
    waiting = [messages]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, dict):
            if value and all(map(fields.DIGITS.fullmatch, value)):
                waiting += reversed(value.values())
            elif value:
                yield value


def _message(entry: Mapping[str, Any], code: int) -> MessageResult:
    get, text, flag = entry.get, fields.text, fields.flag
    success, error = flag(get("success")), fields.error(get("error"))
    # By place, in the order of the fields: by name this would take a good part of the time in which an answer is read.
    return MessageResult(
        _judge(success, error, code),
        text(get("id")),
        text(get("sender")),
        text(get("recipient")),
        text(get("text")),
        text(get("encoding")),
        text(get("label")),
        fields.integer(get("parts")),
        text(get("udh")),
        flag(get("is_binary")),
        fields.decimal(get("price")),
        success,
        error,
        text(get("error_text")),
    )


def _judge(success: bool | None, error: int | str | None, code: int) -> Sent:
    """A recipient's own result. One that contradicts itself is MAYBE; a failure without a cause has the call's."""
    if error is None:
        if success is None:
            return sent_by(code)
        if success:
            return _YES
        return sent_by(code) if code not in _NO_FAILURE else Sent.MAYBE
    own = sent_by(error) if isinstance(error, int) else Sent.MAYBE
    return own if success is (own is Sent.YES) or success is None else Sent.MAYBE
