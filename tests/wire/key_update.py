"""A TLS 1.3 server's records made by hand (RFC 8446 4.6, 5.2, 7.2): the standard library can send neither a
KeyUpdate nor a ticket when it is told to."""

from __future__ import annotations

import contextlib
import hmac
import ssl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from .peer import NAME, TLS13, authority

ALERT, HANDSHAKE, APPLICATION_DATA = 21, 22, 23


def expand_label(secret: bytes, label: bytes, length: int) -> bytes:
    """HKDF-Expand-Label with SHA-384, which gives all that is needed in one block."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
    return hmac.digest(secret, info + b"\x01", "sha384")[:length]


class ServerKeys:
    """The sending half of a server that has said nothing since its handshake (TLS_AES_256_GCM_SHA384)."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._number = 0

    @classmethod
    def of(cls, key_log: str) -> ServerKeys:
        found = [line.split() for line in key_log.splitlines() if line.startswith("SERVER_TRAFFIC_SECRET_0 ")]
        (line,) = found
        secret = bytes.fromhex(line[2])
        assert len(secret) == 48, "the cipher suite is another"
        return cls(secret)

    def update(self, *, wants_ours: bool) -> bytes:
        """A KeyUpdate; what follows is under the next key."""
        record = self._seal(b"\x18\0\0\x01" + bytes([wants_ours]), HANDSHAKE)
        self._secret = expand_label(self._secret, b"traffic upd", 48)
        self._number = 0
        return record

    def ticket(self) -> bytes:
        """A NewSessionTicket that is good for nothing."""
        lifetime, age_add, nonce, ticket, extensions = (
            b"\0\0\x1c\x20",
            bytes(4),
            b"\1\0",
            b"\0\x20" + bytes(32),
            b"\0\0",
        )
        body = lifetime + age_add + nonce + ticket + extensions
        return self._seal(b"\x04" + len(body).to_bytes(3, "big") + body, HANDSHAKE)

    def say(self, plaintext: bytes) -> bytes:
        return self._seal(plaintext, APPLICATION_DATA)

    def alert(self, level_and_description: bytes) -> bytes:
        return self._seal(level_and_description, ALERT)

    def _seal(self, content: bytes, kind: int) -> bytes:
        inner = content + bytes([kind])
        header = b"\x17\x03\x03" + (len(inner) + 16).to_bytes(2, "big")
        first = int.from_bytes(expand_label(self._secret, b"iv", 12), "big")
        nonce = (first ^ self._number).to_bytes(12, "big")
        self._number += 1
        return header + AESGCM(expand_label(self._secret, b"key", 32)).encrypt(nonce, inner, header)


@contextlib.contextmanager
def server_with_secrets() -> Iterator[tuple[ssl.SSLContext, Callable[[], str]]]:
    """A server context without tickets, and what reads its key log: the secrets of its one connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = TLS13
    context.num_tickets = 0
    authority(0).issue_cert(NAME, key_type=trustme.KeyType.ECDSA).configure_cert(context)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "keys"
        context.keylog_filename = str(path)
        yield context, path.read_text
