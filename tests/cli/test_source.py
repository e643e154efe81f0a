"""Where a file comes from: one that can be read again is, and a pipe is read as it comes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from smswire.cli.source import Source, SourceError


def test_a_regular_file_is_read_again_from_where_it_began(tmp_path):
    """Whatever has taken its name in the meantime, and however far the first reading went."""
    file = tmp_path / "messages.csv"
    file.write_bytes(content := bytes(range(256)) * 1_000)
    with Source(file) as source:
        assert source.is_repeatable
        next(source.chunks())
        file.rename(tmp_path / "other.csv")
        file.write_bytes(b"another")
        assert b"".join(source.chunks()) == b"".join(source.chunks()) == content
        assert max(map(len, source.chunks())) <= 65_536


def test_redirected_input_begins_where_it_was_handed_over(tmp_path):
    """A program before may have read the first lines of it."""
    file = tmp_path / "messages.csv"
    file.write_bytes(b"read already\nto,text\n")
    program = (
        "from pathlib import Path; from smswire.cli.source import Source\n"
        "with Source(Path('-')) as source: print(source.is_repeatable, *source.chunks(), *source.chunks())"
    )
    with file.open("rb", buffering=0) as redirected:
        redirected.seek(13)
        ended = subprocess.run([sys.executable, "-c", program], stdin=redirected, capture_output=True, check=False)
    assert ended.stdout == b"True b'to,text\\n' b'to,text\\n'\n"


def test_a_pipe_gives_what_is_there_without_waiting_for_more():
    """Each piece as it was written, and then the end."""
    reading, writing = os.pipe()
    with Source(f"/dev/fd/{reading}") as source:
        os.close(reading)
        assert not source.is_repeatable
        chunks = source.chunks()
        for piece in (b"to,te", b"xt\n+491,"):
            os.write(writing, piece)
            assert next(chunks) == piece
        os.close(writing)
        assert next(chunks, None) is None


def test_what_cannot_be_opened_or_read_on_is_named(tmp_path):
    """By the name it was given, with the system's reason."""
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(SourceError, match=f"^{path} cannot be read: "), Source(path):
            pass
