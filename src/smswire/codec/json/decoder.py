"""From bytes or text to a value: what is checked before any token is read, and which reader reads.

Bytes must be UTF-8 (RFC 8259 section 8.1) without a byte order mark; ``str`` obeys the same rules. One of the fast
readers goes first, and what it gives up on the careful one reads again, from the start. So valid text is read fast,
and whatever is refused is refused by one judge, in one place.
"""

from __future__ import annotations

from codecs import utf_8_decode
from collections.abc import Callable
from typing import Any, Final, Literal

from ...errors import ConfigurationError, DecodeError
from . import careful, dense, swift
from .number import MAX_DIGITS
from .rules import GiveUp, Rules
from .strings import cut

MAX_DEPTH: Final = 64
"""The deepest nesting taken by default: no answer known has more than 5 levels."""

MAX_BYTES: Final = 32 * 1024 * 1024
"""The most bytes taken by default: the largest body that :mod:`smswire.wire` lets through."""


def decode(
    data: bytes | str,
    *,
    max_depth: int = MAX_DEPTH,
    max_bytes: int = MAX_BYTES,
    max_digits: int = MAX_DIGITS,
    duplicate_keys: Literal["error", "last", "first"] = "error",
    parse_float: Callable[[str], Any] = float,
    parse_int: Callable[[str], Any] = int,
    control_characters: Literal["error", "keep"] = "error",
    lone_surrogates: Literal["error", "keep"] = "error",
) -> Any:
    """The value that a JSON text stands for.

    Args:
        data: the text, or its UTF-8 bytes.
        max_depth: how deep arrays and objects may be nested; ``[]`` is 1 deep.
        max_bytes: how long the text may be, counted in UTF-8.
        max_digits: how many digits a number may have, fraction and exponent included.
        duplicate_keys: what to do about a key that appears twice in an object: ``"error"``, or take the ``"last"``
            or the ``"first"`` of its values.
        parse_float: called with the text of each number that has a fraction or an exponent (``decimal.Decimal``).
        parse_int: called with the text of each other number. Both may be called more than once for one number, since
            text that is odd somewhere is read again from its beginning. A ``ValueError`` or ``ArithmeticError`` of
            theirs is the number's fault; what else they raise passes through.
        control_characters: ``"keep"`` those below U+0020 that stand unescaped in a string, for senders that break
            section 7.
        lone_surrogates: ``"keep"`` half a pair that stands as an escape, such as ``\\ud800``, as that code point: a
            ``str`` with it has no UTF-8 form. Unescaped in a ``str`` it is always an error, as it cannot be in bytes.

    Returns:
        ``dict``, ``list``, ``str``, ``int``, ``float``, ``bool`` or ``None``. ``-0`` is the int 0, ``-0.0`` a float.

    Raises:
        DecodeError: the text is not JSON or passes a limit. ``offset`` counts bytes for bytes and characters for
            ``str``; ``line`` and ``column`` count characters; ``path`` is the value being read.
        ConfigurationError: no such ``duplicate_keys``, ``control_characters`` or ``lone_surrogates``.

    >>> decode(b'{"success": "100", "messages": [{"price": 0.075}]}')
    {'success': '100', 'messages': [{'price': 0.075}]}
    >>> decode(b'{"messages": [{"price": 00.75}]}')
    Traceback (most recent call last):
    smswire.errors.DecodeError: expected "," or "}", found '0' at line 1, column 26 ($.messages[0])
    """
    if duplicate_keys not in ("error", "last", "first"):
        raise ConfigurationError('duplicate_keys is "error", "last" or "first"')
    if control_characters not in ("error", "keep") or lone_surrogates not in ("error", "keep"):
        raise ConfigurationError('control_characters and lone_surrogates are "error" or "keep"')
    keeps_controls, keeps_surrogates = control_characters == "keep", lone_surrogates == "keep"
    rules = Rules(max_depth, max_digits, duplicate_keys, parse_float, parse_int, keeps_controls, keeps_surrogates)
    text = _text(data, max_bytes, rules)
    try:
        pieces = cut(text, data if isinstance(data, bytes) else data.encode())
        return (dense if dense.suits(text, pieces) else swift).read(pieces, rules)
    except (GiveUp, UnicodeEncodeError):
        pass  # outside the handler, or every error would carry the signal as its context
    try:
        return careful.Reader(text, rules).read()
    except DecodeError as error:
        if isinstance(data, bytes) and error.offset is not None:
            error.offset = len(text[: error.offset].encode())
        raise


def _text(data: bytes | str, max_bytes: int, rules: Rules) -> str:
    if isinstance(data, bytes) and len(data) <= max_bytes:
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            start = error.start
        raise _not_utf8(data, start, rules)
    if isinstance(data, str):
        if len(data) * 4 > max_bytes:  # no character takes more than 4
            raw = data.encode("utf-8", "surrogatepass")
            if len(raw) > max_bytes:
                raise _too_long(raw, max_bytes, counts_bytes=False)
        return data
    if not isinstance(data, bytes):
        raise DecodeError(f"JSON is read from bytes or str, not {type(data).__name__}")
    raise _too_long(data, max_bytes, counts_bytes=True)


def _too_long(raw: bytes, max_bytes: int, *, counts_bytes: bool) -> DecodeError:
    taken, _ = utf_8_decode(raw[:max_bytes], "surrogatepass", False)  # a character cut in two is not taken
    line, column = careful.place(taken, len(taken))
    offset = max_bytes if counts_bytes else len(taken)
    reason = f"the text has more than {max_bytes} bytes"
    return DecodeError(reason, offset=offset, line=line, column=column, path="$")


def _not_utf8(data: bytes, start: int, rules: Rules) -> DecodeError:
    """The first fault of bytes that are not UTF-8 from ``start`` on: the text before may be none of JSON."""
    text = data[:start].decode()
    path: str | None = "$"
    try:
        careful.Reader(text, rules).read()
    except DecodeError as error:
        if error.offset is not None and error.offset < len(text):
            error.offset = len(text[: error.offset].encode())
            return error
        path = error.path
    line, column = careful.place(text, len(text))
    return DecodeError("the bytes are not UTF-8", offset=start, line=line, column=column, path=path)
