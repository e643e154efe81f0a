"""Who may call: API keys, the ways to show one, and the whitelist of addresses that each key may carry.

Shown as ``Authorization: basic KEY`` (the bare key, no base64; the scheme in any case), ``Authorization: Bearer TOKEN``
(a key serves as its own token), ``X-Api-Key: KEY``, or the parameter ``p`` in query, form or JSON body. Several at once
must agree. No key shown is code 300, a wrong one 900, an address that the key's whitelist does not hold 903.

A whitelist is one string: addresses, networks and host names with commas between them. Names are looked up at the call,
and only when no address or network of the list matches. The keys themselves are never shown, only their position.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from . import codes

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Headers = Sequence[tuple[bytes, bytes]]

_SCHEMES = (b"basic", b"bearer")
_HOST_NAME = re.compile(r"(?=.{1,253}\Z)(?!-)[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?\Z")
_ONLY_DIGITS = re.compile(r"[0-9.]+\Z")


def resolve(name: str) -> list[str]:
    """The addresses of ``name`` now, by the system's resolver.

    Raises:
        OSError: the name has none.
    """
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


def canonical_address(address: str) -> Address:
    """``address`` without scope; an IPv4 address in IPv6 clothes (``::ffff:127.0.0.1``) as the IPv4 address it is."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        return parsed.ipv4_mapped
    return parsed


@dataclass(frozen=True, slots=True)
class Whitelist:
    """Where calls with a key may come from."""

    networks: tuple[Network, ...]
    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Whitelist:
        """Read a list such as ``"127.0.0.1, 10.0.0.0/8, office.example"``.

        Raises:
            ValueError: an entry is neither address, network nor host name.
        """
        networks: list[Network] = []
        names: list[str] = []
        for entry in (part.strip() for part in text.split(",")):
            try:
                networks.append(ipaddress.ip_network(entry))
            except ValueError:
                if not _HOST_NAME.match(entry) or _ONLY_DIGITS.match(entry):
                    raise ValueError(f"whitelist: {entry!r} is no address, network or host name") from None
                names.append(entry)
        return cls(tuple(networks), tuple(names))

    def holds(self, address: Address) -> bool:
        """Whether one of the listed addresses or networks holds ``address``; names are not looked up here."""
        return any(address in network for network in self.networks)


class Access:
    """The account's API keys.

    Args:
        keys: the keys, or a mapping from key to its whitelist (None or an empty string: callable from anywhere).

    Raises:
        ValueError: no key, an empty one, one with characters that cannot stand in a header, or a whitelist that
            cannot be read.
    """

    def __init__(self, keys: Sequence[str] | Mapping[str, str | None]) -> None:
        if isinstance(keys, str):
            raise ValueError("keys is a sequence of keys, or a mapping from key to whitelist")
        whitelists = keys if isinstance(keys, Mapping) else dict.fromkeys(keys)
        if not whitelists:
            raise ValueError("a sandbox without API keys answers nobody")
        for position, key in enumerate(whitelists):
            if not (key and key.isascii() and key.isprintable() and " " not in key):
                raise ValueError(f"API key number {position} is empty or not made of visible ASCII")
        self._positions = {key: position for position, key in enumerate(whitelists)}
        self._whitelists = [Whitelist.parse(text) if text else None for text in whitelists.values()]

    def identify(self, headers: Headers, p: object) -> tuple[int, int]:
        """Which key a call shows: ``(0, position of the key)``, or ``(code, -1)`` with the code that refuses it.

        Args:
            headers: the request's header fields, names in lower case.
            p: the parameter ``p``; None if it was not given.
        """
        shown = {_shown_in(name, value) for name, value in headers if name in (b"authorization", b"x-api-key")}
        if p is not None:
            shown.add(p if isinstance(p, str) else "")
        if not shown:
            return codes.NO_AUTHENTICATION, -1
        position = self._positions.get(shown.pop(), -1)
        return (0, position) if position >= 0 and not shown else (codes.WRONG_KEY, -1)

    def whitelist(self, position: int) -> Whitelist | None:
        """The whitelist of the key at ``position``; None: callable from anywhere."""
        return self._whitelists[position]


def _shown_in(name: bytes, value: bytes) -> str:
    if name == b"authorization":
        scheme, _, value = value.partition(b" ")
        if scheme.lower() not in _SCHEMES:
            return ""
        value = value.strip()
    return value.decode("latin-1")


def any_is(addresses: Iterable[str], caller: Address) -> bool:
    """Whether ``caller`` is among ``addresses``, as a lookup gave them; what is no address is passed over."""
    for text in addresses:
        try:
            if canonical_address(text) == caller:
                return True
        except ValueError:
            continue
    return False
