"""What holds for the codecs together: what they export, what they keep out of, and that their examples run."""

from __future__ import annotations

import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import smswire.codec
from smswire.codec import form, json, percent

MODULES = [
    "", ".__main__", ".percent", ".form", ".form.brackets", ".form.fields", ".form.parser", ".form.serializer",
    ".form.values", ".json", ".json.careful", ".json.decoder", ".json.dense", ".json.encoder",
    ".json.flat", ".json.gaps", ".json.number", ".json.path", ".json.rules", ".json.scalars", ".json.strings",
    ".json.swift",
]  # fmt: skip


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_run(name: str) -> None:
    """Every example of the codecs is true."""
    results = doctest.testmod(importlib.import_module("smswire.codec" + name), raise_on_error=True)
    assert results.failed == 0


def test_the_examples_of_the_page_are_true() -> None:
    """What docs/codecs.md shows is what comes."""
    page = (Path(__file__).parents[2] / "docs" / "codecs.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert blocks
    test = doctest.DocTestParser().get_doctest("".join(blocks), {}, "codecs.md", None, 0)
    doctest.DebugRunner().run(test)


def test_the_codecs_use_none_of_the_standard_librarys() -> None:
    """Importing them loads no codec of the standard library, and nothing of ours but errors."""
    package = str(Path(smswire.codec.__file__).parents[1])
    # An empty package stands in for the real one, which imports the client.
    script = (
        "import sys, types; parent = sys.modules['smswire'] = types.ModuleType('smswire');"
        f"parent.__path__ = [{package!r}]; import smswire.codec; print(*sys.modules)"
    )
    command = [sys.executable, "-S", "-c", script]
    loaded = set(subprocess.run(command, capture_output=True, check=True, text=True).stdout.split())
    assert loaded.isdisjoint({"json", "_json", "urllib", "urllib.parse", "ast", "asyncio", "socket", "logging"})
    ours = {name for name in loaded if name.startswith("smswire.") and not name.startswith("smswire.codec")}
    assert ours <= {"smswire.errors"}


def test_the_public_names_are_the_documented_ones() -> None:
    """Other code may rely on these."""
    assert smswire.codec.__all__ == ["form", "json", "percent"]
    assert form.__all__ == ["MAX_BYTES", "MAX_FIELDS", "bracketed", "decode", "encode"]
    assert percent.__all__ == ["FORM", "PATH_SEGMENT", "QUERY", "UNRESERVED", "decode", "encode"]
    assert json.__name__ == "smswire.codec.json"
    for function in (form.decode, form.encode, json.decode, json.encode, percent.decode, percent.encode):
        assert callable(function)
        assert function.__doc__
