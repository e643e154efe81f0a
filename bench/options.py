"""Options that all benches have."""

from __future__ import annotations

from pathlib import Path

import click

quickly = click.option("--quick", is_flag=True, help="Few and short rounds: to see that it works.")
json_file = click.option(
    "--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures to a file."
)
