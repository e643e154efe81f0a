"""Whatever makes another dial possible wakes the head of the queue: one test for each way it may come about."""

from __future__ import annotations

import math

from smswire.errors import ResolutionError
from smswire.flow.dialing import CONNECT, OPENED, WATCH, Opening
from smswire.flow.pool import Lookup, Pool, Waiter

from .kit import A, B, Bell, Ledger, closed_to_the_end, connection_of, dialled, joined, ledger, new_pool, racing


def asked(pool: Pool, now: float = 0.0) -> tuple[Waiter, Bell, float]:
    """A call that has joined and asked, and was told a time."""
    waiter, bell = joined(pool, now)
    bell.arm()
    told = pool.dial(now, waiter)
    assert isinstance(told, float)
    return waiter, bell, told


def crowded() -> tuple[Pool, Opening, Waiter, Bell]:
    """A pool whose first address, of two, has one unsettled opening, the most it may have."""
    pool = new_pool(Ledger(limit=2, spacing=0.0), [A, B])
    pool.addresses.answered(A, 0.0)
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    racing(opening, 0.0, 1)
    waiter, bell, told = asked(pool)
    assert told == math.inf
    return pool, opening, waiter, bell


def test_the_next_is_woken_when_the_head_is_served():
    """There is room for a dial, and nobody but the head asks for it."""
    pool = new_pool(Ledger(limit=1, spacing=0.0))
    connection = connection_of(pool)
    asked(pool)
    _, bell, told = asked(pool)
    assert told == math.inf
    pool.give(connection, 0.0)
    assert bell.rung


def test_the_next_is_woken_when_the_head_dials():
    """It becomes the head by that."""
    pool = new_pool()
    pool.addresses.answered(A, 0.0)
    head, _ = joined(pool)
    _, bell, told = asked(pool)
    assert told == math.inf
    dialled(pool, 0.0, head)
    assert bell.rung


def test_a_grant_given_back_wakes_the_head():
    """What was told a second ahead is possible at once."""
    pool = new_pool(Ledger(limit=1, spacing=0.0))
    pool.addresses.answered(A, 0.0)
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    assert opening.next_step(0.0) == CONNECT
    waiter, bell, told = asked(pool)
    assert told == 1.01
    opening.handle_failed_at_once(A, OSError(24, "too many open files"), 0.0)
    assert bell.rung
    dialled(pool, 0.0, waiter)


def test_an_opening_that_settles_at_a_crowded_address_wakes_the_head():
    """Another may be unsettled there now."""
    pool, opening, waiter, bell = crowded()
    opening.handle_end(A, 0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_an_opening_that_is_abandoned_at_a_crowded_address_wakes_the_head():
    """The address has no socket of ours any more, though the slot stays taken."""
    pool, opening, waiter, bell = crowded()
    opening.abandon(0.1)
    bell.arm()
    closed_to_the_end(opening, 0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_a_connection_dropped_unsettled_at_a_crowded_address_wakes_the_head():
    """Over plain http a connection keeps its grant until the first byte of an answer."""
    pool = new_pool(Ledger(limit=2, spacing=0.0), [A, B])
    connection = connection_of(pool)
    waiter, bell, told = asked(pool)
    assert told == math.inf
    pool.drop(connection, 0.1, dead=True)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_a_settled_connection_that_is_dropped_wakes_the_head():
    """Its place in the pool is free."""
    pool = new_pool(max_connections=1)
    connection = connection_of(pool)
    assert connection.grant is not None
    pool.settle(connection.grant, A, 0.0)
    connection.grant = None
    waiter, bell, told = asked(pool)
    assert told == math.inf
    pool.drop(connection, 0.1, dead=False)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_an_opening_to_an_address_that_is_no_more_wakes_the_head_at_its_end():
    """A new lookup does not name it: its answer opens no gate, and its end does."""
    pool = new_pool()
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    racing(opening, 0.0, 1)
    pool.addresses.replace([B], math.inf)
    opening.handle_connected(A, 0.1)
    waiter, bell, told = asked(pool, 0.1)
    assert told == math.inf
    assert opening.next_step(0.1) == OPENED
    assert opening.connection is not None
    pool.opened(opening, opening.connection, 0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_the_first_answer_wakes_the_head():
    """The gate is open: the others may dial beside the race."""
    pool = new_pool()
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    racing(opening, 0.0, 1)
    waiter, bell, told = asked(pool)
    assert told == math.inf
    opening.handle_connected(A, 0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_a_race_that_has_its_grant_wakes_the_head():
    """It came before other dials, and now they may."""
    pool = new_pool(Ledger(limit=4, spacing=0.0), [A, B])
    taken = [ledger(pool).ask(0.0, print) for _ in range(3)]
    pool.addresses.answered(B, 0.0)
    pool.addresses.answered(A, 0.0)
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    racing(opening, 0.0, 1)
    assert opening.next_step(0.25) == WATCH
    pool.addresses.answered(A, 0.0)
    waiter, bell, told = asked(pool, 0.25)
    assert told == math.inf
    for grant in taken:
        assert not isinstance(grant, float)
        ledger(pool).give_back(grant)
    assert not bell.rung
    assert opening.next_step(0.3) == CONNECT
    assert bell.rung
    dialled(pool, 0.3, waiter)


def test_a_grant_given_back_at_a_crowded_address_wakes_the_head():
    """Nothing left this machine, so another may be unsettled there now."""
    pool, opening, waiter, bell = crowded()
    assert opening.attempts
    opening.handle_failed_at_once(A, OSError(24, "too many open files"), 0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_a_race_whose_next_address_has_become_crowded_wakes_the_head():
    """It looks again by itself, and no longer keeps the others from asking."""
    pool = new_pool(Ledger(limit=4, spacing=0.0), [A, B])
    taken = [ledger(pool).ask(0.0, print) for _ in range(3)]
    pool.addresses.answered(A, 0.0)
    caller, _ = joined(pool)
    opening = dialled(pool, 0.0, caller)
    racing(opening, 0.0, 1)
    assert opening.next_step(0.25) == WATCH
    pool.addresses.answered(A, 0.0)
    waiter, bell, told = asked(pool, 0.25)
    assert told == math.inf
    for grant in taken[:2]:
        assert not isinstance(grant, float)
        pool.addresses.started(B, grant)
    assert opening.next_step(0.3) == WATCH
    assert bell.rung
    assert pool.dial(0.3, waiter) != math.inf


def test_a_failed_lookup_wakes_the_next_to_look_up_again():
    """The failure was told to one; the others still need the addresses."""
    pool = new_pool(addresses=[])
    head, _ = joined(pool)
    lookup = pool.dial(0.0, head)
    assert isinstance(lookup, Lookup)
    waiter, bell, told = asked(pool)
    assert told == math.inf
    pool.lookup_failed(lookup, ResolutionError("try again"))
    assert bell.rung
    assert isinstance(pool.dial(0.1, waiter), Lookup)


def test_the_pacing_rule_wakes_the_head_for_another_pools_sake():
    """Pools that share a pacer hear of each other's slots."""
    pacing = Ledger(limit=1, spacing=0.0)
    other, pool = new_pool(pacing), new_pool(pacing)
    caller, _ = joined(other)
    opening = dialled(other, 0.0, caller)
    waiter, bell, told = asked(pool)
    assert told == 1.01
    opening.abandon(0.1)
    assert bell.rung
    dialled(pool, 0.1, waiter)


def test_nobody_is_woken_to_dial_where_there_is_no_room():
    """With every place taken a wake-up would be for nothing."""
    pool = new_pool(max_connections=1)
    connection = connection_of(pool)
    _, bell, told = asked(pool)
    assert told == math.inf
    assert connection.grant is not None
    pool.settle(connection.grant, A, 0.0)
    assert not bell.rung
