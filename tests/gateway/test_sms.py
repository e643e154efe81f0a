"""The rules of a send: each kept at both ends, and no error that shows a value."""

from __future__ import annotations

import datetime
import pickle
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smswire.errors import InvalidParameter, Sent
from smswire.gateway.sms import OPTIONS, Message, canonical

TO = "+491716992343"
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50)


def refused(parameter: str, *arguments: Any, **options: Any) -> InvalidParameter:
    with pytest.raises(InvalidParameter) as caught:
        Message(*arguments, **options)
    error = caught.value
    assert error.parameter == parameter
    assert error.sent is Sent.NO
    assert error.rule
    assert error.rule in str(error)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    return error


@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=1520))
def test_any_text_up_to_the_limit_is_taken_as_it_is(text: str) -> None:
    """Characters are counted, not bytes; nothing is trimmed."""
    assert Message(TO, text).parameters() == [("to", TO), ("text", text)]


@pytest.mark.parametrize("character", ["a", "ä", "€", "😀", "\n"])
def test_the_limit_of_a_text_is_1520_characters(character: str) -> None:
    """Of any kind; the error tells the length and shows no text."""
    Message(TO, character * 1520)
    error = refused("text", TO, character * 1521)
    assert error.length == 1521
    assert character * 3 not in str(error)
    assert "1,521 characters" in str(error)


@given(before=st.text(max_size=5), surrogate=st.characters(categories=["Cs"]), after=st.text(max_size=5))
def test_a_lone_surrogate_is_refused(before: str, surrogate: str, after: str) -> None:
    """No encoding carries it, so it would fail in the middle of a bulk send."""
    refused("text", TO, before + surrogate + after)
    assume("," not in before + after)
    refused("to", "x" + surrogate, "Hi")


@pytest.mark.parametrize("text", ["", None, 5, b"Hi", ["Hi"]])
def test_a_text_is_a_str_that_is_not_empty(text: Any) -> None:
    """Bytes are no text: nobody knows their encoding."""
    refused("text", TO, text)


@pytest.mark.parametrize(
    "to", ["", "  ", [], (), [""], [TO, ""], None, 491716992343, b"49171", {"to": 1}, [491716992343]]
)
def test_a_recipient_is_a_str_that_is_not_empty(to: Any) -> None:
    """An int is refused too: it has lost its plus sign or its leading zero already."""
    refused("to", to, "Hi")


@pytest.mark.parametrize("to", ["+49171,+49172", ",", [TO, "a,b"], "Smith, John", "+49171\n", "a\x00b"])
def test_a_comma_or_control_character_in_a_recipient_is_refused(to: Any) -> None:
    """One string is one recipient: with a comma it would silently be two."""
    error = refused("to", to, "Hi")
    assert "49171" not in str(error)
    assert "Smith" not in str(error)


@given(to=st.lists(texts.filter(lambda to: to.isprintable() and "," not in to and to.strip()), min_size=1, max_size=4))
def test_recipients_are_joined_by_commas_and_otherwise_left_alone(to: list[str]) -> None:
    """As they were given, in their order."""
    message = Message(to, "Hi")
    assert message.recipients == tuple(to)
    assert message.parameters()[0] == ("to", ",".join(to))


GOOD: dict[str, list[Any]] = {
    "from": ["a", "elevenchars", "1" * 16, "A/ .-@_!()+", "$,&"],
    "delay": [
        1,
        1_700_000_000,
        "2030-01-02 03:04",
        "2030-01-02 03:04:05",
        datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC),
    ],
    "flash": [True, False, 1, 0],
    "performance_tracking": [True, False],
    "udh": ["050003CC0201", "aB"],
    "is_binary": [True],
    "ttl": [1, 2880, 10**6],
    "label": ["a", "A" * 100, "a.b-c_d@e9"],
    "foreign_id": ["a", "A" * 64, "a.b-c_d@e9"],
    "files": [
        [{"name": "a.pdf", "contents": "QQ=="}],
        [{"name": "a", "contents": "QUJD", "validity": 255, "password": "x"}, {"name": "b", "contents": "QUI="}],
    ],
    **{
        name: [True, False, 1, 0]
        for name in ("json", "details", "return_msg_id", "debug", "no_reload", "unicode", "utf8")
    },
}

BAD: dict[str, list[Any]] = {
    "from": ["", "twelve chars", "1" * 17, "ä", "a\n", "a#", "+491716992343", 49171, b"x"],
    "delay": [
        0,
        -1,
        1_700_000_000_000,
        True,
        1.5,
        "",
        "2030-13-01 00:00",
        "2030-01-02",
        "2030-01-02T03:04",
        "2030-01-02 24:00",
        "2030-01-02 03:04:05.5",
        "1700000000",
        "٢030-01-02 03:04",
        datetime.datetime(2030, 1, 2),
        datetime.date(2030, 1, 2),
    ],
    "flash": [2, "1", "true", "", 1.0],
    "performance_tracking": ["yes"],
    "udh": ["", "0", "0g", "05 00", 5, b"05"],
    "is_binary": ["0"],
    "ttl": [0, -1, "60", 1.0, True],
    "label": ["", "A" * 101, "a b", "ä", "a\n", 5],
    "foreign_id": ["", "A" * 65, "a b", "ü", 5],
    "json": ["1"],
    "details": [3],
    "return_msg_id": ["x"],
    "debug": ["1"],
    "no_reload": [-1],
    "unicode": ["on"],
    "utf8": [[]],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_an_option_within_its_rule_is_taken(name: str, value: Any) -> None:
    """Both ends of every range, and every character of every set."""
    (sent,) = Message(TO, "Hi", **{name: value}).parameters()[2:]
    assert sent[0] == name
    if name not in ("delay", "files"):
        assert sent[1] == value


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_an_option_beyond_its_rule_is_refused_by_name(name: str, value: Any) -> None:
    """The error names the parameter and shows no value; a str's length is told."""
    error = refused(name, TO, "Hi", **{name: value})
    if isinstance(value, str):
        assert error.length == len(value)
    if isinstance(value, str) and len(value) > 4:
        assert value not in str(error)


@pytest.mark.parametrize(
    ("parameter", "files"),
    [
        ("files", []),
        ("files", "a.pdf"),
        ("files[0]", ["a.pdf"]),
        ("files[0]", [{"name": "a", "contents": "QQ==", "size": 1}]),
        ("files[0][name]", [{"contents": "QQ=="}]),
        ("files[0][contents]", [{"name": "a", "contents": "Q"}]),
        ("files[0][contents]", [{"name": "a", "contents": b"QQ=="}]),
        ("files[1][validity]", [{"name": "a", "contents": "QQ=="}, {"name": "b", "contents": "QQ==", "validity": 256}]),
        ("files[0][password]", [{"name": "a", "contents": "QQ==", "password": ""}]),
    ],
)
def test_a_file_is_checked_field_by_field(parameter: str, files: Any) -> None:
    """The error names the file by its place and the field by its name."""
    refused(parameter, TO, "Hi", files=files)


def test_every_documented_option_has_its_cases_here() -> None:
    """A new option without a test of its ends fails here."""
    assert set(GOOD) == set(OPTIONS)
    assert set(BAD) | {"files"} == set(OPTIONS)


@pytest.mark.parametrize(
    ("name", "near"),
    [("lable", "label"), ("foreign-id", "foreign_id"), ("flush", "flash"), ("frm", "from_"), ("From", "from_")],
)
def test_an_unknown_option_is_refused_with_the_closest_known(name: str, near: str) -> None:
    """A typing error must not become an SMS without the option."""
    assert f"did you mean {near}?" in str(refused(name, TO, "Hi", **{name: "sEcReT"}))


@pytest.mark.parametrize("name", ["p", "u", "sentWith", "type", "repeatable", "xyzzy"])
def test_what_is_no_option_is_refused_and_its_value_not_shown(name: str) -> None:
    """The key least of all."""
    assert "sEcReT" not in str(refused(name, TO, "Hi", **{name: "sEcReT"}))


def test_from_may_be_written_with_an_underscore_but_not_twice() -> None:
    """``from`` is a keyword of Python."""
    assert Message(TO, "Hi", from_="a") == Message(TO, "Hi", **{"from": "a"})
    refused("from", TO, "Hi", from_="a", **{"from": "b"})


def test_none_leaves_an_option_out() -> None:
    """So that a caller can pass on what it does not have."""
    assert Message(TO, "Hi", label=None, flash=None) == Message(TO, "Hi")


@given(st.permutations([("flash", True), ("label", "a"), ("ttl", 5), ("from_", "b")]))
def test_the_order_of_options_makes_no_difference(options: list[tuple[str, Any]]) -> None:
    """Equal messages are equal, and can share a call."""
    message = Message(TO, "Hi", **dict(options))
    assert message == Message(TO, "Hi", from_="b", flash=1, ttl=5, label="a")
    assert hash(message) == hash(Message(TO, "Hi", from_="b", flash=1, ttl=5, label="a"))


def test_a_message_cannot_be_changed_and_can_be_pickled() -> None:
    """What was checked stays checked, in another process too."""
    message = Message([TO, "Friends"], "Hi", files=[{"name": "a", "contents": "QQ=="}])
    with pytest.raises(AttributeError):
        message.text = "x" * 2000  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(message)) == message


def test_an_aware_datetime_becomes_seconds_since_1970() -> None:
    """Whatever its zone."""
    zone = datetime.timezone(datetime.timedelta(hours=2))
    assert Message(TO, "Hi", delay=datetime.datetime(2030, 1, 1, 2, tzinfo=zone)).options == (("delay", 1893456000),)


punctuation = st.lists(st.sampled_from([" ", "-", "/", ".", "", "", "\u00a0"]), min_size=30, max_size=30)
national_numbers = st.from_regex(r"[1-9][0-9]{6,12}", fullmatch=True)


@given(national=national_numbers, gaps=punctuation)
def test_every_spelling_of_a_number_has_the_same_digits(national: str, gaps: list[str]) -> None:
    """International by plus, two zeros or nothing; national by one zero; with anything people put between digits."""
    spaced = "".join(digit + gap for digit, gap in zip(national, gaps, strict=False))
    spellings = [f"+49{spaced}", f"0049 {spaced}", f"49{spaced}", f"0{spaced}", f"+49 (0){spaced}", f"(0{spaced})"]
    assert {canonical(spelling) for spelling in spellings} == {f"49{national}"}


@given(left=national_numbers, right=national_numbers)
def test_different_numbers_have_different_digits(left: str, right: str) -> None:
    """No two numbers are taken for one."""
    assume(left != right)
    assert canonical(f"+49{left}") != canonical(f"0{right}")


@given(text=st.text())
def test_what_has_a_letter_is_a_name_and_what_has_none_is_digits(text: str) -> None:
    """Any text has an answer: ASCII digits, or None."""
    digits = canonical(text)
    assert digits is None or (digits.isascii() and digits.isdigit())
    if any(character.isalpha() for character in text):
        assert digits is None


@pytest.mark.parametrize("name", ["", "+", "0", "00", "()", "Friends", "+49x", "٤٩١٧١", "49171;49172", "++49171"])
def test_names_and_scraps_are_no_numbers(name: str) -> None:
    """They get a call of their own."""
    assert canonical(name) is None
