"""What must hold in every world, once it has come to its end."""

from __future__ import annotations

from itertools import accumulate

from smswire.errors import Sent, SmswireError
from smswire.events import CallEnded

from ..net.totals import check_totals
from .calls import Call, Interrupted
from .near import Socket
from .runtime import Client
from .world import Process, World

# Times are sums of floats around a thousand seconds.
GRAIN = 1e-6


def most_at_once(intervals: list[tuple[float, float]]) -> int:
    """How many of the closed intervals have one instant in common."""
    changes = sorted([(start, 0, 1) for start, _ in intervals] + [(end, 1, -1) for _, end in intervals])
    return max(accumulate(change for _, _, change in changes), default=0)


def check_pacing(process: Process) -> None:
    """No second holds more than ``limit`` openings, at whatever instants the gateway counts them; those that a child's
    parent had made before are the child's, too.
    """
    pacing = process.pacing
    limit, window, lag = pacing.limit, pacing.window, pacing.lag
    sockets = [socket for socket in process.sockets() if socket.connect_at is not None]
    may_count = [_counted_between(socket, lag) for socket in sockets]
    for socket, (first, last) in zip(sockets, may_count, strict=True):
        accepted_at = socket.far.accepted_at if socket.far is not None else None
        for instant in (socket.syn_at, accepted_at):
            assert instant is None or first <= instant <= last + GRAIN, "counted when it cannot have been"
    most = most_at_once([(first, last + window) for first, last in may_count])
    assert most <= limit, f"{most} connections may have been counted in one second, of {limit}"
    accepted = [socket.far.accepted_at for socket in sockets if socket.far is not None]
    for counted in ([at for at in accepted if at is not None], [s.syn_at for s in sockets if s.syn_at is not None]):
        most = most_at_once([(at, at + window - GRAIN) for at in counted])
        assert most <= limit, f"{most} connections came in one second, of {limit}"


def _counted_between(socket: Socket, lag: float) -> tuple[float, float]:
    assert socket.connect_at is not None
    if socket.evidence_at is not None:
        return socket.connect_at, socket.evidence_at
    assert socket.closed_at is not None
    return socket.connect_at, socket.closed_at + lag


def check_truth(world: World) -> None:
    """What ``sent`` says is what the gateway did, nobody's call was acted upon twice, and nobody is told ``MAYBE`` of
    what could be known.
    """
    for call in world.calls:
        acted = world.gateway.acted[call.target]
        sent = call.outcome.sent
        assert acted == 0 or sent is not Sent.NO, f"{call.target}: acted upon {acted} times, and told NO"
        assert acted >= 1 or sent is not Sent.YES, f"{call.target}: never acted upon, and told YES"
        assert acted <= 1 or call.repeatable, f"{call.target}: acted upon {acted} times"
        assert sent is not Sent.MAYBE or call.taken, f"{call.target}: nothing that can be read had left, and told MAYBE"
        if isinstance(call.error, SmswireError):
            assert call.error.sent is sent, f"{call.target}: its error and its outcome differ"
        response = call.response
        if response is not None:
            is_own = response.body in world.gateway.said[call.target]
            assert is_own or response.status == 408, f"{call.target} has somebody else's answer"
            assert call.outcome.status == response.status
            if not call.repeatable:
                assert sent is told_by(response.status, response.body), f"{call.target} was told, and says {sent}"
    assert not world.gateway.offences


def told_by(status: int, body: bytes) -> Sent:
    """What a complete answer says, by the gateway's documents."""
    if not 200 <= status <= 299:
        return Sent.NO if 400 <= status <= 499 else Sent.MAYBE
    if body.startswith((b"100\n", b'{"success":"100"')):
        return Sent.YES
    return Sent.NO if any(code in body for code in (b"900", b"402", b"500", b"903")) else Sent.MAYBE


def is_answered(call: Call) -> bool:
    """Whether it has an answer of success, its own."""
    return call.answer is not None and call.answer.messages[0].id == str(call).removeprefix("call-")


def check_endings(world: World) -> None:
    """Every call has ended by its deadline, with a response or an error."""
    for call in world.calls:
        assert call.ended_at is not None, f"{call.target} hangs"
        assert call.ended_at <= call.deadline + call.late + GRAIN, f"{call.target} ended late"
        assert (call.answer is None) != (call.error is None)


def check_rest(world: World) -> None:
    """Nothing is left of it: no socket, no lease, no slot."""
    now = world.clock.now
    left = [str(socket) for socket in world.network.open_sockets()]
    assert not left, f"left open: {left}"
    for pool in [client.pool for client in world.clients]:
        assert pool.is_at_rest, f"a closed pool is not at rest: {pool.stats()}"
        assert not pool._diallers
        assert not pool._races_due
        assert not pool._wakes
    for pacing in [process.pacing for process in world.processes]:
        assert pacing.stats(now).unsettled == 0, "an opening has neither settled nor been abandoned"
        assert not pacing._claims, "a closed pool still has its place at the pacing rule"
        assert len(pacing._settled) + len(pacing._abandoned) == pacing.limit
        assert pacing.stats(now + pacing.lag + pacing.window + pacing.margin).live == 0


def check_room(world: World) -> None:
    """No pool has more sockets than it may have connections, each racing all addresses at most."""
    most = world.weather.connections * world.weather.addresses
    for client in world.clients:
        sockets = most_at_once(lives(client))
        assert sockets <= most, f"a pool had {sockets} sockets, of {most}"


def lives(client: Client) -> list[tuple[float, float]]:
    """From when until when each socket of a client was open, without those closed at once."""
    spans = [(s.opened_at, s.closed_at - GRAIN) for s in client.all_sockets if s.closed_at is not None]
    return [(start, end) for start, end in spans if start < end]


def check_events(world: World) -> None:
    """Every beginning that was told has one end that was told, and the sums are those of the pools."""
    by_target = {call.target: call for call in world.calls}
    told = 0
    for client in world.clients:
        check_totals(client.events, client.pool.stats())
        for event in client.events:
            if isinstance(event, CallEnded):
                told += 1
                call = by_target[event.call.partition(" ")[2]]
                assert (event.attempts, event.call_id) == (call.outcome.attempts, call.outcome.call_id)
                if event.status is None:
                    assert event.sent is call.outcome.sent
                if call.response is not None:
                    assert event.status == call.response.status
                elif not isinstance(call.error, Interrupted):
                    assert event.error_type == type(call.error).__name__
    assert told == len(world.calls)


def check_all(world: World) -> None:
    """All laws."""
    check_truth(world)
    check_endings(world)
    check_rest(world)
    check_room(world)
    for process in world.processes:
        check_pacing(process)
    if world.weather.observed:
        check_events(world)
