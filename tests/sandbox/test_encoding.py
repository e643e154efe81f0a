"""GSM or UCS-2, and the number of parts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.encoding import GSM, UCS2, encoding_of, parts_of


def parts_by_definition(widths: list[int], single: int, each: int) -> int:
    """Fill part after part, character by character."""
    if sum(widths) <= single:
        return 1
    parts: list[int] = [0]
    for width in widths:
        if parts[-1] + width > each:
            parts.append(0)
        parts[-1] += width
    return len(parts)


@given(st.text(st.sampled_from("aü\n€[~"), max_size=500))
def test_gsm_parts_are_filled_without_tearing_an_escape(text: str) -> None:
    """Characters of the extension table take two septets, both in the same part."""
    widths = [2 if character in "€[~" else 1 for character in text]
    assert encoding_of(text) == GSM
    assert parts_of(text, GSM) == parts_by_definition(widths, 160, 153)


@given(st.text(st.sampled_from("aЖ😀"), max_size=300))
def test_ucs2_parts_are_filled_without_tearing_a_surrogate_pair(text: str) -> None:
    """An emoji takes two units, both in the same part."""
    widths = [len(character.encode("utf-16-be")) // 2 for character in text]
    assert parts_of(text, UCS2) == parts_by_definition(widths, 70, 67)


@pytest.mark.parametrize(
    ("text", "encoding"), [("Grüße für 5 €", GSM), ("ÄÖÜäöüß ΔΦ \n\r", GSM), ("ç", UCS2), ("😀", UCS2)]
)
def test_one_character_outside_the_alphabet_makes_it_ucs2(text: str, encoding: str) -> None:
    """GSM 03.38 has Ç but not ç."""
    assert encoding_of(text) == encoding


def test_the_alphabet_has_its_128_and_10_characters() -> None:
    """127 in the basic table, as the escape itself is no character, and ten in the extension."""
    in_gsm = [character for character in map(chr, range(0x3000)) if encoding_of(character) == GSM]
    assert len(in_gsm) == 127 + 10
