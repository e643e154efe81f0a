"""An interrupt at every single point of a call at which Python could deliver one."""

from __future__ import annotations

import gc
import inspect
import math
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType

import pytest

from smswire import Client, Sent, errors
from smswire.flow.dialing import Address
from smswire.flow.dispatch import DIAL, PROBE
from smswire.flow.retry import Outcome
from smswire.net.blocking import LockedPool
from smswire.net.pacers import Pacer
from smswire.wire import Channel

from ..flow.calls import Call
from .raw import OK, Peer

pytestmark = pytest.mark.about("blocking")

# Signals are delivered where a function begins, and behind each call: that is where a profiler is called, too.
POINTS = ("call", "return", "c_return")


def is_nobodys(frame: FrameType) -> bool:
    """Generators thrown away and callbacks of weak references: what they raise Python prints, and raises to nobody.
    And ``Thread.start``, where an interrupt may leave a lock held that is none of ours.
    """
    code = frame.f_code
    return bool(code.co_flags & inspect.CO_GENERATOR) or code.co_name == "_remove" or starts_a_thread(frame)


def starts_a_thread(frame: FrameType) -> bool:
    around: FrameType | None = frame
    while around is not None and around.f_code.co_filename == threading.__file__:
        if around.f_code.co_name == "start":
            return True
        around = around.f_back
    return False


class Interrupt:
    """Raises KeyboardInterrupt at the point ``number`` of what runs under it; ``place`` is where that was."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.place: str | None = None

    def __call__(self, frame: FrameType, event: str, argument: object) -> None:
        if event not in POINTS or frame.f_code.co_filename == __file__ or is_nobodys(frame):
            return
        self.left -= 1
        if self.left < 0:
            sys.setprofile(None)
            self.place = f"{frame.f_code.co_name}:{frame.f_lineno} {event} {argument!r}"
            raise KeyboardInterrupt

    def run(self, function: Callable[[], object]) -> None:
        # A collection runs others' callbacks wherever it happens to fall: what they raise goes to nobody either.
        gc.disable()
        sys.setprofile(self)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
            gc.enable()


def interrupts() -> Iterator[Interrupt]:
    """One for each point, up to the first that is not reached."""
    number = 0
    while True:
        interrupt = Interrupt(number)
        yield interrupt
        if interrupt.place is None:
            # Hundreds: a profiler that sees nothing would make the test one that cannot fail.
            assert number > 300
            return
        number += 1


def eager_pacer() -> Pacer:
    """An interrupt may cost a grant its word, and so ``lag`` seconds of a slot."""
    return Pacer(limit=10_000, spacing=0.0, lag=0.001)


CLOSING = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
WAYS = {
    "dial": (False, True, OK),
    "dial-plain": (False, False, OK),
    "reuse": (True, True, OK),
    "closing": (True, False, CLOSING),
    "cut": (True, False, OK[:20]),
}


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize(
    ("way", "is_observed"), [*((way, False) for way in WAYS), ("dial-plain", True), ("closing", True)]
)
def test_no_interrupt_tears_a_call(serve, make_client, way, is_observed):
    """Wherever it comes: nothing stays in use, NO is never said of what has arrived, and the next call succeeds."""
    reuses, tls, answer = WAYS[way]

    def handler(peer: Peer) -> None:
        while (request := peer.read_request()) is not None:
            is_last = b"/interrupted" in request and answer is not OK
            peer.send(answer if is_last else OK)
            if is_last:
                return

    server = serve(handler, tls=tls)
    pacer = eager_pacer()
    for interrupt in interrupts():
        client = make_client(
            server, max_connections=1, pacer=pacer, on_event=(lambda event: None) if is_observed else None
        )
        if reuses:
            client.request("POST", "/before")
        outcome = Outcome()
        seen = len(server.requests)

        def call(client: Client = client, outcome: Outcome = outcome) -> None:
            with suppress(errors.ConnectionEnded):
                client.request("POST", "/interrupted", outcome=outcome)

        interrupt.run(call)
        assert client.stats()[2:5] == (0, 0, 0), interrupt.place
        assert client.request("POST", "/after").status == 200, interrupt.place
        client.close()
        assert pacer.stats().unsettled == 0, interrupt.place
        arrived = any(b"/interrupted" in request for request in server.requests[seen:])
        assert not (arrived and outcome.sent is Sent.NO), interrupt.place


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_interrupt_of_a_lookup_holds_up_the_next(serve, make_client):
    """The name is looked up for the next call at once, as though nobody had asked before."""
    server = serve()
    origin = server.origin.replace("127.0.0.1", "localhost")
    pacer = eager_pacer()

    def resolve(host: str) -> list[str]:
        return ["127.0.0.1"]

    for interrupt in interrupts():
        client = make_client(origin, pacer=pacer, resolve=resolve, connect_timeout=600.0)
        interrupt.run(lambda client=client: client.request("POST", "/interrupted"))
        assert client.request("POST", "/after", timeout=5.0).status == 200, interrupt.place
        client.close()


@pytest.mark.parametrize("answer", [OK, CLOSING], ids=["kept", "closed"])
def test_no_interrupt_forgets_who_waits(answer):
    """A call gives back or closes the only connection: another that waits is woken, to have it or to dial."""
    number = 0
    place: str | None = ""
    while place is not None:
        pool = LockedPool(Pacer(spacing=0.0), lambda: Channel("gateway.test"), lambda: 0.5, max_connections=1)
        pool.addresses.replace([Address(socket.AF_INET, ("127.0.0.1", 1))], math.inf)
        call = Call(pool)
        call.send(0.0)
        waiting = Call(pool)
        interrupt = Interrupt(number)
        interrupt.run(lambda call=call: (call.receive(answer, 0.0), call.finish(0.0)))
        if interrupt.place is not None:
            call.step = call.dispatch.abandon(0.0)
            call.finish(0.0)
        assert waiting.bell.rung, interrupt.place
        assert waiting.next(0.0) in (PROBE, DIAL), interrupt.place
        place = interrupt.place
        number += 1
    assert number > 30


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_no_interrupt_of_close_leaves_anything_open(serve, make_client):
    """Closing once more ends what was left, without waiting."""
    server = serve(tls=True)
    pacer = eager_pacer()
    number = 0
    reached = True
    while reached:
        interrupt = Interrupt(number)
        client = make_client(server, pacer=pacer)
        client.request("POST", "/")
        interrupt.run(client.close)
        client.close(drain=600.0)
        assert client.stats()[:5] == (0, 0, 0, 0, 0), interrupt.place
        reached = interrupt.place is not None
        number += 1
    assert number > 30
