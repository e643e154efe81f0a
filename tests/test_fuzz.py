"""The fuzz targets hold on their seeds, so that they do not rot between two runs; atheris is not needed for that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzz import TARGETS

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_holds_on_its_seeds(name: str) -> None:
    """Each seed, and each token alone."""
    for data in TARGETS[name].SEEDS + TARGETS[name].TOKENS:
        TARGETS[name].check(data)


@pytest.mark.parametrize("name", TARGETS)
@given(st.data())
def test_a_target_holds_on_tokens_in_a_row(name: str, data: st.DataObject) -> None:
    """Tokens, seeds and noise, drawn without a look at what they cover."""
    parts = st.sampled_from(TARGETS[name].TOKENS) | st.sampled_from(TARGETS[name].SEEDS) | st.binary(max_size=3)
    TARGETS[name].check(b"".join(data.draw(st.lists(parts, max_size=8))))


@pytest.mark.parametrize("name", TARGETS)
def test_a_targets_first_line_is_its_invariant(name: str) -> None:
    """A sentence about what holds, on the first line of the file."""
    first = (ROOT / "fuzz" / f"{name}.py").read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith('"""')
    assert first.removesuffix('"""').endswith(".")


def test_the_command_says_which_targets_there_are() -> None:
    """``--help`` needs nothing installed."""
    ran = subprocess.run([sys.executable, "-m", "fuzz", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0
    assert all(name in ran.stdout for name in TARGETS)
