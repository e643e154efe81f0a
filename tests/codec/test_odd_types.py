"""Classes of the caller's own: what they make of themselves changes no encoding, and raises nothing but our errors."""

from __future__ import annotations

import enum
from decimal import Context, Decimal, InvalidOperation, localcontext
from typing import Any

import pytest

from smswire.codec import form, json, percent
from smswire.errors import DecodeError, EncodeError


class Price(Decimal, enum.Enum):
    LOW = "1.50"


class Loud(Decimal):
    def __format__(self, spec: str, context: object = None) -> str:
        return "hi&x=1"

    def is_finite(self) -> bool:
        return True


class Text(str):
    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:
        return b"another"

    def __str__(self) -> str:
        return "another"


class Octets(bytes):
    def translate(self, *_: Any) -> bytes:  # type: ignore[override]
        return b"another"

    def __bytes__(self) -> bytes:
        return b"another"

    def replace(self, *_: Any) -> bytes:  # type: ignore[override]
        return b"another"


class Unhashable(type):
    __hash__ = None  # type: ignore[assignment]

    def __eq__(cls, other: object) -> bool:
        return False


class Strange(metaclass=Unhashable):
    pass


def test_a_decimal_of_another_class_has_its_own_digits() -> None:
    """A member of an enumeration has no format of its own; another class may have one, and it is not asked."""
    assert form.encode({"a": Price.LOW}) == b"a=1.50"
    assert json.encode([Price.LOW]) == b"[1.50]"
    assert form.encode({"a": Loud("1E+2")}) == b"a=100"
    for value in (Loud("NaN"), Loud("Infinity")):
        with pytest.raises(EncodeError):
            form.encode({"a": value})
        with pytest.raises(EncodeError):
            json.encode([value])


def test_a_text_of_another_class_is_its_own_characters() -> None:
    """What its methods say of it is not asked."""
    assert percent.encode(Text("ä/")) == "%C3%A4%2F"
    assert percent.encode(Octets(b"ab/")) == "ab%2F"
    assert percent.decode(Text("a%2F")) == b"a/"
    assert percent.decode(Octets(b"a%2F")) == b"a/"
    assert form.encode({Text("a b"): Text("c d")}) == b"a+b=c+d"
    assert form.encode([(Text("a b"), Octets(b"c d"))]) == b"a+b=c+d"
    assert json.encode({Text("a"): Text("b")}) == b'{"a":"b"}'


@pytest.mark.parametrize("where", [lambda value: value, lambda value: [value], lambda value: {"a": value}])
def test_a_class_without_a_hash_is_refused_like_any_other(where: Any) -> None:
    """It has no form, and the error is ours."""
    with pytest.raises(EncodeError):
        json.encode(where(Strange()))
    with pytest.raises(EncodeError):
        form.encode({"a": where(Strange())})


@pytest.mark.parametrize("digits", [10, 700, 5000])
def test_an_integers_reader_that_gets_a_fraction_refuses_it(digits: int) -> None:
    """However long it is."""
    with pytest.raises(DecodeError):
        json.decode("0." + "1" * digits, parse_float=int, max_digits=10_000)


def test_no_decimal_context_lets_a_number_through_that_is_none() -> None:
    """With its trap off ``Decimal`` makes NaN of what it cannot hold; and nothing of that is remembered."""
    text = '{"a":1.5e99999999999999999999}'
    untrapped = Context(traps=[])
    with localcontext(untrapped), pytest.raises(DecodeError):
        json.decode(text, parse_float=Decimal)
    assert untrapped.traps[InvalidOperation] is False
    with pytest.raises(DecodeError):
        json.decode(text, parse_float=Decimal)


def test_the_offset_of_a_limit_counts_every_character() -> None:
    """Half a surrogate pair is one."""
    with pytest.raises(DecodeError) as raised:
        json.decode('"\ud800' + "a" * 10, max_bytes=8)
    assert raised.value.offset == 6


def test_a_path_shows_where_a_key_ends() -> None:
    """A quote in a key is no end of it."""
    with pytest.raises(EncodeError) as raised:
        json.encode({'a"]["b': float("nan")})
    assert raised.value.path == r'$["a\"][\"b"]'


class Field(str, enum.Enum):  # noqa: UP042  (its format is not its value, as of a StrEnum)
    NAME = "a b"


class Level(enum.IntEnum):
    HIGH = 3


class Shy(int):
    def __repr__(self) -> str:
        return "another"

    def __int__(self) -> int:
        return 0

    __str__ = __repr__


def test_members_of_enumerations_are_written_as_their_values() -> None:
    """As names, too; and an int of another class as the int it is."""
    assert form.encode({Field.NAME: Field.NAME, "level": Level.HIGH, "shy": Shy(7)}) == b"a+b=a+b&level=3&shy=7"
    assert json.encode({Field.NAME: Field.NAME, "level": Level.HIGH, "shy": Shy(7)}) == (
        b'{"a b":"a b","level":3,"shy":7}'
    )


@pytest.mark.parametrize("digits", ["1" * 640, f"0.{'1' * 639}", f"1{'0' * 639}"])
def test_a_decimal_has_as_many_digits_as_an_integer_may(digits: str) -> None:
    """640, exponent and all; one more is refused."""
    assert form.encode({"a": Decimal(digits)}) == f"a={digits}".encode()
    with pytest.raises(EncodeError):
        form.encode({"a": Decimal(f"{digits}1")})


class Once(dict[str, Any]):
    """As the multi-dicts of web frameworks: its items come one after the other, and once."""

    def items(self) -> Any:
        yield from super().items()


class FirstOnly(dict[str, Any]):
    """As the multi-dicts of some web frameworks: its items give one value of each field, and getlist all."""

    def items(self) -> Any:
        return [(name, values[0]) for name, values in super().items()]

    def getlist(self, name: str) -> Any:
        return tuple(dict.__getitem__(self, name))


def test_a_multi_dict_loses_no_value() -> None:
    """Whatever its items give: a recipient left out would be an SMS lost."""
    fields = FirstOnly({"to": ["1", "2"], "text": ["a"]})
    assert form.encode(fields) == b"to=1&to=2&text=a"
    assert form.encode(form.bracketed(fields)) == b"to=1&to=2&text=a"


@pytest.mark.parametrize("value", ["1", Decimal("1.5"), None, ["1", "2"], True])
def test_a_mapping_whose_items_come_once_loses_none(value: Any) -> None:
    """Whatever stands among them."""
    fields = {"a": "1", "b": value, "c": "3"}
    assert form.encode(Once(fields)) == form.encode(fields)
    with pytest.raises(EncodeError):
        form.encode(Once(fields | {"d": 1.5}))


def test_no_error_of_a_form_holds_the_value() -> None:
    """Nor does what stands behind it: tracebacks end in logs."""
    for data in (b"password=hunter2%ff", b"password=hunter2%zz", b"password=hunter2%ff%"):
        with pytest.raises(DecodeError) as raised:
            form.decode(data, errors="strict")
        assert raised.value.__context__ is None or "hunter2" not in repr(vars(raised.value.__context__))
        assert not hasattr(raised.value.__context__, "object")


@pytest.mark.parametrize("text", ["1,2", "{},{}", "[],[]", '"a","b"', ':1,"a"', '"a":1', '[1],"a"', '{"a":1},"b":2'])
def test_a_text_is_one_value(text: str) -> None:
    """What stands behind it is a fault, whatever it is."""
    with pytest.raises(DecodeError):
        json.decode(text)


def test_keys_are_sorted_by_code_points() -> None:
    """And not by the units of UTF-16, in which U+1F600 begins with D83D."""
    assert json.encode({"\U0001f600": 1, "\uff61": 2}, sort_keys=True) == '{"\uff61":2,"\U0001f600":1}'.encode()


def test_characters_beyond_the_first_plane_count_four_bytes() -> None:
    """Of a limit on text in ``str``, too."""
    text = f'"{chr(0x1F600) * 10}"'
    assert json.decode(text, max_bytes=42) == chr(0x1F600) * 10
    with pytest.raises(DecodeError):
        json.decode(text, max_bytes=41)


@pytest.mark.parametrize("nothing", [None, [], (), [None]])
def test_the_name_of_a_field_that_is_left_out_is_not_looked_at(nothing: Any) -> None:
    """Beyond its type; and so whatever stands beside it."""
    for beside in ("x", b"x", Decimal(1), "\x00"):
        assert form.encode([("\ud800", nothing), ("a", beside)]) == form.encode([("a", beside)])
    with pytest.raises(EncodeError):
        form.encode([(1, nothing)])  # type: ignore[list-item]
