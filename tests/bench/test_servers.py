"""The servers of our own: the one that answers late, and the ones that accept late."""

from __future__ import annotations

import asyncio
import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import gate
from bench.machine import cores
from bench.peers.paced import exchange
from bench.upstream import ANSWER, delay_of, lacks
from smswire.gateway.answer import read_sms


@given(st.binary(max_size=200), st.integers(0, 60_000))
@example(b"\r\n\r\n", 20)
def test_a_request_lacks_something_until_its_last_byte(body: bytes, delay_ms: int) -> None:
    """Wherever it is cut."""
    request = b"POST /delay/%d/api/sms HTTP/1.1\r\nHost: late\r\nContent-Length: %d\r\n\r\n%s" % (
        delay_ms,
        len(body),
        body,
    )
    assert all(lacks(request[:size]) for size in range(len(request)))
    assert not lacks(request)
    assert delay_of(request) == pytest.approx(delay_ms / 1000)


def test_the_late_answer_is_one_of_the_gateways() -> None:
    """With the length that it says."""
    head, _, body = ANSWER.partition(b"\r\n\r\n")
    assert b"Content-Length: %d" % len(body) in head
    assert json.loads(body)["success"] == "100"
    assert read_sms(200, body).code == 100


def test_every_way_in_answers_and_counts_when_it_accepts() -> None:
    """Each accept is told once, in order."""
    with gate.running(cores()[0]) as servers:
        assert servers.ports.keys() == gate.DELAYS_S.keys()
        for port in servers.ports.values():

            async def three(port: int = port) -> None:
                await asyncio.gather(*(exchange(port) for _ in range(3)))

            asyncio.run(three())
            times = servers.accepts()
            assert len(times) == 3
            assert times == sorted(times)
        assert servers.accepts() == []
