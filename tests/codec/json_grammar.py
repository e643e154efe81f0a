"""The grammar of RFC 8259 as an automaton over characters: it knows no value, only whether a text can go on.

Written from the ABNF of sections 2 to 7, and from nothing of ours: the witness of where a text is at fault. Numbers and
words end at the first character that is none of theirs, so that character is looked at again in the state behind.
"""

from __future__ import annotations

import re

SPACE = " \t\n\r"
HEX_DIGITS = "0123456789abcdefABCDEF"
CLOSING = {"{": "}", "[": "]"}
WORDS = {"t": "rue", "f": "alse", "n": "ull"}

# number = [ minus ] int [ frac ] [ exp ]: state -> what each character leads to; "0" stands for a zero, "9" for 1 to 9.
NUMBER = {
    "minus": {"0": "zero", "9": "int"},
    "zero": {".": "point", "e": "e", "E": "e"},
    "int": {"0": "int", "9": "int", ".": "point", "e": "e", "E": "e"},
    "point": {"0": "frac", "9": "frac"},
    "frac": {"0": "frac", "9": "frac", "e": "e", "E": "e"},
    "e": {"+": "sign", "-": "sign", "0": "exp", "9": "exp"},
    "sign": {"0": "exp", "9": "exp"},
    "exp": {"0": "exp", "9": "exp"},
}
NUMBER_MAY_END = {"zero", "int", "frac", "exp"}

# What leads on from a state in which a text cannot end, and no bracket closes.
NEXT = {"key": '"', "value": "0", "colon": ":", "escape": "n", "hex": "0"}


HIGH_AT_THE_END = re.compile(
    r"(?<!\\)(?:\\\\)*\\u[dD][89abAB][0-9a-fA-F]{2}(\\?|\\u|\\u[dD]|\\u[dD][c-fC-F][0-9a-fA-F]?)\Z"
)


class Grammar:
    def __init__(self) -> None:
        self.state = "value"
        self.open: list[str] = []
        self.is_key = False
        self.rest = ""  # of the word being read
        self.hex_left = 0

    def after_value(self) -> str:
        return "after" if self.open else "end"

    def may_end(self) -> bool:
        return not self.open and (self.state == "end" or self.state in NUMBER_MAY_END)

    def feed(self, char: str) -> bool:
        """May the text go on with this character?"""
        if self.state in NUMBER:
            digit = "9" if char in "123456789" else char
            if digit in NUMBER[self.state]:
                self.state = NUMBER[self.state][digit]
                return True
            if self.state not in NUMBER_MAY_END:
                return False
            self.state = self.after_value()
        if self.state == "string":
            return self.feed_string(char)
        if self.state == "escape":
            self.hex_left = 4 if char == "u" else 0
            self.state = "hex" if char == "u" else "string"
            return char in '"\\/bfnrtu'
        if self.state == "hex":
            self.hex_left -= 1
            self.state = "hex" if self.hex_left else "string"
            return char in HEX_DIGITS
        if self.state == "word":
            expected, self.rest = self.rest[0], self.rest[1:]
            self.state = "word" if self.rest else self.after_value()
            return char == expected
        return char in SPACE or self.feed_token(char)

    def feed_string(self, char: str) -> bool:
        if char == '"':
            self.state = "colon" if self.is_key else self.after_value()
        elif char == "\\":
            self.state = "escape"
        return char >= " "

    def feed_token(self, char: str) -> bool:
        state = self.state
        if state in ("value", "first value") and char in '"{[tfn-0123456789':
            self.begin_value(char)
        elif state in ("key", "first key") and char == '"':
            self.state, self.is_key = "string", True
        elif state == "colon" and char == ":":
            self.state = "value"
        elif state == "after" and char == ",":
            self.state = "key" if self.open[-1] == "{" else "value"
        elif (state == "after" and char == {"{": "}", "[": "]"}[self.open[-1]]) or (state, char) in (
            ("first key", "}"),
            ("first value", "]"),
        ):
            self.open.pop()
            self.state = self.after_value()
        else:
            return False
        return True

    def begin_value(self, char: str) -> None:
        if char in "{[":
            self.open.append(char)
            self.state = "first key" if char == "{" else "first value"
        elif char == '"':
            self.state, self.is_key = "string", False
        elif char in WORDS:
            self.state, self.rest = "word", WORDS[char]
        else:
            self.state = {"-": "minus", "0": "zero"}.get(char, "int")


def first_fault(text: str) -> int | None:
    """The index of the first character that cannot stand there, the length if the text stops too soon, else None."""
    grammar = Grammar()
    for index, char in enumerate(text):
        if not grammar.feed(char):
            return index
    return None if grammar.may_end() else len(text)


def completion(text: str) -> str:
    """What makes a JSON text of one that stops too soon: a key begun ends unlike any that came before, half a surrogate
    pair gets its other half."""
    grammar = Grammar()
    for char in text:
        assert grammar.feed(char)
    written = ""
    while not grammar.may_end():
        state = grammar.state
        high = HIGH_AT_THE_END.search(text + written)
        if high:
            piece = "\\udc00"[len(high[1]) :]
        elif state == "string":
            piece = "!" * len(text) + '"' if grammar.is_key else '"'
        elif state == "word":
            piece = grammar.rest
        elif state in NUMBER and state not in NUMBER_MAY_END:
            piece = "0"
        elif state in NEXT:
            piece = NEXT[state]
        else:
            piece = CLOSING[grammar.open[-1]]
        for char in piece:
            assert grammar.feed(char)
        written += piece
    return written
