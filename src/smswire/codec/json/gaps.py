"""What stands between two strings of a JSON text, cut into tokens and remembered.

A *gap* is ``{``, ``:``, ``,``, ``:0.075,``, ``:null},{``: structure, numbers and words. Gaps repeat from message to
message, so what one consists of is worked out once and remembered, by its text alone; what it means where it stands is
the reader's affair. The three that fill most texts have a form of their own, so that the reader need not take them
apart: a colon, a comma, and a whole value between the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from .number import MAX_DIGITS, NUMBER, Unfit, convert

# Kinds of token; a scalar is a number, true, false or null, and a number is one that its reader is yet to convert.
NUMBER_TEXT, SCALAR, COLON, COMMA, CLOSE_OBJECT, CLOSE_ARRAY, OPEN_OBJECT, OPEN_ARRAY = range(8)

_MARKS = {":": COLON, ",": COMMA, "{": OPEN_OBJECT, "[": OPEN_ARRAY, "}": CLOSE_OBJECT, "]": CLOSE_ARRAY}
_WORDS = {"true": True, "false": False, "null": None}
_TOKEN = re.compile(
    rf"[ \t\n\r]*+(?:(?P<mark>[:,{{}}\[\]])|(?P<word>true|false|null)|(?P<number>{NUMBER})|(?P<end>\Z))"
)
_NUMBER_MEMBER = re.compile(rf"[ \t\n\r]*+:[ \t\n\r]*+{NUMBER}[ \t\n\r]*+,[ \t\n\r]*+")  # no group: an integer
_AROUND_NUMBER = " \t\n\r:,"

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

    Numbers are converted here, by the default rules, those with a fraction or an exponent to ``real``: a class whose
    values cannot be changed, since many texts share them. With None numbers stay text.
    """

    __slots__ = ("real", "room")

    def __init__(self, real: Callable[[str], Any] | None, *, room: int = _ROOM) -> None:
        self.real = real
        self.room = room

    def __missing__(self, gap: str) -> Any:
        if len(gap) > _MAX_REMEMBERED:
            return Tokens(self._cut(gap))
        if len(self) >= self.room:
            self.clear()
        self[gap] = meaning = self._work_out(gap)
        return meaning

    def _work_out(self, gap: str) -> Any:
        member = None if self.real is None else _NUMBER_MEMBER.fullmatch(gap)
        if member is not None:  # ahead of the rest, for numbers are ever new
            return _convert(gap.strip(_AROUND_NUMBER), member.lastindex is None, self.real)
        each = tuple(self._cut(gap))
        kinds = [kind for kind, _ in each]
        if kinds == [COLON, SCALAR, COMMA]:
            return each[1][1]
        return JUST_COLON if kinds == [COLON] else JUST_COMMA if kinds == [COMMA] else Tokens(each)

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
                if self.real is None:
                    yield NUMBER_TEXT, (number, is_integer)
                else:
                    yield SCALAR, _convert(number, is_integer, self.real)


def _convert(number: str, is_integer: bool, real: Any) -> Any:
    try:
        return convert(number, is_integer, MAX_DIGITS, int, real)
    except Unfit:
        raise GiveUp from None
