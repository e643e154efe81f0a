"""Faults that take more than one call: shared lookups, shared trust, and ends that nobody waits for."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from smswire import Sent, errors

from ..net.raw import WITHIN_S, Peer
from ..net.test_queue import Caller
from .table import CASES, ELSEWHERE


def test_a_call_that_ends_leaves_the_lookup_to_the_others(serve, make_client, lane):
    """Its deadline is its own (16): who waits for the same name is told when the name server answers."""
    over = threading.Event()
    server = serve(tls=True)

    def resolve(host: str) -> list[str]:
        over.wait(WITHIN_S)
        return ["127.0.0.1"]

    client = make_client(server.origin.replace("127.0.0.1", "localhost"), resolve=resolve, lane=lane)
    patient = Caller(client)
    with pytest.raises(errors.Timeout) as raised:
        client.request("POST", "/hasty", timeout=0.2)
    assert raised.value.sent is Sent.NO
    over.set()
    patient.join()
    assert patient.status == 200
    assert len(server.requests) == 1


def test_fifty_threads_may_want_the_trust_at_once(serve, make_client, lane):
    """It is loaded once, or more than once, but never half (47)."""
    server = serve(tls=True)
    client = make_client(server, lane=lane)
    callers = [Caller(client) for _ in range(50)]
    for caller in callers:
        caller.join()
    assert [caller.status for caller in callers] == [200] * 50
    assert len(server.requests) == 50


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_a_close_waits_for_nobody(serve, make_client, lane, tls):
    """A server that reads nothing and ends nothing keeps neither the client nor its descriptors (54)."""
    over = threading.Event()

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n100")
        over.wait(WITHIN_S)

    client = make_client(serve(handler, tls=tls), lane=lane)
    assert client.request("POST", "/").status == 200
    client.close(drain=0.0)
    assert client.stats().open == 0
    over.set()


def test_every_fault_of_the_list_is_a_row_or_has_its_reason():
    """What stands elsewhere stands there: the folders and files that the reasons name exist."""
    numbers = {number for case in CASES for number in case.numbers}
    assert numbers.isdisjoint(ELSEWHERE)
    root = Path(__file__).parents[2]
    for reason in ELSEWHERE.values():
        for path in re.findall(r"tests/[\w/.]*\w", reason):
            assert (root / path).exists(), path
