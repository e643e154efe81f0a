"""Drivers: every request once, whoever sends it."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.job import Fields, NotThereYet, Task
from bench.peers import Peer
from bench.peers.drivers import Driver, asyncio_driver, blocking_driver, own_driver


class Sent:
    """A client of each kind that keeps what it is given."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.numbers: list[int] = []
        self.is_open = False
        self._fails_at = fails_at

    def note(self, fields: Fields) -> None:
        if fields["number"] == self._fails_at:
            raise OSError("refused")
        self.numbers.append(fields["number"])

    @contextmanager
    def blocking(self, _: Task) -> Iterator[Callable[[Fields], None]]:
        self.is_open = True
        yield self.note
        self.is_open = False

    @asynccontextmanager
    async def asyncio(self, _: Task) -> AsyncIterator[Callable[[Fields], Awaitable[None]]]:
        async def send(fields: Fields) -> None:
            self.note(fields)

        self.is_open = True
        yield send
        self.is_open = False

    @contextmanager
    def own(self, _: Task) -> Iterator[Callable[[list[Fields]], None]]:
        def run(requests: list[Fields]) -> None:
            for fields in requests:
                self.note(fields)

        self.is_open = True
        yield run
        self.is_open = False


def driving(kind: str, sent: Sent, connections: int) -> AbstractContextManager[Driver]:
    drivers: dict[str, Any] = {"blocking": blocking_driver, "asyncio": asyncio_driver, "own": own_driver}
    made: AbstractContextManager[Driver] = drivers[kind](
        getattr(sent, kind), Task("peer", 1, "", connections=connections), None
    )
    return made


def requests(count: int) -> list[Fields]:
    return [{"number": number} for number in range(count)]


KINDS = ["blocking", "asyncio", "own"]


@pytest.mark.parametrize("kind", KINDS)
@given(connections=st.integers(1, 8), counts=st.lists(st.integers(0, 40), min_size=1, max_size=3))
def test_every_request_is_sent_once_and_the_client_stays_open_between(
    kind: str, connections: int, counts: list[int]
) -> None:
    """Fewer requests than callers, too."""
    sent = Sent()
    with driving(kind, sent, connections) as driver:
        for count in counts:
            driver.run(requests(count))
            assert sent.is_open
    assert not sent.is_open
    assert sorted(sent.numbers) == sorted(number for count in counts for number in range(count))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("connections", [1, 4])
def test_a_call_that_fails_fails_the_run(kind: str, connections: int) -> None:
    """Its error is the run's."""
    with (
        pytest.raises(OSError, match="refused"),
        driving(kind, Sent(fails_at=7), connections) as driver,
    ):
        driver.run(requests(20))


@pytest.mark.parametrize("kind", ["blocking", "asyncio"])
@pytest.mark.parametrize("connections", [1, 4])
def test_each_call_is_timed_if_that_is_asked_for(kind: str, connections: int) -> None:
    """One time a call, none before it is asked for."""
    with driving(kind, Sent(), connections) as driver:
        driver.run(requests(3))
        driver.times = []
        driver.run(requests(20))
        assert len(driver.times) == 20
        assert min(driver.times) >= 0


def test_at_rest_the_threads_have_ended_and_the_client_is_open() -> None:
    """What they weigh is not the client's."""
    sent = Sent()
    before = threading.active_count()
    with driving("blocking", sent, 6) as driver:
        driver.run(requests(6))
        assert threading.active_count() == before + 6
        driver.rest()
        assert threading.active_count() == before
        assert sent.is_open


def test_a_client_that_cannot_be_imported_is_not_there_yet() -> None:
    """And says which package it would be."""
    peer = Peer("nobody", "sequential", "blocking", "of_nobody:client", "nobody-at-all")
    with pytest.raises(NotThereYet, match="nobody-at-all"), peer.driver(Task("nobody", 1, "")):
        raise AssertionError("it was there")
