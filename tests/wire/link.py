"""A channel with its far end, plain or over TLS, so that one test can say the same of both."""

from __future__ import annotations

from smswire.wire import Request

from .feeding import HOST as PLAIN_HOST
from .lanes import new_channel
from .peer import Peer, connected, take

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n100"
REQUEST = Request("POST", "/api/sms", body=b"text=hi")


class Link:
    """A channel and its far end: what the far end can read is `read`, and what it says comes from `say`."""

    def __init__(self, *, secure: bool) -> None:
        self.peer: Peer | None = None
        self._read = b""
        if secure:
            self.channel, self.peer = connected()
        else:
            self.channel = new_channel(PLAIN_HOST)

    @property
    def read(self) -> bytes:
        return self._read if self.peer is None else self.peer.plain

    def take(self, count: int | None = None) -> None:
        if self.peer is not None:
            take(self.channel, self.peer, count)
        else:
            data = bytes(self.channel.bytes_to_send()[:count])
            self.channel.handed_over(len(data))
            self._read += data

    def say(self, plaintext: bytes) -> bytes:
        return plaintext if self.peer is None else self.peer.say(plaintext)

    def hear(self, plaintext: bytes) -> None:
        self.channel.receive_data(self.say(plaintext))
