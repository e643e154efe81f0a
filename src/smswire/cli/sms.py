"""``smswire sms``: one SMS, and what became of it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from ..flow.retry import Outcome
from .interrupts import Interrupts
from .options import ACCEPTED, INTERRUPTED, Command, Result, Settings, complain, gateway_options, visible

if TYPE_CHECKING:
    from ..gateway import SmsAnswer

_MAY_HAVE_LEFT = {"yes": "was accepted", "maybe": "may have been sent", "no": "was not sent"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_SHOWN = ("id", "recipient", "sender", "encoding", "parts", "price", "success", "error", "error_text")


@click.command(cls=Command)
@click.argument("to")
@click.argument("text")
@click.option("--from", "sender", metavar="SENDER", help="What the recipient sees as the sender.")
@click.option("--label", help="A label for the gateway's analytics.")
@click.option("--foreign-id", metavar="ID", help="Your own id of it, by which to find it in the gateway's journal.")
@gateway_options
@click.pass_obj
def sms(
    interrupts: Interrupts,
    /,
    settings: Settings,
    to: str,
    text: str,
    sender: str | None,
    label: str | None,
    foreign_id: str | None,
    **_: object,
) -> Result:
    """Send TEXT to the recipient TO.

    Exit status: 0 accepted, 1 not accepted or not known to be, 2 wrong usage, 130 interrupted, and then it is said
    whether the SMS may have been sent. That the result cannot be printed does not change it.
    """
    typed = {"to": to, "text": text, "from": sender, "label": label, "foreign_id": foreign_id}
    for name, value in typed.items():
        _check_locale(name, value)
    outcome = Outcome()
    try:
        with settings.gateway() as gateway:
            try:
                answer = gateway.sms(to, text, from_=sender, label=label, foreign_id=foreign_id, outcome=outcome)
            finally:
                interrupts.end()
    except KeyboardInterrupt:  # not ours, so it cannot say by itself what it interrupted
        complain(f"interrupted; the SMS {_MAY_HAVE_LEFT[outcome.sent.value]}")
        return Result(INTERRUPTED, {"error": "interrupted", "sent": outcome.sent.value})
    return Result(ACCEPTED, _as_json(answer), in_words(answer))


def _check_locale(parameter: str, value: str | None) -> None:
    """Refuses what the locale could not make text of; Python hands such bytes on as lone surrogates."""
    if value is not None and _SURROGATE.search(value):
        from ..errors import InvalidParameter

        what = f"holds bytes that are no text in the encoding of the locale ({sys.getfilesystemencoding()})"
        advice = "write it in UTF-8, under a UTF-8 locale such as LC_ALL=C.UTF-8"
        raise InvalidParameter(f"{parameter}: {what}; {advice}", parameter=parameter)


def _as_json(answer: SmsAnswer) -> dict[str, Any]:
    return {
        "sent": answer.sent.value,
        "code": answer.code,
        "messages": [
            {"sent": message.sent.value} | {name: _plain(getattr(message, name)) for name in _SHOWN}
            for message in answer.messages
        ],
        "total_price": _plain(answer.total_price),
        "balance": _plain(answer.balance),
        "debug": answer.debug,
    }


def _plain(value: object) -> object:
    """Prices as text: a float would not be the price."""
    return str(value) if isinstance(value, Decimal) else value


def in_words(answer: SmsAnswer) -> Iterator[str]:
    """What is printed of it: a line for the whole, and one for each recipient."""
    balance = f", balance {answer.balance}" if answer.balance is not None else ""
    yield f"accepted (code {answer.code}{balance})"
    for message in answer.messages:
        told = {name: _plain(getattr(message, name)) for name in _SHOWN}
        shown = (f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value is not None)
        yield "  " + visible(", ".join(shown))
