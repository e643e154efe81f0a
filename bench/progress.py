"""A bar on stderr, so that figures can be piped away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(steps: int) -> Iterator[Callable[[str], None]]:
    """Hands out a function to call at the start of each step, with its name."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=steps)
        started = 0

        def advance(name: str) -> None:
            nonlocal started
            progress.update(task, completed=started, description=name)
            started += 1

        yield advance
