"""``python -m smswire.codec`` checks a file and says nothing, or where the fault is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smswire.codec.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "content", "complaint"),
    [
        (["json"], b'{"a": [1, "\xc3\xa4"]}\n', ""),
        (["json"], b'{"a": 1,\n "a": 2}', "the key appears twice in its object at line 2, column 2 ($.a)"),
        (["json", "--duplicate-keys", "last"], b'{"a": 1,\n "a": 2}', ""),
        (["json", "--duplicate-keys", "first"], b'{"a": 1,\n "a": x}', "found 'x' at line 2, column 7 ($.a)"),
        (["json"], b"", "expected a value, found the end of the text at line 1, column 1 ($)"),
        (["json"], b'["\xc3\xa4\xff"]', "the bytes are not UTF-8 at line 1, column 4 ($[0])"),
        (["form"], b"", ""),
        (["form"], b"a=1&b=%C3%A4", ""),
        (["form"], b"a=1\n&b=\xc3\xa4%4", '"%" must have two hexadecimal digits behind it at line 2, column 5'),
        (["form"], b"a=%FF", "the bytes are not UTF-8 at line 1, column 3"),
        (["form"], b"&".join([b"a=1"] * 1001), "the form has more than 1000 fields at line 1, column 4001"),
    ],
)
def test_a_file_is_valid_or_its_fault_is_named(
    arguments: list[str], content: bytes, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Silence and 0, or one line on stderr with file, reason, line and column, and 1."""
    file = tmp_path / "file"
    file.write_bytes(content)
    status = main([*arguments, str(file)])
    printed = capsys.readouterr()
    assert status == (1 if complaint else 0)
    assert printed.out == ""
    assert printed.err.endswith(f"{complaint}\n" if complaint else "")
    assert bool(printed.err) == bool(complaint)
    assert printed.err.startswith(f"{file}: ") == bool(complaint)


@pytest.mark.parametrize("arguments", [[], ["xml", "f"], ["json"], ["form", "--duplicate-keys", "last", "f"]])
def test_wrong_usage_ends_in_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """As argparse has it."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_file_that_is_not_there_ends_in_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is neither valid nor invalid."""
    with pytest.raises(SystemExit) as caught:
        main(["json", str(tmp_path / "none")])
    assert caught.value.code == 2
    assert "none" in capsys.readouterr().err


def test_a_closed_standard_input_ends_in_2() -> None:
    """It is neither valid nor invalid."""
    script = f"exec {sys.executable} -m smswire.codec json - <&-"
    ran = subprocess.run(["/bin/sh", "-c", script], capture_output=True)
    assert (ran.returncode, ran.stdout) == (2, b"")
    assert b"standard input is closed" in ran.stderr


@pytest.mark.parametrize(("content", "status"), [(b"[1]", 0), (b"[1", 1)])
def test_it_runs_as_a_module_and_reads_standard_input(content: bytes, status: int) -> None:
    """As the manual has it, in a process of its own."""
    command = [sys.executable, "-m", "smswire.codec", "json", "-"]
    ran = subprocess.run(command, input=content, capture_output=True)
    assert (ran.returncode, ran.stdout) == (status, b"")
    assert (b"line 1, column 3" in ran.stderr) == bool(status)
