"""Arguments of the wrong kind are refused at once, before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest

from smswire import AsyncClient, Client, Outcome, Sent, errors

WRONG: dict[str, list[Any]] = {
    "trust": [123, b"ca.pem", ["ca.pem"]],
    "timeout": ["x", True, 0, float("nan")],
    "connect_timeout": ["x", None, float("nan"), 0],
    "max_connections": ["x", 1.5, True, 0],
    "max_waiters": [None],
    "max_requests": ["x"],
    "max_age": ["x", float("nan")],
    "idle_timeout": ["x", None, float("nan"), -1],
    "pacer": [5, "x"],
    "local_address": [5, b"127.0.0.1", "x"],
    "limits": [5, (1, 2)],
    "resolve": [5, "127.0.0.1"],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize("kind", [Client, AsyncClient])
@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_client_is_not_made_with_what_cannot_work(kind, name, value):
    """Not at the first call, and never as a TypeError."""
    with pytest.raises(errors.ConfigurationError) as raised:
        kind("http://127.0.0.1:1", **{name: value})
    assert name in str(raised.value)


@pytest.mark.parametrize("drain", ["x", None, float("nan"), True])
def test_the_drain_is_a_number_of_seconds(serve, make_client, drain):
    """Refused before anything is closed."""
    client = make_client(serve())
    with pytest.raises(errors.ConfigurationError):
        client.close(drain)
    assert client.request("GET", "/").status == 200


def test_an_outcome_used_again_forgets_the_call_before(serve, make_client):
    """Also where the next call is refused before it begins: its NO is its own."""
    client = make_client(serve())
    outcome = Outcome()
    client.request("GET", "/", outcome=outcome)
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.YES, 1, 200)
    with pytest.raises(errors.InvalidRequest):
        client.request("GET", "no path", outcome=outcome)
    assert (outcome.sent, outcome.attempts, outcome.status) == (Sent.NO, 0, None)


@pytest.mark.parametrize("outcome", [5, {}, Outcome])
def test_what_is_no_outcome_is_refused_before_anything_is_sent(serve, make_client, outcome):
    """Else it would be found out when there is something to keep."""
    server = serve()
    client = make_client(server)
    with pytest.raises(errors.ConfigurationError):
        client.request("GET", "/", outcome=outcome)
    assert server.accepted == 0
