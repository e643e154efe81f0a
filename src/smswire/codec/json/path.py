"""Where in a value: ``$.messages[3].price``, ``$["two words"]``."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# A key comes from the far end, and a path stands in messages and logs.
_MAX_SHOWN = 40

# And a value may be nested a million deep: this many steps are shown at either end.
_MAX_STEPS = 16


def write_path(steps: Iterable[str | int]) -> str:
    """The path to the value that these keys and indexes lead to, fit for a message: long keys and paths are cut.

    >>> write_path(["messages", 3, "price", "in euro"])
    '$.messages[3].price["in euro"]'
    """
    written = [f"[{step}]" if isinstance(step, int) else _write_key(step) for step in steps]
    if len(written) > 2 * _MAX_STEPS:
        written[_MAX_STEPS:-_MAX_STEPS] = ["…"]
    return "$" + "".join(written)


def _write_key(key: str) -> str:
    shown = key if len(key) <= _MAX_SHOWN else f"{key[: _MAX_SHOWN - 1]}…"
    if _IDENTIFIER.fullmatch(shown):
        return f".{shown}"
    shown = shown.replace("\\", "\\\\").replace('"', '\\"')
    if not shown.isprintable():
        shown = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
    return f'["{shown}"]'
