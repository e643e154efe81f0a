"""Reading parameters: strictly, with the standard library."""

from __future__ import annotations

import contextlib
import json
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.fields import MalformedError, read

from .raw import FORM, JSON

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
FIELDS = st.dictionaries(TEXTS.filter(lambda name: not name.endswith("[]")), TEXTS, max_size=6)


@given(FIELDS)
def test_a_call_reads_the_same_from_query_form_and_json(fields: dict[str, str]) -> None:
    """Three notations of the same parameters."""
    encoded = urlencode(fields)
    assert read("GET", encoded, None, b"") == fields
    assert read("POST", encoded, FORM, b"") == fields
    assert read("POST", "", f"{FORM}; charset=UTF-8", encoded.encode()) == fields
    assert read("POST", "", JSON, json.dumps(fields).encode()) == fields


@given(st.binary(max_size=40), st.sampled_from([FORM, JSON, "text/plain", None]))
def test_any_body_is_read_or_malformed(body: bytes, content_type: str | None) -> None:
    """Nothing else is raised, whatever arrives."""
    with contextlib.suppress(MalformedError):
        assert isinstance(read("POST", "", content_type, body), dict)


MALFORMED = [
    ("GET", "", FORM, b"to=1"),
    ("POST", "to=1&to=2", None, b""),
    ("POST", "to=1", FORM, b"to=1"),
    ("POST", "text=100%", None, b""),
    ("POST", "text=%zz", None, b""),
    ("POST", "text=%FC", None, b""),
    ("POST", "", FORM, b"text=\xfc"),
    ("POST", "", FORM, b"&".join(b"a%d=" % number for number in range(1001))),
    ("POST", "", f"{FORM}; charset=iso-8859-1", b"text=x"),
    ("POST", "", None, b"text=x"),
    ("POST", "", "multipart/form-data; boundary=x", b"--x--"),
    ("POST", "", JSON, b"[]"),
    ("POST", "", JSON, b"{"),
    ("POST", "", JSON, b'{"to": "1", "to": "2"}'),
    ("POST", "", JSON, b'{"to": NaN}'),
    ("POST", "", JSON, b'{"text": "\\ud83d"}'),
    ("POST", "", JSON, b'{"ttl": ' + b"9" * 5000 + b"}"),
    ("POST", "", JSON, b'{"files": ' + b"[" * 100_000 + b"}"),
]


@pytest.mark.parametrize(("method", "query", "content_type", "body"), MALFORMED)
def test_what_two_readers_could_read_differently_is_malformed(
    method: str, query: str, content_type: str | None, body: bytes
) -> None:
    """And the reason holds nothing of what was sent."""
    with pytest.raises(MalformedError) as caught:
        read(method, query, content_type, body)
    assert "1" not in caught.value.reason.replace("1000", "")


def test_json_null_is_a_parameter_left_out() -> None:
    """As SDKs with optional fields send it; other values keep their types."""
    assert read("POST", "", JSON, b'{"label": null, "flash": true, "ttl": 5}') == {"flash": True, "ttl": 5}


def test_a_bracket_name_may_repeat() -> None:
    """The one notation in which that is a list."""
    assert read("POST", "ids[]=1&ids%5B%5D=2", None, b"") == {"ids[]": ["1", "2"]}
