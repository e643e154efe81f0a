"""Vectors of ``smswire.codec.json.decode``: every production of RFC 8259's grammar, and every boundary."""

from __future__ import annotations

import json as stdlib
from typing import Any

import pytest

from smswire.codec import json
from smswire.codec.json import careful

from .attempt import attempt, fault_of
from .json_texts import DEFAULTS, same

VALID: list[tuple[str, Any]] = [
    (" \t\n\rnull \t\n\r", None),
    ("true", True),
    ("false", False),
    ("0", 0),
    ("-0", 0),
    ("-0.0", -0.0),
    ("0e0", 0.0),
    ("0E+0", 0.0),
    ("1e-0", 1.0),
    ("1.5", 1.5),
    ("-1.5E-2", -0.015),
    ("1e308", 1e308),
    ("1.7976931348623157e308", 1.7976931348623157e308),
    ("5e-324", 5e-324),
    ("1e-999", 0.0),
    ("12345678901234567890123", 12345678901234567890123),
    ("[]", []),
    ("[ ]", []),
    ("{}", {}),
    ("{ }", {}),
    ("[[],{},[[]]]", [[], {}, [[]]]),
    ('{"":{"":""}}', {"": {"": ""}}),
    ('{"a":1,"b":[2,{"c":null}]}', {"a": 1, "b": [2, {"c": None}]}),
    ('"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'),
    ('"\\u0000\\u001F\\u00e9\\u00E9"', "\x00\x1f\xe9\xe9"),
    ('"\\ud834\\udd1e"', "\U0001d11e"),  # section 7's own example
    ('"\\uD834\\uDd1E\\uFEFF"', "\U0001d11e\ufeff"),
    ('"\\\\u0041"', "\\u0041"),
    ('"\x7f\x80\u2028\u2029\ufeff\uffff\U0010ffff"', "\x7f\x80\u2028\u2029\ufeff\uffff\U0010ffff"),
]


@pytest.mark.parametrize(("text", "value"), VALID)
def test_vectors_that_are_json(text: str, value: Any) -> None:
    """Every production of the grammar and its boundaries."""
    assert same(json.decode(text), value)
    assert same(careful.Reader(text, DEFAULTS).read(), value)


INVALID: list[tuple[str, int, str]] = [
    ("", 0, "expected a value, found the end of the text at line 1, column 1 ($)"),
    (" \n ", 3, "expected a value, found the end of the text at line 2, column 2 ($)"),
    ("\ufeff1", 0, "expected a value, found '\\ufeff': JSON has no byte order mark at line 1, column 1 ($)"),
    ("\xa01", 0, "expected a value, found '\\xa0' at line 1, column 1 ($)"),
    ("1 2", 2, "expected the end of the text, found '2' at line 1, column 3 ($)"),
    ("1,", 1, "expected the end of the text, found ','"),
    ("]", 0, "expected a value, found ']'"),
    ("[", 1, 'expected a value or "]", found the end of the text at line 1, column 2 ($[0])'),
    ("[1", 2, 'expected "," or "]", found the end of the text at line 1, column 3 ($)'),
    ("[1,", 3, "expected a value, found the end of the text at line 1, column 4 ($[1])"),
    ("[1,]", 3, "expected a value, found ']' at line 1, column 4 ($[1])"),
    ("[1}", 2, 'expected "," or "]", found \'}\''),
    ("[,1]", 1, "expected a value or \"]\", found ','"),
    ('{"a":1,}', 7, "expected a key in double quotes, found '}' at line 1, column 8 ($)"),
    ("{a:1}", 1, "expected a key in double quotes or \"}\", found 'a'"),
    ("{'a':1}", 1, "found ''': strings stand in double quotes"),
    ('{"a"}', 4, "expected \":\", found '}' at line 1, column 5 ($.a)"),
    ('{"a":}', 5, "expected a value, found '}' at line 1, column 6 ($.a)"),
    ('{"a":1]', 6, 'expected "," or "}", found \']\' at line 1, column 7 ($)'),
    ('{"a" 1}', 5, 'expected ":"'),
    ("{1:2}", 1, "expected a key"),
    ("nul", 3, "expected null, found the end of the text"),
    ("nulL", 3, "expected null, found 'L'"),
    ("True", 0, "found 'T': JSON writes true"),
    ("NaN", 0, "found 'N': JSON has no NaN"),
    ("Infinity", 0, "found 'I': JSON has no Infinity"),
    ("-Infinity", 1, "expected a digit, found 'I': JSON has no Infinity"),
    ("-", 1, "expected a digit, found the end of the text"),
    ("+1", 0, "found '+': JSON numbers have no plus sign"),
    (".5", 0, "found '.': JSON numbers begin with a digit"),
    ("01", 1, "expected the end of the text, found '1'"),
    ("-01", 2, "expected the end of the text, found '1'"),
    ("1.", 2, "expected a digit, found the end of the text"),
    ("[1.]", 3, "expected a digit, found ']'"),
    ("1.e5", 2, "expected a digit, found 'e'"),
    ("1e", 2, "expected a digit"),
    ("1e+", 3, "expected a digit"),
    ("1.5.2", 3, "expected the end of the text, found '.'"),
    ("1e5.2", 3, "expected the end of the text, found '.'"),
    ("0x10", 1, "expected the end of the text, found 'x'"),
    ("١", 0, "expected a value, found '١'"),
    ("1١", 1, "expected the end of the text"),
    ("// a\n1", 0, "JSON has no comments"),
    ('["a" "b"]', 5, 'expected "," or "]", found \'"\''),
    ('{"a" "b"}', 5, 'expected ":", found \'"\''),
    ('{"a":"b" "c":1}', 9, 'expected "," or "}", found \'"\''),
    ('"', 1, "the string does not end"),
    ('"a\\', 3, "no such escape: a backslash and the end of the text"),
    ('"\\x41"', 2, "no such escape: a backslash and 'x'"),
    ('"\\u12', 5, "expected a hexadecimal digit, found the end of the text"),
    ('"\\u12G4"', 5, "expected a hexadecimal digit, found 'G'"),
    ('"\\u١١١١"', 3, "expected a hexadecimal digit"),
    ('"a\nb"', 2, "a control character must be escaped in a string: \\u000a at line 1, column 3"),
    ('"\x00"', 1, "a control character must be escaped in a string: \\u0000"),
    ('"\\ud800"', 1, "half of a surrogate pair"),
    ('"a\\udc00"', 2, "half of a surrogate pair"),
    ('"\\ud800\\ud800"', 1, "half of a surrogate pair"),
    ('"\\ud800\\u0041"', 1, "half of a surrogate pair"),
    ('"\\ud800x', 1, "half of a surrogate pair"),
    ('"\\udc00\\ud800"', 1, "half of a surrogate pair"),
    ('"\\ud800\\ud', 10, "the string does not end"),
    ('"\\ud800', 7, "the string does not end"),
    ('"a\\udc0', 2, "half of a surrogate pair"),
    ('"a\\uDfG', 2, "half of a surrogate pair"),
    ('"\\ud80', 6, "expected a hexadecimal digit, found the end of the text"),
    ('"\\udb8G', 6, "expected a hexadecimal digit, found 'G'"),
    ("1e999", 0, "the number is too large for a float at line 1, column 1 ($)"),
    ("[-1e999]", 1, "the number is too large for a float at line 1, column 2 ($[0])"),
    ('{"a":1,\n "a":2}', 9, "the key appears twice in its object at line 2, column 2 ($.a)"),
    ('{"a":1,"\\u0061":2}', 7, "the key appears twice in its object"),
    (
        '{"messages":[{},{"price":[0,x]}]}',
        28,
        "expected a value, found 'x' at line 1, column 29 ($.messages[1].price[1])",
    ),
    ('{"two words":{"a\\nb":x', 21, '($["two words"]["a\\nb"])'),
    ("\x00[\x001\x00]", 0, "JSON is sent as UTF-8"),
]


@pytest.mark.parametrize(("text", "offset", "sentence"), INVALID)
def test_vectors_that_are_no_json(text: str, offset: int, sentence: str) -> None:
    """Each rule of the grammar, broken once: where, and in which words."""
    error = fault_of(text)
    assert error.offset == offset
    assert sentence in str(error)


@pytest.mark.parametrize(
    ("data", "offset", "sentence"),
    [
        (b"\xef\xbb\xbf1", 0, "JSON has no byte order mark"),
        (b'"\xff"', 1, "the bytes are not UTF-8 at line 1, column 2 ($)"),
        (b'{"a":\n["\xc3\xa4\xc3"]}', 10, "the bytes are not UTF-8 at line 2, column 4 ($.a[0])"),
        (b'"\xc0\x80"', 1, "the bytes are not UTF-8"),  # overlong
        (b'"\xed\xa0\x80"', 1, "the bytes are not UTF-8"),  # a surrogate
        (b'"\xf4\x90\x80\x80"', 1, "the bytes are not UTF-8"),  # beyond U+10FFFF
        (b"1\xff", 1, "the bytes are not UTF-8"),
        (b"1 2 \xff", 2, "expected the end of the text"),
        (b'["\xc3\xa4", x, "\xff"]', 7, "expected a value, found 'x' at line 1, column 7"),
        (b"\xff\xfe1\x00", 0, "the bytes are not UTF-8"),
    ],
)
def test_bytes_must_be_utf8(data: bytes, offset: int, sentence: str) -> None:
    """RFC 8259 section 8.1, to the byte; what is wrong before that comes first."""
    error = fault_of(data)
    assert error.offset == offset
    assert sentence in str(error)


@pytest.mark.parametrize("code", range(0x20))
def test_each_control_character_stands_escaped_only(code: int) -> None:
    """Section 7: U+0000 to U+001F; in white space only the four of section 2."""
    char = chr(code)
    assert fault_of(f'"a{char}"').offset == 2
    assert json.decode(f'"\\u{code:04x}\\u{code:04X}"') == char * 2
    assert json.decode(f'"{char}"', control_characters="keep") == char
    for text in (f"{char}1", f"1{char}", f"[1{char},2]", f'{{"a"{char}:1}}'):
        assert (attempt(json.decode, text)[1] is None) == (char in " \t\n\r")


@pytest.mark.parametrize(
    "space", ["\x0b", "\x0c", "\x1c", "\x7f", "\x85", "\xa0", "\u1680", "\u2003", "\u2028", "\u3000"]
)
def test_no_other_space_is_white_space(space: str) -> None:
    """Section 2 has four, whatever Unicode says."""
    assert fault_of(f"[1,{space}2]").offset == 3
    assert fault_of(f"{space}1").offset == 0


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\r", " \t\n\r"])
def test_white_space_may_stand_between_any_two_tokens(space: str) -> None:
    """Section 2: before and after each of the six structural characters, and around the value."""
    tokens = ["", "{", '"a"', ":", "[", "1", ",", "-2.5e1", ",", "true", "]", ",", '"b"', ":", "{", "}", "}", ""]
    assert same(json.decode(space.join(tokens)), {"a": [1, -25.0, True], "b": {}})


@pytest.mark.parametrize("char", [chr(code) for code in range(0x20, 0x80)])
def test_each_character_behind_a_backslash(char: str) -> None:
    """Section 7 has eight escapes of one letter, and \\u."""
    known = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
    if char in known:
        assert json.decode(f'"\\{char}"') == known[char]
    else:
        assert fault_of(f'"\\{char}"').offset == (3 if char == "u" else 2)


@pytest.mark.parametrize("code", [0, 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xFFFE, 0xFFFF, 0x10000, 0x10FFFF])
def test_each_boundary_of_unicode(code: int) -> None:
    """Escaped, in either case, and as itself from U+0020 on: as text and in the bytes of UTF-8."""
    char = chr(code)
    escaped = stdlib.dumps(char) if code != 0x7F else '"\\u007f"'
    assert json.decode(escaped) == json.decode(escaped.upper().replace("\\U", "\\u")) == char
    if char >= " ":
        assert json.decode(f'"{char}"') == json.decode(f'"{char}"'.encode()) == char


@pytest.mark.parametrize("first", [0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000])
@pytest.mark.parametrize("second", [0xD7FF, 0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0xE000])
def test_each_boundary_of_the_surrogates(first: int, second: int) -> None:
    """A high one and a low one are a character; any other meeting is half a pair, pointed at where it stands."""
    text = f'"\\u{first:04x}\\u{second:04X}"'
    halves = [0xD800 <= code <= 0xDFFF for code in (first, second)]
    if 0xD800 <= first <= 0xDBFF and 0xDC00 <= second <= 0xDFFF:
        assert json.decode(text) == chr(0x10000 + ((first - 0xD800) << 10) + second - 0xDC00)
    elif any(halves):
        assert fault_of(text).offset == 1 + 6 * halves.index(True)
    else:
        assert json.decode(text) == chr(first) + chr(second)
    assert json.decode(text, lone_surrogates="keep") == stdlib.loads(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.797693134862315807e308", 1.7976931348623157e308),  # below half way to the next, which there is not
        ("1.797693134862315808e308", None),
        ("-1.797693134862315808e308", None),
        ("179769313486231581" + "0" * 291 + ".0", None),
        ("2.4703282292062328e-324", 5e-324),  # above half of the least
        ("2.4703282292062327e-324", 0.0),
        ("-2.4703282292062327e-324", -0.0),
        ("2.2250738585072014e-308", 2.2250738585072014e-308),  # the least that is normal
        ("2.2250738585072011e-308", 2.225073858507201e-308),
        ("9007199254740993", 9007199254740993),  # 2**53 + 1 is exact as an integer,
        ("9007199254740993.0", 9007199254740992.0),  # and the nearest even as a float
        ("9007199254740993.00000000000001", 9007199254740994.0),
        ("1e308", 1e308),
        ("1e309", None),
        ("0e999999999999", 0.0),
        ("-0e-999999999999", -0.0),
    ],
)
def test_each_boundary_of_the_floats(text: str, value: float | None) -> None:
    """The nearest float, ties to even; what rounds to no finite one is an error (section 9 allows the limit)."""
    if value is None:
        assert "too large" in fault_of(text).message
    else:
        assert same(json.decode(text), value)
