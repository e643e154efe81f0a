"""``http.client``: a connection a thread, kept open."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPSConnection
from typing import Any

from ..job import HEADERS, HOST, Fields, Task, encode, read


@contextmanager
def http_client(task: Task) -> Iterator[Callable[[Fields], Any]]:
    context = task.context()
    path = task.path
    connections: list[HTTPSConnection] = []
    mine = threading.local()

    def send(fields: Fields) -> Any:
        try:
            connection = mine.connection
        except AttributeError:
            connection = mine.connection = HTTPSConnection(HOST, task.port, context=context)
            connections.append(connection)
        connection.request("POST", path, encode(fields).encode("ascii"), HEADERS)
        response = connection.getresponse()
        return read(response.status, response.read())

    try:
        yield send
    finally:
        for connection in connections:
            connection.close()
