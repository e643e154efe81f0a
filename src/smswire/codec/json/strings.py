"""Cuts a JSON text into its strings and the gaps between them, and takes the escapes out of the strings.

Strings with escapes are handled at once, joined by the quote that none of them can have in it unescaped. Escapes are
checked against the grammar first; then Python's codec for those of its own literals reads them, whose escapes these
are too, but for ``\\\\/``.
"""

from __future__ import annotations

import re
from codecs import unicode_escape_decode
from typing import Any

from .rules import GiveUp

_CONTROLS = bytes(range(0x20))
# A string, or what begins like one and everything behind the fault in it. It matches at every quote: else a search for
# the next string would begin again at each quote in one that has no end, and take the square of the time.
_STRING = re.compile(
    r'"([^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^"\\\x00-\x1f]*+)*+)(?:"|(.*+))', re.DOTALL
)
_ESCAPED_WELL = re.compile(r'[^\\]*+(?:\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})[^\\]*+)*+')

# Escapes that Python's codec reads otherwise, or that hide where another one begins or a string ends.
_DELICATE = re.compile(r'\\(?:["\\/]|u[dD])')


def cut(text: str, raw: bytes) -> list[str]:
    """Gaps and strings in turn, a gap first and last; ``raw`` is the UTF-8. Raises :class:`.rules.GiveUp`."""
    is_escaped = "\\" in text
    is_delicate = is_escaped and _DELICATE.search(text) is not None
    if is_delicate and '\\"' in text:
        pieces: list[Any] = _STRING.split(text)
        if len(pieces) > 1 and pieces[-2] is not None:
            raise GiveUp  # a fault in a string
        del pieces[2::3]
        pieces[1::2] = [unescape(string) if "\\" in string else string for string in pieces[1::2]]
        return pieces
    pieces = text.split('"')
    if len(pieces) % 2 == 0:
        raise GiveUp  # a string does not end
    if (is_escaped or _holds_controls(raw)) and _holds_controls("".join(pieces[1::2]).encode()):
        raise GiveUp  # those in gaps are white space
    if is_escaped:
        _unescape_at_once(pieces, text, is_delicate)
    return pieces


def _unescape_at_once(pieces: list[str], text: str, is_delicate: bool) -> None:
    """Takes the escapes out of the pieces from the first string that has any to the last."""
    first = text.count('"', 0, text.find("\\"))
    after = text.count('"', text.rfind("\\"))
    if first % 2 == 0:
        raise GiveUp  # a backslash in a gap
    some = slice(first, len(pieces) - after, 2)
    strings = pieces[some]
    unescaped = unescape('"'.join(strings), is_delicate=is_delicate).split('"')
    if len(unescaped) != len(strings):  # an escape stood for a quote
        unescaped = [unescape(string) for string in strings]
    pieces[some] = unescaped


def _holds_controls(raw: bytes) -> bool:
    return len(raw.translate(None, _CONTROLS)) < len(raw)


def unescape(string: str, *, is_delicate: bool = True) -> str:
    """What a string without control characters stands for. :class:`.rules.GiveUp`: wrong escapes, half a pair."""
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
