"""When a connection has to go: its age, its idle time and its requests, by our limits or the server's."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.flow.connection import Connection
from smswire.wire.channel import Channel
from smswire.wire.message import Request

from .kit import A


def connection_after(keep_alive: str | None, *, round_trip: float = 0.0) -> Connection:
    """A connection that has carried one request, whose response said ``keep_alive``."""
    channel = Channel("h")
    channel.send_request(Request("GET", "/"))
    channel.handed_over(len(channel.bytes_to_send()))
    field = "" if keep_alive is None else f"Keep-Alive: {keep_alive}\r\n"
    assert channel.receive_data(f"HTTP/1.1 200 OK\r\n{field}Content-Length: 0\r\n\r\n".encode())
    connection = Connection(channel, None, A, round_trip=round_trip)
    connection.requests, connection.requests_left = 1, 9
    return connection


def test_a_connection_without_requests_left_is_past():
    """At its last request it goes, and not before."""
    connection = connection_after(None)
    assert not connection.is_past(0.0)
    connection.requests_left = 0
    assert connection.is_past(0.0)


def test_a_connection_at_rest_holds_nothing_of_its_last_exchange():
    """Its texts are of no use any more, and hundreds of idle connections would keep them all."""
    connection = connection_after("timeout=5")
    assert connection.channel.response is not None
    connection.rest(0.0, 2.5)
    assert connection.channel.response is None
    assert connection.channel.reusable


@given(st.floats(0, 1e6), st.floats(0.01, 1e3))
def test_a_connection_is_past_from_its_age_on(now, age):
    """The instant it retires at is past already."""
    connection = connection_after(None)
    connection.retire_at = now + age
    assert connection.is_past(connection.retire_at)
    assert not connection.is_past(math.nextafter(connection.retire_at, -1))


@given(st.floats(0, 1e6), st.floats(0.01, 60), st.floats(0, 2))
def test_idle_time_is_ours_less_the_round_trip(now, idle_timeout, round_trip):
    """The server's clock started half a round trip ago, and the next request takes another half to arrive."""
    connection = connection_after(None, round_trip=round_trip)
    connection.rest(now, idle_timeout)
    assert connection.idle_until == now + idle_timeout - round_trip
    assert connection.is_past(connection.idle_until)


@pytest.mark.parametrize(
    ("keep_alive", "idle_s", "left"),
    [
        (None, 2.5, 9),
        ("timeout=3", 2.5, 9),
        ("timeout=60, max=100", 2.5, 9),
        ("timeout=1", 2.5 / 3, 9),
        ("timeout=0", 0.0, 9),
        ("max=4", 2.5, 4),
        ("max=0", 2.5, 0),
        ("nonsense", 2.5, 9),
    ],
)
def test_keep_alive_lowers_and_never_raises(keep_alive, idle_s, left):
    """The server's announcement is taken with the same caution as the gateway's 3 s: five sixths of it."""
    connection = connection_after(keep_alive)
    connection.rest(10.0, 2.5)
    assert connection.idle_until == pytest.approx(10.0 + idle_s)
    assert connection.requests_left == left
