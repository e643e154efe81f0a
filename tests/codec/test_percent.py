"""The laws of ``smswire.codec.percent``, with RFC 3986 and the standard library as witnesses."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.codec import percent
from smswire.errors import ConfigurationError, DecodeError, EncodeError

from .attempt import attempt
from .plain import decode_byte_by_byte, encode_byte_by_byte, in_percent_grammar

SAFE_SETS = st.sets(st.characters(max_codepoint=126, exclude_characters="%")).map("".join)
PIECES = st.sampled_from(["%", "%%", "%4", "%41", "%c3%A9", "%C3", "%zz", "%2", "5", "é", "a+b", "%25", "%u0041"])
NEARLY_ENCODED = st.lists(PIECES | st.text(max_size=3)).map("".join)


@given(st.binary(), SAFE_SETS)
def test_what_was_encoded_decodes_to_itself(data: bytes, safe: str) -> None:
    """decode(encode(bytes)) is bytes, for every safe set."""
    assert percent.decode(percent.encode(data, safe)) == data


@given(st.text())
def test_text_is_taken_as_utf8(text: str) -> None:
    """Text and its UTF-8 have the same encoding."""
    assert percent.encode(text) == percent.encode(text.encode())


@given(st.binary() | st.text(st.characters(max_codepoint=127)).map(str.encode), SAFE_SETS)
def test_encoding_is_the_standards_byte_by_byte(data: bytes, safe: str) -> None:
    """Both fast ways write what the rule of section 2.1 writes, byte by byte."""
    assert percent.encode(data, safe) == encode_byte_by_byte(data, safe)


@pytest.mark.parametrize("length", [2**15 - 1, 2**15, 2**15 + 1, 3 * 2**15 + 1])
def test_long_encodings_are_the_standards_too(length: int) -> None:
    """Text of more than one chunk is escaped as a whole."""
    data = (bytes(range(255)) * (length // 255 + 1))[:length]
    assert percent.encode(data) == encode_byte_by_byte(data, percent.UNRESERVED)


@given(st.binary(), SAFE_SETS)
def test_output_is_in_the_grammar(data: bytes, safe: str) -> None:
    """Safe characters and "%" with two upper-case digits, nothing else, and no safe character escaped."""
    assert in_percent_grammar(percent.encode(data, safe), safe)


@given(st.binary() | st.text().map(str.encode))
def test_encoding_agrees_with_the_standard_library(data: bytes) -> None:
    """urllib.parse.quote follows RFC 3986 too."""
    assert percent.encode(data) == urllib.parse.quote(data, safe="")


@given(st.binary(), st.binary(), SAFE_SETS)
def test_encoding_is_injective_and_concatenates(left: bytes, right: bytes, safe: str) -> None:
    """Different bytes have different encodings, and the encoding of a whole is that of its parts in a row."""
    assert (percent.encode(left, safe) == percent.encode(right, safe)) == (left == right)
    assert percent.encode(left + right, safe) == percent.encode(left, safe) + percent.encode(right, safe)


@given(NEARLY_ENCODED | st.binary())
def test_keeping_the_malformed_takes_everything(data: str | bytes) -> None:
    """With malformed="keep" every input decodes, as by WHATWG's rule byte by byte, and as in urllib."""
    raw = data.encode() if isinstance(data, str) else data
    assert percent.decode(data, malformed="keep") == decode_byte_by_byte(raw) == urllib.parse.unquote_to_bytes(raw)


@given(NEARLY_ENCODED | st.binary())
def test_a_malformed_percent_is_pointed_at(data: str | bytes) -> None:
    """What stands before the offset is well-formed; "%" and what follows it is not."""
    _, error = attempt(percent.decode, data)
    if error is not None:
        assert error.offset is not None
        percent.decode(data[: error.offset])
        token = data[error.offset : error.offset + 3]
        assert token[:1] in ("%", b"%")
        with pytest.raises(DecodeError):
            percent.decode(token)


@given(NEARLY_ENCODED)
def test_normalisation_is_idempotent(text: str) -> None:
    """Decoding and encoding again settles after one turn (RFC 3986 section 6.2.2)."""
    once = percent.encode(percent.decode(text, malformed="keep"))
    assert percent.encode(percent.decode(once)) == once


@given(st.text(st.characters(categories=["Cs", "Lu"]), min_size=1))
def test_a_lone_surrogate_has_no_encoding(text: str) -> None:
    """What has no UTF-8 form is an error both ways, at the place of the first one."""
    first = next((index for index, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)
    if first is None:
        assert percent.decode(percent.encode(text)).decode() == text
        return
    with pytest.raises(EncodeError, match=f"character {first}"):
        percent.encode(text)
    with pytest.raises(DecodeError) as caught:
        percent.decode(text)
    assert caught.value.offset == first


@pytest.mark.parametrize(
    ("text", "encoded"),
    [
        ("", ""),
        (percent.UNRESERVED, percent.UNRESERVED),
        ("%", "%25"),
        ("%41", "%2541"),
        (" ", "%20"),
        ("+", "%2B"),
        (":/?#[]@", "%3A%2F%3F%23%5B%5D%40"),  # gen-delims
        ("!$&'()*+,;=", "%21%24%26%27%28%29%2A%2B%2C%3B%3D"),  # sub-delims
        ("\x00\x1f\x7f", "%00%1F%7F"),
        ("A", "A"),
        ("À", "%C3%80"),  # section 2.5
        ("ア", "%E3%82%A2"),  # section 2.5
    ],
)
def test_vectors_of_rfc_3986(text: str, encoded: str) -> None:
    """Each set of section 2, and the examples of section 2.5."""
    assert percent.encode(text) == encoded
    assert percent.decode(encoded) == text.encode()


def test_the_sets_of_components_are_those_of_the_grammar() -> None:
    """pchar and query leave their delimiters, and "/" is none of pchar."""
    assert percent.encode("a/b?c:d@e;f=g", percent.PATH_SEGMENT) == "a%2Fb%3Fc:d@e;f=g"
    assert percent.encode("a/b?c:d@e;f=g#h", percent.QUERY) == "a/b?c:d@e;f=g%23h"


@pytest.mark.parametrize("safe", ["%", "a%b", "é", "\ud800"])
def test_a_safe_set_that_would_lose_data_is_refused(safe: str) -> None:
    """ "%" must always be escaped (section 2.4), and no byte outside ASCII may stand for itself."""
    with pytest.raises(ConfigurationError):
        percent.encode("x", safe)


def test_other_types_and_options_are_refused() -> None:
    """One exception a direction, and one for an option that does not exist."""
    with pytest.raises(EncodeError):
        percent.encode(5)  # type: ignore[arg-type]
    with pytest.raises(DecodeError):
        percent.decode(None)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        percent.decode("", malformed="ignore")  # type: ignore[arg-type]


def test_no_error_holds_the_text() -> None:
    """Neither message nor context of an error has the text in it: it may be a secret."""
    with pytest.raises(EncodeError) as caught:
        percent.encode("sesame\ud800")
    assert "sesame" not in str(caught.value)
    assert caught.value.__context__ is None


ALPHA = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
UNRESERVED = ALPHA + "0123456789" + "-._~"  # section 2.3
SUB_DELIMS = "!$&'()*+,;="  # section 2.2
PCHAR = UNRESERVED + SUB_DELIMS + ":@"  # section 3.3
FORM = ALPHA + "0123456789" + "*-._"  # WHATWG URL section 1.3


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (percent.UNRESERVED, UNRESERVED),
        (percent.PATH_SEGMENT, PCHAR),
        (percent.QUERY, PCHAR + "/?"),
        (percent.FORM, FORM),
    ],
)
def test_each_byte_is_escaped_or_not_as_its_set_says(ours: str, theirs: str) -> None:
    """Every byte in every set, alone and beside another that is escaped."""
    for byte in range(0x100):
        expected = chr(byte) if chr(byte) in theirs else f"%{byte:02X}"
        assert percent.encode(bytes((byte,)), ours) == expected
        assert percent.encode(bytes((byte, 0x25, 0xFF)), ours) == f"{expected}%25%FF"


@pytest.mark.parametrize("byte", range(0x100))
def test_each_escape_is_read_in_either_case(byte: int) -> None:
    """Section 2.1: upper and lower case are equivalent."""
    for escape in (f"%{byte:02X}", f"%{byte:02x}", f"%{byte:02X}"[:2] + f"{byte:02x}"[1]):
        assert percent.decode(escape) == percent.decode(escape, malformed="keep") == bytes((byte,))


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("%25%s%1G", b"%%s%1G"),  # WHATWG URL section 1.3, its own examples
        ("\u203d%25%2E", b"\xe2\x80\xbd%."),
        ("%", b"%"),
        ("%%", b"%%"),
        ("%1", b"%1"),
        ("%%31", b"%1"),
        ("%/0%0/%:0%@0%G0%`0%g0%0:%0@%0G%0`%0g", b"%/0%0/%:0%@0%G0%`0%g0%0:%0@%0G%0`%0g"),
        ("%09%A0%F0%a0%f0%9a%fF", b"\x09\xa0\xf0\xa0\xf0\x9a\xff"),
    ],
)
def test_vectors_of_percent_decode(text: str, decoded: bytes) -> None:
    """The characters next to the hexadecimal digits are none."""
    assert percent.decode(text, malformed="keep") == decoded
