"""The laws of ``smswire.codec.json.encode``, with RFC 8259's grammar and the standard library as witnesses."""

from __future__ import annotations

import collections
import enum
import json as stdlib
import math
import pickle
import struct
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.codec import json
from smswire.codec.json import flat
from smswire.errors import EncodeError

from .json_grammar import first_fault
from .json_texts import FLOATS, SCALARS, STRINGS, VALUES, same

PLAIN = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters='"\\'))


def refusal_of(value: Any, **options: Any) -> EncodeError:
    with pytest.raises(EncodeError) as caught:
        json.encode(value, **options)
    return caught.value


@given(VALUES, st.booleans(), st.booleans())
def test_what_was_encoded_decodes_to_itself(value: Any, sort_keys: bool, ascii_only: bool) -> None:
    """decode(encode(value)) is value, to the type and the order of keys unless they are sorted."""
    decoded = json.decode(json.encode(value, sort_keys=sort_keys, ascii_only=ascii_only))
    assert decoded == value
    assert sort_keys or same(decoded, value)


@given(VALUES, st.booleans())
def test_encoding_agrees_with_the_standard_library(value: Any, sort_keys: bool) -> None:
    """The bytes are those of json.dumps in its compact style; ascii_only gives those of ensure_ascii."""
    for ascii_only in (False, True):
        theirs = stdlib.dumps(value, ensure_ascii=ascii_only, sort_keys=sort_keys, separators=(",", ":"))
        ours = json.encode(value, sort_keys=sort_keys, ascii_only=ascii_only).decode()
        # DEL is all they differ in: json escapes it in ASCII, and section 7 does not ask for that.
        assert ours.replace("\x7f", "\\u007f" if ascii_only else "\x7f") == theirs


@given(st.dictionaries(STRINGS, SCALARS | st.decimals() | st.just([])))
def test_the_innermost_are_written_as_by_the_slow_twin(value: dict[str, Any]) -> None:
    """What flat writes in one go is what the writer, which takes no such way if it sorts, writes piece by piece."""
    value = dict(sorted(value.items()))
    for container, write in ((value, flat.write_object), (list(value.values()), flat.write_array)):
        whole = write(container)
        assert whole is None or whole == json.encode(container, sort_keys=True)


@given(st.dictionaries(PLAIN, PLAIN | st.integers() | FLOATS | st.booleans() | st.none()))
def test_the_innermost_are_written_in_one_go(value: dict[str, Any]) -> None:
    """The fast writer is general: it takes all objects and arrays in which nothing is to be escaped or refused."""
    assert flat.write_object(value) is not None
    assert flat.write_array(value.values()) is not None


@given(VALUES, st.booleans())
def test_output_is_in_the_grammar(value: Any, ascii_only: bool) -> None:
    """Whatever is written is a JSON text, without white space between tokens; in ASCII on request."""
    text = json.encode(value, ascii_only=ascii_only).decode()
    assert first_fault(text) is None
    assert text.isascii() or not ascii_only


@given(VALUES)
def test_sorting_is_stable(value: Any) -> None:
    """Sorted text depends on the value alone: sorting what was read from it changes nothing."""
    text = json.encode(value, sort_keys=True)
    assert json.encode(json.decode(text), sort_keys=True) == text


@given(st.dictionaries(STRINGS, st.integers()))
def test_sorted_keys_stand_in_the_order_of_their_code_points(value: dict[str, int]) -> None:
    """As UTF-8 too would sort them."""
    keys = list(json.decode(json.encode(value, sort_keys=True)))
    assert keys == sorted(value, key=str.encode)


@given(VALUES, VALUES)
def test_encoding_is_injective(left: Any, right: Any) -> None:
    """Different values have different texts."""
    assert (json.encode(left) == json.encode(right)) == same(left, right)


@given(FLOATS | st.integers(0, 2**64 - 1).map(lambda bits: struct.unpack("<d", struct.pack("<Q", bits))[0]))
def test_floats_have_their_shortest_digits(number: float) -> None:
    """A float reads back to the bit, and no text with a digit less does; NaN and the infinities have none."""
    if not math.isfinite(number):
        assert "no NaN and no Infinity" in refusal_of(number).message
        return
    text = json.encode(number).decode()
    assert same(json.decode(text), number)
    digits = text.lower().partition("e")[0].replace(".", "").lstrip("-0").rstrip("0")
    if len(digits) > 1:
        assert float(f"{number:.{len(digits) - 2}e}") != number


@given(st.integers() | st.integers(1, 9000).map(lambda digits: 10**digits - 1))
@example(10**640)
@example(-(10**640))
@example(10**640 - 1)
@example(10**1280 + 7)
def test_integers_are_exact(number: int) -> None:
    """An integer of any length is written to the last digit."""
    text = json.encode(number)
    assert json.decode(text, max_digits=len(text)) == number


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_decimals_keep_their_digits(number: Decimal) -> None:
    """A Decimal is written as it is, in the grammar, and read back exactly."""
    text = json.encode(number).decode()
    assert first_fault(text) is None
    assert same(json.decode(text, parse_float=Decimal, parse_int=Decimal), number)


class Point(NamedTuple):
    x: int
    y: int


class Level(enum.IntEnum):
    LOW = 1


class Kind(str, enum.Enum):  # noqa: UP042  (unlike a StrEnum it does not write itself as its value)
    GSM = "gsm"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-0.0, "-0.0"),
        (1e16, "1e+16"),
        (5e-324, "5e-324"),
        (Decimal("0.0750"), "0.0750"),
        (Decimal("-1E+5"), "-1E+5"),
        ("", '""'),
        ("/", '"/"'),
        ('"\\\b\f\n\r\t\x00\x1f\x7f\u2028', '"\\"\\\\\\b\\f\\n\\r\\t\\u0000\\u001f\x7f\u2028"'),
        ([], "[]"),
        ((), "[]"),
        ({}, "{}"),
        ([1, [2, (3, {})], {"a": []}, 4], '[1,[2,[3,{}]],{"a":[]},4]'),
        ({"b": 1, "a": {"c": None}}, '{"b":1,"a":{"c":null}}'),
        (Point(1, 2), "[1,2]"),
        (collections.OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (Level.LOW, "1"),
        ([Kind.GSM], '["gsm"]'),
        ({Kind.GSM: Level.LOW}, '{"gsm":1}'),
        (type("Half", (float,), {})(0.5), "0.5"),
        (type("Price", (Decimal,), {})("0.50"), "0.50"),
    ],
)
def test_vectors(value: Any, text: str) -> None:
    """Each type and its subclasses, and every escape of section 7."""
    assert json.encode(value).decode() == text


def test_ascii_only_writes_surrogate_pairs() -> None:
    """Section 7's own example, U+1D11E."""
    assert json.encode("é\U0001d11e", ascii_only=True) == b'"\\u00e9\\ud834\\udd1e"'


@pytest.mark.parametrize(
    ("value", "path", "reason"),
    [
        ({"messages": [{}, {"price": float("nan")}]}, "$.messages[1].price", "no NaN"),
        ([1, float("-inf")], "$[1]", "no Infinity"),
        (Decimal("sNaN"), "$", "no NaN"),
        ({"a": [[b"sesame"]]}, "$.a[0][0]", "no form for bytes"),
        ({"a": {"sesame"}}, "$.a", "no form for set"),
        (object(), "$", "no form for object"),
        ({"a": {1: "sesame"}}, "$.a", "a key must be str, not int"),
        ({"a": [{"b": 1, None: 2}]}, "$.a[0]", "a key must be str, not NoneType"),
        ({"a": "sesame\ud800"}, "$.a", "lone surrogate"),
        ({"a": {"\udc00": 1}}, '$.a["\\udc00"]', "lone surrogate"),
        ({"two words": 1j}, '$["two words"]', "no form for complex"),
    ],
)
def test_what_has_no_form_is_refused(value: Any, path: str, reason: str) -> None:
    """The error says where and why, never quotes a value, and pickles."""
    for options in ({}, {"sort_keys": True}, {"ascii_only": True}):
        error = refusal_of(value, **options)
        assert error.path == path
        assert reason in error.message
        assert "sesame" not in str(error)
        assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_cycle_is_an_error_and_a_shared_value_is_none() -> None:
    """What contains itself is refused where it comes round; what stands in two places is written twice."""
    shared = {"x": [1]}
    assert json.encode([shared, shared, {"again": shared}]) == b'[{"x":[1]},{"x":[1]},{"again":{"x":[1]}}]'
    ring: dict[str, Any] = {"next": [0]}
    ring["next"].append({"back": ring})
    error = refusal_of(ring)
    assert error.message == "the value contains itself"
    assert error.path == "$.next[1].back"


def test_depth_is_no_limit() -> None:
    """A value nested far deeper than the interpreter's stack is written."""
    deep: Any = []
    for _ in range(100_000):
        deep = [{"a": deep}]
    assert json.encode(deep) == b'[{"a":' * 100_000 + b"[]" + b"}]" * 100_000
