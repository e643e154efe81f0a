"""Keys, the ways to show them, and whitelists."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.access import Access, Whitelist, any_is, canonical_address

KEYS = Access(["first", "second"])

SHOWN = [
    ([(b"authorization", b"basic first")], None),
    ([(b"authorization", b"Basic first")], None),
    ([(b"authorization", b"BEARER  first")], None),
    ([(b"x-api-key", b"first")], None),
    ([], "first"),
    ([(b"x-api-key", b"first"), (b"authorization", b"basic first")], "first"),
]

WRONG = [
    ([(b"authorization", b"basic wrong")], None),
    ([(b"authorization", b"basic Zmlyc3Q6")], None),
    ([(b"authorization", b"digest first")], None),
    ([(b"authorization", b"first")], None),
    ([(b"authorization", b"basic")], None),
    ([(b"x-api-key", b"")], None),
    ([(b"x-api-key", b"fir\xe9t")], None),
    ([], ""),
    ([], 900),
    ([(b"x-api-key", b"second")], "first"),
    ([(b"x-api-key", b"first"), (b"x-api-key", b"wrong")], None),
]


@pytest.mark.parametrize(("headers", "p"), SHOWN)
def test_each_way_to_show_a_key_is_taken(headers: list[tuple[bytes, bytes]], p: object) -> None:
    """Scheme names in any case, no base64; the same key several times is still that key."""
    assert KEYS.identify(headers, p) == (0, 0)


@pytest.mark.parametrize(("headers", "p"), WRONG)
def test_a_wrong_key_is_900_however_it_is_shown(headers: list[tuple[bytes, bytes]], p: object) -> None:
    """Two different keys are wrong too: one of them was not meant."""
    assert KEYS.identify(headers, p) == (900, -1)


def test_no_key_is_300() -> None:
    """The code that SDKs old and new name "authentication missing"."""
    assert KEYS.identify([(b"accept", b"first")], None) == (300, -1)


def test_each_key_has_its_position() -> None:
    """By which the journal names it."""
    assert KEYS.identify([], "second") == (0, 1)


@pytest.mark.parametrize(
    "keys", [(), {}, "sandbox-key", [""], ["with space"], ["line\nbreak"], ["schlüssel"], {"key": "not a name!"}]
)
def test_keys_that_cannot_be_are_refused(keys: object) -> None:
    """A string is not taken for a sequence of one-letter keys."""
    with pytest.raises(ValueError):
        Access(keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("entry", ["127.0.0.300", "10.0.0.1/8", "a b", "", "-x.example", "1.2.3", "x" * 64])
def test_an_entry_that_is_neither_address_network_nor_name_is_refused(entry: str) -> None:
    """By name, when the sandbox is made and not at the first call."""
    with pytest.raises(ValueError, match="whitelist"):
        Whitelist.parse(f"127.0.0.1,{entry}")


def test_a_whitelist_mixes_addresses_networks_and_names() -> None:
    """Spaces around the commas do no harm."""
    whitelist = Whitelist.parse(" 127.0.0.1 , 10.0.0.0/8,::1, Office.example ,localhost")
    assert whitelist.names == ("Office.example", "localhost")
    for address, is_held in [("127.0.0.1", True), ("10.9.8.7", True), ("::1", True), ("127.0.0.2", False)]:
        assert whitelist.holds(canonical_address(address)) is is_held


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_in_ipv6_clothes_is_itself(address: object) -> None:
    """As an IPv6 listener reports IPv4 clients."""
    assert canonical_address(f"::ffff:{address}") == address


def test_what_a_lookup_gives_that_is_no_address_is_passed_over() -> None:
    """One odd line of a resolver hides no good one."""
    caller = canonical_address("fe80::1%lo")
    assert any_is(["nonsense", "fe80::1%lo"], caller)
    assert not any_is(["nonsense"], caller)
