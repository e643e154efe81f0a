"""Form decoding reads what parse_qsl reads; strict, it reads the same or points at a "%" or at bytes not UTF-8."""

from __future__ import annotations

import re
import urllib.parse

from smswire.codec import form
from smswire.errors import DecodeError

TOKENS = [b"&", b"=", b"+", b"%", b"%41", b"%C3%A4", b"%C3", b"%E2%82", b"%ff", b"%26", b"%3D", b"\xc3\xa4", b";"]
SEEDS = [
    b"", b"&", b"=", b"a", b"a=1&b=2", b"to=%2B491716992343&text=5+%3C+6&flash=1", b"a=b=c&&=x&", b"a=%", b"a=%zz%4",
    b"a=%C3%A4&b=%C3&c=%E2%82", b"a=%ED%A0%80", b"a=%F0%80%80", b"\xef\xbb\xbfa=\xff", b"files%5B0%5D%5Bname%5D=a.pdf",
    b"a=b;c=d",
]  # fmt: skip
# The second byte has its own range after E0 and F0.
RESTS_OF_A_CHARACTER = [b"", b"%80", b"%80%80", b"%A0%80", b"%80%80%80", b"%90%80%80"]
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


def check(data: bytes) -> None:
    pairs = form.decode(data, max_fields=len(data) + 1)
    # parse_qsl takes ASCII only: a byte outside is the same as its escape.
    in_ascii = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], data).decode("ascii")
    assert pairs == urllib.parse.parse_qsl(in_ascii, keep_blank_values=True, errors="replace")
    body = form.encode(pairs)
    # urlencode leaves "~" and escapes "*"; WHATWG has it the other way round.
    assert body.decode("ascii") == urllib.parse.urlencode(pairs).replace("%2A", "*").replace("~", "%7E")
    assert form.decode(body, max_fields=len(data) + 1, errors="strict") == pairs
    try:
        assert form.decode(data, max_fields=len(data) + 1, errors="strict") == pairs
    except DecodeError as error:
        assert error.offset is not None
        assert data[error.offset : error.offset + 1] == b"%" or data[error.offset] >= 0x80
        check_before(data[: error.offset])
    check_limits(data, pairs)


def check_before(data: bytes) -> None:
    """What stands before a fault can be completed, if only by the rest of a character that the fault interrupts."""
    for rest in RESTS_OF_A_CHARACTER:
        try:
            form.decode(data + rest, max_fields=len(data) + 1, errors="strict")
        except DecodeError:
            continue
        return
    raise AssertionError("what stands before the offset is at fault too")


def check_limits(data: bytes, pairs: list[tuple[str, str]]) -> None:
    """As many fields and bytes as there are pass, and one less does not."""
    assert form.decode(data, max_fields=len(pairs), max_bytes=len(data)) == pairs
    for limit in ({"max_fields": len(pairs) - 1}, {"max_bytes": len(data) - 1}):
        if min(limit.values()) >= 0:
            try:
                form.decode(data, **limit)
            except DecodeError:
                continue
            raise AssertionError(f"passed the limit {limit}")
