"""The far end of a TLS connection, by the standard library over memory: it knows what a receiver can decrypt."""

from __future__ import annotations

import contextlib
import functools
import ssl
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import trustme

from smswire.wire import TLS, Channel

from .lanes import new_channel

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
VERSIONS = (TLS12, TLS13)
NAME = "gateway.example"
HOST = "gateway.example:443"


@functools.cache
def authority(number: int) -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.ECDSA)


@functools.cache
def server_context(
    version: ssl.TLSVersion = TLS13,
    *,
    names: Sequence[str] = (NAME,),
    issuer: int = 0,
    alpn: Sequence[str] = ("http/1.1",),
    tickets: int = 2,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = context.maximum_version = version
    context.num_tickets = tickets
    if alpn:
        context.set_alpn_protocols(alpn)
    certificate = authority(issuer).issue_cert(
        *names, key_type=trustme.KeyType.ECDSA, not_before=not_before, not_after=not_after
    )
    certificate.configure_cert(context)
    return context


@functools.cache
def client_context(alpn: Sequence[str] = ("http/1.1",), *, minimum: ssl.TLSVersion = TLS12) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=authority(0).cert_pem.bytes().decode())
    context.minimum_version = minimum
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(alpn)
    return context


def opening(name: str = NAME, context: ssl.SSLContext | None = None) -> Channel:
    """A channel whose ClientHello waits to be sent."""
    return new_channel(HOST, tls=TLS(context or client_context(), name))


class Peer:
    """A server's end: what it could read is `plain`, and how it ended is `has_ended` or `error`."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self.plain = b""
        self.is_open = False
        self.has_ended = False
        self.error: ssl.SSLError | None = None

    def receive(self, data: Any) -> None:
        self.incoming.write(data)
        try:
            if not self.is_open:
                self.session.do_handshake()
                self.is_open = True
            while piece := self.session.read(65_536):
                self.plain += piece
            self.has_ended = True
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError as error:
            self.error = error

    def say(self, plaintext: bytes) -> bytes:
        """The plaintext in one record, or in as many as it takes."""
        self.session.write(plaintext)
        return self.outgoing.read()

    def close(self) -> bytes:
        """close_notify."""
        with contextlib.suppress(ssl.SSLError):
            self.session.unwrap()
        return self.outgoing.read()


def take(channel: Channel, peer: Peer, count: int | None = None) -> int:
    """The kernel takes ``count`` bytes, or all; the far end gets them. Gives how many there were to send."""
    data = channel.bytes_to_send()
    there_were = len(data)
    taken = bytes(data[:count])
    channel.handed_over(len(taken))
    peer.receive(taken)
    return there_were


def shake_hands(channel: Channel, peer: Peer) -> bytes:
    """Until neither has anything to say that belongs to the handshake; gives what the server says behind it."""
    while True:
        was_open = peer.is_open
        sent = take(channel, peer)
        answer = peer.outgoing.read()
        if peer.is_open and not was_open and channel.established:
            return answer  # the tickets of TLS 1.3
        if answer:
            channel.receive_data(answer)
        elif not sent:
            return b""


def connected(
    version: ssl.TLSVersion = TLS13, server: ssl.SSLContext | None = None, *, tickets: bool = True
) -> tuple[Channel, Peer]:
    """A channel after its handshake, tickets delivered unless told otherwise, and its far end."""
    channel, peer = opening(), Peer(server or server_context(version))
    behind = shake_hands(channel, peer)
    if behind and tickets:
        assert channel.receive_data(behind) is None
    assert channel.established
    assert channel.reusable
    return channel, peer
