"""Time is linear: ten times the input costs at most about ten times the work, counted in steps and not in seconds."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.codec.json import strings

from .json_texts import SNIPPETS
from .tally import TALLY, compiled, load, work

codec = load()
# No limit in the way but that on digits: the square it bounds has a test of its own.
LENIENT = {"max_depth": 10**6, "max_digits": 640, "duplicate_keys": "last"}
LIMITLESS = LENIENT | {"max_digits": 10**6, "parse_int": str, "parse_float": str}
SMALL = 200


def assert_linear(cost: Callable[[int], int]) -> None:
    """The first run fills what is remembered between calls."""
    cost(1)
    small, large = cost(SMALL), cost(10 * SMALL)
    assert large <= 11 * small + 2000, f"{small} steps for {SMALL}, {large} for ten times that"


JSON_SHAPES: dict[str, Callable[[int], str]] = {
    "a run of backslashes": lambda n: '"' + "\\\\" * n + '"',
    "a run of backslashes without an end": lambda n: '"' + "\\\\" * n,
    "a run of quotes": lambda n: '"' * n,
    "escaped quotes": lambda n: '"' + '\\"' * n + '"',
    "escaped quotes without an end": lambda n: '"' + '\\"' * n,
    "escaped quotes and a fault": lambda n: '"' + '\\"' * n + '\\x"',
    "escaped quotes and a control character": lambda n: '"' + '\\"' * n + '\n"',
    "escapes": lambda n: '"' + "\\u00e9\\n" * n + '"',
    "pairs of surrogates": lambda n: '"' + "\\ud83d\\ude00" * n + '"',
    "halves of pairs": lambda n: '"' + "\\ud83d" * n + '"',
    "strings with one escape each": lambda n: "[" + ",".join(['"a\\n"'] * n) + "]",
    "nested arrays": lambda n: "[" * n + "]" * n,
    "nested objects": lambda n: '{"a":' * n + "0" + "}" * n,
    "arrays without an end": lambda n: "[" * n,
    "closing brackets": lambda n: "[" + "]" * n,
    "small numbers": lambda n: "[" + ",".join(map(str, range(10_000, 10_000 + n))) + "]",
    "fractions": lambda n: "[" + "1.5e3,-0.25," * n + "0]",
    "words": lambda n: "[" + "true,null," * n + "false]",
    "empty strings": lambda n: "[" + '"",' * n + '""]',
    "white space": lambda n: " \n\t\r" * n + "1" + " \n\t\r" * n,
    "white space and no value": lambda n: " \n" * n,
    "white space between tokens": lambda n: "[" + "1 \n , " * n + "1]",
    "keys": lambda n: "{" + ",".join(f'"{index}":{index}' for index in range(10_000, 10_000 + n)) + "}",
    "the same key": lambda n: "{" + '"a":1,' * n + '"a":1}',
    "a long key": lambda n: '{"' + "k" * n + '":1}',
    "messages": lambda n: "[" + '{"id":"77","price":0.075,"text":null},' * n + "{}]",
    "one string": lambda n: '"' + "a" * 50 * n + '"',
    "one string without an end": lambda n: '"' + "é" * 50 * n,
    "a fault at the end": lambda n: "[" + '"a",' * n + "x]",
    "a fault at the end of many lines": lambda n: "[" + "1,\n" * n + "x]",
    "control characters": lambda n: '"' + "\x01" * n + '"',
    "a fault in deep objects": lambda n: '{"a":' * n + "x",
    "one number": lambda n: "1" * 50 * n,
    "one fraction": lambda n: "0." + "1" * 50 * n,
    "one exponent": lambda n: "1e" + "1" * 50 * n + "x",
    "zeros": lambda n: "0" * n,
    "minus signs": lambda n: "-" * n,
}


@given(st.lists(SNIPPETS, max_size=8))
def test_no_string_of_json_is_searched_from_within(snippets: list[str]) -> None:
    """At each quote the pattern that cuts strings finds something, if only a fault up to the end. Where it found
    nothing it would look again from the next quote on, and so from each in a string: no count of steps shows that.
    """
    text = "".join(snippets)
    for at, character in enumerate(text):
        if character == '"':
            assert strings._STRING.match(text, at) is not None


@pytest.mark.parametrize("shape", JSON_SHAPES)
@pytest.mark.parametrize("options", [{}, LENIENT, LENIENT | {"control_characters": "keep", "lone_surrogates": "keep"}])
def test_decoding_json_is_linear(shape: str, options: dict[str, Any]) -> None:
    """For nasty shapes too, read or refused, with the default limits and with none in the way."""
    make = JSON_SHAPES[shape]
    assert_linear(lambda n: work(codec.json.decode, make(n), **options))
    assert_linear(lambda n: work(codec.json.decode, make(n).encode(), **options))


@given(st.lists(SNIPPETS, max_size=2), st.lists(SNIPPETS, min_size=1, max_size=4), st.lists(SNIPPETS, max_size=2))
def test_decoding_repeated_json_is_linear(before: list[str], unit: list[str], behind: list[str]) -> None:
    """For any run of the same few tokens, with anything before and behind it."""
    head, body, tail = "".join(before), "".join(unit), "".join(behind)
    assert_linear(lambda n: work(codec.json.decode, head + body * n + tail, **LIMITLESS))


@pytest.mark.parametrize("length", [100, 640, 641, 4300])
def test_an_integer_costs_no_more_than_its_limit_allows(length: int) -> None:
    """Many integers of any length cost in proportion to their number: the square is within max_digits only."""
    assert_linear(lambda n: work(codec.json.decode, "[" + ",".join(["9" * length] * (n // 10 + 1)) + "]"))


def nest(n: int) -> Any:
    value: Any = []
    for _ in range(n):
        value = [{"a": value}]
    return value


VALUES: dict[str, Callable[[int], Any]] = {
    "nested": nest,
    "numbers": lambda n: list(range(10_000, 10_000 + n)),
    "floats": lambda n: [0.1] * n,
    "keys": lambda n: {str(index): index for index in range(10_000, 10_000 + n)},
    "escapes": lambda n: '"\\\n\x00é' * n,
    "short strings": lambda n: ['a"', "b"] * n,
    "messages": lambda n: [{"id": "77", "price": 0.075, "text": None}] * n,
    "a fault at the end": lambda n: [*"a" * n, {1}],
    "a fault deep down": lambda n: [[nest(n), {1}]],
}


@pytest.mark.parametrize("shape", VALUES)
@pytest.mark.parametrize("options", [{}, {"sort_keys": True}, {"ascii_only": True}])
def test_encoding_json_is_linear(shape: str, options: dict[str, Any]) -> None:
    """Sorting excepted, which takes its n log n in C."""
    assert_linear(lambda n: work(codec.json.encode, VALUES[shape](n), **options))


FORM_UNITS = ["&", "=", "+", "%", "%4", "%41", "%C3%A4", "%C3", "%E2%82", "a=b&", "a=1&&", "ä", "a", "=&", "%zz%41"]


@pytest.mark.parametrize("unit", FORM_UNITS)
@pytest.mark.parametrize("errors", ["replace", "strict"])
def test_decoding_forms_is_linear(unit: str, errors: str) -> None:
    """In one field or in many, read or refused."""
    for options in ({}, {"max_fields": 10**6}):
        assert_linear(lambda n, options=options: work(codec.form.decode, unit * n, errors=errors, **options))
        assert_linear(lambda n, options=options: work(codec.form.decode, (unit * n).encode(), errors=errors, **options))


@pytest.mark.parametrize("unit", ["a", " ", "%", "ä", "a ä", "😀&", "\x00", "a=b&", "*-._~"])
def test_encoding_forms_and_percent_is_linear(unit: str) -> None:
    """One long value, many short ones, one long name, nested ones."""
    assert_linear(lambda n: work(codec.form.encode, {"text": unit * n}))
    assert_linear(lambda n: work(codec.form.encode, {unit * n: ""}))
    assert_linear(lambda n: work(codec.form.encode, {"to": [unit] * n}))
    assert_linear(lambda n: work(codec.form.encode, [(unit, unit)] * n))
    assert_linear(lambda n: work(codec.form.bracketed, {"files": [{"name": unit}] * n}))
    assert_linear(lambda n: work(codec.percent.encode, unit * n))
    assert_linear(lambda n: work(codec.percent.encode, unit * n, "a"))


@pytest.mark.parametrize("unit", FORM_UNITS)
@pytest.mark.parametrize("malformed", ["error", "keep"])
def test_decoding_percent_is_linear(unit: str, malformed: str) -> None:
    """As text and as bytes."""
    assert_linear(lambda n: work(codec.percent.decode, unit * n, malformed=malformed))
    assert_linear(lambda n: work(codec.percent.decode, (unit * n).encode(), malformed=malformed))


QUADRATIC = """
def by_slices(text):
    while text:
        text = text[1:]
def by_searches(text):
    for at in range(len(text)):
        text.find("b", at)
def by_patterns(text):
    for at in range(len(text)):
        pattern.match(text, at)
def by_sums(text):
    whole = ""
    for char in text:
        whole += char
def by_lists(text):
    seen = []
    for at in range(len(text)):
        if at not in seen:
            seen.append(at)
def by_front(text):
    chars = list(text)
    while chars:
        chars.pop(0)
"""


@pytest.mark.parametrize("name", ["by_slices", "by_searches", "by_patterns", "by_sums", "by_lists", "by_front"])
def test_the_count_shows_work_that_grows_with_the_square(name: str) -> None:
    """The meter itself: each way to hide a square in C code is counted."""
    import re

    module = types.ModuleType("quadratic")
    module.__dict__.update(TALLY=TALLY, pattern=re.compile("a*"))
    exec(compiled(QUADRATIC, "quadratic"), module.__dict__)
    with pytest.raises(AssertionError, match="steps"):
        assert_linear(lambda n: work(getattr(module, name), "a" * n))
