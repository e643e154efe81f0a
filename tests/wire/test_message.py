"""What may be said: requests refused before any byte leaves, and values that keep their secrets."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import InvalidRequest
from smswire.wire import Headers, Request, Response

BAD_TARGETS = [
    "", "api", "*", "http://127.0.0.1/api", "127.0.0.1:443", "/a b", "/a#b", "/#", "/\r\n", "/a\nb", "/\0", "/\x7f",
    "/\t", "/ä", "/\ud800", b"/api", None,
]  # fmt: skip
BAD_METHODS = ["", "GE T", "GET\r\n", "G\0T", "GÉT", "CONNECT", "GET:", "(GET)", b"GET", None]
BAD_NAMES = ["", "X Y", "X:", ":X", "X\r", "X\n", "X\0", "Ä", "X-\x7f", " X", "X ", b"X", None, 1]
BAD_VALUES = [
    "a\r\nb",
    "a\nb",
    "a\rb",
    "a\0",
    "\x01",
    "\x7f",
    "ä",
    "€",
    "\ud800",
    " a",
    "a ",
    "\ta",
    "a\x0bb",
    b"a",
    None,
    1,
]
OURS = [
    "Content-Length", "Transfer-Encoding", "Host", "Connection", "Upgrade", "Expect", "TE", "Keep-Alive",
    "Proxy-Connection",
]  # fmt: skip


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_a_target_is_a_printable_path_without_fragment(target: str) -> None:
    """Only the origin form is spoken; a space, a control or a line end would be read as the end of the target."""
    with pytest.raises(InvalidRequest):
        Request("GET", target)


@pytest.mark.parametrize("method", BAD_METHODS)
def test_a_method_is_a_token_and_not_connect(method: str) -> None:
    """CONNECT would turn the connection into a tunnel."""
    with pytest.raises(InvalidRequest):
        Request(method, "/")


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_field_name_is_a_token(name: str) -> None:
    """Anything else could end the line, or hide a field from one reader and not from another."""
    with pytest.raises(InvalidRequest):
        Request("GET", "/", [(name, "v")])


@pytest.mark.parametrize("value", BAD_VALUES)
def test_a_field_value_is_printable_ascii(value: str) -> None:
    """Controls split messages; what is not ASCII has no agreed meaning; outer spaces are no part of a value."""
    with pytest.raises(InvalidRequest):
        Request("GET", "/", [("X", value)])


@pytest.mark.parametrize("name", [spelling for name in OURS for spelling in (name, name.lower(), name.upper())])
def test_what_frames_a_message_is_not_the_callers_to_say(name: str) -> None:
    """Two lengths, or a length and a coding, are two messages to somebody."""
    with pytest.raises(InvalidRequest, match=name):
        Request("POST", "/", [(name, "5")])


@pytest.mark.parametrize("headers", [["ab"[0]], [("a",)], [("a", "b", "c")], 5, [None], ["abc"]])
def test_headers_are_pairs(headers: object) -> None:
    """Something else is refused with the toolkit's own error."""
    with pytest.raises(InvalidRequest):
        Request("GET", "/", headers)  # type: ignore[arg-type]


@pytest.mark.parametrize("body", ["text", bytearray(b"x"), memoryview(b"x"), None, [b"x"]])
def test_a_body_is_bytes(body: object) -> None:
    """What could change while it is sent, or has no one encoding, is refused."""
    with pytest.raises(InvalidRequest):
        Request("POST", "/", body=body)  # type: ignore[arg-type]


def test_what_http_allows_is_taken_as_it_is() -> None:
    """Spelling, order, repeats, inner spaces and empty values are kept."""
    pairs = [("X-a", "1 2\t3"), ("x-A", ""), ("!#$%&'*+-.^_`|~", "~")]
    request = Request("M-SEARCH", "/%20?a=b&c=\"<>\\^`{|}'", pairs, b"\0\xff")
    assert list(request.headers) == pairs
    assert (request.method, request.body) == ("M-SEARCH", b"\0\xff")


@given(key=st.text(max_size=9).filter(str.isprintable).map("Zk3y{}".format))
def test_no_error_text_holds_a_value(key: str) -> None:
    """Wherever the key was put by mistake, the refusal does not repeat it."""
    bad = key + "\r\n"
    for arguments in [
        (bad, "/"), ("GET", bad), ("GET", "/?p=" + bad), ("GET", "/", [(bad, "x")]), ("GET", "/", [("X-Api-Key", bad)]),
        ("GET", "/", [("Host", key)]), ("GET", "/", [key]), ("GET", "/", (), key),
    ]:  # fmt: skip
        with pytest.raises(InvalidRequest) as caught:
            Request(*arguments)  # type: ignore[arg-type]
        assert key not in str(caught.value)
        assert key not in repr(caught.value)
        assert caught.value.__context__ is None or caught.value.__suppress_context__


def test_no_repr_holds_a_secret() -> None:
    """Not the key in a field, not a query, not a body."""
    secret = "Zk3yZk3y"
    fields = ["Authorization", "X-API-KEY", "proxy-authorization", "Cookie", "x-signature", "Set-Cookie"]
    headers = Headers([(name, secret) for name in fields])
    request = Request("POST", f"/api?p={secret}", [("Authorization", secret)], secret.encode())
    response = Response(200, [("Set-Cookie", secret)], secret.encode(), secret)
    for value in (headers, request, request.headers, response, response.headers):
        assert secret not in repr(value)
    assert request.call == "POST /api"
    assert "plain" in repr(Headers([("X-Other", "plain")]))


def test_values_do_not_change() -> None:
    """What was checked stays checked."""
    for value, name in [(Request("GET", "/"), "target"), (Response(200), "status"), (Headers(), "pairs")]:
        with pytest.raises(AttributeError):
            setattr(value, name, "/ HTTP/1.1\r\nX:")
        with pytest.raises(AttributeError):
            delattr(value, name)


def test_values_are_copied_and_pickled_whole() -> None:
    """A value crosses processes as it is."""
    request = Request("POST", "/a?b", [("X", "y")], b"z")
    response = Response(201, [("X", "y")], b"z", "Made", "1.0")
    for again in (pickle.loads(pickle.dumps(request)), copy.deepcopy(request)):
        assert (again.method, again.target, again.headers, again.body) == ("POST", "/a?b", request.headers, b"z")
    for answer in (pickle.loads(pickle.dumps(response)), copy.copy(response)):
        assert (answer.status, answer.headers, answer.body, answer.reason) == (201, response.headers, b"z", "Made")
        assert answer.http_version == "1.0"


@given(st.lists(st.tuples(st.sampled_from(["Via", "via", "VIA", "Age", "age", "X"]), st.text(max_size=3)), max_size=8))
def test_headers_answer_like_a_list_searched_in_any_case(pairs: list[tuple[str, str]]) -> None:
    """`get` is the first of `get_all`, and both are what a scan would find."""
    headers = Headers(pairs)
    assert list(headers) == pairs
    assert len(headers) == len(pairs)
    assert headers == Headers(headers)
    assert hash(headers) == hash(Headers(tuple(pairs)))
    assert all(headers[index] == pair for index, pair in enumerate(pairs))
    for name in ("via", "AGE", "x", "none"):
        found = [value for known, value in pairs if known.lower() == name.lower()]
        assert headers.get_all(name) == found
        assert headers.get(name, "?") == (found[0] if found else "?")
        assert (name in headers) is bool(found)
        if found:
            assert headers[name] == found[0]
        else:
            with pytest.raises(KeyError, match=name):
                headers[name]
    assert all(pair in headers for pair in pairs)
    assert headers != pairs


VALUES = st.text("ab \t:\xe4,", max_size=4).map(lambda value: value.strip(" \t"))
SPACES = st.sampled_from(["", " ", "\t", " \t "])


@given(
    st.lists(st.tuples(st.sampled_from(["Via", "via", "VIA", "Age", "X"]), VALUES, SPACES, SPACES), max_size=5),
    st.lists(st.sampled_from(["via", "AGE", "x", "none", "vi", "a", "x:", "via:a\r\nage", ""]), max_size=4),
)
def test_lines_of_a_head_are_the_fields_they_hold(fields: list[tuple[str, str, str, str]], asked: list[str]) -> None:
    """Whatever is asked of them first."""
    lines = "".join(f"\r\n{name}:{before}{value}{behind}" for name, value, before, behind in fields) + "\r\n"
    expected = Headers([(name, value) for name, value, _, _ in fields])
    headers = Headers.of_lines(lines)
    for name in asked:
        assert headers.get(name, "?") == expected.get(name, "?")
    assert Headers.of_lines(lines).get_all("via") == expected.get_all("via")
    assert len(Headers.of_lines(lines)) == len(expected)
    assert hash(Headers.of_lines(lines)) == hash(expected)
    assert repr(Headers.of_lines(lines)) == repr(expected)
    assert pickle.loads(pickle.dumps(Headers.of_lines(lines))) == headers == expected


def test_headers_are_asked_by_name_or_by_place() -> None:
    """A field without a value is there; a pair is found only as it was spelled; what is not there is an error."""
    headers = Headers([("Content-Type", "text/plain"), ("X", "")])
    assert headers["CONTENT-type"] == headers[0][1] == "text/plain"
    assert headers["x"] == ""
    assert "x" in headers
    assert ("X", "") in headers
    for missing in (("x", ""), "", "text/plain", 0, None, b"x"):
        assert missing not in headers
    with pytest.raises(KeyError, match="age"):
        headers["age"]
    with pytest.raises(IndexError):
        headers[2]
