"""TLS for the sandbox: a throw-away authority, and the server's end of a session over memory buffers.

The session is driven here and not by the event loop's own TLS, so that the idle limit covers the handshake too, a
client that half-closes still gets its answer, and a broken session is an ordinary end and never a logged error.
"""

from __future__ import annotations

import contextlib
import os
import ssl
import tempfile
from collections.abc import Sequence

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def authority(host_names: Sequence[str]) -> tuple[ssl.SSLContext, bytes]:
    """A server context with a new certificate for loopback and ``host_names``, and its authority's certificate (PEM).

    Raises:
        ImportError: trustme is not installed.
    """
    try:
        import trustme
    except ImportError as error:
        raise ImportError("The sandbox's TLS needs trustme: pip install trustme") from error
    kind = trustme.KeyType.ECDSA
    issuer = trustme.CA(organization_name="smswire sandbox", key_type=kind)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    issuer.issue_cert(*dict.fromkeys([*LOOPBACK, *host_names]), key_type=kind).configure_cert(context)
    return context, issuer.cert_pem.bytes()


def write_pem(pem: bytes, path: str | None) -> str:
    """Write ``pem`` to ``path``, or to a new temporary file; return where it is."""
    if path is None:
        descriptor, path = tempfile.mkstemp(prefix="smswire-sandbox-", suffix=".pem")
        os.close(descriptor)
    with open(path, "wb") as file:
        file.write(pem)
    return path


class ServerSession:
    """The server's end of one TLS session, sans-IO.

    Call :meth:`receive` with what arrived, :meth:`send` with what is to go, and after each write :meth:`take` to
    the socket. ``receive`` raises :class:`ssl.SSLError` when the session is broken; ``take`` then holds the alert.
    """

    __slots__ = ("_incoming", "_is_open", "_object", "_outgoing", "has_ended")

    def __init__(self, context: ssl.SSLContext) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_open = False
        self.has_ended = False  # the far end said close_notify

    def receive(self, data: bytes) -> bytes:
        """Take ciphertext; return the plaintext that is complete with it."""
        self._incoming.write(data)
        try:
            if not self._is_open:
                self._object.do_handshake()
                self._is_open = True
            return self._read()
        except ssl.SSLWantReadError:
            return b""

    def send(self, plaintext: bytes) -> None:
        """Encrypt ``plaintext``."""
        self._object.write(plaintext)

    def close(self) -> None:
        """Say close_notify, if there is a session to close."""
        if self._is_open:
            # It would wait for the far end's own close_notify; we do not.
            with contextlib.suppress(ssl.SSLError):
                self._object.unwrap()

    def take(self) -> bytes:
        """What is to go to the socket now."""
        return self._outgoing.read()

    def _read(self) -> bytes:
        chunks = []
        # Asking once more than there is costs an exception: half of what a small read costs at all.
        while self._incoming.pending or self._object.pending():
            try:
                chunk = self._object.read(65_536)
            except ssl.SSLWantReadError:
                break
            if not chunk:  # close_notify
                self.has_ended = True
                break
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
