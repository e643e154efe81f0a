"""The channel as a whole: what it refuses to begin with, and the laws that hold in any order of calls."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import (
    Closed,
    ConfigurationError,
    ConnectionEnded,
    InvalidRequest,
    ProtocolError,
    Sent,
    SmswireError,
)
from smswire.wire import Channel, Request

from .link import ANSWER, REQUEST, Link

both = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])


@both
def test_a_request_that_h11_refuses_leaves_the_channel_as_it_was(secure: bool) -> None:
    """A field h11 does not know how to say; the next request goes its way."""
    link = Link(secure=secure)
    for _ in range(2):
        bad = Request("GET", "/")
        object.__setattr__(bad, "target", "/a b")
        with pytest.raises(InvalidRequest):
            link.channel.send_request(bad)
        assert link.channel.reusable
        assert bytes(link.channel.bytes_to_send()) == b""
        link.channel.send_request(REQUEST)
        link.take()
        link.hear(ANSWER)
        assert link.channel.reusable


@pytest.mark.parametrize("host", ["", " ", "a b", "a\r\nb", "ä.example", "a\0", "\ud800"])
def test_a_host_is_printable_ascii(host: str) -> None:
    """It goes into every head."""
    with pytest.raises(ConfigurationError):
        Channel(host)


OPERATIONS = st.lists(
    st.sampled_from(["ask", "ask long", "take", "take", "answer", "answer", "rest", "end", "farewell", "give up"])
    | st.tuples(st.sampled_from(["take", "say"]), st.integers(0, 50)),
    max_size=14,
)
LONG = Request("POST", "/api/sms", body=bytes(20_000))


class Laws:
    """Does what it is told, and checks after each step what must hold whatever was done before."""

    def __init__(self, *, secure: bool) -> None:
        self.link = Link(secure=secure)
        self.was_answered = True  # no request is open
        self.is_gone = False  # once a channel that awaits nothing is not reusable, it never is again
        self.before = 0  # what the far end had read when the request began
        self.said = 0
        self.has_parted = False

    def do(self, name: str, count: int | None) -> None:
        channel, peer = self.link.channel, self.link.peer
        if name.startswith("ask"):
            channel.send_request(LONG if name == "ask long" else REQUEST)
            self.before, self.was_answered, self.said = len(self.link.read), False, 0
        elif name == "take":
            self.link.take(count)
        elif name == "give up":
            channel.bytes_to_close()
        elif self.has_parted and name != "end":
            return  # the far end can say no more
        else:
            if name == "end":
                response = channel.receive_eof()
            elif name == "farewell":
                self.has_parted = True
                response = channel.receive_eof() if peer is None else channel.receive_data(peer.close())
            else:
                start = self.said if name in ("say", "rest") else 0
                stop = len(ANSWER) if count is None else start + count
                self.said = stop
                response = channel.receive_data(self.link.say(ANSWER[start:stop]) if ANSWER[start:stop] else b"")
            if response is not None:
                assert not self.was_answered, "a request has one answer"
                assert (response.status, channel.response) == (200, response)
                self.was_answered = True

    def step(self, name: str, count: int | None) -> None:
        channel = self.link.channel
        could_be_used = channel.reusable
        failure = None
        try:
            self.do(name, count)
        except SmswireError as error:
            failure = error
        if failure is not None and name.startswith("ask"):
            assert (type(failure), failure.sent, could_be_used) == (Closed, Sent.NO, False)
        elif failure is not None:
            assert type(failure) in (Closed, ProtocolError, ConnectionEnded)
            assert not channel.reusable
            assert bytes(channel.bytes_to_send()) == b""
            is_open = not self.was_answered and len(self.link.read) > self.before
            assert failure.sent is (Sent.MAYBE if is_open else Sent.NO)
            self.is_gone = True
        if self.was_answered and not channel.reusable:
            self.is_gone = True
        assert not (self.is_gone and channel.reusable)
        assert not channel.reusable or self.was_answered
        assert channel.handed == (len(self.link.read) - self.before if channel.handed else 0)


@both
@given(operations=OPERATIONS)
def test_in_any_order_of_calls_the_verdict_is_what_the_far_end_could_read(
    secure: bool, operations: list[str | tuple[str, int]]
) -> None:
    """MAYBE exactly if an unanswered request was readable in part; one answer a request; what is gone stays gone."""
    laws = Laws(secure=secure)
    for operation in operations:
        name, count = (operation, None) if isinstance(operation, str) else operation
        laws.step(name, count)
