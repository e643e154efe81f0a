"""A client of the standard library alone (sockets, ssl, http.client): the sandbox is not judged with itself."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, cast
from urllib.parse import urlencode

from smswire.sandbox import Sandbox

KEY = "sandbox-key"
NUMBER = "491716992343"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
TIMEOUT_S = 30.0  # no test waits for it: it turns a hang into a failure


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == JSON
        return json.loads(self.body)

    @property
    def text(self) -> str:
        assert self.headers["Content-Type"].startswith("text/plain")
        return self.body.decode()

    @property
    def closes(self) -> bool:
        return self.headers["Connection"] == "close"


class Stream:
    """What ``HTTPResponse`` takes for a socket: one reader for all answers, so that none is lost in a buffer."""

    def __init__(self, source: socket.socket) -> None:
        self._reader = source.makefile("rb")

    def makefile(self, mode: str) -> Stream:
        return self

    def close(self) -> None:
        """An answer that is read must not close the connection."""

    def end(self) -> None:
        self._reader.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)


class Raw:
    """One connection to a sandbox; what to send is up to the test, byte for byte."""

    def __init__(self, sandbox: Sandbox, listener: str = "plain", source: str = "127.0.0.1") -> None:
        port = {"plain": sandbox.plain_port, "tls": sandbox.port, "inspection": sandbox.inspection_port}[listener]
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S, source_address=(source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if listener == "tls":
            try:
                context = ssl.create_default_context(cafile=sandbox.ca_file)
                self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
            except BaseException:
                self.socket.close()
                raise

        self.stream = Stream(self.socket)

    def __enter__(self) -> Raw:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.stream.end()
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def end_sending(self) -> None:
        """End this side of the stream; over TLS without a word to the session, so that it can still be read."""
        socket.socket.shutdown(self.socket, socket.SHUT_WR)

    def read(self, method: str = "POST") -> Answer:
        response = http.client.HTTPResponse(cast("socket.socket", self.stream), method=method)
        response.begin()
        body = response.read()
        return Answer(response.status, response.headers, body)

    def read_to_end(self) -> bytes:
        """Everything up to the end of the stream; a reset counts as one."""
        found = b""
        try:
            while data := self.stream.read1(65_536):
                found += data
        except ConnectionResetError:
            pass
        return found

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Ask something again and again until ``condition`` holds, so that the server is never waited for in time."""
        while not condition():
            self.call("GET", "/summary")

    @property
    def is_at_end(self) -> bool:
        return self.read_to_end() == b""

    def call(
        self,
        method: str = "POST",
        target: str = "/api/sms",
        body: bytes = b"",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        self.send(request(method, target, body, headers))
        return self.read(method)

    def sms(self, accept: str = JSON, **parameters: Any) -> Answer:
        """A form with a key in its header; ``to`` and ``text`` have defaults, ``sender`` is ``from``."""
        fields = {"to": NUMBER, "text": "Hallo"} | parameters
        if "sender" in fields:
            fields["from"] = fields.pop("sender")
        body = urlencode({name: value for name, value in fields.items() if value is not None}).encode()
        headers = {"Content-Type": FORM, "Accept": accept, "Authorization": f"basic {KEY}"}
        return self.call(body=body, headers=headers)


def request(method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
