"""``smswire balance``: the account's credit."""

from __future__ import annotations

import click

from .options import ACCEPTED, Command, Result, Settings, gateway_options


@click.command(cls=Command)
@gateway_options
def balance(settings: Settings, **_: object) -> Result:
    """Show the account's credit."""
    with settings.gateway() as gateway:
        credit = gateway.balance()
    words = " ".join(filter(None, (str(credit.amount), credit.currency)))
    as_json = {"amount": str(credit.amount), "currency": credit.currency}
    return Result(ACCEPTED, as_json, [words], is_all=True)
