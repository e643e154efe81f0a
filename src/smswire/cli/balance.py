"""``smswire balance``: the account's credit."""

from __future__ import annotations

import click

from .options import Command, Settings, gateway_options, print_json


@click.command(cls=Command)
@gateway_options
def balance(settings: Settings, as_json: bool) -> None:
    """Show the account's credit."""
    with settings.gateway() as gateway:
        credit = gateway.balance()
    if as_json:
        print_json({"amount": str(credit.amount), "currency": credit.currency})
    else:
        click.echo(" ".join(filter(None, (str(credit.amount), credit.currency))))
