"""TLS over memory buffers, with a count of what left.

`Session` puts plaintext in and takes ciphertext out, by `ssl.SSLObject` over two `ssl.MemoryBIO`: the bytes go through
our hands, so they can be counted, which a TLS socket does not allow.

**The count.** Plaintext is written at most 16,384 bytes at a time, so that each write makes one application record, and
makes it last: a KeyUpdate or another handshake record may come before it. The end of what a write made is its *mark*:
once the kernel has taken the bytes up to there, the record is whole, and its plaintext is `Session.handed`. A record
that the kernel took in part cannot be decrypted: it says nothing to the far end and counts as not sent. What is left of
it must then never leave, or the count would be wrong; and nothing may follow it, since records are numbered.

**The end.** close_notify is the far end's word that there is no more (`Session.has_ended`); a connection that ends
without it may have been cut by anyone (RFC 8446 6.1). Which of the two it was, Python's TLS sockets do not say.

Trust, versions and ALPN are the context's, which is built elsewhere and never changed here.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Final, NamedTuple

from ..errors import CertificateError, ConfigurationError, SmswireError, TLSError

RECORD_BYTES: Final = 16_384
"""The most plaintext one record carries (RFC 8446 5.1)."""


class TLS(NamedTuple):
    """What a channel needs to know to speak TLS. Many channels may share one."""

    context: ssl.SSLContext
    """Used as it is."""
    server_hostname: str
    """The name, or the IP address without brackets, that the certificate must hold; a dot at its end is left out.
    It is sent as SNI unless it is an address (RFC 6066 3)."""


class Session:
    """One TLS connection of a client. It starts its handshake when it is made.

    ``receive`` takes ciphertext and gives plaintext, ``write`` takes plaintext, ``bytes_to_send`` gives ciphertext, to
    be acknowledged by ``handed_over``.

    Attributes:
        is_established (bool): the handshake is done, the certificate verified.
        has_ended (bool): the far end's close_notify has come.
        handed (int): plaintext written since ``start``, as far as its records were taken whole.

    Raises:
        ConfigurationError: the context cannot be used with this name.
        TLSError: the context allows no handshake at all.
    """

    __slots__ = (
        "_has_last_word", "_host", "_incoming", "_is_closed", "_made", "_marks", "_object", "_out", "_outgoing",
        "_taken", "_written", "failure", "handed", "has_ended", "is_established",
    )  # fmt: skip

    def __init__(self, tls: TLS, host: str) -> None:
        self._host = host
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._out = b""
        self._made = 0  # ciphertext made in all: the index behind the last byte of _out
        self._taken = 0  # of which the kernel has taken
        self._marks: list[tuple[int, int]] = []  # (ciphertext made, plaintext written) after each record
        self._written = 0
        self._has_last_word = self._is_closed = False
        self.handed = 0
        self.is_established = False
        self.has_ended = False
        self.failure: SmswireError | None = None
        try:
            # As bytes: of a str CPython would make IDNA, and this is no place to decide on that.
            name = tls.server_hostname.removesuffix(".").encode("ascii")
            self._object = tls.context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        except (ValueError, TypeError, ssl.SSLError):
            # No name (TypeError for a NUL in it), a name longer than SNI may be, a context for servers.
            raise ConfigurationError("TLS cannot be used with this context and host name", host=host) from None
        self._shake_hands()
        if self.failure is not None:
            raise self.failure

    def receive(self, data: bytes) -> bytes:
        """Takes ciphertext; gives the plaintext in it.

        Should the session break, `failure` holds the reason: what came before is still good.
        """
        if self.has_ended:
            return b""
        self._incoming.write(data)
        if not self.is_established and not self._shake_hands():
            return b""
        plain: list[bytes] = []
        # Looking at what is pending spares an exception for "want read"; OpenSSL reads no further than it must.
        while self._incoming.pending or self._object.pending():
            try:
                piece = self._object.read(RECORD_BYTES)
            except ssl.SSLWantReadError:
                # After a session ticket OpenSSL keeps 16 KB for handshakes until something is written, if only nothing.
                with contextlib.suppress(ssl.SSLError):
                    self._object.write(b"")
                break
            except ssl.SSLZeroReturnError:
                piece = b""
            except ssl.SSLError as error:
                self._fail(error)
                break
            if not piece:
                self.has_ended = True
                break
            plain.append(piece)
        self._collect()
        return plain[0] if len(plain) == 1 else b"".join(plain)

    def start(self) -> None:
        """Starts to count anew; all that was written must have been taken."""
        self.handed = self._written = 0

    def write(self, data: bytes) -> None:
        """Encrypts ``data``, a record at a time.

        Raises:
            TLSError: the session cannot carry it.
        """
        try:
            if len(data) <= RECORD_BYTES:
                self._write_record(data)
            else:
                view = memoryview(data)
                for start in range(0, len(data), RECORD_BYTES):
                    self._write_record(view[start : start + RECORD_BYTES])
            self._collect()
        except ssl.SSLError as error:
            self._fail(error)
            assert self.failure is not None
            raise self.failure from None

    def _write_record(self, data: bytes | memoryview) -> None:
        # Counted first: an interrupt right behind the write must not leave a record that bytes_to_close would send.
        self._written += len(data)
        self._object.write(data)
        self._marks.append((self._made + self._outgoing.pending, self._written))

    def bytes_to_send(self) -> bytes | memoryview:
        """Ciphertext the kernel has not taken yet."""
        start = len(self._out) - (self._made - self._taken)
        return memoryview(self._out)[start:] if start else self._out

    def handed_over(self, count: int) -> bool:
        """The kernel has taken ``count`` bytes of `bytes_to_send`. Whether that was all of them."""
        if not 0 <= count <= self._made - self._taken:
            raise ValueError("more was handed over than there was to send")
        self._taken += count
        marks = self._marks
        if self._taken == self._made:
            if marks:
                self.handed = marks[-1][1]
                marks.clear()
            self._out = b""
            return True
        while marks and marks[0][0] <= self._taken:
            self.handed = marks.pop(0)[1]
        return False

    def bytes_to_close(self) -> bytes:
        """What may still be sent before the connection is closed: close_notify, or the alert that OpenSSL left.

        Nothing while a record of a request is not wholly taken. OpenSSL's memory is given back here, and not when the
        cycle collector finds the connection: after that there is nothing but the attributes to ask for.
        """
        if not self._is_closed:
            self._say_goodbye()
            self._is_closed = True
            del self._object, self._incoming, self._outgoing
        return bytes(self.bytes_to_send()) if self._has_last_word else b""

    def _say_goodbye(self) -> None:
        if self.handed < self._written:
            return
        self._has_last_word = self.is_established or self.failure is not None
        if self.failure is None and self.is_established:
            # It wants the far end's close_notify, which nobody needs. A caller's own SSLObject may fail in any way:
            # then there is no last word, but the connection must be closed all the same.
            with contextlib.suppress(Exception):
                self._object.unwrap()
            self._collect()

    def _shake_hands(self) -> bool:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._collect()
            return False
        except ssl.SSLError as error:
            self._fail(error)
            return False
        self._collect()
        protocol = self._object.selected_alpn_protocol()
        if protocol not in (None, "http/1.1"):
            self.failure = TLSError("the server chose a protocol other than HTTP/1.1", permanent=True, host=self._host)
            return False
        self.is_established = True
        return True

    def _collect(self) -> None:
        if self._outgoing.pending:
            made = self._outgoing.read()
            self._made += len(made)
            self._out = self._out + made if self._out else made

    def _fail(self, error: ssl.SSLError) -> None:
        self._collect()
        self.failure = _in_words(error, self._host)


def _in_words(error: ssl.SSLError, host: str) -> SmswireError:
    """OpenSSL's error as one of ours. Its texts name rules, versions and our host name, never bytes of the stream."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the certificate is not trusted: {error.verify_message}"
        return CertificateError(what, permanent=True, host=host, advice="check the host, or whom to trust (trust)")
    reason = (error.reason or "unknown").replace("_", " ").lower()
    advice = "check that the port speaks TLS" if reason == "wrong version number" else None
    return TLSError(f"the TLS session failed: {reason}", host=host, advice=advice)
