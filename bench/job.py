"""The job that every client does, and what a client process is told and tells.

A dict of nine fields in, URL-encoded, ``POST /api/sms`` over TLS, an answer of 400 bytes out, parsed. Peers encode and
parse with ``urllib.parse`` and ``json``, ours with ours; the floors send prepared bytes and parse nothing. Nothing is
imported here that a client process would not have anyway: what it weighs is part of what is measured.
"""

from __future__ import annotations

import json
import ssl
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Final
from urllib.parse import urlencode

KEY: Final = "sandbox-key"
HOST: Final = "127.0.0.1"
HEADERS: Final = {
    "X-Api-Key": KEY,
    "Accept": "application/json",
    "SentWith": "smswire",
    "Content-Type": "application/x-www-form-urlencoded",
}
"""What our gateway object sends; whatever a client adds of its own is its own affair."""

KEEPALIVE_REQUESTS: Final = 1_000_000
"""Requests the server lets a connection carry, the same for all: more than any run sends. The gateway's 500 would add
handshakes to those clients alone that use few connections."""

Fields = dict[str, Any]


class WrongAnswer(Exception):
    """The row fails: what came back is not what the server gives."""


class NotThereYet(Exception):
    """The row is planned, and the code it measures is not in this tree."""


@dataclass(frozen=True)
class Task:
    """What a client process is to do: as JSON on its standard input."""

    peer: str
    """A key of ``peers.PEERS``."""
    port: int
    ca_file: str
    action: str = "throughput"
    """A key of ``client.ACTIONS``."""
    prefix: str = ""
    """What stands before ``/api``: the server's ``/delay/20``."""
    connections: int = 1
    workers: int = 0
    """Calls at once; 0: as many as connections."""
    seconds: float = 1.0
    seed: int = 0
    core: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    """What else the action wants to know."""

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Task:
        return cls(**json.loads(text))

    @property
    def calls_at_once(self) -> int:
        return self.workers or self.connections

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    @property
    def base_url(self) -> str:
        return f"{self.origin}{self.prefix}/api"

    @property
    def path(self) -> str:
        return f"{self.prefix}/api/sms"

    @cached_property
    def url(self) -> str:
        return f"{self.origin}{self.path}"

    def context(self) -> ssl.SSLContext:
        """TLS as a careful user of the standard library has it: the one authority, nothing else."""
        return ssl.create_default_context(cafile=self.ca_file)


def encode(fields: Fields) -> str:
    """What peers send."""
    return urlencode(fields)


def read(status: int, body: Any) -> dict[str, Any]:
    """What peers hand on; every answer is looked at, so that a fast wrong one does not count."""
    if status != 200:
        raise WrongAnswer(f"status {status}")
    answer: dict[str, Any] = json.loads(body)
    if answer["success"] != "100":
        raise WrongAnswer(f"success {answer['success']!r}")
    return answer
