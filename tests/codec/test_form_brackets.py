"""The laws of ``smswire.codec.form.bracketed``, with PHP's way to read names as witness."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.codec import form
from smswire.errors import EncodeError

from .test_form import TEXT, Kind

LEAVES = TEXT | st.integers(-9, 9) | st.booleans() | st.lists(TEXT, min_size=1, max_size=2)
KEYS = st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), min_size=1, max_size=4)
NESTED = st.recursive(
    LEAVES,
    lambda inner: (
        st.dictionaries(KEYS, inner, min_size=1, max_size=3)
        | st.lists(st.dictionaries(KEYS, inner, min_size=1, max_size=2), min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def gather(fields: list[tuple[str, Any]]) -> dict[str, Any]:
    """What PHP reads: each name is a path of keys; a container whose keys count from 0 is taken for a list."""
    root: dict[str, Any] = {}
    for name, value in fields:
        key, *inner = name.replace("]", "").split("[")
        box = root
        for next_key in inner:
            box = box.setdefault(key, {})
            key = next_key
        box[key] = value
    return root


def as_php_sees(value: Any) -> Any:
    """The same with lists of mappings as mappings from "0", "1", …: PHP knows no other lists."""
    if isinstance(value, list) and isinstance(value[0], dict):
        value = {str(index): item for index, item in enumerate(value)}
    return {key: as_php_sees(item) for key, item in value.items()} if isinstance(value, dict) else value


@given(st.dictionaries(KEYS, NESTED, max_size=3))
def test_bracketed_names_lead_back_to_the_nested_values(fields: dict[str, Any]) -> None:
    """gather(bracketed(fields)) is fields: no two nestings that PHP tells apart share their names."""
    flat = form.bracketed(fields)
    assert gather(flat) == as_php_sees(fields)
    assert flat == form.bracketed(list(fields.items())) == form.bracketed(flat)
    form.encode(flat)


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        ({}, b""),
        ({"files": []}, b""),
        ({"files": [{}]}, b""),
        ({"to": ["1", "2"]}, b"to=1&to=2"),
        ({"files": [{"name": "a.pdf", "validity": 7}]}, b"files%5B0%5D%5Bname%5D=a.pdf&files%5B0%5D%5Bvalidity%5D=7"),
        ({"f": ({"a": "1"}, {"a": None, "b": ["2", "3"]})}, b"f%5B0%5D%5Ba%5D=1&f%5B1%5D%5Bb%5D=2&f%5B1%5D%5Bb%5D=3"),
        ({"f": {"a": {"b": True}}, "g": "x"}, b"f%5Ba%5D%5Bb%5D=1&g=x"),
        ([(Kind.GSM, {Kind.GSM: "x"})], b"gsm%5Bgsm%5D=x"),
    ],
)
def test_vectors_of_bracketed_names(fields: Any, body: bytes) -> None:
    """The spelling that PHP, and with it the gateway, reads."""
    assert form.encode(form.bracketed(fields)) == body


def test_what_brackets_cannot_name_is_refused() -> None:
    """The error names the field: a key with a bracket in it, one that is no str, and nesting without end."""
    ring: dict[str, Any] = {}
    ring["again"] = [ring]
    deep: Any = "x"
    for _ in range(16):
        deep = {"a": deep}
    assert form.bracketed({"field": deep}) == [("field" + "[a]" * 16, "x")]
    for value in ({"a]": "x"}, {"a": {"[": "x"}}, [{1: "x"}], {"": "x"}, {b"a": "x"}, ring, {"a": deep}):
        with pytest.raises(EncodeError) as caught:
            form.bracketed({"field": value})
        assert caught.value.path is not None
        assert caught.value.path.startswith("field")
    for value in ({"c": "x"}, [{"c": "x"}]):
        with pytest.raises(EncodeError, match="cannot hold nested values"):
            form.bracketed({"a[b]": value})
        with pytest.raises(EncodeError, match="cannot hold nested values"):
            form.bracketed({"": value})
    assert form.bracketed({"a[b]": "x"}) == [("a[b]", "x")]
    with pytest.raises(EncodeError, match="name of a field"):
        form.bracketed([(5, {"a": "x"})])  # type: ignore[list-item]
    with pytest.raises(EncodeError, match=r"at files$"):
        form.encode(form.bracketed({"files": [{"a": "x"}, "y"]}))
