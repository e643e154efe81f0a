"""urllib3, and requests on top of it.

urllib3: the pool of one host, which spares it the look-up of the pool; as many connections as allowed, and waiting for
one (``block``). requests: a session, with no look at the environment for proxies and passwords (``trust_env``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from ..job import HEADERS, HOST, Fields, Task, encode, read


@contextmanager
def pool(task: Task) -> Iterator[Callable[[Fields], Any]]:
    import urllib3

    path = task.path
    with urllib3.HTTPSConnectionPool(
        HOST, task.port, maxsize=task.connections, block=True, retries=False, ssl_context=task.context()
    ) as hosts_pool:

        def send(fields: Fields) -> Any:
            response = hosts_pool.urlopen("POST", path, body=encode(fields), headers=HEADERS)
            return read(response.status, response.data)

        yield send


@contextmanager
def session(task: Task) -> Iterator[Callable[[Fields], Any]]:
    import requests

    with requests.Session() as open_session:
        open_session.trust_env = False
        open_session.verify = task.ca_file
        open_session.headers.update(HEADERS)
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=task.connections, pool_block=True)
        open_session.mount(task.origin, adapter)
        url = task.url

        def send(fields: Fields) -> Any:
            response = open_session.post(url, data=encode(fields), allow_redirects=False)
            return read(response.status_code, response.content)

        yield send
