"""``smswire demo``: the main job before your eyes, judged from outside.

A file of messages goes by the code of ``smswire bulk`` to a sandbox in a process of its own, over TLS. Then what the
sandbox received is compared with the file, each text and recipient byte for byte, and its record of connections with
the gateway's limit. Without pacing the limit is broken, which shows that the check can fail.
"""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from .interrupts import Interrupts
from .options import (
    ACCEPTED,
    NOT_ALL_ACCEPTED,
    Command,
    Result,
    Settings,
    complain,
    connections_option,
    json_option,
)
from .trial import MAX_MESSAGES, Sent, judge, messages, peak, table

if TYPE_CHECKING:
    from .delivery import Delivery
    from .report import Line
    from .sandboxed import RunningSandbox

_LIMIT = 50  # connections in any second, as the gateway documents it


class _Figures(NamedTuple):
    """The figures of one run, by the names they have in ``--json``."""

    messages: int
    accepted: int
    not_sent: int
    maybe_sent: int
    calls: int
    connections_opened: int
    connections_refused: int
    peak_connections_per_second: int
    lost: int
    duplicated: int
    altered: int
    misreported: int
    seconds: float
    messages_per_second: float

    def is_faithful(self) -> bool:
        """Every message arrived once and unaltered, or was reported as not sent and did not arrive."""
        return not (self.lost or self.duplicated or self.altered or self.misreported)

    def is_within_limit(self) -> bool:
        return self.peak_connections_per_second <= _LIMIT


@click.command(cls=Command)
@click.option("--messages", "count", type=click.IntRange(1, MAX_MESSAGES), default=20_000, show_default=True)
@connections_option
@click.option(
    "--no-pacing",
    is_flag=True,
    help="Open connections without regard to the limit; with more --connections than 50 that shows.",
)
@click.option("--chunked", is_flag=True, help="Let the sandbox answer in chunks, without a length.")
@json_option
@click.pass_obj
def demo(
    interrupts: Interrupts, /, count: int, connections: int, no_pacing: bool, chunked: bool, **_: object
) -> Result:
    """Send a file of awkward messages to a sandbox on this machine, and check every byte that arrived.

    Exit status: 0 every message was accepted once and unaltered, and no second saw more than 50 connections; 1 not so;
    130 interrupted. With --no-pacing and more than 50 connections some messages may be refused for it: then 0
    means that every message arrived once and unaltered or was reported as not sent.
    """
    from .sandboxed import SandboxError

    try:
        delivery, figures = _run(count, connections, interrupts, is_paced=not no_pacing, is_chunked=chunked)
    except SandboxError as error:
        complain(str(error))
        return Result(NOT_ALL_ACCEPTED, {"error": str(error)})
    _show_failures(delivery)
    is_well = figures.is_faithful() and (
        no_pacing or (figures.is_within_limit() and figures.accepted == figures.messages)
    )
    status = ACCEPTED if is_well else NOT_ALL_ACCEPTED
    return Result(status, figures._asdict(), _in_words(figures, is_paced=not no_pacing))


def _run(
    count: int, connections: int, interrupts: Interrupts, *, is_paced: bool, is_chunked: bool
) -> tuple[Delivery, _Figures]:
    from ..net.pacers import Pacer
    from .sandboxed import running_sandbox
    from .sending import send_file

    sent = messages(count)
    options = ["--chunked"] if is_chunked else []
    pacer = None if is_paced else Pacer(limit=10**6, spacing=0.0)
    with (
        tempfile.TemporaryDirectory(prefix="smswire-demo-") as folder,
        running_sandbox(secrets.token_hex(16), interrupts, *options) as sandbox,
    ):
        file = Path(folder, "messages.csv")
        file.write_bytes(table(sent))
        settings = Settings(sandbox.api_key, sandbox.url, sandbox.ca_file, connections)
        not_sent: set[str] = set()

        def note(line: Line) -> None:
            if line.sent == "no":
                not_sent.add(line.to)

        delivery = send_file(file, settings, interrupts, pacer=pacer, on_line=note)
        if delivery.interrupted:
            raise KeyboardInterrupt
        return delivery, _measure(sent, delivery, not_sent, sandbox)


def _measure(sent: list[Sent], delivery: Delivery, not_sent: set[str], sandbox: RunningSandbox) -> _Figures:
    received = [Sent(entry["to"], entry["text"]) for entry in sandbox.saw("messages")]
    accepts = sandbox.saw("accepts")
    opened = sum(bool(entry["admitted"]) for entry in accepts)
    account = delivery.as_json()
    return _Figures(
        messages=len(sent),
        accepted=account["accepted"],
        not_sent=account["not_sent"],
        maybe_sent=account["maybe_sent"],
        calls=len(sandbox.saw("calls")),
        connections_opened=opened,
        connections_refused=len(accepts) - opened,
        peak_connections_per_second=peak(entry["time"] for entry in accepts),
        **judge(sent, received, not_sent)._asdict(),
        seconds=round(delivery.seconds, 3),
        messages_per_second=round(account["accepted"] / delivery.seconds, 1) if delivery.seconds else 0.0,
    )


def _show_failures(delivery: Delivery) -> None:
    from .bulk import failures

    for sentence in failures(delivery):
        complain(sentence)


def _in_words(figures: _Figures, *, is_paced: bool) -> Iterator[str]:
    """The figures, and what they come to."""
    yield f"{figures.messages:,} messages from a CSV file, over TLS, to a sandbox in a process of its own"
    rows = (
        ("accepted", f"{figures.accepted:,}"),
        ("calls", f"{figures.calls:,}"),
        ("connections opened", f"{figures.connections_opened:,}, refused {figures.connections_refused:,}"),
        ("most in any second", f"{figures.peak_connections_per_second:,} (the gateway's limit is {_LIMIT})"),
        ("time", f"{figures.seconds:.1f} s, {figures.messages_per_second:,.0f} messages a second"),
    )
    for name, figure in rows:
        yield f"  {name:<20} {figure}"
    if figures.not_sent or figures.maybe_sent:
        yield f"{figures.not_sent:,} were reported as not sent, {figures.maybe_sent:,} as perhaps sent"
    if figures.is_faithful():
        yield "nothing lost, nothing twice, nothing altered"
    else:
        yield (
            f"lost: {figures.lost:,}, twice: {figures.duplicated:,}, altered: {figures.altered:,}, "
            f"reported as not sent and yet received: {figures.misreported:,}"
        )
    if not is_paced:
        state = "within" if figures.is_within_limit() else "over"
        yield f"pacing was off: {figures.peak_connections_per_second:,} connections in one second, {state} the limit"
