"""Reads any text, one token at a time, and says where and why it is not JSON.

The reader holds the containers that are open and one :class:`Expected`, what may come next; both together are the
whole state, so nesting costs a list entry and no recursion. An error points at the first character at fault: the text
before it can still be completed to something valid. What is at fault as a whole (a key that appears twice, a number
too large, half a surrogate pair) is pointed at where it begins.

No error quotes more than one character of the text.
"""

from __future__ import annotations

import enum
import re
from typing import Any, NoReturn

from ...errors import DecodeError
from .number import EXPONENT, FRACTION, INTEGER, Unfit, convert, count_digits, too_many_digits
from .path import write_path
from .rules import Rules


class Expected(enum.Enum):
    """What may come next, in words."""

    VALUE = "a value"
    FIRST_VALUE = 'a value or "]"'
    KEY = "a key in double quotes"
    FIRST_KEY = 'a key in double quotes or "}"'
    COLON = '":"'
    NEXT_IN_OBJECT = '"," or "}"'
    NEXT_IN_ARRAY = '"," or "]"'
    END = "the end of the text"


_STARTS_VALUE = (Expected.VALUE, Expected.FIRST_VALUE)
_STARTS_KEY = (Expected.KEY, Expected.FIRST_KEY)
_ENDS = {"}": (Expected.FIRST_KEY, Expected.NEXT_IN_OBJECT), "]": (Expected.FIRST_VALUE, Expected.NEXT_IN_ARRAY)}
_AFTER_COMMA = {Expected.NEXT_IN_OBJECT: Expected.KEY, Expected.NEXT_IN_ARRAY: Expected.VALUE}

_ADVICE = {
    "'": "strings stand in double quotes",
    "N": "JSON has no NaN",
    "I": "JSON has no Infinity",
    "/": "JSON has no comments",
    "#": "JSON has no comments",
    "\ufeff": "JSON has no byte order mark",
    "\x00": "JSON is sent as UTF-8",
    "T": "JSON writes true",
    "F": "JSON writes false",
    "+": "JSON numbers have no plus sign",
    ".": "JSON numbers begin with a digit",
}

_WORDS = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_ESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(rf"{INTEGER}(?P<fraction>{FRACTION})?(?P<exponent>{EXPONENT})?")
_UNESCAPED = re.compile('[^"\\\\\x00-\x1f\ud800-\udfff]*')
_HEX = re.compile(r"[0-9A-Fa-f]{0,4}")
_HALF_A_PAIR = "the escape is half of a surrogate pair, and no character"
_LOW_BEGUN = re.compile(r"[dD][c-fC-F]")
_LOW = re.compile(r"\\u([dD][c-fC-F][0-9A-Fa-f]{2})")
_LOW_CUT_SHORT = re.compile(r"(?:\\(?:u(?:[dD](?:[c-fC-F][0-9A-Fa-f]?)?)?)?)?\Z")


class Reader:
    """Reads one text, once: ``Reader(…).read()``."""

    __slots__ = ("at", "containers", "expected", "keys", "rules", "text")

    def __init__(self, text: str, rules: Rules) -> None:
        self.text = text
        self.rules = rules
        self.at = 0
        self.expected = Expected.VALUE
        self.containers: list[Any] = [[]]  # the first holds the value itself
        self.keys: list[str] = [""]  # of each container the key last read, "" for an array

    def read(self) -> Any:
        """The value. Raises :class:`~smswire.errors.DecodeError`, its offset counted in characters."""
        while True:
            self.skip_space()
            char = self.text[self.at : self.at + 1]
            if self.expected is Expected.END and not char:
                return self.containers[0][0]
            if char and self.expected in _STARTS_VALUE and char in '{["tfn-0123456789':
                self.read_value(char)
            elif char == '"' and self.expected in _STARTS_KEY:
                self.read_key()
            elif char == ":" and self.expected is Expected.COLON:
                self.at += 1
                self.expected = Expected.VALUE
            elif char == "," and self.expected in _AFTER_COMMA:
                self.at += 1
                self.expected = _AFTER_COMMA[self.expected]
            elif self.expected in _ENDS.get(char, ()):
                self.at += 1
                self.containers.pop()
                self.keys.pop()
                self.expect_what_follows_a_value()
            else:
                self.refuse(f"expected {self.expected.value}, found {self.glimpse(self.at)}", advice=_ADVICE.get(char))

    def read_value(self, char: str) -> None:
        if char in "{[":
            if len(self.containers) > self.rules.max_depth:
                self.refuse(f"arrays and objects are nested deeper than {self.rules.max_depth}")
            opened: Any = {} if char == "{" else []
            self.put(opened)
            self.at += 1
            self.containers.append(opened)
            self.keys.append("")
            self.expected = Expected.FIRST_KEY if char == "{" else Expected.FIRST_VALUE
            return
        if char == '"':
            value: Any = self.read_string()
        elif char in _WORDS:
            value = self.read_word(*_WORDS[char])
        else:
            value = self.read_number()
        self.put(value)
        self.expect_what_follows_a_value()

    def put(self, value: Any) -> None:
        container = self.containers[-1]
        if isinstance(container, list):
            container.append(value)
        elif self.rules.duplicate_keys == "first":
            container.setdefault(self.keys[-1], value)
        else:
            container[self.keys[-1]] = value

    def expect_what_follows_a_value(self) -> None:
        if len(self.containers) == 1:
            self.expected = Expected.END
        elif isinstance(self.containers[-1], dict):
            self.expected = Expected.NEXT_IN_OBJECT
        else:
            self.expected = Expected.NEXT_IN_ARRAY

    def read_key(self) -> None:
        start = self.at
        self.keys[-1] = self.read_string()
        self.expected = Expected.COLON
        if self.rules.duplicate_keys == "error" and self.keys[-1] in self.containers[-1]:
            self.refuse("the key appears twice in its object", start)

    def read_word(self, word: str, value: bool | None) -> bool | None:
        for char in word:
            if self.text[self.at : self.at + 1] != char:
                self.refuse(f"expected {word}, found {self.glimpse(self.at)}")
            self.at += 1
        return value

    def read_number(self) -> Any:
        start = self.at
        number = _NUMBER.match(self.text, start)
        if number is None:
            self.refuse_digit_missing(start, start + 1)  # behind "-"
        self.at = number.end()
        next_char = self.text[self.at : self.at + 1]
        if number["exponent"] is None and next_char and next_char in "eE":
            sign = self.text[self.at + 1 : self.at + 2]
            self.refuse_digit_missing(start, self.at + (2 if sign and sign in "+-" else 1))
        is_integer = number["fraction"] is None and number["exponent"] is None
        if is_integer and next_char == ".":
            self.refuse_digit_missing(start, self.at + 1)
        rules = self.rules
        try:
            return convert(number[0], is_integer, rules.max_digits, rules.parse_int, rules.parse_float)
        except Unfit as error:
            fault = self.fault(str(error), start)
        raise fault

    def refuse_digit_missing(self, start: int, at: int) -> NoReturn:
        if count_digits(self.text[start:at]) >= self.rules.max_digits:
            self.refuse(too_many_digits(self.rules.max_digits), start)  # with the one that is missing
        found = self.text[at : at + 1]
        advice = _ADVICE.get(found) if found and found in "NI" else None
        self.refuse(f"expected a digit, found {self.glimpse(at)}", at, advice)

    def read_string(self) -> str:
        pieces = []
        self.at += 1
        while True:
            end = _UNESCAPED.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches "" too
            pieces.append(self.text[self.at : end])
            self.at = end
            char = self.text[end : end + 1]
            if char == '"':
                self.at += 1
                return "".join(pieces)
            if char == "\\":
                pieces.append(self.read_escape())
            elif not char:
                self.refuse("the string does not end")
            elif char < " " and self.rules.keeps_controls:
                pieces.append(char)
                self.at += 1
            elif char < " ":
                self.refuse(f"a control character must be escaped in a string: \\u{ord(char):04x}")
            else:
                self.refuse("a lone surrogate is no character")

    def read_escape(self) -> str:
        letter = self.text[self.at + 1 : self.at + 2]
        if letter == "u":
            return self.read_unicode_escape()
        if letter not in _ESCAPED:
            self.refuse(f"no such escape: a backslash and {self.glimpse(self.at + 1)}", self.at + 1)
        self.at += 2
        return _ESCAPED[letter]

    def read_unicode_escape(self) -> str:
        start = self.at
        digits = _HEX.match(self.text, start + 2)[0]  # type: ignore[index]  # it matches "" too
        if _LOW_BEGUN.match(digits) and not self.rules.keeps_surrogates:
            self.refuse(_HALF_A_PAIR, start)
        if len(digits) < 4:
            at = start + 2 + len(digits)
            self.refuse(f"expected a hexadecimal digit, found {self.glimpse(at)}", at)
        code = int(digits, 16)
        self.at = start + 6
        if not 0xD800 <= code <= 0xDBFF:
            return chr(code)
        low = _LOW.match(self.text, self.at)
        if low is None and self.rules.keeps_surrogates:
            return chr(code)
        if low is None and _LOW_CUT_SHORT.match(self.text, self.at):
            self.refuse("the string does not end", len(self.text))
        if low is None:
            self.refuse(_HALF_A_PAIR, start)
        self.at = low.end()
        return chr(0x10000 + (code - 0xD800 << 10) + int(low[1], 16) - 0xDC00)

    def skip_space(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]  # it matches "" too

    def glimpse(self, at: int) -> str:
        char = self.text[at : at + 1]
        if not char:
            return "the end of the text"
        return f"'{char}'" if char.isprintable() else f"'{ascii(char)[1:-1]}'"

    def refuse(self, reason: str, at: int | None = None, advice: str | None = None) -> NoReturn:
        raise self.fault(reason, self.at if at is None else at, advice)

    def fault(self, reason: str, at: int, advice: str | None = None) -> DecodeError:
        line, column = place(self.text, at)
        return DecodeError(reason, offset=at, line=line, column=column, path=self.path(), advice=advice)

    def path(self) -> str:
        """The value being read; between values, the container around."""
        is_inside = self.expected in (*_STARTS_VALUE, Expected.COLON)
        containers = list(zip(self.containers, self.keys, strict=True))[1:]
        steps: list[str | int] = [key if isinstance(box, dict) else len(box) - 1 for box, key in containers]
        if containers and not is_inside:
            steps.pop()
        elif containers and isinstance(containers[-1][0], list):
            steps[-1] = len(containers[-1][0])  # the next one
        return write_path(steps)


def place(text: str, at: int) -> tuple[int, int]:
    """Line and column of a character, from 1; a line ends with LF."""
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
