"""``smswire sms``: one SMS, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click

from .options import INTERRUPTED, Command, Settings, complain, gateway_options, print_json

if TYPE_CHECKING:
    from ..gateway import SmsAnswer

_MAY_HAVE_LEFT = {"yes": "was accepted", "maybe": "may have been sent", "no": "was not sent"}
_SHOWN = ("id", "recipient", "sender", "encoding", "parts", "price", "success", "error", "error_text")


@click.command(cls=Command)
@click.argument("to")
@click.argument("text")
@click.option("--from", "sender", metavar="SENDER", help="What the recipient sees as the sender.")
@gateway_options
@click.pass_context
def sms(ctx: click.Context, settings: Settings, to: str, text: str, sender: str | None, as_json: bool) -> None:
    """Send TEXT to the recipient TO.

    Exit status: 0 accepted, 1 not accepted or not known to be, 2 wrong usage, 130 interrupted.
    """
    from ..flow.retry import Outcome

    outcome = Outcome()
    try:
        with settings.gateway() as gateway:
            answer = gateway.sms(to, text, from_=sender, outcome=outcome)
    except KeyboardInterrupt:  # not ours, so it cannot say by itself what it interrupted
        if as_json:
            print_json({"error": "interrupted", "sent": outcome.sent.value})
        complain(f"interrupted; the SMS {_MAY_HAVE_LEFT[outcome.sent.value]}")
        ctx.exit(INTERRUPTED)
    if as_json:
        print_json(_as_json(answer))
    else:
        click.echo("\n".join(_in_words(answer)))


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
