"""What the tests of JSON read and write: values, their texts in many styles, and texts that are nearly JSON."""

from __future__ import annotations

import json
from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from smswire.codec import json as json_codec
from smswire.codec.json import dense, swift
from smswire.codec.json.rules import Rules
from smswire.codec.json.strings import cut

STRINGS = st.text() | st.text('"\\/\b\f\n\r\t\x00\x1f\x7f\u2028😀aé', max_size=6)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers() | st.integers(-5, 5) | FLOATS | STRINGS
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(STRINGS, inner, max_size=4), max_leaves=12
)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A valid text without repeated keys, as the standard library writes it in one of its styles."""
    return json.dumps(
        draw(VALUES),
        ensure_ascii=draw(st.booleans()),
        indent=draw(st.sampled_from([None, 0, 2])),
        separators=draw(st.sampled_from([None, (",", ":"), (" ,\t", "\r\n: ")])),
    )


WORDS = ["true", "null", '"a"', '"a":', "\\u00e9", "\\ud83d", "\\ude00", "1.5e3", "NaN", "1e999"]
SNIPPETS = st.sampled_from([*'{}[]:,"\\ \n-+.eE019tfn\x00\x01é', *WORDS])


@st.composite
def nearly_texts(draw: st.DrawFn) -> str:
    """A valid text after a few cuts and insertions; or snippets in a row."""
    if draw(st.booleans()):
        return "".join(draw(st.lists(SNIPPETS, max_size=12)))
    text = draw(texts())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(SNIPPETS | st.just("")) + text[at + draw(st.integers(0, 2)) :]
    return text


# What the readers go by when nothing is said.
DEFAULTS = Rules(json_codec.MAX_DEPTH, json_codec.MAX_DIGITS, "error", float, int)
# The fast readers: which of them reads a text is a matter of speed alone.
FAST = [swift, dense]


def read_fast(reader: ModuleType, text: str, rules: Rules = DEFAULTS) -> Any:
    """What one of the fast readers makes of a text. Raises ``GiveUp``."""
    return reader.read(cut(text, text.encode()), rules)


def same(left: Any, right: Any) -> bool:
    """Equal in type and sign too: 1, 1.0 and True differ, and so do 0.0 and -0.0."""
    return repr(left) == repr(right)
