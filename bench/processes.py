"""Processes: a client in one of its own, what the server counted meanwhile, and ports to listen on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .job import HOST, Task

ROOT = Path(__file__).parent.parent
PATIENCE_S = 120.0
"""A client that takes longer hangs: the slowest peer needs a twentieth."""
STARTING_S = 10.0
MOST_CONNECTIONS = 50
"""A client that opens more is no client for this gateway; one that was asked to open more may."""


@dataclass(frozen=True)
class Report:
    """What became of a task. With an ``error`` it is no result, whatever figures there are."""

    figures: dict[str, Any] = field(default_factory=dict)
    connections: int = 0
    """Counted at the server."""
    error: str | None = None
    is_not_there_yet: bool = False


def python(module: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", module, *arguments]


def run(task: Task, counts: Callable[[], tuple[int, int]]) -> Report:
    """Carries out the task in a new process, between two looks at the server's counts of connections and requests."""
    connections, requests = counts()
    report = run_alone(task)
    connections_after, requests_after = counts()
    return judge(task, report, connections_after - connections, requests_after - requests)


def run_alone(task: Task, patience: float = PATIENCE_S) -> Report:
    """Carries out the task in a new process, and believes what it says."""
    try:
        done = subprocess.run(
            python("bench.client"),
            input=task.to_json(),
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=environment(),
            timeout=patience,
        )
    except subprocess.TimeoutExpired:
        return Report(error=f"took longer than {patience:.0f} s")
    return read_report(done.stdout, done.stderr)


def read_report(stdout: str, stderr: str) -> Report:
    """What a client's process said: figures or an error on the last line, or nothing, if it died."""
    try:
        said = json.loads(stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = stderr.strip().splitlines()[-1:] or ["it said nothing"]
        return Report(error=f"the client died: {last[0]}")
    if "error" in said:
        return Report(error=said["error"], is_not_there_yet=said["is_not_there_yet"])
    return Report(said)


def judge(task: Task, report: Report, connections: int, requests: int) -> Report:
    """What counts as a result: no error, no connection too many, every request at the server exactly once."""
    report = replace(report, connections=connections)
    if report.error is not None:
        return report
    allowed = max(MOST_CONNECTIONS, task.connections)
    if connections > allowed:
        return replace(report, error=f"{connections:,} connections, where {allowed:,} are allowed")
    sent = report.figures["sent"]
    if requests != sent:
        return replace(report, error=f"{sent:,} requests made, {requests:,} at the server")
    return report


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def until_listening(port: int, process: subprocess.Popen[Any]) -> None:
    """Waits until somebody listens there.

    Raises:
        TimeoutError: nobody does, or the process that should has ended.
    """
    until = time.monotonic() + STARTING_S
    while process.poll() is None and time.monotonic() < until:
        try:
            socket.create_connection((HOST, port), 1.0).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    raise TimeoutError(f"nobody listens on port {port}")


def environment() -> dict[str, str]:
    """Ours, but with no proxies to look for, and with compiled modules kept, as an installation has them."""
    left_out = ("_proxy", "pythondontwritebytecode")
    return {name: value for name, value in os.environ.items() if not name.lower().endswith(left_out)}
