"""What only an asyncio client has: cancellation at any await, its event loop, its process."""

from __future__ import annotations

import asyncio
import gc
import os
import socket
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from itertools import count
from random import Random
from time import monotonic
from typing import Any

import pytest

from smswire import AsyncClient, Outcome, Pacer, Sent, errors
from smswire.flow.dialing import Address
from smswire.net.links import Link, TaskLink

from .raw import OK, WITHIN_S, Peer
from .runtimes import LOOPS

LOOP = pytest.mark.parametrize("loop", LOOPS)
Run = Callable[[str, Coroutine[Any, Any, None]], None]


def run(loop: str, coroutine: Coroutine[Any, Any, None]) -> None:
    """As ``asyncio.run`` on such a loop; no task but this one may be left at the end of it."""

    async def checked() -> None:
        await coroutine
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, f"tasks are left: {left}"

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(checked())


def eager() -> Pacer:
    """A pacer that makes nobody wait."""
    return Pacer(limit=100_000, spacing=0.0, lag=0.001)


async def turns(number: int) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def until(condition: Callable[[], bool]) -> None:
    """Asked again and again, with a turn for the server's threads in between."""
    while not condition():
        await asyncio.to_thread(os.sched_yield)


class Cancelled:
    """Awaits a call that cancels its own task at one of its waits: ``as it waits``, or ``as it is woken``, when what it
    waited for has happened and it has not been told yet. ``waits`` is how many there were.
    """

    def __init__(self, call: Coroutine[Any, Any, Any], at: int, when: str) -> None:
        self.call, self.at, self.when = call, at, when
        self.waits = 0

    def __await__(self) -> Generator[Any, Any, Any]:
        task = asyncio.current_task()
        assert task is not None
        step: Callable[[], Any] = partial(self.call.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration as end:
                return end.value
            if self.waits == self.at:
                if self.when == "as it waits" or awaited is None:
                    task.cancel()
                else:
                    awaited.add_done_callback(lambda _: task.cancel())
            self.waits += 1
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - it is the call's
                step = partial(self.call.throw, error)
            else:
                step = partial(self.call.send, None)


@LOOP
@pytest.mark.parametrize("when", ["as it waits", "as it is woken"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("is_warm", [False, True], ids=["dial", "reuse"])
def test_a_cancel_at_any_wait_leaves_nothing_in_use(serve, authority, loop, tls, is_warm, when):
    """Nothing stays in use, the next call succeeds, and NO is never said of what has arrived."""
    server = serve(tls=tls)
    trust = authority.ca_file if tls else None

    async def main() -> None:
        for at in count():
            async with AsyncClient(server.origin, trust=trust, pacer=eager(), max_connections=1) as client:
                if is_warm:
                    await client.request("POST", "/before")
                seen = len(server.requests)
                outcome = Outcome()
                call = Cancelled(client.request("POST", "/cancelled", outcome=outcome), at, when)
                with suppress(asyncio.CancelledError):
                    await asyncio.ensure_future(call)
                assert client.stats().busy == client.stats().waiting == 0
                assert (await client.request("POST", "/after", timeout=WITHIN_S)).status == 200
                arrived = any(b"/cancelled" in request for request in server.requests[seen:])
                assert not (arrived and outcome.sent is Sent.NO)
                if call.waits <= at:
                    assert at >= 1
                    return

    run(loop, main())


@LOOP
def test_ten_connections_survive_calls_cancelled_at_random(serve, authority, loop, churn):
    """Seeded: afterwards ten of ten work, no call waits, and as many descriptors are open as before."""
    server = serve(tls=True)
    random = Random(20_000)

    async def main() -> None:
        async with AsyncClient(
            server.origin, trust=authority.ca_file, pacer=eager(), max_connections=10, timeout=WITHIN_S
        ) as client:
            alive: list[asyncio.Future[Any]] = []
            for number in range(churn):
                alive.append(asyncio.ensure_future(client.request("POST", f"/{number}")))
                if len(alive) >= 30:
                    await turns(random.randrange(4))
                    random.shuffle(alive)
                    for call in alive[10:]:
                        call.cancel()
                    await asyncio.gather(*alive[10:], return_exceptions=True)
                    del alive[10:]
            await asyncio.gather(*alive, return_exceptions=True)
            assert client.stats().busy == client.stats().waiting == 0
            responses = await asyncio.gather(*(client.request("POST", "/after") for _ in range(10)))
            assert [response.status for response in responses] == [200] * 10
            assert client.stats().open <= 10

    run(loop, main())


@pytest.fixture
def churn() -> int:
    """How many calls the churn makes: 20,000 where ``SMSWIRE_CHURN`` says so, and enough for the rest here."""
    return int(os.environ.get("SMSWIRE_CHURN", "2000"))


@LOOP
def test_under_a_timeout_the_outcome_is_not_lost(serve, loop):
    """``asyncio.timeout`` raises an error that is none of ours; what was known stands in ``outcome``."""
    server = serve(lambda peer: peer.read_to_end())

    async def main() -> None:
        async with AsyncClient(server.origin, pacer=eager()) as client:
            outcome = Outcome()
            with pytest.raises(TimeoutError) as raised:
                async with asyncio.timeout(0.2):
                    await client.request("POST", "/sms", body=b"text=Hi", outcome=outcome)
            assert not isinstance(raised.value, errors.SmswireError)
            assert (outcome.sent, outcome.attempts) == (Sent.MAYBE, 1)

    run(loop, main())


@LOOP
def test_a_cancelled_calls_dial_goes_on_into_the_pool(serve, authority, loop):
    """It is the pool's: the next call uses what it opens."""
    server = serve(tls=True)

    async def main() -> None:
        async with AsyncClient(server.origin, trust=authority.ca_file, pacer=eager()) as client:
            call = asyncio.ensure_future(client.request("POST", "/cancelled"))
            await turns(2)
            assert client.stats().dialling == 1
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            assert client.stats().waiting == 0
            await until(lambda: client.stats().idle == 1)
            await client.request("POST", "/after")
            assert client.stats().opened == 1

    run(loop, main())


def test_another_loop_is_refused(serve):
    """A client belongs to the loop in which it was first used, and says so elsewhere."""
    server = serve()
    client = AsyncClient(server.origin, pacer=eager())

    async def use() -> None:
        await client.request("POST", "/")

    async def use_elsewhere() -> None:
        with pytest.raises(errors.Closed, match="another event loop") as raised:
            await client.request("POST", "/")
        assert raised.value.sent is Sent.NO
        with pytest.raises(errors.Closed, match="another event loop"):
            await client.aclose()

    with asyncio.Runner() as first:
        first.run(use())
        run("asyncio", use_elsewhere())
        first.run(client.aclose())
    assert len(server.requests) == 1


def test_a_loop_that_ends_first_leaves_no_descriptor_behind(serve):
    """Forgotten without ``aclose``, its sockets close with it, and Python says that they were forgotten."""
    server = serve()

    async def use() -> None:
        await AsyncClient(server.origin, pacer=eager()).request("POST", "/")

    def forget() -> None:
        asyncio.run(use())
        gc.collect()

    with pytest.warns(ResourceWarning, match="unclosed"):
        forget()


@LOOP
def test_a_loop_closed_with_a_call_under_way_leaves_its_outcome_true(serve, loop):
    """It is collected at some time: MAYBE, its socket is closed, and nothing is raised where nobody could catch it."""
    server = serve(lambda peer: peer.read_request() and peer.read_to_end())
    outcome = Outcome()
    ended_loop = LOOPS[loop]()
    client = AsyncClient(server.origin, pacer=eager())

    async def begin() -> asyncio.Task[Any]:
        call = asyncio.create_task(client.request("POST", "/sms", body=b"text=Hi", outcome=outcome))
        await until(lambda: len(server.requests) == 1)
        return call

    call = ended_loop.run_until_complete(begin())
    # Asyncio says that the tasks were not ended.
    ended_loop.set_exception_handler(lambda loop, context: None)
    ended_loop.run_until_complete(ended_loop.shutdown_default_executor())
    ended_loop.close()
    assert outcome.sent is Sent.MAYBE
    call.get_coro().close()
    assert (outcome.sent, outcome.attempts, client.stats()[:5]) == (Sent.MAYBE, 1, (0, 0, 0, 0, 0))
    del call
    gc.collect()


@LOOP
def test_a_client_whose_loop_is_closed_can_still_be_closed(serve, authority, loop):
    """In another loop, or before any: its sockets are closed, no call is taken any more, and nothing is waited for."""
    server = serve(tls=True)
    client = AsyncClient(server.origin, trust=authority.ca_file, pacer=eager())

    async def use() -> None:
        await client.request("POST", "/")

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        runner.run(use())
    assert client.stats().idle == 1
    run(loop, client.aclose())
    assert client.stats()[:5] == (0, 0, 0, 0, 0)
    with pytest.raises(errors.Closed):
        run(loop, use())


def test_calls_that_close_while_they_wait_are_told(serve):
    """In the queue, and with an answer outstanding: each says Closed and how it stood."""

    def silent(peer: Peer) -> None:
        peer.read_request()
        peer.read_to_end()

    server = serve(silent)

    async def main() -> None:
        client = AsyncClient(server.origin, pacer=eager(), max_connections=1)
        calls = [asyncio.ensure_future(client.request("POST", "/")) for _ in range(2)]
        await until(lambda: client.stats().waiting == 1)
        await until(lambda: len(server.requests) == 1)
        await client.aclose(drain=0.0)
        ended = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(error) for error in ended] == [errors.Closed, errors.Closed]
        assert [error.sent for error in ended if isinstance(error, errors.Closed)] == [Sent.MAYBE, Sent.NO]
        assert client.stats()[:5] == (0, 0, 0, 0, 0)

    run("asyncio", main())


@LOOP
def test_a_large_request_leaves_in_parts_and_arrives_whole(serve, authority, loop):
    """More than any socket buffer holds."""
    body = bytes(range(256)) * 40_000

    server = serve(tls=True)

    async def main() -> None:
        async with AsyncClient(server.origin, trust=authority.ca_file, pacer=eager(), timeout=WITHIN_S) as client:
            for _ in range(2):
                assert (await client.request("POST", "/sms", body=body)).status == 200
            assert client.stats().opened == 1

    run(loop, main())
    assert all(request.endswith(body) for request in server.requests)


@LOOP
@pytest.mark.parametrize("threads", ["as ever", "none to be had"])
def test_trust_loads_without_the_hosts_executor(serve, authority, monkeypatch, loop, threads):
    """The host program has shut it down. Where no thread can be started either, the list is loaded all the same."""
    server = serve(tls=True)
    monkeypatch.setattr("certifi.where", lambda: authority.ca_file)
    start = threading.Thread.start

    def fail(thread: threading.Thread) -> None:
        if thread.name == "smswire trust":
            raise RuntimeError("can't start new thread")
        start(thread)

    async def main() -> None:
        await asyncio.get_running_loop().shutdown_default_executor()
        async with AsyncClient(server.origin, pacer=eager()) as client:
            if threads == "none to be had":
                monkeypatch.setattr(threading.Thread, "start", fail)
            for _ in range(2):
                assert (await client.request("POST", "/")).status == 200
            assert client.stats().opened == 1

    run(loop, main())


@LOOP
def test_an_answer_that_came_while_the_loop_was_held_up_counts(serve, loop):
    """The host program keeps the loop past the call's deadline, and the answer is in the socket by then."""
    may_answer, has_answered = threading.Event(), threading.Event()

    def handler(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        may_answer.wait(WITHIN_S)
        peer.send(OK)
        has_answered.set()
        peer.read_to_end()

    server = serve(handler)

    async def main() -> None:
        async with AsyncClient(server.origin, pacer=eager()) as client:
            await client.request("POST", "/before")
            deadline = monotonic() + 1.0
            call = asyncio.create_task(client.request("POST", "/", timeout=1.0))
            await until(lambda: len(server.requests) == 2)
            may_answer.set()
            has_answered.wait(WITHIN_S)
            while monotonic() < deadline + 0.01:
                os.sched_yield()
            assert (await call).status == 200

    run(loop, main())


def test_nothing_follows_what_a_task_had_half_sent():
    """A record cut off by ``close`` stays the last, though there would be room for a last word."""

    class Owner:
        def link_connected(self, link: Link, error: OSError | None) -> None:
            assert error is None
            connected.set()

        def link_readable(self, link: Link) -> None:
            raise AssertionError("nothing was sent to it")

        link_writable = link_readable

    connected = asyncio.Event()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        faults: list[dict[str, Any]] = []
        loop.set_exception_handler(lambda loop, context: faults.append(context))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            link = TaskLink(loop, Owner(), socket.AF_INET)
            link.connect(Address(socket.AF_INET, listener.getsockname()), None)
            await connected.wait()
            link.watch()
            accepted, _ = listener.accept()
            with accepted:
                # The task has its turn, and finds no room either.
                with suppress(BlockingIOError):
                    while link.send(b"." * 65_536):
                        pass
                link.wait_writable(b"." * 65_536)
                await turns(3)
                accepted.setblocking(False)
                with suppress(BlockingIOError):
                    while accepted.recv(1 << 20):
                        pass
                link.close(b"last word")
                await turns(2)
                assert link.socket.fileno() == -1
                accepted.setblocking(True)
                while data := accepted.recv(1 << 20):
                    assert data.strip(b".") == b""
        assert faults == []

    run("readerless", main())


def test_a_trust_file_that_vanished_is_told_to_every_call(tmp_path, monkeypatch):
    """certifi's list is loaded when it is first needed, off the loop; what goes wrong there reaches who waits."""
    monkeypatch.setattr("certifi.where", lambda: str(tmp_path / "missing.pem"))

    async def main() -> None:
        async with AsyncClient("https://127.0.0.1:9", pacer=eager()) as client:
            ended = await asyncio.gather(*(client.request("GET", "/") for _ in range(3)), return_exceptions=True)
            assert [type(error) for error in ended] == [errors.ConfigurationError] * 3

    run("asyncio", main())
