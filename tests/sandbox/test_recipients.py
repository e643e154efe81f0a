"""Numbers in their forms, contacts and groups."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.recipients import Directory, normalise

# What stands after the country code 49: no zero in front, and short enough for 15 digits with it.
SUBSCRIBERS = st.from_regex(r"[1-9][0-9]{7,12}", fullmatch=True)


@given(SUBSCRIBERS, st.sampled_from(["49", "+49", "0049", "0"]), st.sampled_from(["", " ", "-", "/", "."]))
def test_every_form_of_a_number_is_the_same_number(subscriber: str, prefix: str, separator: str) -> None:
    """With country code, in three forms, or nationally; with or without separators."""
    assert normalise(prefix + separator + subscriber[:3] + separator + subscriber[3:]) == "49" + subscriber


@given(SUBSCRIBERS)
def test_normalising_twice_changes_nothing(subscriber: str) -> None:
    """Digits with a country code are the normal form."""
    assert normalise("49" + subscriber) == "49" + subscriber


@given(st.text(max_size=20))
def test_what_is_accepted_is_a_number_by_e164(text: str) -> None:
    """Anything else is None, and nothing raises."""
    number = normalise(text)
    assert number is None or (number.isascii() and number.isdigit() and 7 <= len(number) <= 15 and number[0] != "0")


@pytest.mark.parametrize(
    "number",
    ["", "+", "123456", "1234567890123456", "+49(0)171123456", "49 171--123", "000000000", "٤٩١٧١١٢٣", "Anna"],
)
def test_what_is_no_number_is_none(number: str) -> None:
    """Too short, too long, parentheses, other digits than ASCII's."""
    assert normalise(number) is None


def test_to_is_expanded_in_order() -> None:
    """A contact is its number, a group all of its numbers; an unknown or empty entry is None."""
    directory = Directory({"Anna": "01711111111"}, {"Team": ["+491712222222", "0049171333333"], "Nobody": []})
    assert directory.expand("Team, Anna,,4917199999999,Bert,Nobody") == [
        "491712222222",
        "49171333333",
        "491711111111",
        None,
        "4917199999999",
        None,
    ]


@pytest.mark.parametrize(
    ("contacts", "groups"),
    [
        ({"Anna": "no number"}, {}),
        ({"A,B": "491711111111"}, {}),
        ({"": "491711111111"}, {}),
        ({"A": "491711111111"}, {"A": []}),
    ],
)
def test_a_directory_that_cannot_be_is_refused(contacts: dict[str, str], groups: dict[str, list[str]]) -> None:
    """A name with a comma could never be addressed; one used twice would be ambiguous."""
    with pytest.raises(ValueError):
        Directory(contacts, groups)
