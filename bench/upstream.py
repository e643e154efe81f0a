"""``python -m bench.upstream PORT``: the same answer, late by what the path says: ``/delay/20/api/sms``.

A server behind nginx for one thing only, in the clear and of requests in one piece. Lateness is what it is for, so it
sleeps to the microsecond (``select``; ``epoll`` alone knows milliseconds) and owns no layer that would add to it.
"""

from __future__ import annotations

import heapq
import select
import socket
import sys
import time

from .job import HOST

_BODY = (
    b'{"success":"100","total_price":0.075,"balance":1763.425,"debug":"false","sms_type":"direct","messages":[{"id":'
    b'"77229135982","sender":"smswire","recipient":"491716992343","text":"Your appointment is on Tuesday.","encoding":'
    b'"gsm","label":null,"parts":1,"udh":null,"is_binary":false,"price":0.075,"success":true,"error":null,'
    b'"error_text":null}]}'
)
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(_BODY), _BODY)


def delay_of(head: bytes) -> float:
    """Seconds, from the request's first line.

    >>> delay_of(b"POST /delay/20/api/sms HTTP/1.1")
    0.02
    """
    return int(head.split(b" ", 2)[1].split(b"/")[2]) / 1000


def lacks(request: bytes) -> bool:
    """Whether more of the request is to come."""
    head, end, body = request.partition(b"\r\n\r\n")
    if not end:
        return True
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) < int(length.partition(b":")[2])


class Upstream:
    """Answers late, in one thread."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server((HOST, port), backlog=4096)
        self._listener.setblocking(False)
        self._epoll = select.epoll()
        self._epoll.register(self._listener, select.EPOLLIN)
        self._connections: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._due: list[tuple[float, int]] = []

    def run(self) -> None:
        while True:
            until = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            select.select([self._epoll], [], [], until)
            for fd, _ in self._epoll.poll(0):
                if fd == self._listener.fileno():
                    self._accept()
                else:
                    self._receive(fd)
            now = time.monotonic()
            while self._due and self._due[0][0] <= now:
                connection = self._connections.get(heapq.heappop(self._due)[1])
                if connection is not None:
                    connection.send(ANSWER)

    def _accept(self) -> None:
        connection, _ = self._listener.accept()
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections[connection.fileno()] = connection
        self._epoll.register(connection, select.EPOLLIN)

    def _receive(self, fd: int) -> None:
        now = time.monotonic()
        try:
            data = self._connections[fd].recv(65_536)
        except OSError:
            data = b""
        if not data:
            self._connections.pop(fd).close()
            self._parts.pop(fd, None)
            self._due = [due for due in self._due if due[1] != fd]
            heapq.heapify(self._due)
            return
        request = self._parts.pop(fd, b"") + data
        if lacks(request):
            self._parts[fd] = request
        else:
            heapq.heappush(self._due, (now + delay_of(request), fd))


if __name__ == "__main__":
    Upstream(int(sys.argv[1])).run()
