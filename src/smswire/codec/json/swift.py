"""Reads valid JSON fast, and gives up on anything else: :mod:`.careful` is its slow twin, and the judge.

The text is cut into strings and the *gaps* between them: ``{``, ``:``, ``,``, ``:0.075,``, ``},{``. Gaps repeat from
message to message, so what a gap consists of is worked out once and remembered, by its text alone; strings are taken
as they are. What the tokens mean where they stand is decided each time, by the same states that ``careful`` has.

It never guesses: a gap it cannot cut into tokens, a token out of place, a limit passed, a key that appears twice under
``"error"``, all end in :class:`GiveUp`, without a word about why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from .number import MAX_DIGITS, NUMBER, Unfit, convert

# Kinds of token; a scalar is a number, true, false or null. Their order serves comparisons in ``read``.
_SCALAR, _COLON, _COMMA, _CLOSE_OBJECT, _CLOSE_ARRAY, _OPEN_OBJECT, _OPEN_ARRAY = range(7)
_MARKS = {":": _COLON, ",": _COMMA, "{": _OPEN_OBJECT, "[": _OPEN_ARRAY, "}": _CLOSE_OBJECT, "]": _CLOSE_ARRAY}
_WORDS = {"true": True, "false": False, "null": None}

# What may come next, as in careful.Expected: values first, keys last.
_VALUE, _FIRST_VALUE, _AFTER_VALUE, _AFTER_KEY, _KEY, _FIRST_KEY = range(6)
_MAY_CLOSE = (_AFTER_VALUE, _FIRST_VALUE, _FIRST_KEY)

_TOKEN = re.compile(
    rf"[ \t\n\r]*+(?:(?P<mark>[:,{{}}\[\]])|(?P<word>true|false|null)|(?P<number>{NUMBER})|(?P<end>\Z))"
)
_STRING = re.compile(r'"([^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+)"')
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPE = re.compile(r"\\(?:u(....)|(.))")
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_SURROGATE = re.compile("[\ud800-\udfff]")

# What stands between two strings of a message is short: longer gaps are not worth remembering.
_MAX_REMEMBERED = 64
_ROOM = 4096


class GiveUp(Exception):
    """The text is not valid, or not for this reader: read it carefully."""


class Gaps(dict[str, Iterable[tuple[int, Any]]]):
    """The tokens of gaps: of short ones remembered, of long ones found as they are asked for."""

    __slots__ = ("max_digits", "parse_float", "parse_int", "room")

    def __init__(
        self, max_digits: int, parse_float: Callable[[str], Any], parse_int: Callable[[str], Any], room: int
    ) -> None:
        self.max_digits = max_digits
        self.parse_float = parse_float
        self.parse_int = parse_int
        self.room = room

    def __missing__(self, gap: str) -> Iterable[tuple[int, Any]]:
        if len(gap) > _MAX_REMEMBERED or not self.room:
            return self.tokens(gap)
        if len(self) >= self.room:
            self.clear()
        self[gap] = tokens = tuple(self.tokens(gap))
        return tokens

    def tokens(self, gap: str) -> Iterator[tuple[int, Any]]:
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
                yield _SCALAR, _WORDS[word]
            elif number:
                is_integer = match["fraction"] is None and match["exponent"] is None
                try:
                    yield _SCALAR, convert(number, is_integer, self.max_digits, self.parse_int, self.parse_float)
                except Unfit:
                    raise GiveUp from None


_SHARED = Gaps(MAX_DIGITS, float, int, _ROOM)


def read(
    text: str,
    max_depth: int,
    max_digits: int,
    duplicate_keys: str,
    parse_float: Callable[[str], Any],
    parse_int: Callable[[str], Any],
) -> Any:
    """The value of ``text``, which holds no surrogate. Raises :class:`GiveUp`."""
    if parse_float is float and parse_int is int and max_digits == MAX_DIGITS:
        gaps = _SHARED
    else:
        gaps = Gaps(max_digits, parse_float, parse_int, room=0)
    unique_keys = duplicate_keys != "last"
    root: list[Any] = []
    parents: list[Any] = []
    container: Any = root
    is_object = False
    key: Any = None
    state = _VALUE
    pieces = iter(_cut(text))
    for gap, string in zip(pieces, pieces, strict=True):
        for kind, value in gaps[gap]:
            if kind == _COLON and state == _AFTER_KEY:
                state = _VALUE
            elif kind == _COMMA and state == _AFTER_VALUE and parents:
                state = _KEY if is_object else _VALUE
            elif kind == _SCALAR and state <= _FIRST_VALUE:
                if is_object:
                    container[key] = value
                else:
                    container.append(value)
                state = _AFTER_VALUE
            elif kind >= _OPEN_OBJECT and state <= _FIRST_VALUE and len(parents) < max_depth:
                opened: Any = {} if kind == _OPEN_OBJECT else []
                if is_object:
                    container[key] = opened
                else:
                    container.append(opened)
                parents.append(container)
                container = opened
                is_object = kind == _OPEN_OBJECT
                state = _FIRST_KEY if is_object else _FIRST_VALUE
            elif kind == (_CLOSE_OBJECT if is_object else _CLOSE_ARRAY) and state in _MAY_CLOSE and parents:
                container = parents.pop()
                is_object = type(container) is dict
                state = _AFTER_VALUE
            else:
                raise GiveUp
        if string is None:
            break
        if state >= _KEY:
            if unique_keys and string in container:
                raise GiveUp
            key = string
            state = _AFTER_KEY
        elif state <= _FIRST_VALUE:
            if is_object:
                container[key] = string
            else:
                container.append(string)
            state = _AFTER_VALUE
        else:
            raise GiveUp
    if state != _AFTER_VALUE or parents:
        raise GiveUp
    return root[0]


def _cut(text: str) -> list[Any]:
    """Gap, string, gap, string, …, gap, None."""
    pieces: list[Any]
    if "\\" in text:
        pieces = _STRING.split(text)
        for index in range(1, len(pieces), 2):
            if "\\" in pieces[index]:
                pieces[index] = _unescape(pieces[index])
    else:
        pieces = list[Any](text.split('"'))
        if _CONTROL.search("".join(pieces[1::2])):
            raise GiveUp
    if len(pieces) % 2 == 0:
        raise GiveUp  # a string does not end
    pieces.append(None)
    return pieces


def _unescape(string: str) -> str:
    value = _ESCAPE.sub(_unescape_one, string)
    if _SURROGATE.search(value) is None:
        return value
    try:
        return value.encode("utf-16", "surrogatepass").decode("utf-16")  # joins the pairs
    except UnicodeDecodeError:
        raise GiveUp from None


def _unescape_one(escape: re.Match[str]) -> str:
    code, letter = escape.groups()
    return _ESCAPED[letter] if letter else chr(int(code, 16))
