"""What the account remembers from call to call: credit, message ids, what was sent when to whom.

An order is decided recipient by recipient, before anything is sent:

- an entry that is no recipient fails with 202, a number the sandbox was told to fail with its code;
- more messages to a number than allowed within 24 hours fail with 403;
- the same text to the same number within the reload lock fails with 402, within one call too, unless ``no_reload=1``;
- the rest is sent, if the credit suffices for all of it; otherwise the whole call is refused with 500, nothing sent.

The call's code is 100 if all were sent, the recipients' own code if all failed with the same one, else 101.
``debug=1`` sends, bills and locks nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from . import codes
from .limits import Limits
from .recipients import normalise
from .rules import Order, RefusedError

_DAY_SECONDS = 86_400.0
_FIRST_ID = 77_000_000_001  # the documents' samples have eleven digits and begin so


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one recipient of an order."""

    number: str | None
    id: str | None
    code: int
    price: Decimal


class Account:
    """Credit and memory of one account; all API keys share it.

    Args:
        balance: credit in EUR.
        price: of one part, in EUR.
        failing: code by number (in any form): messages to it fail so.

    Raises:
        ValueError: a key of ``failing`` is no number.
    """

    def __init__(self, limits: Limits, balance: Decimal, price: Decimal, failing: Mapping[str, int]) -> None:
        self._limits = limits
        self._initial_balance = balance
        self._price = price
        self._failing: dict[str, int] = {}
        for number, code in failing.items():
            normal = normalise(number)
            if normal is None:
                raise ValueError(f"failing: {number!r} is no telephone number")
            self._failing[normal] = code
        self.reset()

    def reset(self) -> None:
        """Forget everything sent; the credit is what it was at the start."""
        self.balance = self._initial_balance
        self._next_id = _FIRST_ID
        self._sent_at: dict[tuple[str, str], float] = {}  # oldest first
        self._today: dict[str, deque[float]] = {}

    def send(self, order: Order, numbers: Iterable[str | None], now: float) -> tuple[int, list[Delivery]]:
        """Send ``order`` to ``numbers`` (None: no valid recipient) at ``now`` (seconds).

        Returns:
            The call's code, and what became of each recipient, in order.

        Raises:
            RefusedError: the credit does not suffice.
        """
        is_debug = order.switches["debug"]
        self._forget(now)
        verdicts = self._verdicts(order, numbers, now)
        price = Decimal(0) if is_debug else self._price * order.parts
        cost = price * sum(code == codes.ACCEPTED for _, code in verdicts)
        if cost > self.balance:
            raise RefusedError(codes.NO_CREDIT)
        self.balance -= cost
        deliveries = [self._deliver(order.text, number, code, price, is_debug, now) for number, code in verdicts]
        found = {code for _, code in verdicts}
        return found.pop() if len(found) == 1 else codes.SOME_FAILED, deliveries

    def _verdicts(self, order: Order, numbers: Iterable[str | None], now: float) -> list[tuple[str | None, int]]:
        is_locked = not (order.switches["no_reload"] or order.switches["debug"])
        lock_seconds = self._limits.reload_lock_seconds
        in_this_call: dict[str, int] = {}
        verdicts: list[tuple[str | None, int]] = []
        for number in numbers:
            if number is None:
                code = codes.RECIPIENT_INVALID
            elif number in self._failing:
                code = self._failing[number]
            elif is_locked and lock_seconds and (number in in_this_call or (number, order.text) in self._sent_at):
                code = codes.RELOAD_LOCK
            elif self._is_over_daily_limit(number, in_this_call.get(number, 0)):
                code = codes.DAILY_LIMIT
            else:
                code = codes.ACCEPTED
                in_this_call[number] = in_this_call.get(number, 0) + 1
            verdicts.append((number, code))
        return verdicts

    def _deliver(
        self, text: str, number: str | None, code: int, price: Decimal, is_debug: bool, now: float
    ) -> Delivery:
        if code != codes.ACCEPTED or number is None:
            return Delivery(number, None, code, Decimal(0))
        if is_debug:
            return Delivery(number, None, code, price)
        if self._limits.reload_lock_seconds:
            self._sent_at.pop((number, text), None)  # put back at the end: the dict stays in order of time
            self._sent_at[number, text] = now
        if self._limits.messages_per_number_a_day is not None:
            self._today.setdefault(number, deque()).append(now)
        message_id = str(self._next_id)
        self._next_id += 1
        return Delivery(number, message_id, code, price)

    def _is_over_daily_limit(self, number: str, more: int) -> bool:
        limit = self._limits.messages_per_number_a_day
        return limit is not None and len(self._today.get(number, ())) + more >= limit

    def _forget(self, now: float) -> None:
        oldest_locked = now - self._limits.reload_lock_seconds
        while self._sent_at:
            sent, at = next(iter(self._sent_at.items()))
            if at > oldest_locked:
                break
            del self._sent_at[sent]
        for number in [n for n, times in self._today.items() if times[0] <= now - _DAY_SECONDS]:
            times = self._today[number]
            while times and times[0] <= now - _DAY_SECONDS:
                times.popleft()
            if not times:
                del self._today[number]
