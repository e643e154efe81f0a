"""The plain lane: answers whose framing cannot be read in two ways need no event loop to be read.

`read` looks at all the bytes of an answer that have come. It either gives the response, or says that what came is plain
but not all there, or that it is not plain. It is a pure function of those bytes, so it means nothing how they were cut.
Whatever is not plain h11 reads, from its first byte (`general`); nothing is refused here. A fuzzed property
(``fuzz/plain_lane.py``) holds the two against each other: what is plain h11 reads to the same response, and says the
same of the connection.

**The head.** One regular expression over the whole of it. It demands

- ``HTTP/1.1``: what 1.0 means for the connection depends on more than the answer.
- A status from 200 to 599, but not 204 and 304: they have no body, whatever they announce; an interim response is not
  the answer; above 599 no standard says what it is.
- Lines of visible characters, spaces and tabs that end in CRLF, each field with a token before its colon. A bare CR, a
  bare LF, a NUL, a fold or a space before a colon is where readers begin to differ.
- Either exactly one ``Content-Length``, of 1 to 10 digits, or exactly one ``Transfer-Encoding``, and that ``chunked``
  in lower case (h11 writes it so), never both: each other case has a rule of its own, and readers that do not know it.
- No ``Connection`` but ``keep-alive``: any other, ``close`` as well, is h11's to judge.
- No ``Content-Encoding``: nobody asks for one.

**The body.** So many bytes, or chunks: a size of 1 to 8 hexadecimal digits and nothing else on its line, CRLF, the
content, CRLF; a last one of size 0 and no trailers.

**The request** counts too: the answer to ``HEAD`` has no body. `exchange` sees to that. ``CONNECT``, ``Expect``,
``Upgrade`` and ``Connection`` cannot be said at all (`message`).

**Limits.** What could pass one is not plain, so they are judged in one place. A chunked body counts as it came, size
lines included: less than `general` allows, so whatever passes here passes there.

Then the connection may carry another request exactly if nothing came behind the answer.
"""

from __future__ import annotations

import re
from typing import Final

from .head import Limits
from .message import Headers, Response

NOT_PLAIN: Final = (None, 0)
"""What `read` says of an answer that is h11's to read."""

_SIZE_LINE_BYTES: Final = 10

# A line is matched in one way only, since each run in it is possessive, so a head that does not match costs a time
# linear in its length. The loop over the lines is not possessive: CPython lost matches in such groups up to 3.11.4.
# Telling the names that matter by their first letter saves a look ahead in most lines.
_FIELDS = rb"""(?:(?:
    [!\#$%&'*+.^_`|~0-9ABD-SU-Zabd-su-z-] {rest}
  | [Cc](?!(?i:onnection|ontent-(?:encoding|length)):) {rest}
  | [Tt](?!(?i:ransfer-encoding):) {rest}
  | (?i:connection):[ \t]*+(?i:keep-alive)[ \t]*+
)\r\n)*""".replace(b"{rest}", rb"[!\#$%&'*+.^_`|~0-9A-Za-z-]*+:[\t -~\x80-\xff]*+")

_head = re.compile(
    rb"""HTTP/1\.1\ (?!204|304)(?P<status>[2-5][0-9][0-9])(?:\ (?P<reason>[\t -~\x80-\xff]*+))?
    (?P<fields>\r\n
      {fields}
      (?:(?i:content-length):[ \t]*+(?P<length>[0-9]{1,10})|(?i:transfer-encoding):[ \t]*+chunked)[ \t]*+\r\n
      {fields}
    )\r\n""".replace(b"{fields}", _FIELDS),
    re.VERBOSE,
).match
_size_line = re.compile(rb"([0-9A-Fa-f]{1,8})\r\n").match
_part_of_size_line = re.compile(rb"[0-9A-Fa-f]{0,8}\r?").fullmatch


def read(data: bytes, limits: Limits) -> tuple[Response | None, int]:
    """Reads an answer of which ``data`` is all that has come.

    Gives the response and the index where it ends; or None and the number of bytes without which there is no more to
    say; or `NOT_PLAIN`.

    >>> head = b"HTTP/1.1 200 OK\\r\\nContent-Length: 3\\r\\n\\r\\n"
    >>> read(head + b"100", Limits())
    (<Response 200, 3 bytes>, 41)
    >>> read(head, Limits()), read(head.replace(b"3", b"3, 3"), Limits())
    ((None, 41), (None, 0))
    """
    match = _head(data)
    if match is None:
        return NOT_PLAIN
    status, reason, fields, length = match.groups()
    start = match.end()
    if start > limits.max_head_bytes:
        return NOT_PLAIN
    # No field is shorter than "a:" and CRLF.
    if start > limits.max_fields * 4 and fields.count(b"\n") - 1 > limits.max_fields:
        return NOT_PLAIN
    if length is None:
        body, end = _read_chunks(data, start, limits)
    else:
        end = start + int(length)
        if end - start > limits.max_body_bytes:
            return NOT_PLAIN
        body = data[start:end] if end <= len(data) else None
    if body is None:
        return None, end
    headers = Headers.of_lines(fields.decode("latin-1"))
    return Response(int(status), headers, body, reason.decode("latin-1") if reason else ""), end


def _read_chunks(data: bytes, start: int, limits: Limits) -> tuple[bytes | None, int]:
    """The content of the chunks from ``start`` on, and the index behind them; or what `read` says instead."""
    if limits.max_line_bytes < _SIZE_LINE_BYTES:
        return NOT_PLAIN
    parts: list[bytes] = []
    at = start
    most = start + limits.max_body_bytes
    while True:
        line = _size_line(data, at)
        if line is None:
            return (None, len(data) + 1) if _part_of_size_line(data, at) else NOT_PLAIN
        size = int(line[1], 16)
        at = line.end()
        end = at + size
        if end > most or (size and len(parts) == limits.max_chunks):
            return NOT_PLAIN
        footer = data[end : end + 2]
        if not b"\r\n".startswith(footer):
            return NOT_PLAIN
        if len(footer) < 2:
            return None, max(end, len(data)) + 1
        if not size:
            return parts[0] if len(parts) == 1 else b"".join(parts), end + 2
        parts.append(data[at:end])
        at = end + 2
