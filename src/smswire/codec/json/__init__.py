"""JSON, RFC 8259: ``decode`` reads exactly what the grammar allows, ``encode`` writes nothing else.

Neither recurses: nesting is bounded by ``max_depth`` and never by the interpreter's stack. What the RFC leaves to the
reader is refused where two readers could see different things: a key that appears twice, a lone surrogate, a number
too large for a float, a byte order mark.

``decoder`` judges input and limits; ``swift`` and ``dense`` read valid text fast, text that is mostly strings and text
that is mostly anything else, and give up on the rest; ``careful`` reads any text, and says where and why it is at
fault. ``encoder`` writes.
"""

from .decoder import MAX_BYTES, MAX_DEPTH, decode
from .encoder import encode
from .number import MAX_DIGITS

__all__ = ["MAX_BYTES", "MAX_DEPTH", "MAX_DIGITS", "decode", "encode"]
