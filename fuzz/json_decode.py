"""JSON decoding reads exactly what json.loads reads, alike, and points at the first character that cannot stand there.

By default it permits itself to refuse what ``REFUSED`` names, and nothing else.
"""

from __future__ import annotations

import json as stdlib
from decimal import Decimal
from typing import Any

from smswire.codec import json
from smswire.codec.json import careful, dense, swift
from smswire.codec.json.rules import GiveUp, Rules
from smswire.codec.json.strings import cut
from smswire.errors import DecodeError

TOKENS = [
    b"{", b"}", b"[", b"]", b":", b",", b'"', b"\\", b'\\"', b"\\\\", b"\\n", b"\\u0041", b"\\ud83d", b"\\ude00",
    b"true", b"false", b"null", b"NaN", b"Infinity", b"-", b"0", b"1.5", b"e+9", b"1e999", b'"a":',
    b"\xc3\xa4", b" \r\n\t",
]  # fmt: skip
SEEDS = [
    b"", b"null", b"[true,false,null]", b"-0.0", b"12e-3", b"01", b"1.", b"-", b"1e999", b"NaN", b"-Infinity",
    b'{"success":"100","total_price":0.075,"messages":[{"id":"77","price":null,"parts":1}]}',
    b'[ { "a" : 1 , "a" : 2 } , "\\ud83d\\ude00\\ud83d" ]', b'"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4"', b'"\x00"',
    b'["\xc3\xa4\xff"]', b"\xef\xbb\xbf1", b"[[[[[[[[", b'{"a":{"b":{"c":[[]]}}}', b"1 2", b"[1,]", b'{"a":1,}', b"nul",
    b'"\\x"', b'"\\u12', b"[" * 70 + b"]" * 70, b"9" * 50,
    b"[[1,2.5,-3],[],[{},{}],[true,null]]", b'[{"x":1.5,"y":-2},{"x":1e5,"y":[]}]', b"[1,2],[3]",
]  # fmt: skip

# With these nothing but the grammar decides, and json.loads with the same parsers is no laxer.
GRAMMAR_ONLY: dict[str, Any] = {
    "max_depth": 200, "max_digits": 10**6, "duplicate_keys": "last", "lone_surrogates": "keep",
    "parse_float": str, "parse_int": str,
}  # fmt: skip
# What docs/codecs.md lists: refused here, read by json.loads.
REFUSED = ("appears twice", "surrogate pair", "too large for a float", "nested deeper", "digits")


def check(data: bytes) -> None:
    value, error = attempt(data, **GRAMMAR_ONLY)
    try:
        text = data.decode()
    except UnicodeDecodeError as not_utf8:
        assert error is not None
        assert error.offset is not None
        assert error.offset <= not_utf8.start
        check_place(data, error)
        return
    theirs = read_with_the_standard_library(text)
    if error is None:
        assert theirs == [repr(value)]
    else:
        check_place(data, error)
        assert not theirs or "nested deeper" in error.message
    check_text_is_read_alike(text, value, error)
    check_defaults(text)


def check_place(data: bytes, error: DecodeError) -> None:
    """The text before the fault is valid or ends too soon, and line and column say the same as the offset."""
    assert error.offset is not None
    assert 0 <= error.offset <= len(data)
    before = data[: error.offset].decode()
    assert (error.line, error.column) == (before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1)
    _, too_soon = attempt(before, **GRAMMAR_ONLY)
    assert too_soon is None or too_soon.offset == len(before)
    assert str(error).isprintable()


def check_text_is_read_alike(text: str, value: Any, error: DecodeError | None) -> None:
    same_value, same_error = attempt(text, **GRAMMAR_ONLY)
    assert repr(same_value) == repr(value)
    assert (same_error is None) == (error is None)
    if same_error and error:
        assert (same_error.message, same_error.line, same_error.column) == (error.message, error.line, error.column)


def check_defaults(text: str) -> None:
    """All readers agree, under every rule for keys, and with json.loads to the type."""
    for duplicate_keys in ("error", "last", "first"):
        value, error = attempt(text, duplicate_keys=duplicate_keys)
        rules = Rules(json.MAX_DEPTH, json.MAX_DIGITS, duplicate_keys, float, int)
        try:
            slowly = careful.Reader(text, rules).read()
        except DecodeError as careful_error:
            assert str(careful_error) == str(error)
        else:
            assert repr(slowly) == repr(value)
        check_fast_readers(text, rules, value, error)
        if duplicate_keys == "first":
            continue
        if error is None:
            assert repr(stdlib.loads(text)) == repr(value)
        elif read_with_the_standard_library(text):
            assert any(reason in error.message for reason in REFUSED), error
    attempt(text, parse_float=Decimal, control_characters="keep", max_depth=3, max_digits=5)


def check_fast_readers(text: str, rules: Rules, value: Any, error: DecodeError | None) -> None:
    """Whichever of them reads the text at all reads this value."""
    for reader in (swift, dense):
        try:
            fast = reader.read(cut(text, text.encode()), rules)
        except GiveUp:
            continue
        assert error is None
        assert repr(fast) == repr(value)


def attempt(data: bytes | str, **options: Any) -> tuple[Any, DecodeError | None]:
    try:
        return json.decode(data, **options), None
    except DecodeError as error:
        return None, error


def read_with_the_standard_library(text: str) -> list[str]:
    """The repr of what it reads, or nothing."""
    try:
        return [repr(stdlib.loads(text, parse_float=str, parse_int=str, parse_constant=refuse))]
    except (ValueError, RecursionError):
        return []


def refuse(constant: str) -> None:
    raise ValueError(constant)
