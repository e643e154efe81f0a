"""The channel's states: what each call does in each of them, over plain http and over TLS."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from smswire.errors import Closed, ConnectionEnded, ProtocolError, Sent, SmswireError
from smswire.wire import Channel, Request, Response

from .link import ANSWER, REQUEST, Link
from .peer import Peer, opening, server_context, take

CLOSING = ANSWER.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n")


def ask(link: Link) -> None:
    link.channel.send_request(REQUEST)
    link.take()
    assert link.channel.fully_handed


def fresh(link: Link) -> None: ...


def used(link: Link) -> None:
    ask(link)
    link.hear(ANSWER)


def waiting_to_send(link: Link) -> None:
    link.channel.send_request(REQUEST)


def asked(link: Link) -> None:
    ask(link)


def asked_again(link: Link) -> None:
    used(link)
    ask(link)


def within_the_answer(link: Link) -> None:
    ask(link)
    link.hear(ANSWER[:-1])


def spent_by_its_answer(link: Link) -> None:
    ask(link)
    link.hear(CLOSING)


def spent_by_what_came_behind(link: Link) -> None:
    ask(link)
    link.hear(ANSWER + b"HTTP/1.1")


def spent_by_a_second_record(link: Link) -> None:
    ask(link)
    link.channel.receive_data(link.say(ANSWER) + link.say(b"HTTP/1.1"))


def spent_by_an_early_answer(link: Link) -> None:
    link.channel.send_request(Request("POST", "/", body=bytes(40_000)))
    link.take(20_000)
    link.hear(ANSWER)


def ended_unused(link: Link) -> None:
    assert link.channel.receive_eof() is None


def ended_behind_an_answer(link: Link) -> None:
    used(link)
    assert link.channel.receive_eof() is None


def broken_before_a_request(link: Link) -> None:
    with pytest.raises(ProtocolError, match="before a request"):
        link.hear(ANSWER)


def broken_behind_an_answer(link: Link) -> None:
    used(link)
    with pytest.raises(ProtocolError, match="before a request"):
        link.hear(ANSWER)


def broken_by_an_answer_too_early(link: Link) -> None:
    waiting_to_send(link)
    with pytest.raises(ProtocolError, match="before any of the request"):
        link.hear(ANSWER)


def broken_within_a_call(link: Link) -> None:
    ask(link)
    with pytest.raises(ProtocolError, match="not HTTP"):
        link.hear(b"220 mail\r\n")


def broken_by_the_end(link: Link) -> None:
    within_the_answer(link)
    with pytest.raises(ConnectionEnded, match="body"):
        link.channel.receive_eof()


def given_up(link: Link) -> None:
    ask(link)
    link.channel.bytes_to_close()


def given_up_unused(link: Link) -> None:
    link.channel.bytes_to_close()


Came = tuple[type[SmswireError], Sent] | int | None
NO, MAYBE = Sent.NO, Sent.MAYBE
POISON, SHUT, OPEN = (ProtocolError, NO), (Closed, NO), (Closed, MAYBE)
CUT = (ConnectionEnded, MAYBE)

# What comes of: an answer, the end of the stream (a status, nothing, or an error and what it says of the request).
TABLE: dict[Callable[[Link], None], tuple[Came, Came]] = {
    fresh: (POISON, None),
    used: (POISON, None),
    waiting_to_send: (POISON, (ConnectionEnded, NO)),
    asked: (200, CUT),
    asked_again: (200, CUT),
    within_the_answer: (200, CUT),  # the first byte of the next ends it
    spent_by_its_answer: (POISON, None),
    spent_by_what_came_behind: (POISON, None),
    spent_by_a_second_record: (POISON, None),
    spent_by_an_early_answer: (POISON, None),
    ended_unused: (POISON, None),
    ended_behind_an_answer: (POISON, None),
    broken_before_a_request: (SHUT, SHUT),
    broken_behind_an_answer: (SHUT, SHUT),
    broken_by_an_answer_too_early: (SHUT, SHUT),
    broken_within_a_call: (OPEN, OPEN),
    broken_by_the_end: (OPEN, OPEN),
    given_up: (OPEN, OPEN),
    given_up_unused: (SHUT, SHUT),
}
REUSABLE = (fresh, used)

both = pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
each_state = pytest.mark.parametrize("state", TABLE)


def in_state(state: Callable[[Link], None], *, secure: bool) -> Link:
    link = Link(secure=secure)
    state(link)
    assert link.channel.reusable is (state in REUSABLE)
    return link


def what_came(call: Callable[[], Response | None], channel: Channel) -> Came:
    response, failure = None, None
    try:
        response = call()
    except SmswireError as error:
        failure = error
    if failure is not None:
        assert failure.host == channel.host
        assert failure.call == ("POST /api/sms" if failure.sent is MAYBE else failure.call)
        return type(failure), failure.sent
    if response is None:
        return None
    assert response is channel.response
    return response.status


def assert_broken(channel: Channel, sent: Sent) -> None:
    """Nothing leads out, and every question has the same answer."""
    for _ in range(2):
        assert not channel.reusable
        assert bytes(channel.bytes_to_send()) == b""
        for call in (lambda: channel.receive_data(b"x"), lambda: channel.receive_data(b""), channel.receive_eof):
            assert what_came(call, channel) == (Closed, sent)
        with pytest.raises(Closed):
            channel.send_request(REQUEST)
        channel.bytes_to_close()


@both
@each_state
def test_a_request_is_taken_only_by_an_idle_channel_and_a_refusal_changes_nothing(
    state: Callable[[Link], None], secure: bool
) -> None:
    """The refused request was not sent, whatever becomes of the one under way."""
    link = in_state(state, secure=secure)
    channel = link.channel
    if channel.reusable:
        channel.send_request(REQUEST)
        assert (channel.handed, channel.response, channel.reusable) == (0, None, False)
        assert channel.bytes_to_send()
        return
    before = (channel.handed, channel.fully_handed, channel.response, bytes(channel.bytes_to_send()))
    with pytest.raises(Closed) as caught:
        channel.send_request(Request("GET", "/other?p=secret"))
    assert (caught.value.sent, caught.value.host, caught.value.call) == (NO, channel.host, "GET /other")
    assert (channel.handed, channel.fully_handed, channel.response, bytes(channel.bytes_to_send())) == before
    answer, _ = TABLE[state]
    if state is not within_the_answer:
        assert what_came(lambda: channel.receive_data(link.say(ANSWER)), channel) == answer


@both
@each_state
def test_an_answer_is_taken_only_by_a_request_that_left(state: Callable[[Link], None], secure: bool) -> None:
    """Anywhere else it is somebody else's; what was answered before stands."""
    link = in_state(state, secure=secure)
    channel = link.channel
    stood = channel.response
    expected, _ = TABLE[state]
    data = link.say(ANSWER)
    came = what_came(lambda: channel.receive_data(data), channel)
    assert came == expected
    if came == 200:
        assert channel.reusable is (state is not within_the_answer)
    else:
        assert channel.response is stood
        assert_broken(channel, came[1] if isinstance(came, tuple) else NO)


@both
@each_state
def test_the_end_of_the_stream_is_an_error_only_within_a_call(state: Callable[[Link], None], secure: bool) -> None:
    """Before the request left it says NO, after any of it MAYBE; between calls it retires the connection."""
    channel = in_state(state, secure=secure).channel
    stood = channel.response
    _, expected = TABLE[state]
    came = what_came(channel.receive_eof, channel)
    assert came == expected
    assert channel.response is stood
    assert not channel.reusable
    assert bytes(channel.bytes_to_send()) == b""
    if isinstance(came, tuple):
        assert_broken(channel, came[1])
    else:
        assert what_came(channel.receive_eof, channel) is None, "it may be said twice"


@both
@each_state
def test_no_bytes_are_nothing(state: Callable[[Link], None], secure: bool) -> None:
    """Neither an end nor an answer."""
    channel = in_state(state, secure=secure).channel
    before = (channel.reusable, channel.response, channel.handed, bytes(channel.bytes_to_send()))
    _, end = TABLE[state]
    expected = end if end in (SHUT, OPEN) else None
    assert what_came(lambda: channel.receive_data(b""), channel) == expected
    assert (channel.reusable, channel.response, channel.handed, bytes(channel.bytes_to_send())) == before


@both
@each_state
def test_giving_up_breaks_the_channel_in_every_state(state: Callable[[Link], None], secure: bool) -> None:
    """And keeps what was answered and what was handed."""
    link = in_state(state, secure=secure)
    channel = link.channel
    stood, handed = channel.response, channel.handed
    farewell = channel.bytes_to_close()
    is_partly_out = state in (waiting_to_send, broken_by_an_answer_too_early, spent_by_an_early_answer)
    assert bool(farewell) is (secure and not is_partly_out)
    assert (channel.response, channel.handed) == (stood, handed)
    assert_broken(channel, MAYBE if handed and stood is None else NO)


def test_an_opening_channel_takes_no_request_and_knows_no_answer() -> None:
    """Until the handshake is done it is neither reusable nor broken."""
    channel = opening()
    with pytest.raises(Closed) as caught:
        channel.send_request(REQUEST)
    assert caught.value.sent is NO
    assert not channel.established
    assert (channel.response, channel.handed, channel.fully_handed) == (None, 0, False)
    assert (channel.keep_alive_timeout, channel.keep_alive_max) == (None, None)
    assert channel.receive_data(b"") is None
    assert channel.bytes_to_send()
    peer = Peer(server_context())
    take(channel, peer)
    channel.receive_data(peer.outgoing.read())
    assert channel.reusable
    channel = opening()
    with pytest.raises(ConnectionEnded, match="handshake"):
        channel.receive_eof()
    assert_broken(channel, NO)
