"""The origin a client talks to: scheme, host and port, and nothing else of a URL."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..errors import ConfigurationError
from .resolve import literal

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]]+)(?::(?P<port>[0-9]{1,5}))?/?", re.IGNORECASE
)
_LABEL = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
_DEFAULT_PORT = {"http": 80, "https": 443}


class Origin(NamedTuple):
    """Scheme, host (lower case, an IPv6 address without brackets) and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """What stands in the ``Host`` field (RFC 9112 3.2): the port is left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")


def parse(text: str) -> Origin:
    """Reads ``https://host[:port]``.

    Raises:
        ConfigurationError: another scheme, no host, a port out of range, user info, a path, a query or a fragment. The
            text is not repeated: it might hold a password.
    """
    found = _ORIGIN.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ConfigurationError(
            "the origin is not http(s)://host[:port]", advice="leave out user names, paths, queries and fragments"
        )
    scheme, host = found["scheme"].lower(), found["host"].lower()
    port = int(found["port"]) if found["port"] else _DEFAULT_PORT[scheme]
    if not 1 <= port <= 65535:
        raise ConfigurationError(f"the port must be between 1 and 65535, not {port}")
    if host.startswith("["):
        if literal(host[1:-1], port) is None:
            raise ConfigurationError("the origin's host is no IPv6 address")
        return Origin(scheme, host[1:-1], port)
    name = host.removesuffix(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ConfigurationError(
            "the origin's host is no host name", advice="write an international name in its ASCII form (xn--…)"
        )
    return Origin(scheme, host, port)
