"""The door: what is refused because two readers could disagree, and what stands though it is odd."""

from __future__ import annotations

import pytest

from .feeding import CHUNKED, OK, SIZED, THREE, Read, answer, assert_refused, read_any_way

REFUSED_HEADS = {
    "length and coding": answer(SIZED, CHUNKED, body=b"\r\n" + THREE),
    "coding and length": answer(CHUNKED, SIZED, body=b"\r\n" + THREE),
    "differing lengths": answer(SIZED, b"Content-Length: 4\r\n"),
    "lengths that differ in a zero": answer(SIZED, b"Content-Length: 03\r\n"),
    "differing lengths in a list": answer(b"Content-Length: 3, 4\r\n"),
    "a list of equal lengths": answer(b"Content-Length: 3, 3\r\n"),
    "length with plus": answer(b"Content-Length: +3\r\n"),
    "negative length": answer(b"Content-Length: -1\r\n"),
    "length with underscore": answer(b"Content-Length: 1_0\r\n"),
    "hexadecimal length": answer(b"Content-Length: 0x3\r\n"),
    "empty length": answer(b"Content-Length:\r\n"),
    "blank length": answer(b"Content-Length:  \t \r\n"),
    "fraction": answer(b"Content-Length: 3.0\r\n"),
    "two numbers": answer(b"Content-Length: 3 3\r\n"),
    "30 digits": answer(b"Content-Length: " + b"9" * 30 + b"\r\n"),
    "20 digits": answer(b"Content-Length: 18446744073709551619\r\n"),
    "20 digits, mostly zeros": answer(b"Content-Length: " + b"0" * 19 + b"3\r\n"),
    "30 digits, mostly zeros": answer(b"Content-Length: " + b"0" * 29 + b"3\r\n"),
    "10^15": answer(b"Content-Length: 1000000000000000\r\n"),
    "superscript digit": answer(b"Content-Length: \xb3\r\n"),
    "length with vertical tab": answer(b"Content-Length: \x0b3\r\n"),
    "gzip, chunked": answer(b"Transfer-Encoding: gzip, chunked\r\n", body=b"\r\n" + THREE),
    "chunked, chunked": answer(b"Transfer-Encoding: chunked, chunked\r\n", body=b"\r\n" + THREE),
    "chunked twice": answer(CHUNKED, CHUNKED, body=b"\r\n" + THREE),
    "xchunked": answer(b"Transfer-Encoding: xchunked\r\n", body=b"\r\n" + THREE),
    "chunked behind a vertical tab": answer(b"Transfer-Encoding: \x0bchunked\r\n", body=b"\r\n" + THREE),
    "chunked with a parameter": answer(b"Transfer-Encoding: chunked;q=1\r\n", body=b"\r\n" + THREE),
    "chunked in a list": answer(b"Transfer-Encoding: ,chunked\r\n", body=b"\r\n" + THREE),
    "quoted": answer(b'Transfer-Encoding: "chunked"\r\n', body=b"\r\n" + THREE),
    "identity": answer(b"Transfer-Encoding: identity\r\n"),
    "empty coding": answer(b"Transfer-Encoding:\r\n"),
    "coding in HTTP/1.0": answer(CHUNKED, start=b"HTTP/1.0 200 OK\r\n", body=b"\r\n" + THREE),
    "HTTP/1.2": answer(SIZED, start=b"HTTP/1.2 200 OK\r\n"),
    "HTTP/2.0": answer(SIZED, start=b"HTTP/2.0 200 OK\r\n"),
    "HTTP/0.9": answer(SIZED, start=b"HTTP/0.9 200 OK\r\n"),
    "HTTP/1.10": answer(SIZED, start=b"HTTP/1.10 200 OK\r\n"),
    "http/1.1": answer(SIZED, start=b"http/1.1 200 OK\r\n"),
    "HTTP/2 without a minor": answer(SIZED, start=b"HTTP/2 200\r\n"),
    "ICY": answer(SIZED, start=b"ICY 200 OK\r\n"),
    "not HTTP": b"<html>100</html>\r\n\r\n",
    "a mail server": b"220 mail.example ESMTP\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x16",
    "blank line first": b"\r\n" + answer(SIZED),
    "space first": b" " + answer(SIZED),
    "LF only": answer(SIZED).replace(b"\r\n", b"\n"),
    "LF only, in the status line": answer(SIZED, start=b"HTTP/1.1 200 OK\n"),
    "LF only, in a field": answer(b"X: y\n", SIZED),
    "LF only, at the end": answer(SIZED, body=b"\n100"),
    "CR only": answer(b"X: y\r", SIZED),
    "CR CR LF": answer(b"X: y\r\r\n", SIZED),
    "bare CR in a value": answer(b"X: a\rContent-Length: 9\r\n", SIZED),
    "NUL in a value": answer(b"X: a\0b\r\n", SIZED),
    "NUL in a name": answer(b"X\0: a\r\n", SIZED),
    "NUL in the reason": answer(SIZED, start=b"HTTP/1.1 200 O\0K\r\n"),
    "space before the colon": answer(b"Content-Length : 3\r\n"),
    "tab before the colon": answer(b"X\t: y\r\n", SIZED),
    "no colon": answer(b"X\r\n", SIZED),
    "no name": answer(b": y\r\n", SIZED),
    "name that is no token": answer(b"X Y: z\r\n", SIZED),
    "space before the first field": answer(b" X: y\r\n", SIZED),
    "tab before the first field": answer(b"\tX: y\r\n", SIZED),
    "fold on the length": answer(b"Content-Length: 3\r\n 0\r\n"),
    "fold within the length": answer(b"Content-Length:\r\n 3\r\n"),
    "fold on the coding": answer(b"Transfer-Encoding: chun\r\n\tked\r\n", body=b"\r\n" + THREE),
    "fold into a length": answer(b"X: y\r\n Content-Length: 4\r\n", SIZED),
    "fold into a coding": answer(b"X: y\r\n\t transfer-encoding: chunked\r\n", SIZED),
    "fold of nothing": answer(b"X: y\r\n \r\n", SIZED),
    "status 099": answer(SIZED, start=b"HTTP/1.1 099 OK\r\n"),
    "status 000": answer(SIZED, start=b"HTTP/1.1 000 OK\r\n"),
    "status 1000": answer(SIZED, start=b"HTTP/1.1 1000 OK\r\n"),
    "status -200": answer(SIZED, start=b"HTTP/1.1 -200 OK\r\n"),
    "status of 100 digits": answer(SIZED, start=b"HTTP/1.1 " + b"2" * 100 + b" OK\r\n"),
    "status of two digits": answer(SIZED, start=b"HTTP/1.1 20 OK\r\n"),
    "no status": answer(SIZED, start=b"HTTP/1.1 OK\r\n"),
    "two spaces before the status": answer(SIZED, start=b"HTTP/1.1  200 OK\r\n"),
    "tab before the status": answer(SIZED, start=b"HTTP/1.1\t200 OK\r\n"),
    "101 that nobody asked for": answer(b"Upgrade: h2c\r\nConnection: upgrade\r\n", start=b"HTTP/1.1 101 Switch\r\n"),
    "interim response with a length": answer(SIZED, start=b"HTTP/1.1 103 Hints\r\n"),
    "interim response with a length, and an answer": answer(
        SIZED, start=b"HTTP/1.1 103 H\r\n", body=b"\r\n" + answer(SIZED)
    ),
    "interim response with a coding": answer(CHUNKED, start=b"HTTP/1.1 100 Continue\r\n", body=b"\r\n" + THREE),
}


@pytest.mark.parametrize("case", REFUSED_HEADS)
def test_an_ambiguous_head_is_refused(case: str) -> None:
    """Whoever reads it otherwise would take another message, or another connection, for the answer."""
    assert_refused(REFUSED_HEADS[case])


REFUSED_BODIES = {
    "no number": b"x\r\n",
    "0x": b"0x3\r\n100\r\n0\r\n\r\n",
    "plus": b"+3\r\n100\r\n0\r\n\r\n",
    "minus": b"-3\r\n100\r\n0\r\n\r\n",
    "empty size": b"\r\n100\r\n0\r\n\r\n",
    "space before the size": b" 3\r\n100\r\n0\r\n\r\n",
    "17 digits": b"00000000000000003\r\n100\r\n0\r\n\r\n",
    "2^64 and more": b"10000000000000003\r\n100",
    "2^80": b"fffffffffffffffffff0\r\n100",
    "LF after the size": b"3\n100\r\n0\r\n\r\n",
    "CR in the extension": b"3;a\rb\r\n100\r\n0\r\n\r\n",
    "NUL in the extension": b"3;a\0b\r\n100\r\n0\r\n\r\n",
    "no CRLF behind the content": b"3\r\n1000\r\n\r\n",
    "LF behind the content": b"3\r\n100\n0\r\n\r\n",
    "wrong bytes behind the content": b"3\r\n100xy0\r\n\r\n",
    "LF ends the trailers": THREE[:-2] + b"\n",
    "LF in the trailers": THREE[:-2] + b"X: y\n\r\n",
    "bare CR in the trailers": THREE[:-2] + b"X: a\rb\r\n\r\n",
    "trailers that only look as if they end": THREE[:-2] + b"X: y\r\n \r\n\r\n",
    "trailer without colon": THREE[:-2] + b"X\r\n\r\n",
    "fold before the first trailer": THREE[:-2] + b" X: y\r\n\r\n",
}


@pytest.mark.parametrize("case", REFUSED_BODIES)
def test_a_malformed_chunk_is_refused(case: str) -> None:
    """A chunked body has one reading or none."""
    assert_refused(answer(CHUNKED, body=b"\r\n" + REFUSED_BODIES[case]))


STANDS_AND_STAYS = {
    "sized": answer(SIZED),
    "length in other case, without space": answer(b"cOnTeNt-LeNgTh:3\r\n"),
    "length among spaces": answer(b"Content-Length: \t 3 \t\r\n"),
    "length with zeros": answer(b"Content-Length: 0003\r\n"),
    "length of 19 digits": answer(b"Content-Length: " + b"0" * 18 + b"3\r\n"),
    "chunked": answer(CHUNKED, body=b"\r\n" + THREE),
    "chunked in capitals": answer(b"TRANSFER-ENCODING: CHUNKED\r\n", body=b"\r\n" + THREE),
    "chunks and extensions": answer(CHUNKED, body=b'\r\n1;a=b\r\n1\r\n2;c="d;e"\r\n00\r\n000;f\r\n\r\n'),
    "spaces behind the size": answer(CHUNKED, body=b"\r\n3  \r\n100\r\n0 \r\n\r\n"),
    "capital digits, leading zeros": answer(CHUNKED, body=b"\r\n0000000000000003\r\n100\r\n0\r\n\r\n"),
    "trailers": answer(CHUNKED, body=b"\r\n" + THREE[:-2] + b"X: y\r\nZ: \r\n\r\n"),
    "no reason": answer(SIZED, start=b"HTTP/1.1 200 \r\n"),
    "no reason, and no space": answer(SIZED, start=b"HTTP/1.1 200\r\n"),
    "a reason of any bytes": answer(SIZED, start=b"HTTP/1.1 200 gr\xfc\xdf \t dich\r\n"),
    "keep-alive": answer(b"Connection: Keep-Alive\r\nKeep-Alive: timeout=3, max=9\r\n", SIZED),
    "repeated fields": answer(b"Date: a\r\nDate: b\r\nContent-Type: c\r\ncontent-type: d\r\n", SIZED),
    "bytes above ASCII in a value": answer(b"X: \xff\x80\r\n", SIZED),
    "names that begin like framing": answer(b"Content-Length-X: 9\r\nTransfer-Encodings: gzip\r\n", SIZED),
    "close in another field": answer(b"X-Connection: close\r\nConnection: not-close\r\n", SIZED),
    "100 first": b"HTTP/1.1 100 Continue\r\n\r\n" + answer(SIZED),
    "102, 103 and 100 first": b"HTTP/1.1 102 P\r\n\r\nHTTP/1.1 103 H\r\nLink: <a>\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
    + answer(SIZED),
    "interim response that says it has no body": b"HTTP/1.1 100 C\r\nContent-Length: 0\r\n\r\n" + answer(SIZED),
}  # fmt: skip


@pytest.mark.parametrize("case", STANDS_AND_STAYS)
def test_a_lawful_answer_leaves_the_connection_usable(case: str) -> None:
    """Rare is not odd: what the standard allows costs nothing."""
    outcome = read_any_way(STANDS_AND_STAYS[case])
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body) == (200, b"100")
    assert outcome.reusable


STANDS_AND_GOES = {
    "close": answer(b"Connection: close\r\n", SIZED),
    "Close": answer(b"connection: CLOSE\r\n", SIZED),
    "close in a list": answer(b"Connection: keep-alive , Close,x\r\n", SIZED),
    "close in a second field": answer(b"Connection: keep-alive\r\nConnection: close\r\n", SIZED),
    "close twice": answer(b"Connection: close\r\nConnection: close\r\n", SIZED),
    "HTTP/1.0": answer(SIZED, start=b"HTTP/1.0 200 OK\r\n"),
    "HTTP/1.0 that would stay": answer(b"Connection: keep-alive\r\n", SIZED, start=b"HTTP/1.0 200 OK\r\n"),
    "fold in a harmless field": answer(b"X: a\r\n  b\r\n\tc\r\n", SIZED),
    "the same length twice": answer(SIZED, SIZED),
    "interim response in HTTP/1.0": b"HTTP/1.0 100 Continue\r\n\r\n" + answer(SIZED),
    "fold in an interim response": b"HTTP/1.1 103 H\r\nLink: <a>,\r\n <b>\r\n\r\n" + answer(SIZED),
    "close in an interim response": b"HTTP/1.1 100 C\r\nConnection: close\r\n\r\n" + answer(SIZED),
    "close in the first of two interim responses": b"HTTP/1.1 100 C\r\nconnection:x,close\r\n\r\nHTTP/1.1 100 C\r\n\r\n"
    + answer(SIZED),
    "fold in a trailer": answer(CHUNKED, body=b"\r\n" + THREE[:-2] + b"X: y\r\n z\r\n\r\n"),
}


@pytest.mark.parametrize("case", STANDS_AND_GOES)
def test_an_odd_but_unambiguous_answer_stands_and_the_connection_goes(case: str) -> None:
    """Refusing it would make "maybe sent" of what is known."""
    outcome = read_any_way(STANDS_AND_GOES[case])
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body) == (200, b"100")
    assert not outcome.reusable


@pytest.mark.parametrize("status", [200, 202, 299, 301, 400, 404, 418, 429, 500, 503, 599])
def test_every_status_up_to_599_is_an_answer(status: int) -> None:
    """And says nothing about the connection."""
    outcome = read_any_way(answer(SIZED, start=b"HTTP/1.1 %d X\r\n" % status))
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.reason, outcome.reusable) == (status, "X", True)


@pytest.mark.parametrize("status", [600, 777, 999])
def test_a_status_without_meaning_stands_and_the_connection_goes(status: int) -> None:
    """Nobody disagrees on where it ends."""
    outcome = read_any_way(answer(SIZED, start=b"HTTP/1.1 %d X\r\n" % status))
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body, outcome.reusable) == (status, b"100", False)


@pytest.mark.parametrize(
    ("method", "status", "fields", "reusable"),
    [
        ("GET", 204, b"", True),
        ("GET", 204, b"Content-Length: 0\r\n", True),
        ("GET", 204, b"Content-Length: 3\r\n", False),
        ("GET", 204, CHUNKED, False),
        ("GET", 304, b"Content-Length: 3\r\n", True),
        ("GET", 304, CHUNKED, True),
        ("GET", 304, SIZED * 2, False),
        ("HEAD", 200, SIZED * 2, False),
        ("HEAD", 200, b"", True),
        ("HEAD", 200, b"Content-Length: 1000000000000000\r\n", True),
        ("HEAD", 200, CHUNKED, True),
        ("HEAD", 404, b"Content-Encoding: gzip\r\nContent-Length: 9\r\n", True),
        ("GET", 204, b"Content-Encoding: gzip\r\n", True),
        ("GET", 200, b"Content-Encoding: gzip\r\nContent-Length: 0\r\n", True),
    ],
)
def test_some_answers_have_no_body_whatever_they_announce(
    method: str, status: int, fields: bytes, reusable: bool
) -> None:
    """204, 304 and answers to HEAD end with their head; a 204 that announces content makes the connection suspect."""
    outcome = read_any_way(answer(fields, start=b"HTTP/1.1 %d X\r\n" % status, body=b"\r\n"), method=method)
    assert outcome.response is not None
    assert (outcome.response.status, outcome.response.body, outcome.reusable) == (status, b"", reusable)


def test_a_body_that_ends_with_the_connection_ends_there() -> None:
    """Without length or coding only the end ends it, in both versions; the connection is gone with it."""
    for start in (OK, b"HTTP/1.0 200 OK\r\n"):
        assert read_any_way(answer(start=start)) == Read(None, None, False)
        outcome = read_any_way(answer(start=start), end=True)
        assert outcome.response is not None
        assert (outcome.response.body, outcome.reusable) == (b"100", False)
        empty = read_any_way(answer(start=start, body=b"\r\n"), end=True)
        assert empty.response is not None
        assert empty.response.body == b""


@pytest.mark.parametrize(
    "start", [b"\r\n", b"h", b"HTTP/2", OK + b"X: a\rb", OK + b"X: a\r\r", OK + b"\n", OK + b"X\0"]
)
def test_the_start_of_what_cannot_become_a_head_is_refused_at_once(start: bytes) -> None:
    """Also where the byte that settles it comes alone: nobody waits for more of what is no answer."""
    assert_refused(start)
