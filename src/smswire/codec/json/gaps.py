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

from .rules import GiveUp
from .scalars import SCALAR, Scalars

# Kinds of token. A scalar is a number, true, false or null, and one that is yet to be converted is a text.
TEXT, SCALAR_VALUE, COLON, COMMA, CLOSE_OBJECT, CLOSE_ARRAY, OPEN_OBJECT, OPEN_ARRAY = range(8)

_MARKS = {
    ":": (COLON, None), ",": (COMMA, None), "{": (OPEN_OBJECT, None), "[": (OPEN_ARRAY, None),
    "}": (CLOSE_OBJECT, None), "]": (CLOSE_ARRAY, None),
}  # fmt: skip
_SPACE = " \t\n\r"
NO_SPACE: Final = str.maketrans("", "", _SPACE)
_SCALAR = re.compile(f"({SCALAR})")
_MEMBER = re.compile(rf"[ \t\n\r]*+:[ \t\n\r]*+({SCALAR})[ \t\n\r]*+,[ \t\n\r]*+")

_INDENT = re.compile(r"[ \t\n\r]{2,}+")

# What stands between two strings of a message is short: longer gaps are not worth remembering.
LONGEST_REMEMBERED: Final = 64
_ROOM = 4096


class Tokens:
    """The tokens of a gap, (kind, value) each: of a short gap a tuple, of a long one found as they are asked for."""

    __slots__ = ("each",)

    def __init__(self, each: Iterable[tuple[int, Any]]) -> None:
        self.each = each


JUST_COLON: Final = Tokens([(COLON, None)])
JUST_COMMA: Final = Tokens([(COMMA, None)])


class Gaps(dict[str, Any]):
    """Gap to meaning: ``JUST_COLON``, ``JUST_COMMA``, the scalar between a colon and a comma, else :class:`Tokens`.

    Scalars are converted here, to values that cannot be changed, since many texts share them. Without ``scalars``
    they stay text.
    """

    __slots__ = ("room", "scalars")

    def __init__(self, scalars: Scalars | None, *, room: int = _ROOM) -> None:
        self.scalars = scalars
        self.room = room

    def __missing__(self, gap: str) -> Any:
        if len(gap) > LONGEST_REMEMBERED:
            squeezed = _INDENT.sub(" ", gap)
            return self[squeezed] if len(squeezed) <= LONGEST_REMEMBERED else Tokens(self._cut(squeezed))
        if len(self) >= self.room:
            self.clear()
        self[gap] = meaning = self._work_out(gap)
        return meaning

    def _work_out(self, gap: str) -> Any:
        member = _MEMBER.fullmatch(gap)
        if member is not None and self.scalars is not None:
            return self.scalars.one(member[1])
        mark = gap.strip(_SPACE)
        if mark in (":", ","):
            return JUST_COLON if mark == ":" else JUST_COMMA
        return Tokens(tuple(self._cut(gap)))

    def _cut(self, gap: str) -> Iterator[tuple[int, Any]]:
        """Structure and scalars in turn, as tokens."""
        scalars = self.scalars
        for index, part in enumerate(_SCALAR.split(gap)):
            if index % 2 == 0:
                for mark in part.translate(NO_SPACE):
                    token = _MARKS.get(mark)
                    if token is None:
                        raise GiveUp
                    yield token
            elif scalars is None:
                yield TEXT, part
            else:
                yield SCALAR_VALUE, scalars.one(part)
