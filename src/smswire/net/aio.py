"""The asyncio runtime: callbacks on plain non-blocking sockets.

It does what ``Dispatch`` and ``Opening`` say and owns no rule of its own. A call runs in the task that made it and
waits for one future at a time; what a socket brings is read in its callback and goes through ``Dispatch`` there, so
that no cancellation can come between the bytes and what they mean. Openings belong to the pool (``async_dial``).

One event loop and one process a client: its pool has no lock. Only the pacer is shared, with its own; what it and the
resolver's threads have to say enters by ``call_soon_threadsafe``.
"""

from __future__ import annotations

import asyncio
import os
from asyncio import get_running_loop
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from ..errors import Closed
from ..flow import dispatch
from ..flow.connection import Connection
from ..flow.dialing import Opening
from ..flow.dispatch import BLOCKED, CLOSE, DONE, PROBE, READ, WAIT, WRITE, Dispatch
from ..flow.pool import Lookup, Pool, PoolStats
from ..flow.retry import Outcome
from ..wire.exchange import Lane
from ..wire.head import Limits
from ..wire.message import Request, Response
from .async_dial import Dial
from .links import Link, TaskLink
from .pacers import Pacer
from .resolve import Resolve
from .settings import PoolOptions, Settings, begun, check_hook, checked_drain, draw
from .trust import Trust

if TYPE_CHECKING:
    from ..events import OnEvent
    from ..flow.observed import Observer

# Where a call goes on waiting for its connection.
_UNFINISHED = frozenset((READ, WRITE, BLOCKED))
# A loop that has no readiness callbacks says so whatever descriptor it is asked about.
NO_DESCRIPTOR = 2**31 - 1


class _LoopPool(Pool):
    """A pool of one event loop: its own methods are called there, and the pacer's waker from any thread."""

    loop: asyncio.AbstractEventLoop

    def wake_dialer(self) -> None:
        self.loop.call_soon_threadsafe(super().wake_dialer)


class _Signal:
    """Wakes one waiting call."""

    __slots__ = ("future", "is_woken")

    def __init__(self) -> None:
        self.future: asyncio.Future[None] | None = None
        self.is_woken = False

    def arm(self) -> None:
        self.is_woken = False

    def wake(self) -> None:
        self.is_woken = True
        if self.future is not None and not self.future.done():
            self.future.set_result(None)


class _Line:
    """A connection with its link, and the call that waits for it: until ``until``, and for its next step."""

    __slots__ = ("call", "client", "connection", "future", "link", "until")

    def __init__(self, client: AsyncClient, connection: Connection, link: Link) -> None:
        self.client = client
        self.connection = connection
        self.link = link
        self.call: Dispatch | None = None
        self.future: asyncio.Future[int] | None = None
        self.until = inf

    def go_on(self, step: int) -> None:
        """The call has something to do other than to wait."""
        future = self.leave()
        if not future.done():
            future.set_result(step)

    def leave(self) -> asyncio.Future[int]:
        """Nobody waits here any more."""
        future = self.future
        assert future is not None
        self.call = self.future = None
        self.link.stop_writing()
        return future

    def receive(self, call: Dispatch) -> int:
        """Reads once, and says what follows."""
        self.account()
        try:
            data = self.link.receive()
        except BlockingIOError:
            return call.handle_would_block(monotonic())
        except OSError as error:
            return call.handle_error(error, monotonic())
        return call.handle_data(data, monotonic()) if data else call.handle_end(monotonic())

    def account(self) -> None:
        """What nobody can count any more counts as gone."""
        if self.link.unknown:
            unknown, self.link.unknown = self.link.unknown, 0
            self.connection.channel.handed_over(unknown)

    def fail(self, error: Exception) -> None:
        """A fault that is none of ours, of a caller's SSLContext for one: its call raises it."""
        future = self.leave()
        if not future.done():
            future.set_exception(error)

    def link_connected(self, link: Link, error: OSError | None) -> None:
        raise AssertionError("the connection was open already")

    def link_readable(self, link: Link) -> None:
        call = self.call
        if call is None:
            # What one that is in somebody's hand brings is found by the probe.
            if self.connection.owner is None:
                self.client._read_idle(self)
            return
        try:
            step = self.receive(call)
            while step in _UNFINISHED:
                if not link.has_failed():
                    return
                step = self.receive(call)
        except Exception as error:  # noqa: BLE001 - in a callback of the loop nobody else would hear of it
            self.fail(error)
        else:
            self.go_on(step)

    def link_writable(self, link: Link, taken: int) -> None:
        call = self.call
        if call is not None:
            self.go_on(call.handle_sent(taken, monotonic()) if taken else call.next_step(monotonic()))
        elif taken:
            self.connection.channel.handed_over(taken)


class AsyncClient:
    """An HTTP/1.1 client for one origin, for any number of tasks: pooled, paced, and exact about what was sent.

    Of the event loop in which it is first used, and of the process that made it. A call that is cancelled cleans up
    behind itself; pass ``outcome`` to keep what was known of it.

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
        on_event: told what happens (``smswire.events``): a plain function of one event, called in the event loop, in a
            callback of its own. What it raises is shown by ``sys.excepthook`` and changes no call.

    Raises:
        ConfigurationError: an argument cannot work.

    Attributes:
        origin (Origin): scheme, host and port it talks to.
        max_connections (int): the most connections at any time.

    >>> from smswire.sandbox import Sandbox
    >>> async def status(origin, ca_file):
    ...     async with AsyncClient(origin, trust=ca_file) as client:
    ...         response = await client.request("GET", "/api/balance", headers=[("X-Api-Key", "sandbox-key")])
    ...         return response.status
    >>> with Sandbox() as sandbox:
    ...     asyncio.run(status(sandbox.url.removesuffix("/api"), sandbox.ca_file))
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
        self._pool_kind: Callable[..., _LoopPool] = _LoopPool
        self._dispatch: type[Dispatch] = Dispatch
        self._loop: asyncio.AbstractEventLoop | None = None
        if on_event is not None:
            self._observe(on_event)
        self._begin_empty()
        _clients.add(self)

    def _observe(self, on_event: OnEvent) -> None:
        """Its pool and calls are of the kinds that note what happens; those of other clients know nothing of that."""
        check_hook("on_event", on_event, "event")
        from ..flow.observed import observed
        from ..flow.observed_dispatch import ObservedDispatch
        from . import observing

        self._observer = observing.in_its_loop(on_event, lambda: self._pool.loop)
        self._pool_kind = observed(_LoopPool, self._observer)
        self._dispatch = ObservedDispatch

    def _begin_empty(self) -> None:
        self._is_forked = False
        self._link_kind: type[Link] = Link
        self._links: set[Link] = set()
        self._lines: set[_Line] = set()
        self._signals: set[_Signal] = set()
        self._dials: set[Dial] = set()
        self._is_dialing = False
        self._has_tried_trust = False
        self._dial_timer: asyncio.TimerHandle | None = None
        self._deadline_timer: asyncio.Handle | None = None
        self._next_deadline = inf
        self._rest = asyncio.Event()
        self._pool = self._settings.new_pool(self._pool_kind)
        self._pool.dialer = self._dial_soon

    async def request(
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
            outcome: where to keep what became of the call, for when a cancellation ends it.

        Raises:
            ConfigurationError: an argument cannot work; nothing was sent.
            InvalidRequest: it breaks a rule of HTTP; nothing was sent.
            Closed: the client is closed, or belongs to another event loop or process.
            SmswireError: there is no complete answer; ``.sent`` says whether it may have been sent.
        """
        outcome = begun(outcome)
        request = Request(method, target, headers, body)
        return await self.send(request, timeout=timeout, repeatable=repeatable, outcome=outcome)

    async def send(
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
        if self._loop is not get_running_loop():
            self._begin()
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
            await self._run(call, signal)
        except BaseException:
            self._finish(call, call.abandon(monotonic()))
            raise
        if call.response is not None:
            return call.response
        assert call.error is not None
        raise self._settings.place(call.error, request)

    def stats(self) -> PoolStats:
        """The pool at this instant, and its totals.

        To be asked in the thread of its event loop, as everything here: what is counted may change meanwhile elsewhere.
        """
        return self._pool.stats()

    async def aclose(self, drain: float = 5.0) -> None:
        """Takes no further call, gives calls under way ``drain`` seconds to end, then ends them.

        Where its event loop is closed already, nothing is under way any more: its sockets are closed.

        Raises:
            ConfigurationError: ``drain`` is not a number of seconds.
            Closed: the client belongs to another event loop, which is not closed, or to another process.
        """
        drain = checked_drain(drain)
        is_orphan = self._loop is not None and self._loop.is_closed()
        if not is_orphan:
            self._check_place()
        pool = self._pool
        for connection in pool.close(self._rest.set):
            self._close(connection)
            pool.drop(connection, monotonic(), dead=False)
        for dial in list(self._dials):
            dial.give_up()
        self._stop(self._dial_timer)
        if is_orphan:
            for link in list(self._links):
                link.close(b"")
            return
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(drain):
                    await self._rest.wait()
        finally:
            pool.end()
            for signal in list(self._signals):
                signal.wake()
            for line in list(self._lines):
                if line.call is not None:
                    line.go_on(self._finish(line.call, line.call.next_step(monotonic())))
            self._stop(self._deadline_timer)
        # Where links have tasks, these end in the next turn, and their sockets are closed in the one after.
        for _ in range(2):
            await asyncio.sleep(0)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def __repr__(self) -> str:
        return f"<AsyncClient {self.origin.scheme}://{self.origin.authority}>"

    # Steps of a call

    async def _run(self, call: Dispatch, signal: _Signal) -> None:
        step = call.start(monotonic())
        while step != DONE:
            if step == PROBE:
                assert call.connection is not None
                line = call.connection.transport
                if line.link.yields:
                    await asyncio.sleep(0)
                step = line.receive(call) if line.link.has_news() else call.handle_would_block(monotonic())
            elif step == WRITE:
                step = self._write(call)
            elif step in (READ, BLOCKED):
                step = await self._wait_for_line(call)
            elif step == WAIT:
                await self._wait(call, signal)
                step = call.next_step(monotonic())
            elif step == CLOSE:
                step = self._finish(call, step)
            else:
                assert step == dispatch.DRAIN
                assert call.connection is not None
                step = call.connection.transport.receive(call)

    def _finish(self, call: Dispatch, step: int) -> int:
        """Closes what the call has open: nothing of that waits."""
        while step == CLOSE:
            assert call.connection is not None
            self._close(call.connection)
            step = call.handle_closed(monotonic())
        return step

    def _write(self, call: Dispatch) -> int:
        assert call.connection is not None
        link: Link = call.connection.transport.link
        data = call.bytes_to_send()
        try:
            n = link.send(data)
        except BlockingIOError:
            link.wait_writable(data)
            # What a task is sending now stays without a report until it is done.
            return BLOCKED if link.unknown else call.handle_would_block(monotonic())
        except OSError as error:
            return call.handle_error(error, monotonic())
        return call.handle_sent(n, monotonic())

    async def _wait_for_line(self, call: Dispatch) -> int:
        """Waits until the connection's callbacks, or the deadline, have brought the call to another step."""
        if self._pool.has_ended:
            return call.next_step(monotonic())
        assert call.connection is not None
        line: _Line = call.connection.transport
        future: asyncio.Future[int] = self._pool.loop.create_future()
        line.future = future
        line.call = call
        line.until = until = call.wait_until
        if until < self._next_deadline:
            self._watch_deadline(until)
        try:
            return await future
        except BaseException:
            # Else the line is somebody else's by now.
            if line.future is future:
                line.leave()
            raise

    async def _wait(self, call: Dispatch, signal: _Signal) -> None:
        if signal.is_woken or self._pool.has_ended:
            return
        signal.future = self._pool.loop.create_future()
        timer = self._pool.loop.call_later(max(0.0, call.wait_until - monotonic()), signal.wake)
        self._signals.add(signal)
        try:
            await signal.future
        finally:
            timer.cancel()
            self._signals.discard(signal)
            signal.future = None

    def _watch_deadline(self, until: float) -> None:
        self._stop(self._deadline_timer)
        self._next_deadline = until
        self._deadline_timer = self._pool.loop.call_later(max(0.0, until - monotonic()), self._look_at_deadlines)

    def _look_at_deadlines(self, *, is_late: bool = False) -> None:
        """One timer for all lines: it is set anew when it fires, and most calls have long ended by then."""
        if self._link_kind.yields and not is_late:
            # Should the loop have been held up, what came meanwhile is one turn away, in a task.
            self._deadline_timer = self._pool.loop.call_soon(partial(self._look_at_deadlines, is_late=True))
            return
        now = monotonic()
        self._next_deadline = inf
        nearest = inf
        for line in list(self._lines):
            if line.call is None:
                continue
            if now < line.until:
                nearest = min(nearest, line.until)
                continue
            line.account()
            line.go_on(line.call.next_step(now))
        if nearest < self._next_deadline:
            self._watch_deadline(nearest)

    def _read_idle(self, line: _Line) -> None:
        """The far end has something to say while nobody asks: most often that it closes."""
        news: bytes | OSError
        try:
            news = line.link.receive()
        except BlockingIOError:
            return
        except OSError as error:
            news = error
        if self._pool.handle_idle(line.connection, news, monotonic()):
            self._close(line.connection)
            self._pool.drop(line.connection, monotonic(), dead=False)

    def _close(self, connection: Connection) -> None:
        line: _Line = connection.transport
        line.link.close(connection.channel.bytes_to_close())
        self._lines.discard(line)
        self._links.discard(line.link)

    # The pool's own dials

    def _dial_soon(self) -> None:
        """The pool's dialer: in the next turn, since the pool may be in the midst of something."""
        if not self._is_dialing and not self._pool.is_closed:
            self._is_dialing = True
            self._pool.loop.call_soon(self._dial)

    def _dial(self) -> None:
        self._is_dialing = False
        if self._settings.needs_trust and not self._has_tried_trust:
            self._load_trust()
            return
        while True:
            found = self._pool.dial(monotonic())
            if isinstance(found, Opening):
                dial = Dial(self._pool.loop, found, self._new_link, self._settings.local_address, self._dialled)
                self._dials.add(dial)
                dial.go()
            elif isinstance(found, Lookup):
                self._look_up(found)
            else:
                break
        self._stop(self._dial_timer)
        if found < inf:
            self._dial_timer = self._pool.loop.call_later(max(0.0, found - monotonic()), self._dial_soon)

    def _load_trust(self) -> None:
        """Off the loop: it may take longer than a turn should. What went wrong shows to each call that dials."""
        self._is_dialing = self._has_tried_trust = True
        self._settings.load_trust_soon(partial(self._enter, self._dial))

    def _new_link(self, owner: Dial, family: int) -> Link:
        link = self._link_kind(self._pool.loop, owner, family)
        self._links.add(link)
        return link

    def _dialled(self, dial: Dial) -> None:
        opening = dial.opening
        self._dials.discard(dial)
        connection = opening.connection
        if connection is None:
            assert opening.error is not None
            self._links.difference_update(opening.sockets.values())
            self._pool.failed(opening, opening.error)
        else:
            link: Link = connection.transport
            self._links.difference_update(other for other in opening.sockets.values() if other is not link)
            connection.transport = link.owner = _Line(self, connection, link)
            self._lines.add(connection.transport)
            unwanted = self._pool.opened(opening, connection, monotonic())
            if unwanted is not None:
                self._close(unwanted)
                self._pool.drop(unwanted, monotonic(), dead=False)

    def _look_up(self, lookup: Lookup) -> None:
        self._settings.look_up(partial(self._enter, self._settings.tell, self._pool, lookup))

    def _enter(self, callback: Callable[..., None], *arguments: Any) -> None:
        """Calls it in the loop, from any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._pool.loop.call_soon_threadsafe(callback, *arguments)

    # Life

    def _begin(self) -> None:
        """The loop in which it is first used is its own."""
        self._check_place()
        loop = self._loop = self._pool.loop = get_running_loop()
        try:
            loop.remove_reader(NO_DESCRIPTOR)
        except NotImplementedError:
            self._link_kind = TaskLink

    def _check_place(self) -> None:
        if self._is_forked:
            raise Closed("this client belongs to the process that made it: make one in each process")
        if self._loop is not None and self._loop is not get_running_loop():
            raise Closed("this client belongs to another event loop: make one for each")

    def _stop(self, timer: asyncio.Handle | None) -> None:
        if timer is not None:
            timer.cancel()

    def _restart_in_child(self) -> None:
        """After a fork: the parent's connections are the parent's; not a byte of TLS may come from here."""
        for link in self._links:
            with suppress(OSError):
                os.close(link.socket.detach())
        was_used, was_closed = self._loop is not None, self._pool.is_closed
        self._begin_empty()
        self._is_forked = was_used
        if was_closed:
            self._pool.close()


_clients: WeakSet[AsyncClient] = WeakSet()


def _restart_all() -> None:
    for client in list(_clients):
        client._restart_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_restart_all)
