"""Who gets which connection, who waits, who goes, and who is woken for it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import (
    CertificateError,
    Closed,
    ConfigurationError,
    ConnectError,
    PoolFull,
    ResolutionError,
    SmswireError,
)
from smswire.flow.dialing import FAILED, Opening
from smswire.flow.pacing import Grant, Pacing
from smswire.flow.pool import ADDRESSES_FRESH_S, Lookup, Pool, Waiter

from .kit import (
    A,
    B,
    Bell,
    Ledger,
    closed_to_the_end,
    connection_of,
    dialled,
    joined,
    ledger,
    new_pool,
    opened_plain,
    racing,
)


def failed_dial(pool: Pool, opening: Opening, error: SmswireError | None = None, now: float = 0.0) -> SmswireError:
    """Gives an opening up, closes it to its end, and tells the pool."""
    opening.abandon(now)
    assert closed_to_the_end(opening, now)[1] == FAILED
    assert opening.error is not None
    error = error or opening.error
    pool.failed(opening, error)
    return error


# Connections in hand


def test_the_connection_used_last_goes_first():
    """Idle connections are a stack, so that the rest may age."""
    pool = new_pool()
    first, second = connection_of(pool), connection_of(pool)
    assert (pool.give(first, 1.0), pool.give(second, 2.0)) == (None, None)
    assert (pool.take(2.0), pool.take(2.0), pool.take(2.0)) == (second, first, None)


def test_give_hands_out_what_has_been_idle_for_longest_once_it_is_past_its_time():
    """One a call, so that nobody pays for all; it counts as busy until it is dropped."""
    pool = new_pool(idle_timeout=1.0)
    first, second, third, used = (connection_of(pool) for _ in range(4))
    for connection, now in ((first, 0.0), (second, 0.0), (third, 0.5)):
        assert pool.give(connection, now) is None
    assert pool.give(used, 0.99) is None
    for past, now in ((first, 1.0), (second, 1.0), (None, 1.0), (third, 1.5)):
        assert pool.take(now) is used
        assert pool.give(used, now) is past
    for connection in (first, second, third):
        assert pool.stats().busy > 0
        pool.drop(connection, 1.5, dead=False)
    assert (pool.stats().idle, pool.stats().busy, pool.stats().retired) == (1, 0, 3)


def test_nothing_is_handed_out_to_be_closed_while_somebody_waits():
    """The connection given back goes to the queue, and behind it nothing is idle."""
    pool = new_pool(idle_timeout=1.0)
    connection = connection_of(pool)
    waiter, _ = joined(pool)
    assert pool.give(connection, 100.0) is None
    assert waiter.connection is connection


def test_a_connection_at_its_last_request_or_age_is_retired():
    """``give`` keeps it in its owner's hands and in the count, until it is dropped."""
    pool = new_pool(max_requests=10, max_age=100.0)
    for wear in ("requests", "age"):
        connection = connection_of(pool)
        if wear == "requests":
            connection.requests_left = 0
        assert pool.give(connection, 0.0 if wear == "requests" else 100.0) is connection
        assert pool.stats().busy == 1
        pool.drop(connection, 100.0, dead=False)
    assert pool.stats().retired == 2
    assert pool.is_at_rest


@given(st.integers(1, 10_000), st.floats(0, 1, exclude_max=True), st.floats(0.1, 1e4))
def test_requests_and_age_are_drawn(max_requests, draw, max_age):
    """Between 80 and 100 % of the requests, never none; an age within a tenth of the one asked for."""
    pool = new_pool(max_requests=max_requests, max_age=max_age, draw=lambda: draw)
    connection = connection_of(pool, 5.0)
    assert max(1, int(0.8 * max_requests)) <= connection.requests_left <= max_requests
    assert 0.9 * max_age <= (connection.retire_at - 5.0) * (1 + 1e-9)
    assert connection.retire_at - 5.0 <= 1.1 * max_age * (1 + 1e-9)


def test_reused_counts_requests_and_not_grants():
    """A connection that is passed on, or closed because it was stale, was not used again."""
    pool = new_pool()
    connection = connection_of(pool)
    connection.requests = 1
    first, _ = joined(pool)
    joined(pool)
    pool.give(connection, 0.0)
    assert first.connection is connection
    pool.leave(first, 0.0)
    assert pool.stats().reused == 0
    connection.requests = 3
    assert pool.stats().reused == 2
    pool.drop(connection, 0.0, dead=True)
    assert pool.stats().reused == 2


# The queue


def test_calls_are_served_in_the_order_they_came():
    """A freed connection goes to the head of the queue, and nobody overtakes by asking."""
    pool = new_pool()
    connection = connection_of(pool)
    waiters = [joined(pool) for _ in range(3)]
    for waiter, bell in waiters:
        bell.arm()
        assert pool.take(0.0) is None
        assert pool.give(connection, 0.0) is None
        assert waiter.connection is connection
        assert bell.rung
    assert pool.stats().waiting == 0


def test_a_call_that_was_there_already_goes_back_to_the_head():
    """Its connection was stale, and it had waited before the others."""
    pool = new_pool()
    connection = connection_of(pool)
    later, _ = joined(pool)
    back = Waiter(Bell().wake)
    assert pool.join(back, 0.0, head=True) is None
    pool.give(connection, 0.0)
    assert (back.connection, later.connection) == (connection, None)


def test_join_looks_at_the_idle_stack_again():
    """Between ``take`` and ``join`` another thread may have given one back: then nobody waits."""
    pool = new_pool()
    connection = connection_of(pool)
    assert pool.take(0.0) is None
    pool.give(connection, 0.0)
    assert pool.join(Waiter(Bell().wake), 0.0) is connection
    assert pool.stats().waiting == 0


def test_a_connection_granted_and_not_taken_goes_to_the_next():
    """Every way out of the queue passes it on; with nobody waiting it is idle again."""
    pool = new_pool()
    connection = connection_of(pool)
    first, _ = joined(pool)
    second, bell = joined(pool)
    pool.give(connection, 0.0)
    bell.arm()
    assert pool.leave(first, 0.0) is None
    assert (second.connection, bell.rung) == (connection, True)
    assert pool.leave(second, 0.0) is None
    assert pool.stats().idle == 1
    assert pool.take(0.0) is connection


def test_a_call_that_dials_is_not_given_anothers_connection():
    """It has left the queue: a freed connection goes to the first that is not itself dialling."""
    pool = new_pool()
    connection = connection_of(pool)
    dialling, _ = joined(pool)
    dialled(pool, 0.0, dialling)
    waiting, _ = joined(pool)
    pool.give(connection, 0.0)
    assert (dialling.connection, waiting.connection) == (None, connection)
    assert pool.stats().waiting == 1


@pytest.mark.parametrize("own", [False, True])
def test_max_waiters_is_the_most_that_may_wait_whoever_dials(own):
    """Each waiting call counts once: those that dial themselves too, and the pool's own dials not at all."""
    pool = new_pool(max_waiters=3)
    pool.addresses.answered(A, 0.0)
    for _ in range(3):
        waiter, _ = joined(pool)
        dialled(pool, 0.0, waiter if own else None)
    assert pool.stats().waiting == 3
    with pytest.raises(PoolFull):
        joined(pool)
    assert pool.join(Waiter(Bell().wake), 0.0, head=True) is None
    assert pool.stats().waiting == 4


# Dialling


def test_there_are_never_more_openings_than_waiting_calls():
    """An opening of the pool's own needs a call that waits for it."""
    pool = new_pool()
    assert pool.dial(0.0) == math.inf
    joined(pool)
    dialled(pool)
    pool.addresses.answered(A, 0.0)
    assert pool.dial(0.0) == math.inf
    joined(pool)
    dialled(pool)


def test_connections_and_openings_together_are_at_most_max_connections():
    """Idle, in hand or on the way: each holds a place, which comes free when it is dropped."""
    pool = new_pool(max_connections=2)
    connection = connection_of(pool)
    first, _ = joined(pool)
    dialled(pool, 0.0, first)
    second, bell = joined(pool)
    assert pool.dial(0.0, second) == math.inf
    bell.arm()
    pool.drop(connection, 0.0, dead=True)
    assert bell.rung
    dialled(pool, 0.0, second)


def test_only_the_head_of_the_queue_dials_and_its_leaving_wakes_the_next():
    """The head alone keeps the pacing clock; who becomes the head takes it over."""
    pool = new_pool(Pacing(limit=1))
    pool.addresses.answered(A, 0.0)
    connection_of(pool)
    head, _ = joined(pool)
    next_one, bell = joined(pool)
    assert isinstance(pool.dial(0.0, head), float)
    assert pool.dial(0.0, next_one) == math.inf
    bell.arm()
    pool.leave(head, 0.0)
    assert bell.rung
    assert pool.dial(0.0, next_one) != math.inf


def test_a_settled_opening_wakes_the_head_of_the_queue():
    """Its time may have come nearer; the time it was told meanwhile is finite."""
    pool = new_pool(Ledger(limit=1))
    connection = connection_of(pool)
    waiter, bell = joined(pool)
    told = pool.dial(0.0, waiter)
    assert told == 1.01
    bell.arm()
    assert connection.grant is not None
    pool.settle(connection.grant, A, 0.0)
    assert bell.rung


def test_a_fresh_connection_can_be_used_however_short_idle_time_is():
    """A pool that keeps nothing idle still serves the call it dialled for."""
    pool = new_pool(idle_timeout=0.0)
    waiter, _ = joined(pool)
    opening = dialled(pool)
    connection = opened_plain(opening, 0.0, 0.3)
    pool.opened(opening, connection, 0.3)
    assert waiter.connection is connection
    assert not connection.is_past(0.31)
    assert pool.give(connection, 0.4) is connection


def test_a_fresh_connection_nobody_took_does_not_stay_for_ever():
    """Its idle time is counted from the instant it is idle."""
    pool = new_pool(idle_timeout=1.0)
    used = connection_of(pool)
    waiter, _ = joined(pool)
    opening = dialled(pool)
    connection = opened_plain(opening, 0.0)
    pool.opened(opening, connection, 0.0)
    pool.leave(waiter, 0.0)
    assert not connection.is_past(0.9)
    assert pool.give(used, 5.0) is connection


def test_a_failed_dial_of_the_pools_own_is_charged_to_the_first_waiter():
    """One failure, one call: the others wait for the next dial, and the new head is woken to make it."""
    pool = new_pool()
    first, _ = joined(pool)
    second, bell = joined(pool)
    bell.arm()
    error = failed_dial(pool, dialled(pool))
    assert (first.error, second.error) == (error, None)
    assert bell.rung


def test_a_failed_dial_of_a_calls_own_is_nobody_elses():
    """The call has the error in hand already."""
    pool = new_pool()
    own, _ = joined(pool)
    opening = dialled(pool, 0.0, own)
    other, bell = joined(pool)
    bell.arm()
    failed_dial(pool, opening)
    assert (own.error, other.error) == (None, None)
    assert bell.rung


@pytest.mark.parametrize("own", [False, True])
def test_a_permanent_failure_is_everybodys(own):
    """A bad certificate would be met by each of them."""
    pool = new_pool()
    dialler, _ = joined(pool)
    opening = dialled(pool, 0.0, dialler if own else None)
    others = [joined(pool) for _ in range(3)]
    error = failed_dial(pool, opening, CertificateError("no", permanent=True))
    assert all(waiter.error is error and bell.rung for waiter, bell in others)
    assert pool.stats().waiting == 0


# Lookups


def test_one_lookup_a_host_is_under_way_and_its_answer_wakes_the_head():
    """Who asks meanwhile is told when it is given up."""
    pool = new_pool(addresses=[], connect_timeout=5.0)
    waiter, bell = joined(pool)
    lookup = pool.dial(1.0, waiter)
    assert isinstance(lookup, Lookup)
    assert pool.dial(2.0, waiter) == 6.0
    bell.arm()
    pool.looked_up(lookup, [A, B], 2.0)
    assert bell.rung
    dialled(pool, 2.0, waiter)


def test_addresses_are_used_for_ten_seconds():
    """Then they are looked up again."""
    pool = new_pool(addresses=[])
    waiter, _ = joined(pool)
    lookup = pool.dial(0.0, waiter)
    assert isinstance(lookup, Lookup)
    pool.looked_up(lookup, [A], 1.0)
    assert pool.addresses.is_fresh(1.0 + ADDRESSES_FRESH_S - 0.001)
    assert isinstance(pool.dial(1.0 + ADDRESSES_FRESH_S, waiter), Lookup)


def test_a_name_whose_addresses_all_failed_is_looked_up_again():
    """The host may have moved; an origin that is an address has no other."""
    pool = new_pool(addresses=[])
    waiter, _ = joined(pool)
    lookup = pool.dial(0.0, waiter)
    assert isinstance(lookup, Lookup)
    pool.looked_up(lookup, [A], 0.0)
    failed_dial(pool, dialled(pool, 0.0, waiter), now=0.1)
    assert not pool.addresses.is_fresh(0.1)
    late, _ = joined(pool, 0.1)
    assert isinstance(pool.dial(0.1, late), Lookup)
    fixed = new_pool(addresses=[A])
    asker, _ = joined(fixed)
    failed_dial(fixed, dialled(fixed, 0.0, asker), now=0.1)
    assert fixed.addresses.is_fresh(0.1)


def test_addresses_that_grow_old_while_a_call_waits_for_a_slot_are_looked_up_when_there_is_one():
    """Nobody is woken for their age: before the slot is free they are of no use."""
    pool = new_pool(Pacing(limit=1), addresses=[])
    waiter, _ = joined(pool)
    lookup = pool.dial(0.0, waiter)
    assert isinstance(lookup, Lookup)
    pool.looked_up(lookup, [A], 0.0)
    silent = dialled(pool, 4.0, waiter)
    racing(silent, 4.0, 1)
    failed_dial(pool, silent, now=5.0)
    late, bell = joined(pool, 5.0)
    lookup = pool.dial(5.0, late)
    assert isinstance(lookup, Lookup)
    pool.looked_up(lookup, [A], 5.0)
    bell.arm()
    told = pool.dial(5.0, late)
    # The opening that was given up may be counted for as long as the rule's lag and window last.
    assert isinstance(told, float)
    assert 5.0 + ADDRESSES_FRESH_S < told < math.inf
    assert not bell.rung
    again = pool.dial(told, late)
    assert isinstance(again, Lookup)
    pool.looked_up(again, [A], told)
    assert bell.rung
    dialled(pool, told, late)


def test_a_lookup_that_hangs_is_charged_and_replaced():
    """Its waiter is told; a late answer to it changes nothing."""
    pool = new_pool(addresses=[], connect_timeout=5.0)
    asker, bell = joined(pool)
    other, _ = joined(pool)
    late = pool.dial(0.0, asker)
    assert isinstance(late, Lookup)
    bell.arm()
    again = pool.dial(5.0, asker)
    assert isinstance(again, Lookup)
    assert isinstance(asker.error, ResolutionError)
    assert (other.error, bell.rung) == (None, True)
    pool.looked_up(late, [A], 5.1)
    pool.lookup_failed(late, ResolutionError("late"))
    assert not pool.addresses.is_fresh(5.1)
    assert other.error is None
    pool.looked_up(again, [A], 5.2)
    dialled(pool, 5.2, other)


def test_a_failed_lookup_is_told_to_who_asked_or_else_the_first():
    """One failure, one call; a name that does not exist is everybody's."""
    for permanent in (False, True):
        pool = new_pool(addresses=[])
        head, _ = joined(pool)
        other, _ = joined(pool)
        lookup = pool.dial(0.0, head)
        assert isinstance(lookup, Lookup)
        error = ResolutionError("x", permanent=permanent)
        pool.lookup_failed(lookup, error)
        assert (head.error, other.error) == (error, error if permanent else None)
    pool = new_pool(addresses=[])
    gone, _ = joined(pool)
    first, _ = joined(pool)
    lookup = pool.dial(0.0, gone)
    assert isinstance(lookup, Lookup)
    pool.leave(gone, 0.0)
    pool.lookup_failed(lookup, ResolutionError("x"))
    assert isinstance(first.error, ResolutionError)


# The end


def test_a_closed_pool_takes_no_call_and_tells_every_waiter():
    """Its idle connections are handed out to be closed; what is in hand is retired when it comes back."""
    pool = new_pool()
    idle, used = connection_of(pool), connection_of(pool)
    pool.give(idle, 0.0)
    assert pool.join(Waiter(Bell().wake), 0.0) is idle
    waiters = [joined(pool) for _ in range(2)]
    assert pool.close() == []
    assert all(isinstance(waiter.error, Closed) and bell.rung for waiter, bell in waiters)
    for refused in (lambda: pool.take(0.0), lambda: joined(pool), lambda: pool.join(waiters[0][0], 0.0, head=True)):
        with pytest.raises(Closed):
            refused()
    assert pool.dial(0.0) == math.inf
    for connection in (idle, used):
        assert pool.give(connection, 0.0) is connection
        pool.drop(connection, 0.0, dead=False)
    assert pool.is_at_rest
    assert pool.close() == []


def test_a_race_that_outlives_the_close_leaves_no_claim_behind():
    """Of two pools that share a pacing rule the other is not made to wait for a claim that nobody will take."""
    pacing = Pacing(limit=2, spacing=0.0)
    pool, other = new_pool(pacing, [A, B]), new_pool(pacing)
    taken = pacing.ask(0.0, other.wake_dialer)
    joined(pool)
    opening = pool.dial(0.0)
    assert isinstance(opening, Opening)
    pool.close()
    assert isinstance(pool.ask_for_race(opening, B, 0.0), float)
    pool.failed(opening, ConnectError("given up"))
    assert isinstance(taken, Grant)
    pacing.settle(taken, 0.0)
    assert isinstance(pacing.ask(1.01, other.wake_dialer), Grant)


def test_close_hands_out_what_is_idle():
    """Each idle connection exactly once, to be closed and dropped."""
    pool = new_pool()
    connections = [connection_of(pool) for _ in range(3)]
    for connection in connections:
        pool.give(connection, 0.0)
    assert pool.close() == connections
    assert not pool.is_at_rest
    for connection in connections:
        pool.drop(connection, 0.0, dead=False)
    assert pool.is_at_rest
    assert ledger(pool).stats(0.0).unsettled == 0


def test_a_connection_granted_before_the_close_is_closed_by_who_leaves_with_it():
    """There is nobody to pass it on to."""
    pool = new_pool()
    connection = connection_of(pool)
    waiter, _ = joined(pool)
    pool.give(connection, 0.0)
    assert pool.close() == []
    assert pool.leave(waiter, 0.0) is connection
    pool.drop(connection, 0.0, dead=False)
    assert pool.is_at_rest


def test_an_opening_that_ends_after_the_close_does_not_stay_open():
    """The pool's own dial finds nobody: its connection comes back to be closed and dropped."""
    pool = new_pool()
    joined(pool)
    opening = dialled(pool)
    assert pool.close() == []
    connection = opened_plain(opening, 0.0)
    assert pool.opened(opening, connection, 0.0) is connection
    assert pool.stats().idle == 0
    pool.drop(connection, 0.0, dead=False)
    assert pool.is_at_rest


def test_a_pool_that_closes_lets_the_next_pool_know():
    """Its claim goes, and who gains by that is woken."""
    pacing = Pacing(limit=1)
    closing, waiting = new_pool(pacing), new_pool(pacing)
    connection = connection_of(closing)
    assert connection.grant is not None
    closing.settle(connection.grant, A, 0.0)
    head, _ = joined(closing)
    assert closing.dial(0.0, head) == 1.01
    waiter, bell = joined(waiting)
    told = waiting.dial(0.0, waiter)
    assert isinstance(told, float)
    assert told > 1.01
    bell.arm()
    closing.close()
    assert bell.rung
    assert waiting.dial(0.0, waiter) == 1.01


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("max_connections", 0),
        ("max_connections", -1),
        ("max_waiters", 0),
        ("max_requests", 0),
        ("connect_timeout", 0.0),
        ("connect_timeout", math.nan),
        ("max_age", 0.0),
        ("max_age", math.nan),
        ("idle_timeout", -0.1),
        ("idle_timeout", math.nan),
    ],
)
def test_an_option_out_of_its_range_is_refused(option, value):
    """None of them would ever work, and each says so when it is set."""
    with pytest.raises(ConfigurationError, match=option):
        new_pool(**{option: value})


def test_the_lowest_options_work():
    """One connection, one waiter, one request each, nothing kept idle: slow, but it serves."""
    pool = new_pool(max_connections=1, max_waiters=1, max_requests=1, idle_timeout=0.0, connect_timeout=0.001)
    connection = connection_of(pool)
    connection.requests, connection.requests_left = 1, connection.requests_left - 1
    assert pool.give(connection, 0.0) is connection
    pool.drop(connection, 0.0, dead=False)
    assert isinstance(connection_of(pool), object)
    assert pool.stats().opened == 2


def test_a_failed_connect_error_is_what_the_opening_says():
    """An opening given up by its runtime is not permanent."""
    pool = new_pool()
    joined(pool)
    error = failed_dial(pool, dialled(pool))
    assert isinstance(error, ConnectError)
    assert not error.permanent
