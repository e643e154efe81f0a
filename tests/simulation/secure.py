"""TLS at the gateway, by the standard library: what lies between a simulated connection and a gateway's session.

The key is RSA, whose signatures are all of one length: else the cuts of the network, and so the world, would differ
from run to run.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from random import Random

import trustme

from smswire.wire.tls import TLS

from .gateway import Door
from .journal import Fault
from .network import Far, Listener

NAME = "gateway.example"


@cache
def server_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert(NAME, key_type=trustme.KeyType.RSA).configure_cert(context)
    return context


@cache
def client_tls() -> TLS:
    context = ssl.create_default_context()
    _authority().configure_trust(context)
    return TLS(context, NAME)


@cache
def _authority() -> trustme.CA:
    return trustme.CA(key_type=trustme.KeyType.RSA)


class Secure:
    """Ciphertext on the network's side, plaintext on the session's."""

    def __init__(self, far: Far, random: Random, accept: Callable[[Door], Listener]) -> None:
        self._far = far
        self._random = random
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = server_context().wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._is_established = self._is_over = False
        self._session = accept(self)

    def __str__(self) -> str:
        return str(self._far)

    @property
    def stage(self) -> Fault:
        return self._session.stage

    # What the session does

    def send(self, data: bytes) -> bool:
        if not self._is_established or not data:
            return False
        self._object.write(data)
        return self._far.send(self._outgoing.read())

    def close(self) -> None:
        self._is_over = True
        if self._is_established and self._random.random() < 0.5:
            try:
                self._object.unwrap()
            except ssl.SSLError:
                # The other side's close_notify is not waited for.
                self._far.send(self._outgoing.read())
        self._far.close()

    def reset(self) -> None:
        self._is_over = True
        self._far.reset()

    # What the network brings

    def receive(self, data: bytes) -> None:
        self._incoming.write(data)
        try:
            if not self._is_established:
                self._object.do_handshake()
                self._is_established = True
                self._far.send(self._outgoing.read())
            while not self._is_over:
                plain = self._object.read(65_536)
                if not plain:
                    self._session.end()
                    return
                self._session.receive(plain)
        except ssl.SSLWantReadError:
            self._far.send(self._outgoing.read())
        except ssl.SSLError:
            self.close()
            self._session.lose()

    def end(self) -> None:
        self._session.end()

    def lose(self) -> None:
        self._session.lose()
