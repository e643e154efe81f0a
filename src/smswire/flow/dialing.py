"""Which address next, racing, and when an opening has settled.

``Addresses`` is what one pool knows of its host: the addresses of the last lookup, which of them answered last, how
long each took. ``Opening`` is one connection being opened: it tries addresses one after the other, starts the next
when the one before has not answered in time (happy eyeballs, RFC 8305), and ends with the first that is ready for a
request (over TLS: handshake done).

Rules:

- Until an address has answered, only one opening is under way: its race finds out for all. Afterwards the address
  that answered last goes first, and loses that place when a dial to it passes the delay unanswered, is not ready
  another delay after it answered, or fails in its handshake.
- A failure is permanent if it was so at every address.
- An opening that failed at every address leaves the lookup in doubt: the host may have moved, and its name is looked up
  again.
- *Answered* means a byte of the server's over TLS (the kernel completes TCP handshakes for servers that hang), the
  TCP connection over plain http.
- Every address tried takes a grant of the pacing rule of its own, in the step that says ``CONNECT``.
- A grant settles at the first evidence from the far end: a byte, a refusal, a reset, an end. Closing a socket that
  has not settled abandons its grant; an error that ``connect()`` itself raised gives it back.

Nothing here resolves names, opens sockets, or reads a clock.
"""

from __future__ import annotations

import errno
import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakSet

from ..errors import Closed, ConnectError, NetworkError, SmswireError
from ..wire.channel import Channel
from .connection import Connection

if TYPE_CHECKING:
    from .pacing import Grant, Waker
    from .pool import Pool, Waiter

CONNECT: Final = 1
WATCH: Final = 2
CLOSE: Final = 3
OPENED: Final = 4
FAILED: Final = 5

# RFC 8305 section 5: the recommended Connection Attempt Delay.
ATTEMPT_DELAY_S: Final = 0.25
# An address with a long way is not overtaken at every dial: two round trips go into a TLS handshake's first answer.
ATTEMPT_DELAY_ROUND_TRIPS: Final = 2.5
# The far end's word, as far as errno tells; everything else is this side giving up or never having left.
FAR_END_ERRORS: Final = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EPIPE})
_ENDED_AT_BIRTH: Final = "the server closed the connection before it was set up"


class Address(NamedTuple):
    """One address of the host: the address family, and what ``socket.connect`` takes for it."""

    family: int
    sockaddr: tuple[str, int] | tuple[str, int, int, int]

    def __str__(self) -> str:
        host, port = self.sockaddr[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def interleave(addresses: Iterable[Address]) -> list[Address]:
    """The addresses in the resolver's order, but with families taking turns (RFC 8305 section 4)."""
    families: dict[int, list[Address]] = {}
    for address in dict.fromkeys(addresses):
        families.setdefault(address.family, []).append(address)
    longest = max(map(len, families.values()), default=0)
    return [group[turn] for turn in range(longest) for group in families.values() if turn < len(group)]


class Addresses:
    """What is known of one host's addresses.

    Calling order: ``replace`` when a lookup has answered; while ``is_fresh``, ``in_order`` for a new opening; then
    ``started`` at each grant and ``settled`` once for it; ``answered`` and ``overdue`` move the place of honour.
    """

    __slots__ = ("_fresh_until", "_known", "_round_trips", "_unsettled", "first", "max_unsettled")

    def __init__(self, max_unsettled: int) -> None:
        self.first: Address | None = None
        self.max_unsettled = max_unsettled
        self._known: list[Address] = []
        self._fresh_until = -math.inf
        self._round_trips: dict[Address, float] = {}
        # Weak, as in ``Pacing``: one that an interrupt has lost counts no more.
        self._unsettled: dict[Address, WeakSet[Grant]] = {}

    def is_fresh(self, now: float) -> bool:
        """Whether the last lookup may still be used."""
        return now < self._fresh_until

    def in_order(self) -> list[Address]:
        """All addresses, the one that answered last first; if there is none, those that are crowded last."""
        if self.first is None:
            return sorted(self._known, key=self.is_crowded)
        return [self.first, *(address for address in self._known if address != self.first)]

    def delay(self, address: Address) -> float:
        """Seconds an attempt may go unanswered before the next address is tried beside it."""
        return max(ATTEMPT_DELAY_S, ATTEMPT_DELAY_ROUND_TRIPS * self._round_trips.get(address, 0.0))

    def is_crowded(self, address: Address) -> bool:
        """Whether the address, one of several, has as many unsettled openings as one address may have."""
        return len(self._known) > 1 and len(self._unsettled.get(address, ())) >= self.max_unsettled

    def replace(self, addresses: Iterable[Address], fresh_until: float) -> None:
        """Takes the answer of a lookup; what is known of addresses no longer in it is forgotten."""
        self._known = interleave(addresses)
        self._fresh_until = fresh_until
        self._round_trips = {address: s for address, s in self._round_trips.items() if address in self._known}
        if self.first not in self._known:
            self.first = None

    def doubt(self) -> None:
        """An opening failed at all of them: the host may have moved, and its name is to be looked up again."""
        if self._fresh_until < math.inf:  # an origin that is an address has no other
            self._fresh_until = -math.inf

    def started(self, address: Address, grant: Grant) -> None:
        self._unsettled.setdefault(address, WeakSet()).add(grant)

    def settled(self, address: Address, grant: Grant) -> None:
        grants = self._unsettled.get(address)
        if grants is not None:
            grants.discard(grant)
            if not grants:
                del self._unsettled[address]

    def answered(self, address: Address, round_trip: float) -> None:
        """The address answered, and TCP took ``round_trip`` seconds: it goes first from now on."""
        if address in self._known:
            self.first = address
            self._round_trips[address] = round_trip

    def overdue(self, address: Address) -> None:
        """A dial to the address passed its delay unanswered, or failed: if it was first, it is not any more."""
        if self.first == address:
            self.first = None


def _wake_nobody() -> None:
    """For an opening of the pool's own until its runtime has a way."""


class Attempt:
    """One address being tried: its channel, its grant, and when it began, connected, and is due to answer."""

    __slots__ = ("address", "answered", "channel", "connected_at", "due_at", "grant", "is_connected", "started_at")

    def __init__(self, address: Address, channel: Channel, grant: Grant, started_at: float, due_at: float) -> None:
        self.address = address
        self.channel = channel
        self.grant: Grant | None = grant
        self.started_at = started_at
        self.due_at = due_at
        self.connected_at = started_at
        self.is_connected = False
        self.answered = False


class Opening:
    """One connection being opened.

    Calling order: ``next_step`` after creation and after every ``handle_*``; do what it says:

    - ``CONNECT``: in the same synchronous step open a socket for ``address`` and call ``connect()`` (non-blocking).
      If that raises: ``handle_failed_at_once``. When the socket is writable: ``handle_connected``, or
      ``handle_failed`` with the socket's error.
    - ``WATCH``: wait until ``wait_until`` for any socket of ``attempts``; send ``bytes_to_send`` of its channel once
      connected (``handle_sent``), pass on what it receives (``handle_data``, ``handle_end``, ``handle_failed``).
    - ``CLOSE``: close the socket of ``address``, sending nothing that would block; then ``handle_closed``.
    - ``OPENED``: ``connection`` is ready; the socket of ``address`` is its transport.
    - ``FAILED``: nothing is open any more; ``error`` says why.

    ``abandon`` is legal at every step and leads through ``CLOSE`` to ``FAILED``. ``sockets`` is the runtime's own.

    ``wake`` may be called at any step, from any thread: then ``next_step`` before ``wait_until``. It is the wake-up of
    the waiter that dials; the runtime sets it where the pool does. It matters while ``awaits_grant``, for the next
    address; nothing else comes but by the sockets.
    """

    __slots__ = (
        "_closing",
        "_failures",
        "_grant",
        "_is_permanent",
        "_new_channel",
        "_next_due",
        "_order",
        "_pool",
        "_until",
        "address",
        "attempts",
        "awaits_grant",
        "connection",
        "error",
        "sockets",
        "wait_until",
        "waiter",
        "wake",
    )

    def __init__(
        self,
        pool: Pool,
        order: list[Address],
        grant: Grant,
        new_channel: Callable[[], Channel],
        *,
        until: float,
        waiter: Waiter | None,
    ) -> None:
        self.waiter = waiter
        self.wake: Waker = _wake_nobody if waiter is None else waiter.wake
        self.awaits_grant = False
        self.address: Address = order[0]
        self.attempts: dict[Address, Attempt] = {}
        self.connection: Connection | None = None
        self.error: SmswireError | None = None
        self.sockets: dict[Address, Any] = {}
        self.wait_until = until
        self._pool = pool
        self._order = order[::-1]
        self._grant: Grant | None = grant
        self._new_channel = new_channel
        self._next_due = -math.inf
        self._until = until
        self._closing: dict[Address, Attempt] = {}
        self._failures: list[tuple[str, str]] = []
        self._is_permanent = True

    def next_step(self, now: float) -> int:
        if self._pool.has_ended and self.error is None:
            self._fail(Closed("the client was closed before the connection was ready"))
        if self._closing:
            self.address = next(iter(self._closing))
            return CLOSE
        if self.error is not None:
            return FAILED
        for attempt in self.attempts.values():
            if attempt.answered and attempt.channel.established:
                return self._open(attempt)
        if now >= self._until:
            return self._fail(self._no_connection("no connection was ready in time"))
        if not self.attempts and not self._order:
            return self._fail(self._no_connection("no address could be connected to"))
        if now >= self._next_due:
            self._note_overdue(now)
            if self._order:
                return self._connect_next(now)
            self._next_due = math.inf
        self.wait_until = min(self._until, self._next_due)
        return WATCH

    def handle_connected(self, address: Address, now: float) -> None:
        """TCP is connected. Over TLS that is no answer yet; the ClientHello is now in ``bytes_to_send``."""
        attempt = self.attempts[address]
        attempt.connected_at = now
        attempt.is_connected = True
        if attempt.channel.established:
            self._answer(attempt, now)

    def handle_sent(self, address: Address, n: int) -> None:
        self.attempts[address].channel.handed_over(n)

    def handle_data(self, address: Address, data: bytes, now: float) -> None:
        attempt = self.attempts[address]
        self._settle(attempt, now)
        try:
            attempt.channel.receive_data(data)
        except SmswireError as error:
            self._lose(attempt, error)
            return
        if attempt.channel.established and not attempt.channel.reusable:
            # Over TLS 1.2 its end may come right behind the handshake.
            self._lose(attempt, NetworkError(_ENDED_AT_BIRTH))
        else:
            self._answer(attempt, now)

    def handle_end(self, address: Address, now: float) -> None:
        if self._pool.has_ended:
            return
        attempt = self.attempts[address]
        self._settle(attempt, now)
        try:
            attempt.channel.receive_eof()
        except SmswireError as error:
            self._lose(attempt, error)
        else:
            self._lose(attempt, NetworkError(_ENDED_AT_BIRTH))

    def handle_failed_at_once(self, address: Address, error: OSError, now: float) -> None:
        """``socket()``, ``bind()`` or ``connect()`` itself raised. Nothing left this machine, unless the error is one
        that only the far end can cause: loopback refuses within the call.
        """
        attempt = self.attempts[address]
        if error.errno in FAR_END_ERRORS:
            self._settle(attempt, now)
        elif attempt.grant is not None:
            self._pool.give_back(attempt.grant, address)
            attempt.grant = None
        self._lose(attempt, error)

    def handle_failed(self, address: Address, error: OSError, now: float) -> None:
        """The socket reported an error; only some are evidence from the far end."""
        if self._pool.has_ended:
            return
        attempt = self.attempts[address]
        if error.errno in FAR_END_ERRORS:
            self._settle(attempt, now)
        self._lose(attempt, error)

    def bytes_to_close(self) -> bytes:
        """At ``CLOSE``: a last word for ``address``, to be sent only if it is taken at once."""
        channel = self._closing[self.address].channel
        return channel.bytes_to_close() if self._closing[self.address].is_connected else b""

    def handle_closed(self, address: Address, now: float) -> None:
        """The runtime closed the socket; a grant that has not settled by now is abandoned."""
        attempt = self._closing[address]
        if attempt.grant is not None:
            self._pool.abandon(attempt.grant, address, now)
            attempt.grant = None
        # Last: what an interrupt leaves undone, a second ``CLOSE`` does. So it is with ``error``.
        del self._closing[address]

    def abandon(self, now: float, cause: Exception | None = None) -> None:
        """Gives up: ``CLOSE`` for every socket follows, then ``FAILED``.

        ``cause`` is a fault that is none of ours, of a caller's SSLContext for one: everybody's, and told at once.
        """
        if self.error is None:
            reason = "was given up" if cause is None else f"failed: {type(cause).__name__}"
            failures = self._all_failures()
            error = ConnectError(f"the dial {reason}", permanent=cause is not None, failures=failures)
            error.__cause__ = cause
            self._fail(error)

    def _connect_next(self, now: float) -> int:
        address = self._order[-1]
        if self._grant is None:
            asked = self._pool.ask_for_race(self, address, now)
            self.awaits_grant = isinstance(asked, float)
            if isinstance(asked, float):
                self.wait_until = min(self._until, asked)
                return WATCH
            self._grant = asked
        try:
            channel = self._new_channel()
        except SmswireError as error:
            return self._fail(error)
        self._next_due = now + self._pool.addresses.delay(address)
        self.attempts[address] = Attempt(address, channel, self._grant, now, self._next_due)
        self._grant = None
        self._order.pop()
        self.address = address
        return CONNECT

    def _settle(self, attempt: Attempt, now: float) -> None:
        if attempt.grant is not None:
            self._pool.settle(attempt.grant, attempt.address, now)
            attempt.grant = None

    def _answer(self, attempt: Attempt, now: float) -> None:
        if not attempt.answered:
            attempt.answered = True
            self.awaits_grant = False
            # Where there is another, it has as long again to become ready: servers hang behind their first byte, too.
            due_at = now + self._pool.addresses.delay(attempt.address) if self._order else math.inf
            self._next_due = attempt.due_at = due_at
            self._pool.answered(self, attempt.address, attempt.connected_at - attempt.started_at)

    def _note_overdue(self, now: float) -> None:
        for attempt in self.attempts.values():
            if now >= attempt.due_at:
                # Once: the address may have answered others meanwhile.
                attempt.due_at = math.inf
                self._pool.overdue(attempt.address)

    def _lose(self, attempt: Attempt, error: Exception) -> None:
        del self.attempts[attempt.address]
        self._closing[attempt.address] = attempt
        self._next_due = -math.inf
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        self._failures.append((str(attempt.address), reason))
        if attempt.answered:
            self._pool.overdue(attempt.address)
        is_permanent = isinstance(error, NetworkError) and error.permanent
        self._is_permanent = self._is_permanent and is_permanent
        is_last = not (self._order or self.attempts)
        # A permanent failure of one address is no word on the others: it is the opening's only if it was every one's.
        if is_last and isinstance(error, NetworkError) and is_permanent == self._is_permanent:
            self._fail(error)

    def _open(self, winner: Attempt) -> int:
        for address in [address for address in self.attempts if address != winner.address]:
            self._closing[address] = self.attempts.pop(address)
        if self._closing:
            self.address = next(iter(self._closing))
            return CLOSE
        self.address = winner.address
        if self.connection is None:
            self.connection = Connection(
                winner.channel, winner.grant, winner.address, round_trip=winner.connected_at - winner.started_at
            )
        return OPENED

    def _fail(self, error: SmswireError) -> int:
        if self._grant is not None:
            self._pool.give_back(self._grant, self._order[-1])
            self._grant = None
        self.error = error
        self.connection = None
        self._closing.update(self.attempts)
        self.attempts.clear()
        if self._closing:
            self.address = next(iter(self._closing))
            return CLOSE
        return FAILED

    def _no_connection(self, what: str) -> ConnectError:
        return ConnectError(what, failures=self._all_failures(), advice="check host and port, and what is in between")

    def _all_failures(self) -> tuple[tuple[str, str], ...]:
        waiting = [
            (str(address), "no end of the handshake" if attempt.answered else "no answer")
            for address, attempt in self.attempts.items()
        ]
        return tuple(self._failures + waiting)
