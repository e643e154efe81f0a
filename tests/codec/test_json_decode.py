"""The laws of ``smswire.codec.json.decode``, with RFC 8259's grammar and the standard library as witnesses."""

from __future__ import annotations

import json as stdlib
import pickle
import sys
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.codec import json
from smswire.codec.json import careful, dense, gaps
from smswire.codec.json.number import too_many_digits
from smswire.codec.json.rules import GiveUp, Rules
from smswire.codec.json.scalars import Scalars
from smswire.codec.json.strings import cut
from smswire.errors import ConfigurationError

from .attempt import attempt, fault_of
from .json_grammar import completion, first_fault
from .json_texts import DEFAULTS, FAST, SNIPPETS, STRINGS, VALUES, nearly_texts, read_fast, same, texts

# With these no rule but the grammar refuses anything, half a surrogate pair excepted.
GRAMMAR_ONLY: dict[str, Any] = {"duplicate_keys": "last", "parse_float": str, "max_depth": 10_000}
HALF_A_PAIR = "surrogate pair"
NUMBERS_AND_WORDS = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.sampled_from(
        [
            "true",
            "false",
            "null",
            "[]",
            "{}",
            "[ ]",
            "1e999",
            "-0",
            "-0.0",
            "9" * 301,
            "0." + "0" * 301,
            "1.5E999",
            "1E5",
            "1.5e99999999999999999999",
        ]
    ),
)


@given(VALUES)
def test_what_the_standard_library_writes_is_read_as_it_was(value: Any) -> None:
    """decode(json.dumps(value)) is value, in either of its alphabets."""
    for ensure_ascii in (True, False):
        text = stdlib.dumps(value, ensure_ascii=ensure_ascii)
        assert same(json.decode(text), value)
        assert same(json.decode(text.encode()), value)


@given(nearly_texts())
def test_exactly_the_grammar_is_read(text: str) -> None:
    """A text is refused where the grammar ends, at that very character, and read if it does not end."""
    fault = first_fault(text)
    _, error = attempt(json.decode, text, **GRAMMAR_ONLY)
    if error is not None and HALF_A_PAIR in error.message:
        assert error.offset is not None
        assert fault is None or error.offset < fault
    else:
        assert (error.offset if error else None) == fault


@given(nearly_texts(), st.lists(SNIPPETS, max_size=3).map("".join), st.integers(0, 4), st.integers(1, 4))
@example('"\\ud8{00"', "", 0, 1)
@example('"\\udc0', "", 0, 1)
@example('["\\ud800\\udG', "", 4, 1)
@example("12.x", "", 0, 2)
@example("-x", "", 0, 1)
@example("1e+", "", 0, 1)
@example("1e999", "0", 0, 4)
def test_the_offset_is_that_of_the_first_fault(text: str, tail: str, max_depth: int, max_digits: int) -> None:
    """Under every rule the text before the offset can be completed, and the text with the fault in it cannot."""
    for options in ({}, {"max_depth": max_depth}, {"max_digits": max_digits}):
        _, error = attempt(json.decode, text, **options)
        if error is None:
            continue
        assert error.offset is not None
        before = text[: error.offset]
        json.decode(before + completion(before), **options)
        if error.offset < len(text):
            for end in ("", tail, completion(text) if first_fault(text) in (None, len(text)) else tail):
                still = fault_of(text + end, **options)
                assert still.offset == error.offset
                # A number too large may also become too long.
                assert still.message in (error.message, too_many_digits(max_digits))


@given(texts())
def test_what_was_decoded_encodes_to_the_same_value(text: str) -> None:
    """encode(decode(text)) is the shortest text of the value, as json writes it, and settles after one turn."""
    written = json.encode(json.decode(text))
    assert written.decode() == stdlib.dumps(stdlib.loads(text), ensure_ascii=False, separators=(",", ":"))
    assert json.encode(json.decode(written)) == written


@given(nearly_texts())
def test_whatever_is_read_is_read_as_in_the_standard_library(text: str) -> None:
    """Where both read a text they agree; what json alone reads is one of the faults it is known to overlook."""
    value, error = attempt(json.decode, text)
    try:
        theirs = stdlib.loads(text)
    except ValueError:
        assert error is not None
        return
    known = ("appears twice", "too large", HALF_A_PAIR, "NaN", "Infinity")
    assert same(value, theirs) if error is None else any(reason in str(error) for reason in known)


@given(texts())
def test_the_fast_readers_read_all_valid_text(text: str) -> None:
    """They are general: no valid text without repeated keys makes either give up."""
    for reader in FAST:
        assert same(read_fast(reader, text), stdlib.loads(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'["\/","\\/","\\\/"]', ["/", "\\/", "\\/"]),
        (r'["\u0022","a"]', ['"', "a"]),
        (r'["\u005c","\u005cn","\\\u006e"]', ["\\", "\\n", "\\n"]),
        (r'["\"",""]', ['"', ""]),
        (r'["\ud83d\uDE00","\n"]', ["😀", "\n"]),
        ("[ 1 , -2 ,\t3 ]", [1, -2, 3]),
        ("[1E5,2]", [100000.0, 2]),
        ("[1.5E5,2.5]", [150000.0, 2.5]),
        ("[ 1.5 , -2.5e-3 ,\t0.0 ]", [1.5, -0.0025, 0.0]),
        ("[1,\n1.5, true ,null,false, [ ] , {\r} ]", [1, 1.5, True, None, False, [], {}]),
        ("[[1] , [ ], [[\n{ }]]]", [[1], [], [[{}]]]),
        ('[{"a" : 1 , "b" :2 } , { "a": -1}, {}]', [{"a": 1, "b": 2}, {"a": -1}, {}]),
        ('{\n "a": 1.50,\n "b": -0,\n "c": 1e3,\n "d": ""\n}', {"a": 1.5, "b": 0, "c": 1000.0, "d": ""}),
    ],
)
@pytest.mark.parametrize("reader", FAST)
def test_the_fast_readers_read_what_needs_care(text: str, value: Any, reader: ModuleType) -> None:
    """Escapes that hide or stand for others, and scalars between white space, do not make them give up."""
    assert same(read_fast(reader, text), value)


@pytest.mark.parametrize(
    "text",
    [
        r'{\n"a":1}', r'{"a":\u00201}', r'{"a"\u003a1}', '{"a":\xa01,"b":1}',
        r'["\x41"]', r'["\N{DIGIT ONE}"]', r'["\u12"]', r'["\"]', r'["\ud83d"]',
        '["\\n\n"]', '["\n"]', '{\n"a\t":1}',
        '{"a":1e999,"b":1}', '{"a":-1e999,"b":1}', '{"a":01,"b":1}', '{"a":1.,"b":1}',
        '{"a":', '{"a":"', '{"a":""', '1"', '1""', '1"a":',
        "1,2", "[],[]", "{},{}", "[1],[2]", '{"a":1},{"b":2}', "1 2", "[1 2]", "[1,]", "[,1]", "[1",
        "[[1],[2]", "]", "[1]]",
        '{"a":1,2}', '{1:2}', '{"a"1}', '["a":1]', '[{"a":1},{"b"}]', '[{"a":1],{"b":1}]', "[[1},[2]]", "[01]", "[-]",
        "[t rue]", "[1,\v  2]", "[1,\f\n 2]", '["a",\v  2]', '["a",' + 40 * "  " + '\f"b"]', "[1  2]", "[-  1]",
        '{"a":,"b":1}', '"a","b"', '[[1},{"a":2}]', '[{"a":1},[{"b":1},[2]]', '[{"a":1,},{"b":1}]', "[[1,],[2]]",
        '["a"["b"]]', '{"a":1,"a":2}', '{"a":{"b":1},"a":2}', '[{"a":1},{"b":1,"b":2}]', '[{"a":[1],"a":[2]}]',
        '{"a":1}{"b":1}', "[1,]" + 70_000 * " ", "[1," + 70_000 * " " + "]", "[1.5,1.]", "[1e999,1.5]", "[1.5e999]",
        '{"a":1.5E999}', "[1.5e999,1.5]", '{"a":\xa0"b"}', '{"a":"b"\xa0}',
        '{"a":[1],[2]}', '{"a":{"b":1},{"c":1}}', '[{"a":1},"b":2]',
    ],
)  # fmt: skip
@pytest.mark.parametrize("reader", FAST)
def test_the_fast_readers_give_up_on_what_is_no_json(text: str, reader: ModuleType) -> None:
    """They hold no escape for white space or punctuation, and take none but those of section 7."""
    with pytest.raises(GiveUp):
        read_fast(reader, text)


@given(nearly_texts(), st.sampled_from(["error", "last", "first"]), st.integers(0, 4), st.integers(0, 4))
def test_the_fast_readers_read_what_careful_reads(
    text: str, duplicate_keys: str, max_depth: int, max_digits: int
) -> None:
    """They give up or agree with their slow twin, under all rules."""
    for rules in (
        Rules(max_depth, max_digits, duplicate_keys, float, int),
        Rules(json.MAX_DEPTH, json.MAX_DIGITS, duplicate_keys, Decimal, str),
        Rules(json.MAX_DEPTH, json.MAX_DIGITS, duplicate_keys, Decimal, int),
        Rules(max_depth, json.MAX_DIGITS, duplicate_keys, float, int),
    ):
        for reader in FAST:
            try:
                value = read_fast(reader, text, rules)
            except GiveUp:
                continue
            assert same(careful.Reader(text, rules).read(), value)


@given(st.lists(NUMBERS_AND_WORDS, min_size=1, max_size=6), st.sampled_from([",", " ,", ",\n "]), st.integers(1, 700))
@example(["1.5"], ",", 700)
@example(["0"], ",", 301)
@example(["-1e400"], ",", 1)
@example(["1" * 400, "0." + "3" * 400, "1" * 400 + ".5"], ",", 1)
def test_a_run_of_scalars_is_read_as_each_of_them(scalars: list[str], comma: str, repeats: int) -> None:
    """What is made of many at once is what is made of one after the other, under any rule for numbers."""
    for real, integer, max_digits in ((float, int, 4300), (Decimal, int, 4300), (float, str, 4300), (float, int, 3)):
        rules = Rules(1, max_digits, "error", real, integer)
        text = comma.join(scalars * repeats)
        try:
            expected = [Scalars(rules).exact(scalar) for scalar in scalars]
        except GiveUp:
            with pytest.raises(GiveUp):
                Scalars(rules).many(text)
            continue
        assert same(Scalars(rules).many(text), expected * repeats)
        assert same([Scalars(rules).one(scalar) for scalar in scalars], expected)
        assert same(careful.Reader(f"[{text}]", rules._replace(max_depth=2)).read(), expected * repeats)


def test_repeated_keys_are_the_callers_choice_in_both() -> None:
    """Under "last" the last value is read; under "first" it is left to the careful reader."""
    for reader in FAST:
        for text in ('{"a":1,"a":2}', '[[1],{"b":0,"a":[3],"a":2}]'):
            assert same(read_fast(reader, text, DEFAULTS._replace(duplicate_keys="last")), stdlib.loads(text))
            with pytest.raises(GiveUp):
                read_fast(reader, text, DEFAULTS._replace(duplicate_keys="first"))


def test_a_decimal_beyond_every_exponent_is_left_to_the_careful_reader() -> None:
    """Alone or in a run: what raises it is no error of ours."""
    huge = "1.5e99999999999999999999"
    for reader in FAST:
        for text in (f"[{huge},1.5]", f"[{huge}]", f'{{"a":{huge},"b":1}}'):
            with pytest.raises(GiveUp):
                read_fast(reader, text, DEFAULTS._replace(parse_float=Decimal))


@given(st.lists(st.sampled_from(["1", "22", '"a"', "[]", '{"k":3}', "[1.5,-2]", "true"]), min_size=1, max_size=9))
def test_a_long_text_is_cut_anywhere(items: list[str]) -> None:
    """A text of many windows is read as a short one, wherever a window happens to end."""
    text = "[" + ",".join(items * (3 * dense.WINDOW // len(",".join(items)) + 1)) + "]"
    assert read_fast(dense, text) == stdlib.loads(text)


@pytest.mark.parametrize("indent", [1, 16, 100])
@given(VALUES)
def test_indents_are_read_whatever_their_length(indent: int, value: Any) -> None:
    """White space of any length stands between tokens, also where it is longer than what is remembered."""
    text = stdlib.dumps([value], indent=indent)
    for reader in FAST:
        assert same(read_fast(reader, text), stdlib.loads(text))


@pytest.mark.parametrize(
    ("text", "is_dense"),
    [
        ("true", False),
        ("[1.5,2.5,3.5]", True),
        ('{"amount":12.345,"currency":"EUR"}', False),
        (stdlib.dumps([{"text": "Hello", "price": 0.075, "parts": 1, "label": None}] * 500), False),
        (stdlib.dumps([{"text": f"{n}", "price": n} for n in range(500)]), True),
        (stdlib.dumps(["a"] * 500), False),
        (stdlib.dumps([{"a": "b"}] * 9, indent=100), False),
        (stdlib.dumps({"points": [[n, n + 1] for n in range(50)], "of": "a"}), True),
    ],
)
def test_the_reader_is_chosen_by_what_the_gaps_are_like(text: str, is_dense: bool) -> None:
    """Gaps that repeat are remembered; long ones, and such as are ever new, are cut."""
    assert dense.suits(text, cut(text, text.encode())) is is_dense


def test_what_has_no_comma_for_long_is_left_to_the_careful_reader() -> None:
    """Zeros, brackets and digits without end would else take many times their size."""
    for text in ("0" * 100_000, "[" * 100_000, "-" * 100_000, f"[{' ' * 100_000}1]"):
        with pytest.raises(GiveUp):
            read_fast(dense, text)
    assert json.decode(f"[{' ' * 100_000}1,{' ' * 100_000}2]") == [1, 2]


@given(texts())
def test_careful_reads_all_valid_text(text: str) -> None:
    """The slow twin reads it all too, by itself."""
    assert same(careful.Reader(text, DEFAULTS).read(), stdlib.loads(text))


def not_utf8_from(data: bytes) -> int:
    try:
        return len(data.decode().encode())
    except UnicodeDecodeError as error:
        return error.start


@given(texts().map(str.encode), st.binary(min_size=1, max_size=3), st.data())
def test_the_first_fault_wins_when_bytes_are_not_utf8(text: bytes, noise: bytes, data: st.DataObject) -> None:
    """What stands before the offset can be completed and no more of it, be the fault one of UTF-8 or of JSON."""
    at = data.draw(st.integers(0, len(text)))
    broken = text[:at] + noise + text[at:]
    _, error = attempt(json.decode, broken, **GRAMMAR_ONLY)
    if error is not None:
        before = broken[: error.offset].decode()
        assert first_fault(before) in (None, len(before))
        assert (error.line, error.column) == careful.place(before, len(before))
        if HALF_A_PAIR not in error.message:
            start = not_utf8_from(broken)
            assert error.offset == start or first_fault(broken[:start].decode()) == len(before)


@given(st.binary() | nearly_texts().map(str.encode), st.sampled_from([float, Decimal]))
def test_arbitrary_bytes_raise_nothing_but_decode_errors(data: bytes, parse_float: Any) -> None:
    """Bytes are read or refused, and an error pickles, stays short and points into the text."""
    _, error = attempt(json.decode, data, parse_float=parse_float, parse_int=parse_float)
    if error is not None:
        assert error.offset is not None
        assert 0 <= error.offset <= len(data)
        assert error.line == data[: error.offset].count(b"\n") + 1
        assert error.column is not None
        assert 1 <= error.column <= error.offset + 1
        assert str(error.path).startswith("$")
        assert len(str(error)) < 2000
        assert str(pickle.loads(pickle.dumps(error))) == str(error)
        assert error.__context__ is None


@given(nearly_texts())
def test_bytes_and_text_are_read_alike(text: str) -> None:
    """Both give the same value, or the same error at the same line and column; offsets count bytes or characters."""
    value, in_text = attempt(json.decode, text)
    same_value, in_bytes = attempt(json.decode, text.encode())
    assert same(value, same_value)
    assert (in_text is None) == (in_bytes is None)
    if in_text and in_bytes:
        assert (in_bytes.message, in_bytes.line, in_bytes.column) == (in_text.message, in_text.line, in_text.column)
        assert in_bytes.offset == len(text[: in_text.offset].encode())


@given(nearly_texts(), st.integers(0, 5), st.integers(0, 5), st.integers(0, 60))
def test_limits_are_monotone(text: str, max_depth: int, max_digits: int, max_bytes: int) -> None:
    """What is read within tight limits is read alike within wide ones."""
    value, error = attempt(json.decode, text, max_depth=max_depth, max_digits=max_digits, max_bytes=max_bytes)
    if error is None:
        wide: dict[str, Any] = {"max_depth": max_depth + 1, "max_digits": max_digits + 1, "max_bytes": max_bytes + 1}
        assert same(json.decode(text, **wide), value)
        assert same(json.decode(text), value)


@given(st.lists(st.tuples(STRINGS | st.sampled_from("ab"), st.integers(0, 9) | st.just([])), max_size=6))
def test_repeated_keys_obey_the_rule(members: list[tuple[str, Any]]) -> None:
    """ "last" and "first" keep that value, at the place of the first; "error" refuses if and only if a key repeats."""
    text = "{" + ",".join(f"{stdlib.dumps(key)}:{stdlib.dumps(value)}" for key, value in members) + "}"
    first: dict[str, Any] = {}
    for key, value in members:
        first.setdefault(key, value)
    assert same(json.decode(text, duplicate_keys="last"), dict(members))
    assert same(json.decode(text, duplicate_keys="first"), first)
    if len(first) == len(members):
        assert same(json.decode(text), first)
    else:
        assert "appears twice" in fault_of(text).message


@given(st.integers(), st.integers(0, 1000))
@example(1, 9999)
@example(0, 1)
def test_integers_are_exact(number: int, zeros: int) -> None:
    """An integer of any length is read to the last digit, as far as max_digits allows."""
    digits = str(abs(number)) + "0" * (zeros if number else 0)
    text = ("-" if number < 0 else "") + digits
    assert json.decode(text, max_digits=len(digits)) == number * 10**zeros
    if len(digits) > 1 and number:
        assert f"{len(digits) - 1} digits" in fault_of(text, max_digits=len(digits) - 1).message


@pytest.mark.parametrize("text", ['"\ud800"', '["a","\udc00"]', '{"\ud83d\ude00":1}', "\ud800"])
def test_text_with_surrogates_is_no_text(text: str) -> None:
    """A str can hold what no UTF-8 can: the first such character is at fault."""
    error = fault_of(text)
    assert error.offset == next(index for index, char in enumerate(text) if "\ud800" <= char <= "\udfff")


@pytest.mark.parametrize("bomb", ["[" * 200_000, '{"a":' * 200_000, '[{"a":' * 100_000, "[" * 200_000 + "]" * 200_000])
def test_depth_is_a_limit_and_never_a_recursion_error(bomb: str) -> None:
    """A depth bomb goes off at the bracket beyond the limit; with a limit as deep as that, it is read."""
    error = fault_of(bomb)
    assert "nested deeper than 64" in error.message
    assert sum(bomb[: error.offset].count(bracket) for bracket in "[{") == 64
    closed = bomb.endswith("]")
    if closed:
        assert json.encode(json.decode(bomb, max_depth=200_000)) == bomb.encode()
    else:
        assert fault_of(bomb, max_depth=200_000).offset == len(bomb)


def test_each_limit_is_a_maximum() -> None:
    """At the limit all is read, and one beyond is refused at the first thing too many."""
    assert json.decode("[[1]]", max_depth=2) == [[1]]
    assert fault_of("[[1]]", max_depth=1).offset == 1
    assert json.decode("5", max_depth=0) == 5
    assert fault_of('"\ud800"', max_bytes=4).message == "the text has more than 4 bytes"  # 3 for a surrogate
    assert json.decode('"ä"', max_bytes=4) == "ä"
    assert fault_of('"ä"', max_bytes=3).offset == 2  # in characters
    assert fault_of('"ä"'.encode(), max_bytes=3).offset == 3
    assert json.decode("[-1.5e+3]", max_digits=3) == [-1500.0]
    assert fault_of("[-1.5e+3]", max_digits=2).offset == 1
    assert "4300 digits" in fault_of("1" * 4301).message


def test_numbers_go_to_the_parsers_given() -> None:
    """parse_float and parse_int see the text as it stands; what they refuse is a DecodeError."""
    value = json.decode('{"price":0.0750,"n":-12,"e":1E5}', parse_float=Decimal, parse_int=str)
    assert same(value, {"price": Decimal("0.0750"), "n": "-12", "e": Decimal("1E+5")})
    error = fault_of("[1e99999999999999999999]", parse_float=Decimal)
    assert error.offset == 1
    assert error.message == "parse_float does not take the number (InvalidOperation)"
    assert fault_of("9" * 400, parse_int=float).message == "the number is too large for a float"


def test_long_integers_mind_no_limit_of_the_interpreter() -> None:
    """What Python converts at most can be set as low as 640 digits: max_digits alone decides."""
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(640)
    try:
        for length in (300, 301, 640, 641, 4300):
            text = "9" * length
            assert json.decode(f"[{text},{text}]") == [10**length - 1] * 2
            assert json.decode(f'{{"a":{text}}}') == {"a": 10**length - 1}
            assert json.encode(10**length - 1).decode() == text
    finally:
        sys.set_int_max_str_digits(limit)


def test_equal_gaps_with_different_parsers_do_not_meet() -> None:
    """What the fast reader remembers of one call is no value of another's."""
    assert same(json.decode('{"a":1.50}'), {"a": 1.5})
    assert same(json.decode('{"a":1.50}', parse_float=Decimal), {"a": Decimal("1.50")})
    assert same(json.decode('{"a":1.50}'), {"a": 1.5})


def test_the_memory_of_gaps_is_bounded() -> None:
    """Ever new numbers between strings do not grow it without end."""
    remembered = gaps.Gaps(Scalars(DEFAULTS), room=8)
    for number in range(100):
        assert remembered[f":{number},"] == number
        assert list(remembered[f":{number}}}"].each)[1] == (gaps.SCALAR_VALUE, number)
        assert len(remembered) <= 8
    structures = dense.Structures()
    for number in range(3 * dense.ROOM):
        assert len(structures["," + " " * (number % 60) + "[" * (number // 60 % 50 + 1)]) > 1
        assert len(structures) <= dense.ROOM
    assert len(structures["[" * 1000]) == 1000
    assert "[" * 1000 not in structures
    long_gap = "[" * 1000
    assert len(list(remembered[long_gap].each)) == 1000
    assert long_gap not in remembered


def test_no_error_quotes_long_content() -> None:
    """A long key is cut in the path, and a value is not shown at all."""
    error = fault_of('{"' + "k" * 5000 + '":"' + "sesame" * 1000)
    assert "sesame" not in str(error)
    assert len(str(error)) < 150


def test_a_deep_path_shows_both_its_ends() -> None:
    """The path of an error stays short however deep the text is."""
    error = fault_of('{"a":' + "[" * 60 + "1,x")
    assert error.path == "$.a" + "[0]" * 15 + "…" + "[0]" * 15 + "[1]"


def test_other_types_and_options_are_refused() -> None:
    """One exception a direction, and one for an option that does not exist."""
    for data in (None, 5, ["1"]):
        fault_of(data)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        json.decode(b"1", duplicate_keys="merge")  # type: ignore[arg-type]


LENIENT: dict[str, Any] = {"control_characters": "keep", "lone_surrogates": "keep"}


@given(nearly_texts())
def test_what_is_kept_on_request_is_kept_as_in_the_standard_library(text: str) -> None:
    """With both options a text is read if json reads it with strict=False, and alike; valid text reads as without."""
    options: dict[str, Any] = {"duplicate_keys": "last", "parse_float": str, **LENIENT}
    value, error = attempt(json.decode, text, **options)
    try:
        theirs = stdlib.loads(text, strict=False, parse_float=str)
    except ValueError:
        assert error is not None
        return
    if error is None:
        assert same(value, theirs)
    else:
        assert "NaN" in str(error) or "Infinity" in str(error)
    strict, refused = attempt(json.decode, text, duplicate_keys="last", parse_float=str)
    assert refused is not None or same(strict, value)


@pytest.mark.parametrize(
    ("text", "kept", "value"),
    [
        ('"a\nb\x00\x1f"', "control_characters", "a\nb\x00\x1f"),
        ('{"\t":"\r\\n"}', "control_characters", {"\t": "\r\n"}),
        ('"\\ud800"', "lone_surrogates", "\ud800"),
        ('"\\udfffx"', "lone_surrogates", "\udfffx"),
        ('"\\ud800\\u0041"', "lone_surrogates", "\ud800A"),
        ('"\\ud83d\\ud83d\\ude00"', "lone_surrogates", "\ud83d\U0001f600"),
        ('"\\ude00\\ud83d"', "lone_surrogates", "\ude00\ud83d"),
        ('{"\\ud800":[1]}', "lone_surrogates", {"\ud800": [1]}),
    ],
)
def test_each_leniency_is_asked_for_by_its_name(text: str, kept: str, value: Any) -> None:
    """One option takes one fault and not the other."""
    (other,) = LENIENT.keys() - {kept}
    assert same(json.decode(text, **{kept: "keep"}), value)
    assert same(json.decode(text.encode(), **{kept: "keep"}), value)
    assert fault_of(text, **{other: "keep"}).offset == fault_of(text).offset
    with pytest.raises(ConfigurationError):
        json.decode("1", **{kept: "ignore"})


def test_a_surrogate_unescaped_is_never_kept() -> None:
    """No bytes could hold it, and text obeys the rules of bytes; nor does an escape pair with one."""
    assert fault_of('"\ud800"', **LENIENT).offset == 1
    assert fault_of('"\\ud83d\ude00"', **LENIENT).offset == 7
    assert fault_of(b'"\xed\xa0\x80"', **LENIENT).offset == 1
