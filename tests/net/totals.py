"""What the events of a client come to once it is closed: every beginning has its end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from smswire import events
from smswire.events import Event
from smswire.flow.pool import PoolStats

OPENING_ENDS = (events.OpeningSettled, events.OpeningAbandoned, events.OpeningGivenBack)
CONNECTION_ENDS = (events.ConnectionRetired, events.ConnectionDied)


def numbers(told: Iterable[Event], *kinds: type) -> Counter[int]:
    """How often each connection or call, by its number, is in events of these kinds."""
    return Counter(
        event.connection_id if hasattr(event, "connection_id") else event.call_id  # type: ignore[union-attr]
        for event in told
        if isinstance(event, kinds)
    )


def check_totals(told: list[Event], stats: PoolStats) -> None:
    """Of a client that is closed: what began has one end, and the sums are those of its pool."""
    started = numbers(told, events.OpeningStarted)
    assert set(started.values()) <= {1}
    assert numbers(told, *OPENING_ENDS) == started
    opened = numbers(told, events.ConnectionOpened)
    assert opened <= started
    assert numbers(told, *CONNECTION_ENDS) == opened
    tried = [number for event in told if isinstance(event, events.DialFailed) for number in event.connection_ids]
    assert Counter(tried) <= started - opened
    calls = numbers(told, events.CallStarted)
    assert set(calls.values()) <= {1}
    assert numbers(told, events.CallEnded) == calls
    counts = [len(list(numbers(told, kind).elements())) for kind in (events.ConnectionOpened, *CONNECTION_ENDS)]
    assert counts == [stats.opened, stats.retired, stats.dead]
    check_order(told)


def check_order(told: list[Event]) -> None:
    """Nothing is told of a call before it started or after it ended, and no time runs backwards within it."""
    since: dict[int, float] = {}
    ended: set[int] = set()
    for event in told:
        if isinstance(event, events.GatewayAnswered) or not hasattr(event, "call_id"):
            continue
        number = event.call_id
        assert isinstance(event, events.CallStarted) == (number not in since)
        assert number not in ended
        assert event.at >= since.get(number, event.at)
        since[number] = event.at
        if isinstance(event, events.CallEnded):
            ended.add(number)
