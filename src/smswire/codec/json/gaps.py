"""What stands between two strings of a JSON text, cut into tokens and remembered.

A *gap* is ``{``, ``:``, ``,``, ``:0.075,``, ``:null},{``: structure, numbers and words. Gaps repeat from message to
message, so what one consists of is worked out once and remembered, by its text alone; what it means where it stands is
the reader's affair. The three that fill most texts have a form of their own, so that the reader need not take them
apart: a colon, a comma, and a whole value between the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from .number import MAX_DIGITS, NUMBER, Unfit, convert

# Kinds of token; a scalar is a number, true, false or null, and a number is one that its reader is yet to convert.
NUMBER_TEXT, SCALAR, COLON, COMMA, CLOSE_OBJECT, CLOSE_ARRAY, OPEN_OBJECT, OPEN_ARRAY = range(8)

_MARKS = {":": COLON, ",": COMMA, "{": OPEN_OBJECT, "[": OPEN_ARRAY, "}": CLOSE_OBJECT, "]": CLOSE_ARRAY}
_WORDS = {"true": True, "false": False, "null": None}
_SPACE = " \t\n\r"
_SCALAR = rf"(?P<word>true|false|null)|(?P<number>{NUMBER})"
_TOKEN = re.compile(rf"[ \t\n\r]*+(?:(?P<mark>[:,{{}}\[\]])|{_SCALAR}|(?P<end>\Z))")
_MEMBER = re.compile(rf":[ \t\n\r]*+(?:{_SCALAR})[ \t\n\r]*+,")

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
        core = gap.strip(_SPACE)
        if core == ":":
            meaning: Any = JUST_COLON
        elif core == ",":
            meaning = JUST_COMMA
        else:
            member = _MEMBER.fullmatch(core)
            if member is None or not (self.converts or member["word"]):
                meaning = Tokens(tuple(self._cut(gap)))
            else:
                meaning = self._scalar(member)[1]
        if len(self) >= self.room:
            self.clear()
        self[gap] = meaning
        return meaning

    def _cut(self, gap: str) -> Iterator[tuple[int, Any]]:
        at = 0
        while at < len(gap):
            match = _TOKEN.match(gap, at)
            if match is None:
                raise GiveUp
            at = match.end()
            mark = match["mark"]
            if mark:
                yield _MARKS[mark], None
            elif match.lastgroup != "end":
                yield self._scalar(match)

    def _scalar(self, match: re.Match[str]) -> tuple[int, Any]:
        word, number, fraction, exponent = match.group("word", "number", "fraction", "exponent")
        if word:
            return SCALAR, _WORDS[word]
        is_integer = fraction is None and exponent is None
        if not self.converts:
            return NUMBER_TEXT, (number, is_integer)
        try:
            return SCALAR, convert(number, is_integer, MAX_DIGITS, int, float)
        except Unfit:
            raise GiveUp from None
