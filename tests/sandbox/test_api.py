"""The HTTP API over real connections: authentication, whitelist, notations, answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox import Sandbox

from .raw import FORM, JSON, KEY, NUMBER, Raw

Make = Callable[..., Sandbox]
FIELDS = {"to": NUMBER, "text": "Grüße & 1+1=2 😀\n100%"}
AUTH = {"Authorization": f"basic {KEY}"}


def as_get(fields: dict[str, str]) -> dict[str, Any]:
    return {"method": "GET", "target": "/api/sms?" + urlencode(fields)}


def as_form(fields: dict[str, str]) -> dict[str, Any]:
    return {"body": urlencode(fields).encode(), "headers": {"Content-Type": FORM}}


def as_json(fields: dict[str, str]) -> dict[str, Any]:
    return {"body": json.dumps(fields).encode(), "headers": {"Content-Type": JSON}}


def as_post_query(fields: dict[str, str]) -> dict[str, Any]:
    return {"target": "/api/sms?" + urlencode(fields)}


NOTATIONS = [as_get, as_form, as_json, as_post_query]
KEY_SHOWN = [
    ({}, {"p": KEY}),
    ({"Authorization": f"basic {KEY}"}, {}),
    ({"Authorization": f"Bearer {KEY}"}, {}),
    ({"X-Api-Key": KEY}, {}),
]


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(("headers", "fields"), KEY_SHOWN)
def test_every_notation_goes_with_every_way_to_show_the_key(
    sandbox: Sandbox, client: Raw, notation: Any, headers: dict[str, str], fields: dict[str, str]
) -> None:
    """And what arrives is the text, character for character."""
    call = notation(FIELDS | fields)
    call["headers"] = call.get("headers", {}) | headers
    assert client.call(**call).text == "100"
    (message,) = sandbox.messages()
    assert (message["to"], message["text"], message["parameters"]) == (NUMBER, FIELDS["text"], {})


@pytest.mark.parametrize("accept", ["text/plain", JSON])
def test_a_wrong_key_is_900_and_no_key_is_300(sandbox: Sandbox, client: Raw, accept: str) -> None:
    """Bare in text, as a JSON string in JSON; HTTP status 200 all the same, and nothing was sent."""
    for headers, code in [({"X-Api-Key": "wrong"}, "900"), ({}, "300")]:
        for target in ("/api/sms", "/api/balance"):
            answer = client.call(target=target, headers={"Accept": accept} | headers)
            assert (answer.status, answer.body) == (200, code.encode() if accept != JSON else f'"{code}"'.encode())
    assert sandbox.messages() == []
    assert [call["code"] for call in sandbox.calls()] == [900, 900, 300, 300]


def test_several_keys_work_and_the_journal_names_them_by_position(make_sandbox: Make) -> None:
    """Never by themselves."""
    sandbox = make_sandbox(["first-secret", "second-secret"])
    with Raw(sandbox) as client:
        for key in ("second-secret", "first-secret"):
            fields = {"to": NUMBER, "text": key[::-1], "p": key}
            assert client.call(**as_form(fields)).text == "100"
    assert [message["key"] for message in sandbox.messages()] == [1, 0]
    assert "-secret" not in repr((sandbox, sandbox.messages(), sandbox.calls(), sandbox.accepts()))


@pytest.mark.parametrize(
    ("whitelist", "source", "code"),
    [
        ("127.0.0.1", "127.0.0.1", "100"),
        ("127.0.0.1", "127.0.0.2", "903"),
        ("10.0.0.0/8, 127.0.0.0/30", "127.0.0.3", "100"),
        ("10.0.0.0/8, 127.0.0.0/30", "127.0.0.4", "903"),
        ("office.example", "127.0.0.5", "100"),
        ("office.example", "127.0.0.6", "903"),
        ("nowhere.example", "127.0.0.1", "903"),
        ("nowhere.example, office.example", "127.0.0.5", "100"),
        ("", "127.0.0.9", "100"),
        (None, "127.0.0.9", "100"),
    ],
)
def test_a_key_works_from_its_whitelist_only(make_sandbox: Make, whitelist: str | None, source: str, code: str) -> None:
    """By address, by network, and by a host name that is looked up; a name without an address allows nobody."""
    names = {"office.example": ["::5", "127.0.0.5"]}
    sandbox = make_sandbox({KEY: whitelist}, resolve=names.__getitem__)
    with Raw(sandbox, source=source) as client:
        assert client.sms("text/plain").text == code
        if code == "903":
            assert client.sms(JSON).json == code
    assert len(sandbox.messages()) == (code == "100")


def test_a_host_name_is_looked_up_at_each_call(make_sandbox: Make) -> None:
    """When the answer changes between two calls on one connection, so does what is allowed."""
    addresses = {"office.example": ["127.0.0.2"]}
    asked: list[str] = []

    def resolve(name: str) -> list[str]:
        asked.append(name)
        return addresses[name]

    sandbox = make_sandbox({KEY: "127.0.0.9,office.example"}, resolve=resolve)
    with Raw(sandbox, source="127.0.0.2") as client:
        assert client.sms("text/plain").text == "100"
        addresses["office.example"] = ["127.0.0.3"]
        assert client.sms("text/plain", text="again").text == "903"
    with Raw(sandbox, source="127.0.0.9") as client:
        assert client.sms("text/plain", text="by address").text == "100"
    assert asked == ["office.example"] * 2


def test_the_systems_resolver_is_asked_by_default(make_sandbox: Make) -> None:
    """``localhost`` is a name like any other."""
    sandbox = make_sandbox({KEY: "localhost"})
    with Raw(sandbox) as client:
        assert client.sms("text/plain").text == "100"
    with Raw(sandbox, source="127.0.0.2") as client:
        assert client.sms("text/plain", text="again").text == "903"


def test_the_json_answer_has_the_documents_types(client: Raw) -> None:
    """As their sample has them: strings for code, debug and id, numbers for prices."""
    answer = client.sms(label="x", sender="Shop", text="Grüße").json
    assert answer == {
        "success": "100",
        "total_price": 0.075,
        "balance": 999_999.925,
        "debug": "false",
        "sms_type": "direct",
        "messages": [
            {
                "id": answer["messages"][0]["id"],
                "sender": "Shop",
                "recipient": NUMBER,
                "text": "Grüße",
                "encoding": "gsm",
                "label": "x",
                "parts": 1,
                "udh": None,
                "is_binary": False,
                "price": 0.075,
                "success": True,
                "error": None,
                "error_text": None,
            }
        ],
    }
    assert answer["messages"][0]["id"].isdigit()


def test_a_debug_answer_has_no_id_and_no_price(sandbox: Sandbox, client: Raw) -> None:
    """Nothing was sent, so the journal holds no message."""
    answer = client.sms(debug=1).json
    assert (answer["debug"], answer["total_price"], answer["messages"][0]["id"]) == ("true", 0, None)
    assert sandbox.messages() == []


def test_a_partly_failed_bundle_says_what_became_of_whom(sandbox: Sandbox, client: Raw) -> None:
    """In order; a recipient that is none is null."""
    answer = client.sms(to=f"{NUMBER},nobody").json
    assert answer["success"] == "101"
    assert [(m["recipient"], m["success"], m["error"]) for m in answer["messages"]] == [
        (NUMBER, True, None),
        (None, False, 202),
    ]
    assert [message["to"] for message in sandbox.messages()] == [NUMBER]


def test_a_bundle_is_one_call_with_a_message_for_each(make_sandbox: Make) -> None:
    """Contacts and groups are spelled out."""
    sandbox = make_sandbox(contacts={"Anna": "01711111111"}, groups={"Team": ["01712222222", "01713333333"]})
    with Raw(sandbox) as client:
        assert len(client.sms(to="Team,Anna").json["messages"]) == 3
    assert [(m["to"], m["call"]) for m in sandbox.messages()] == [
        ("491712222222", 1),
        ("491713333333", 1),
        ("491711111111", 1),
    ]


def test_a_refusal_in_json_is_the_object_without_messages(client: Raw) -> None:
    """In text the bare code; status 200 in both."""
    refused = client.sms(to="")
    assert (refused.status, refused.json["success"], refused.json["messages"]) == (200, "301", [])
    assert client.sms("text/plain", to="").text == "301"


def test_text_answers_have_the_documents_lines(client: Raw) -> None:
    """The code; with return_msg_id the id second; with details nine labelled lines more."""
    assert client.sms("text/plain", text="1").text == "100"
    code, message_id = client.sms("text/plain", text="2", return_msg_id=1).text.split("\n")
    assert (code, message_id.isdigit()) == ("100", True)
    assert client.sms("text/plain", text="3", debug=1, return_msg_id=1).text == "100\n1234567890"
    details = ["Text: 4 5", "SMS-Typ: direct", "Flash SMS: true", "Encoding: gsm", "GSM0338: true", "Debug: false"]
    lines = client.sms("text/plain", text="4\n5", details=1, flash=1).text.split("\n")
    assert lines == ["100", "Verbucht: 0.075", "Preis: 0.075", "Guthaben: 999999.775", *details]
    assert len(client.sms("text/plain", text="6", details=1, return_msg_id=1).text.split("\n")) == 11


def test_failure_in_text_mode_is_the_bare_code(client: Raw) -> None:
    """Whatever lines were asked for."""
    assert client.sms("text/plain", to=f"{NUMBER},nobody", details=1, return_msg_id=1).text == "101"


def test_json_is_answered_when_asked_for_in_either_way(client: Raw) -> None:
    """``json=1``, or a media range that names it and does not refuse it."""
    assert client.sms("*/*", json=1, debug=1).json["success"] == "100"
    assert client.sms("text/plain, application/json;q=0.5", debug=1).json["success"] == "100"
    for accept in ("application/json;q=0", "application/json; q = 0.0", "application/*", "*/*"):
        assert client.sms(accept, debug=1).text == "100"


def test_the_balance_is_a_number_or_an_object(make_sandbox: Make) -> None:
    """By GET and by POST; it goes down by what was sent, and can be set."""
    sandbox = make_sandbox(balance=Decimal("12.34"))
    with Raw(sandbox) as client:
        assert client.call("GET", f"/api/balance?p={KEY}").text == "12.34"
        client.sms()
        answer = client.call("POST", "/api/balance", headers=AUTH | {"Accept": JSON})
        assert answer.json == {"amount": 12.265, "currency": "EUR"}
        sandbox.balance = Decimal(0)
        assert client.sms(text="other").json["success"] == "500"
        assert client.call("GET", "/api/balance", headers=AUTH).text == "0"
        assert client.call("GET", "/api/balance?json=yes", headers=AUTH).status == 400


def test_what_is_not_there_is_404_405_or_400(sandbox: Sandbox, client: Raw) -> None:
    """And the connection goes on."""
    assert client.call("GET", "/").status == 404
    assert client.call("POST", "/api/sms.php").status == 404
    for method in ("PUT", "DELETE", "HEAD", "OPTIONS"):
        answer = client.call(method, "/api/sms")
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
    answer = client.call("POST", "/api/sms", b"{", AUTH | {"Content-Type": JSON})
    assert (answer.status, answer.text) == (400, "The body is not JSON.")
    assert client.sms(ttl=0).status == 400
    assert client.sms().json["success"] == "100"
    assert [call["status"] for call in sandbox.calls()] == [404, 404, 405, 405, 405, 405, 400, 400, 200]


def test_reset_forgets_calls_locks_and_spending(sandbox: Sandbox, client: Raw) -> None:
    """The next call is number 1 again."""
    client.sms()
    assert client.sms().json["success"] == "402"
    sandbox.reset()
    assert (sandbox.messages(), sandbox.calls(), sandbox.accepts()) == ([], [], [])
    assert sandbox.balance == 1_000_000
    assert client.sms().json["success"] == "100"
    assert [call["number"] for call in sandbox.calls()] == [1]


def test_time_passes_for_the_reload_lock_too(sandbox: Sandbox) -> None:
    """By the sandbox's clock."""
    for seconds, code in [(0, "100"), (179, "402"), (1, "100")]:
        sandbox.advance(seconds)
        with Raw(sandbox) as client:
            assert client.sms().json["success"] == code


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200))
def test_any_text_arrives_as_it_was_sent(shared: tuple[Sandbox, Raw], text: str) -> None:
    """In the journal and in the answer."""
    sandbox, client = shared
    sandbox.reset()
    assert client.sms(text=text).json["messages"][0]["text"] == text
    assert [message["text"] for message in sandbox.messages()] == [text]
