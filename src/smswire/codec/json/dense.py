"""Reads valid JSON in which numbers, words and brackets outweigh the strings; :mod:`.careful` is its slow twin too.

Where gaps are long, or ever new, nothing is won by remembering them. Here the strings are taken out of the text, a
quote stands for each, and the scalars are cut out of what remains. Between two runs of scalars stands *structure*,
``[``, ``],[``, ``,":``, which repeats whatever the numbers are; its tokens are remembered, and those that follow one
another all the time are one token: the end of an array and the next one, the end of an object and the next one with
its first key, a comma and a key.

It never guesses, as :mod:`.swift` does not: all that is out of place ends in :class:`.rules.GiveUp`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from .gaps import LONGEST_REMEMBERED, NO_SPACE
from .rules import GiveUp, Rules
from .scalars import RUN, Scalars

_RUN = re.compile(f"({RUN})")

(_STRING, _COLON, _COMMA, _OPEN_OBJECT, _OPEN_ARRAY, _CLOSE_OBJECT, _CLOSE_ARRAY,
 _NEXT_KEY, _NEXT_ARRAY, _NEXT_OBJECT) = range(10)  # fmt: skip
_KINDS = {'"': _STRING, ":": _COLON, ",": _COMMA, "{": _OPEN_OBJECT, "[": _OPEN_ARRAY, "}": _CLOSE_OBJECT,
          "]": _CLOSE_ARRAY, ',":': _NEXT_KEY, "],[": _NEXT_ARRAY, '},{":': _NEXT_OBJECT}  # fmt: skip
_TOKEN = re.compile(r',":|\],\[|},{":|.')

# What may come next: values first, keys last. No container is empty here, for one that is counts as a scalar.
_VALUE, _AFTER_VALUE, _AFTER_KEY, _KEY = range(4)

ROOM: Final = 1024
# The text is cut into scalars this much at a time, so that what is not JSON takes no more memory than what is.
WINDOW: Final = 1 << 16

# Up to this many pieces, and with this many characters a piece, most texts are what swift is for.
_FEW_PIECES, _USUAL_LENGTH = 256, 16
_TINY = 8  # characters
_BLOCK = 32  # gaps


def suits(text: str, pieces: list[str]) -> bool:
    """Whether a sample of the gaps says that this reader is the faster one: some are long, or many are new."""
    if len(pieces) == 1:
        return len(text) > _TINY
    if len(pieces) <= _FEW_PIECES and len(text) < _USUAL_LENGTH * len(pieces):
        return False
    sample = pieces[::2]
    if len(sample) > 3 * _BLOCK:  # whole blocks: whatever repeats shows in one
        middle = len(sample) // 2
        sample = sample[:_BLOCK] + sample[middle : middle + _BLOCK] + sample[-_BLOCK:]
    longest = " ".join(max(sample, key=len).split())  # without its indents
    return len(longest) > LONGEST_REMEMBERED or len(set(sample)) > max(len(sample) // 4, _BLOCK // 2)


class Structures(dict[str, tuple[int, ...]]):
    """Structure to the kinds of its tokens."""

    def __missing__(self, structure: str) -> tuple[int, ...]:
        try:
            kinds = tuple([_KINDS[token] for token in _TOKEN.findall(structure.translate(NO_SPACE))])
        except KeyError:
            raise GiveUp from None
        if len(structure) <= LONGEST_REMEMBERED:
            if len(self) >= ROOM:
                self.clear()
            self[structure] = kinds
        return kinds


_STRUCTURES = Structures()


def read(pieces: list[str], rules: Rules) -> Any:
    """The value of a text cut into ``pieces``, gaps and strings in turn. Raises :class:`.rules.GiveUp`."""
    scalars = Scalars(rules)
    max_depth = rules.max_depth
    unique_keys = rules.duplicate_keys != "last"
    strings = iter(pieces[1::2])
    root: list[Any] = []
    parents: list[Any] = []
    container: Any = root
    is_object = False
    key: Any = None
    state = _VALUE
    parts = chain.from_iterable(map(_cut, _windows('"'.join(pieces[::2]))))
    for kinds, run in zip(map(_STRUCTURES.__getitem__, parts), parts):  # noqa: B905  (structure, and the run behind it)
        for kind in kinds:
            if kind == _NEXT_KEY and state == _AFTER_VALUE and is_object:
                key = next(strings)
                if unique_keys and key in container:
                    raise GiveUp
                state = _VALUE
            elif kind == _COMMA and state == _AFTER_VALUE and parents:
                state = _KEY if is_object else _VALUE
            elif (
                kind == _NEXT_OBJECT
                and is_object
                and state == _AFTER_VALUE
                and type(parents[-1]) is list
                and len(parents) > 1
            ):
                container = {}
                parents[-1].append(container)
                key = next(strings)
                state = _VALUE
            elif (
                kind == _NEXT_ARRAY
                and not is_object
                and state == _AFTER_VALUE
                and len(parents) > 1
                and type(parents[-1]) is list
            ):
                container = []
                parents[-1].append(container)
                state = _VALUE
            elif kind == _STRING and state == _KEY:
                key = next(strings)
                if unique_keys and key in container:
                    raise GiveUp
                state = _AFTER_KEY
            elif kind == _STRING and state == _VALUE:
                if is_object:
                    container[key] = next(strings)
                else:
                    container.append(next(strings))
                state = _AFTER_VALUE
            elif kind == _COLON and state == _AFTER_KEY:
                state = _VALUE
            elif kind in (_OPEN_OBJECT, _OPEN_ARRAY) and state == _VALUE and len(parents) < max_depth:
                opened: Any = {} if kind == _OPEN_OBJECT else []
                if is_object:
                    container[key] = opened
                else:
                    container.append(opened)
                parents.append(container)
                container = opened
                is_object = kind == _OPEN_OBJECT
                state = _KEY if is_object else _VALUE
            elif kind == (_CLOSE_OBJECT if is_object else _CLOSE_ARRAY) and state == _AFTER_VALUE and parents:
                container = parents.pop()
                is_object = type(container) is dict
                state = _AFTER_VALUE
            else:
                raise GiveUp
        if not run:
            continue
        if state != _VALUE or (len(parents) >= max_depth and ("[" in run or "{" in run)):
            raise GiveUp
        if "," not in run:
            value = scalars.one(run)
            if is_object:
                container[key] = value
            else:
                container.append(value)
        elif is_object or not parents:
            raise GiveUp
        else:
            container += scalars.many(run)
        state = _AFTER_VALUE
    if state != _AFTER_VALUE or parents:
        raise GiveUp
    return root[0]


def _windows(skeleton: str) -> Iterator[str]:
    """The text without its strings in parts: a comma always begins a token."""
    start = 0
    while len(skeleton) - start > WINDOW:
        end = skeleton.rfind(",", start + 1, start + WINDOW)
        if end < 0:
            raise GiveUp
        yield skeleton[start:end]
        start = end
    yield skeleton[start:]


def _cut(window: str) -> list[str]:
    """Structure and runs in turn, and an empty run last."""
    if "\n" in window or "  " in window:
        raw = window.encode()
        if b"\v" in raw or b"\f" in raw:
            raise GiveUp  # to split() these are white space too
        window = b" ".join(raw.split()).decode()
    parts: list[str] = _RUN.split(window)
    parts.append("")
    return parts
