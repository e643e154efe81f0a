"""Numbers and words as they stand in a text, and their values: one by one, or in runs with commas between.

An array of numbers is one run, whose values the interpreter makes in one step.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from .number import INFINITE, NUMBER, Unfit, convert
from .rules import GiveUp, Rules

SCALAR: Final = rf"(?:{NUMBER}|true|false|null)"
"""A number or a word, as a regular expression. At each place it matches or fails in a few steps."""

_SPACE = r"[ \t\n\r]*+"
_ITEM = rf"(?:{SCALAR}|\[{_SPACE}\]|\{{{_SPACE}\}})"

RUN: Final = rf"{_ITEM}(?:{_SPACE},{_SPACE}{_ITEM}){{0,999}}"
"""Up to 1,000 scalars, so that no list of them grows with the text. Arrays and objects with nothing in them count."""

_WORDS = {"true": True, "false": False, "null": None}
_EMPTY: dict[str, Callable[[], Any]] = {"[]": list, "{}": dict}

# Numbers up to this length are within every float, and within what Python converts however it is set.
_SHORT = 300


class Scalars:
    """The values of the scalars of a text, under its rules. Where one breaks a rule: :class:`.rules.GiveUp`."""

    __slots__ = ("real", "rules")

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        is_usual = rules.parse_int is int and rules.max_digits >= _SHORT
        self.real: Any = rules.parse_float if is_usual and rules.parse_float in (float, Decimal) else None

    def one(self, text: str) -> Any:
        """The value of one scalar."""
        if text > ":":  # a word or a bracket
            if text in _WORDS:
                return _WORDS[text]
            if text in _EMPTY:
                return _EMPTY[text]()
        elif self.real is not None and len(text) <= _SHORT:
            if text.isdigit():
                return int(text)
            if "." in text and "e" not in text and "E" not in text:
                return self.real(text)
        return self.exact(text)

    def many(self, run: str) -> list[Any]:
        """The values of a run of scalars."""
        texts = run.split(",")
        if self.real is None or (len(run) > _SHORT and max(map(len, texts)) > _SHORT):
            return [self.exact(text) for text in texts]
        points = run.count(".")
        has_letters = "e" in run or "E" in run or "n" in run
        one = self.one
        if "[" in run or "{" in run:
            return [_EMPTY[text]() if text in _EMPTY else one(text) for text in texts]
        if not points and not has_letters:
            return list(map(int, texts))
        if points == len(texts) and (not has_letters or self.real is float):
            values = list(map(self.real, texts))
            if has_letters and (INFINITE[0] in values or INFINITE[1] in values):
                raise GiveUp
            return values
        return [int(text) if text.isdigit() else _WORDS[text] if text in _WORDS else one(text) for text in texts]

    def exact(self, text: str) -> Any:
        """The value of one scalar, with white space around or not: the way that knows every rule."""
        text = text.strip()
        if text in _WORDS:
            return _WORDS[text]
        if text[0] in "[{":
            return [] if text[0] == "[" else {}
        rules = self.rules
        is_integer = "." not in text and "e" not in text and "E" not in text
        try:
            return convert(text, is_integer, rules.max_digits, rules.parse_int, rules.parse_float)
        except Unfit:
            raise GiveUp from None
