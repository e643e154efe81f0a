"""``python -m tests.mutation``: breaks the core in each way of ``mutations`` and shows which test notices.

Each mutation is made in a copy of the project. One that no longer applies is a failure, and so is one that every test
overlooks. With ``--simulation`` the simulator is the judge, which is told nothing of what to look for: 10,000 exchanges
in any weather for each. It sees what breaks a promise, not what is merely done otherwise, so it has to find some, not
all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from .mutations import MUTATIONS, Mutation

ROOT = Path(__file__).parents[2]
PARTS = ("src", "tests", "fuzz", "docs", "pyproject.toml", "README.md")
FAILED = 1  # pytest's status if a test failed


def apply(mutation: Mutation, root: Path) -> str:
    """Changes the file; gives what it was before. Raises ``ValueError`` if the place is not there, or not once."""
    file = root / "src" / "smswire" / mutation.file
    source = file.read_text(encoding="utf-8")
    if source.count(mutation.old) != 1:
        raise ValueError(f"does not apply: the place is there {source.count(mutation.old)} times")
    file.write_text(source.replace(mutation.old, mutation.new), encoding="utf-8")
    return source


def noticed_by(mutation: Mutation, root: Path) -> str | None:
    """The first test that fails, if one does."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutation.tests.split()]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    if ran.returncode != FAILED:
        return None
    summary = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return summary[0].split(" - ")[0].partition(" ")[2] if summary else "a test"


def found_by_simulation(mutation: Mutation, root: Path) -> str | None:
    """After how many exchanges a law was broken, if one was."""
    command = [sys.executable, "-m", "tests.simulation", "--exchanges", "10000", "--seed", "1"]
    environment = os.environ | {"PYTHONPATH": str(root / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    found = re.search(r"after ([\d,]+) exchanges", ran.stdout)
    if found is None:
        return None
    errors = [line for line in ran.stdout.splitlines() if re.match(r"\w*(\.\w+)*(Error|Exception)\b", line)]
    return f"after {found[1]} exchanges: {errors[-1] if errors else 'an error'}"


@click.command()
@click.option("--only", default="", help="Only the mutations whose name holds this.")
@click.option("--simulation", is_flag=True, help="Have the simulator find them instead of the tests.")
def main(only: str, simulation: bool) -> None:
    """Breaks the core in many ways, one after the other, and names the test that notices each."""
    notice = found_by_simulation if simulation else noticed_by
    console = Console(soft_wrap=True)
    chosen = [mutation for mutation in MUTATIONS if only in mutation.name]
    if not chosen:
        raise click.BadParameter("no mutation has that in its name", param_hint="--only")
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, root / part)
        for mutation in chosen:
            try:
                source = apply(mutation, root)
            except ValueError as error:
                missed += 1
                console.print(f"[red]{error}[/red]  {mutation.name}")
                continue
            test = notice(mutation, root)
            (root / "src" / "smswire" / mutation.file).write_text(source, encoding="utf-8")
            missed += test is None
            line = f"caught  {mutation.name}: {test}" if test else f"missed  {mutation.name}"
            console.print(line, style="" if test else "red", markup=False)
    console.print(f"{len(chosen) - missed} of {len(chosen)} caught")
    sys.exit(min(missed, 1))


if __name__ == "__main__":
    main()
