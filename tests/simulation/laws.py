"""What must hold in every world, once it has come to its end."""

from __future__ import annotations

from itertools import accumulate

from smswire.errors import Sent

from .near import Socket
from .runtime import Client
from .world import World

# Times are sums of floats around a thousand seconds.
GRAIN = 1e-6


def most_at_once(intervals: list[tuple[float, float]]) -> int:
    """How many of the closed intervals have one instant in common."""
    changes = sorted([(start, 0, 1) for start, _ in intervals] + [(end, 1, -1) for _, end in intervals])
    return max(accumulate(change for _, _, change in changes), default=0)


def check_pacing(world: World) -> None:
    """No second holds more than ``limit`` openings, at whatever instants the gateway counts them."""
    limit, window, lag = world.pacing.limit, world.pacing.window, world.pacing.lag
    sockets = [socket for socket in world.network.sockets if socket.connect_at is not None]
    may_count = [_counted_between(socket, lag) for socket in sockets]
    for socket, (first, last) in zip(sockets, may_count, strict=True):
        accepted_at = socket.far.accepted_at if socket.far is not None else None
        for instant in (socket.syn_at, accepted_at):
            assert instant is None or first <= instant <= last + GRAIN, "counted when it cannot have been"
    assert most_at_once([(first, last + window) for first, last in may_count]) <= limit
    syns = [socket.syn_at for socket in sockets if socket.syn_at is not None]
    for counted in (world.gateway.accepted_at, syns):
        assert most_at_once([(at, at + window - GRAIN) for at in counted]) <= limit


def _counted_between(socket: Socket, lag: float) -> tuple[float, float]:
    assert socket.connect_at is not None
    if socket.evidence_at is not None:
        return socket.connect_at, socket.evidence_at
    assert socket.closed_at is not None
    return socket.connect_at, socket.closed_at + lag


def check_truth(world: World) -> None:
    """What ``sent`` says is what the gateway did, and nobody's call was acted upon twice."""
    for call in world.calls:
        acted = world.gateway.acted[call.target]
        sent = call.outcome.sent
        assert acted == 0 or sent is not Sent.NO, f"{call.target}: acted upon {acted} times, and told NO"
        assert acted >= 1 or sent is not Sent.YES, f"{call.target}: never acted upon, and told YES"
        assert acted <= 1 or call.repeatable, f"{call.target}: acted upon {acted} times"
        response = call.response
        if response is not None:
            assert response.body == b"acted upon " + call.target.encode() or response.status == 408
            assert call.outcome.status == response.status
            if 200 <= response.status <= 299:
                assert sent is Sent.YES
    assert not world.gateway.offences


def check_endings(world: World) -> None:
    """Every call has ended by its deadline, with a response or an error."""
    for call in world.calls:
        assert call.ended_at is not None, f"{call.target} hangs"
        assert call.ended_at <= call.deadline + call.late + GRAIN, f"{call.target} ended late"
        assert (call.response is None) != (call.error is None)


def check_rest(world: World) -> None:
    """Nothing is left of it: no socket, no lease, no slot."""
    pacing, now = world.pacing, world.clock.now
    assert not world.network.open_sockets()
    assert all(client.pool.is_at_rest for client in world.clients)
    assert pacing.stats(now).unsettled == 0
    assert pacing.stats(now + pacing.lag + pacing.window + pacing.margin).live == 0


def check_room(world: World) -> None:
    """No pool has more sockets than it may have connections, each racing all addresses at most."""
    most = world.weather.connections * world.weather.addresses
    for client in world.clients:
        assert most_at_once(lives(client)) <= most


def lives(client: Client) -> list[tuple[float, float]]:
    """From when until when each socket of a client was open, without those closed at once."""
    spans = [(s.opened_at, s.closed_at - GRAIN) for s in client.all_sockets if s.closed_at is not None]
    return [(start, end) for start, end in spans if start < end]


def check_all(world: World) -> None:
    """All laws."""
    check_truth(world)
    check_endings(world)
    check_rest(world)
    check_room(world)
    check_pacing(world)
