"""The examples of ``docs/events.md`` run as they stand, but for the sandbox's port and certificate."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from smswire import events
from smswire.events import Event
from smswire.sandbox import Limits, Sandbox

PAGE = (Path(__file__).parents[1] / "docs" / "events.md").read_text(encoding="utf-8")
HOOK, LOGGING, SPANS = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


class Span:
    """What the example uses of OpenTelemetry's."""

    def __init__(self, name: str, start_time: int) -> None:
        self.name, self.start_time = name, start_time
        self.attributes: dict[str, Any] = {}
        self.events: list[tuple[str, dict[str, Any], int]] = []
        self.end_time: int | None = None

    def set_attribute(self, key: str, value: str | int) -> None:
        self.attributes[key] = value

    def add_event(self, name: str, attributes: dict[str, Any], timestamp: int) -> None:
        self.events.append((name, attributes, timestamp))

    def end(self, end_time: int) -> None:
        assert self.end_time is None
        self.end_time = end_time


class Tracer:
    """The same of its tracer."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def start_span(self, name: str, *, start_time: int) -> Span:
        self.spans.append(Span(name, start_time))
        return self.spans[-1]


def run(block: str, key: str = "sandbox-key", **given: object) -> dict[str, Any]:
    with Sandbox(limits=Limits(reload_lock_seconds=0)) as sandbox:
        code = block.replace("https://127.0.0.1:8443/api", sandbox.url).replace('"ca.pem"', repr(sandbox.ca_file))
        namespace: dict[str, Any] = {**given}
        exec(compile(code.replace('"sandbox-key"', repr(key)), "events.md", "exec"), namespace)
    return namespace


def test_the_first_example_prints_the_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """The gateway's, not the status."""
    run(HOOK)
    assert capsys.readouterr().out == "POST /api/sms Sent.YES 100 1 of 1\n"


def test_the_log_says_what_the_page_shows() -> None:
    """In a process of its own, whose logging is not set up yet; but for the seconds."""
    import subprocess
    import sys

    with Sandbox() as sandbox:
        code = LOGGING.replace("https://127.0.0.1:8443/api", sandbox.url).replace('"ca.pem"', repr(sandbox.ca_file))
        code = f"import sys; sys.path[:0] = {sys.path!r}\n{code}"
        ran = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    (shown,) = re.findall(r"^```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert re.sub(r"\d+\.\d{3} s", "0 s", ran.stdout) == re.sub(r"\d+\.\d{3} s", "0 s", shown)


def test_a_span_is_made_of_a_call() -> None:
    """With its beginning and end, and what happened in between, in order."""
    tracer = Tracer()
    run(SPANS, tracer=tracer)
    (span,) = tracer.spans
    assert (span.name, span.attributes) == ("POST /api/sms", {"sms.code": 100, "sms.sent": "yes"})
    assert [name for name, _, _ in span.events] == ["connection", "request sent", "answered"]
    assert span.end_time is not None
    times = [span.start_time, *(at for _, _, at in span.events), span.end_time]
    assert times == sorted(times)


@pytest.mark.parametrize(("key", "sent"), [("wrong-key", "no")])
def test_the_span_of_a_refused_call_says_so(key: str, sent: str) -> None:
    """A 200 with the code 900 is no success."""
    from smswire import errors

    tracer = Tracer()
    with pytest.raises(errors.GatewayError):
        run(SPANS, key, tracer=tracer)
    assert tracer.spans[0].attributes == {"sms.code": 900, "sms.sent": sent}
    assert tracer.spans[0].end_time is not None


def test_every_event_and_reason_stands_on_the_page() -> None:
    """And nothing that is none."""
    kinds = {kind.__name__ for kind in Event.__args__}  # type: ignore[attr-defined]
    listed = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert listed == kinds
    assert "seven `Reason`s" in PAGE
    assert len(events.Reason) == 7
