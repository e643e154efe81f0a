"""``python -m bench codecs``: our codecs against the standard library's, most of which are C."""

from __future__ import annotations

import json as stdlib
import json.decoder
import json.scanner
import urllib.parse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import click

from smswire.codec import form, json

from . import samples
from .race import Case, race
from .report import collect, print_table, write_json

_dumps = partial(stdlib.dumps, ensure_ascii=False, separators=(",", ":"))


class PureDecoder(stdlib.JSONDecoder):
    """The standard library without its C."""

    def __init__(self) -> None:
        super().__init__()
        self.parse_string = stdlib.decoder.py_scanstring
        self.scan_once = stdlib.scanner.py_make_scanner(self)


_pure = PureDecoder()


def _parse_qsl(body: bytes) -> list[tuple[str, str]]:
    return urllib.parse.parse_qsl(body.decode("ascii"))  # of bytes it refuses some, in CPython 3.11


def _pure_loads(data: bytes) -> Any:
    return _pure.decode(data.decode())


def _each_round(count: int, make: Callable[[Random], Any]) -> Callable[[int], list[Any]]:
    """``count`` inputs made by ``make``, others in each round and the same in each run."""

    def inputs(number: int) -> list[Any]:
        draw = Random(number)  # noqa: S311  (made to be repeated)
        return [make(draw) for _ in range(count)]

    return inputs


def _dumped(make: Callable[[Random], Any]) -> Callable[[Random], bytes]:
    return lambda draw: _dumps(make(draw)).encode()


def _urlencoded(make: Callable[[Random], Any]) -> Callable[[Random], bytes]:
    return lambda draw: urllib.parse.urlencode(make(draw)).encode()


def cases() -> list[Case]:
    """Goals are the project's; of 1.0 for text that no answer looks like: not slower than plain Python."""
    rows: list[Case] = []
    forms = [
        ("9 fields of a send", 1000, samples.send, 0.35, 0.8),
        ("1 MB text of many scripts", 1, samples.long_text, 0.25, 0.5),
        ("1 MB of 70,000 recipients", 1, samples.many_recipients, 0.25, 0.5),
    ]
    for name, count, make, goal, _ in forms:
        inputs = _each_round(count, make)
        rows.append(Case(f"form.encode, {name}", "urlencode", goal, form.encode, urllib.parse.urlencode, inputs))
    for name, count, make, _, goal in forms:
        inputs = _each_round(count, _urlencoded(make))
        rows.append(Case(f"form.decode, {name}", "parse_qsl", goal, form.decode, _parse_qsl, inputs))
    for name, count, value, goal in (
        ("flat request", 1000, samples.send, 0.6),
        ("bundle answer of 1 MB", 1, samples.answer_of_a_megabyte, 3.0),
    ):
        inputs = _each_round(count, value)
        rows.append(Case(f"json.encode, {name}", "json.dumps (C)", goal, json.encode, _dumps, inputs))
    for name, count, text, goal in (
        ("400-byte answer", 1000, samples.answer_of_400_bytes, 2.0),
        ("1 MB answer of 2,500 messages", 1, _dumped(samples.answer_of_a_megabyte), 2.5),
        ("400-byte answer, escapes and indents", 1000, samples.escaped_answer_of_400_bytes, 4.0),
    ):
        inputs = _each_round(count, text)
        rows.append(Case(f"json.decode, {name}", "json.loads (C)", goal, json.decode, stdlib.loads, inputs))
        rows.append(Case(f"json.decode, {name}", "json, pure Python", 0.35, json.decode, _pure_loads, inputs))
    for name, make in (
        ("20,000 numbers", samples.numbers),
        ("7,000 objects of two numbers", samples.points),
        ("7,000 rows of numbers and words", samples.rows),
        ("20,000 empty arrays and objects", samples.empties),
    ):
        inputs = _each_round(1, _dumped(make))
        rows.append(Case(f"json.decode, {name}", "json, pure Python", 1.0, json.decode, _pure_loads, inputs))
    return rows


@click.command()
@click.option("--rounds", type=click.IntRange(1), default=25, show_default=True)
@click.option("--only", default="", help="Only the cases whose name holds this.")
@click.option("--json", "path", type=click.Path(dir_okay=False, path_type=Path), help="Write the ratios to a file.")
def codecs(rounds: int, only: str, path: Path | None) -> None:
    """Percent, form and JSON against urllib.parse and json."""
    chosen = [case for case in cases() if only in case.name]
    results = collect(race(chosen, rounds), len(chosen))
    print_table(results)
    if path is not None:
        write_json(results, path)
