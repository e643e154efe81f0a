"""Names and addresses that lead nowhere, or not at once."""

from __future__ import annotations

import resource
import socket
import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..net.raw import WITHIN_S, black_hole
from .case import Case, Peer, Place, Sent, Stage, errors


def named(origin: str) -> str:
    return origin.replace("127.0.0.1", "localhost").replace("127.0.0.3", "localhost")


def resolving(resolve: Callable[[str], Any]) -> Callable[[Stage], Place]:
    """A server that is well, behind a name."""

    def place(stage: Stage) -> Place:
        server = stage.serve(tls=True)
        return Place(server, stage.make_client(named(server.origin), resolve=resolve))

    return place


def failing(error: Exception, times: int | None = None) -> Callable[[Stage], Place]:
    """Lookups fail, for good or so many times."""
    failures: list[None] = []

    def resolve(host: str) -> list[str]:
        if times is None or len(failures) < times:
            failures.append(None)
            raise error
        return ["127.0.0.1"]

    def place(stage: Stage) -> Place:
        failures.clear()
        return resolving(resolve)(stage)

    return place


def hanging(stage: Stage) -> Place:
    """A lookup that returns only when the row is over."""
    over = threading.Event()
    stage.ends.callback(over.set)

    def resolve(host: str) -> list[str]:
        over.wait(WITHIN_S)
        return ["127.0.0.1"]

    return resolving(resolve)(stage)


def refusing(stage: Stage) -> Place:
    server = stage.serve(tls=True)
    server.stop_listening()
    return Place(server, stage.make_client(server.origin))


def addresses(*kinds: str, **settings: Any) -> Callable[[Stage], Place]:
    """Addresses of one name, each ``well``, ``dead`` (refuses), ``hole`` (swallows) or ``hung`` (says nothing)."""

    def place(stage: Stage) -> Place:
        hosts = [f"127.0.0.{number}" for number in range(2, 2 + len(kinds))]
        well = [stage.serve(tls=True, host=host) for host, kind in zip(hosts, kinds, strict=True) if kind == "well"]
        port = well[0].port if well else 0
        for host, kind in zip(hosts, kinds, strict=True):
            if kind == "hole":
                port = stage.ends.enter_context(black_hole(host, port))
            elif kind == "hung":
                port = stage.serve(lambda peer: peer.read_to_end(), host=host, port=port).port
        if not port:  # nobody listens there
            spare = stage.serve()
            port = spare.port
            spare.stop_listening()
        client = stage.make_client(f"https://localhost:{port}", resolve=lambda host: hosts, **settings)
        return Place(well[0] if well else None, client)

    return place


def moving(stage: Stage) -> Place:
    """The name means another server for every lookup, and the first one ends its connections."""
    first = stage.serve(tls=True, host="127.0.0.2")
    second = stage.serve(tls=True, host="127.0.0.3", port=first.port)
    answers = iter(["127.0.0.2"])
    client = stage.make_client(f"https://localhost:{first.port}", resolve=lambda host: [next(answers, "127.0.0.3")])
    assert client.request("GET", "/first").status == 200
    first.stop_listening()
    first.end_connections()
    return Place(second, client)


def without_descriptors(stage: Stage) -> Place:
    """None is left for a socket, until the row is over."""
    server = stage.serve(tls=True)
    client = stage.make_client(server)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    stage.ends.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
    return Place(server, client)


def from_a_foreign_address(stage: Stage) -> Place:
    server = stage.serve(tls=True)
    return Place(server, stage.make_client(server, local_address="192.0.2.1"))


def silent(peer: Peer) -> None:
    peer.read_to_end()


def ending(peer: Peer) -> None:
    """Accepts and ends, before any byte."""
    if peer.number <= 3:
        peer.finish()


CASES: Sequence[Case] = [
    Case("nobody listens", [1], place=refusing, error=errors.ConnectError, sent=Sent.NO, attempts=3, seen=0,
         says="Connection refused", goes_on=False),
    Case("SYNs are swallowed", [2], place=addresses("hole", connect_timeout=0.1), error=errors.ConnectError,
         sent=Sent.NO, attempts=3, seen=None, says="no answer", goes_on=False),
    Case("SYNs are swallowed up to the deadline", [2], place=addresses("hole"), call={"timeout": 0.2},
         error=errors.Timeout, sent=Sent.NO, seen=None, goes_on=False, dials_on=True),
    Case("accepted, then silence", [3], silent, tls=False, client_tls=True, settings={"connect_timeout": 0.1},
         error=errors.ConnectError, sent=Sent.NO, attempts=3, seen=0, goes_on=False),
    Case("accepted, then an end", [4], ending, tls=False, client_tls=True, error=errors.NetworkError, sent=Sent.NO,
         attempts=3, seen=0, goes_on=False),
    Case("no such name", [6], place=failing(errors.ResolutionError("no such name", permanent=True)),
         error=errors.ResolutionError, sent=Sent.NO, seen=0, goes_on=False),
    Case("a name server that fails", [7], place=failing(socket.gaierror(socket.EAI_AGAIN, "try again")),
         error=errors.ResolutionError, sent=Sent.NO, attempts=3, seen=0, goes_on=False),
    Case("a name server that fails twice", [7], place=failing(socket.gaierror(socket.EAI_AGAIN, "try again"), 2),
         sent=Sent.YES, attempts=3, kept=True),
    Case("a lookup that hangs", [8], place=hanging, call={"timeout": 0.2}, error=errors.Timeout, sent=Sent.NO,
         attempts=0, seen=0, goes_on=False),
    Case("a name without addresses", [9], place=resolving(lambda host: []), error=errors.ResolutionError, sent=Sent.NO,
         attempts=3, seen=0, goes_on=False),
    Case("a name with what is no address", [9], place=resolving(lambda host: ["localhost.invalid"]),
         error=errors.ResolutionError, sent=Sent.NO, attempts=3, seen=0, goes_on=False),
    Case("the first address refuses", [10], place=addresses("dead", "well"), sent=Sent.YES, kept=True),
    Case("the first address swallows", [11], place=addresses("hole", "well"), sent=Sent.YES, kept=True),
    Case("the first address is silent", [10], place=addresses("hung", "well"), sent=Sent.YES, kept=True),
    Case("two addresses swallow, and one refuses", [11], place=addresses("hole", "dead", "hole", "well"), sent=Sent.YES,
         kept=True),
    Case("all addresses are dead", [12], place=addresses("dead", "hole", "dead", connect_timeout=0.6),
         error=errors.ConnectError, sent=Sent.NO, attempts=3, seen=None, says="127.0.0.4", goes_on=False),
    Case("the name moves", [13], place=moving, sent=Sent.YES, attempts=2, kept=True),
    Case("no descriptor left", [14], place=without_descriptors, error=errors.ConnectError, sent=Sent.NO, attempts=3,
         seen=0, says="Too many open files"),
    Case("a local address that is not there", [15], place=from_a_foreign_address, error=errors.ConnectError,
         sent=Sent.NO, attempts=3, seen=0, goes_on=False),
]  # fmt: skip
