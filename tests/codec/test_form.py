"""The laws of ``smswire.codec.form``, with the WHATWG URL standard and the standard library as witnesses."""

from __future__ import annotations

import enum
import urllib.parse
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.codec import form, percent
from smswire.errors import ConfigurationError, DecodeError, EncodeError

from .attempt import attempt
from .plain import in_form_grammar, parse_step_by_step, serialize_step_by_step

TEXT = st.text() | st.text("&=+% *-._~%41äß\n", max_size=8)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=8)
SCALARS = TEXT | st.booleans() | st.integers() | st.none() | st.sampled_from(["\x00", "\x01"])
VALUES = SCALARS | st.lists(SCALARS, max_size=3)
PIECES = st.sampled_from(["&", "&&", "=", "==", "+", "%", "%4", "%41", "%C3%A4", "%C3", "%E2%82", "%ff", "%25", "ä"])
NEARLY_FORMS = st.lists(PIECES | st.text(max_size=3)).map("".join)


# One of these completes whatever of UTF-8 can be completed: the second byte has its own range after E0 and F0.
RESTS_OF_A_CHARACTER = [b"", b"%80", b"%80%80", b"%A0%80", b"%80%80%80", b"%90%80%80"]


class Level(enum.IntEnum):
    LOW = 1


class Kind(str, enum.Enum):  # noqa: UP042  (unlike a StrEnum it does not write itself as its value)
    GSM = "gsm"


@given(PAIRS)
def test_what_was_encoded_decodes_to_itself(pairs: list[tuple[str, str]]) -> None:
    """decode(encode(pairs)) is pairs, strict or not, as bytes or as text."""
    body = form.encode(pairs)
    assert form.decode(body) == form.decode(body, errors="strict") == form.decode(body.decode("ascii")) == pairs


@given(PAIRS)
def test_encoding_is_the_standards_step_by_step(pairs: list[tuple[str, str]]) -> None:
    """The fast serializer writes what the standard's steps write."""
    assert form.encode(pairs) == serialize_step_by_step(pairs)


@given(st.lists(st.tuples(TEXT, VALUES), max_size=8))
def test_values_are_written_as_the_texts_they_stand_for(fields: list[tuple[str, Any]]) -> None:
    """Whatever the types in it, a body is that of its pairs of text: True and False are 1 and 0, None is left out."""
    each = [(name, item) for name, value in fields for item in (value if isinstance(value, list) else [value])]
    texts = {True: "1", False: "0"}
    pairs = [(name, texts[item] if isinstance(item, bool) else str(item)) for name, item in each if item is not None]
    assert form.encode(fields) == serialize_step_by_step(pairs)


@pytest.mark.parametrize("unit", ["a", "ä&", "\x00=+ ", "😀"])
def test_long_values_are_written_as_in_the_standards_steps(unit: str) -> None:
    """However long they are, and whatever stands beside them."""
    fields = [("to", "+49 171"), ("text", unit * 100_000), ("a=b", "\x01&")]
    assert form.encode(fields) == serialize_step_by_step(fields)


@given(PAIRS)
def test_output_is_in_the_grammar(pairs: list[tuple[str, str]]) -> None:
    """A body is fields joined by "&", each a name, "=" and a value of bytes that stand for themselves, "+" or %XX."""
    assert in_form_grammar(form.encode(pairs))


@given(st.lists(PIECES.filter(str.isascii) | st.text(st.characters(max_codepoint=127), max_size=3)).map("".join))
def test_what_decodes_encodes_to_what_decodes_alike(body: str) -> None:
    """encode(decode(body)) is the one body with these pairs that the serializer writes; what it wrote comes back."""
    written = form.encode(form.decode(body))
    assert form.decode(written) == form.decode(body)
    assert form.encode(form.decode(written)) == written


@given(PAIRS)
def test_encoding_agrees_with_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    """urlencode differs in two bytes only: it escapes "*" and leaves "~" (WHATWG does the opposite)."""
    theirs = urllib.parse.urlencode(pairs).replace("%2A", "*").replace("~", "%7E")
    assert form.encode(pairs).decode("ascii") == theirs


@given(PAIRS, PAIRS)
def test_encoding_is_injective_and_concatenates(left: list[tuple[str, str]], right: list[tuple[str, str]]) -> None:
    """Different lists have different bodies, and lists in a row have their bodies joined by "&"."""
    assert (form.encode(left) == form.encode(right)) == (left == right)
    assert form.encode(left + right) == b"&".join(body for body in (form.encode(left), form.encode(right)) if body)


@given(NEARLY_FORMS | st.binary())
def test_everything_decodes_as_in_the_standards_steps(data: str | bytes) -> None:
    """The parser refuses nothing, and reads what the steps of the standard read."""
    assert form.decode(data) == parse_step_by_step(data.encode() if isinstance(data, str) else data)


@given(NEARLY_FORMS)
def test_everything_decodes_as_in_the_standard_library(text: str) -> None:
    """parse_qsl reads the same when it is told to keep blank values."""
    assert form.decode(text) == urllib.parse.parse_qsl(text, keep_blank_values=True)


@given(NEARLY_FORMS | st.binary())
def test_strict_reads_the_same_or_points_at_the_fault(data: str | bytes) -> None:
    """Strict decoding gives what lenient decoding gives, or points at the first fault: what stands before it can be
    completed, if only by the rest of a character, and what has it inside cannot."""
    pairs, error = attempt(form.decode, data, errors="strict")
    if error is None:
        assert pairs == form.decode(data)
        return
    assert error.offset is not None
    assert error.offset < len(data)
    before = data[: error.offset]
    completed = [before + (rest if isinstance(before, bytes) else rest.decode()) for rest in RESTS_OF_A_CHARACTER]
    assert not all(attempt(form.decode, whole, errors="strict")[1] for whole in completed)
    for tail in ("&", "&a=b", "&%", "&\u00e9=+"):  # "&" ends whatever is at fault
        _, still = attempt(form.decode, data + (tail.encode() if isinstance(data, bytes) else tail), errors="strict")
        assert still is not None
        assert still.offset == error.offset


@given(NEARLY_FORMS, st.integers(0, 6), st.integers(0, 40))
@example("ää", 6, 1)
def test_limits_are_monotone(data: str, max_fields: int, max_bytes: int) -> None:
    """A form within its limits reads as without them; one beyond is refused at the first field or byte too many."""
    pairs = form.decode(data)
    size = len(data.encode())
    limited, error = attempt(form.decode, data, max_fields=max_fields, max_bytes=max_bytes)
    assert (error is None) == (len(pairs) <= max_fields and size <= max_bytes)
    if error is None:
        assert limited == pairs
    elif size <= max_bytes:
        assert len(form.decode(data[: error.offset])) == max_fields
    else:
        assert error.offset is not None
        assert len(data[: error.offset].encode()) <= max_bytes < len(data[: error.offset + 1].encode())


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", []),
        (b"&", []),
        (b"=", [("", "")]),
        (b"a", [("a", "")]),
        (b"a=", [("a", "")]),
        (b"=b", [("", "b")]),
        (b"a=b=c", [("a", "b=c")]),
        (b"&&a=1&&&a=2&", [("a", "1"), ("a", "2")]),
        (b"a+b=c%20d", [("a b", "c d")]),
        (b"%2B=%2b", [("+", "+")]),
        (b"a=%", [("a", "%")]),
        (b"a=%4", [("a", "%4")]),
        (b"a=%zz%41", [("a", "%zzA")]),
        (b"a=%%41", [("a", "%A")]),
        (b"a=b;c=d", [("a", "b;c=d")]),
        (b"?a=1", [("?a", "1")]),
        (b"\xef\xbb\xbfa=%EF%BB%BF", [("\ufeffa", "\ufeff")]),  # "UTF-8 decode without BOM" keeps it
        (b"a=%C3", [("a", "\ufffd")]),
        (b"a=%F0%80%80", [("a", "\ufffd" * 3)]),
        (b"a=%ED%A0%80", [("a", "\ufffd" * 3)]),
        (b"a=%E2%82x", [("a", "\ufffdx")]),
        ("a=\ud800", [("a", "\ufffd")]),
        ("ä=ö", [("ä", "ö")]),
    ],
)
def test_vectors_of_the_parser(body: bytes | str, pairs: list[tuple[str, str]]) -> None:
    """Each step of the standard's parser, and its decoder's replacements."""
    assert form.decode(body) == pairs


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, b"a=1"),
        (False, b"a=0"),
        (None, b""),
        ([], b""),
        (("x", None, 5, True), b"a=x&a=5&a=1"),
        (-12, b"a=-12"),
        (10**600, b"a=1" + b"0" * 600),
        (Decimal("0.0750"), b"a=0.0750"),
        (Decimal("1E+3"), b"a=1000"),
        (Decimal("1E-9"), b"a=0.000000001"),
        (Decimal("-0"), b"a=-0"),
        (b"\xc3\xa4", b"a=%C3%A4"),
        ("", b"a="),
        ("*-._~", b"a=*-._%7E"),
        (Level.LOW, b"a=1"),
        (Kind.GSM, b"a=gsm"),
    ],
)
def test_values_have_one_obvious_text(value: Any, written: bytes) -> None:
    """What each type becomes, in a mapping and in pairs."""
    assert form.encode({"a": value}) == form.encode([("a", value)]) == written


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        float("nan"),
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+999999999"),
        Decimal("1E-999999999"),
        10**640,
        b"sesame\xff",
        bytearray(b"sesame"),
        "sesame\ud800",
        {"x": "sesame"},
        {"sesame"},
        [["sesame"]],
        object(),
    ],
)
def test_what_has_no_obvious_text_is_refused(value: Any) -> None:
    """The error names the field and never quotes the value, in message or context."""
    for given_value in (value, ["fine", value]):
        with pytest.raises(EncodeError) as caught:
            form.encode({"field": given_value})
        assert caught.value.path == "field"
        assert "sesame" not in str(caught.value)
        assert caught.value.__context__ is None


@pytest.mark.parametrize(
    "fields",
    [
        "ab",
        b"ab",
        5,
        None,
        ["ab"],
        [("a",)],
        [("a", "b", "c")],
        [{"a": 1, "b": 2}],
        {1: "x"},
        {b"a": "x"},
        {None: None},
    ],
)
def test_what_is_no_list_of_fields_is_refused(fields: Any) -> None:
    """A string of two characters is no pair, and a name is a str."""
    with pytest.raises(EncodeError):
        form.encode(fields)


def test_an_odd_name_is_shown_short_and_printable() -> None:
    """The path of an error is fit for a log."""
    with pytest.raises(EncodeError) as caught:
        form.encode({"line\nbreak" + "x" * 5000: 1.5})
    assert caught.value.path is not None
    assert caught.value.path.startswith("line\\nbreak")
    assert len(caught.value.path) == 60
    with pytest.raises(EncodeError) as caught:
        form.encode({"\ud800": "x"})
    assert caught.value.path == "\\ud800"


@pytest.mark.parametrize(
    ("data", "offset"),
    [
        (b"a=1&b=%4", 6),
        (b"a=1&b=%FF%", 6),
        (b"a=1&b=%C3%", 9),
        (b"a=1&b=x%ED%9F%", 13),
        (b"a=1&b=x%ED%A0%", 7),
        (b"a=1&b=x\xed\xbf%zz", 7),
        (b"a=1&b=x%ED%A0", 7),
        (b"a+%20=%41\xff", 9),
        ("ä=%41%C3&c", 5),
        ("ä=1&\ud800=%", 4),
    ],
)
def test_strict_points_at_the_first_fault(data: bytes | str, offset: int) -> None:
    """Offsets count bytes for bytes, and characters for text."""
    with pytest.raises(DecodeError) as caught:
        form.decode(data, errors="strict")
    assert caught.value.offset == offset


def test_other_types_and_options_are_refused() -> None:
    """One exception a direction, and one for an option that does not exist."""
    with pytest.raises(DecodeError):
        form.decode(5)  # type: ignore[arg-type]
    with pytest.raises(ConfigurationError):
        form.decode(b"", errors="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("code", range(0x100))
def test_each_character_is_escaped_or_not_as_the_standard_has_it(code: int) -> None:
    """Section 1.3, set by set, from the C0 controls to the form's own; the space becomes "+" (section 1.3 too)."""
    char = chr(code)
    c0_control = char <= "\x1f" or char > "~"
    query = c0_control or char in ' "#<>'
    path = query or char in "?^`{}"
    userinfo = path or char in "/:;=@[\\]|"
    component = userinfo or char in "$%&+,"
    in_the_set = component or char in "!'()~"
    expected = "+" if char == " " else "".join(f"%{byte:02X}" for byte in char.encode()) if in_the_set else char
    assert form.encode([(char, char)]).decode() == f"{expected}={expected}"
    assert (char in percent.FORM) == (not in_the_set)


UTF8_BOUNDARIES = [
    (b"%00", "\x00"), (b"%7F", "\x7f"), (b"%C2%80", "\x80"), (b"%DF%BF", "\u07ff"), (b"%E0%A0%80", "\u0800"),
    (b"%ED%9F%BF", "\ud7ff"), (b"%EE%80%80", "\ue000"), (b"%EF%BF%BF", "\uffff"), (b"%F0%90%80%80", "\U00010000"),
    (b"%F4%8F%BF%BF", "\U0010ffff"),
]  # fmt: skip
NOT_UTF8 = [
    (b"%80", 1), (b"%BF", 1), (b"%C0%80", 2), (b"%C1%BF", 2), (b"%C2", 1), (b"%E0%9F%BF", 3), (b"%E0%A0", 1),
    (b"%ED%A0%80", 3), (b"%ED%BF%BF", 3), (b"%F0%8F%BF%BF", 4), (b"%F0%90%80", 1), (b"%F4%90%80%80", 4),
    (b"%F5%80", 2), (b"%FE", 1), (b"%FF", 1), (b"%C2%C2%80", 1),
]  # fmt: skip


@pytest.mark.parametrize(("escaped", "text"), UTF8_BOUNDARIES)
def test_the_boundaries_of_utf8_are_read_and_written(escaped: bytes, text: str) -> None:
    """The first and the last character of each length (RFC 3629 section 4)."""
    assert form.decode(b"a=" + escaped, errors="strict") == [("a", text)]
    assert form.encode([("a", text)]) == b"a=" + escaped


@pytest.mark.parametrize(("escaped", "replacements"), NOT_UTF8)
def test_what_is_just_beyond_utf8_is_replaced(escaped: bytes, replacements: int) -> None:
    """One U+FFFD for each byte that begins nothing, and one for a character cut short; strict refuses them."""
    ((_, value),) = form.decode(b"a=" + escaped + b"+x")
    assert value.count("\ufffd") == replacements
    assert value.endswith(" x")
    assert attempt(form.decode, b"a=" + escaped + b"+x", errors="strict")[1] is not None
