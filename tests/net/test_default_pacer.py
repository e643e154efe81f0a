"""Two clients of one gateway in one process keep the limit together, without being told to."""

from __future__ import annotations

from smswire import Client

from .test_queue import Caller


def test_two_clients_together_never_open_more_than_fifty_a_second(make_sandbox):
    """Forty connections each, at once: the sandbox counts at most 50 accepts in any second and admits all."""
    sandbox = make_sandbox(delay=1.5)
    origin = sandbox.url.removesuffix("/api")
    with Client(origin, trust=sandbox.ca_file) as one, Client(origin, trust=sandbox.ca_file) as other:
        callers = [Caller(client, "/api/nothing") for client in (one, other) for _ in range(40)]
        for caller in callers:
            caller.join()
        opened = one.stats().opened + other.stats().opened
    assert [caller.error for caller in callers] == [None] * 80
    accepts = sandbox.accepts()
    assert len(accepts) == opened > 50
    assert all(accept["admitted"] for accept in accepts)
    assert sandbox.summary()["peak_accepts_per_second"] <= 50
