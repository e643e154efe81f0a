"""What stands between two strings of a JSON text, cut into tokens and remembered.

A *gap* is ``{``, ``:``, ``,``, ``:0.075,``, ``:null},{``: structure, numbers and words. Gaps repeat from message to
message, so what one consists of is worked out once and remembered, by its text alone; what it means where it stands is
the reader's affair. The three that fill most texts have a form of their own, so that the reader need not take them
apart: a colon, a comma, and a whole value between the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from math import isinf
from typing import Any, Final

from .number import MAX_DIGITS, NUMBER, Unfit, convert

# Kinds of token; a scalar is a number, true, false or null, and a number is one that its reader is yet to convert.
NUMBER_TEXT, SCALAR, COLON, COMMA, CLOSE_OBJECT, CLOSE_ARRAY, OPEN_OBJECT, OPEN_ARRAY = range(8)

_MARKS = {":": COLON, ",": COMMA, "{": OPEN_OBJECT, "[": OPEN_ARRAY, "}": CLOSE_OBJECT, "]": CLOSE_ARRAY}
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = " \t\n\r"
_TOKEN = re.compile(
    rf"[ \t\n\r]*+(?:(?P<mark>[:,{{}}\[\]])|(?P<word>true|false|null)|(?P<number>{NUMBER})|(?P<end>\Z))"
)
_NUMBER = re.compile(NUMBER)  # of its groups none takes part in an integer

# What stands between two strings of a message is short: longer gaps are not worth remembering.
_MAX_REMEMBERED = 64
_ROOM = 4096


class GiveUp(Exception):
    """The text is not valid, or not for this reader: read it carefully."""


class Tokens:
    """The tokens of a gap, (kind, value) each: of a short gap a tuple, of a long one found as they are asked for."""

    __slots__ = ("each",)

    def __init__(self, each: Iterable[tuple[int, Any]]) -> None:
        self.each = each


JUST_COLON: Final = Tokens([(COLON, None)])
JUST_COMMA: Final = Tokens([(COMMA, None)])


class Gaps(dict[str, Any]):
    """Gap to meaning: ``JUST_COLON``, ``JUST_COMMA``, the scalar between a colon and a comma, else :class:`Tokens`.

    A number is converted here with ``converts``, by the default rules; without, it stays text.
    """

    __slots__ = ("converts", "room")

    def __init__(self, *, converts: bool, room: int = _ROOM) -> None:
        self.converts = converts
        self.room = room

    def __missing__(self, gap: str) -> Any:
        if len(gap) > _MAX_REMEMBERED:
            return Tokens(self._cut(gap))
        if len(self) >= self.room:
            self.clear()
        self[gap] = meaning = self._work_out(gap.strip(_SPACE))
        return meaning

    def _work_out(self, gap: str) -> Any:
        if gap[:1] != ":" or gap[-1:] != ",":
            return JUST_COLON if gap == ":" else JUST_COMMA if gap == "," else Tokens(tuple(self._cut(gap)))
        scalar = gap[1:-1].strip(_SPACE)
        if scalar in _WORDS:
            return _WORDS[scalar]
        number = _NUMBER.fullmatch(scalar)
        if number is None or not self.converts:
            return Tokens(tuple(self._cut(gap)))
        if number.lastindex is None:
            return int(scalar)  # as short as it is it passes no limit
        value = float(scalar)
        if isinf(value):
            raise GiveUp
        return value

    def _cut(self, gap: str) -> Iterator[tuple[int, Any]]:
        at = 0
        while at < len(gap):
            match = _TOKEN.match(gap, at)
            if match is None:
                raise GiveUp
            at = match.end()
            mark, word, number = match.group("mark", "word", "number")
            if mark:
                yield _MARKS[mark], None
            elif word:
                yield SCALAR, _WORDS[word]
            elif number:
                is_integer = match["fraction"] is None and match["exponent"] is None
                yield (SCALAR, _convert(number, is_integer)) if self.converts else (NUMBER_TEXT, (number, is_integer))


def _convert(number: str, is_integer: bool) -> Any:
    try:
        return convert(number, is_integer, MAX_DIGITS, int, float)
    except Unfit:
        raise GiveUp from None
