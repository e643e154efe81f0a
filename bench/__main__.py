"""``python -m bench NAME``: each bench is a command of its own."""

from __future__ import annotations

import click

from .codecs import codecs
from .lane import lane


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measures smswire on this machine. Only ratios of one run say much on another."""


bench.add_command(codecs)
bench.add_command(lane)

if __name__ == "__main__":
    bench(prog_name="python -m bench")
