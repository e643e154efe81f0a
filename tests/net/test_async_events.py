"""What only an asyncio client's events have: the loop's turns, cancellation, and the context of a call."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest

from smswire import AsyncClient, Outcome, Sent, events
from smswire.events import Event

from .raw import OK, Peer
from .runtimes import LOOPS
from .test_async import LOOP, eager, run, until
from .test_events import CLOSING, names
from .totals import check_totals


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.read_to_end()


@LOOP
def test_a_cancelled_call_is_told_as_given_up(serve, loop):
    """MAYBE, no error, and its connection is dead."""
    server = serve(silent)
    told: list[Event] = []

    async def main() -> None:
        async with AsyncClient(server.origin, pacer=eager(), on_event=told.append) as client:
            outcome = Outcome()
            call = asyncio.create_task(client.request("POST", "/", outcome=outcome))
            await until(lambda: len(server.requests) == 1)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            await asyncio.sleep(0)
            assert names(told)[-3:] == ["OpeningAbandoned", "ConnectionDied", "CallEnded"]
            end = told[-1]
            assert (end.sent, end.error_type, end.error) == (Sent.MAYBE, None, "the call was given up")
        check_totals(told, client.stats())

    run(loop, main())


@LOOP
def test_a_call_cancelled_before_its_next_attempt_returned_no_answer(serve, loop):
    """A 429 was to be asked for again; nobody was given it."""
    busy = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 0\r\n\r\n"
    server = serve(lambda peer: (peer.read_request(), peer.send(busy), peer.read_to_end()))
    told: list[Event] = []

    async def main() -> None:
        async with AsyncClient(server.origin, pacer=eager(), on_event=told.append) as client:
            call = asyncio.create_task(client.request("POST", "/"))
            await until(lambda: "Answered" in names(told))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    run(loop, main())
    (end,) = [event for event in told if isinstance(event, events.CallEnded)]
    assert (end.status, end.sent, end.error) == (None, Sent.NO, "the call was given up")


@LOOP
def test_a_dial_whose_call_was_cancelled_goes_on(serve, loop):
    """The call has ended, and waited for nothing that it had; the connection is told of when it is there."""
    told: list[Event] = []
    calls: list[asyncio.Task[object]] = []

    def on_event(event: Event) -> None:
        told.append(event)
        if isinstance(event, events.OpeningStarted):
            calls[0].cancel()

    async def main() -> None:
        async with AsyncClient(serve().origin, pacer=eager(), on_event=on_event) as client:
            calls.append(asyncio.create_task(client.request("POST", "/")))
            await until(lambda: client.stats().idle == 1)
        check_totals(told, client.stats())

    run(loop, main())
    assert sorted(names(told)[2:]) == ["CallEnded", "ConnectionOpened", "ConnectionRetired", "OpeningAbandoned"]


@LOOP
def test_a_call_begins_in_the_context_of_its_task(serve, loop):
    """So that a span that begins there has the right parent."""
    which: ContextVar[str] = ContextVar("which", default="nobody's")
    begun: dict[int, str] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, events.CallStarted):
            begun[event.call_id] = which.get()

    async def call(client: AsyncClient, name: str) -> None:
        which.set(name)
        outcome = Outcome()
        await client.request("POST", "/", outcome=outcome)
        assert begun[outcome.call_id] == name

    async def main() -> None:
        async with AsyncClient(serve().origin, pacer=eager(), max_connections=2, on_event=on_event) as client:
            await asyncio.gather(*(call(client, f"call {number}") for number in range(8)))

    run(loop, main())
    assert len(begun) == 8


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("answer", [OK, CLOSING, OK[:20]], ids=["kept", "closed", "cut"])
def test_an_interrupt_in_the_hook_comes_out_of_the_loop_and_tears_nothing(serve, loop, answer):
    """At each event in turn: the loop can be run on, the call ends as ever, and not an event is lost."""

    def handler(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(answer)
            if answer is not OK:
                return

    server = serve(handler)
    number = 0
    has_hurt = True
    while has_hurt:
        has_hurt = False
        told: list[Event] = []

        def on_event(event: Event, told: list[Event] = told, number: int = number) -> None:
            nonlocal has_hurt
            told.append(event)
            if len(told) == number + 1:
                has_hurt = True
                raise KeyboardInterrupt

        async def main(told: list[Event] = told, on_event: object = on_event) -> None:
            async with AsyncClient(server.origin, pacer=eager(), on_event=on_event) as client:
                await asyncio.gather(client.request("POST", "/"), return_exceptions=True)
                assert client.stats()[2:5] == (0, 0, 0)
            check_totals(told, client.stats())

        running = LOOPS[loop]()
        task = running.create_task(main())
        interrupts = 0
        while not task.done():
            try:
                running.run_until_complete(task)
            except KeyboardInterrupt:
                interrupts += 1
        task.result()
        running.run_until_complete(running.shutdown_default_executor())
        running.close()
        assert interrupts == has_hurt
        number += 1
    assert number > 7


@LOOP
def test_a_client_whose_loop_is_gone_still_tells(serve, loop):
    """What is closed then is told at once."""
    told: list[Event] = []

    async def main() -> AsyncClient:
        client = AsyncClient(serve().origin, pacer=eager(), on_event=told.append)
        await client.request("POST", "/")
        return client

    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
        client = runner.run(main())
    asyncio.run(client.aclose())
    check_totals(told, client.stats())
    assert names(told)[-1] == "ConnectionRetired"
