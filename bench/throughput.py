"""``python -m bench throughput``: CPU per request and requests per second, ours and what users would pick instead."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from rich.table import Table

from . import machine, nginx
from .goals import GOALS
from .job import KEEPALIVE_REQUESTS, Task
from .peers import MANY, PEERS, SEQUENTIAL, THREADS, of_mode
from .processes import Report, run
from .progress import bar
from .ratios import Row, paired, row, write_rows
from .report import console, no_results, say
from .rounds import Contender, Runs, collect

CONNECTIONS: Final = {SEQUENTIAL: 1, THREADS: 50, MANY: 50}
ANSWERS: Final = ("length", "chunked")


@dataclass(frozen=True)
class Plan:
    """How often, and how long each time."""

    rounds: int
    seconds: float


FULL: Final = Plan(rounds=9, seconds=1.0)
QUICK: Final = Plan(rounds=3, seconds=0.3)


def groups(only: str = "") -> list[list[Contender]]:
    """One for each mode and answer; a peer in it is compared with ours in it."""
    modes = [of_mode(mode) for mode in CONNECTIONS]
    chosen = [[key for key, peer in peers.items() if peer.is_ours or only in key] for peers in modes]
    return [
        [(key, answer) for key in keys] for keys in chosen if any(only in key for key in keys) for answer in ANSWERS
    ]


def measure(
    server: nginx.Server, chosen: list[list[Contender]], plan: Plan, core: int
) -> tuple[dict[Contender, Runs], machine.LoadWatch]:
    watch = machine.LoadWatch()
    with bar(plan.rounds * sum(map(len, chosen))) as advance:

        def one(contender: Contender, number: int) -> Report:
            key, answer = contender
            advance(f"{key}, {answer}")
            task = Task(
                key,
                server.ports[str(answer)],
                server.ca_file,
                connections=CONNECTIONS[PEERS[key].mode],
                seconds=plan.seconds,
                seed=number,
                core=core,
            )
            return run(task, server.counts)

        return collect(chosen, plan.rounds, one, watch), watch


def rows_of(runs: dict[Contender, Runs]) -> list[Row]:
    """Each of ours against each peer of its mode and answer."""
    rows = []
    for (key, answer), ours in runs.items():
        if not PEERS[key].is_ours:
            continue
        mine = PEERS[key]
        for (other, other_answer), theirs in runs.items():
            peer = PEERS[other]
            if peer.is_ours or peer.mode != mine.mode or other_answer != answer:
                continue
            goal = GOALS.get((mine.mode, mine.lane, peer.name, str(answer)))
            cpu, their_cpu = ours.figures("cpu_us"), theirs.figures("cpu_us")
            ratio = paired(cpu, their_cpu) if cpu and their_cpu else None
            rows.append(row(mine.mode, peer.name, str(answer), mine.lane, ratio, goal))
    return rows


def cost_table(runs: dict[Contender, Runs], mode: str) -> Table:
    """What each client costs, the two kinds of answer side by side."""
    table = Table(title=f"{mode}: CPU per request (user and system) and requests per second, medians")
    table.add_column("client")
    for heading in ("version", "length µs", "chunked µs", "length /s", "chunked /s"):
        table.add_column(heading, justify="right")
    for key, peer in of_mode(mode).items():
        mine = [runs.get((key, answer)) for answer in ANSWERS]
        if not any(mine):
            continue
        cells = [
            *(_figure(each, "cpu_us", "{:,.1f}") for each in mine),
            *(_figure(each, "per_second", "{:,.0f}") for each in mine),
        ]
        name = f"[bold]{peer.name}, lane {peer.lane}[/bold]" if peer.is_ours else peer.name
        table.add_row(name, machine.installed_version(peer.package or "-") or "", *cells)
    return table


def _figure(runs: Runs | None, name: str, form: str) -> str:
    value = None if runs is None else runs.median(name)
    if value is not None:
        return form.format(value)
    failure = None if runs is None else runs.failure
    if failure is None:
        return ""
    return "not there yet" if failure.is_not_there_yet else "failed"


def ratio_table(rows: list[Row], mode: str) -> Table:
    table = Table(title=f"{mode}: our CPU per request divided by the peer's, median of paired rounds (p10 to p90)")
    for heading in ("peer", "answer", "lane"):
        table.add_column(heading)
    for heading in ("ratio", "p10", "p90", "goal"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for each in rows:
        if each.mode != mode or each.ratio is None:
            continue
        figures = [f"{figure:.2f}" for figure in (each.ratio, each.p10, each.p90) if figure is not None]
        goal = "" if each.goal is None else f"≤ {each.goal:g}"
        verdict = "" if each.goal is None else "ok" if each.ok else "[bold]more[/bold]"
        table.add_row(each.peer, each.answer, each.lane, *figures, goal, verdict)
    return table


@click.command()
@click.option(
    "--quick", is_flag=True, help=f"{QUICK.rounds} short rounds instead of {FULL.rounds}: to see that it works."
)
@click.option("--rounds", type=click.IntRange(1), help="Rounds to run instead.")
@click.option("--only", default="", help="Only the peers whose mode and name hold this, such as '50-way aio'.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the ratios to a file.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), help="Draw the ratios into a file.")
def throughput(quick: bool, rounds: int | None, only: str, path: Path | None, svg: Path | None) -> None:
    """CPU per request against other clients: sequential, 50-way and 50 threads."""
    plan = QUICK if quick else FULL
    plan = Plan(rounds or plan.rounds, plan.seconds)
    server_core, client_core = machine.cores()
    with nginx.running(server_core) as server:
        runs, watch = measure(server, groups(only), plan, client_core)
        about = (
            f"nginx {server.version}, TLS, one worker on core {server_core}, clients on core {client_core}, "
            f"keepalive_requests {KEEPALIVE_REQUESTS:,}; {plan.rounds} rounds of about {plan.seconds:g} s a client."
        )
    rows = rows_of(runs)
    for mode in CONNECTIONS:
        if any(PEERS[key].mode == mode for key, _ in runs):
            console().print(cost_table(runs, mode))
        if any(each.mode == mode and each.ratio is not None for each in rows):
            console().print(ratio_table(rows, mode))
    say(machine.describe(), about)
    say(*no_results(runs))
    if client_core == server_core:
        say("There is only one core: the server's work is in the way of the clients', and nothing here is a result.")
    say(watch.warning())
    if path is not None:
        write_rows(rows, path)
    if svg is not None:
        from .charts import ratios

        ratios(rows, svg)
