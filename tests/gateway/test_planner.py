"""The plan of an input of any length: the same laws, and no more in memory than the window."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterable, Iterator
from itertools import count, islice

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire.gateway.bundle import Bundle, Planner, plan
from smswire.gateway.sms import Message

from .test_bundle import messages, seats, sizes

windows = st.integers(1, 12)


def planned(planner: Planner, given: Iterable[Message]) -> Iterator[Bundle]:
    """The bundles as a reader of the input gets them: it adds while there is room, and takes what comes out."""
    rows = enumerate(given)
    has_ended = False
    while True:
        while (bundle := planner.next_bundle()) is not None:
            yield bundle
        if has_ended:
            return
        assert planner.has_room, "nothing comes out of a planner that takes nothing in"
        index, message = next(rows, (0, None))
        if message is None:
            planner.end()
            has_ended = True
        else:
            planner.add(index, message)


@given(messages=messages, size=sizes, window=windows)
@example(messages=[Message(["Anna", "0171"], "Hi"), Message(["0171"], "Hi")], size=2, window=1)
def test_a_window_loses_nobody_and_doubles_nobody(messages: list[Message], size: int, window: int) -> None:
    """Every recipient is in exactly one bundle, no number twice in one, and names are alone."""
    bundles = list(planned(Planner(size, window), messages))
    wanted = [(index, to) for index, message in enumerate(messages) for to in message.recipients]
    placed = sorted(seats(bundles), key=lambda recipient: recipient.place)
    assert [(recipient.place, recipient.index, recipient.to) for recipient in placed] == [
        (place, *one) for place, one in enumerate(wanted)
    ]
    for bundle in bundles:
        numbers = [recipient.number for recipient in bundle.recipients]
        assert 1 <= len(numbers) <= size
        assert len(set(numbers)) == len(numbers)
        assert None not in numbers or len(numbers) == 1
        for recipient in bundle.recipients:
            message = messages[recipient.index]
            assert (bundle.text, bundle.options) == (message.text, message.options)


@given(messages=messages, size=sizes, window=windows)
def test_bundles_come_in_the_order_of_first_appearance(messages: list[Message], size: int, window: int) -> None:
    """And recipients within a bundle; a number named again comes in a later bundle than before."""
    bundles = list(planned(Planner(size, window), messages))
    firsts = [bundle.recipients[0].place for bundle in bundles]
    assert firsts == sorted(firsts)
    named: dict[tuple[object, ...], int] = {}
    for bundle in bundles:
        places = [recipient.place for recipient in bundle.recipients]
        assert places == sorted(places)
        for recipient in bundle.recipients:
            key = (bundle.text, bundle.options, recipient.number or recipient.place)
            assert named.get(key, -1) < recipient.place
            named[key] = recipient.place


@given(messages=messages, size=sizes, window=windows)
def test_a_planner_holds_its_window_and_one_message_at_most(messages: list[Message], size: int, window: int) -> None:
    """It has room below its window only, and what it says that it holds is what comes out of it at the end."""
    planner = Planner(size, window)
    held = 0
    for index, message in enumerate(messages):
        assert planner.has_room
        assert planner.held == held < window
        planner.add(index, message)
        held += len(message.recipients)
        while (bundle := planner.next_bundle()) is not None:
            held -= len(bundle.recipients)
    planner.end()
    assert not planner.has_room
    assert sum(len(bundle.recipients) for bundle in iter(planner.next_bundle, None)) == held
    assert planner.held == 0


@given(messages=messages, size=sizes)
def test_a_window_that_covers_everything_gives_the_whole_plan(messages: list[Message], size: int) -> None:
    """Though full bundles and names come out before the input has ended."""
    recipients = sum(len(message.recipients) for message in messages)
    assert list(planned(Planner(size, recipients + 1), messages)) == plan(messages, size)


def test_a_full_bundle_waits_for_nothing() -> None:
    """Nobody could be added to it any more, nor to a name's."""
    planner = Planner(2, 1000)
    for index, message in enumerate([Message("0171", "Hi"), Message("0172", "Hi"), Message("Anna", "Hi")]):
        planner.add(index, message)
    assert [[one.to for one in bundle.recipients] for bundle in iter(planner.next_bundle, None)] == [
        ["0171", "0172"],
        ["Anna"],
    ]


def rows(kind: str) -> Iterator[Message]:
    """An endless input."""
    for n in count():
        to = {"repeated numbers": f"+4917{n % 7}", "names": f"Group {n}"}.get(kind, f"+4917{n:09}")
        has_own_text = kind == "a text each" or (kind == "half of one text" and n % 2 == 0)
        yield Message(to, f"Hi {n}" if has_own_text else "Hi")


@pytest.mark.parametrize("kind", ["one text", "a text each", "half of one text", "repeated numbers", "names"])
def test_the_memory_of_a_plan_does_not_grow_with_the_input(kind: str) -> None:
    """Ten times the rows, and the same peak, but for what a dictionary of that size takes or not."""

    def peak(count: int) -> int:
        planner = Planner(100, 1000)
        tracemalloc.start()
        for _ in planned(planner, islice(rows(kind), count)):
            pass
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert not planner._groups
        return found

    assert peak(20_000) < 1.3 * peak(2_000)
