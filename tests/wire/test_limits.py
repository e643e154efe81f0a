"""Every bound of an answer, at its edge and one beyond, however the answer arrives."""

from __future__ import annotations

import pytest

from smswire.errors import ProtocolError
from smswire.wire import Limits

from .feeding import CHUNKED, SIZED, answer, assert_incomplete, assert_refused, read, read_any_way


def test_eight_interim_responses_are_enough() -> None:
    """The ninth is refused, the eighth is not."""
    interim = b"HTTP/1.1 102 Processing\r\n\r\n"
    assert read_any_way(interim * 8 + answer(SIZED)).reusable
    assert_refused(interim * 9 + answer(SIZED))
    assert_incomplete(interim * 8)


def head_of(size: int) -> bytes:
    """A whole answer that is nothing but a head of that size."""
    start = answer(b"Content-Length: 0\r\nX: ", body=b"")
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


def test_a_head_has_64_kib_however_it_arrives() -> None:
    """One byte more is refused, in one read or in many."""
    assert len(head_of(65_536)) == 65_536
    assert read_any_way(head_of(65_536)).reusable
    assert_refused(head_of(65_537))
    assert_refused(head_of(65_540)[:-4])


def test_a_head_has_100_fields() -> None:
    """One more is refused."""
    assert read_any_way(answer(b"X: y\r\n" * 99, SIZED)).reusable
    assert_refused(answer(b"X: y\r\n" * 100, SIZED))


def test_every_limit_is_itself_allowed() -> None:
    """`max_x` is a maximum, and one more is too many."""
    limits = Limits(max_head_bytes=100, max_fields=2, max_interim=1, max_body_bytes=4, max_chunks=2, max_line_bytes=20)
    interim = b"HTTP/1.1 100 C\r\n\r\n"

    def fits(data: bytes, *, end: bool = False) -> None:
        assert read_any_way(data, end=end, limits=limits).response is not None

    def exceeds(data: bytes) -> None:
        assert_refused(data, limits=limits)

    fits(head_of(100))
    exceeds(head_of(101))
    fits(interim + head_of(100))
    exceeds(interim + interim + answer(SIZED))
    fits(answer(b"X: y\r\n", SIZED))
    exceeds(answer(b"X: y\r\n" * 2, SIZED))
    fits(answer(b"Content-Length: 4\r\n", body=b"\r\n1000"))
    exceeds(answer(b"Content-Length: 5\r\n", body=b"\r\n"))
    fits(answer(body=b"\r\n1000"), end=True)
    exceeds(answer(body=b"\r\n10000"))
    chunks = answer(CHUNKED)[:-3]
    fits(chunks + b"2\r\n10\r\n2\r\n00\r\n0\r\n\r\n")
    exceeds(chunks + b"2\r\n10\r\n3\r\n")
    exceeds(chunks + b"1\r\n1\r\n1\r\n0\r\n1\r\n")
    fits(chunks + b"3;" + b"e" * 16 + b"\r\n100\r\n0\r\n\r\n")
    exceeds(chunks + b"3;" + b"e" * 17 + b"\r\n")
    exceeds(chunks + b"3;" + b"e" * 19)
    fits(chunks + b"0\r\nX: 1234\r\nY: 12\r\n\r\n")
    exceeds(chunks + b"0\r\nX: 1234\r\nY: 12345\r\n\r\n")
    exceeds(chunks + b"0\r\nX:\r\nY:\r\nZ:\r\n\r\n")


def test_a_body_has_32_mib() -> None:
    """A length above is refused at the head, before any room is made for it."""
    assert_incomplete(answer(b"Content-Length: 33554432\r\n"))
    assert_refused(answer(b"Content-Length: 33554433\r\n", body=b"\r\n"))
    assert_incomplete(answer(CHUNKED, body=b"\r\n2000000\r\nx"))
    assert_refused(answer(CHUNKED, body=b"\r\n2000001\r\n"))


def test_a_body_has_65536_chunks() -> None:
    """A body of tiny chunks costs a bounded time."""
    chunk = b"1\r\nx\r\n"
    outcome = read([answer(CHUNKED, body=b"\r\n" + chunk * 65_536 + b"0\r\n\r\n")])
    assert outcome.response is not None
    assert len(outcome.response.body) == 65_536
    assert read([answer(CHUNKED, body=b"\r\n" + chunk * 65_537)]).error is ProtocolError


def test_endless_trailers_and_extensions_are_refused() -> None:
    """What stands between and behind the chunks is bounded too."""
    chunks = answer(CHUNKED, body=b"\r\n")
    assert read([chunks, b"0\r\n", *[b"X: y\r\n"] * 101]).error is ProtocolError
    assert read([chunks, b"0\r\nX: ", *[b"y" * 4096] * 5]).error is ProtocolError
    assert read([chunks, b"3;", *[b"y" * 4096] * 5]).error is ProtocolError
    assert read([chunks + b"3;" + b"y" * 60_000 + b"\r\n100\r\n0\r\n\r\n"]).error is ProtocolError
    limits = Limits(max_body_bytes=50_000)
    assert read([chunks, *[b"1;" + b"y" * 9_990 + b"\r\nx\r\n"] * 6], limits=limits).error is ProtocolError


@pytest.mark.parametrize(
    "data",
    [
        answer(b"Content-Length: " + b" " * 30_000 + b"3" + b" \t" * 15_000 + b"x\r\n"),
        answer(b"X: a" + b" " * 60_000 + b"\x0b\r\n", SIZED),
        answer(CHUNKED, body=b"\r\n3;" + b" " * 16_000 + b"\0\r\n"),
        answer(CHUNKED, body=b"\r\n3" + b" " * 16_000 + b"x\r\n"),
        answer(b"X:" + b"\r\n y" * 97 + b"\r\n", SIZED).replace(b"y", b" " * 600) + b"\0",
    ],
    ids=range(5),
)
def test_long_runs_of_spaces_are_refused_where_they_hide_something(data: bytes) -> None:
    """The places where a pattern could look again from every space; a count that grew with the cube would not end."""
    assert read([data]).error is ProtocolError
