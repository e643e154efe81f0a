"""What the commands say when they cannot begin: one sentence on stderr, status 2, and nothing sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import smswire
import smswire.gateway
from smswire.cli.app import app
from smswire.cli.options import KEY_VARIABLE, Settings

KEY = "a-key-that-must-not-be-shown"
NOWHERE = "https://127.0.0.1:9/api"  # nobody listens there, and nothing may try


def run(*arguments, key=KEY):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={KEY_VARIABLE: key})


def run_python(program, *options, **env):
    return subprocess.run(
        [sys.executable, *options, "-c", program], capture_output=True, text=True, check=False, env=os.environ | env
    )


@pytest.fixture
def file(tmp_path):
    file = tmp_path / "messages.csv"
    file.write_text("to,text\n+4915112345678,hello\n")
    return file


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_without_the_extra_it_says_what_to_install(missing):
    """In one sentence, with status 2, instead of a traceback; right wherever smswire itself came from."""
    ended = run_python(f"import sys; sys.modules[{missing!r}] = None; from smswire.cli import main; main()")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"smswire: the command line needs {missing}: pip install {missing}\n"


@pytest.mark.parametrize(
    ("command", "module"),
    [
        ("sms", "click"), ("sms", "smswire.cli.sms"), ("sms", "smswire.flow.retry"), ("bulk", "smswire.cli.bulk"),
        ("bulk", "smswire.cli.report"), ("bulk", "smswire.cli.sending"), ("bulk", "smswire.gateway"),
    ],
)  # fmt: skip
def test_an_interrupt_while_a_command_is_loaded_is_told_as_any_other(command, module, file):
    """Status 130, and nothing was sent."""
    arguments = {"sms": ["+491716992343", "hello"], "bulk": [str(file)]}[command]
    program = f"""
import sys
class Interrupting:
    def find_spec(name, path=None, target=None):
        if name == {module!r}:
            sys.meta_path.remove(Interrupting)
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting)
sys.argv = ["smswire", {command!r}, *{arguments!r}]
from smswire.cli import main
main()
"""
    ended = run_python(program, **{KEY_VARIABLE: "a-key"})
    assert (ended.returncode, ended.stdout) == (130, "")
    assert ended.stderr.lstrip() == "smswire: interrupted; nothing was sent\n"


@pytest.mark.parametrize("place", ["in click", "behind click"])
def test_an_interrupt_behind_the_result_changes_nothing(place):
    """What was told stands, the exit status too."""
    program = f"""
import sys
import click
from smswire.cli import app, main
class Interrupted(click.core.Context):
    def exit(self, code=0):
        if {place!r} == "in click":
            raise KeyboardInterrupt
        super().exit(code)
app.app.context_class = click.Context
from smswire.cli import balance
balance.balance.context_class = Interrupted
if {place!r} == "behind click":
    call = app.app.main
    def main_and_interrupt(*args, **kwargs):
        call(*args, **kwargs)
        raise KeyboardInterrupt
    app.app.main = main_and_interrupt
sys.argv = ["smswire", "balance", "--base-url", {NOWHERE!r}, "--timeout", "0.1"]
main()
"""
    ended = run_python(program, **{KEY_VARIABLE: "a-key"})
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.count("smswire: ") == 1
    assert "interrupted" not in ended.stderr


def test_a_command_loads_no_other_commands_libraries():
    """Neither the progress bar nor an event loop for a command that shows none and needs none."""
    program = (
        "import sys; from smswire.cli.app import app; app(['balance', '--help'], standalone_mode=False);"
        "print(sorted(m for m in ('rich', 'asyncio', 'trustme', 'smswire.gateway') if m in sys.modules))"
    )
    assert run_python(program).stdout.endswith("[]\n")


@pytest.mark.parametrize("command", [("sms", "+491", "hello"), ("balance",), ("bulk", "FILE")])
def test_without_a_key_no_command_begins(command, file):
    """The sentence names both ways to give one."""
    ended = run(*(file if word == "FILE" else word for word in command), key="")
    assert ended.exit_code == 2
    assert KEY_VARIABLE in ended.stderr
    assert "--api-key-file" in ended.stderr


def test_a_key_file_may_begin_with_a_byte_order_mark(tmp_path):
    """Some editors write one; it is no part of the key."""
    key_file = tmp_path / "key"
    key_file.write_bytes(b"\xef\xbb\xbfa-key\r\n")
    ended = run("balance", "--api-key-file", key_file, "--base-url", "ftp://127.0.0.1")
    assert "base_url" in ended.stderr


def test_a_key_file_without_a_key_is_named_and_not_shown(tmp_path):
    """Not even a file that is something else altogether."""
    for content in (b"", b" \n", "schlüssel".encode()):
        key_file = tmp_path / "key"
        key_file.write_bytes(content)
        ended = run("balance", "--api-key-file", key_file)
        assert ended.exit_code == 2
        assert str(key_file) in ended.stderr
        assert "schl" not in ended.output


def test_settings_do_not_show_the_key():
    """In no repr."""
    assert KEY not in repr(Settings(KEY))


@pytest.mark.parametrize("arguments", [("", "hello"), ("+491,+492", "hello"), ("+491", ""), ("+491", "x" * 1521)])
def test_an_sms_that_breaks_a_rule_is_wrong_usage(arguments):
    """Status 2, a sentence, and with --json the same as JSON."""
    ended = run("sms", "--base-url", NOWHERE, "--json", *arguments)
    assert ended.exit_code == 2
    assert json.loads(ended.stdout.splitlines()[-1])["sent"] == "no"
    assert ended.stderr.startswith("smswire: ")
    assert KEY not in ended.output


def test_a_base_url_that_cannot_be_is_wrong_usage():
    """It is the program's own set-up that is at fault."""
    ended = run("balance", "--base-url", "ftp://127.0.0.1/api")
    assert ended.exit_code == 2
    assert ended.stderr.count("\n") == 1


def test_a_gateway_that_cannot_be_reached_is_one_sentence_and_status_1():
    """It says that nothing was sent."""
    ended = run("sms", "+4915112345678", "hello", "--base-url", NOWHERE, "--json")
    assert ended.exit_code == 1
    assert json.loads(ended.stdout.splitlines()[-1])["sent"] == "no"
    assert "not sent" in ended.stderr
    assert KEY not in ended.output


def test_a_spoiled_file_is_told_of_line_by_line(file):
    """Every finding of reader and gateway's rules, as text and as JSON."""
    file.write_bytes(b"to,text\n,hello\n4.91517E+11,hello\n")
    ended = run("bulk", file, "--base-url", NOWHERE, "--json")
    assert ended.exit_code == 2
    assert "line 2: to is empty" in ended.stderr
    said = json.loads(ended.stdout.splitlines()[-1])
    assert ([finding["line"] for finding in said["findings"]], said["found"]) == ([2, 3], 2)
    file.write_text(f"to,text\n+491,{'x' * 1521}\n")
    ended = run("bulk", file, "--base-url", NOWHERE)
    assert ended.exit_code == 2
    assert "line 2: text" in ended.stderr


def test_a_report_that_cannot_be_written_stops_before_anything_is_sent(file, tmp_path):
    """It would be found out too late otherwise."""
    for place in (tmp_path / "no" / "out.csv", file, tmp_path):
        ended = run("bulk", file, "--report", place, "--base-url", NOWHERE)
        assert ended.exit_code == 2
        assert "nothing was sent" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [("bulk", "no-such-file.csv"), ("balance", "--connections", "0"), ("demo", "--messages", "0"), ("ssm",)],
)
def test_wrong_arguments_are_status_2(arguments):
    """As click has it."""
    assert run(*arguments).exit_code == 2


def test_a_report_on_standard_output_is_refused_before_the_file_is_read(tmp_path, monkeypatch):
    """And no file of that name is made, unless it is meant."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m.csv").write_text("neither,to,nor,text\n")
    ended = run("bulk", "m.csv", "--report", "-", "--base-url", NOWHERE)
    assert ended.exit_code == 2
    assert "half of one looks like a whole" in " ".join(ended.stderr.replace("│", " ").split())
    assert run("bulk", "m.csv", "--report", "./-", "--base-url", NOWHERE).exit_code == 2
    assert os.listdir(tmp_path) == ["m.csv"]


def test_the_key_is_no_argument():
    """Every user of the machine could read it in the list of processes."""
    for command in ("sms", "bulk", "balance"):
        assert "--api-key " not in run(command, "--help").stdout


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_a_timeout_that_cannot_be_is_wrong_usage(seconds):
    """The option is named."""
    ended = run("balance", "--timeout", seconds, "--base-url", NOWHERE)
    assert ended.exit_code == 2
    assert "timeout" in ended.stderr


def test_text_that_the_locale_cannot_read_is_blamed_on_the_locale():
    """What arrives then is no text; the sentence says what to do about it, and nothing was sent."""
    words = [sys.executable, "-m", "smswire", "sms", "+4915112345678", "für dich", "--json", "--base-url", NOWHERE]
    for env, encoding in (
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "ascii"),
        ({"PYTHONUTF8": "1"}, "utf-8"),
    ):
        typed = [*words[:5], "für dich".encode("utf-8" if encoding == "ascii" else "latin-1"), *words[6:]]
        ended = subprocess.run(typed, capture_output=True, check=False, env=os.environ | {KEY_VARIABLE: KEY} | env)
        assert ended.returncode == 2
        assert json.loads(ended.stdout)["sent"] == "no"
        assert ended.stderr.decode() == (
            f"smswire: text: holds bytes that are no text in the encoding of the locale ({encoding}); "
            "write it in UTF-8, under a UTF-8 locale such as LC_ALL=C.UTF-8\n"
        )


def test_the_version_is_the_packages_own():
    """The same wherever it was copied to, installed or not."""
    source = str(Path(smswire.__file__).parents[1])
    program = "import sys; from smswire.cli import main; sys.argv[1:] = ['--version']; main()"
    ended = run_python(program, PYTHONPATH=source)
    assert (ended.returncode, ended.stdout) == (0, f"smswire {smswire.__version__}\n")


def test_every_public_name_is_there():
    """And those that are loaded late are listed."""
    assert set(smswire.__all__) <= set(dir(smswire))
    assert all(getattr(smswire, name) is not None for name in smswire.__all__)
    assert smswire.SmsOutcome is smswire.gateway.SmsOutcome
