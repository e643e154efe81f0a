"""What the commands share: the options that say which gateway and how, and how a command ends.

A command gives a ``Result`` and prints none of it: what goes wrong in printing is no error of the call, and cannot be
taken for one.

The API key comes from the environment or a file, never from an argument, which every user of the machine could read
in the list of processes. It is never printed.

A command's results go to stdout and everything else to stderr. With ``--json`` the last line on stdout is one JSON
object, in ASCII, so that no terminal or pipe can spoil it.
"""

from __future__ import annotations

import codecs
import functools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from .interrupts import Interrupts
from .streams import stdout_loss

if TYPE_CHECKING:
    from ..gateway import Gateway
    from ..net.pacers import Pacer

KEY_VARIABLE = "SMSWIRE_API_KEY"
ACCEPTED, NOT_ALL_ACCEPTED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


@dataclass(frozen=True, slots=True)
class Settings:
    """Which gateway, and how to reach it; the key is not in the repr.

    Attributes:
        base_url, auth, send_as, timeout: as ``Gateway`` has them, or None for its default.
        trust: file with the certificates to trust, or None for the usual ones.
        connections: how many connections there may be at once.
        api_key_file: where the key was read from, if from a file.
    """

    api_key: str = field(repr=False)
    base_url: str | None = None
    trust: str | None = None
    connections: int = 50
    auth: str | None = None
    send_as: str | None = None
    timeout: float | None = None
    api_key_file: Path | None = None

    def gateway(self, *, pacer: Pacer | None = None) -> Gateway:
        """A gateway as set.

        Raises:
            ConfigurationError: something set cannot work.
        """
        from ..gateway import Gateway

        names = ("base_url", "auth", "send_as", "timeout")
        chosen = {"pacer": pacer} | {name: getattr(self, name) for name in names}
        given: dict[str, Any] = {name: value for name, value in chosen.items() if value is not None}
        return Gateway(self.api_key, trust=self.trust, max_connections=self.connections, **given)


connections_option = click.option(
    "--connections", type=click.IntRange(1), default=50, show_default=True, help="Connections open at once, at most."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One line of JSON, last on stdout.")


class Result(NamedTuple):
    """What a command came to.

    Attributes:
        status: the exit status.
        as_json: what ``--json`` prints.
        words: the lines printed without it.
        is_all: there is nothing to it but what is printed, so that a failed print is a failure.
    """

    status: int
    as_json: Mapping[str, Any]
    words: Iterable[str] = ()
    is_all: bool = False


def gateway_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Adds the options of every command that speaks to a gateway; ``command`` gets them as its first argument."""

    @click.option("--base-url", metavar="URL", help="Where the gateway is, e.g. https://127.0.0.1:8443/api.")
    @click.option(
        "--trust",
        type=click.Path(exists=True, dir_okay=False),
        metavar="FILE",
        help="Certificates to trust in place of the usual ones (PEM).",
    )
    @click.option(
        "--api-key-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        metavar="FILE",
        help=f"File that holds the API key; without it the key is read from {KEY_VARIABLE}.",
    )
    @click.option("--auth", type=click.Choice(["basic", "x_api_key", "bearer", "p"]), help="How to show the key.")
    @click.option("--send-as", type=click.Choice(["form", "json", "query"]), help="How to write the parameters.")
    @click.option(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="What a call may take, waiting for a connection included.",
        show_default="30",
    )
    @connections_option
    @json_option
    @functools.wraps(command)
    def with_settings(
        base_url: str | None,
        trust: str | None,
        api_key_file: Path | None,
        auth: str | None,
        send_as: str | None,
        timeout: float | None,
        connections: int,
        **rest: Any,
    ) -> Result:
        key = _api_key(api_key_file)
        settings = Settings(
            key,
            base_url=base_url,
            trust=trust,
            connections=connections,
            auth=auth,
            send_as=send_as,
            timeout=timeout,
            api_key_file=api_key_file,
        )
        return command(settings, **rest)

    return with_settings


def _api_key(file: Path | None) -> str:
    if file is None:
        key, place = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
    else:
        try:
            key, place = file.read_bytes().removeprefix(codecs.BOM_UTF8).decode("ascii"), str(file)
        except (OSError, UnicodeDecodeError):  # neither message may show what the file holds
            raise click.UsageError(f"no API key can be read from {file}") from None
    if not key.strip():
        raise click.UsageError(
            f"no API key in {place}" if file else f"no API key: set {KEY_VARIABLE} or give --api-key-file"
        )
    return key.strip()


class Command(click.Command):
    """A command that ends in one sentence on stderr and an exit status, whatever it raised of ours.

    Its function returns a ``Result``, and finds in ``ctx.obj`` the ``Interrupts`` that are in force around it. The list
    that stands there before gets the exit status when the result is told.
    """

    def invoke(self, ctx: click.Context) -> Any:
        told: list[int] = ctx.obj if ctx.obj is not None else []
        with Interrupts() as interrupts:
            ctx.obj = interrupts
            result = self._result(ctx, interrupts)
            if ctx.params.get("as_json"):
                print_json(result.as_json)
            elif words := "\n".join(result.words):
                click.echo(words)
            told.append(NOT_ALL_ACCEPTED if result.is_all and stdout_loss() else result.status)
        ctx.exit(told[0])

    def _result(self, ctx: click.Context, interrupts: Interrupts) -> Result:
        from ..errors import ConfigurationError, InvalidRequest, SmswireError

        try:
            result: Result = super().invoke(ctx)
            interrupts.end()
        except SmswireError as error:
            interrupts.end()
            complain(str(error))
            status = WRONG_USAGE if isinstance(error, ConfigurationError | InvalidRequest) else NOT_ALL_ACCEPTED
            return Result(status, {"error": str(error), "sent": error.sent.value, "code": getattr(error, "code", None)})
        except KeyboardInterrupt:  # a command that sends says by itself what it interrupted
            complain("interrupted")
            return Result(INTERRUPTED, {"error": "interrupted"})
        return result


def print_json(answer: Mapping[str, Any]) -> None:
    """One JSON object as one line of ASCII on stdout."""
    from ..codec import json

    click.echo(json.encode(_as_text(answer), ascii_only=True))


def _as_text(value: Any) -> Any:
    """The value with every string in it made text: names of files need not be, and JSON carries nothing else."""
    if isinstance(value, str):
        try:
            return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        except UnicodeEncodeError:  # a lone surrogate that stands for no byte
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_as_text(name): _as_text(member) for name, member in value.items()}
    return [_as_text(member) for member in value] if isinstance(value, list | tuple) else value


def complain(sentence: str) -> None:
    """A sentence on stderr, or several lines."""
    click.echo("\n".join(map(visible, f"smswire: {sentence}".split("\n"))), err=True)


def visible(text: str) -> str:
    """A text of somebody else's, for a terminal: what would steer it, or begin a new line, is shown as an escape."""
    return "".join([character if character.isprintable() else ascii(character)[1:-1] for character in text])
