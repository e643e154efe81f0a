"""``AsyncGateway``'s own, end to end: asynchronous inputs, time-outs around a call, and a client that was given."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from smswire import AsyncClient, AsyncGateway, Client, Gateway, Message, Outcome, Pacer, SmsOutcome
from smswire.errors import ConfigurationError, Sent
from smswire.sandbox import Sandbox

from .conftest import KEY, Run, Scripted
from .test_client import TO, http
from .test_tasks import rows


def test_ten_thousand_sms_from_a_generator_arrive_each_once(run: Run) -> None:
    """Some of one text, some with a text of their own, and a bundle of each as large as it may be."""

    async def given() -> AsyncIterator[dict[str, str]]:
        for number in range(10_000):
            yield {"to": f"+49171{number:07}", "text": f"own {number}" if number % 20 == 0 else f"text {number % 3}"}

    async def send(sandbox: Sandbox) -> list[SmsOutcome]:
        async with AsyncGateway(KEY, base_url=sandbox.url, trust=sandbox.ca_file, pacer=Pacer()) as gateway:
            return [outcome async for outcome in gateway.sms_stream(given())]

    with Sandbox([KEY]) as sandbox:
        outcomes = run(send(sandbox))
        messages = sandbox.messages()
    assert sorted(outcome.index for outcome in outcomes) == list(range(10_000))
    assert all(outcome.accepted for outcome in outcomes)
    assert Counter(message["to"] for message in messages) == Counter(f"49171{number:07}" for number in range(10_000))


def test_sms_many_takes_an_asynchronous_input(run: Run, sandbox: Sandbox) -> None:
    """Its outcomes come in its order."""

    async def send() -> list[SmsOutcome]:
        async with AsyncGateway(KEY, base_url=sandbox.url, pacer=Pacer()) as gateway:
            return await gateway.sms_many(rows(30))

    sandbox.reset()
    assert [outcome.index for outcome in run(send())] == list(range(30))
    assert len(sandbox.messages()) == 30


def test_a_call_that_times_out_around_it_keeps_its_outcome(run: Run, scripted: Callable[..., Scripted]) -> None:
    """The gateway has the request and says nothing: MAYBE, for one call, for many and for a stream."""
    server = scripted(None)
    told: list[SmsOutcome] = []
    outcome = Outcome()

    async def send() -> None:
        async with AsyncGateway(KEY, base_url=server.url, pacer=Pacer(), max_connections=1) as gateway:
            calls = (
                lambda: gateway.sms(TO, "Hi", outcome=outcome),
                lambda: gateway.sms_many([Message(TO, "Hi"), Message(TO, "Ho")], on_outcome=told.append),
                lambda: anext(stream),
            )
            stream = gateway.sms_stream([Message(TO, "Hi")])
            for number, call in enumerate(calls, 1):
                task = asyncio.ensure_future(call())
                while len(server.requests) < number:
                    await asyncio.sleep(0)
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
                assert gateway._client.stats().busy == 0
            told.append(await anext(stream))

    run(send())
    assert (outcome.sent, outcome.attempts) == (Sent.MAYBE, 1)
    assert [(one.index, one.sent) for one in told] == [(0, Sent.MAYBE), (0, Sent.MAYBE)]
    assert all("journal" in str(one.error) for one in told)


def test_an_asyncio_client_that_was_given_stays_open(run: Run, sandbox: Sandbox) -> None:
    """Its owner closes it; one of another origin is refused, and so is one of the other kind."""
    origin = sandbox.url.removesuffix("/api")

    async def use() -> None:
        async with AsyncClient(origin, pacer=Pacer()) as client:
            for _ in range(2):
                async with AsyncGateway(KEY, base_url=sandbox.url, client=client) as gateway:
                    assert (await gateway.balance()).amount == sandbox.balance
            with pytest.raises(ConfigurationError, match="origin"):
                AsyncGateway(KEY, client=client)
            with pytest.raises(ConfigurationError, match="Client"):
                Gateway(KEY, base_url=sandbox.url, client=client)  # type: ignore[arg-type]
        with Client(origin, pacer=Pacer()) as other, pytest.raises(ConfigurationError, match="AsyncClient"):
            AsyncGateway(KEY, base_url=sandbox.url, client=other)  # type: ignore[arg-type]

    run(use())


def test_a_code_that_is_cut_off_in_a_cancelled_call_is_no_yes(run: Run, scripted: Callable[..., Scripted]) -> None:
    """The head says 200, and the code in the body decides."""
    server = scripted(http("200 OK", b"100", length=4)[:-3])
    outcome = Outcome()

    async def send() -> None:
        async with AsyncGateway(KEY, base_url=server.url, pacer=Pacer()) as gateway:
            with suppress(Exception):
                await gateway.sms(TO, "Hi", outcome=outcome)

    run(send())
    assert outcome.sent is Sent.MAYBE
