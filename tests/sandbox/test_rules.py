"""The rules of the parameters, each with its code."""

from __future__ import annotations

from typing import Any

import pytest

from smswire.sandbox.fields import MalformedError
from smswire.sandbox.rules import Order, RefusedError, check


def order(**fields: Any) -> Order:
    fields = {"to": "491716992343", "text": "Hallo"} | fields
    if "sender" in fields:
        fields["from"] = fields.pop("sender")
    return check({name: value for name, value in fields.items() if value is not None}, 1520)


CODES = [
    (301, {"to": None}),
    (301, {"to": ""}),
    (301, {"to": "  "}),
    (202, {"to": 491716992343}),
    (202, {"to": ["491716992343"]}),
    (305, {"text": None}),
    (305, {"text": ""}),
    (305, {"text": 5}),
    (401, {"text": "x" * 1521}),
    (401, {"text": "😀" * 1521}),
    (201, {"sender": ""}),
    (201, {"sender": "abcdefghijkl"}),
    (201, {"sender": "Käse"}),
    (201, {"sender": "a\n"}),
    (201, {"sender": 5}),
    (306, {"sender": "12345678901234567"}),
    (306, {"sender": "+1234567890123456"}),
    (802, {"label": ""}),
    (802, {"label": "a b"}),
    (802, {"label": "x" * 101}),
    (802, {"label": "ä"}),
    (400, {"type": "voice"}),
]


@pytest.mark.parametrize(("code", "fields"), CODES)
def test_a_broken_rule_has_its_code(code: int, fields: dict[str, Any]) -> None:
    """One rule at a time, one past its limit."""
    with pytest.raises(RefusedError) as caught:
        order(**fields)
    assert caught.value.code == code


WITHOUT_CODE = [
    {"foreign_id": ""},
    {"foreign_id": "x" * 65},
    {"foreign_id": "a/b"},
    {"ttl": "0"},
    {"ttl": 0},
    {"ttl": "1.5"},
    {"ttl": True},
    {"ttl": ""},
    {"delay": ""},
    {"delay": "1634641200000"},
    {"delay": "2030-02-30 10:00"},
    {"delay": "2030-02-03T10:00"},
    {"delay": 1.5},
    {"udh": ""},
    {"udh": "050003CC02"},
    {"udh": "0x"},
    {"is_binary": "1", "text": "no hex"},
    *({name: "true"} for name in ("flash", "debug", "no_reload", "json", "performance_tracking", "unicode")),
    {"flash": 2},
    {"flash": 1.0},
    {"flash": []},
    {"flash": ""},
]


@pytest.mark.parametrize("fields", WITHOUT_CODE)
def test_a_broken_rule_without_a_code_is_malformed(fields: dict[str, Any]) -> None:
    """No document gives these a code."""
    with pytest.raises(MalformedError):
        order(**fields)


KEPT = [
    {"text": "x" * 1520},
    {"text": "😀" * 1520},
    {"text": " "},
    {"sender": "abcdefghijk"},
    {"sender": "1234567890123456"},
    {"sender": "+123456789012345"},
    {"sender": "A&B (1) $,!"},
    {"label": "x" * 100},
    {"label": "a-Z_0.9@x"},
    {"foreign_id": "x" * 64},
    {"ttl": "1"},
    {"ttl": 2880},
    {"delay": "1634641200"},
    {"delay": 1634641200},
    {"delay": "2030-02-03 10:00"},
    {"delay": "2030-02-03 10:00:59"},
    {"type": "direct"},
    {"flash": True},
    {"flash": "0"},
    {"sentWith": "smswire"},
]


@pytest.mark.parametrize("fields", KEPT)
def test_what_keeps_the_rules_is_kept(fields: dict[str, Any]) -> None:
    """At the limit, not past it; parameters that no document names are let through."""
    kept = order(**fields)
    for name, value in fields.items():
        name = "from" if name == "sender" else name
        assert (kept.text if name == "text" else kept.parameters[name]) == value


def test_parameters_hold_neither_the_key_nor_what_the_order_says_itself() -> None:
    """The journal shows them."""
    assert order(p="sandbox-key", ttl="5").parameters == {"ttl": "5"}


def test_a_header_and_hex_text_are_binary() -> None:
    """140 octets a part, the header in each."""
    binary = order(udh="050003CC0201", text="FF" * 134)
    assert (binary.is_binary, binary.parts, binary.encoding) == (True, 1, "gsm")
    assert order(udh="050003CC0201", text="FF" * 135).parts == 2
    assert order(is_binary=True, text="ff" * 141).parts == 2
    assert not order(udh="050003CC0201", text="Hallo").is_binary
    assert not order(text="FFFF").is_binary


def test_unicode_forces_ucs2() -> None:
    """Seventy characters a part, then."""
    assert [order(unicode="1", text="x" * 71).parts, order(text="x" * 71).parts] == [2, 1]
