"""The gateway: takes connections, reads requests with h11, acts upon them or not, and answers well or badly.

It is the judge: it keeps how often it acted upon each call, and when each connection came. It acts upon whole requests
only, and never upon one that it answers with a 4xx, or with a code that refuses. Whatever a status says, its bodies
are those of the real one, so that a failing status may come with a code of success in its body.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from enum import Enum, auto
from functools import cache
from random import Random
from typing import Protocol

import h11

from .clock import Clock, Timer
from .journal import Fault, Journal


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
    REFUSED_BY_CODE = auto()  # 200, and a code that says no
    UNSURE_BY_CODE = auto()  # 200, and a code that says nothing, acted upon or not
    UNREADABLE = auto()  # 200, and no code at all, acted upon or not


class Door(Protocol):
    """What a session answers through."""

    def send(self, data: bytes) -> bool: ...
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

    def __init__(self, clock: Clock, random: Random, journal: Journal, manners: Manners) -> None:
        self.clock = clock
        self.random = random
        self.journal = journal
        self.manners = manners
        self.wall = 1_800_000_000.0  # seconds on the wall beside those of the clock
        self.requests = 0
        self.said: defaultdict[str, set[bytes]] = defaultdict(set)  # the bodies that answered each call
        self.acted: Counter[str] = Counter()
        self.acts: Callable[[str], None] = lambda call: None  # told in the moment in which it does
        self.accepted = 0
        self.offences: list[str] = []  # what no client of ours may do
        self._sessions: set[Session] = set()

    def accept(self, far: Door) -> Session:
        self.accepted += 1
        session = Session(self, far)
        self._sessions.add(session)
        return session

    def restart(self) -> None:
        """Drops every connection, by an end or a reset."""
        self.journal.fault(Fault.RESTARTED)
        for session in sorted(self._sessions, key=lambda session: session.number):
            (session.far.close if self.random.random() < 0.5 else session.far.reset)()
            session.lose()

    def act(self, call: str) -> None:
        self.acted[call] += 1
        self.journal.tell("gateway", "acts upon", call)
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
        self.number = gateway.accepted
        self._gateway = gateway
        self._http = h11.Connection(h11.SERVER)
        self._requests = 0
        self._call = ""
        self._size = 0
        self._fate = Fate.ANSWERED
        self._is_over = self._is_ending = self._has_begun = False
        self._timer: Timer | None = None
        if gateway.random.random() < gateway.manners.greets:
            self._give_up()
        else:
            self._rest()

    @property
    def stage(self) -> Fault:
        """What a loss of the connection now is a loss in."""
        if self._http.their_state is h11.DONE:
            return Fault.LOST_BEFORE_ANSWER
        if self._has_begun:
            return Fault.LOST_IN_REQUEST
        return Fault.LOST_AT_REST if self._requests else Fault.LOST_UNUSED

    # What the network brings

    def receive(self, data: bytes) -> None:
        if not self._is_over:
            self._has_begun = True
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
        self._gateway.requests += 1
        self._fate = self._gateway.draw_fate()
        if self._timer is not None:
            self._timer.cancel()
        if self._fate is Fate.REFUSED_EARLY:
            self._gateway.journal.fault(Fault.REFUSED_EARLY, self._call)
            self._answer(self._gateway.random.choice((413, 429)), _REFUSAL, closes=True)

    def _complete(self) -> None:
        if self._size != int(self._call.rpartition("/")[2]):
            self._gateway.offences.append("a body of another length than this call's")
        gateway = self._gateway
        if self._fate in _FAULTS:
            gateway.journal.fault(_FAULTS[self._fate], self._call)
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
            if not closes and random.random() < gateway.manners.hangs_up:
                closes = True
                gateway.journal.fault(Fault.HUNG_UP, self._call)
            self._answer(random.choice((200, 200, 201)), self._success(), closes=closes, is_last=is_last)
        elif fate is Fate.CUT:
            self._answer(200, self._success(), closes=False, cut=True)
        elif fate in _STATUSES:
            status = random.choice(_STATUSES[fate])
            body = self._success() if random.random() < 0.5 else _REFUSAL
            self._answer(status, body, closes=status == 408 or random.random() < 0.3)
        elif fate in _BODIES:
            self._answer(200, random.choice(_BODIES[fate]), closes=random.random() < 0.3)
        elif random.random() < 0.7:
            self._break_off()

    def _success(self) -> bytes:
        """The body of success, in either shape that names the message: its id is the call's number."""
        number = self._call.partition("-")[2].partition("/")[0]
        if int(number) % 2:
            return f"100\n{number}".encode()
        message = f'{{"id":"{number}","recipient":"49170{number}","success":true,"error":null}}'
        return f'{{"success":"100","total_price":0.075,"messages":[{message}]}}'.encode()

    def _answer(self, status: int, body: bytes, *, closes: bool, is_last: bool = False, cut: bool = False) -> None:
        random, http, journal = self._gateway.random, self._http, self._gateway.journal
        self._has_begun = False
        self._gateway.said[self._call].add(body)
        journal.tell("gateway", "answers", self._call, "with", status, body if len(body) < 20 else "100", "…" * cut)
        headers = [("Date", _date(int(self._gateway.wall + self._gateway.clock.now)))]
        has_length = random.random() < 0.6
        headers.append(("Content-Length", str(len(body))) if has_length else ("Transfer-Encoding", "chunked"))
        if closes:
            headers.append(("Connection", "close"))
        elif self._gateway.manners.announces:
            left = max(0, self._gateway.manners.max_requests - self._requests)
            headers.append(("Keep-Alive", f"timeout={self._gateway.manners.idle:.0f}, max={left}"))
        if status in (429, 503) and random.random() < 0.5:
            headers.append(("Retry-After", random.choice(("0", "1", "60", "soon", headers[0][1]))))
        said = b""
        if self._fate is Fate.WITH_INTERIM:
            said += http.send(h11.InformationalResponse(status_code=random.choice((100, 103)), headers=[])) or b""
        said += http.send(h11.Response(status_code=status, headers=headers)) or b""
        middle = random.randrange(len(body) + 1)
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
        self._timer = self._gateway.clock.at(self._gateway.clock.now + manners.idle, self._end_rest)

    def _end_rest(self) -> None:
        self._gateway.journal.fault(Fault.GAVE_UP_IDLE, self.far)
        self._give_up()

    def _give_up(self) -> None:
        """Takes no further request; some servers say so before they close."""
        is_said = self._gateway.random.random() < self._gateway.manners.greets
        if is_said and self.far.send(_TIMED_OUT):
            self._gateway.journal.fault(Fault.SAID_408_UNASKED, self.far)
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
_MAY_ACT = {Fate.FAILED, Fate.MOVED, Fate.UNSURE_BY_CODE, Fate.UNREADABLE}
_STATUSES = {
    Fate.REFUSED: (400, 401, 404),
    Fate.REFUSED_FOR_NOW: (408, 421, 425, 429),
    Fate.FAILED: (500, 502, 503, 504),
    Fate.MOVED: (301, 302, 307),
}
_REFUSAL = b"900"
_TIMED_OUT = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_BODIES = {
    Fate.REFUSED_BY_CODE: (b"900", b'"402"', b'{"success":"500","messages":[]}', b'{"code": 903}'),
    Fate.UNSURE_BY_CODE: (b"600", b'"700"', b"11", b"4711", b'{"success":"101","messages":[]}'),
    Fate.UNREADABLE: (b"", b"<html>", b"[]", b'{"success":'),
}
_FAULTS = {
    Fate.ANSWERED_AND_CLOSED: Fault.ANSWERED_AND_CLOSED,
    Fate.WITH_INTERIM: Fault.WITH_INTERIM,
    Fate.WITH_BYTES_BEHIND: Fault.WITH_BYTES_BEHIND,
    Fate.CUT: Fault.CUT,
    Fate.UNANSWERED: Fault.UNANSWERED,
    Fate.DROPPED: Fault.DROPPED,
    Fate.REFUSED: Fault.REFUSED_BY_STATUS,
    Fate.REFUSED_FOR_NOW: Fault.REFUSED_FOR_NOW,
    Fate.FAILED: Fault.FAILED,
    Fate.MOVED: Fault.MOVED,
    Fate.REFUSED_BY_CODE: Fault.REFUSED_BY_CODE,
    Fate.UNSURE_BY_CODE: Fault.UNSURE_BY_CODE,
    Fate.UNREADABLE: Fault.UNREADABLE,
}


@cache
def _date(seconds: int) -> str:
    """By the gateway's wall clock."""
    return formatdate(seconds, usegmt=True)
