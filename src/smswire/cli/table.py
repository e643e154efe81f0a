"""The table of a bulk file: bytes in, rows out, or one error that lists everything found wrong, by line number.

The rules:

- A header, then a row a message. ``to`` and ``text`` are required; the other columns are options of the send, and
  names are taken as they stand (``To`` is not ``to``; the finding names the closest).
- UTF-8, with or without a byte order mark. Comma, semicolon or tab, whichever makes most sense of the header, or what a
  first line ``sep=;`` names, which Excel writes and does not show.
- Quoting as RFC 4180 has it and the ``csv`` module writes it. A cell is kept to the last byte, line breaks included.
- A line ends at CRLF, LF or CR, inside a quoted cell too: a row's number is that of the line it begins on, as an editor
  shows it. Lines with nothing on them are passed over.
- What spreadsheets do to such files is named, never mended: another encoding, NUL bytes, a number rounded to
  ``4.91517E+11`` or given decimals, an empty cell, a quote that is not closed, rows of another length than the header.

Reading stops at the first broken quote, since where the rows after it begin is anybody's guess; what stands before it
is still checked. The module knows no file, no gateway and no terminal.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

REQUIRED = ("to", "text")
DELIMITERS = ",;\t"
SHOWN_FINDINGS = 50  # a screenful; a file in the wrong encoding has one a line
_UTF8_MARK = b"\xef\xbb\xbf"
_OTHER_MARKS = (  # the four-byte ones first: UTF-32's begins as UTF-16's does
    (b"\xff\xfe\x00\x00", "UTF-32"),
    (b"\x00\x00\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)
_NAMED_DELIMITER = re.compile(r'("?)sep=([^\r\n])\1[\r\n]*', re.IGNORECASE)
_ROUNDED = re.compile(r"\s*[+-]?\d+(?:[.,]\d+)?[eE]\+\d+\s*")
_WITH_DECIMALS = re.compile(r"\s*\+?\d{7,}[.,]0+\s*")  # shorter ones may be meant: a label "1.0"
_QUOTED = re.compile(r'"[^"]*+(?:""[^"]*+)*+("?)')


class Row(NamedTuple):
    """A row: the number of the line it begins on, from 1, and its cells by column."""

    line: int
    cells: dict[str, str]


class Finding(NamedTuple):
    """One thing wrong with a file, and the number of the line it is on, from 1."""

    line: int
    what: str


class TableError(ValueError):
    """A file that cannot be sent as it is.

    Attributes:
        findings (tuple[Finding, ...]): everything found, in the order of lines.
    """

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: finding.line))
        super().__init__(self.findings)

    def __str__(self) -> str:
        lines = [f"line {finding.line}: {finding.what}" for finding in self.findings[:SHOWN_FINDINGS]]
        if len(self.findings) > SHOWN_FINDINGS:
            lines.append(f"and {len(self.findings) - SHOWN_FINDINGS:,} more")
        return "\n".join(lines)


def read(data: bytes, columns: Collection[str]) -> list[Row]:
    """The rows of a file.

    Args:
        data: the file.
        columns: the names a column may have, ``to`` and ``text`` among them.

    Raises:
        TableError: the file breaks a rule above, or holds no row.

    >>> read(b'to;text\\n+4915112345678;"Guten Tag,\\nund willkommen"\\n', {"to", "text"})
    [Row(line=2, cells={'to': '+4915112345678', 'text': 'Guten Tag,\\nund willkommen'})]
    """
    for mark, encoding in _OTHER_MARKS:
        if data.startswith(mark):
            raise TableError([Finding(1, f"the file is {encoding}; save it as UTF-8")])
    lines, findings = _decode(data.removeprefix(_UTF8_MARK))
    rows: list[Row] = []
    header: list[str] | None = None
    delimiter = _take_named_delimiter(lines) or _delimiter(lines, columns)
    for line, found in _records(lines, delimiter):
        if isinstance(found, Finding):
            findings.append(found)
        elif header is None:
            header = found
            faults = [Finding(line, what) for what in _faults_of_header(header, columns)]
            if faults:  # which cell is which is not known
                raise TableError(findings + faults)
        elif len(found) != len(header):
            findings.append(Finding(line, _length_fault(len(found), len(header), delimiter)))
        else:
            rows.append(Row(line, dict(zip(header, found, strict=True))))
            findings += [Finding(line, what) for what in _faults_of_row(rows[-1])]
    if not findings and not rows:
        findings.append(Finding(1, "the file has a header and no rows" if header else "the file is empty"))
    if findings:
        raise TableError(findings)
    return rows


def _decode(data: bytes) -> tuple[list[str], list[Finding]]:
    """The lines of a file, ends kept, and a finding for each that is not text in UTF-8."""
    lines, findings = [], []
    for number, line in enumerate(data.splitlines(keepends=True), start=1):
        if b"\0" in line:
            findings.append(Finding(number, f"NUL byte at byte {line.index(0) + 1} of the line; is the file UTF-16?"))
        try:
            lines.append(line.decode("utf-8"))
        except UnicodeDecodeError as error:
            guess = line[error.start : error.start + 1].decode("cp1252", "replace")
            meant = f" (in Windows-1252 it is {guess!r})" if guess.isprintable() and guess != "\ufffd" else ""
            what = f"byte 0x{line[error.start]:02X} at byte {error.start + 1} of the line is not UTF-8{meant}"
            findings.append(Finding(number, what + "; save the file as UTF-8"))
            lines.append(line.decode("utf-8", "replace"))
    return lines, findings


def _take_named_delimiter(lines: list[str]) -> str | None:
    """The delimiter that the first line names, if it does; that line is left empty."""
    named = _NAMED_DELIMITER.fullmatch(lines[0]) if lines else None
    if named is None:
        return None
    if named[2] not in DELIMITERS:
        what = f"the line {named[0].strip()!r} names a delimiter other than comma, semicolon and tab"
        raise TableError([Finding(1, what)])
    lines[0] = "\n"
    return named[2]


def _delimiter(lines: Sequence[str], columns: Collection[str]) -> str:
    """The delimiter that yields most known names from the header, and of equals the one that yields most cells."""
    header = next((line for line in lines if line.strip()), "").rstrip("\r\n")

    def sense(delimiter: str) -> tuple[int, int]:
        names = [_folded(name.strip('"')) for name in header.split(delimiter)]
        return len(set(names) & set(columns)), len(names)

    return max(DELIMITERS, key=sense)


def _folded(name: str) -> str:
    """A name as a column might have it: what it differs by is named, but no reason not to know it."""
    return name.strip().lower()


def _records(lines: Sequence[str], delimiter: str) -> Iterator[tuple[int, list[str] | Finding]]:
    """Each record with the number of its first line; a quote that breaks the rules is the last thing yielded."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fault = _quote_fault("".join(lines[first - 1 : reader.line_num]), first, delimiter)
            yield fault.line, fault
            return
        if cells:
            yield first, cells


def _quote_fault(record: str, first: int, delimiter: str) -> Finding:
    """What is wrong with a record that ``csv`` refused, named where the quote at fault opened."""
    position = 0
    while position < len(record):
        opened = _QUOTED.match(record, position)
        if opened is None:
            end = record.find(delimiter, position)
            position = len(record) if end < 0 else end + 1
            continue
        line = first + _line_ends(record[:position])
        if not opened[1]:
            return Finding(line, "the quote that opens a cell on this line is never closed")
        following = record[opened.end() : opened.end() + 1]
        if following not in ("", delimiter, "\r", "\n"):
            closed = first + _line_ends(record[: opened.end()])
            what = f"the quote that opens a cell on this line is closed on line {closed} and followed by {following!r}"
            return Finding(line, what + ': never closed, or a quote inside the cell is not written ""')
        position = opened.end() + 1
    return Finding(first, f"a cell is longer than {csv.field_size_limit():,} characters")


def _line_ends(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text))


def _faults_of_header(header: Sequence[str], columns: Collection[str]) -> Iterator[str]:
    there_are = f"there are {', '.join(columns)}"
    if not set(map(_folded, header)) & set(columns):
        yield f"no header: the first line must name the columns, {' and '.join(REQUIRED)} at least; {there_are}"
        return
    meant = set(header)
    for place, name in enumerate(header, start=1):
        if not name.strip():
            yield f"column {place} has no name"
        elif name not in columns:
            close = difflib.get_close_matches(_folded(name), columns, n=1, cutoff=0.5)
            meant.update(close)
            yield f"unknown column {name!r}" + (f": did you mean {close[0]!r}?" if close else f"; {there_are}")
        elif name in header[: place - 1]:
            yield f"column {name!r} stands twice"
    for name in REQUIRED:
        if name not in meant:
            yield f"no column {name!r}"


def _length_fault(found: int, wanted: int, delimiter: str) -> str:
    fault = f"{found} {'cell' if found == 1 else 'cells'} in this row, and {wanted} columns in the header"
    return f"{fault}; a cell that holds {delimiter!r} must stand in quotes" if found > wanted else fault


def _faults_of_row(row: Row) -> Iterator[str]:
    for column, cell in row.cells.items():
        if column in REQUIRED and not cell.strip():
            yield f"{column} is empty"
        elif column != "text" and _ROUNDED.fullmatch(cell):  # a text may mean it
            yield f"{column} is {cell.strip()!r}: a spreadsheet has rounded it; make the column text there"
        elif column != "text" and _WITH_DECIMALS.fullmatch(cell):
            yield f"{column} is {cell.strip()!r}: a spreadsheet has given it decimals; make the column text there"
