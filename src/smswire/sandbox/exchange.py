"""What passes between a connection and whoever answers on it: a call in, a reply out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Peer:
    """The far end of a connection, and the number the connection has in the journal."""

    connection: int
    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Call:
    """One request, whole."""

    peer: Peer
    method: str
    target: str
    headers: Sequence[tuple[bytes, bytes]]
    body: bytes

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: bytes) -> str | None:
        """The first value of the header field ``name`` (lower case)."""
        for field, value in self.headers:
            if field == name:
                return value.decode("latin-1")
        return None


@dataclass(frozen=True, slots=True)
class Reply:
    """One response, whole. ``close``: the connection ends with it."""

    status: int
    body: bytes
    content_type: str = TEXT
    close: bool = False
    allow: str | None = None


class Service(Protocol):
    """Answers calls: at once, or by a future of the connection's event loop."""

    def handle(self, call: Call) -> Reply | asyncio.Future[Reply]: ...


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a connection is kept; the names are those of :class:`~smswire.sandbox.limits.Limits`."""

    idle_seconds: float
    request_seconds: float
    linger_seconds: float
    head_bytes: int
    body_bytes: int
    requests_per_connection: int | None = None
    is_chunked: bool = False
    delay: float = 0.0
    advertises_keep_alive: bool = False
