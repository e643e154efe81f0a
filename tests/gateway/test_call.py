"""What a call sends: every value arrives as it was given, and the key stays where it belongs."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

import smswire
from smswire.errors import ConfigurationError, ConnectError, EncodeError, InvalidParameter, InvalidRequest, Sent
from smswire.gateway.answer import read_sms
from smswire.gateway.auth import STYLES, Auth, Style
from smswire.gateway.call import METHODS, SEND_AS, SendAs, blank, build, check_settings, fill, parse_base_url, sends
from smswire.gateway.codes import LOOK_FIRST
from smswire.gateway.errand import Errand, Place
from smswire.wire.message import Request

KEY = "kEy-4711-0815"
AUTH = Auth(KEY)

texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.sampled_from("abcdefgh_"), min_size=2)
values = st.one_of(st.none(), st.booleans(), st.integers(-(10**12), 10**12), texts)
parameters = st.dictionaries(names, values, max_size=6)


def in_form(params: dict[str, Any]) -> list[tuple[str, str]]:
    plain = {True: "1", False: "0"}
    return [
        (name, plain[value] if isinstance(value, bool) else str(value))
        for name, value in params.items()
        if value is not None
    ]


def read_form(data: str) -> list[tuple[str, str]]:
    return parse_qsl(data, keep_blank_values=True, strict_parsing=bool(data))


@given(params=parameters)
def test_a_form_carries_every_parameter_and_booleans_as_digits(params: dict[str, Any]) -> None:
    """The standard library reads back what was given, None left out."""
    request = build("sms", params, auth=AUTH)
    assert read_form(request.body.decode()) == in_form(params)
    assert request.headers.get("content-type") == "application/x-www-form-urlencoded"
    assert request.target == "/api/sms"


@given(params=parameters)
def test_json_keeps_types_and_leaves_none_out(params: dict[str, Any]) -> None:
    """Booleans stay true and false, numbers stay numbers."""
    request = build("sms", params, auth=AUTH, send_as="json")
    given = {name: value for name, value in params.items() if value is not None}
    read = json.loads(request.body)
    assert read == given
    assert [type(value) for value in read.values()] == [type(value) for value in given.values()]
    assert request.headers.get("content-type") == "application/json"


@given(params=parameters, method=st.sampled_from(["GET", "DELETE"]), send_as=st.sampled_from(SEND_AS))
def test_a_query_carries_the_same_as_a_form(params: dict[str, Any], method: str, send_as: Any) -> None:
    """GET and DELETE always, and any method with send_as=query; with no body and no content type."""
    for request in (
        build("sms", params, auth=AUTH, method=method, send_as=send_as),
        build("sms", params, auth=AUTH, send_as="query"),
    ):
        path, _, query = request.target.partition("?")
        assert path == "/api/sms"
        assert read_form(query) == in_form(params)
        assert request.body == b""
        assert request.headers.get("content-type") is None


@given(style=st.sampled_from(STYLES), send_as=st.sampled_from(SEND_AS), method=st.sampled_from(sorted(METHODS)))
def test_the_key_is_in_a_url_only_where_both_p_and_query_were_asked_for(style: Any, send_as: Any, method: str) -> None:
    """Everything else sends it in a header or the body, or refuses to build the call."""
    try:
        request = build("balance", {"to": "1"}, auth=Auth(KEY, style), send_as=send_as, method=method)
    except InvalidRequest as error:
        said = str(error)
        assert (style, send_as != "query", method in ("GET", "DELETE")) == ("p", True, True)
        assert KEY not in said
        return
    places = [request.target, request.body.decode(), *(value for _, value in request.headers)]
    assert sum(KEY in place for place in places) == 1
    assert (KEY in request.target) == (style == "p" and send_as == "query")
    assert KEY not in repr(request)
    assert KEY not in repr(request.headers)


@pytest.mark.parametrize("send_as", SEND_AS)
def test_every_call_asks_for_json_and_names_the_program(send_as: Any) -> None:
    """``Accept`` and ``SentWith`` are in each request."""
    headers = build("sms", (), auth=AUTH, send_as=send_as, sent_with="My program 1.0").headers
    assert headers.get("accept") == "application/json"
    assert headers.get("SentWith") == "My program 1.0"


def test_files_are_written_as_the_gateways_own_clients_write_them() -> None:
    """``files[0][name]`` in a form, a list of objects in JSON."""
    params = {"files": [{"name": "a.pdf", "contents": "QQ==", "validity": 7}]}
    form = build("sms", params, auth=AUTH)
    assert read_form(form.body.decode()) == [
        ("files[0][name]", "a.pdf"),
        ("files[0][contents]", "QQ=="),
        ("files[0][validity]", "7"),
    ]
    assert json.loads(build("sms", params, auth=AUTH, send_as="json").body) == params


def test_the_key_is_no_parameter_of_a_call() -> None:
    """``p`` is refused whatever the style, so that a key never gets into a URL by hand."""
    for style in STYLES:
        with pytest.raises(InvalidParameter) as caught:
            build("sms", {"p": KEY}, auth=Auth(KEY, cast(Style, style)), method="GET", send_as="query")
        assert caught.value.parameter == "p"
        assert KEY not in str(caught.value)


def test_a_name_given_twice_repeats_in_a_form_and_is_refused_in_json() -> None:
    """A JSON object would silently keep one of the two."""
    pairs = [("ids", "1"), ("ids", "2")]
    assert build("sms", pairs, auth=AUTH).body == b"ids=1&ids=2"
    with pytest.raises(InvalidParameter, match="twice"):
        build("sms", pairs, auth=AUTH, send_as="json")


@pytest.mark.parametrize("endpoint", ["", "/sms", "sms/", "a//b", "..", "a/../b", ".", "sms?to=1", "sms#x", "ä", "a b"])
def test_an_endpoint_is_a_path_below_the_base(endpoint: str) -> None:
    """Nothing in it can climb out of the base, or smuggle in a query."""
    with pytest.raises(InvalidRequest):
        build(endpoint, (), auth=AUTH)


@pytest.mark.parametrize("method", ["get", "", "HEAD", "CONNECT", "POST\r\n", None])
def test_only_the_methods_of_the_gateway_are_sent(method: Any) -> None:
    """Five of them, in capitals."""
    with pytest.raises(InvalidRequest):
        build("sms", (), auth=AUTH, method=method)


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://gateway.sms77.io/api", "https://gateway.sms77.io", "/api"),
        ("HTTPS://127.0.0.1:8443/api/", "https://127.0.0.1:8443", "/api"),
        ("http://[::1]:80", "http://[::1]:80", ""),
        ("http://127.0.0.1/", "http://127.0.0.1", ""),
        ("https://127.0.0.1/a/b%20c/v1.0", "https://127.0.0.1", "/a/b%20c/v1.0"),
    ],
)
def test_a_base_url_is_an_origin_and_a_path(url: str, origin: str, path: str) -> None:
    """The slash at its end makes no difference."""
    assert parse_base_url(url) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        "https://user:sEcReT@127.0.0.1/api",
        "https://sEcReT@127.0.0.1/api",
        "https://127.0.0.1/api?p=sEcReT",
        "https://127.0.0.1/api#sEcReT",
        "ftp://127.0.0.1/sEcReT",
        "127.0.0.1/sEcReT",
        "https://",
        "https:///sEcReT",
        "https://127.0.0.1/a b/sEcReT",
        "https://127.0.0.1//sEcReT",
        "https://127.0.0.1/../sEcReT",
        "https://127.0.0.1/sEcReT\r\n",
        "https://127.0.0.1\\@127.0.0.2/sEcReT",
        None,
        b"https://127.0.0.1/sEcReT",
    ],
)
def test_a_base_url_with_anything_else_is_refused_and_not_shown(url: Any) -> None:
    """User names, queries and fragments may be secrets; what is refused is not repeated."""
    with pytest.raises(ConfigurationError) as caught:
        parse_base_url(url)
    assert "sEcReT" not in str(caught.value)


@pytest.mark.parametrize("sent_with", ["", " x", "x ", "a\r\nb", "ä", None, "a  b"])
def test_sent_with_is_a_name_that_a_header_can_carry(sent_with: Any) -> None:
    """Refused when it is set, not at each call."""
    with pytest.raises(ConfigurationError):
        check_settings("form", sent_with)


@pytest.mark.parametrize("send_as", ["FORM", "xml", "", None])
def test_send_as_is_one_of_three(send_as: Any) -> None:
    """Form, json or query."""
    with pytest.raises(ConfigurationError, match="form, json, query"):
        check_settings(send_as, "smswire")


@pytest.mark.parametrize(
    "endpoint", ["sms", "SMS", "sms.php", "sms/x", "voice", "voice/1/hangup", "rcs/messages", "waba/x"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_calls_that_send_are_known_however_they_are_spelt(endpoint: str, method: str) -> None:
    """A GET sends as well as a POST; only a DELETE takes back."""
    assert sends(endpoint, method)
    assert not sends(endpoint, "DELETE")


@pytest.mark.parametrize("endpoint", ["balance", "pricing", "journal/outbound", "lookup/hlr", "smsx", "status"])
def test_calls_that_only_ask_are_not_taken_for_sends(endpoint: str) -> None:
    """So that they may be declared repeatable."""
    assert not sends(endpoint, "GET")


def test_building_and_reading_need_no_runtime() -> None:
    """A host with a transport of its own imports neither sockets of ours nor asyncio."""
    program = (
        "import sys, types\n"
        "root = types.ModuleType('smswire'); root.__path__ = [sys.argv[1]]; sys.modules['smswire'] = root\n"
        "from smswire.gateway import answer, call, auth, sms, bundle\n"
        "print([m for m in sys.modules if m.startswith('smswire.net') or m in ('asyncio', 'http.client', 'logging')])\n"
    )
    root = str(Path(smswire.__file__).parent)
    done = subprocess.run([sys.executable, "-c", program, root], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_request_is_a_value_that_any_transport_can_send() -> None:
    """Method, target, headers and body, all of them plain."""
    request = build("sms", {"to": "+49171", "text": "ä&+"}, auth=AUTH)
    assert isinstance(request, Request)
    assert (request.method, request.target, request.body) == ("POST", "/api/sms", b"to=%2B49171&text=%C3%A4%26%2B")


@pytest.mark.parametrize("send_as", SEND_AS)
def test_a_parameter_without_a_text_shows_no_key_even_with_its_frames(send_as: SendAs) -> None:
    """Tools that show the variables of each frame show what was to be sent, and not who sends it."""
    blanks = blank("sms", auth=Auth(KEY, style="p"), path="/api", method="POST", send_as=send_as, sent_with="t")
    with pytest.raises(EncodeError) as raised:
        fill(blanks, {"to": {1, 2}})
    told = "".join(traceback.TracebackException.from_exception(raised.value, capture_locals=True).format())
    assert KEY not in told.replace(f"KEY = {KEY!r}", "")
    assert KEY not in repr(blanks)


def test_what_to_do_about_a_maybe_is_said_behind_other_advice() -> None:
    """Once, and only of a call that sends."""
    request = build("sms", {"to": "+491716992343", "text": "Hi"}, auth=Auth("secret"))
    for does_send, before, after in (
        (True, None, LOOK_FIRST),
        (True, "check the host", f"check the host; {LOOK_FIRST}"),
        (True, LOOK_FIRST, LOOK_FIRST),
        (False, "check the host", "check the host"),
    ):
        place = Place("POST /api/sms", "127.0.0.1", does_send)
        errand = Errand(request, read_sms, place, timeout=1.0, repeatable=False, told=None)
        error = ConnectError("no", sent=Sent.MAYBE, advice=before)
        errand.advise(error)
        assert error.advice == after
