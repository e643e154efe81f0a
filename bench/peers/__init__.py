"""Who is measured. A family of clients is one file; a client is a function in it that needs no other.

A client is one of three kinds, by what its function, a context manager, hands out:

- ``blocking``: ``send(fields)``. Driven in a loop, or by as many threads as calls are to be under way at once.
- ``asyncio``: ``await send(fields)``. Driven by as many tasks.
- ``own``: ``run(list of fields)``, which does it all: clients with an event loop of their own.

Nothing is imported before a client is chosen: not in the process that measures, nor, of the others, in the client's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Literal

from ..job import NotThereYet, Task
from .drivers import Driver, asyncio_driver, blocking_driver, own_driver

__all__ = ["PEERS", "Driver", "Peer", "of_mode"]

Kind = Literal["blocking", "asyncio", "own"]
SEQUENTIAL, THREADS, MANY, BULK, PACED = "sequential", "50 threads", "50-way", "bulk", "paced"
_DRIVERS: dict[str, Callable[..., AbstractContextManager[Driver]]] = {
    "blocking": blocking_driver,
    "asyncio": asyncio_driver,
    "own": own_driver,
}


@dataclass(frozen=True)
class Peer:
    """A client in one mode.

    Attributes:
        name: in tables and files.
        mode: ``sequential``, ``50 threads``, ``50-way``, ``bulk`` or ``paced``.
        kind: what its function hands out.
        where: ``module:function`` below ``bench.peers``.
        package: the distribution whose version is told, and whose absence is said.
        lane: of ours: ``auto`` or ``h11``; empty for others.
    """

    name: str
    mode: str
    kind: Kind
    where: str
    package: str = ""
    lane: str = ""

    @property
    def is_ours(self) -> bool:
        return bool(self.lane)

    @contextmanager
    def driver(self, task: Task) -> Iterator[Driver]:
        """The client, open, in this process.

        Raises:
            NotThereYet: what is to be imported is not there.
        """
        module, _, function = self.where.partition(":")
        try:
            client = getattr(import_module(f".{module}", __name__), function)
        except ImportError as error:
            raise NotThereYet(f"not installed here: {self.package} ({error})") from error
        with _DRIVERS[self.kind](client, task, self.lane or None) as driver:
            yield driver


def _ours(mode: str, kind: Kind, function: str) -> list[Peer]:
    return [Peer("smswire", mode, kind, f"ours:{function}", "smswire", lane) for lane in ("auto", "h11")]


_ALL = [
    *_ours(SEQUENTIAL, "blocking", "gateway"),
    Peer("floor: MemoryBIO", SEQUENTIAL, "own", "floors:blocking"),
    Peer("http.client", SEQUENTIAL, "blocking", "stdlib:http_client"),
    Peer("pycurl", SEQUENTIAL, "blocking", "curl:easy", "pycurl"),
    Peer("pyreqwest", SEQUENTIAL, "blocking", "rust:pyreqwest_blocking", "pyreqwest"),
    Peer("wreq", SEQUENTIAL, "blocking", "rust:wreq_blocking", "wreq"),
    Peer("urllib3", SEQUENTIAL, "blocking", "urllib3s:pool", "urllib3"),
    Peer("requests", SEQUENTIAL, "blocking", "urllib3s:session", "requests"),
    Peer("httpx", SEQUENTIAL, "blocking", "httpxs:blocking", "httpx"),
    *_ours(THREADS, "blocking", "gateway"),
    Peer("http.client", THREADS, "blocking", "stdlib:http_client"),
    Peer("urllib3", THREADS, "blocking", "urllib3s:pool", "urllib3"),
    *_ours(MANY, "asyncio", "async_gateway"),
    Peer("floor: asyncio", MANY, "own", "floors:asyncio_readers"),
    Peer("floor: epoll", MANY, "own", "floors:epoll"),
    Peer("pycurl CurlMulti", MANY, "own", "curl:multi", "pycurl"),
    Peer("pycurl AsyncCurlMulti", MANY, "asyncio", "curl:asyncio_multi", "pycurl"),
    Peer("pyreqwest", MANY, "asyncio", "rust:pyreqwest_asyncio", "pyreqwest"),
    Peer("wreq", MANY, "asyncio", "rust:wreq_asyncio", "wreq"),
    Peer("aiohttp", MANY, "asyncio", "aiohttps:session", "aiohttp"),
    Peer("httpx", MANY, "asyncio", "httpxs:asyncio_client", "httpx"),
    Peer("smswire", BULK, "own", "ours:bulk", "smswire", "auto"),
    Peer("smswire", BULK, "own", "ours:bulk", "smswire", "h11"),
    Peer("smswire, asyncio", BULK, "own", "ours:async_bulk", "smswire", "auto"),
    Peer("smswire, asyncio", BULK, "own", "ours:async_bulk", "smswire", "h11"),
    Peer("smswire", PACED, "blocking", "paced:blocking", "smswire"),
    Peer("smswire, asyncio", PACED, "asyncio", "paced:asyncio_client", "smswire"),
    Peer("aiolimiter", PACED, "asyncio", "paced:aiolimiter", "aiolimiter"),
    Peer("pyrate-limiter", PACED, "asyncio", "paced:pyrate_limiter", "pyrate-limiter"),
    Peer("token bucket", PACED, "asyncio", "paced:token_bucket"),
]

PEERS: dict[str, Peer] = {" ".join(filter(None, (each.mode, each.name, each.lane))): each for each in _ALL}
"""By a key of their own, such as ``50-way smswire auto``."""


def of_mode(mode: str) -> dict[str, Peer]:
    return {key: peer for key, peer in PEERS.items() if peer.mode == mode}
