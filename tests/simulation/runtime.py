"""A third runtime over the core: it does what ``Dispatch`` and ``Opening`` say, in virtual time.

It mirrors ``smswire.net.blocking``, with tasks for threads and the simulated network for sockets, and owns no rule of
its own either. With ``dials=False`` the openings belong to the pool, as they do under asyncio: one task asks the pool
for the next dial, woken by ``Pool.dialer``.

What it watches on the side, for the laws: who uses a connection, in which order calls queued and were served, and
that a wake-up too many changes nothing.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from smswire.errors import GatewayError, ResolutionError, Timeout
from smswire.events import Event
from smswire.flow import dispatch
from smswire.flow.connection import Connection
from smswire.flow.dialing import Address, Opening
from smswire.flow.dispatch import Dispatch
from smswire.flow.observed import Observer
from smswire.flow.observed import observed as observed_kind
from smswire.flow.observed_dispatch import ObservedDispatch
from smswire.flow.pacing import Pacing
from smswire.flow.pool import Holder, Lookup, Pool, Waiter
from smswire.gateway.answer import SmsAnswer, read_sms
from smswire.gateway.bundle import refused
from smswire.gateway.errand import Errand, Place
from smswire.wire.channel import Channel
from smswire.wire.message import Request
from smswire.wire.tls import TLS

from .calls import Call, Interrupted, Signal, Transport
from .clock import Clock, Steps, Task
from .dials import Sockets, Waits
from .journal import Fault
from .names import Names
from .network import Network

MOST_STEPS = 50_000
"""Of one call. Three attempts of 5,000 bytes, by one or two bytes through a buffer that stays full, take 11,000."""


class WatchedPool(Pool):
    """A pool that is watched for who uses a connection: who gives it back does not, from before anybody is woken; and
    for the order of its queue, which is kept here once more.

    Where threads use it, one may be switched out between its look at the idle stack and its place in the queue.
    """

    switches: Callable[[], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._line: deque[Waiter] = deque()

    def join(self, waiter: Waiter, now: float, *, head: bool = False) -> Connection | None:
        (self._line.appendleft if head else self._line.append)(waiter)
        return super().join(waiter, now, head=head)

    def _hand_over(self, connection: Connection, holder: Holder | None) -> None:
        if isinstance(holder, Waiter) and holder in self._waiting:
            line = self._line
            while line[0] not in self._waiting:
                line.popleft()
            assert line[0] is holder, "somebody is served before the first in the queue"
        super()._hand_over(connection, holder)

    def take(self, now: float, holder: Holder | None = None) -> Connection | None:
        connection = super().take(now, holder)
        if connection is None and self.switches is not None:
            self.switches()
        return connection

    def give(self, connection: Connection, now: float) -> Connection | None:
        transport: Transport = connection.transport
        user, transport.user = transport.user, None
        past = super().give(connection, now)
        if past is connection:
            transport.user = user
        return past


class Client(Sockets):
    """One pool and the calls of it."""

    def __init__(
        self,
        clock: Clock,
        random: Random,
        network: Network,
        names: Names,
        pacing: Pacing,
        *,
        late: Callable[[], float],
        dials: bool,
        tls: TLS | None,
        observed: bool,
        **pool_options: Any,
    ) -> None:
        super().__init__(clock, network, late)
        self.is_closed = False
        self.events: list[Event] = []
        observer = Observer(self.events.append, lambda: None, lambda: clock.now)
        kind = observed_kind(WatchedPool, observer) if observed else WatchedPool
        self.pool = kind(pacing, lambda: Channel("gateway", tls=tls), random.random, **pool_options)
        self._new_dispatch = ObservedDispatch if observed else Dispatch
        self.queued: dict[Call, None] = {}
        self.dialled: dict[Call, None] = {}
        self.served: dict[Call, float] = {}
        self._random = random
        self._pacing = pacing
        self._names = names
        self._dials = dials
        self._waiting: dict[Dispatch, Signal] = {}
        self._tasks: dict[Call, Task] = {}
        self._dialer_waits_until = -math.inf
        self._openings: dict[Opening, Task] = {}
        self._rest = Signal(clock)
        self._news = Signal(clock)
        if dials:
            self.pool.switches = self._suspend_running
        else:
            self.pool.dialer = self._news.wake
            self._news.task = Task(clock, self._dialer(), late)
            self._news.task.start()

    # Commands

    def start(self, call: Call) -> None:
        """Begins a call, in a task of its own."""
        call.deadline = self._clock.now + call.timeout
        signal = Signal(self._clock, call.deadline)
        self._journal.tell(call, "begins, with", f"{call.timeout:g} s,", len(call.body), "bytes")
        task = signal.task = Task(self._clock, self._request(call, signal), lambda: self._draw_late(call))
        self._tasks[call] = task
        task.start()

    def interrupt(self, call: Call) -> None:
        """Interrupts a call wherever it waits; no call more than once."""
        task = self._tasks.get(call)
        if task is not None and call.interrupt_at_point >= 0:
            call.interrupt_at_point = -1
            self._journal.fault(Fault.INTERRUPTED_IN_WAIT, call)
            task.interrupt(Interrupted())

    def close(self, drain: float) -> None:
        """Takes no further call, and ends what is under way after ``drain`` seconds."""
        self.is_closed = True
        self._journal.tell("client", "is closed")
        self._rest.arm()
        self._rest.task = Task(self._clock, self._close(drain), self._late)
        self._rest.task.start()

    def check_wake_ups(self) -> None:
        """When all that was due has happened, nothing lies idle while a call queues, and asking again may not show
        anything that nobody was woken for.
        """
        stats = self.pool.stats()
        queued = stats.waiting - (stats.dialling if self._dials else 0)
        assert not (stats.idle and queued), "a call waits beside an idle connection"
        for call, signal in list(self._waiting.items()):
            if call not in self._waiting:
                continue  # this look has ended its wait
            named = call.wait_until
            step = call.next_step(self._clock.now)
            if step == dispatch.LOOKUP:
                assert call.lookup is not None
                self._look_up_again(call.lookup, signal, is_due=named < signal.deadline)
                continue
            assert step == dispatch.WAIT, "a call could go on, and was not woken"
            if call.wait_until < named:
                self._check_lookup(call.wait_until, signal, "a call's time came nearer, and it was not woken")
        if not self._dials:
            found = self.pool.dial(self._clock.now)
            if isinstance(found, Lookup):
                self._look_up_again(found, self._news, is_due=self._dialer_waits_until < math.inf)
                return
            assert isinstance(found, float), "a dial could begin, and the dialer was not woken"
            if found < self._dialer_waits_until:
                self._check_lookup(found, self._news, "the dialer's time came nearer, and it was not woken")

    def _check_lookup(self, named: float, signal: Signal, otherwise: str) -> None:
        """Time may come nearer by itself where addresses have grown old: then it is that of the lookup under way."""
        lookup = self.pool._lookup
        assert lookup is not None, otherwise
        assert named == lookup.until, otherwise
        self._check_somebody_is_due()
        signal.wake()

    def _check_somebody_is_due(self) -> None:
        slots = self._pacing.stats(self._clock.now)
        is_due = slots.live == self._pacing.limit or slots.unsettled > 0 or self.pool.stats().dialling > 0
        assert is_due, "a lookup could begin, and nobody was woken"

    def _look_up_again(self, lookup: Lookup, signal: Signal, *, is_due: bool) -> None:
        """Addresses grow old by themselves; but where a lookup would help, somebody has to be due to notice."""
        if not is_due:
            self._check_somebody_is_due()
        self._look_up(lookup)
        signal.wake()

    # A call

    def _request(self, call: Call, signal: Signal) -> Steps:
        clock = self._clock
        errand = Errand(
            Request("POST", call.target, [("Content-Type", "text/plain")], call.body),
            _read_accepted,
            Place(call.target, "gateway", sends=True),
            timeout=call.timeout,
            repeatable=call.repeatable,
            told=call.outcome,
        )
        steps = self._new_dispatch(
            self.pool,
            errand.request,
            deadline=call.deadline,
            signal=signal,
            draw=self._random.random,
            outcome=errand.exchange,
            repeatable=errand.repeatable,
        )
        try:
            try:
                yield from self._run(call, steps, steps.start(clock.now), signal)
            except Interrupted as error:
                call.interrupt_at_point = -1
                yield from self._run(call, steps, steps.abandon(clock.now), signal)
                call.error = error
            else:
                call.response, call.error = steps.response, steps.error
                if call.response is not None:
                    try:
                        call.answer = errand.read(call.response)
                    except GatewayError as error:
                        call.error = error
        finally:
            self._waiting.pop(steps, None)
        call.ended_at = clock.now
        if isinstance(call.error, Timeout):
            self._journal.fault(Fault.DEADLINE, call)
        self._journal.tell(call, "ends:", call.outcome, call.error or "")
        del self._tasks[call]

    def _run(self, call: Call, steps: Dispatch, step: int, signal: Signal) -> Steps:
        clock = self._clock
        while step != dispatch.DONE:
            call.steps += 1
            assert call.steps < MOST_STEPS, f"{call.target} goes round and round"
            yield from self._pause(call)
            self._point(call)
            connection = steps.connection
            if connection is not None:
                self._use(call, connection)
            if step == dispatch.READ:
                if not (yield from self._readable(steps)):
                    step = steps.next_step(clock.now)
                else:
                    step = self._receive(call, steps)
            elif step == dispatch.WRITE:
                step = self._write(call, steps)
            elif step == dispatch.BLOCKED:
                step = yield from self._wait_to_write(call, steps)
            elif step in (dispatch.PROBE, dispatch.DRAIN):
                step = self._receive(call, steps)
            elif step == dispatch.WAIT:
                yield from self._wait(call, steps, signal)
                self._point(call)
                step = steps.next_step(clock.now)
            elif step == dispatch.DIAL:
                assert steps.opening is not None
                self.dialled[call] = None
                opened = yield from self._dial(call, steps.opening)
                step = steps.handle_not_opened(clock.now) if opened is None else steps.handle_opened(opened, clock.now)
            elif step == dispatch.CLOSE:
                assert connection is not None
                self._let_go(connection.transport.socket, connection.channel.bytes_to_close())
                step = steps.handle_closed(clock.now)
            else:
                assert step == dispatch.LOOKUP
                assert steps.lookup is not None
                self._look_up(steps.lookup)
                step = steps.next_step(clock.now)
            if connection is not None and steps.connection is not connection and connection.transport.user is call:
                connection.transport.user = None

    def _suspend_running(self) -> None:
        assert self._clock.running is not None
        self._clock.running.be_suspended()

    def _wait(self, call: Call, steps: Dispatch, signal: Signal) -> Steps:
        self.queued[call] = None
        self._waiting[steps] = signal
        if not self.pool.has_ended:
            yield from signal.wait(steps.wait_until)
        self._waiting.pop(steps, None)

    def _readable(self, steps: Dispatch) -> Waits[bool]:
        assert steps.connection is not None
        socket = steps.connection.transport.socket
        yield from self._watch(lambda: socket.is_readable(), [socket], steps.wait_until)
        return bool(socket.is_readable())

    def _write(self, call: Call, steps: Dispatch) -> int:
        clock = self._clock
        assert steps.connection is not None
        socket = steps.connection.transport.socket
        assert call.has_paused or not socket.is_readable(), "a request is written where news could have been read"
        call.has_paused = True
        before = socket.readable_pieces
        try:
            n = socket.send(steps.bytes_to_send())
        except BlockingIOError:
            return steps.handle_would_block(clock.now)
        except OSError as error:
            return steps.handle_error(error, clock.now)
        call.taken += socket.readable_pieces - before
        self._journal.tell(call, "hands over", n, "bytes to", socket)
        try:
            self._point(call)
        except Interrupted:
            call.taken += 1  # with the system call's answer is lost how much it was
            raise
        return steps.handle_sent(n, clock.now)

    def _wait_to_write(self, call: Call, steps: Dispatch) -> Waits[int]:
        assert steps.connection is not None
        socket = steps.connection.transport.socket
        yield from self._watch(lambda: socket.is_readable() or socket.is_writable(), [socket], steps.wait_until)
        if socket.is_readable():
            return self._receive(call, steps)
        return steps.next_step(self._clock.now)

    def _receive(self, call: Call, steps: Dispatch) -> int:
        assert steps.connection is not None
        try:
            data = steps.connection.transport.socket.recv()
        except BlockingIOError:
            call.has_paused = False
            return steps.handle_would_block(self._clock.now)
        except OSError as error:
            return steps.handle_error(error, self._clock.now)
        self._point(call)
        return steps.handle_data(data, self._clock.now) if data else steps.handle_end(self._clock.now)

    # The pool's own openings

    def _dialer(self) -> Steps:
        while True:
            self._news.arm()
            found = self.pool.dial(self._clock.now)
            if isinstance(found, Opening):
                task = self._openings[found] = Task(self._clock, self._open(found), self._late)
                task.start()
            elif isinstance(found, Lookup):
                self._look_up(found)
            else:
                self._dialer_waits_until = found
                yield from self._news.wait(found)

    def _open(self, opening: Opening) -> Steps:
        connection = yield from self._dial(None, opening)
        if connection is not None:
            unwanted = self.pool.opened(opening, connection, self._clock.now)
            if unwanted is not None:
                self._let_go(unwanted.transport.socket, unwanted.channel.bytes_to_close())
                self.pool.drop(unwanted, self._clock.now, dead=False)
        else:
            assert opening.error is not None
            self.pool.failed(opening, opening.error)
        self._openings.pop(opening, None)

    def _look_up(self, lookup: Lookup) -> None:
        def answered(answer: list[Address] | ResolutionError) -> None:
            if isinstance(answer, ResolutionError):
                self.pool.lookup_failed(lookup, answer)
            else:
                self.pool.looked_up(lookup, answer, self._clock.now)

        self._names.start(lambda answer: self._clock.at(self._clock.now + self._late(), lambda: answered(answer)))

    # The end

    def _close(self, drain: float) -> Steps:
        for connection in self.pool.close(self._rest.wake):
            self._let_go(connection.transport.socket, connection.channel.bytes_to_close())
            self.pool.drop(connection, self._clock.now, dead=False)
        self._news.wake()
        yield from self._rest.wait(self._clock.now + drain)
        self.pool.end()
        for news in list(self._news_of):
            news.wake()
        for signal in list(self._waiting.values()):
            signal.wake()
        for socket in list(self._sockets):
            socket.shutdown()

    def _use(self, call: Call, connection: Connection) -> None:
        transport: Transport = connection.transport
        if transport.user is None:
            transport.user = call
            self.served[call] = self._clock.now
        assert transport.user is call, "two calls use one connection"


def _read_accepted(status: int, body: bytes) -> SmsAnswer:
    """As ``Gateway.sms`` reads the answer to one recipient."""
    answer = read_sms(status, body)
    error = refused(1, answer)
    if error is not None:
        raise error
    return answer
