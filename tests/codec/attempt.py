"""Calls a decoder and hands back what came of it, so that a law can speak of both outcomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smswire.codec import json
from smswire.errors import DecodeError


def attempt(decode: Callable[..., Any], *arguments: Any, **options: Any) -> tuple[Any, DecodeError | None]:
    """The value and None, or None and the DecodeError; anything else that is raised goes through."""
    try:
        return decode(*arguments, **options), None
    except DecodeError as error:
        return None, error


def fault_of(data: bytes | str, **options: Any) -> DecodeError:
    """The error of JSON that has to be refused."""
    with pytest.raises(DecodeError) as caught:
        json.decode(data, **options)
    return caught.value
