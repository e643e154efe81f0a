"""Reads valid JSON fast, and gives up on anything else: :mod:`.careful` is its slow twin, and the judge.

The text is cut into strings and the :mod:`.gaps` between them; what a gap consists of is mostly remembered. What its
tokens mean where they stand is decided each time, by the same states that ``careful`` has. Two inner loops go through
what needs no such decision: the members of an object as long as they are strings and scalars, and strings in an array.

It never guesses: a gap it cannot cut into tokens, a token out of place, a limit passed, a key that appears twice under
``"error"``, all end in :class:`GiveUp`, without a word about why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from .gaps import (
    CLOSE_ARRAY,
    CLOSE_OBJECT,
    COLON,
    COMMA,
    JUST_COLON,
    JUST_COMMA,
    OPEN_OBJECT,
    SCALAR_VALUE,
    TEXT,
    Gaps,
    Tokens,
)
from .number import MAX_DIGITS
from .rules import GiveUp, Rules
from .scalars import Scalars

# What may come next, as in careful.Expected: values first, keys last.
_VALUE, _FIRST_VALUE, _AFTER_VALUE, _AFTER_KEY, _KEY, _FIRST_KEY = range(6)
_MAY_CLOSE = (_AFTER_VALUE, _FIRST_VALUE, _FIRST_KEY)

_NO_MORE = "", JUST_COLON  # no colon may stand behind a value

_FLOATS, _DECIMALS = (Gaps(Scalars(Rules(0, MAX_DIGITS, "error", real, int))) for real in (float, Decimal))
_AS_TEXT = Gaps(None)


def read(pieces: list[str], rules: Rules) -> Any:
    """The value of a text cut into ``pieces``, gaps and strings in turn. Raises :class:`.rules.GiveUp`."""
    max_depth, max_digits, duplicate_keys, parse_float, parse_int, *_ = rules
    meanings = _AS_TEXT
    if parse_int is int and max_digits == MAX_DIGITS:
        meanings = _FLOATS if parse_float is float else _DECIMALS if parse_float is Decimal else _AS_TEXT
    exact: Any = Scalars(rules).exact if meanings is _AS_TEXT else None
    unique_keys = duplicate_keys != "last"
    root: list[Any] = []
    parents: list[Any] = []
    container: Any = root
    is_object = False
    key: Any = None
    state = _VALUE
    each = iter(pieces)
    meaning = meanings[next(each)]
    pairs = zip(each, map(meanings.__getitem__, each))  # noqa: B905  (a string, and the meaning of the gap behind it)
    while True:
        if type(meaning) is not Tokens:
            raise GiveUp  # where a whole member may stand it is taken below
        for kind, value in meaning.each:
            if kind == COLON and state == _AFTER_KEY:
                state = _VALUE
            elif kind >= OPEN_OBJECT and state <= _FIRST_VALUE and len(parents) < max_depth:
                opened: Any = {} if kind == OPEN_OBJECT else []
                if is_object:
                    container[key] = opened
                else:
                    container.append(opened)
                parents.append(container)
                container = opened
                is_object = kind == OPEN_OBJECT
                state = _FIRST_KEY if is_object else _FIRST_VALUE
            elif kind == (CLOSE_OBJECT if is_object else CLOSE_ARRAY) and state in _MAY_CLOSE and parents:
                container = parents.pop()
                is_object = type(container) is dict
                state = _AFTER_VALUE
            elif kind == COMMA and state == _AFTER_VALUE and parents:
                state = _KEY if is_object else _VALUE
            elif kind <= SCALAR_VALUE and state <= _FIRST_VALUE:
                if kind == TEXT:
                    value = exact(value)
                if is_object:
                    container[key] = value
                else:
                    container.append(value)
                state = _AFTER_VALUE
            else:
                raise GiveUp
        if state == _AFTER_VALUE and not parents:
            if next(pairs, None) is not None:
                raise GiveUp
            return root[0]
        if is_object and state >= _KEY:
            taken = container if unique_keys else ()
            for string, meaning in pairs:
                if string in taken:
                    raise GiveUp
                if meaning is JUST_COLON:
                    container[string], meaning = next(pairs, _NO_MORE)
                    if meaning is not JUST_COMMA:
                        state = _AFTER_VALUE
                        break
                elif type(meaning) is Tokens:
                    key = string
                    state = _AFTER_KEY
                    break
                else:
                    container[string] = meaning
            else:
                raise GiveUp  # the text ends within the object
        elif is_object and state == _VALUE:
            container[key], meaning = next(pairs, _NO_MORE)
            state = _AFTER_VALUE
        elif state <= _FIRST_VALUE:
            for string, meaning in pairs:
                container.append(string)
                if meaning is not JUST_COMMA or not parents:
                    break
            else:
                raise GiveUp
            state = _AFTER_VALUE
        else:
            raise GiveUp
