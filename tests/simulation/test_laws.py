"""The laws, over worlds of any weather: what is promised holds whatever network, gateway and callers do.

A failure prints its ``Weather``; ``World(weather).run()`` shows it again, event by event.
"""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from smswire.errors import Sent

from .laws import check_all
from .world import Weather, World

SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from((0.0, 0.1, 0.5))

WEATHERS = st.builds(
    Weather,
    seed=SEEDS,
    calls=st.integers(1, 30),
    dials=st.booleans(),
    limit=st.integers(1, 8),
    connections=st.integers(1, 6),
    addresses=st.integers(1, 3),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    timeout=st.sampled_from((60.0, 30.0, 5.0)),
    impatient=SHARES,
    interrupted=SHARES,
    repeatable=SHARES,
    trouble=SHARES,
    restarts=st.integers(0, 3),
    breaks=SHARES,
    loss=SHARES,
    hold=st.sampled_from((0.0, 0.05, 2.0, 8.0)),
    moods=SHARES,
    names=SHARES,
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000, 64)),
    max_requests=st.sampled_from((500, 5, 1)),
    idle=st.sampled_from((3.0, 0.3)),
    late=st.sampled_from((0.0, 0.0, 0.005, 0.05)),
    closes=st.booleans(),
)

FAIR = st.builds(
    Weather,
    seed=SEEDS,
    calls=st.integers(1, 30),
    dials=st.booleans(),
    limit=st.integers(2, 8),
    connections=st.integers(1, 6),
    addresses=st.integers(1, 2),
    span=st.sampled_from((0.01, 1.0, 5.0)),
    partial=SHARES,
    buffer=st.sampled_from((65_536, 2000)),
    max_requests=st.sampled_from((500, 5)),
    late=st.sampled_from((0.0, 0.005)),
)


@given(WEATHERS)
def test_every_law_holds_in_any_weather(weather: Weather) -> None:
    """Pacing, truth, endings and slots hold whatever breaks, and no wake-up is lost on the way."""
    check_all(World(weather).run())


@given(FAIR)
def test_on_a_fair_day_every_call_succeeds_once(weather: Weather) -> None:
    """With a healthy network and gateway each call is acted upon once, and its answer is its own."""
    world = World(weather).run()
    check_all(world)
    for call in world.calls:
        assert call.response is not None
        assert call.response.body == b"acted upon " + call.target.encode()
        assert (call.outcome.sent, world.gateway.acted[call.target]) == (Sent.YES, 1)


@given(FAIR)
def test_calls_are_served_in_the_order_they_queued(weather: Weather) -> None:
    """Nobody overtakes in the queue; only a call that dials for itself is served when its own dial is done."""
    world = World(replace(weather, max_requests=500, late=0.0)).run()
    for client in world.clients:
        queued = [call for call in client.queued if call not in client.dialled]
        assert [call for call in client.served if call in client.queued and call not in client.dialled] == queued


@given(WEATHERS)
def test_the_same_weather_gives_the_same_world(weather: Weather) -> None:
    """Everything comes from the seed: a world lived through again is the same in every event."""
    first, second = World(weather).run(), World(weather).run()
    assert first.gateway.accepted_at == second.gateway.accepted_at
    assert [call.ended_at for call in first.calls] == [call.ended_at for call in second.calls]
    assert [socket.closed_at for socket in first.network.sockets] == [s.closed_at for s in second.network.sockets]
