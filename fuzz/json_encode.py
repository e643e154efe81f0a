"""JSON encoding writes what json.dumps writes, and decoding reads it back; what json.dumps refuses it refuses."""

from __future__ import annotations

import json as stdlib
import math
import struct
from typing import Any

from smswire.codec import json
from smswire.errors import EncodeError

TOKENS = [b"[", b"{", b"]", b"s\x05", b"i\x01", b"f", b"t", b"n", b"\xed\xa0\x80", b"\xf0\x9f\x98\x80", b"\x7f"]
SEEDS = [
    b"n", b"t", b"s\x03a\xc3\xa4", b"i\x02\xff\x7f", b"f\x00\x00\x00\x00\x00\x00\xf0\x7f",
    b"f\x9a\x99\x99\x99\x99\x99\xb9?", b"[ns\x01a]", b"{\x01bi\x01\x05\x01a[]]", b"[[[{\x01a{\x00n]]]]]",
    b's\x08"\\/\n\x00\x1f\x7f<', b"s\x03\xed\xa0\x80",
]  # fmt: skip


def check(data: bytes) -> None:
    value = build(Bytes(data))
    for sort_keys in (False, True):
        for ascii_only in (False, True):
            check_value(value, sort_keys, ascii_only)


def check_value(value: Any, sort_keys: bool, ascii_only: bool) -> None:
    try:
        written = json.encode(value, sort_keys=sort_keys, ascii_only=ascii_only)
    except EncodeError as error:
        assert error.path is not None
        assert error.path.startswith("$")
        assert has_no_form(value), error
        return
    theirs = stdlib.dumps(
        value, sort_keys=sort_keys, ensure_ascii=ascii_only, separators=(",", ":"), allow_nan=False
    ).encode()
    # DEL is all they differ in: json escapes it in ASCII, and section 7 does not ask for that.
    assert written.replace(b"\x7f", b"\\u007f" if ascii_only else b"\x7f") == theirs
    back = json.decode(written, max_depth=10_000)
    assert back == value
    assert sort_keys or repr(back) == repr(value)
    assert json.encode(back, sort_keys=sort_keys, ascii_only=ascii_only) == written


def has_no_form(value: Any) -> bool:
    """A NaN, an infinity or a lone surrogate is in it."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, float) and not math.isfinite(one):
            return True
        if isinstance(one, str) and any("\ud800" <= char <= "\udfff" for char in one):
            return True
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
    return False


class Bytes:
    """A reader that never runs dry: past the end all is empty."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        self.at += count
        return taken

    def take_counted(self) -> bytes:
        return self.take(int.from_bytes(self.take(1), "little"))


def build(source: Bytes) -> Any:
    """A value, by the letters that the bytes spell; without recursion, so that they may nest it deep."""
    root: list[Any] = []
    containers: list[Any] = [root]
    while not root or len(containers) > 1:
        letter = source.take(1)
        container = containers[-1]
        if letter in (b"]", b""):
            if len(containers) == 1:
                root.append(None)
            else:
                containers.pop()
            continue
        is_object = isinstance(container, dict)
        key = as_text(source.take_counted()) if is_object else None
        value = build_one(letter, source)
        if is_object:
            container[key] = value
        else:
            container.append(value)
        if isinstance(value, (list, dict)) and len(containers) < 100:
            containers.append(value)
    return root[0]


def build_one(letter: bytes, source: Bytes) -> Any:
    if letter == b"s":
        return as_text(source.take_counted())
    if letter == b"i":
        return int.from_bytes(source.take_counted(), "little", signed=True)
    if letter == b"f":
        return struct.unpack("<d", source.take(8).ljust(8, b"\0"))[0]
    return {b"t": True, b"u": False, b"[": [], b"{": {}}.get(letter)


def as_text(data: bytes) -> str:
    """UTF-8 that may hold surrogates."""
    return data.decode("utf-8", "surrogatepass" if b"\xed" in data and is_well_formed(data) else "replace")


def is_well_formed(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True
