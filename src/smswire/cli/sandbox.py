"""``smswire sandbox``: the gateway on loopback, as a process, until it is interrupted."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from pathlib import Path
from queue import SimpleQueue

import click

from ..sandbox import Sandbox
from .options import print_json

DEFAULT_KEY = "sandbox-key"
PORT = click.IntRange(0, 65_535)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=PORT, default=0, help="Port for TLS; 0 lets the system choose.")
@click.option("--plain", is_flag=True, help="Listen with plain http as well.")
@click.option("--plain-port", type=PORT, help="Port for plain http; implies --plain.")
@click.option(
    "--inspection-port", type=PORT, default=0, help="Port for what the sandbox saw; 0 lets the system choose."
)
@click.option("--host-name", "host_names", multiple=True, help="A further name for the certificate (repeatable).")
@click.option("--ca-file", type=click.Path(dir_okay=False), help="Where to write the authority's certificate (PEM).")
@click.option("--api-key-file", type=click.Path(exists=True, dir_okay=False), help="API keys, one a line.")
@click.option("--whitelist", help="Addresses, networks and host names that may use the keys, with commas between.")
@click.option("--chunked", is_flag=True, help="Answer with chunked coding instead of Content-Length.")
@click.option(
    "--delay", type=click.FloatRange(min=0), default=0.0, metavar="SECONDS", help="Wait so long before each answer."
)
@click.option("--until-stdin-ends", is_flag=True, help="End when standard input does: with the program at its far end.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def sandbox(
    host: str,
    port: int,
    plain: bool,
    plain_port: int | None,
    inspection_port: int,
    host_names: tuple[str, ...],
    ca_file: str | None,
    api_key_file: str | None,
    whitelist: str | None,
    chunked: bool,
    delay: float,
    until_stdin_ends: bool,
    as_json: bool,
) -> None:
    """Run the gateway on loopback until Ctrl-C.

    The API keys are those of --api-key-file, or the one in SMSWIRE_API_KEY, or "sandbox-key".
    """
    # Of the queues and events the one whose ``put`` may be interrupted by itself: signals come in bursts.
    stop: SimpleQueue[None] = SimpleQueue()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.put(None))
    if until_stdin_ends:
        threading.Thread(target=_stop_with_stdin, args=(stop,), daemon=True).start()
    try:
        server = Sandbox(
            dict.fromkeys(_keys(api_key_file), whitelist),
            host=host,
            port=port,
            plain=plain or plain_port is not None,
            plain_port=plain_port or 0,
            inspection_port=inspection_port,
            host_names=host_names,
            ca_file=ca_file,
            chunked=chunked,
            delay=delay,
        ).start()
    except (ValueError, ImportError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        what = error.strerror or str(error)
        raise click.ClickException(f"{error.filename}: {what}" if error.filename else what) from error
    try:
        _announce(server, as_json)
        stop.get()
    finally:
        server.close()


def _stop_with_stdin(stop: SimpleQueue[None]) -> None:
    """Reads the descriptor itself: a daemon thread in ``sys.stdin`` would hold its lock when the process ends."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    stop.put(None)


def _keys(file: str | None) -> list[str]:
    if file is not None:
        return [line.strip() for line in Path(file).read_text(encoding="utf-8").splitlines() if line.strip()]
    return [os.environ.get("SMSWIRE_API_KEY") or DEFAULT_KEY]


def _announce(server: Sandbox, as_json: bool) -> None:
    places = {
        "url": server.url,
        "plain_url": server.plain_url,
        "inspection_url": server.inspection_url,
        "ca_file": server.ca_file,
    }
    if as_json:
        print_json(places)
    else:
        for name, place in places.items():
            if place is not None:
                click.echo(f"{name.replace('_', ' '):17}{place}")
        click.echo("Ctrl-C ends it.")
