"""Where an answer ends: what two readers could see differently is refused, what is odd but certain stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .case import CHUNKED, OK, SIZED, THREE, Case, Sent, answer, errors, finish, notify, response, silence


def refused(name: str, number: int, data: bytes, **more: Any) -> Case:
    """The bytes are no answer: it may have been sent, and the connection goes."""
    return Case(name, [number], answer(data), error=errors.ProtocolError, **more)


def stands(name: str, number: int, data: bytes, *, kept: bool = True, sent: Sent = Sent.YES, **more: Any) -> Case:
    """The bytes are an answer."""
    return Case(name, [number], answer(data), sent=sent, kept=kept, **more)


def chunked(body: bytes) -> bytes:
    return response(CHUNKED, body=body)


def coded(coding: bytes) -> bytes:
    return response(b"Transfer-Encoding: " + coding, body=THREE)


KEEP_ALIVE = b"Connection: keep-alive"

CASES: Sequence[Case] = [
    refused("a length and a coding", 71, response(SIZED, CHUNKED, body=THREE)),
    refused("a coding and a length", 71, response(CHUNKED, SIZED, body=THREE)),
    refused("two lengths that differ", 73, response(SIZED, b"Content-Length: 4")),
    stands("the same length twice", 73, response(SIZED, SIZED), kept=False),
    refused("a list of lengths that differ", 73, response(b"Content-Length: 3, 4")),
    *(
        refused(f"the length {length.decode()!r}", 74, response(b"Content-Length: " + length))
        for length in (b"+3", b"-1", b"1_0", b"0x3", b"", b"3 3", b"9" * 30, b"3.0")
    ),
    refused("a length beyond the limit", 74, response(b"Content-Length: 40000000")),
    Case("a length longer than the body, then an end", [75], answer(response(b"Content-Length: 4"), finish),
         error=errors.ConnectionEnded),
    Case("a length longer than the body, then close_notify", [75], answer(response(b"Content-Length: 4"), notify),
         error=errors.ConnectionEnded),
    stands("bytes behind the body", 76, OK + b"x", kept=False),
    stands("two answers in one segment", 77, OK + OK, kept=False),
    Case("an answer that nobody asked for, while idle", [78], sent=Sent.YES, kept=True,
         idle=lambda peer: peer.send(OK)),
    refused("a coding besides chunked", 81, coded(b"gzip, chunked")),
    refused("chunked, chunked", 81, coded(b"chunked, chunked")),
    refused("xchunked", 81, coded(b"xchunked")),
    refused("chunked behind a vertical tab", 81, coded(b"\x0bchunked")),
    refused("two fields of codings", 81, response(CHUNKED, CHUNKED, body=THREE)),
    refused("identity", 81, response(b"Transfer-Encoding: identity")),
    refused("a coding in HTTP/1.0", 82, response(CHUNKED, start=b"HTTP/1.0 200 OK", body=THREE)),
    *(
        refused(f"the chunk size {size.decode()!r}", 83, chunked(size + b"\r\n100\r\n0\r\n\r\n"))
        for size in (b"g", b"0x3", b"+3", b"-3", b"", b"fffffffffffffffffff0")
    ),
    refused("a chunk without CRLF behind it", 84, chunked(b"3\r\n1000\r\n\r\n")),
    refused("a chunk with other bytes behind it", 84, chunked(b"3\r\n100xx0\r\n\r\n")),
    refused("more chunks than anybody sends", 87, chunked(b"1\r\n1\r\n" * 66_000)),
    Case("a chunk cut off", [88], answer(chunked(b"5\r\n100"), finish), error=errors.ConnectionEnded),
    Case("no last chunk", [88], answer(chunked(b"3\r\n100\r\n"), notify), error=errors.ConnectionEnded),
    refused("trailers without end", 90, chunked(b"0\r\n" + b"X: y\r\n" * 20_000)),
    stands("a trailer", 90, chunked(b"3\r\n100\r\n0\r\nX: y\r\n\r\n")),
    Case("a body that ends with the connection, by close_notify", [91],
         answer(response(start=b"HTTP/1.0 200 OK"), notify), sent=Sent.YES),
    Case("a body that ends with the connection, without close_notify", [91],
         answer(response(start=b"HTTP/1.0 200 OK"), finish), error=errors.ConnectionEnded),
    Case("a body that ends with the connection, in plain", [91], answer(response(start=b"HTTP/1.0 200 OK"), finish),
         tls=False, sent=Sent.YES),
    stands("204 with bytes behind it", 93, response(start=b"HTTP/1.1 204 None"), kept=False, status=204, body=b""),
    stands("304 with a length", 93, response(SIZED, start=b"HTTP/1.1 304 Same", body=b""), status=304, body=b"",
           sent=Sent.MAYBE),
    stands("an answer to HEAD with a length", 93, response(SIZED, body=b""), body=b"", call={"method": "HEAD"}),
    stands("an answer to HEAD with a body", 93, OK, kept=False, body=b"", call={"method": "HEAD"}),
    refused("101 that nobody asked for", 94, response(b"Upgrade: h2c", start=b"HTTP/1.1 101 Switch", body=b"")),
    stands("Connection: close", 95, response(SIZED, b"Connection: close"), kept=False),
    stands("Connection: Close in a list", 95, response(SIZED, b"connection: keep-alive , Close"), kept=False),
    stands("Connection: close twice", 95, response(SIZED, b"Connection: close", b"Connection: close"), kept=False),
    stands("HTTP/1.0 that would stay", 95, response(SIZED, KEEP_ALIVE, start=b"HTTP/1.0 200 OK"), kept=False),
    refused("HTTP/2.0", 97, response(SIZED, start=b"HTTP/2.0 200 OK")),
    refused("lines that end with LF", 97, OK.replace(b"\r\n", b"\n")),
    refused("a fold on the length", 98, response(b"Content-Length: 3\r\n 0")),
    stands("a fold in a harmless field", 98, response(b"X: a\r\n b", SIZED), kept=False),
    refused("NUL in a field", 99, response(b"X: a\0b", SIZED)),
    refused("a bare CR in a field", 99, response(b"X: a\rb", SIZED)),
    refused("a field without a colon", 101, response(b"X", SIZED)),
    refused("a space before the colon", 102, response(b"Content-Length : 3")),
    refused("a space before the first field", 103, response(b" X: y", SIZED)),
    refused("a huge field in one write", 104, response(b"X: " + b"y" * 70_000, SIZED)),
    Case("a huge field in many writes", [104],
         answer(b"HTTP/1.1 200 OK\r\nX: ", *[b"y" * 7_000] * 10, b"\r\nContent-Length: 3\r\n\r\n100"),
         error=errors.ProtocolError),
    refused("more fields than anybody sends", 104, response(*[b"X: y"] * 101, SIZED)),
    *(
        refused(f"the status {status.decode()[:9]!r}", 106, response(SIZED, start=b"HTTP/1.1 " + status + b" OK"))
        for status in (b"099", b"1000", b"-200", b"2" * 100, b"20")
    ),
    stands("a status without meaning", 106, response(SIZED, start=b"HTTP/1.1 799 Odd"), kept=False, status=799,
           sent=Sent.MAYBE),
    stands("no reason phrase", 108, response(SIZED, start=b"HTTP/1.1 200")),
    stands("fields that repeat", 111, response(b"Date: a", b"Date: b", b"Content-Type: c", b"Content-Type: d", SIZED)),
    refused("no HTTP at all", 97, b"220 mail.example ESMTP\r\n"),
    stands("100 first", 112, b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    stands("103 first", 112, b"HTTP/1.1 103 Hints\r\nLink: <a>\r\n\r\n" + OK),
    stands("102 twice first", 112, b"HTTP/1.1 102 Processing\r\n\r\n" * 2 + OK),
    refused("more interim responses than anybody sends", 112, b"HTTP/1.1 102 Processing\r\n\r\n" * 9 + OK),
    refused("an interim response with a length", 114, b"HTTP/1.1 103 Hints\r\nContent-Length: 3\r\n\r\n" + OK),
    stands("417", 115, response(SIZED, start=b"HTTP/1.1 417 Expectation Failed"), status=417, sent=Sent.NO),
    Case("an end behind an interim response", [112], answer(b"HTTP/1.1 100 Continue\r\n\r\n", finish),
         error=errors.ConnectionEnded),
    Case("silence behind an interim response", [67], answer(b"HTTP/1.1 100 Continue\r\n\r\n", silence),
         error=errors.Timeout, call={"timeout": 0.3}),
]  # fmt: skip
