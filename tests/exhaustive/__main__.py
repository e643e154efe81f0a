"""``python -m tests.exhaustive``: walks every order of what may happen to a pacing rule and to a pool, and counts.

Each walk has a process of its own, and goes as deep as ``walks`` says, or as ``--depth`` says; with two cores all of
them take a minute or two. The first violation ends it, and prints a shortest way there.
"""

from __future__ import annotations

import signal
import sys
from functools import partial
from multiprocessing import Pool

import click
from rich.console import Console

from .walk import Violation, Walked
from .walks import WALKS


@click.command()
@click.option("--depth", type=click.IntRange(min=0), help="The most operations in a row, for every walk.")
@click.option("--only", default="", help="Only the walks whose name holds this.")
def main(depth: int | None, only: str) -> None:
    """Walks every order of operations on the pacing rule and the pool, and says how many states there are."""
    console = Console(soft_wrap=True)
    chosen = [place for place, walk in enumerate(WALKS) if only in walk.name]
    if not chosen:
        raise click.BadParameter("no walk has that in its name", param_hint="--only")
    console.print(f"{'walk':38}{'states':>10}{'transitions':>13}{'depth':>7}{'CPU s':>9}")
    done: list[Walked] = []
    # An interrupt is the parent's to hear, and its pool ends the others.
    with Pool(initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_IGN)) as processes:
        try:
            for walked in processes.imap(partial(go, depth=depth), chosen):
                done.append(walked)
                console.print(line(walked), highlight=False)
        except Violation as violation:
            console.print(violation, style="red", markup=False, highlight=False)
            sys.exit(1)
    states, transitions = sum(one.states for one in done), sum(one.transitions for one in done)
    console.print(f"no violation in {states:,} states and {transitions:,} transitions", highlight=False)


def go(place: int, depth: int | None) -> Walked:
    """One walk, in a process of its own."""
    walk = WALKS[place]
    return walk.go(walk.depth if depth is None else depth)


def line(walked: Walked) -> str:
    """One walk's figures; whether it came to the end of its space."""
    figures = f"{walked.states:>10,}{walked.transitions:>13,}{walked.depth:>7}{walked.seconds:>9.1f}"
    return f"{walked.name:38}{figures}  {'whole' if walked.is_whole else 'cut there'}"


if __name__ == "__main__":
    main()
