"""The server's end of a TLS session, sans-IO, against the standard library's client."""

from __future__ import annotations

import contextlib
import ssl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.tls import ServerSession, authority

CONTEXT, PEM = authority(["gateway.example"])


class Client:
    def __init__(self) -> None:
        context = ssl.create_default_context(cadata=PEM.decode())
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self.incoming, self.outgoing, server_hostname="gateway.example")


def connected() -> tuple[Client, ServerSession]:
    client, server = Client(), ServerSession(CONTEXT)
    while True:
        with contextlib.suppress(ssl.SSLWantReadError):
            client.object.do_handshake()
            server.receive(client.outgoing.read())
            client.incoming.write(server.take())
            return client, server
        assert server.receive(client.outgoing.read()) == b""
        client.incoming.write(server.take())


@given(texts=st.lists(st.binary(min_size=1, max_size=40), max_size=4), cuts=st.lists(st.integers(1, 30), max_size=20))
def test_plaintext_is_the_same_however_the_ciphertext_is_cut(texts: list[bytes], cuts: list[int]) -> None:
    """Records whole, in pieces or several at once; the end is seen after all of it."""
    client, server = connected()
    for text in texts:
        client.object.write(text)
    with contextlib.suppress(ssl.SSLWantReadError):
        client.object.unwrap()
    data = client.outgoing.read()
    found = b""
    for cut in cuts:
        found += server.receive(data[:cut])
        data = data[cut:]
    found += server.receive(data)
    assert (found, server.has_ended) == (b"".join(texts), True)


def test_what_the_server_says_is_read_by_the_client_and_its_farewell_too() -> None:
    """Also more than one record holds."""
    client, server = connected()
    text = b"x" * 100_000
    server.send(text)
    server.close()
    client.incoming.write(server.take())
    found = b""
    while data := client.object.read(65_536):
        found += data
    assert found == text


def test_a_broken_session_raises_and_holds_the_alert() -> None:
    """Before the handshake and after it; nothing more is said by close."""
    server = ServerSession(CONTEXT)
    with pytest.raises(ssl.SSLError):
        server.receive(b"GET / HTTP/1.1\r\n\r\n")
    server.close()
    client, server = connected()
    with pytest.raises(ssl.SSLError):
        server.receive(b"\x17\x03\x03\x00\x20" + b"x" * 32)
    client.incoming.write(server.take())
    with pytest.raises(ssl.SSLError, match=r"(?i)alert"):
        client.object.read(1)
