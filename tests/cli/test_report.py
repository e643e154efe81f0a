"""The report is there whole or not at all, and its place is known to be good before anything is sent."""

from __future__ import annotations

import csv
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smswire.cli.report import Line, Report, ReportError

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
LINES = st.lists(st.builds(Line, st.integers(2, 99), TEXT, TEXT, st.integers(11, 903), TEXT, TEXT), max_size=5)


@pytest.fixture
def source(tmp_path):
    source = tmp_path / "messages.csv"
    source.write_text("to,text\n")
    return source


@given(LINES)
def test_lines_read_back_as_they_were_written(lines):
    """A header and a line a recipient, whatever numbers and errors hold."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "out.csv")
        with Report(place, Path(folder, "in.csv")) as report:
            report.write(lines)
        with place.open(encoding="utf-8", newline="") as written:
            header, *rows = csv.reader(written)
        assert header == ["line", "to", "sent", "code", "id", "error"]
        assert rows == [[str(cell) for cell in line] for line in lines]
        assert os.listdir(folder) == ["out.csv"]


def test_an_older_report_stands_until_the_new_one_is_whole(tmp_path, source):
    """If writing fails half-way, what was there is untouched and nothing else is left."""
    place = tmp_path / "out.csv"
    place.write_text("old")

    def lines():
        yield Line(2, "+491", "yes", 100, "7", "")
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError), Report(place, source) as report:
        report.write(lines())
    assert place.read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["messages.csv", "out.csv"]


def test_a_report_never_written_leaves_nothing(tmp_path, source):
    """Not even its place."""
    with Report(tmp_path / "out.csv", source):
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ["messages.csv"]


def test_a_place_that_cannot_be_written_to_is_refused_on_entering(tmp_path, source):
    """No folder, a folder in its place, a device, no name at all, the file to be sent: all before anything is sent."""
    (tmp_path / "link.csv").symlink_to(source)
    no_places = (tmp_path / "no" / "out.csv", tmp_path, Path(os.devnull), tmp_path / ("x" * 300))
    for place in (*no_places, source, tmp_path / "link.csv"):
        with pytest.raises(ReportError, match="cannot go to"), Report(place, source):
            pass
    assert source.read_text() == "to,text\n"


def test_a_link_that_leads_to_itself_is_replaced(tmp_path, source):
    """It leads nowhere else."""
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    with Report(tmp_path / "loop.csv", source) as report:
        report.write([])
    assert (tmp_path / "loop.csv").read_text() == "line,to,sent,code,id,error\n"


def test_a_report_goes_where_a_link_points(tmp_path, source):
    """The link stays a link."""
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with Report(tmp_path / "link.csv", source) as report:
        report.write([])
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "line,to,sent,code,id,error\n"
