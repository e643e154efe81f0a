"""The commands against a sandbox: what they say is what it saw."""

from __future__ import annotations

import csv
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from smswire import errors
from smswire.cli.app import app
from smswire.cli.interrupts import Interrupts
from smswire.cli.options import KEY_VARIABLE
from smswire.cli.sandboxed import SandboxError, running_sandbox
from smswire.cli.sms import in_words
from smswire.cli.trial import Sent, messages, table
from smswire.gateway import MessageResult, SmsAnswer
from smswire.sandbox import Sandbox

KEY = "a-key-that-must-not-be-shown"


@pytest.fixture
def sandbox():
    failing = {"+4915199999901": 202, "+4915199999902": 600}
    with Sandbox([KEY], failing=failing, groups={"Friends": ["+4917111111", "+4915199999901"]}) as sandbox:
        yield sandbox


def reaching(sandbox):
    return ["--base-url", sandbox.url, "--trust", sandbox.ca_file]


def run(sandbox, *arguments, key=KEY):
    words = [str(argument) for argument in arguments] + reaching(sandbox)
    ended = CliRunner().invoke(app, words, env={KEY_VARIABLE: key}, catch_exceptions=False)
    assert KEY not in ended.output
    return ended


def last_line(ended):
    return json.loads(ended.stdout.splitlines()[-1])


def write(path, *rows, header=("to", "text")):
    with path.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([header, *rows])
    return path


def report_of(path):
    """In the order of the file: it has its lines in that in which outcomes came."""
    with path.open(encoding="utf-8", newline="") as report:
        return sorted(csv.DictReader(report), key=lambda line: int(line["line"]))


def test_an_sms_arrives_as_it_was_typed(sandbox):
    """Status 0; the answer has the id under which the gateway keeps it."""
    ended = run(sandbox, "sms", "+4915112345678", "Grüße & 100 % 😀\nnächste Zeile", "--json")
    assert ended.exit_code == 0
    (message,) = sandbox.messages()
    assert (message["to"], message["text"]) == ("4915112345678", "Grüße & 100 % 😀\nnächste Zeile")
    answer = last_line(ended)
    assert (answer["sent"], answer["code"], answer["messages"][0]["id"]) == ("yes", 100, message["id"])
    options = ("--from", "Shop & Co", "--label", "spring", "--foreign-id", "order-7")
    in_words = run(sandbox, "sms", "+4915112345679", "hello", *options)
    assert sandbox.messages()[-1]["from"] == "Shop & Co"
    sent_along = sandbox.messages()[-1]["parameters"]
    assert (sent_along["label"], sent_along["foreign_id"]) == ("spring", "order-7")
    assert in_words.stdout.startswith("accepted (code 100")
    assert f"id {sandbox.messages()[-1]['id']}, recipient 4915112345679" in in_words.stdout


@pytest.mark.parametrize(("to", "sent", "code"), [("+4915199999901", "no", 202), ("+4915199999902", "maybe", 600)])
def test_an_sms_not_accepted_says_whether_it_may_have_been_sent(sandbox, to, sent, code):
    """Status 1, with a sentence on stderr and the code in JSON."""
    ended = run(sandbox, "sms", to, "hello", "--json")
    assert ended.exit_code == 1
    assert (last_line(ended)["sent"], last_line(ended)["code"]) == (sent, code)
    assert str(code) in ended.stderr


def test_the_balance_is_shown_with_its_currency(sandbox):
    """As a line for people and as exact JSON."""
    assert run(sandbox, "balance").stdout == "1000000 EUR\n"
    assert last_line(run(sandbox, "balance", "--json")) == {"amount": "1000000", "currency": "EUR"}


def test_a_wrong_key_is_status_1_and_not_shown(sandbox):
    """The gateway's own code is named."""
    ended = run(sandbox, "balance", "--json", key="wrong-key")
    assert ended.exit_code == 1
    assert last_line(ended)["code"] == 900
    assert "wrong-key" not in ended.output


def test_the_key_may_come_from_a_file(sandbox, tmp_path):
    """With the line end that editors add."""
    key_file = tmp_path / "key"
    key_file.write_text(KEY + "\n")
    assert run(sandbox, "balance", "--api-key-file", key_file, key="").exit_code == 0


@pytest.mark.parametrize("command", ["sms", "bulk", "balance"])
def test_a_call_takes_no_longer_than_it_may(tmp_path, command):
    """Here without end, since the sandbox does not answer."""
    may_answer = threading.Event()

    def resolve(name):
        may_answer.wait()
        return ["127.0.0.1"]

    file = write(tmp_path / "m.csv", ("+4915112345678", "hello"))
    arguments = {"sms": ("+4915112345678", "hello"), "bulk": (file,), "balance": ()}[command]
    with Sandbox({KEY: "gate.example"}, resolve=resolve) as sandbox:
        ended = run(sandbox, command, *arguments, "--json", "--timeout", "0.2")
        may_answer.set()
    assert ended.exit_code == 1
    if command == "bulk":
        assert last_line(ended)["reasons"] in ({"maybe_sent": {"Timeout": 1}}, {"not_sent": {"Timeout": 1}})
    else:
        assert "the deadline passed" in last_line(ended)["error"]


@pytest.mark.parametrize("auth", ["basic", "x_api_key", "bearer", "p"])
@pytest.mark.parametrize("send_as", ["form", "json", "query"])
def test_a_file_arrives_whole_in_every_style(sandbox, tmp_path, auth, send_as):
    """Each text and recipient to the last byte, and a report with a line each."""
    sent = messages(30)
    file, report = tmp_path / "messages.csv", tmp_path / "out.csv"
    file.write_bytes(table(sent))
    ended = run(sandbox, "bulk", file, "--report", report, "--json", "--auth", auth, "--send-as", send_as)
    assert ended.exit_code == 0, ended.output
    assert {Sent(entry["to"], entry["text"]) for entry in sandbox.messages()} == set(sent)
    ids = {entry["to"]: entry["id"] for entry in sandbox.messages()}
    lines = report_of(report)
    assert [(line["to"], line["id"]) for line in lines] == [(message.to, ids[message.to]) for message in sent]
    assert {(line["sent"], line["code"], line["error"]) for line in lines} == {("yes", "100", "")}
    assert (last_line(ended)["accepted"], last_line(ended)["report"]) == (30, str(report))


def test_options_of_a_row_go_with_its_message(sandbox, tmp_path):
    """Rows with the same text and other options are other calls."""
    rows = [("+4915112345678", "hello", "Praxis", "60"), ("+4915112345679", "hello", "", "")]
    assert run(sandbox, "bulk", write(tmp_path / "m.csv", *rows, header=("to", "text", "from", "ttl"))).exit_code == 0
    first, second = sorted(sandbox.messages(), key=lambda entry: entry["to"])
    assert (first["from"], first["parameters"]["ttl"]) == ("Praxis", "60")
    assert "ttl" not in second["parameters"]


def test_every_outcome_is_told_apart(sandbox, tmp_path):
    """Summary, report, stderr and status say the same of accepted, refused, doubtful and half-accepted recipients."""
    rows = [("+4915112345678", "a"), ("+4915199999901", "a"), ("+4915199999902", "a"), ("Friends", "a")]
    file, report = write(tmp_path / "m.csv", *rows), tmp_path / "out.csv"
    ended = run(sandbox, "bulk", file, "--report", report)
    assert ended.exit_code == 1
    assert [(line["line"], line["sent"], line["code"]) for line in report_of(report)] == [
        ("2", "yes", "100"),
        ("3", "no", "202"),
        ("4", "maybe", "600"),
        ("5", "yes", "101"),
    ]
    words = " ".join(ended.stdout.split())
    assert "accepted 1 (code 100: 1) accepted in part 1 (code 101: 1) not sent 1 (code 202: 1)" in words
    assert "may have been sent 1 (code 600: 1)" in words
    assert [sentence.split(",")[0] for sentence in ended.stderr.splitlines()] == [
        "smswire: line 3",
        "smswire: line 4",
        "smswire: line 5",
    ]


def start(*arguments, encoding="utf-8", key=KEY):
    return subprocess.Popen(
        [sys.executable, "-m", "smswire", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding=encoding,
        env=os.environ | {KEY_VARIABLE: key, "PYTHONIOENCODING": encoding},
    )


@contextmanager
def holding_sandbox():
    """A sandbox that tells of each call and answers none until it may."""
    in_flight, may_answer = threading.Semaphore(0), threading.Event()

    def resolve(name):
        in_flight.release()
        may_answer.wait()
        return ["127.0.0.1"]

    with Sandbox({KEY: "gate.example"}, resolve=resolve) as sandbox:
        yield sandbox, in_flight, may_answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_sends_nothing_new_and_finishes_what_is_in_flight(tmp_path, number):
    """Status 130; the report has every recipient, and says of each what the gateway saw."""
    file = write(tmp_path / "m.csv", *((f"+49151{number:08d}", f"text {number}") for number in range(500)))
    report = tmp_path / "out.csv"
    with holding_sandbox() as (sandbox, in_flight, may_answer):
        options = ["--report", report, "--connections", 2, "--json", *reaching(sandbox)]
        with start("bulk", file, *options) as process:
            in_flight.acquire()
            in_flight.acquire()
            process.send_signal(number)
            assert "stopping" in process.stderr.readline()
            may_answer.set()
            stdout, stderr = process.communicate()
        assert process.returncode == 130, stderr
        received = {entry["to"] for entry in sandbox.messages()}
        lines = report_of(report)
        assert len(lines) == 500
        assert {line["to"].removeprefix("+") for line in lines if line["sent"] == "yes"} == received
        stopped = [line for line in lines if line["sent"] == "no"]
        assert {line["error"] for line in stopped} == {"stopped before it was sent"}
        assert len(received) + len(stopped) == 500
        account = json.loads(stdout.splitlines()[-1])
        assert (account["accepted"], account["not_sent"], account["interrupted"]) == (len(received), len(stopped), True)


@pytest.mark.parametrize("bundled", [True, False])
def test_what_is_told_of_an_interrupted_send_is_what_the_gateway_saw(tmp_path, bundled):
    """In the midst of it, with all connections busy: what was accepted is told so, and nothing is missing."""
    rows = 20_000
    file, report = tmp_path / "m.csv", tmp_path / "out.csv"
    write(file, *((f"+49151{number:08d}", "text" if bundled else f"text {number}") for number in range(rows)))
    with Sandbox([KEY]) as sandbox:
        with start("bulk", file, "--report", report, "--json", *reaching(sandbox)) as process:
            while len(sandbox.messages()) < 1_000:
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate()
        received = {entry["to"] for entry in sandbox.messages()}
    assert process.returncode == 130, stderr
    account = json.loads(stdout.splitlines()[-1])
    lines = report_of(report)
    assert [int(line["line"]) for line in lines] == list(range(2, rows + 2))
    told = {kind: {line["to"].removeprefix("+") for line in lines if line["sent"] == kind} for kind in ("yes", "no")}
    assert received == told["yes"]
    assert len(told["yes"]) + len(told["no"]) == rows
    assert (account["accepted"], account["not_sent"]) == (len(told["yes"]), len(told["no"]))
    assert 1_000 <= len(received) < rows


def test_a_second_ctrl_c_waits_for_no_call(tmp_path):
    """Those under way may have been sent, and the report says so; the gateway accepted them later."""
    file = write(tmp_path / "m.csv", *((f"+49151{number:08d}", f"text {number}") for number in range(500)))
    report = tmp_path / "out.csv"
    with holding_sandbox() as (sandbox, in_flight, may_answer):
        options = ["--report", report, "--connections", 2, "--json", *reaching(sandbox)]
        with start("bulk", file, *options) as process:
            in_flight.acquire()
            in_flight.acquire()
            said, place = b"", process.stderr.fileno()
            while b"line 2, " not in said:  # those of the first second are the same keypress
                process.send_signal(signal.SIGINT)
                if select.select([place], [], [], 0.05)[0]:
                    said += os.read(place, 65_536)
            stdout, stderr = process.communicate()
        may_answer.set()
    assert process.returncode == 130, stderr
    lines = report_of(report)
    assert [line["to"] for line in lines if line["sent"] == "maybe"] == ["+4915100000000", "+4915100000001"]
    assert {line["sent"] for line in lines[2:]} == {"no"}
    account = json.loads(stdout.splitlines()[-1])
    assert (account["maybe_sent"], account["not_sent"], account["interrupted"]) == (2, 498, True)


def test_a_refused_key_ends_the_send(sandbox, tmp_path):
    """Calls under way end, two a connection at most; the rest is told of as not sent, to the end of the file."""
    file, report = tmp_path / "m.csv", tmp_path / "out.csv"
    write(file, *((f"+49151{number:08d}", f"text {number}") for number in range(1_000)))
    options = ["--report", report, "--connections", 2, "--json", *reaching(sandbox)]
    with start("bulk", file, *options, key="of-somebody-else") as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 1, stderr
    assert "the rest was not sent, since the gateway answered 900: the API key is wrong: check the key" in stderr
    account = json.loads(stdout)
    refused, stopped = (account["reasons"]["not_sent"][reason] for reason in ("code 900", "stopped"))
    assert 1 <= refused <= 4
    assert (refused + stopped, account["accepted"], account["interrupted"]) == (1_000, 0, False)
    assert account["refusal"].startswith("the gateway answered 900")
    assert {line["sent"] for line in report_of(report)} == {"no"}
    assert [int(line["line"]) for line in report_of(report)] == list(range(2, 1_002))
    ended = run(sandbox, "bulk", file, "--connections", "2", key="of-somebody-else")
    assert "; stopped by a refused key\n" in ended.stdout


def test_a_refused_key_that_leaves_nothing_behind_stopped_nothing(sandbox, tmp_path):
    """All there was had been sent, and is told of."""
    file = write(tmp_path / "m.csv", ("+4915112345678", "a"))
    ended = run(sandbox, "bulk", file, key="of-somebody-else")
    assert ended.exit_code == 1
    assert "stopped" not in ended.output
    assert "the rest" not in ended.output


def test_a_refused_key_stops_nothing_where_nothing_more_can_be_read(sandbox):
    """A quote that is not closed is why, and that is said already."""
    rows = b'to,text\n+4915112345678,a\n+4915112345679,"b\n'
    words = [sys.executable, "-m", "smswire", "bulk", "-", *reaching(sandbox)]
    env = os.environ | {KEY_VARIABLE: "of-somebody-else"}
    ended = subprocess.run(words, input=rows, capture_output=True, env=env, check=False)
    assert ended.returncode == 1
    assert b"stopped" not in ended.stdout
    assert b"the rest" not in ended.stderr


def test_a_refused_key_ends_a_pipe_where_it_was_read(sandbox, tmp_path):
    """What was not read is not in the report, and stderr says from where on."""
    report = tmp_path / "out.csv"
    rows = "to,text\n" + "".join(f"+49151{number:08d},text {number}\n" for number in range(5_000))
    words = [sys.executable, "-m", "smswire", "bulk", "-", "--report", report, "--json", *reaching(sandbox)]
    env = os.environ | {KEY_VARIABLE: "of-somebody-else"}
    ended = subprocess.run(words, input=rows, capture_output=True, text=True, env=env, check=False)
    assert ended.returncode == 1
    account = json.loads(ended.stdout)
    assert account["accepted"] == 0
    assert account["recipients"] == len(report_of(report)) < 5_000
    assert account["unread_after_line"] == account["recipients"] + 1
    assert "the rest was not sent, since the gateway answered 900" in ended.stderr


def test_a_recipient_refused_with_a_code_of_the_key_stops_nobody_else(tmp_path):
    """A call may be accepted for some, and the code of one is no word about the key."""
    numbers = [f"+49151{number:08d}" for number in range(60)]
    file = write(tmp_path / "m.csv", *((number, f"text {number}") for number in numbers))
    with Sandbox([KEY], failing={numbers[3]: 902}) as sandbox:
        ended = run(sandbox, "bulk", file, "--connections", "2", "--json")
        assert len(sandbox.messages()) == 59
    account = last_line(ended)
    assert (ended.exit_code, account["accepted"], account["not_sent"], account["refusal"]) == (1, 59, 1, None)


def test_a_report_does_not_replace_what_is_printed_to(sandbox, tmp_path):
    """``/dev/stdout`` leads to the file behind it, which holds what others wrote."""
    file = write(tmp_path / "m.csv", ("+4915112345678", "a"))
    log = tmp_path / "log.txt"
    log.write_text("of others\n")
    for stream, place in (("stdout", "/dev/stdout"), ("stderr", "/dev/stderr"), ("stdout", str(log))):
        with log.open("a") as out:
            words = [sys.executable, "-m", "smswire", "bulk", file, "--report", place, *reaching(sandbox)]
            ended = subprocess.run(words, env=os.environ | {KEY_VARIABLE: KEY}, check=False, **{stream: out})
        assert (ended.returncode, sandbox.messages()) == (2, [])
    assert log.read_text().startswith("of others\n")
    assert "it is where stderr goes; nothing was sent" in log.read_text()


def test_what_a_gateway_answers_cannot_steer_the_terminal():
    """Fields are shown with their escapes as such."""
    answer = SmsAnswer(100, (MessageResult(errors.Sent.YES, sender="\x1b[2J\nsmswire: not accepted", text="Grüße 😀"),))
    assert list(in_words(answer))[1:] == [r"  sender \x1b[2J\nsmswire: not accepted"]


def test_a_report_does_not_replace_the_key_or_the_certificates(sandbox, tmp_path):
    """Or they would be gone once it is whole."""
    file = write(tmp_path / "m.csv", ("+4915112345678", "a"))
    key, trust = tmp_path / "key", tmp_path / "ca.pem"
    key.write_text(KEY)
    trust.write_bytes(Path(sandbox.ca_file).read_bytes())
    for place, said in ((key, "it is the file of the key"), (trust, "it is the file of trusted certificates")):
        options = ["--api-key-file", str(key), "--trust", str(trust), "--base-url", sandbox.url]
        ended = CliRunner().invoke(app, ["bulk", str(file), "--report", str(place), *options])
        assert (ended.exit_code, sandbox.messages()) == (2, [])
        assert said in ended.stderr
    assert key.read_text() == KEY


def test_what_a_row_holds_cannot_steer_the_terminal(sandbox):
    """Nor forge a line: escapes are shown as such."""
    rows = b'to,text\n"\x1b[2J\nsmswire: all accepted",hi\n'
    words = [sys.executable, "-m", "smswire", "bulk", "-", *reaching(sandbox)]
    env = os.environ | {KEY_VARIABLE: KEY}
    ended = subprocess.run(words, input=rows, capture_output=True, env=env, check=False)
    assert ended.returncode == 1
    assert b"line 2, \\x1b[2J\\nsmswire: all accepted: to: a recipient must not hold control" in ended.stderr


def test_a_file_may_be_called_as_standard_input_is(sandbox, tmp_path, monkeypatch):
    """``./-`` is a file."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "-", ("+4915112345678", "a"))
    ended = run(sandbox, "bulk", "./-", "--report", "./out-")
    assert (ended.exit_code, [entry["text"] for entry in sandbox.messages()]) == (0, ["a"])


def test_rows_of_a_pipe_go_before_it_ends(sandbox, tmp_path):
    """As soon as there are more than a window holds; Ctrl-C while more are waited for tells of all that was sent."""
    report = tmp_path / "out.csv"
    with subprocess.Popen(
        [sys.executable, "-m", "smswire", "bulk", "-", "--report", report, "--json", *reaching(sandbox)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {KEY_VARIABLE: KEY},
    ) as process:
        process.stdin.write("to,text\n" + "".join(f"+49151{number:08d},text {number}\n" for number in range(1_020)))
        process.stdin.flush()
        while len(sandbox.messages()) < 20:
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.wait()
        stdout, stderr = process.stdout.read(), process.stderr.read()
    assert process.returncode == 130, stderr
    lines = report_of(report)
    accepted = {line["to"].removeprefix("+") for line in lines if line["sent"] == "yes"}
    assert accepted == {entry["to"] for entry in sandbox.messages()}
    assert {line["sent"] for line in lines} == {"yes", "no"}
    assert len(lines) == 1_020
    assert "what follows line 1,021 was not read, and not sent" in stderr
    assert json.loads(stdout)["unread_after_line"] == 1_021


def test_a_pipe_is_sent_row_by_row_and_a_file_as_its_input_is_checked_first(sandbox, tmp_path):
    """One row that cannot be sent: of a pipe it is told of, of a file nothing is sent."""
    file, report = tmp_path / "m.csv", tmp_path / "out.csv"
    write(file, ("+4915112345678", "a"), ("", "b"), ("+4915112345679", "c"))
    words = [sys.executable, "-m", "smswire", "bulk", "-", "--report", report, "--json", *reaching(sandbox)]
    env = os.environ | {KEY_VARIABLE: KEY}
    with file.open("rb") as redirected:
        ended = subprocess.run(words, stdin=redirected, capture_output=True, env=env, check=False)
    assert (ended.returncode, sandbox.messages(), report.exists()) == (2, [], False)
    assert b"standard input cannot be sent as it is, and nothing was:\nline 3: to is empty\n" in ended.stderr
    ended = subprocess.run(words, input=file.read_bytes(), capture_output=True, env=env, check=False)
    assert ended.returncode == 1
    assert sorted(entry["text"] for entry in sandbox.messages()) == ["a", "c"]
    assert [(line["sent"], line["error"]) for line in report_of(report)] == [
        ("yes", ""),
        ("no", "to is empty"),
        ("yes", ""),
    ]
    ended = subprocess.run(words, input=b"to;txet\n+491;a\n", capture_output=True, env=env, check=False)
    assert (ended.returncode, len(sandbox.messages())) == (2, 2)
    assert report_of(report)[0]["line"] == "2"  # the one before


def test_an_input_that_cannot_be_read_on_is_told_of_with_all_that_was_sent_before(sandbox):
    """Status 1: here a pipe that does not wait, and its writer has more to say."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.write(writing, b"to,text\n+4915112345678,a\n+4915112345679,a\n")
    words = [sys.executable, "-m", "smswire", "bulk", "-", "--json", *reaching(sandbox)]
    ended = subprocess.run(
        words, stdin=reading, capture_output=True, text=True, env=os.environ | {KEY_VARIABLE: KEY}, check=False
    )
    os.close(reading)
    os.close(writing)
    assert ended.returncode == 1
    assert len(sandbox.messages()) == json.loads(ended.stdout)["accepted"] == 2
    assert ended.stderr.splitlines() == [
        "smswire: standard input cannot be read on: Resource temporarily unavailable",
        "smswire: what follows line 3 was not read, and not sent",
    ]


def test_a_report_that_cannot_be_written_on_stops_the_send(tmp_path):
    """Status 1; what there is of it stays, and it is said where; all that was sent is counted."""
    file = write(tmp_path / "m.csv", *((f"+49151{number:08d}", f"text {number}") for number in range(2_000)))
    report = tmp_path / "out.csv"
    with Sandbox([KEY]) as sandbox:
        bulk = [sys.executable, "-m", "smswire", "bulk", file, "--report", report, "--json", "--connections", "2"]
        ended = subprocess.run(
            ["/bin/sh", "-c", 'ulimit -f 4; exec "$@"', "sh", *bulk, *reaching(sandbox)],
            capture_output=True,
            text=True,
            env=os.environ | {KEY_VARIABLE: KEY, "PYTHONDONTWRITEBYTECODE": "1"},
            check=False,
        )
        received = {entry["to"] for entry in sandbox.messages()}
    assert ended.returncode == 1, ended.stderr
    assert not report.exists()
    (said,) = (line for line in ended.stderr.splitlines() if "could not be written" in line)
    whole = Path(said.rpartition(" in ")[2]).read_text(encoding="utf-8").split("\n")[1:-1]
    assert {line.split(",")[1].removeprefix("+") for line in whole} < received
    account = json.loads(ended.stdout)
    assert (account["accepted"], account["recipients"]) == (len(received), 2_000)
    assert len(received) < len(whole) + 100
    assert account["report"] is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_sms_says_whether_it_may_have_been_sent(number):
    """Status 130, whatever asked it to stop: in words on stderr, and in JSON."""
    with holding_sandbox() as (sandbox, in_flight, may_answer):
        with start("sms", "+4915112345678", "hello", "--json", *reaching(sandbox)) as process:
            in_flight.acquire()
            process.send_signal(number)
            stdout, stderr = process.communicate()
        may_answer.set()
    assert stderr == "smswire: interrupted; the SMS may have been sent\n"
    assert json.loads(stdout) == {"error": "interrupted", "sent": "maybe"}
    assert process.returncode == 130


def test_a_terminal_that_cannot_show_a_character_ends_no_send(sandbox, tmp_path):
    """It is shown escaped, and JSON is ASCII anyway."""
    file = write(tmp_path / "m.csv", ("Müller 😀", "hello"), ("+4915112345678", "hello"))
    with start("bulk", file, "--json", *reaching(sandbox), encoding="latin-1") as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 1
    assert json.loads(stdout.splitlines()[-1])["accepted"] == 1
    assert "Müller \\U0001f600" in stderr


@pytest.mark.parametrize("options", [(), ("--chunked",), ("--no-pacing", "--connections", "20")])
def test_the_demonstration_ends_well(options):
    """Nothing lost, nothing twice, nothing altered, and the figures add up."""
    with start("demo", "--messages", "400", "--json", *options) as process:
        stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    result = json.loads(stdout)
    assert (result["lost"], result["duplicated"], result["altered"], result["misreported"]) == (0, 0, 0, 0)
    assert (result["messages"], result["accepted"]) == (400, 400)
    assert result["connections_opened"] > 0
    assert 0 < result["peak_connections_per_second"] <= 50
    assert result["calls"] == 266 + 2
    assert result["seconds"] > 0


def test_a_sandbox_process_ends_however_it_is_left():
    """By an interrupt too: nobody listens afterwards."""
    started = []

    def interrupted():
        with running_sandbox(KEY, Interrupts()) as sandbox:
            started.append(sandbox)
            assert sandbox.saw("messages") == []
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    (sandbox,) = started
    assert KEY not in repr(sandbox)
    inspection = urlsplit(sandbox.inspection_url)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((inspection.hostname, inspection.port))
    with pytest.raises(SandboxError):
        sandbox.saw("messages")


def test_a_sandbox_that_does_not_start_is_an_error():
    """Not a wait without end."""
    with pytest.raises(SandboxError), running_sandbox(KEY, Interrupts(), "--no-such-option"):
        pass


def test_signals_in_a_burst_end_the_sandbox():
    """One may come while another is being handled."""
    command = [sys.executable, "-m", "smswire", "sandbox", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        while process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
        assert process.returncode in (0, -signal.SIGTERM, -signal.SIGINT)


@pytest.mark.parametrize("option", ["--port", "--plain-port", "--inspection-port"])
def test_a_port_out_of_range_is_wrong_usage(option):
    """It is refused, not taken modulo 65,536."""
    assert CliRunner().invoke(app, ["sandbox", option, "99999"]).exit_code == 2


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--ca-file", "/no-such-folder/ca.pem", "/no-such-folder/ca.pem"),
        ("--delay", "nan", "delay"),
        ("--delay", "inf", "delay"),
    ],
)
def test_a_sandbox_that_cannot_start_says_what_is_wrong(option, value, said):
    """The file or the option is named."""
    ended = CliRunner().invoke(app, ["sandbox", option, value])
    assert ended.exit_code == 1
    assert said in ended.stderr


def test_a_port_that_is_taken_is_named_with_its_address(sandbox):
    """In a sentence, without the system's number for it."""
    ended = CliRunner().invoke(app, ["sandbox", "--port", str(sandbox.port)])
    assert ended.exit_code == 1
    assert ended.stderr == f"Error: cannot listen on 127.0.0.1, port {sandbox.port}: Address already in use\n"


def test_a_sandbox_ends_with_its_starter_however_that_ends():
    """A killed demonstration leaves nobody listening: the kernel closes the pipe that the sandbox reads to its end."""
    program = (
        "import sys; from smswire.cli.interrupts import Interrupts; from smswire.cli.sandboxed import running_sandbox\n"
        "with running_sandbox('a-key', Interrupts()) as sandbox: print(sandbox.inspection_url, flush=True); input()"
    )
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as starter:
        inspection = urlsplit(starter.stdout.readline().strip())
        with socket.create_connection((inspection.hostname, inspection.port), 30.0) as watching:
            starter.kill()
            assert watching.recv(1) == b""


def test_a_sandbox_may_be_told_to_end_with_its_input():
    """And is otherwise none of its input's business."""
    for options, ends in ((["--until-stdin-ends"], True), ([], False)):
        command = [sys.executable, "-m", "smswire", "sandbox", "--json", *options]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdout.readline()
            process.stdin.write(b"not the end")
            process.stdin.close()
            if not ends:
                process.terminate()
            assert process.wait(30.0) == 0
