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
            for line in lines:
                report.add(line)
            report.finish()
        with place.open(encoding="utf-8", newline="") as written:
            header, *rows = csv.reader(written)
        assert header == ["line", "to", "sent", "code", "id", "error"]
        assert rows == [[str(cell) for cell in line] for line in lines]
        assert os.listdir(folder) == ["out.csv"]


def test_an_older_report_stands_until_the_new_one_is_whole(tmp_path, source):
    """What there is of the new one stays beside it, a line at a time: it is the account of what was sent."""
    place = tmp_path / "out.csv"
    place.write_text("old")
    with Report(place, source) as report:
        for number in (1, 2):
            report.add(Line(number, "+491", "yes", 100, "7", ""))
            (part,) = set(os.listdir(tmp_path)) - {"messages.csv", "out.csv"}
            assert (tmp_path / part).read_text().count("yes") == number
    assert place.read_text() == "old"
    assert (tmp_path / part).read_text() == "line,to,sent,code,id,error\n1,+491,yes,100,7,\n2,+491,yes,100,7,\n"
    assert (part.startswith(".out.csv."), part.endswith(".part")) == (True, True)


def test_a_report_without_a_line_leaves_nothing(tmp_path, source):
    """Not even its place."""
    with Report(tmp_path / "out.csv", source):
        assert len(os.listdir(tmp_path)) == 2
    assert os.listdir(tmp_path) == ["messages.csv"]


def test_a_report_that_cannot_be_put_in_its_place_says_where_it_is(tmp_path, source):
    """Nothing of it is lost."""
    place = tmp_path / "out.csv"
    with Report(place, source) as report:
        report.add(Line(2, "+491", "yes", 100, "7", ""))
        place.mkdir()
        with pytest.raises(ReportError, match="what there is of it is in") as caught:
            report.finish()
    part = Path(str(caught.value).rpartition(" in ")[2])
    assert part.read_text().endswith("2,+491,yes,100,7,\n")


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
        report.finish()
    assert (tmp_path / "loop.csv").read_text() == "line,to,sent,code,id,error\n"


def test_a_report_goes_where_a_link_points(tmp_path, source):
    """The link stays a link."""
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with Report(tmp_path / "link.csv", source) as report:
        report.finish()
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_text() == "line,to,sent,code,id,error\n"
