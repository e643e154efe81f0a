"""Somebody impatient presses twice: a second interrupt at every single point of the clean-up behind the first."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from types import FrameType

import pytest

from smswire import Client, Sent
from smswire.flow.retry import Outcome

from .raw import OK, Peer
from .test_interrupts_everywhere import POINTS, eager_pacer, is_nobodys

pytestmark = pytest.mark.about("blocking")


# Where the first one comes: as the function begins.
PLACES = ["_dial", "_connect", "_watch", "_flush", "handle_opened", "_write", "handle_sent", "_receive", "handle_data"]


class TwoInterrupts:
    """Raises KeyboardInterrupt as the function ``place`` begins, and again ``number`` points later."""

    def __init__(self, place: str, number: int) -> None:
        self._name = place
        self._left = number
        self.is_pressed = False
        self.place: str | None = None

    def first(self, frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_name == self._name:
            sys.settrace(None)
            self.is_pressed = True
            raise KeyboardInterrupt

    def second(self, frame: FrameType, event: str, argument: object) -> None:
        if not self.is_pressed or event not in POINTS or frame.f_code.co_filename == __file__ or is_nobodys(frame):
            return
        self._left -= 1
        if self._left < 0:
            sys.setprofile(None)
            self.place = f"{frame.f_code.co_name}:{frame.f_lineno} {event} {argument!r}"
            raise KeyboardInterrupt

    def run(self, function: Callable[[], object]) -> None:
        # Two hooks, because Python takes one away that has raised. A collection's callbacks would swallow an interrupt.
        gc.disable()
        tracing = sys.gettrace()
        sys.settrace(self.first)
        sys.setprofile(self.second)
        try:
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.setprofile(None)
            sys.settrace(tracing)
            gc.enable()


def pairs(place: str) -> Iterator[TwoInterrupts]:
    """One for each point of the clean-up, up to the first that is not reached."""
    number = 0
    reached = True
    while reached:
        interrupts = TwoInterrupts(place, number)
        yield interrupts
        assert interrupts.is_pressed
        reached = interrupts.place is not None
        number += 1
    assert number > 30


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("place", PLACES)
def test_no_second_interrupt_tears_the_clean_up(serve, make_client, place, tls):
    """Nothing stays in use, no grant is lost, NO is never said of what has arrived, and the next call succeeds."""

    def handler(peer: Peer) -> None:
        while peer.read_request() is not None:
            peer.send(OK)

    server = serve(handler, tls=tls)
    pacer = eager_pacer()
    for interrupts in pairs(place):
        client: Client = make_client(server, max_connections=1, pacer=pacer)
        outcome = Outcome()
        seen = len(server.requests)
        interrupts.run(lambda client=client, outcome=outcome: client.request("POST", "/interrupted", outcome=outcome))
        assert client.stats()[2:5] == (0, 0, 0), interrupts.place
        assert client.request("POST", "/after").status == 200, interrupts.place
        client.close()
        assert pacer.stats().unsettled == 0, interrupts.place
        arrived = any(b"/interrupted" in request for request in server.requests[seen:])
        assert not (arrived and outcome.sent is Sent.NO), interrupts.place
