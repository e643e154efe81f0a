"""A client's arguments, and what both runtimes make of them alike.

What is decided here is decided once: which timeouts can be, which addresses fit, what a pool and its channels are made
of. Nothing here waits, but for ``load_trust``.
"""

from __future__ import annotations

import inspect
import os
import ssl
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf, isnan
from threading import Thread
from time import monotonic
from typing import NamedTuple, TypeVar

from ..errors import ConfigurationError, ResolutionError, SmswireError
from ..flow.dialing import Address
from ..flow.pool import Lookup, Pool
from ..flow.retry import Outcome
from ..wire.channel import Channel
from ..wire.exchange import Heads, Lane, checked_lane
from ..wire.head import Limits
from ..wire.message import Request
from ..wire.tls import TLS
from . import trust as trusting
from .origin import parse
from .pacers import Pacer, pacer_for
from .resolve import Resolve, literal, resolver

_P = TypeVar("_P", bound=Pool)

# What one read takes at most.
RECEIVE_BYTES = 65_536
# A hundred years: more than anybody means, and within what every clock and wait here can count.
MAX_TIMEOUT_S = 3_000_000_000


class PoolOptions(NamedTuple):
    """What a pool takes; see ``Pool``."""

    max_connections: int
    max_waiters: int
    connect_timeout: float
    max_requests: int
    max_age: float
    idle_timeout: float


class Settings:
    """What one client was set up with.

    Raises:
        ConfigurationError: an argument cannot work.

    Attributes:
        origin (Origin): scheme, host and port.
        local_address (Address | None): where to connect from.
    """

    def __init__(
        self,
        origin: str,
        *,
        trust: trusting.Trust,
        timeout: float,
        pacer: Pacer | None,
        local_address: str | None,
        limits: Limits | None,
        lane: Lane,
        resolve: Resolve | None,
        pool: PoolOptions,
    ) -> None:
        _check_kinds(trust, pacer, local_address, limits, resolve, pool)
        self.origin = parse(origin)
        self.local_address = None if local_address is None else _local_address(local_address)
        self._timeout = checked_timeout(timeout)
        self._trust = trust
        self._limits = Limits() if limits is None else limits
        self._lane = checked_lane(lane)
        self._heads = Heads(self.origin.authority)
        self._resolve = resolve
        self._pacer = pacer_for(self.origin.host) if pacer is None else pacer
        self._pool_options = pool
        self._tls: TLS | None = None
        self._fixed = literal(self.origin.host, self.origin.port)
        if (
            self._fixed is not None
            and self.local_address is not None
            and self._fixed.family != self.local_address.family
        ):
            raise ConfigurationError("local_address and the origin's address are of different families")
        if self.origin.scheme == "https" and trusting.is_quick(trust):
            self.load_trust()
        if self.origin.scheme == "http" and not self.origin.is_loopback:
            warnings.warn("plain http off this machine: key and texts can be read on the way", stacklevel=3)

    @property
    def needs_trust(self) -> bool:
        """Whether ``load_trust`` has to come before the first connection."""
        return self._tls is None and self.origin.scheme == "https"

    def load_trust(self) -> None:
        """Loads the trust store: some 16 ms of work for certifi's, and then never again.

        Raises:
            ConfigurationError: it cannot be loaded.
        """
        self._tls = TLS(trusting.load(self._trust), self.origin.host)

    def load_trust_soon(self, tried: Callable[[], None]) -> None:
        """Loads it in a thread of its own, which says when it is done. What went wrong shows to each who needs it then;
        where no thread can be started, it is loaded by the first of them.
        """

        def load() -> None:
            try:
                with suppress(Exception):
                    self.load_trust()
            finally:
                tried()

        try:
            Thread(target=load, name="smswire trust", daemon=True).start()
        except RuntimeError:
            tried()

    def until(self, timeout: float | None) -> float:
        """The monotonic time at which a call that begins now has to end."""
        return monotonic() + (self._timeout if timeout is None else checked_timeout(timeout))

    def new_pool(self, kind: Callable[..., _P]) -> _P:
        """An empty pool, of the class ``kind`` or by what takes the same arguments."""
        pool = kind(self._pacer, self._new_channel, draw, **self._pool_options._asdict())
        if self._fixed is not None:
            pool.addresses.replace([self._fixed], inf)
        return pool

    def look_up(self, answered: Callable[[list[Address] | ResolutionError], None]) -> None:
        """Starts a lookup of the host. The answer, for ``tell``, comes from a thread of the resolver's."""
        try:
            resolver().start(self.origin.host, self.origin.port, self._resolve, answered)
        except RuntimeError:
            answered(ResolutionError("no thread could be started for the name lookup"))

    def tell(self, pool: Pool, lookup: Lookup, answer: list[Address] | ResolutionError) -> None:
        """Tells a pool the answer to its lookup: the addresses that fit the local one."""
        if isinstance(answer, ResolutionError):
            pool.lookup_failed(lookup, answer)
            return
        family = self.local_address and self.local_address.family
        fitting = [address for address in answer if family in (None, address.family)]
        if fitting:
            pool.looked_up(lookup, fitting, monotonic())
        else:
            pool.lookup_failed(lookup, ResolutionError("no address of the local address's family", permanent=True))

    def place(self, error: SmswireError, request: Request) -> SmswireError:
        """The error with the host and call it is about."""
        error.host = self.origin.authority
        error.call = request.call
        return error

    def _new_channel(self) -> Channel:
        if self.needs_trust:
            self.load_trust()
        return Channel(self.origin.authority, tls=self._tls, limits=self._limits, lane=self._lane, heads=self._heads)


def draw() -> float:
    """A random number in [0, 1): the operating system's, so that a forked child does not draw its parent's."""
    return int.from_bytes(os.urandom(4), "big") / 2**32


def checked_timeout(seconds: float) -> float:
    """The seconds, if they can be a timeout.

    Raises:
        ConfigurationError: not a number, or out of range.
    """
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_TIMEOUT_S:
        raise ConfigurationError(f"timeout must be a number of seconds, more than 0 and at most {MAX_TIMEOUT_S:,}")
    return seconds


def checked_drain(seconds: float) -> float:
    """The seconds, if they can be a time to wait at the end; they may be infinite, and less than none is none.

    Raises:
        ConfigurationError: not a number.
    """
    if not _is_number(seconds):
        raise ConfigurationError(f"drain must be a number of seconds, not {seconds!r}")
    return max(0.0, seconds)


def begun(outcome: Outcome | None) -> Outcome:
    """Where a call keeps what became of it, as at its beginning: one that is used again forgets the call before.

    Raises:
        ConfigurationError: it is no ``Outcome``.
    """
    if outcome is None:
        return Outcome()
    if not isinstance(outcome, Outcome):
        raise ConfigurationError(f"outcome must be an Outcome, not of type {type(outcome).__name__}")
    outcome.reset()
    return outcome


def check_hook(name: str, hook: object, argument: str) -> None:
    """Raises ``ConfigurationError`` for what cannot be called with the argument, or does nothing by being called."""
    function = hook
    while isinstance(function, partial):
        function = function.func
    # Of an object that can be called it is the method of its class that is.
    bodies = (function, type(function).__call__) if callable(function) else ()
    kinds = (inspect.iscoroutinefunction, inspect.isasyncgenfunction, inspect.isgeneratorfunction)
    if not bodies or any(is_kind(body) for body in bodies for is_kind in kinds):
        raise ConfigurationError(f"{name} must be a plain function of one {argument}")


def _check_kinds(
    trust: object, pacer: object, local_address: object, limits: object, resolve: object, pool: PoolOptions
) -> None:
    for name, value, fits, what in (
        ("trust", trust, isinstance(trust, str | os.PathLike | ssl.SSLContext), "a path, 'system' or an SSLContext"),
        ("pacer", pacer, isinstance(pacer, Pacer), "a Pacer"),
        ("local_address", local_address, isinstance(local_address, str), "an IP address"),
        ("limits", limits, isinstance(limits, Limits), "Limits"),
        ("resolve", resolve, callable(resolve), "a function"),
    ):
        if value is not None and not fits:
            raise ConfigurationError(f"{name} must be {what}, not of type {type(value).__name__}")
    for name, seconds in pool._asdict().items():
        if not _is_number(seconds):
            raise ConfigurationError(f"{name} must be a number, not {seconds!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not isnan(value)


def _local_address(text: str) -> Address:
    address = literal(text, 0)
    if address is None:
        raise ConfigurationError(f"local_address must be an IP address, not {text!r}")
    return address
