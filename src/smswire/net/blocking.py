"""The blocking runtime: threads, non-blocking sockets, ``poll``.

It does what ``Dispatch`` and ``Opening`` say and owns no rule of its own. Each call runs, waits and dials in the
thread that made it; the pool is shared, behind one lock held for one of its methods at a time. Sockets never block, so
that every wait has a deadline, and only the call that holds a connection closes its socket.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from math import ceil, inf
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Self, TypeVar
from weakref import WeakSet

from ..errors import SmswireError
from ..flow import dialing, dispatch
from ..flow.connection import Connection
from ..flow.dialing import Address, Opening
from ..flow.dispatch import Dispatch
from ..flow.pacing import Waker
from ..flow.pool import Lookup, Pool, PoolStats
from ..flow.retry import Outcome
from ..wire.exchange import Lane
from ..wire.head import Limits
from ..wire.message import Request, Response
from .pacers import Pacer
from .polling import IN, OUT, Poll
from .resolve import Resolve
from .settings import RECEIVE_BYTES, PoolOptions, Settings, begun, check_hook, checked_drain, draw
from .trust import Trust

if TYPE_CHECKING:
    from ..events import OnEvent
    from ..flow.observed import Observer

_P = ParamSpec("_P")
_R = TypeVar("_R")

# ``poll`` takes a C int; who is woken early asks again.
MAX_POLL_MS = 2**31 - 1
# More than there are signals, and an end to a clean-up that fails for another reason.
INTERRUPTS = range(100)
# How often an opening looks whether its race may go on, in seconds: within the time in which a claim would lapse.
GRANT_LOOK_S = 0.01


def _milliseconds(until: float) -> float | None:
    """The time left, as ``poll`` takes it: rounded up, so that it does not spin through the last millisecond."""
    return None if until == inf else max(0, min(ceil((until - monotonic()) * 1000), MAX_POLL_MS))


def _locked(method: Callable[Concatenate[LockedPool, _P], _R]) -> Callable[Concatenate[LockedPool, _P], _R]:
    @wraps(method)
    def locked(self: LockedPool, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        # Nobody queues at the lock. A thread that is woken as its owner has to wait for the interpreter first, and all
        # who come by meanwhile would queue too: of 120 threads 110 were seen to stand there for good.
        while self._lock.locked():
            sleep(0)
        wakes: list[Waker] = []
        try:
            with self._lock:
                try:
                    return method(self, *args, **kwargs)
                finally:
                    self._move_wakes(wakes)
        finally:
            if wakes:
                try:
                    self._pacing.fire(wakes)
                except BaseException:
                    # An interrupt. Waking twice does no harm; who is not woken sleeps until its deadline.
                    self._pacing.fire(wakes)
                    raise

    return locked


class LockedPool(Pool):
    """A ``Pool`` for several threads: wake-ups are fired when the lock is free again."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._lock = threading.Lock()

    def _fire(self) -> None:
        """Left to ``_locked``."""

    take = _locked(Pool.take)
    give = _locked(Pool.give)
    holds = _locked(Pool.holds)
    drop = _locked(Pool.drop)
    join = _locked(Pool.join)
    leave = _locked(Pool.leave)
    dial = _locked(Pool.dial)
    opened = _locked(Pool.opened)
    failed = _locked(Pool.failed)
    looked_up = _locked(Pool.looked_up)
    lookup_failed = _locked(Pool.lookup_failed)
    forget_lookup = _locked(Pool.forget_lookup)
    wake_dialer = _locked(Pool.wake_dialer)
    ask_for_race = _locked(Pool.ask_for_race)
    settle = _locked(Pool.settle)
    abandon = _locked(Pool.abandon)
    give_back = _locked(Pool.give_back)
    answered = _locked(Pool.answered)
    overdue = _locked(Pool.overdue)
    close = _locked(Pool.close)
    stats = _locked(Pool.stats)


class _Signal:
    """Wakes one waiting thread: by a bare lock, because an interrupt within ``threading.Event`` may leave its own lock
    held, and every waker then hangs. The lock is made when a call waits for the first time; most never do.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock: threading.Lock | None = None

    def arm(self) -> None:
        if self._lock is None:
            self._lock = threading.Lock()
        self._lock.acquire(blocking=False)

    def wake(self) -> None:
        if self._lock is not None:
            with suppress(RuntimeError):  # woken already
                self._lock.release()

    def wait(self, until: float) -> None:
        assert self._lock is not None
        timeout = -1 if until == inf else max(0.0, min(until - monotonic(), threading.TIMEOUT_MAX))
        self._lock.acquire(timeout=timeout)


class _Transport:
    """A connected socket, registered with a ``poll`` of its own."""

    __slots__ = ("fd", "poll", "socket")

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.fd = connected.fileno()
        self.poll = Poll()
        self.poll.register(self.fd, IN)

    def wait_for_either(self, until: float) -> int:
        """Waits for the socket to take or bring bytes; gives the events."""
        self.poll.modify(self.fd, IN | OUT)
        try:
            ready = self.poll.poll(_milliseconds(until))
        finally:
            self.poll.modify(self.fd, IN)
        return ready[0][1] if ready else 0


class Client:
    """An HTTP/1.1 client for one origin, for any number of threads: pooled, paced, and exact about what was sent.

    Not for signal handlers: one that calls it might do so while its own thread is within it. Let a handler raise, or
    set a flag; a call that is interrupted by an exception cleans up behind itself.

    Args:
        origin: ``"https://host[:port]"``, or ``http``.
        trust: who vouches for the server: None (certifi's authorities), ``"system"``, the path of a PEM file or of a
            folder of hashed certificates, or an ``ssl.SSLContext``, which is used as it is.
        timeout: seconds a call may take in all, unless the call says otherwise.
        connect_timeout: seconds a dial may take, name lookup and TLS handshake each included.
        max_connections: the most connections at any time.
        max_waiters: the most calls that may wait for one.
        max_requests: the most requests a connection carries (the gateway's own limit is 500).
        max_age: about how many seconds a connection is used.
        idle_timeout: seconds a connection may be idle and still be used (the gateway closes it after 3 s).
        pacer: the ``Pacer`` to share; by default all clients of a host name in this process share one.
        local_address: the IP address to connect from.
        limits: what an answer may take.
        lane: ``"auto"`` reads answers whose framing cannot be read in two ways without h11, ``"h11"`` reads all by h11.
        resolve: a function from the host name to IP addresses, instead of the system's; it may block.
        on_event: told what happens (``smswire.events``): a plain function of one event, called in the thread of the
            call that it is about. What it raises is shown by ``sys.excepthook`` and changes no call.

    Raises:
        ConfigurationError: an argument cannot work.

    Attributes:
        origin (Origin): scheme, host and port it talks to.
        max_connections (int): the most connections at any time.

    >>> from smswire.sandbox import Sandbox
    >>> with Sandbox() as sandbox, Client(sandbox.url.removesuffix("/api"), trust=sandbox.ca_file) as client:
    ...     client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")]).status
    200
    """

    def __init__(
        self,
        origin: str,
        *,
        trust: Trust = None,
        timeout: float = 30.0,
        connect_timeout: float = 5.0,
        max_connections: int = 50,
        max_waiters: int = 10_000,
        max_requests: int = 500,
        max_age: float = 300.0,
        idle_timeout: float = 2.5,
        pacer: Pacer | None = None,
        local_address: str | None = None,
        limits: Limits | None = None,
        lane: Lane = "auto",
        resolve: Resolve | None = None,
        on_event: OnEvent | None = None,
    ) -> None:
        self._settings = Settings(
            origin,
            trust=trust,
            timeout=timeout,
            pacer=pacer,
            local_address=local_address,
            limits=limits,
            lane=lane,
            resolve=resolve,
            pool=PoolOptions(max_connections, max_waiters, connect_timeout, max_requests, max_age, idle_timeout),
        )
        self.origin = self._settings.origin
        self.max_connections = max_connections
        self._observer: Observer | None = None
        self._pool_kind: Callable[..., LockedPool] = LockedPool
        self._dispatch: type[Dispatch] = Dispatch
        if on_event is not None:
            self._observe(on_event)
        self._begin_empty()
        _clients.add(self)

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
        *,
        timeout: float | None = None,
        repeatable: bool = False,
        outcome: Outcome | None = None,
    ) -> Response:
        """Sends one request and gives its complete final response, whatever its status.

        Tried again by itself, at most three attempts within the timeout: what provably was not sent, and what the
        server refused unprocessed (408 with close, 421, 425, 429). Nothing else is ever sent twice.

        Args:
            method: e.g. ``"POST"``.
            target: path and query, e.g. ``"/api/sms"``.
            headers: pairs; ``Host``, ``Content-Length`` and the like are set here.
            body: the body's bytes.
            timeout: seconds for the whole call, queueing included; the client's own by default.
            repeatable: the caller's word that sending it twice does no harm: then it is also tried again where it may
                have been sent.
            outcome: where to keep what became of the call, for when an interrupt ends it.

        Raises:
            ConfigurationError: an argument cannot work; nothing was sent.
            InvalidRequest: it breaks a rule of HTTP; nothing was sent.
            SmswireError: there is no complete answer; ``.sent`` says whether it may have been sent.
        """
        outcome = begun(outcome)
        request = Request(method, target, headers, body)
        return self.send(request, timeout=timeout, repeatable=repeatable, outcome=outcome)

    def send(
        self,
        request: Request,
        *,
        timeout: float | None = None,
        repeatable: bool = False,
        outcome: Outcome | None = None,
    ) -> Response:
        """As ``request``, of a ``Request`` made before: what is in it is not checked again."""
        outcome = begun(outcome)
        until = self._settings.until(timeout)
        if self._settings.needs_trust:
            try:
                self._settings.load_trust()
            except SmswireError as error:
                error.attempts = 0
                self._settings.place(error, request)
                raise
        signal = _Signal()
        call = self._dispatch(
            self._pool,
            request,
            deadline=until,
            signal=signal,
            draw=draw,
            outcome=outcome,
            repeatable=repeatable,
        )
        try:
            self._run(call, call.start(monotonic()), signal)
        except BaseException:
            # Closes what the call has open; nothing of that waits, so further interrupts are put off until it is done,
            # and the first is raised. No call stands before ``try``: Python would deliver one there.
            for _ in INTERRUPTS:
                try:
                    self._run(call, call.abandon(monotonic()), signal)
                    break
                except BaseException:  # noqa: BLE001, S112
                    continue
            raise
        if call.response is not None:
            return call.response
        assert call.error is not None
        raise self._settings.place(call.error, request)

    def stats(self) -> PoolStats:
        """The pool at this instant, and its totals."""
        return self._pool.stats()

    def close(self, drain: float = 5.0) -> None:
        """Takes no further call, gives calls under way ``drain`` seconds to end, then ends them.

        Raises:
            ConfigurationError: ``drain`` is not a number of seconds.
        """
        until = monotonic() + checked_drain(drain)
        pool = self._pool
        rest = _Signal()
        rest.arm()
        try:
            with self._closing:
                for connection in pool.close(rest.wake):
                    self._close(connection)
                    pool.drop(connection, monotonic(), dead=False)
            if self._observer is not None:
                self._observer.tell()
            rest.wait(until)
        finally:
            pool.end()
            for signal in list(self._signals):
                signal.wake()
            # Shutting down is not closing: the threads that own the sockets see the end, and close them.
            for open_socket in list(self._sockets):
                with suppress(OSError):
                    open_socket.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Client {self.origin.scheme}://{self.origin.authority}>"

    # Steps of a call

    def _run(self, call: Dispatch, step: int, signal: _Signal) -> None:
        while step != dispatch.DONE:
            if step == dispatch.READ:
                step = self._read(call)
            elif step == dispatch.WRITE:
                step = self._write(call)
            elif step == dispatch.PROBE:
                assert call.connection is not None
                # On most connections there is no news, and asking for it is a third of the price of a failed read.
                if call.connection.transport.poll.poll(0):
                    step = self._receive(call)
                else:
                    step = call.handle_would_block(monotonic())
            elif step == dispatch.WAIT:
                self._wait(signal, call.wait_until)
                step = call.next_step(monotonic())
            elif step == dispatch.DIAL:
                step = self._dial(call, signal)
            elif step == dispatch.CLOSE:
                assert call.connection is not None
                self._close(call.connection)
                step = call.handle_closed(monotonic())
            elif step == dispatch.BLOCKED:
                step = self._wait_to_write(call)
            elif step == dispatch.DRAIN:
                step = self._receive(call)
            else:
                assert step == dispatch.LOOKUP
                assert call.lookup is not None
                self._look_up(call.lookup)
                step = call.next_step(monotonic())

    def _wait(self, signal: _Signal, until: float) -> None:
        self._signals.add(signal)
        try:
            # Known to ``close`` before this look, so that it either shows here or wakes.
            if not self._pool.has_ended:
                signal.wait(until)
        finally:
            self._signals.discard(signal)

    def _read(self, call: Dispatch) -> int:
        assert call.connection is not None
        if call.connection.transport.poll.poll(_milliseconds(call.wait_until)):
            return self._receive(call)
        return call.next_step(monotonic())

    def _write(self, call: Dispatch) -> int:
        assert call.connection is not None
        open_socket = call.connection.transport.socket
        try:
            n = open_socket.send(call.bytes_to_send())
        except BlockingIOError:
            return call.handle_would_block(monotonic())
        except OSError as error:
            return call.handle_error(error, monotonic())
        return call.handle_sent(n, monotonic())

    def _wait_to_write(self, call: Dispatch) -> int:
        assert call.connection is not None
        if call.connection.transport.wait_for_either(call.wait_until) & ~OUT:
            return self._receive(call)
        return call.next_step(monotonic())

    def _receive(self, call: Dispatch) -> int:
        assert call.connection is not None
        try:
            data = call.connection.transport.socket.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return call.handle_would_block(monotonic())
        except OSError as error:
            return call.handle_error(error, monotonic())
        return call.handle_data(data, monotonic()) if data else call.handle_end(monotonic())

    def _close(self, connection: Connection) -> None:
        open_socket = connection.transport.socket
        self._let_go(open_socket, connection.channel.bytes_to_close())

    def _let_go(self, open_socket: socket.socket, last_word: bytes) -> None:
        if last_word:
            with suppress(OSError):
                open_socket.send(last_word)
        open_socket.close()
        self._sockets.discard(open_socket)

    def _look_up(self, lookup: Lookup) -> None:
        pool = self._pool
        self._settings.look_up(lambda answer: self._settings.tell(pool, lookup, answer))

    # Steps of an opening

    def _dial(self, call: Dispatch, signal: _Signal) -> int:
        opening = call.opening
        assert opening is not None
        while True:
            signal.arm()
            step = opening.next_step(monotonic())
            if step == dialing.CONNECT:
                self._connect(opening, opening.address)
            elif step == dialing.WATCH:
                self._watch(opening, signal)
            elif step == dialing.CLOSE:
                # Without a socket, socket() itself had failed.
                open_socket = opening.sockets.get(opening.address)
                if open_socket is not None:
                    self._let_go(open_socket, opening.bytes_to_close())
                opening.handle_closed(opening.address, monotonic())
            elif step == dialing.OPENED:
                assert opening.connection is not None
                opening.connection.transport = _Transport(opening.sockets[opening.address])
                return call.handle_opened(opening.connection, monotonic())
            else:
                return call.handle_not_opened(monotonic())
            if self._observer is not None:
                self._observer.tell()

    def _connect(self, opening: Opening, address: Address) -> None:
        try:
            new_socket = socket.socket(address.family, socket.SOCK_STREAM)
            opening.sockets[address] = new_socket
            self._sockets.add(new_socket)
            new_socket.setblocking(False)
            new_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._settings.local_address is not None:
                new_socket.bind(self._settings.local_address.sockaddr)
            new_socket.connect(address.sockaddr)
        except BlockingIOError:
            return
        except OSError as error:
            opening.handle_failed_at_once(address, error, monotonic())
        else:
            opening.handle_connected(address, monotonic())
            self._flush(opening, address)

    def _watch(self, opening: Opening, signal: _Signal) -> None:
        if not opening.attempts:
            self._wait(signal, opening.wait_until)
            return
        until = opening.wait_until
        if opening.awaits_grant:
            # Who polls hears no signal.
            until = min(until, monotonic() + GRANT_LOOK_S)
        poll = Poll()
        by_fd: dict[int, Address] = {}
        for address, attempt in opening.attempts.items():
            fd = opening.sockets[address].fileno()
            by_fd[fd] = address
            events = IN if attempt.is_connected else OUT
            poll.register(fd, events | OUT if attempt.channel.bytes_to_send() else events)
        # ``close`` cannot shut a socket down that was not connecting yet: it is looked for after ``connect``.
        if self._pool.has_ended:
            return
        for fd, _ in poll.poll(_milliseconds(until)):
            address = by_fd[fd]
            # What one address brought may have ended the others.
            if address not in opening.attempts:
                continue
            if opening.attempts[address].is_connected:
                self._receive_from(opening, address)
            else:
                self._learn_of_connect(opening, address)
            self._flush(opening, address)

    def _learn_of_connect(self, opening: Opening, address: Address) -> None:
        number = opening.sockets[address].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            opening.handle_failed(address, OSError(number, os.strerror(number)), monotonic())
        else:
            opening.handle_connected(address, monotonic())

    def _receive_from(self, opening: Opening, address: Address) -> None:
        try:
            data = opening.sockets[address].recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            opening.handle_failed(address, error, monotonic())
            return
        if data:
            opening.handle_data(address, data, monotonic())
        else:
            opening.handle_end(address, monotonic())

    def _flush(self, opening: Opening, address: Address) -> None:
        attempt = opening.attempts.get(address)
        if attempt is None:
            return
        data = attempt.channel.bytes_to_send()
        if not data:
            return
        try:
            n = opening.sockets[address].send(data)
        except BlockingIOError:
            return
        except OSError as error:
            opening.handle_failed(address, error, monotonic())
        else:
            opening.handle_sent(address, n)

    # Life

    def _observe(self, on_event: OnEvent) -> None:
        """Its pool and calls are of the kinds that note what happens; those of other clients know nothing of that."""
        check_hook("on_event", on_event, "event")
        from ..flow.observed import observed
        from ..flow.observed_dispatch import ObservedDispatch
        from . import observing

        self._observer = observing.in_its_thread(on_event)
        self._pool_kind = observed(LockedPool, self._observer)
        self._dispatch = ObservedDispatch

    def _begin_empty(self) -> None:
        self._sockets: set[socket.socket] = set()
        self._signals: set[_Signal] = set()
        # One thread at a time closes what is idle; an interrupt's handler in that thread may go on with it.
        self._closing = threading.RLock()
        self._pool = self._settings.new_pool(self._pool_kind)

    def _restart_in_child(self) -> None:
        """After a fork: the parent's connections are the parent's; not a byte of TLS may come from here."""
        for parents in self._sockets:
            # One that a thread of the parent was just closing is closed here too.
            with suppress(OSError):
                os.close(parents.detach())
        was_closed = self._pool.is_closed
        self._begin_empty()
        if was_closed:
            self._pool.close()


_clients: WeakSet[Client] = WeakSet()


def _restart_all() -> None:
    for client in list(_clients):
        client._restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
