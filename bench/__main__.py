"""``python -m bench NAME``: each bench is a command of its own."""

from __future__ import annotations

import click

from .bulk import bulk
from .codecs import codecs
from .faults import faults
from .footprint import footprint
from .lane import lane
from .latency import latency
from .messages import messages
from .pacing import pacing
from .scale import scale
from .throughput import throughput


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def bench() -> None:
    """Measures smswire on this machine. Only ratios of one run say much on another."""


for command in (codecs, lane, throughput, footprint, latency, messages, bulk, scale, pacing, faults):
    bench.add_command(command)

if __name__ == "__main__":
    bench(prog_name="python -m bench")
