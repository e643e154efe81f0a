"""The twins are alike: whoever knows the blocking client and gateway object knows the asyncio ones."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from smswire import AsyncClient, AsyncGateway, Client, Gateway
from smswire.gateway import AsyncSmsStream, SmsStream

TWINS = [(Client, AsyncClient), (Gateway, AsyncGateway), (SmsStream, AsyncSmsStream)]
# What asyncio calls by another name.
NAMES = {
    "close": "aclose",
    "__enter__": "__aenter__",
    "__exit__": "__aexit__",
    "__iter__": "__aiter__",
    "__next__": "__anext__",
}
# What an object is called, and does, in every class.
SHARED = {"__init__", "__repr__", "__del__", *NAMES}


def face(kind: type) -> dict[str, Any]:
    """What a class of ours shows, by name."""
    return {
        name: value
        for name, value in vars(kind).items()
        if not name.startswith("_") or name in {*SHARED, *NAMES.values()}
    }


def parameters(function: Any) -> list[tuple[str, Any, Any]]:
    return [(one.name, one.kind, one.default) for one in inspect.signature(function).parameters.values()]


def first_line(function: Any) -> str:
    return (function.__doc__ or "").strip().partition("\n")[0]


PAIRS = [
    pytest.param(getattr(kind, name), getattr(twin, NAMES.get(name, name)), id=f"{kind.__name__}.{name}")
    for kind, twin in TWINS
    for name, value in face(kind).items()
    if inspect.isfunction(value)
]


@pytest.mark.parametrize(("kind", "twin"), TWINS)
def test_twins_have_the_same_names(kind: type, twin: type) -> None:
    """But for those that asyncio spells with an a."""
    assert {NAMES.get(name, name) for name in face(kind)} == set(face(twin))


@pytest.mark.parametrize(("one", "other"), [pair for pair in PAIRS if "__exit__" not in str(pair.id)])
def test_a_method_has_the_same_parameters_defaults_and_first_line(one: Any, other: Any) -> None:
    """In the same order, and of the same kind."""
    assert parameters(one) == parameters(other)
    assert first_line(one) == first_line(other)


@pytest.mark.parametrize(("kind", "twin"), TWINS[:2])
def test_the_arguments_of_a_class_are_documented_alike(kind: type, twin: type) -> None:
    """Each one by its name."""
    names = list(inspect.signature(kind).parameters)
    assert names
    for name in names:
        assert f"\n    {name}" in (inspect.getdoc(kind) or "")
        assert f"\n    {name}" in (inspect.getdoc(twin) or "")


def test_there_are_pairs_to_compare() -> None:
    """Every call is among them."""
    compared = {str(pair.id) for pair in PAIRS}
    assert compared >= {f"Gateway.{name}" for name in ("sms", "sms_many", "sms_stream", "balance", "call", "close")}
    assert compared >= {"Client.request", "Client.stats", "Client.close", "SmsStream.close", "SmsStream.__next__"}
