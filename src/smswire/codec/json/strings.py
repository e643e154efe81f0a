"""Cuts a JSON text into its strings and the gaps between them, and takes the escapes out of the strings.

All strings are handled at once, joined by the quote that none of them can have in it unescaped. Escapes are checked
against the grammar first; then Python's codec for those of its own literals reads them, whose escapes these are too,
but for ``\\\\/``.
"""

from __future__ import annotations

import re
from codecs import unicode_escape_decode
from typing import Any

from .gaps import GiveUp

_CONTROLS = bytes(range(0x20))
_STRING = re.compile(r'"([^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+)"')
_ESCAPED_WELL = re.compile(r'[ -\[\]-\U0010ffff]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[ -\[\]-\U0010ffff]*+)*+')

# Escapes that Python's codec reads otherwise, or that hide where another one begins or a string ends.
_DELICATE = re.compile(r'\\(?:["\\/]|u[dD])')


def cut(text: str, raw: bytes) -> list[str]:
    """Gaps and strings in turn, a gap first and last; ``raw`` is the UTF-8. Raises :class:`.gaps.GiveUp`."""
    is_escaped = "\\" in text
    is_delicate = is_escaped and _DELICATE.search(text) is not None
    if is_delicate and '\\"' in text:
        pieces: list[Any] = _STRING.split(text)
        pieces[1::2] = [unescape(string) if "\\" in string else string for string in pieces[1::2]]
        return pieces
    pieces = text.split('"')
    if len(pieces) % 2 == 0:
        raise GiveUp  # a string does not end
    if is_escaped:
        strings = pieces[1::2]
        unescaped = unescape('"'.join(strings), is_delicate=is_delicate).split('"')
        if len(unescaped) != len(strings):  # an escape stood for a quote, or there is none
            unescaped = [unescape(string) for string in strings]
        pieces[1::2] = unescaped
    elif len(raw.translate(None, _CONTROLS)) < len(raw):  # gaps may have some, as white space
        raw = "".join(pieces[1::2]).encode()
        if len(raw.translate(None, _CONTROLS)) < len(raw):
            raise GiveUp
    return pieces


def unescape(string: str, *, is_delicate: bool = True) -> str:
    """The text that a string of JSON stands for. Raises :class:`.gaps.GiveUp`: a wrong escape, half a pair."""
    if _ESCAPED_WELL.fullmatch(string) is None:
        raise GiveUp
    if is_delicate and "\\/" in string:
        # Behind an even number of backslashes it is a slash and no escape.
        string = string.replace("\\\\", "\\u005c").replace("\\/", "/")
    value, _ = unicode_escape_decode(string.encode("latin-1", "backslashreplace"))
    if not is_delicate or ("\\ud" not in string and "\\uD" not in string):
        return value
    try:
        return value.encode("utf-16", "surrogatepass").decode("utf-16")  # joins the pairs
    except UnicodeDecodeError:
        raise GiveUp from None
