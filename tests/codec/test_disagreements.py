"""Where the codecs and the standard library differ: each by its name, with an example here and a row in the docs."""

from __future__ import annotations

import json as stdlib
import math
import re
import urllib.parse
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smswire.codec import form, json, percent
from smswire.errors import CodecError, ConfigurationError

PAGE = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text(encoding="utf-8")
DEEP = "[" * 100_000 + "]" * 100_000
LONG = "1" * 5000

# name: ours, what comes of it; theirs, what comes of it. An exception stands for itself.
DISAGREEMENTS: dict[str, tuple[Callable[[], Any], Any, Callable[[], Any], Any]] = {
    "form: asterisk": (
        lambda: form.encode({"a": "*"}), b"a=*",
        lambda: urllib.parse.urlencode({"a": "*"}), "a=%2A",
    ),
    "form: tilde": (
        lambda: form.encode({"a": "~"}), b"a=%7E",
        lambda: urllib.parse.urlencode({"a": "~"}), "a=~",
    ),
    "form: values that are no text": (
        lambda: form.encode({"a": True, "b": None, "c": [1, 2]}), b"a=1&c=1&c=2",
        lambda: urllib.parse.urlencode({"a": True, "b": None, "c": [1, 2]}), "a=True&b=None&c=%5B1%2C+2%5D",
    ),
    "form: floats": (
        lambda: form.encode({"a": 0.1}), CodecError,
        lambda: urllib.parse.urlencode({"a": 0.1}), "a=0.1",
    ),
    "form: bytes that are not UTF-8": (
        lambda: form.encode({"a": b"\xff"}), CodecError,
        lambda: urllib.parse.urlencode({"a": b"\xff"}), "a=%FF",
    ),
    "form: fields without a value": (
        lambda: form.decode("a&b="), [("a", ""), ("b", "")],
        lambda: urllib.parse.parse_qsl("a&b="), [],
    ),
    "form: bytes": (
        lambda: form.decode(b"a=b"), [("a", "b")],
        lambda: urllib.parse.parse_qsl(b"a=b"), [(b"a", b"b")],
    ),
    "form: lone surrogates": (
        lambda: form.decode("a=\ud800"), [("a", "\ufffd")],
        lambda: urllib.parse.parse_qsl("a=\ud800"), [("a", "\ud800")],
    ),
    "form: names": (
        lambda: form.encode({1: "a"}), CodecError,
        lambda: urllib.parse.urlencode({1: "a"}), "1=a",
    ),
    "form: Decimal": (
        lambda: form.encode({"a": Decimal("1E+5")}), b"a=100000",
        lambda: urllib.parse.urlencode({"a": Decimal("1E+5")}), "a=1E%2B5",
    ),
    "json: bytearray": (
        lambda: json.decode(bytearray(b"1")), CodecError,
        lambda: stdlib.loads(bytearray(b"1")), 1,
    ),
    "percent: safe characters": (
        lambda: percent.encode("é", safe="é"), ConfigurationError,
        lambda: urllib.parse.quote("é", safe="é"), "%C3%A9",
    ),
    "percent: slash": (
        lambda: percent.encode("a/b"), "a%2Fb",
        lambda: urllib.parse.quote("a/b"), "a/b",
    ),
    "percent: tilde": (
        lambda: percent.encode("~", percent.FORM), "%7E",
        lambda: urllib.parse.quote("~", percent.FORM), "~",
    ),
    "percent: percent sign as safe": (
        lambda: percent.encode("%41", "%"), ConfigurationError,
        lambda: urllib.parse.quote("%41", "%"), "%41",
    ),
    "percent: malformed escapes": (
        lambda: percent.decode("100%"), CodecError,
        lambda: urllib.parse.unquote_to_bytes("100%"), b"100%",
    ),
    "json: NaN and infinities, read": (
        lambda: json.decode("[NaN,-Infinity]"), CodecError,
        lambda: repr(stdlib.loads("[NaN,-Infinity]")), "[nan, -inf]",
    ),
    "json: NaN and infinities, written": (
        lambda: json.encode(math.inf), CodecError,
        lambda: stdlib.dumps(math.inf), "Infinity",
    ),
    "json: numbers too large for a float": (
        lambda: json.decode("1e999"), CodecError,
        lambda: stdlib.loads("1e999"), math.inf,
    ),
    "json: long numbers": (
        lambda: json.decode(LONG, max_digits=5000), sum(10**place for place in range(5000)),
        lambda: stdlib.loads(LONG), ValueError,
    ),
    "json: long fractions": (
        lambda: json.decode("0." + LONG), CodecError,
        lambda: stdlib.loads("0." + LONG), 1 / 9,
    ),
    "json: keys that appear twice": (
        lambda: json.decode('{"a":1,"a":2}'), CodecError,
        lambda: stdlib.loads('{"a":1,"a":2}'), {"a": 2},
    ),
    "json: half a surrogate pair, escaped": (
        lambda: json.decode('"\\ud800"'), CodecError,
        lambda: stdlib.loads('"\\ud800"'), "\ud800",
    ),
    "json: half a surrogate pair, in text": (
        lambda: json.decode('"\ud800"'), CodecError,
        lambda: stdlib.loads('"\ud800"'), "\ud800",
    ),
    "json: half a surrogate pair, written": (
        lambda: json.encode("\ud800"), CodecError,
        lambda: stdlib.dumps("\ud800"), '"\\ud800"',
    ),
    "json: surrogates in UTF-8": (
        lambda: json.decode(b'"\xed\xa0\x80"'), CodecError,
        lambda: stdlib.loads(b'"\xed\xa0\x80"'), "\ud800",
    ),
    "json: byte order mark": (
        lambda: json.decode(b"\xef\xbb\xbf1"), CodecError,
        lambda: stdlib.loads(b"\xef\xbb\xbf1"), 1,
    ),
    "json: UTF-16 and UTF-32": (
        lambda: json.decode("[1]".encode("utf-16-le")), CodecError,
        lambda: stdlib.loads("[1]".encode("utf-16-le")), [1],
    ),
    "json: deep nesting, read": (
        lambda: json.decode(DEEP), CodecError,
        lambda: stdlib.loads(DEEP), RecursionError,
    ),
    "json: deep nesting, written": (
        lambda: json.encode(json.decode(DEEP, max_depth=100_000)).decode() == DEEP, True,
        lambda: stdlib.dumps(json.decode(DEEP, max_depth=100_000)), RecursionError,
    ),
    "json: keys that are no text": (
        lambda: json.encode({1: "a", None: "b"}), CodecError,
        lambda: stdlib.dumps({1: "a", None: "b"}), '{"1": "a", "null": "b"}',
    ),
    "json: long integers, written": (
        lambda: len(json.encode(10**5000)), 5001,
        lambda: stdlib.dumps(10**5000), ValueError,
    ),
    "json: Decimal": (
        lambda: json.encode(Decimal("0.10")), b"0.10",
        lambda: stdlib.dumps(Decimal("0.10")), TypeError,
    ),
    "json: DEL": (
        lambda: json.encode("\x7f", ascii_only=True), b'"\x7f"',
        lambda: stdlib.dumps("\x7f"), '"\\u007f"',
    ),
    "json: white space and alphabet": (
        lambda: json.encode(["ä", 1]), '["ä",1]'.encode(),
        lambda: stdlib.dumps(["ä", 1]), '["\\u00e4", 1]',
    ),
}  # fmt: skip


def outcome_is(function: Callable[[], Any], expected: Any) -> bool:
    if isinstance(expected, type) and issubclass(expected, Exception):
        with pytest.raises(expected):
            function()
        return True
    return bool(function() == expected)


@pytest.mark.parametrize("name", DISAGREEMENTS)
def test_each_disagreement_is_as_described(name: str) -> None:
    """Ours does this, and the standard library that."""
    ours, our_outcome, theirs, their_outcome = DISAGREEMENTS[name]
    assert outcome_is(ours, our_outcome)
    assert outcome_is(theirs, their_outcome)


def test_the_docs_list_every_disagreement_by_name() -> None:
    """The table has a row for each, in this order, and no other; each row quotes a sentence and its section."""
    table = PAGE.partition("## Where the standard library differs")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if re.match(r"\| \w+: ", line)]
    assert [row[1].strip() for row in rows] == list(DISAGREEMENTS)
    quotes = re.compile(
        r'(RFC \d+|WHATWG URL) [\d.]+.*("[^"]{10,}"|as above)|the same sentence of (RFC \d+|WHATWG URL)'
    )
    assert [row[1] for row in rows if not quotes.search(row[4])] == []


@pytest.mark.parametrize(
    ("limit", "default"),
    [
        ("`form.decode(max_fields=)`", form.MAX_FIELDS),
        ("`form.decode(max_bytes=)`", form.MAX_BYTES),
        ("`json.decode(max_depth=)`", json.MAX_DEPTH),
        ("`json.decode(max_bytes=)`", json.MAX_BYTES),
        ("`json.decode(max_digits=)`", json.MAX_DIGITS),
    ],
)
def test_the_docs_give_the_defaults_of_the_limits(limit: str, default: int) -> None:
    """Each limit and its number."""
    assert f"| {limit} | {default:,} |" in PAGE
