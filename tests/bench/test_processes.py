"""Client processes: what counts as a result, and real ones against the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bench.job import Task
from bench.processes import Report, free_ports, judge, read_report, run, run_alone
from smswire.sandbox import Limits, Sandbox

LIMITS = Limits(connections_per_second=10_000, requests_per_connection=1_000_000, reload_lock_seconds=0)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(limits=LIMITS) as running:
        yield running


def seen(sandbox: Sandbox) -> tuple[int, int]:
    summary = sandbox.summary()
    return summary["accepts"], summary["messages"]


@pytest.mark.parametrize(
    ("peer", "connections"),
    [
        ("sequential http.client", 1),
        ("50 threads http.client", 4),
        ("sequential smswire h11", 1),
        ("50 threads smswire h11", 4),
        ("sequential floor: MemoryBIO", 1),
        ("50-way floor: asyncio", 4),
        ("50-way floor: epoll", 4),
    ],
)
def test_a_client_process_does_the_job(sandbox: Sandbox, peer: str, connections: int) -> None:
    """Everything it says it sent arrived once, over no more connections than it was allowed."""
    assert sandbox.ca_file is not None
    report = run(
        Task(peer, sandbox.port, sandbox.ca_file, connections=connections, seconds=0.02), lambda: seen(sandbox)
    )
    assert report.error is None
    assert 1 <= report.connections <= connections
    assert report.figures["cpu_us"] > 0
    assert report.figures["per_second"] > 0


@pytest.mark.parametrize("bundle", [1, 10])
def test_messages_are_bundled_and_each_arrives_once(sandbox: Sandbox, bundle: int) -> None:
    """As many calls as bundles."""
    assert sandbox.ca_file is not None
    calls = sandbox.summary()["calls"]
    options = {"bundle": bundle, "count": 40}
    task = Task("bulk smswire h11", sandbox.port, sandbox.ca_file, "messages", connections=4, options=options)
    report = run(task, lambda: seen(sandbox))
    assert report.error is None
    assert sandbox.summary()["calls"] - calls == (4 * bundle + 40) // bundle


def test_a_client_that_cannot_connect_is_no_result() -> None:
    """It says why."""
    (port,) = free_ports(1)
    report = run_alone(Task("sequential floor: MemoryBIO", port, ""))
    assert report.error is not None
    assert report.figures == {}
    assert not report.is_not_there_yet


def test_a_client_that_is_refused_is_no_result(sandbox: Sandbox) -> None:
    """Errors do not count, however fast they come."""
    assert sandbox.ca_file is not None
    report = run_alone(Task("sequential http.client", sandbox.port, sandbox.ca_file, prefix="/nowhere"))
    assert report.error == "WrongAnswer: status 404"


def test_a_client_that_died_is_no_result() -> None:
    """Its last words are its error."""
    assert read_report("", "Traceback\nMemoryError\n").error == "the client died: MemoryError"
    assert read_report("half a line", "").error == "the client died: it said nothing"


def test_a_line_before_the_figures_does_no_harm() -> None:
    """Some libraries print."""
    assert read_report('warning\n{"sent": 3}\n', "").figures == {"sent": 3}


def test_what_is_not_there_yet_is_told_from_what_failed() -> None:
    """Both are errors."""
    said = json.dumps({"error": "not there yet: x", "is_not_there_yet": True})
    assert read_report(said, "") == Report(error="not there yet: x", is_not_there_yet=True)


@pytest.mark.parametrize(
    ("allowed", "connections", "requests", "error"),
    [
        (50, 50, 100, None),
        (1, 50, 100, None),
        (1000, 1000, 100, None),
        (50, 51, 100, "51 connections, where 50 are allowed"),
        (1000, 1001, 100, "1,001 connections, where 1,000 are allowed"),
        (50, 50, 101, "100 requests made, 101 at the server"),
        (50, 50, 99, "100 requests made, 99 at the server"),
    ],
)
def test_what_the_server_counted_decides(allowed: int, connections: int, requests: int, error: str | None) -> None:
    """A request twice, a request lost, a connection too many: no result."""
    report = judge(Task("peer", 1, "", connections=allowed), Report({"sent": 100}), connections, requests)
    assert (report.error, report.connections) == (error, connections)


def test_a_task_survives_the_way_to_its_process() -> None:
    """All of it."""
    task = Task("peer", 1, "ca.pem", "messages", "/delay/20", 50, 10, 0.5, 3, 1, {"bundle": 10})
    assert Task.from_json(task.to_json()) == task
    assert task.url == "https://127.0.0.1:1/delay/20/api/sms"
    assert task.calls_at_once == 10
