"""``python -m tests.exhaustive``: walks every order of what may happen to a pacing rule and to a pool, and counts.

Each walk goes as deep as ``walks`` says, which takes a minute or two in all, or as ``--depth`` says. The first
violation ends it, and prints a shortest way there.
"""

from __future__ import annotations

import sys

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
    console.print(f"{'walk':38}{'states':>10}{'transitions':>13}{'depth':>7}{'seconds':>9}")
    done: list[Walked] = []
    for walk in WALKS:
        if only not in walk.name:
            continue
        try:
            walked = walk.go(walk.depth if depth is None else depth)
        except Violation as violation:
            console.print(violation, style="red", markup=False, highlight=False)
            sys.exit(1)
        done.append(walked)
        console.print(line(walked), highlight=False)
    states, transitions = sum(one.states for one in done), sum(one.transitions for one in done)
    console.print(f"no violation in {states:,} states and {transitions:,} transitions", highlight=False)


def line(walked: Walked) -> str:
    """One walk's figures; whether it came to the end of its space."""
    figures = f"{walked.states:>10,}{walked.transitions:>13,}{walked.depth:>7}{walked.seconds:>9.1f}"
    return f"{walked.name:38}{figures}  {'whole' if walked.is_whole else 'cut there'}"


if __name__ == "__main__":
    main()
