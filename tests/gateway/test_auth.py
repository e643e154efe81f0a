"""The API key: shown to the gateway in four ways, and to nobody else."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import ConfigurationError
from smswire.gateway.auth import STYLES, Auth, Style

KEY = "kEy-4711-0815"
keys = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1)


@given(key=keys, style=st.sampled_from(STYLES))
def test_every_style_shows_the_key_as_it_is_in_exactly_one_place(key: str, style: Style) -> None:
    """No style encodes the key, and none sends it twice."""
    auth = Auth(key, style)
    shown = [value.rpartition(" ")[2] for _, value in auth.headers()] + [value for _, value in auth.parameters()]
    assert shown == [key]


def test_each_style_has_the_documented_form() -> None:
    """The gateway's own spelling, down to the small b of basic."""
    assert Auth(KEY).headers() == [("Authorization", f"basic {KEY}")]
    assert Auth(KEY, "bearer").headers() == [("Authorization", f"Bearer {KEY}")]
    assert Auth(KEY, "x_api_key").headers() == [("X-Api-Key", KEY)]
    assert Auth(KEY, "p").parameters() == [("p", KEY)]


@pytest.mark.parametrize("show", [repr, str, format, ascii, lambda auth: f"{[auth]} {auth.style}"])
def test_no_text_of_it_holds_the_key(show: object) -> None:
    """However it is turned into text, the key stays out."""
    assert KEY not in show(Auth(KEY))  # type: ignore[operator]


@pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
def test_it_is_not_pickled_and_not_copied(take: object) -> None:
    """A pickle travels further than a secret may."""
    with pytest.raises(TypeError, match="not pickled") as caught:
        take(Auth(KEY))  # type: ignore[operator]
    assert KEY not in str(caught.value)


@given(
    prefix=st.just("sEcReT"),
    fault=st.one_of(st.characters(max_codepoint=0x20), st.characters(min_codepoint=0x7F)),
    suffix=st.just("TaIl"),
)
def test_a_key_that_no_header_can_carry_is_refused_and_not_shown(prefix: str, fault: str, suffix: str) -> None:
    """Spaces, controls and everything beyond ASCII; the error repeats none of it."""
    with pytest.raises(ConfigurationError) as caught:
        Auth(prefix + fault + suffix)
    assert prefix not in str(caught.value)
    assert suffix not in str(caught.value)


@pytest.mark.parametrize("key", ["", None, b"bytes", 4711, ["a"]])
def test_a_key_is_a_str_and_not_empty(key: object) -> None:
    """An unset environment variable must fail here, not as code 900 later."""
    with pytest.raises(ConfigurationError):
        Auth(key)  # type: ignore[arg-type]


@pytest.mark.parametrize("style", ["Basic", "", None, "digest"])
def test_an_unknown_style_is_refused(style: object) -> None:
    """Four styles, by their exact names."""
    with pytest.raises(ConfigurationError, match="basic, x_api_key, bearer, p"):
        Auth(KEY, style)  # type: ignore[arg-type]
