"""``python -m bench.faults.caller``: one client in a process of its own, which may fail, hang or die.

An order comes on stdin as a line of JSON. For each further line a call is made, and a line says what the user was told:
status and text, or the error's name. Calls that are cancelled are made all at once, and one line says what is left.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any, NamedTuple

from .clients import CLIENTS, AsyncCall, Contestant, Place

Opened = Callable[[Place], Any]
WORKERS = 30
LONGEST_S = 0.006
SETTLED_WITHIN_S = 2.0


class Order(NamedTuple):
    """Which client, where, and how many calls; ``churn`` of them are cancelled first, with so many ``slots``."""

    client: str
    port: int
    ca_file: str
    calls: int
    churn: int = 0
    slots: int = 1
    held_from: int = 0


def body_of(number: int) -> bytes:
    return b"message=%d" % number


def told(error: BaseException | None, seconds: float, answer: tuple[int, str] | None = None) -> dict[str, Any]:
    """What the user has to go by."""
    if error is None:
        assert answer is not None
        return {"status": answer[0], "text": answer[1], "seconds": seconds}
    kind = type(error)
    module = "" if kind.__module__ == "builtins" else kind.__module__ + "."
    sent = getattr(error, "sent", None)
    return {
        "error": module + kind.__qualname__,
        "says": str(error)[:200],
        "sent": getattr(sent, "name", None),
        "seconds": seconds,
    }


def in_turn(order: Order, contestant: Contestant) -> None:
    assert contestant.opened is not None
    with contestant.opened(Place(order.port, order.ca_file)) as call:
        for number in range(1, order.calls + 1):
            sys.stdin.readline()
            begin = time.monotonic()
            try:
                answer = call(body_of(number))
            except Exception as error:  # noqa: BLE001  whatever it is, the user is told
                _say(told(error, time.monotonic() - begin))
            else:
                _say(told(None, time.monotonic() - begin, answer))


async def in_turn_async(order: Order, contestant: Contestant) -> None:
    loop = asyncio.get_running_loop()
    assert contestant.opened_async is not None
    async with contestant.opened_async(Place(order.port, order.ca_file)) as call:
        for number in range(1, order.calls + 1):
            await loop.run_in_executor(None, sys.stdin.readline)  # the loop sees what comes to idle connections
            begin = time.monotonic()
            try:
                answer = await call(body_of(number))
            except Exception as error:  # noqa: BLE001  whatever it is, the user is told
                _say(told(error, time.monotonic() - begin))
            else:
                _say(told(None, time.monotonic() - begin, answer))


async def churn(order: Order, contestant: Contestant) -> None:
    """Cancels calls at random times; then as many as there are slots must get through together."""
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    assert contestant.opened_async is not None
    place = Place(order.port, order.ca_file, order.slots)
    await one_call(contestant.opened_async, place)
    before = await settled()
    counts = await cancelled_calls(contestant.opened_async, place, order)
    left = await settled(before) - before
    _say({**counts, "left": max(0, left)})


async def one_call(opened: Opened, place: Place) -> None:
    """What a client keeps for the next one of its kind, such as threads, is there after it."""
    async with opened(place) as call:
        await call(body_of(0))


async def cancelled_calls(opened: Opened, place: Place, order: Order) -> dict[str, Any]:
    """Nobody refers to the client once this has returned."""
    anothers = [0]
    numbers = iter(range(1, order.churn + 1))
    async with opened(place) as call:
        await asyncio.gather(*(cancel_some(call, numbers, Random(seed), anothers) for seed in range(WORKERS)))  # noqa: S311
        all_told = await asyncio.gather(*(together(call, order.held_from + number) for number in range(order.slots)))
    return {"together": all_told, "anothers": anothers[0]}


async def cancel_some(call: AsyncCall, numbers: Any, draw: Random, anothers: list[int]) -> None:
    for number in numbers:
        task = asyncio.ensure_future(_awaited(call(body_of(number))))
        await asyncio.sleep(draw.uniform(0.0, LONGEST_S))
        task.cancel()
        with suppress(Exception, asyncio.CancelledError):
            anothers[0] += not (await task)[1].endswith(f" {number}")


async def together(call: AsyncCall, number: int) -> dict[str, Any]:
    """What one of the calls behind the churn is told."""
    begin = time.monotonic()
    try:
        answer = await call(body_of(number))
    except Exception as error:  # noqa: BLE001  whatever it is, the user is told
        return told(error, time.monotonic() - begin)
    return told(None, time.monotonic() - begin, answer)


async def _awaited(awaitable: Awaitable[tuple[int, str]]) -> tuple[int, str]:
    return await awaitable


async def settled(wanted: int = 0) -> int:
    """Open descriptors, once there are no more than wanted, or after a while."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        gc.collect()
        count = len(os.listdir("/dev/fd"))
        if count <= wanted or time.monotonic() >= until:
            return count
        await asyncio.sleep(0.05)


def main() -> None:
    order = Order(**json.loads(sys.stdin.readline()))
    contestant = CLIENTS[order.client]
    try:
        if order.churn:
            asyncio.run(churn(order, contestant))
        elif contestant.opened is None:
            asyncio.run(in_turn_async(order, contestant))
        else:
            in_turn(order, contestant)
    except ImportError as error:
        _say({"missing": str(error)})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # Not by the ordinary way out: a client that left threads behind would wait for them.
    main()
    os._exit(0)
