"""What the readers of a text share: the caller's rules, and the signal of the fast ones that they do not suffice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Rules(NamedTuple):
    """See :func:`.decoder.decode`; ``keeps_…`` is what it is told to ``"keep"``."""

    max_depth: int
    max_digits: int
    duplicate_keys: str
    parse_float: Callable[[str], Any]
    parse_int: Callable[[str], Any]
    keeps_controls: bool = False
    keeps_surrogates: bool = False


class GiveUp(Exception):
    """The text is not valid, or not for this reader: read it carefully."""
