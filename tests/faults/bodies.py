"""What an answer holds: compression that nobody asked for, sizes that nobody could hold."""

from __future__ import annotations

import gzip
from collections.abc import Sequence

from smswire.wire import Limits

from .case import OK, Case, Sent, answer, errors, finish, response

ZIPPED = gzip.compress(b"100")
BOMB = gzip.compress(gzip.compress(bytes(64 << 20)))  # 64 MiB in some 300 bytes, twice over
ZEROS = gzip.compress(bytes(64 << 20))


def zipped(body: bytes, *fields: bytes, coding: bytes = b"gzip", start: bytes = b"HTTP/1.1 200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    return response(b"Content-Encoding: " + coding, length, *fields, start=start, body=body)


CASES: Sequence[Case] = [
    Case("a length of 10^15", [127], answer(response(b"Content-Length: 1000000000000000")), error=errors.ProtocolError),
    Case("a body beyond a limit of the caller's", [127], answer(response(b"Content-Length: 3")),
         settings={"limits": Limits(max_body_bytes=2)}, error=errors.ProtocolError, goes_on=False),
    Case("a body without end", [127], answer(response(start=b"HTTP/1.0 200 OK", body=b"x" * 5000), finish), tls=False,
         settings={"limits": Limits(max_body_bytes=4096)}, error=errors.ProtocolError),
    Case("gzip that nobody asked for", [128], answer(zipped(ZIPPED)), sent=Sent.YES, kept=True),
    Case("a bomb of gzip", [128], answer(zipped(ZEROS)), error=errors.ProtocolError),
    Case("a bomb within a bomb, left as it is", [128], answer(zipped(BOMB, coding=b"gzip, gzip")), sent=Sent.YES,
         body=BOMB, kept=True),
    Case("gzip cut off", [130], answer(zipped(ZIPPED[:-4])), error=errors.ProtocolError),
    Case("gzip that does not check", [130], answer(zipped(ZIPPED[:-8] + bytes(8))), error=errors.ProtocolError),
    Case("bytes behind the gzip", [130], answer(zipped(ZIPPED + b"x")), error=errors.ProtocolError),
    Case("gzip in name only", [130], answer(zipped(b"100")), error=errors.ProtocolError),
    Case("another coding, left as it is", [130], answer(zipped(b"100", coding=b"br")), sent=Sent.YES, kept=True),
    Case("gzip in a refusal, cut off", [130], answer(zipped(ZIPPED[:-4], start=b"HTTP/1.1 500 Oh")),
         sent=Sent.MAYBE, status=500, body=ZIPPED[:-4], kept=True),
    Case("gzip on a 204", [131], answer(response(b"Content-Encoding: gzip", start=b"HTTP/1.1 204 None", body=b"")),
         sent=Sent.YES, status=204, body=b"", kept=True),
    Case("gzip on an answer to HEAD", [131], answer(zipped(ZIPPED)[: -len(ZIPPED)]), call={"method": "HEAD"},
         sent=Sent.YES, body=b"", kept=True),
    Case("an empty body", [127], answer(response(b"Content-Length: 0", body=b"")), sent=Sent.YES, body=b"", kept=True),
    Case("a body of a megabyte", [66], answer(response(b"Content-Length: 1000000", body=b"x" * 1_000_000)),
         sent=Sent.YES, body=b"x" * 1_000_000, kept=True),
    Case("an answer of one byte at a time", [63], answer(*(OK[at : at + 1] for at in range(len(OK)))), sent=Sent.YES,
         kept=True),
]  # fmt: skip
