"""What the soak notices: a call told one thing where the server saw another, and a process that grows."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smswire import Sent

from .accounts import SHOWN, TOLD, UNTOLD, judge, seen
from .samples import LONG, Sample, is_flat

YES, NO, MAYBE = (TOLD[sent] for sent in (Sent.YES, Sent.NO, Sent.MAYBE))
RIGHT = [(YES, 1), (NO, 0), (MAYBE, 0), (MAYBE, 1)]
WRONG = [(YES, 0), (YES, 2), (NO, 1), (NO, 2), (MAYBE, 2), (UNTOLD, 0), (UNTOLD, 1)]


def judged(kinds: list[tuple[int, int]]) -> tuple[dict[str, int], list[str]]:
    """By way of targets, as nginx logs them."""
    targets = [f"/length/{serial}" for serial, (_, times) in enumerate(kinds) for _ in range(times)]
    times, strange = seen(targets, len(kinds))
    assert strange == []
    return judge(bytearray(told for told, _ in kinds), times)


@given(st.lists(st.sampled_from(RIGHT)))
def test_calls_told_the_truth_are_counted_and_nothing_more(kinds: list[tuple[int, int]]) -> None:
    """The counts add up to the calls."""
    counted, complaints = judged(kinds)
    assert complaints == []
    assert sum(counted.values()) == len(kinds)


@given(st.lists(st.sampled_from(RIGHT)), st.lists(st.sampled_from(WRONG), min_size=1), st.randoms())
@example([], [(YES, 0)] * (SHOWN + 2), None)
def test_each_call_told_otherwise_is_named(
    right: list[tuple[int, int]], wrong: list[tuple[int, int]], draw: object
) -> None:
    """Wherever it stands; where there are many, some are, and the number of the others."""
    kinds = right + wrong
    if draw is not None:
        draw.shuffle(kinds)  # type: ignore[attr-defined]
    _, complaints = judged(kinds)
    named = [kind for kind in enumerate(kinds) if kind[1] in WRONG][:SHOWN]
    assert all(
        complaint.startswith(f"call {serial} was told ") and complaint.endswith(f", seen {times}")
        for complaint, (serial, (_, times)) in zip(complaints, named, strict=False)
    )
    assert len(complaints) == min(len(wrong), SHOWN) + (len(wrong) > SHOWN)


@pytest.mark.parametrize("target", ["/length/3", "/length/", "-", "", "/length/²"])
def test_a_target_of_no_call_is_strange(target: str) -> None:
    """A number beyond the last, none, or none of ours."""
    assert seen([target, "/length/0"], 3) == (bytearray((1, 0, 0)), [target])


def test_a_call_seen_very_often_was_seen_more_than_once() -> None:
    """The count stops where a byte does."""
    times, _ = seen(["/length/0"] * 1000, 1)
    assert judge(bytearray((MAYBE,)), times)[1] == ["call 0 was told MAYBE, seen 255"]


def samples(**late: float) -> list[Sample]:
    """A hundred of an even process; those of the last quarter differ as told, the one behind all calls does not."""
    even = Sample(0.0, 0, 0, memory_mib=60.0, descriptors=60, threads=2, tasks=52)
    within = [even._replace(done=LONG * part // 100, **(late if part >= 75 else {})) for part in range(100)]  # type: ignore[arg-type]
    return [even, *within, even]


def test_a_process_that_stays_as_it_is_is_flat() -> None:
    """So is one that grows a little."""
    assert is_flat(samples(), LONG) == []
    assert is_flat(samples(memory_mib=62.7, descriptors=65), LONG) == []


@pytest.mark.parametrize("late", [{"memory_mib": 62.9}, {"descriptors": 66}, {"threads": 8}, {"tasks": 58}])
def test_a_process_that_grows_is_not_flat(late: dict[str, float]) -> None:
    """In any way."""
    (complaint,) = is_flat(samples(**late), LONG)
    assert complaint.startswith(next(iter(late)))


@pytest.mark.parametrize("name", ["descriptors", "threads", "tasks"])
@pytest.mark.parametrize("calls", [LONG, LONG - 1])
def test_what_is_left_behind_is_told_of(name: str, calls: int) -> None:
    """However short the run was."""
    *most, last = samples()
    (complaint,) = is_flat([*most, last._replace(**{name: 100})], calls)
    assert complaint.startswith(name)
    assert complaint.endswith("100 in the end")


def test_a_long_run_that_was_not_looked_at_is_not_called_flat() -> None:
    """There is nothing to say it by."""
    first, *_, last = samples()
    assert is_flat([first, last], LONG) == ["too few samples to say whether anything grew: look more often"]
