"""``smswire sms``: one SMS, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from .interrupts import Interrupts
from .options import ACCEPTED, INTERRUPTED, Command, Result, Settings, complain, gateway_options

if TYPE_CHECKING:
    from ..gateway import SmsAnswer

_MAY_HAVE_LEFT = {"yes": "was accepted", "maybe": "may have been sent", "no": "was not sent"}
_SHOWN = ("id", "recipient", "sender", "encoding", "parts", "price", "success", "error", "error_text")


@click.command(cls=Command)
@click.argument("to")
@click.argument("text")
@click.option("--from", "sender", metavar="SENDER", help="What the recipient sees as the sender.")
@gateway_options
@click.pass_obj
def sms(interrupts: Interrupts, /, settings: Settings, to: str, text: str, sender: str | None, **_: object) -> Result:
    """Send TEXT to the recipient TO.

    Exit status: 0 accepted, 1 not accepted or not known to be, 2 wrong usage, 130 interrupted, and then it is said
    whether the SMS may have been sent. That the result cannot be printed does not change it.
    """
    from ..flow.retry import Outcome

    outcome = Outcome()
    with settings.gateway() as gateway:
        try:
            try:
                answer = gateway.sms(to, text, from_=sender, outcome=outcome)
            finally:
                interrupts.end()
        except KeyboardInterrupt:  # not ours, so it cannot say by itself what it interrupted
            complain(f"interrupted; the SMS {_MAY_HAVE_LEFT[outcome.sent.value]}")
            return Result(INTERRUPTED, {"error": "interrupted", "sent": outcome.sent.value})
    return Result(ACCEPTED, _as_json(answer), _in_words(answer))


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


def _in_words(answer: SmsAnswer) -> Iterator[str]:
    balance = f", balance {answer.balance}" if answer.balance is not None else ""
    yield f"accepted (code {answer.code}{balance})"
    for message in answer.messages:
        told = {name: _plain(getattr(message, name)) for name in _SHOWN}
        yield "  " + ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.items() if value is not None)
