"""The group of commands. A command's module is loaded when the command is used, so that none waits for another's."""

from __future__ import annotations

import importlib

import click

_COMMANDS = ("sms", "bulk", "balance", "sandbox", "demo")


class _Commands(click.Group):
    """Finds the command ``name`` in the module of the same name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        command = getattr(importlib.import_module(f".{name}", __package__), name)
        assert isinstance(command, click.Command)
        return command


def _show_version(ctx: click.Context, option: click.Parameter, is_wanted: bool) -> None:
    if is_wanted:
        from .. import __version__

        click.echo(f"smswire {__version__}")
        ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
def app() -> None:
    """Send SMS through the gateway seven.io (once sms77.io), or through a sandbox of it on this machine."""


def run(told: list[int]) -> int:
    """Runs the command of this process's arguments, and gives its exit status.

    Args:
        told: gets that status as soon as the command has told what it came to.

    Raises:
        KeyboardInterrupt: before the command has begun, or when it has told: in between it handles them by itself.
    """
    status: int
    try:
        status = app(prog_name="smswire", standalone_mode=False, obj=told)
    except click.ClickException as error:
        error.show()
        status = error.exit_code
    except click.Abort:  # what click makes of it
        raise KeyboardInterrupt from None
    return status
