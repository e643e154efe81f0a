"""Credit, reload lock, bundles, and what a call's code is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.sandbox import Limits
from smswire.sandbox.account import Account
from smswire.sandbox.rules import Order, RefusedError, check

A, B, C = "491710000001", "491710000002", "491710000003"


def account(limits: Limits = Limits(), balance: str = "1000", failing: Any = ()) -> Account:  # noqa: B008
    return Account(limits, Decimal(balance), Decimal("0.075"), dict(failing))


def order(text: str = "Hallo", **fields: Any) -> Order:
    return check({"to": "?", "text": text} | fields, 1520)


def codes(account: Account, numbers: list[str | None], now: float = 0.0, **fields: Any) -> tuple[int, list[int]]:
    code, deliveries = account.send(order(**fields), numbers, now)
    return code, [delivery.code for delivery in deliveries]


def test_a_bundle_with_one_bad_number_is_101_with_each_recipients_own_result() -> None:
    """The good ones are sent."""
    assert codes(account(), [A, None, B]) == (101, [100, 202, 100])


def test_a_bundle_of_bad_numbers_only_is_202() -> None:
    """Nothing was sent, and the code says why."""
    assert codes(account(), [None, None]) == (202, [202, 202])


def test_a_number_told_to_fail_fails_with_its_code() -> None:
    """Alone the code is the call's, with others it is the recipient's."""
    failing = {"+49 171 0000001": 600, "01710000002": 11}
    assert codes(account(failing=failing), [A]) == (600, [600])
    assert codes(account(failing=failing), [A, B]) == (101, [600, 11])
    assert codes(account(failing=failing), [A, C]) == (101, [600, 100])


def test_who_fails_must_be_a_number() -> None:
    """Found when the sandbox is made."""
    with pytest.raises(ValueError, match="failing"):
        account(failing={"Anna": 600})


def test_the_same_text_to_the_same_number_is_locked_for_180_seconds() -> None:
    """Another text, another number, or the lock's very end: not locked."""
    one = account()
    assert codes(one, [A]) == (100, [100])
    assert codes(one, [A, B], now=179.0) == (101, [402, 100])
    assert codes(one, [A], now=179.0, text="other") == (100, [100])
    assert codes(one, [A], now=180.0) == (100, [100])
    assert codes(one, [A], now=359.0) == (402, [402])


def test_the_lock_holds_within_one_call() -> None:
    """A number named twice gets the text once."""
    assert codes(account(), [A, A]) == (101, [100, 402])


def test_no_reload_allows_the_same_again_and_locks_it_anew() -> None:
    """The lock counts from the last time."""
    one = account()
    assert codes(one, [A, A], no_reload="1") == (100, [100, 100])
    assert codes(one, [A], now=100.0, no_reload="1") == (100, [100])
    assert codes(one, [A], now=200.0) == (402, [402])


def test_the_lock_can_be_switched_off() -> None:
    """By a lock of no seconds."""
    assert codes(account(Limits(reload_lock_seconds=0)), [A, A]) == (100, [100, 100])


def test_what_failed_locks_nothing() -> None:
    """It was not sent."""
    one = account(balance="0")
    with pytest.raises(RefusedError):
        codes(one, [A])
    one.balance = Decimal(1)
    assert codes(one, [A]) == (100, [100])


def test_the_daily_limit_is_403_until_a_day_has_passed() -> None:
    """Counted for each number, within one call too."""
    one = account(Limits(messages_per_number_a_day=2, reload_lock_seconds=0))
    assert codes(one, [A, A, A, B]) == (101, [100, 100, 403, 100])
    assert codes(one, [A], now=86_399.0) == (403, [403])
    assert codes(one, [A], now=86_400.0) == (100, [100])


def test_without_credit_for_all_nothing_is_sent() -> None:
    """Code 500 for the whole call, and the credit is untouched."""
    one = account(balance="0.149")
    with pytest.raises(RefusedError) as caught:
        one.send(order(), [A, B], 0.0)
    assert caught.value.code == 500
    assert one.balance == Decimal("0.149")
    assert codes(one, [A, None]) == (101, [100, 202])
    assert one.balance == Decimal("0.074")


def test_debug_sends_bills_and_locks_nothing() -> None:
    """No id, no price, and the same again is accepted."""
    one = account(balance="0")
    code, (delivery,) = one.send(order(debug="1"), [A], 0.0)
    assert (code, delivery.id, delivery.price, one.balance) == (100, None, Decimal(0), Decimal(0))
    assert codes(one, [A], debug="1") == (100, [100])


@given(st.lists(st.tuples(st.lists(st.sampled_from([A, B, C, None]), min_size=1, max_size=5), st.sampled_from("xy"))))
def test_credit_ids_and_codes_add_up(calls: list[tuple[list[str | None], str]]) -> None:
    """What was billed is what was sent; ids never repeat; within the lock no text reaches a number twice."""
    one = account()
    sent: list[tuple[str | None, str]] = []
    ids: list[str] = []
    for numbers, text in calls:
        code, deliveries = one.send(order(text), numbers, 0.0)
        results = {delivery.code for delivery in deliveries}
        assert [delivery.number for delivery in deliveries] == numbers
        assert code == (results.pop() if len(results) == 1 else 101)
        for delivery in deliveries:
            assert (delivery.id is not None) == (delivery.code == 100) == (delivery.price > 0)
            if delivery.id is not None:
                sent.append((delivery.number, text))
                ids.append(delivery.id)
    assert len(set(ids)) == len(ids)
    assert len(set(sent)) == len(sent)
    assert one.balance == 1000 - len(sent) * Decimal("0.075")
