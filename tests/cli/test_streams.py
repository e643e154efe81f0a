"""What cannot be printed changes nothing: the messages are sent, and the exit status is by what became of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest

from smswire.cli.options import KEY_VARIABLE
from smswire.sandbox import Limits, Sandbox

KEY = "sandbox-key"
UNLIKELY = "+4915199999901"  # refused by the sandbox below


@pytest.fixture
def sandbox():
    with Sandbox([KEY], failing={UNLIKELY: 202}, limits=Limits(reload_lock_seconds=0)) as sandbox:
        yield sandbox


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text("to,text\n+4915112345678,hello\n+4915112345679,hello\n")
    return file


def run(*arguments, sandbox=None, shell="", env=None, **streams):
    """A command as a process; ``shell`` is what stands after it on a shell's command line."""
    reaching = ["--base-url", sandbox.url, "--trust", sandbox.ca_file] if sandbox else []
    words = [sys.executable, "-m", "smswire", *arguments, *reaching]
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {shell}', "sh", *words],
        env=os.environ | {KEY_VARIABLE: KEY} | (env or {}),
        stdin=subprocess.DEVNULL,
        check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams,
    )


def account(ended):
    return json.loads(ended.stdout.splitlines()[-1])


@pytest.mark.parametrize("closed", ["2>&-", "<&- 2>&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_keep_nothing_from_being_sent(sandbox, file, tmp_path, closed):
    """And nothing that was meant for them ends in a file or connection that has their number."""
    ended = run("bulk", file, "--json", "--report", tmp_path / "out.csv", sandbox=sandbox, shell=closed)
    lost = b"smswire: the result could not be written to stdout: Bad file descriptor\n"
    assert (ended.returncode, ended.stderr) == (0, lost if closed == ">&-" else b"")
    assert len(sandbox.messages()) == 2
    assert (tmp_path / "out.csv").read_text().startswith("line,to,sent,code,id,error\n2,+4915112345678,yes,100,")
    if ">&-" not in closed.replace("2>&-", ""):
        assert account(ended)["accepted"] == 2


def test_a_closed_stderr_does_not_spoil_the_demonstration():
    """It says on stdout what it found."""
    ended = run("demo", "--messages", "20", "--json", shell="2>&-")
    assert ended.returncode == 0
    assert account(ended)["accepted"] == 20


@pytest.mark.parametrize("wanted", [(), ("--json",)])
@pytest.mark.parametrize("command", ["sms", "bulk"])
@pytest.mark.parametrize("place", ["full", "broken pipe"])
def test_what_was_accepted_is_status_0_even_if_nobody_hears_of_it(sandbox, file, command, wanted, place):
    """Status 1 would invite to send it again; a sentence on stderr tells that the result was not written."""
    arguments = {"sms": ("+4915112345678", "hello"), "bulk": (file,)}[command]
    if place == "full":
        ended = run(command, *arguments, *wanted, sandbox=sandbox, shell=">/dev/full")
        why = "No space left on device"
    else:
        reading, writing = os.pipe()
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            ended = run(command, *arguments, *wanted, sandbox=sandbox, stdout=pipe)
        why = "Broken pipe"
    assert len(sandbox.messages()) == {"sms": 1, "bulk": 2}[command]
    assert ended.stderr.decode() == f"smswire: the result could not be written to stdout: {why}\n"
    assert ended.returncode == 0


def test_what_was_not_accepted_stays_status_1(sandbox, file):
    """Whether or not it could be printed."""
    file.write_text(f"to,text\n{UNLIKELY},hello\n+4915112345678,hello\n")
    ended = run("bulk", file, sandbox=sandbox, shell=">/dev/full")
    assert ended.returncode == 1
    assert ended.stderr.count(b"\n") == 2


def test_where_the_result_is_all_there_is_a_failed_print_is_status_1(sandbox):
    """The credit was asked for to be shown."""
    for shell, status in ((">/dev/full", 1), (">&-", 1), (">/dev/null", 0)):
        assert run("balance", sandbox=sandbox, shell=shell).returncode == status


def test_complaints_that_nobody_can_read_change_nothing(sandbox, file):
    """The result is on stdout all the same."""
    file.write_text(f"to,text\n{UNLIKELY},hello\n+4915112345678,hello\n")
    ended = run("bulk", file, "--json", sandbox=sandbox, shell="2>/dev/full")
    assert ended.returncode == 1
    assert (account(ended)["accepted"], account(ended)["not_sent"]) == (1, 1)
    ended = run("sms", UNLIKELY, "hello", "--json", sandbox=sandbox, shell="2>/dev/full")
    assert (ended.returncode, account(ended)["code"]) == (1, 202)


def test_a_terminal_that_goes_away_ends_no_send(file):
    """The progress bar was drawn there."""
    may_answer = threading.Event()

    def resolve(name):
        may_answer.wait()
        return ["127.0.0.1"]

    with Sandbox({KEY: "gate.example"}, resolve=resolve) as sandbox:
        terminal, its_other_end = os.openpty()
        reaching = ["--base-url", sandbox.url, "--trust", sandbox.ca_file]
        with subprocess.Popen(
            [sys.executable, "-m", "smswire", "bulk", file, "--json", *reaching],
            env=os.environ | {KEY_VARIABLE: KEY, "TERM": "xterm"},
            stdout=subprocess.PIPE,
            stderr=its_other_end,
        ) as process:
            os.close(its_other_end)
            shown = b""
            while b"0/2" not in shown:
                shown += os.read(terminal, 4096)
            os.close(terminal)
            may_answer.set()
            stdout, _ = process.communicate()
        assert len(sandbox.messages()) == 2
    assert process.returncode == 0
    assert json.loads(stdout)["accepted"] == 2


@pytest.mark.parametrize(
    ("name", "env", "shown"),
    [
        (b"r\xff.csv", {}, "r\\xff.csv"),
        ("rü.csv".encode(), {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "rü.csv"),
        ("rü.csv".encode(), {}, "rü.csv"),
    ],
)
def test_a_report_may_have_any_name(sandbox, file, tmp_path, name, env, shown):
    """JSON holds it as text: bytes that are none are written as ``\\xff``."""
    place = os.fsencode(tmp_path) + b"/" + name
    ended = run("bulk", file, "--json", "--report", place, sandbox=sandbox, env=env)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert account(ended)["accepted"] == 2
    assert account(ended)["report"] == f"{tmp_path}/{shown}"
    assert os.path.exists(place)
    ended = run("bulk", file, "--json", "--report", place + b"/no", sandbox=sandbox, env=env)
    assert ended.returncode == 2
    assert shown in account(ended)["error"]
