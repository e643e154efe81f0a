"""The reader of bulk files: what csv writes reads back exactly, and what spreadsheets do is named by line."""

from __future__ import annotations

import csv
import io
import pickle
import re
import tracemalloc
from itertools import pairwise, repeat

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smswire.cli.table import (
    DELIMITERS,
    KEPT_FINDINGS,
    MAX_ROW_BYTES,
    REQUIRED,
    SHOWN_FINDINGS,
    Finding,
    Row,
    TableError,
    check,
    rows,
)

from .reading import read

COLUMNS = ("to", "text", "from", "label", "foreign_id", "ttl", "flash")
THERE_ARE = "there are to, text, from, label, foreign_id, ttl, flash"
NASTY = st.text(st.sampled_from("a1 ü😀\"',;\t\r\n=+&%\ufeff\u2028\x0b"), max_size=12)
CELL = NASTY | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30)
FILLED = CELL.filter(str.strip)
HEADERS = st.permutations(sorted(COLUMNS)).flatmap(
    lambda names: st.integers(0, len(names)).map(lambda n: [*REQUIRED, *(set(names[:n]) - set(REQUIRED))])
).flatmap(st.permutations)  # fmt: skip


@st.composite
def tables(draw):
    header = draw(HEADERS)
    row = st.fixed_dictionaries({name: FILLED if name in REQUIRED else CELL for name in header})
    return header, draw(st.lists(row, min_size=1, max_size=6))


def written(header, rows, delimiter=",", line_end="\r\n", quoting=csv.QUOTE_MINIMAL):
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(header)
    for row in rows:
        writer.writerow([row[name] for name in header])
    return out.getvalue().encode()


def findings(data):
    with pytest.raises(TableError) as caught:
        read(data, COLUMNS)
    return list(caught.value.findings)


def lines_named(data):
    return [finding.line for finding in findings(data)]


def spoiled_by_spreadsheets(cell):
    return re.fullmatch(r"\s*[+-]?\d+([.,]\d+)?[eE]\+\d+\s*|\s*\+?\d{7,}[.,]0+\s*", cell)


@given(tables(), st.sampled_from(DELIMITERS), st.booleans(), st.sampled_from(["\r\n", "\n", "\r"]))
def test_what_csv_writes_reads_back_exactly(table, delimiter, marked, line_end):
    """Every cell comes back to the last byte, with any delimiter, line end and quoting, with or without a BOM."""
    header, rows = table
    assume(not any(spoiled_by_spreadsheets(cell) for row in rows for name, cell in row.items() if name != "text"))
    data = written(header, rows, delimiter, line_end, csv.QUOTE_ALL)
    read_back = read(b"\xef\xbb\xbf" + data if marked else data, COLUMNS)
    assert [row.cells for row in read_back] == rows
    if line_end == "\r\n":  # csv quotes a CR or LF of a cell for certain only where it is part of the line end
        assert read(written(header, rows, delimiter), COLUMNS) == read_back


@given(tables(), st.sampled_from(DELIMITERS))
def test_a_row_has_the_number_of_the_line_it_begins_on(table, delimiter):
    """Line numbers count the line ends before the row, those inside quoted cells included."""
    header, rows = table
    assume(not any(spoiled_by_spreadsheets(cell) for row in rows for name, cell in row.items() if name != "text"))
    for row in read(written(header, rows, delimiter), COLUMNS):
        before = written(header, rows[: rows.index(row.cells)], delimiter).decode()
        assert row.line == 1 + len(re.findall("\r\n|\r|\n", before)) or rows.count(row.cells) > 1


@given(st.binary() | tables().map(lambda table: written(*table)), st.data())
def test_where_a_file_is_cut_makes_no_difference(data, draw):
    """A pipe brings it in pieces of any size: the same rows with the same faults, or the same error."""
    cuts = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[start:end] for start, end in pairwise([0, *cuts, len(data)])]

    def outcome(chunks):
        found = []
        try:
            found.extend(rows(chunks, COLUMNS))
        except TableError as error:
            return found, error.findings
        return found, None

    assert outcome(pieces) == outcome([data])


@given(tables())
def test_a_row_comes_as_soon_as_its_last_line_has(table):
    """Nothing behind it is read: a pipe may keep one waiting for that."""
    header, given_rows = table
    begun = 0

    def chunks():
        nonlocal begun
        yield written(header, [])
        for row in given_rows:
            begun += 1
            yield written(header, [row])[len(written(header, [])) :]

    for number, _ in enumerate(rows(chunks(), COLUMNS), start=1):
        assert begun == number


@given(st.binary() | tables().map(lambda table: written(*table)), st.binary(max_size=6), st.integers(0, 200))
def test_any_bytes_are_rows_or_one_error_in_the_order_of_lines(data, spoiling, at):
    """No input makes the reader fail in another way, and no finding is on a line that is not there."""
    data = data[:at] + spoiling + data[at:]
    try:
        assert read(data, COLUMNS)
    except TableError as error:
        numbers = [finding.line for finding in error.findings]
        assert numbers
        assert numbers == sorted(numbers)
        assert numbers[0] >= 1
        assert numbers[-1] <= max(1, len(data.splitlines()))


@given(tables(), st.data())
def test_a_quote_never_closed_is_named_by_the_line_it_opened_on(table, data):
    """Whatever stands before and after, the finding names the line of the quote without its partner."""
    header, rows = table
    assume(not any(spoiled_by_spreadsheets(cell) for row in rows for name, cell in row.items() if name != "text"))
    rest = data.draw(st.text(st.sampled_from("ab, \r\n;"), max_size=30))
    before = written(header, rows)
    row = ",".join(['"a\nb"'] * (len(header) - 1) + ['"open' + rest])
    line = 1 + len(before.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")) - 1 + len(header) - 1
    assert findings(before + row.encode())[-1] == Finding(
        line, "the quote that opens a cell on this line is never closed; what follows cannot be read"
    )


def test_a_quote_closed_by_the_next_one_is_named_where_it_opened():
    """A later quoted cell closes the open quote; what follows that gives it away."""
    found = findings(b'to,text\n+491,fine\n+492,"open\n+493,"hello"\n+494,x\n')
    assert [finding.line for finding in found] == [3]
    assert "closed on line 4 and followed by 'h'" in found[0].what


def test_a_quote_open_past_the_size_of_a_cell_is_named_where_it_opened():
    """The end of the file need not be near."""
    data = b'to,text\n+491,"open\n' + b"+492,x\n" * 40_000
    assert findings(data) == [
        Finding(2, "the quote that opens a cell on this line is never closed; what follows cannot be read")
    ]


def test_a_cell_past_any_size_is_named():
    """So is a cell that no message could be."""
    assert "longer than" in findings(b"to,text\n+491," + b"x" * 140_000 + b"\n")[0].what


@pytest.mark.parametrize(
    ("encoding", "name"),
    [("utf-16", "UTF-16"), ("utf-32", "UTF-32")],
)
def test_files_of_wider_characters_are_named(encoding, name):
    """By the mark they begin with, in either byte order."""
    assert name in findings("to,text\n+491,ü\n".encode(encoding))[0].what
    assert name in findings(("\ufeff" + "to,text\n").encode(encoding + "-be"))[0].what


def test_bytes_of_another_encoding_are_named_with_line_and_place():
    """One finding a line, with the byte, its place, and what it would be in Windows-1252."""
    found = findings("to,text\n+491,Grüße\n+492,ok\n+493,für\n".encode("cp1252"))
    assert [finding.line for finding in found] == [2, 4]
    assert "byte 0xFC at byte 8 of the line is not UTF-8 (in Windows-1252 it is 'ü')" in found[0].what


def test_utf16_without_a_mark_is_named_by_its_nul_bytes():
    """In the header, which cannot be used, or in each line that holds one."""
    assert "is the file UTF-16?" in findings("to,text\n+491,x\n".encode("utf-16-le"))[0].what
    assert lines_named(b"to,text\n" + "+491,x\n+492,x\n".encode("utf-16-le")[:-1]) == [2, 3]


@pytest.mark.parametrize("number", ["4.91517E+11", "4,91517E+11", "5E+10", "-4.9e+11", " 4.91517E+11 "])
def test_rounded_numbers_are_named(number):
    """Spreadsheets round what they take for a number; a text that looks so is left alone."""
    assert lines_named(f'to;text;label\n+491;"{number}";x\n"{number}";hello;x\n+491;x;"{number}"\n'.encode()) == [3, 4]


def test_numbers_with_decimals_are_named():
    """Data tools write a column with gaps as floats."""
    assert lines_named(b"to,text,label\n491512345678.0,hello,1.0\n") == [2]


def test_everything_wrong_is_found_at_once():
    """Findings of several kinds come together, in the order of lines."""
    data = b"to,text\n,hello\n+491,\n+492\n+493,a,b\n\n+494,\xfc\n  ,x\n+495,\0\n"
    assert lines_named(data) == [2, 3, 4, 5, 7, 8, 9]


def test_rows_of_another_length_say_both_lengths():
    """With the remedy, where a delimiter inside a cell is the likely cause."""
    found = findings(b"to,text\n+491,hello, you\n+492\n")
    assert (
        found[0].what == "3 cells in this row, and 2 columns in the header; a cell that holds ',' must stand in quotes"
    )
    assert found[1].what == "1 cell in this row, and 2 columns in the header"


@pytest.mark.parametrize(
    ("header", "what"),
    [
        (b"to,text,foreign-id", "unknown column 'foreign-id': did you mean 'foreign_id'?"),
        (b"To,text", "unknown column 'To': did you mean 'to'?"),
        (b"to,text,ZZZ", f"unknown column 'ZZZ'; {THERE_ARE}"),
        (b"Phone,text", f"unknown column 'Phone'; {THERE_ARE}"),
        (b"TO,Text,sender", "unknown column 'TO': did you mean 'to'?"),
        (b" To ;TEXT", "unknown column 'TEXT': did you mean 'text'?"),
        (b"to,text,", "column 3 has no name"),
        (b"to,text,to", "column 'to' stands twice"),
        (b"to,label", "no column 'text'"),
        (b"+491512345678,hello", f"no header: the first line must name the columns, to and text at least; {THERE_ARE}"),
    ],
)
def test_a_header_that_cannot_be_used_is_named(header, what):
    """The rows are not looked at then: which cell is which is not known."""
    assert Finding(1, what) in findings(header + b"\n+491,hello,,,,\n")


def test_a_column_that_has_its_closest_name_told_is_not_told_missing_too():
    """One finding for one fault."""
    assert [finding.what for finding in findings(b"To,Text\n+491,hello\n")] == [
        "unknown column 'To': did you mean 'to'?",
        "unknown column 'Text': did you mean 'text'?",
    ]


@given(tables(), st.sampled_from(DELIMITERS), st.sampled_from(["sep=%s", '"sep=%s"', "SEP=%s"]), st.booleans())
def test_a_first_line_that_names_the_delimiter_is_heeded(table, delimiter, form, marked):
    """Excel writes it and hides it; the rows keep their line numbers."""
    header, rows = table
    assume(not any(spoiled_by_spreadsheets(cell) for row in rows for name, cell in row.items() if name != "text"))
    data = (form % delimiter).encode() + b"\r\n" + written(header, rows, delimiter, quoting=csv.QUOTE_ALL)
    read_back = read(b"\xef\xbb\xbf" + data if marked else data, COLUMNS)
    assert [row.cells for row in read_back] == rows
    assert read_back[0].line == 3


def test_a_first_line_that_names_another_delimiter_says_which_there_are():
    """Nothing is guessed against what the file says."""
    (found,) = findings(b"sep=|\nto|text\n+491|hello\n")
    assert found == Finding(1, "the line 'sep=|' names a delimiter other than comma, semicolon and tab")


@pytest.mark.parametrize("data", [b"", b"\n\r\n", b"\xef\xbb\xbf", b"to,text\n", b"to,text"])
def test_a_file_without_rows_is_an_error(data):
    """Nothing to send is not success."""
    assert lines_named(data) == [1]


def test_lines_with_nothing_on_them_are_passed_over():
    """At the end, in the middle and at the top; the numbers of the other lines stay true."""
    assert read(b"\n\nto,text\n\n+491,x\r\n\r\n\n", COLUMNS) == [Row(5, {"to": "+491", "text": "x"})]


@pytest.mark.parametrize("long", [b'+491,"' + b"x\n" * (MAX_ROW_BYTES // 2), b'"a\n",' * (MAX_ROW_BYTES // 4)])
def test_a_row_longer_than_any_can_be_is_the_last_that_is_read(long):
    """By one cell that is never closed, or by many that are."""
    (found,) = findings(b"to,text\n+490,a\n" + long)
    assert found.line == 3
    assert found.what.endswith("what follows cannot be read")


def test_a_line_without_end_is_read_no_further_than_a_row_may_be():
    """Whether it would be a row or the header."""
    for start in (b"to,text\n", b""):
        taken = 0

        def chunks(start=start):
            nonlocal taken
            yield start
            for chunk in repeat(b"x" * 10_000):
                taken += len(chunk)
                yield chunk

        with pytest.raises(TableError, match="longer than"):
            check(rows(chunks(), COLUMNS))
        assert taken <= 1.1 * MAX_ROW_BYTES


@pytest.mark.parametrize("row", [b"+491,hello\n", b",\xfc\n", b"\n"])
def test_the_memory_of_a_file_does_not_grow_with_its_rows(row):
    """Whether they are good, spoiled, or not there."""

    def peak(count):
        tracemalloc.start()
        chunks = (row * 10 for _ in range(count // 10))
        with pytest.raises(TableError):
            check(rows((chunk for part in ([b"to,text\n"], chunks, [b"+491\n"]) for chunk in part), COLUMNS))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    assert peak(2 * KEPT_FINDINGS) * 1.3 > peak(20 * KEPT_FINDINGS)


def test_the_error_shows_a_screenful_counts_the_rest_and_pickles():
    """The attribute keeps more than that, and no more than fit into memory."""
    with pytest.raises(TableError) as caught:
        read(b"to,text\n" + b",x\n" * 1_200, COLUMNS)
    shown = str(caught.value).splitlines()
    assert shown[0] == "line 2: to is empty"
    assert shown[SHOWN_FINDINGS:] == ["and 1,150 more"]
    assert (len(caught.value.findings), caught.value.found) == (KEPT_FINDINGS, 1_200)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.findings, again.found) == (caught.value.findings, 1_200)
