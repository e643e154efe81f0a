"""The reader of bulk files, given a whole file at once."""

from __future__ import annotations

from collections.abc import Collection

from smswire.cli.table import Row, check, rows


def read(data: bytes, columns: Collection[str]) -> list[Row]:
    """Its rows, or one error with everything that is wrong with it."""
    found = list(rows([data], columns))
    check(found)
    return found
