"""The gateway: takes connections, reads requests with h11, acts upon them or not, and answers well or badly.

It is the judge: it keeps how often it acted upon each call, and when each connection came. It acts upon whole requests
only, and never upon one that it answers with a 4xx.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from random import Random
from typing import Protocol

import h11

from .clock import Clock, Timer


class Fate(Enum):
    """What becomes of one request."""

    ANSWERED = auto()
    ANSWERED_AND_CLOSED = auto()
    WITH_INTERIM = auto()
    WITH_BYTES_BEHIND = auto()
    CUT = auto()  # acted upon, and the answer breaks off somewhere
    UNANSWERED = auto()  # acted upon, and no answer ever
    DROPPED = auto()  # neither
    REFUSED = auto()  # 4xx
    REFUSED_FOR_NOW = auto()  # 408 with close, 421, 425, 429
    REFUSED_EARLY = auto()  # 429 or 413 before the whole request was read
    FAILED = auto()  # 5xx, acted upon or not
    MOVED = auto()  # 3xx, acted upon or not


class Door(Protocol):
    """What a session answers through."""

    def send(self, data: bytes) -> None: ...
    def close(self) -> None: ...
    def reset(self) -> None: ...


@dataclass
class Manners:
    """How the gateway behaves: the share of requests that get another fate than a plain answer, seconds it thinks,
    requests it takes on a connection, seconds it leaves one idle, and the share of connections that it
    gives up with a 408 nobody asked for, some at once, the share of good answers that close, and whether it announces
    its limits.
    """

    trouble: float = 0.0
    thinks: float = 0.02
    max_requests: int = 500
    idle: float = 3.0
    greets: float = 0.0
    hangs_up: float = 0.0
    announces: bool = False


class Gateway:
    """One gateway behind all addresses."""

    def __init__(self, clock: Clock, random: Random, manners: Manners) -> None:
        self.clock = clock
        self.random = random
        self.manners = manners
        self.acted: Counter[str] = Counter()
        self.acts: Callable[[str], None] = lambda call: None  # told in the moment in which it does
        self.accepted_at: list[float] = []
        self.offences: list[str] = []  # what no client of ours may do
        self._sessions: set[Session] = set()

    def accept(self, far: Door) -> Session:
        self.accepted_at.append(self.clock.now)
        session = Session(self, far)
        self._sessions.add(session)
        return session

    def restart(self) -> None:
        """Drops every connection, by an end or a reset."""
        for session in sorted(self._sessions, key=lambda session: session.number):
            (session.far.close if self.random.random() < 0.5 else session.far.reset)()
            session.lose()

    def act(self, call: str) -> None:
        self.acted[call] += 1
        self.acts(call)

    def forget(self, session: Session) -> None:
        self._sessions.discard(session)

    def draw_fate(self) -> Fate:
        if self.random.random() >= self.manners.trouble:
            return Fate.ANSWERED
        return self.random.choice(list(Fate))


class Session:
    """One connection at the gateway."""

    def __init__(self, gateway: Gateway, far: Door) -> None:
        self.far = far
        self.number = len(gateway.accepted_at)
        self._gateway = gateway
        self._http = h11.Connection(h11.SERVER)
        self._requests = 0
        self._call = ""
        self._size = 0
        self._fate = Fate.ANSWERED
        self._is_over = self._is_ending = False
        self._timer: Timer | None = None
        if gateway.random.random() < gateway.manners.greets:
            self._give_up()
        else:
            self._rest()

    # What the network brings

    def receive(self, data: bytes) -> None:
        if not self._is_over:
            self._http.receive_data(data)
            self._read()

    def end(self) -> None:
        self._is_ending = True
        if self._http.their_state is not h11.DONE:
            self._finish()

    def lose(self) -> None:
        self._is_over = True
        self._gateway.forget(self)
        # What it thinks about it still finishes; only the idle timer goes.
        if self._timer is not None and self._http.our_state is h11.IDLE:
            self._timer.cancel()

    # Requests

    def _read(self) -> None:
        while not self._is_over:
            if self._http.their_state is h11.DONE and self._http.trailing_data[0]:
                self._gateway.offences.append("a request before the answer to the one before was out")
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                self._gateway.offences.append(f"not HTTP: {error}")
                self._finish()
                return
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._size += len(event.data)
                if event.data.strip(b"x"):
                    self._gateway.offences.append("a body that is not this call's")
            elif isinstance(event, h11.EndOfMessage):
                self._complete()
            else:
                return

    def _begin(self, request: h11.Request) -> None:
        if request.method != b"POST":
            self._gateway.offences.append(f"a request of another method: {request.method!r}")
        self._call = request.target.decode()
        self._size = 0
        self._requests += 1
        self._fate = self._gateway.draw_fate()
        if self._timer is not None:
            self._timer.cancel()
        if self._fate is Fate.REFUSED_EARLY:
            self._answer(self._gateway.random.choice((413, 429)), closes=True)

    def _complete(self) -> None:
        if self._size != int(self._call.rpartition("/")[2]):
            self._gateway.offences.append("a body of another length than this call's")
        gateway = self._gateway
        acts = self._fate in _ACTING or (self._fate in _MAY_ACT and gateway.random.random() < 0.5)
        if acts and gateway.random.random() < 0.5:
            gateway.act(self._call)
            acts = False
        thinks = gateway.manners.thinks * (0.5 + gateway.random.random())
        self._timer = gateway.clock.at(gateway.clock.now + thinks, lambda: self._done(acts))

    def _done(self, acts: bool) -> None:
        gateway, fate = self._gateway, self._fate
        if acts:
            gateway.act(self._call)
        if self._is_over:
            return
        random = gateway.random
        if fate in _WELL_ANSWERED:
            is_last = self._requests >= gateway.manners.max_requests
            closes = fate is Fate.ANSWERED_AND_CLOSED or (is_last and random.random() < 0.5)
            closes = closes or random.random() < gateway.manners.hangs_up
            self._answer(random.choice((200, 200, 201)), closes=closes, is_last=is_last)
        elif fate is Fate.CUT:
            self._answer(200, closes=False, cut=True)
        elif fate is Fate.REFUSED:
            self._answer(random.choice((400, 401, 404)), closes=random.random() < 0.3)
        elif fate is Fate.REFUSED_FOR_NOW:
            status = random.choice((408, 421, 425, 429))
            self._answer(status, closes=status == 408 or random.random() < 0.3)
        elif fate is Fate.FAILED:
            self._answer(random.choice((500, 502, 503, 504)), closes=random.random() < 0.3)
        elif fate is Fate.MOVED:
            self._answer(random.choice((301, 302, 307)), closes=random.random() < 0.3)
        elif random.random() < 0.7:
            self._break_off()

    def _answer(self, status: int, *, closes: bool, is_last: bool = False, cut: bool = False) -> None:
        random, http = self._gateway.random, self._http
        body = b"acted upon " + self._call.encode()
        headers = [("Content-Length", str(len(body)))] if random.random() < 0.6 else [("Transfer-Encoding", "chunked")]
        if closes:
            headers.append(("Connection", "close"))
        elif self._gateway.manners.announces:
            left = max(0, self._gateway.manners.max_requests - self._requests)
            headers.append(("Keep-Alive", f"timeout={self._gateway.manners.idle:.0f}, max={left}"))
        if status in (429, 503) and random.random() < 0.5:
            headers.append(("Retry-After", random.choice(("0", "1", "60", "soon"))))
        said = b""
        if self._fate is Fate.WITH_INTERIM:
            said += http.send(h11.InformationalResponse(status_code=random.choice((100, 103)), headers=[])) or b""
        said += http.send(h11.Response(status_code=status, headers=headers)) or b""
        middle = random.randrange(len(body))
        for piece in (body[:middle], body[middle:]):
            said += http.send(h11.Data(data=piece)) or b""
        said += http.send(h11.EndOfMessage()) or b""
        if cut:
            self.far.send(said[: random.randrange(len(said))])
            self._break_off()
            return
        if self._fate is Fate.WITH_BYTES_BEHIND and not (closes or is_last) and random.random() < 0.5:
            # Whoever uses this connection again takes what follows for its own answer.
            self.far.send(said + b"x")
            self._gateway.clock.at(self._gateway.clock.now + 0.1 * random.random(), self._say_more)
            self._http.start_next_cycle()
            self._rest()
            self._read()
            return
        self.far.send(said)
        if self._fate is Fate.WITH_BYTES_BEHIND:
            self.far.send(b"HTTP/1.1 200 OK\r\n")
        if closes or is_last or self._is_ending or self._fate is Fate.WITH_BYTES_BEHIND:
            self._finish()
        else:
            self._http.start_next_cycle()
            self._rest()
            self._read()

    def _say_more(self) -> None:
        if not self._is_over:
            self.far.send(b"HTTP/1.1 200 OK\r\nContent-Length: 16\r\n\r\nfor someone else")

    # The end

    def _rest(self) -> None:
        manners = self._gateway.manners
        self._timer = self._gateway.clock.at(self._gateway.clock.now + manners.idle, self._give_up)

    def _give_up(self) -> None:
        """Takes no further request; some servers say so before they close."""
        if self._gateway.random.random() < self._gateway.manners.greets:
            self.far.send(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        self._finish()

    def _break_off(self) -> None:
        """Ends in one of the ways in which answers do not come."""
        how = self._gateway.random.randrange(3)
        if how == 0:
            self._finish()
        elif how == 1:
            self.far.reset()
            self.lose()
        else:
            # Never heard of again, until somebody else gives up.
            self._is_over = True

    def _finish(self) -> None:
        self.far.close()
        self._is_over = True
        self._gateway.forget(self)
        if self._timer is not None and self._http.our_state is h11.IDLE:
            self._timer.cancel()


_WELL_ANSWERED = {Fate.ANSWERED, Fate.ANSWERED_AND_CLOSED, Fate.WITH_INTERIM, Fate.WITH_BYTES_BEHIND}
_ACTING = _WELL_ANSWERED | {Fate.CUT, Fate.UNANSWERED}
_MAY_ACT = {Fate.FAILED, Fate.MOVED}
