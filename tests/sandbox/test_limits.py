"""The window that counts connections."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox.limits import ConnectionWindow, peak_in_a_second

# Multiples of 1/16 are exact in binary, so that one second later is exactly one second later.
TIMES = st.lists(st.integers(0, 160), max_size=60).map(lambda steps: [step / 16 for step in sorted(steps)])


def peak_by_definition(times: list[float]) -> int:
    return max((sum(start <= time < start + 1.0 for time in times) for start in times), default=0)


@given(TIMES)
def test_the_peak_is_the_most_that_any_half_open_second_holds(times: list[float]) -> None:
    """One pass over the times finds what the definition says."""
    assert peak_in_a_second(times) == peak_by_definition(times)


@given(TIMES, st.integers(1, 5))
def test_no_second_holds_more_admitted_connections_than_the_limit(times: list[float], limit: int) -> None:
    """Whatever comes, the admitted ones stay within the limit in every half-open second."""
    window = ConnectionWindow(limit)
    admitted = [time for time in times if window.admit(time)]
    assert peak_by_definition(admitted) <= limit


@given(TIMES, st.integers(1, 5))
def test_a_connection_is_refused_only_when_the_second_before_it_is_full(times: list[float], limit: int) -> None:
    """A refusal is never for nothing, and refused ones take no place."""
    window = ConnectionWindow(limit)
    admitted: list[float] = []
    for now in times:
        is_full = sum(time > now - 1.0 for time in admitted) >= limit
        assert window.admit(now) is not is_full
        if not is_full:
            admitted.append(now)


def test_one_second_later_is_another_second() -> None:
    """The second is half-open: its end does not belong to it."""
    window = ConnectionWindow(1)
    assert [window.admit(time) for time in (0.0, 0.9375, 1.0)] == [True, False, True]
