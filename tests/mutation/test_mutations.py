"""The mutations apply to the core as it stands; whether each is noticed is told by ``python -m tests.mutation``."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .__main__ import ROOT, apply
from .mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_mutation_applies(mutation: Mutation, tmp_path: Path) -> None:
    """Its place is there, once; and its tests exist."""
    place = tmp_path / "src" / "smswire" / mutation.file
    place.parent.mkdir(parents=True)
    shutil.copy2(ROOT / "src" / "smswire" / mutation.file, place)
    before = apply(mutation, tmp_path)
    assert place.read_text(encoding="utf-8") != before
    for test in mutation.tests.split():
        assert (ROOT / test).exists()


def test_a_mutation_that_does_not_apply_is_refused(tmp_path: Path) -> None:
    """Text that moved on must not pass for caught."""
    (tmp_path / "src" / "smswire").mkdir(parents=True)
    (tmp_path / "src" / "smswire" / "a.py").write_text("x = 1\nx = 1\n")
    for old in ("x = 2", "x = 1"):
        with pytest.raises(ValueError, match="does not apply"):
            apply(Mutation("", "a.py", old, "x = 3", ""), tmp_path)
