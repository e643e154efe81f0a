"""The laws, over worlds of any weather: what is promised holds whatever network, gateway and callers do.

A failure prints its ``Weather``; ``World(weather).run()`` shows it again, event by event.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given

from smswire.errors import Sent

from .laws import check_all, check_events, is_answered, lives, most_at_once
from .network import Mood
from .weathers import ANY, BAD_ROADS, CROWD, FAIR, HANDSHAKES, MOVING, ODD_GATEWAY, SECURE
from .world import Weather, World

WORLDS = 8
"""Worlds lived through for each weather drawn: what is rare is found by seeds, not by shrinking."""


def lived(weather: Weather, worlds: int = WORLDS) -> list[World]:
    """Some worlds of one weather, each found to keep every law."""
    alike = [World(replace(weather, seed=weather.seed + n)).run() for n in range(worlds)]
    for world in alike:
        check_all(world)
    return alike


@given(ANY)
@example(Weather(seed=26, calls=25, limit=8, connections=2, late=0.05))
def test_every_law_holds_in_any_weather(weather: Weather) -> None:
    """Pacing, truth, endings and slots hold whatever breaks, and no wake-up is lost on the way."""
    lived(weather)


@given(ODD_GATEWAY)
def test_every_law_holds_with_an_odd_gateway(weather: Weather) -> None:
    """Whatever the gateway answers, late, cut or never: what is told of a call is what became of it."""
    lived(weather)


@given(BAD_ROADS)
def test_every_law_holds_on_bad_roads(weather: Weather) -> None:
    """Black holes, losses, resets and connections accepted long after they were closed put no second over the limit."""
    lived(weather)


@given(CROWD)
def test_every_law_holds_in_a_crowd(weather: Weather) -> None:
    """Calls that give up, are interrupted, or see their pool closed take nothing with them and leave nobody asleep."""
    lived(weather)


@given(MOVING)
@example(
    Weather(
        seed=166574109,
        calls=25,
        limit=8,
        addresses=3,
        span=25.0,
        timeout=30.0,
        loss=0.7,
        names=0.5,
        hangs_up=1.0,
        eager=0.5,
    )
)
def test_every_law_holds_while_the_host_moves(weather: Weather) -> None:
    """Addresses grow old, change and vanish while calls dial, and lookups fail or never end."""
    lived(weather)


@given(BAD_ROADS)
def test_a_host_that_answers_nobody_is_asked_once_at_a_time(weather: Weather) -> None:
    """Until an address has answered, one opening of a pool finds out for all its calls."""
    silent = World(replace(weather, moods=0.0, restarts=0, names=0.0))
    for route in silent.network.routes.values():
        route.mood = Mood.SILENT
    check_all(silent.run())
    for client in silent.clients:
        assert most_at_once(lives(client)) <= weather.addresses


@given(SECURE)
def test_every_law_holds_over_tls(weather: Weather) -> None:
    """Over TLS an address has answered with its first byte, not before, and only whole records count as handed."""
    lived(weather, worlds=4)


@given(HANDSHAKES)
def test_every_law_holds_while_handshakes_come_in_pieces(weather: Weather) -> None:
    """A first byte is an answer: whoever waited for one may dial then, and need not wait for the handshake's end."""
    lived(weather, worlds=4)


@given(FAIR)
def test_on_a_fair_day_every_call_succeeds_once(weather: Weather) -> None:
    """With a healthy network and gateway each call is acted upon once, and its answer is its own."""
    for world in lived(weather):
        check_success(world)


@given(FAIR)
def test_a_connection_that_ended_while_idle_costs_no_call(weather: Weather) -> None:
    """An end that has arrived is seen before the request: the call takes another connection and succeeds."""
    near = replace(weather, idle=0.3, is_known=False, delays=(0.0,), late=0.0, restarts=0)
    for world in lived(near):
        check_success(world)


@given(FAIR)
def test_no_request_crosses_the_close_of_an_idle_connection(weather: Weather) -> None:
    """Five sixths of the gateway's idle time, less a round trip: what is sent arrives before the gateway closes."""
    for world in lived(replace(weather, span=5.0, idle=0.6, delays=(0.001, 0.02), hangs_up=0.0)):
        check_success(world)


@given(FAIR)
@example(Weather(seed=24, calls=13, dials=False, limit=2, connections=2, addresses=2, span=0.01, buffer=2000))
def test_calls_are_served_in_the_order_they_queued(weather: Weather) -> None:
    """Nobody overtakes in the queue; only a call that dials for itself is served when its own dial is done."""
    for world in lived(replace(weather, max_requests=500, hangs_up=0.0, late=0.0)):
        for client in world.clients:
            # Of two that are given connections at one instant, either may run first.
            served_at = [client.served[call] for call in client.queued if call not in client.dialled]
            assert served_at == sorted(served_at)


@given(ANY)
def test_the_same_weather_gives_the_same_world(weather: Weather) -> None:
    """Everything comes from the seed: a world lived through again is the same in every event."""
    first, second = World(weather).run(), World(weather).run()
    assert first.gateway.acted == second.gateway.acted
    assert first.journal.faults == second.journal.faults
    assert [call.ended_at for call in first.calls] == [call.ended_at for call in second.calls]
    assert [socket.closed_at for socket in first.network.sockets] == [s.closed_at for s in second.network.sockets]


@given(ANY)
@example(Weather(seed=3, calls=25, interrupted=1.0, trouble=0.3, breaks=0.2, hangs_up=0.3, closes=1))
def test_events_add_up_and_change_nothing(weather: Weather) -> None:
    """A world that is observed is the same in every event, and what was told of it is whole."""
    for n in range(WORLDS // 4):
        plain = replace(weather, seed=weather.seed + n)
        first, second = World(plain).run(), World(replace(plain, observed=True)).run()
        assert first.gateway.acted == second.gateway.acted
        assert first.journal.faults == second.journal.faults
        assert [call.ended_at for call in first.calls] == [call.ended_at for call in second.calls]
        assert [socket.closed_at for socket in first.network.sockets] == [s.closed_at for s in second.network.sockets]
        assert not any(client.events for client in first.clients)
        check_events(second)


def check_success(world: World) -> None:
    """Every call was acted upon once, and knows it."""
    for call in world.calls:
        assert is_answered(call)
        assert (call.outcome.sent, world.gateway.acted[call.target]) == (Sent.YES, 1)
