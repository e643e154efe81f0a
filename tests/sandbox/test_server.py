"""The life of a sandbox: ports, certificate file, restart, end; and what the inspection port shows."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smswire.sandbox import Limits, Sandbox

from .raw import JSON, KEY, NUMBER, TIMEOUT_S, Raw

Make = Callable[..., Sandbox]


def test_what_is_listened_on_is_what_the_attributes_say(make_sandbox: Make) -> None:
    """Base URLs end in /api; without TLS there is one, and no certificate."""
    both = make_sandbox(tls=True, plain=True)
    assert both.url == f"https://127.0.0.1:{both.port}/api"
    assert both.plain_url == f"http://127.0.0.1:{both.plain_port}/api"
    plain = make_sandbox()
    assert (plain.url, plain.ca_file, plain.port) == (plain.plain_url, None, 0)
    secure = make_sandbox(tls=True)
    assert (secure.plain_url, secure.plain_port) == (None, 0)
    assert repr(plain) == f"<Sandbox {plain.url}>"


def test_an_ipv6_address_stands_in_brackets(make_sandbox: Make) -> None:
    """And a whitelist holds IPv6 clients."""
    sandbox = make_sandbox({KEY: "::1"}, host="::1")
    with urllib.request.urlopen(f"{sandbox.url}/balance?p={KEY}", timeout=TIMEOUT_S) as answer:
        assert answer.read() == b"1000000"
    assert sandbox.url.startswith("http://[::1]:")


def test_the_certificate_file_goes_with_the_sandbox_unless_it_was_asked_for(tmp_path: Path) -> None:
    """A path of the caller's stays."""
    with Sandbox() as sandbox:
        assert sandbox.ca_file is not None
        own = Path(sandbox.ca_file)
        assert own.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert not own.exists()
    with Sandbox(ca_file=tmp_path / "ca.pem"):
        pass
    assert (tmp_path / "ca.pem").read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_close_ends_connections_listeners_and_thread(make_sandbox: Make) -> None:
    """A second close does nothing, and what was seen can still be read."""
    sandbox = make_sandbox()
    with Raw(sandbox) as client, Raw(sandbox):
        client.sms()
        sandbox.close()
        sandbox.close()
        assert client.is_at_end
    with pytest.raises(ConnectionRefusedError):
        Raw(sandbox)
    assert len(sandbox.messages()) == 1


def test_restart_ends_every_connection_and_listens_on_the_same_ports(make_sandbox: Make) -> None:
    """As a process that dies and comes again would; certificate and journal stay."""
    sandbox = make_sandbox(tls=True, plain=True)
    clients = [Raw(sandbox, listener) for listener in ("plain", "tls") for _ in range(5)]
    url = sandbox.url
    sandbox.restart()
    for client in clients:
        client.read_to_end()
        client.close()
    assert sandbox.url == url
    with Raw(sandbox, "tls") as client:
        assert client.sms().json["success"] == "100"
    assert sandbox.summary()["accepts"] == 11


def test_a_port_in_use_is_an_error_at_start_that_leaves_nothing_open(make_sandbox: Make) -> None:
    """The sockets that could be bound are closed again."""
    first = make_sandbox()
    second = Sandbox(tls=False, port=first.plain_port)
    with pytest.raises(OSError, match="in use"):
        second.start()
    second.close()


def test_a_sandbox_is_started_once(make_sandbox: Make) -> None:
    """Nor is it restarted after its end."""
    sandbox = make_sandbox()
    with pytest.raises(RuntimeError):
        sandbox.start()
    sandbox.close()
    with pytest.raises(RuntimeError):
        sandbox.start()
    with pytest.raises(RuntimeError):
        sandbox.restart()


def test_only_a_manual_clock_can_be_advanced() -> None:
    """Real time passes by itself."""
    with Sandbox(tls=False) as sandbox, pytest.raises(TypeError):
        sandbox.advance(1.0)


def test_with_a_real_clock_an_idle_connection_is_closed() -> None:
    """The event loop wakes the alarms."""
    with Sandbox(tls=False, limits=Limits(idle_seconds=0.01)) as sandbox, Raw(sandbox) as client:
        assert client.is_at_end


def test_a_fault_inside_is_raised_at_the_end() -> None:
    """A judge that broke must not look like one that saw nothing."""
    is_broken = threading.Event()

    def clock() -> float:
        return 1.0 / (0.0 if is_broken.is_set() else 1.0)

    sandbox = Sandbox(tls=False, clock=clock).start()
    with Raw(sandbox) as client:
        client.sms()
        is_broken.set()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        client.read_to_end()
    with pytest.raises(RuntimeError, match="failed while it ran"):
        sandbox.close()


def test_without_trustme_tls_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain http works without it."""
    monkeypatch.setitem(sys.modules, "trustme", None)
    with pytest.raises(ImportError, match="pip install trustme"):
        Sandbox()
    Sandbox(tls=False).close()


def test_the_inspection_port_shows_what_the_methods_return(make_sandbox: Make) -> None:
    """As JSON, and counts toward nothing itself."""
    sandbox = make_sandbox(limits=Limits(connections_per_second=1, requests_per_connection=3))
    with Raw(sandbox) as client:
        client.sms(text="Grüße 😀")
        client.sms(to="", ttl=5)
    for _ in range(60):
        with Raw(sandbox, "inspection") as inspection:
            assert inspection.call("GET", "/summary").json == sandbox.summary()
    with Raw(sandbox, "inspection") as inspection:
        for name in ("messages", "accepts", "calls"):
            entries = getattr(sandbox, name)()
            assert inspection.call("GET", f"/{name}").json == {"count": len(entries), name: entries}
        assert sandbox.messages()[0] | {"id": 0} == {
            "id": 0,
            "to": NUMBER,
            "text": "Grüße 😀",
            "from": "sms",
            "parameters": {},
            "encoding": "ucs2",
            "parts": 1,
            "call": 1,
            "connection": 1,
            "key": 0,
        }
        assert sandbox.accepts() == [
            {"time": 1000.0, "peer": "127.0.0.1", "admitted": True, "connection": 1, "listener": "plain"}
        ]
        assert sandbox.calls()[1] == {
            "number": 2,
            "connection": 1,
            "method": "POST",
            "path": "/api/sms",
            "status": 200,
            "code": 301,
        }
        assert inspection.call("POST", "/reset").json == {"reset": True}
        assert inspection.call("GET", "/messages").json == {"count": 0, "messages": []}


def test_the_inspection_port_refuses_what_it_does_not_know(sandbox: Sandbox) -> None:
    """A GET does not reset."""
    with Raw(sandbox, "inspection") as inspection:
        assert inspection.call("GET", "/").status == 404
        assert inspection.call("GET", "/reset").headers["Allow"] == "POST"
        assert inspection.call("POST", "/messages").status == 405


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", "from smswire.cli.sandbox import sandbox; sandbox()", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def told_by(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    told: dict[str, Any] = json.loads(process.stdout.readline())
    return told


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_where_it_is_serves_and_ends_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    """With the key of the environment, until it is interrupted."""
    ca_file = str(tmp_path / "ca.pem")
    with command("--json", "--plain", "--chunked", "--ca-file", ca_file, SMSWIRE_API_KEY="from-environment") as process:
        told = told_by(process)
        assert told["ca_file"] == ca_file
        with urllib.request.urlopen(f"{told['plain_url']}/balance?p=from-environment", timeout=TIMEOUT_S) as answer:
            assert (answer.read(), answer.headers["Transfer-Encoding"]) == (b"1000000", "chunked")
        process.send_signal(number)
        output, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, output, errors) == (0, "", "")


def test_the_command_takes_keys_from_a_file_and_a_whitelist(tmp_path: Path) -> None:
    """One a line; the whitelist is that of each."""
    keys = tmp_path / "keys"
    keys.write_text("first\n\n second \n")
    with command("--json", "--plain", "--api-key-file", str(keys), "--whitelist", "10.0.0.0/8") as process:
        url = told_by(process)["plain_url"]
        for key, code in [("first", b'"903"'), ("second", b'"903"'), ("sandbox-key", b'"900"')]:
            asked = urllib.request.Request(f"{url}/balance?p={key}", headers={"Accept": JSON})
            with urllib.request.urlopen(asked, timeout=TIMEOUT_S) as answer:
                assert answer.read() == code
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)


def test_the_command_says_in_one_line_what_cannot_be() -> None:
    """A port in use, a whitelist that cannot be read."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for arguments in (["--port", str(taken.getsockname()[1])], ["--whitelist", "a b"]):
            with command(*arguments) as process:
                output, errors = process.communicate(timeout=TIMEOUT_S)
            assert (process.returncode, output, errors.count("\n")) == (1, "", 1)


def test_the_command_speaks_to_people_by_default() -> None:
    """A line for each place, and how to end it."""
    with command() as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.terminate()
        process.communicate(timeout=TIMEOUT_S)
    assert [line.split("  ")[0].strip() for line in lines] == ["url", "inspection url", "ca file", "Ctrl-C ends it."]


def test_a_sandbox_ends_whatever_connections_are_just_being_accepted():
    """Some were taken, and have not been handed to the loop's other half; many rounds meet every instant of that."""
    for count in [1, 2, 3] * 30:
        with contextlib.ExitStack() as opened, Sandbox(tls=False) as sandbox:
            host, port = sandbox.url.split("/")[2].split(":")
            for _ in range(count):
                opened.enter_context(socket.create_connection((host, int(port))))
