"""JSON, RFC 8259: ``decode`` reads exactly what the grammar allows, ``encode`` writes nothing else.

Neither recurses: nesting is bounded by ``max_depth`` and never by the interpreter's stack. What the RFC leaves to the
reader is refused where two readers could see different things: a key that appears twice, a lone surrogate, a number
too large for a float, a byte order mark.

Both load when they are first used: reading compiles a dozen patterns, and many programs that start send nothing.

``decoder`` judges input and limits; ``swift`` and ``dense`` read valid text fast, text that is mostly strings and text
that is mostly anything else, and give up on the rest; ``careful`` reads any text, and says where and why it is at
fault. ``encoder`` writes.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .decoder import MAX_BYTES, MAX_DEPTH, decode
    from .encoder import encode
    from .number import MAX_DIGITS

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_DIGITS", "decode", "encode"]

_HOME = {
    "MAX_BYTES": ".decoder",
    "MAX_DEPTH": ".decoder",
    "MAX_DIGITS": ".number",
    "decode": ".decoder",
    "encode": ".encoder",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
