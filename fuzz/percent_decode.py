"""Percent-decoding reads what urllib.parse reads, or points at the first "%" that lacks its two digits."""

from __future__ import annotations

import re
import urllib.parse

from smswire.codec import percent
from smswire.errors import DecodeError

TOKENS = [b"%", b"%41", b"%c3%A4", b"%ff", b"%zz", b"%%", b"+", b"%25"]
SEEDS = [
    b"", b"plain", b"a%20b", b"%C3%A4%c3%a4", b"100%", b"%4", b"%zz", b"%%41", b"%2541", b"\xc3\xa4%C3", b"a+b",
    b"%00%7F%80%FF", b"%u0041",
]  # fmt: skip
_MALFORMED = re.compile(rb"%(?:[^0-9A-Fa-f]|[0-9A-Fa-f](?:[^0-9A-Fa-f]|\Z)|\Z)", re.DOTALL)


def check(data: bytes) -> None:
    kept = percent.decode(data, malformed="keep")
    assert kept == urllib.parse.unquote_to_bytes(data)
    malformed = _MALFORMED.search(data)
    try:
        strict = percent.decode(data)
    except DecodeError as error:
        assert malformed is not None
        assert error.offset == malformed.start()
    else:
        assert malformed is None
        assert strict == kept
    for safe in (percent.UNRESERVED, percent.PATH_SEGMENT, percent.QUERY, percent.FORM, ""):
        encoded = percent.encode(kept, safe)
        assert encoded == urllib.parse.quote(kept, safe=safe) or "~" not in safe  # quote leaves "~" in any case
        assert percent.decode(encoded) == kept
        assert percent.encode(percent.decode(encoded), safe) == encoded
