"""A server whose every byte is scripted by the test: threads, sockets, and ``ssl`` where it speaks TLS."""

from __future__ import annotations

import contextlib
import errno
import queue
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator

WITHIN_S = 20.0  # no test waits for it: it turns a hang into a failure
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n100"


class Peer:
    """The server's end of one connection; ``number`` counts from 1."""

    def __init__(self, server: RawServer, accepted: socket.socket, number: int) -> None:
        self.server = server
        self.socket = accepted
        self.number = number
        self._left = b""

    def read_some(self) -> bytes:
        """What comes next; b"" at the end, however that came."""
        try:
            return self.socket.recv(65_536)
        except (ConnectionError, ssl.SSLError):
            return b""

    def read_request(self) -> bytes | None:
        """One whole request by its ``Content-Length``; None at the end of the stream. The server notes it."""
        data = self._left
        while (length := request_length(data)) is None or len(data) < length:
            more = self.read_some()
            if not more:
                return None
            data += more
        request, self._left = data[:length], data[length:]
        self.server.requests.append(request)
        self.server.seen.put(request)
        return request

    def send(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            self.socket.sendall(data)

    def send_raw(self, data: bytes) -> None:
        """Below TLS."""
        with contextlib.suppress(ConnectionError):
            socket.socket.sendall(self.socket, data)

    def answer_all(self, answer: bytes = OK) -> None:
        while self.read_request() is not None:
            self.send(answer)

    def read_to_end(self) -> bytes:
        found = self._left
        while data := self.read_some():
            found += data
        return found

    def finish(self) -> None:
        """FIN, over TLS without close_notify."""
        self.socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()


Handler = Callable[[Peer], None]


def answering(peer: Peer) -> None:
    """Answers every request with 200."""
    peer.answer_all()


class RawServer:
    """Runs ``handler`` for each connection, in a thread of its own; what it raises, ``close`` raises again.

    Attributes:
        requests: every whole request, in the order of arrival; ``seen`` is the same as a queue to wait on.
        accepted: how many connections there were.
    """

    def __init__(
        self,
        handler: Handler = answering,
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        receive_buffer: int | None = None,
    ) -> None:
        self.handler = handler
        self.requests: list[bytes] = []
        self.seen: queue.Queue[bytes] = queue.Queue()
        self.accepted = 0
        self._tls = tls
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.socket(family)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind((host, port))
        self._listener.listen(512)
        self.host, self.port = self._listener.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.origin = f"{'http' if tls is None else 'https'}://{shown}:{self.port}"
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._errors: list[BaseException] = []
        self._ended = False
        self._start(self._accept)

    def __enter__(self) -> RawServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the listener, every connection and every thread."""
        self.stop_listening()
        self.end_connections()
        for thread in self._threads:
            thread.join(WITHIN_S)
            assert not thread.is_alive(), "a script of the server hangs"
        if self._errors:
            raise self._errors[0]

    def stop_listening(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join(WITHIN_S)
        self._listener.close()

    def end_connections(self) -> None:
        with self._lock:
            for accepted in self._open:
                with contextlib.suppress(OSError):
                    accepted.shutdown(socket.SHUT_RDWR)

    def next_request(self) -> bytes:
        """Waits for the next request that has arrived whole."""
        return self.seen.get(timeout=WITHIN_S)

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError as error:
                if error.errno == errno.EMFILE:
                    continue  # a test has taken all descriptors, and will give them back
                return
            if self._ended:
                accepted.close()
                return
            with self._lock:
                self._open.add(accepted)
                self.accepted += 1
                number = self.accepted
            self._start(self._serve, accepted, number)

    def _serve(self, accepted: socket.socket, number: int) -> None:
        stream = accepted
        try:
            if self._tls is not None:
                with contextlib.suppress(OSError):
                    accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                stream = self._wrap(accepted)
            self.handler(Peer(self, stream, number))
        except (ssl.SSLError, ConnectionError):
            pass  # a handshake that the client broke off
        except BaseException as error:  # noqa: BLE001 - raised again by close
            if not self._ended:
                self._errors.append(error)
        finally:
            with self._lock:
                self._open.discard(accepted)
                self._open.discard(stream)
            stream.close()
            accepted.close()

    def _wrap(self, accepted: socket.socket) -> socket.socket:
        assert self._tls is not None
        stream = self._tls.wrap_socket(accepted, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.discard(accepted)
            self._open.add(stream)
        try:
            stream.do_handshake()
        except BaseException:
            with self._lock:
                self._open.discard(stream)
            stream.close()
            raise
        return stream


def request_length(data: bytes) -> int | None:
    """Bytes of the first request in ``data``, once its head is there."""
    head, end, _ = data.partition(b"\r\n\r\n")
    if not end:
        return None
    fields = [line.lower() for line in head.split(b"\r\n")]
    length = next((int(line[15:]) for line in fields if line.startswith(b"content-length:")), 0)
    return len(head) + len(end) + length


@contextlib.contextmanager
def black_hole(host: str, port: int = 0) -> Iterator[int]:
    """A listener whose backlog is full: SYNs to it are dropped, as by a host that is gone. Gives its port."""
    with contextlib.ExitStack() as opened:
        listener = opened.enter_context(socket.socket())
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(0)
        place = listener.getsockname()
        # A backlog of 0 takes one; what is in the queue or under way beyond that is never answered.
        for _ in range(3):
            filling = opened.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(place)
        yield place[1]
