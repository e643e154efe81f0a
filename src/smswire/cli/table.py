"""The table of a bulk file: chunks of bytes in, a row at a time out, each with what is wrong with it, by line number.

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

Reading stops at a header that cannot be used, since which cell is which is not known; at the first broken quote, since
where the rows after it begin is anybody's guess; and at a row longer than any can be, since only one is ever in memory.
The module knows no file, no gateway and no terminal.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

REQUIRED = ("to", "text")
DELIMITERS = ",;\t"
SHOWN_FINDINGS = 50  # a screenful; a file in the wrong encoding has one a line
KEPT_FINDINGS = 1_000  # what ``--json`` lists; the rest is counted, so that memory has a bound
MAX_ROW_BYTES = 1 << 20  # several times what fills every column to its limit, line breaks and quotes included
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


class Finding(NamedTuple):
    """One thing wrong with a file, and the number of the line it is on, from 1."""

    line: int
    what: str


class Row(NamedTuple):
    """A row: the number of the line it begins on, from 1, its cells by column, and what is wrong with it.

    With ``faults`` it must not be sent, and cells may be missing. One that ``breaks_off`` is the last that can be read,
    whatever follows it.
    """

    line: int
    cells: dict[str, str]
    faults: tuple[Finding, ...] = ()
    breaks_off: bool = False


class TableError(ValueError):
    """A file that cannot be sent as it is.

    Attributes:
        findings (tuple[Finding, ...]): what was found, the first ``KEPT_FINDINGS`` of it, in the order of lines.
        found (int): how much was found.
    """

    def __init__(self, findings: Sequence[Finding], found: int | None = None) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: finding.line))
        self.found = len(findings) if found is None else found
        super().__init__(self.findings, self.found)

    def __str__(self) -> str:
        lines = [f"line {finding.line}: {finding.what}" for finding in self.findings[:SHOWN_FINDINGS]]
        if self.found > SHOWN_FINDINGS:
            lines.append(f"and {self.found - SHOWN_FINDINGS:,} more")
        return "\n".join(lines)


def rows(chunks: Iterable[bytes], columns: Collection[str]) -> Iterator[Row]:
    """The rows of a file, as they are read.

    Args:
        chunks: the file, cut anywhere.
        columns: the names a column may have, ``to`` and ``text`` among them.

    Raises:
        TableError: before the first row: no header that can be used; at the end: there was no row.

    >>> list(rows([b'to;text\\n+4915112345678;"Guten Tag,\\nund', b' willkommen"\\n'], {"to", "text"}))
    [Row(line=2, cells={'to': '+4915112345678', 'text': 'Guten Tag,\\nund willkommen'}, faults=(), breaks_off=False)]
    """
    lines = _Lines(chunks)
    delimiter = _find_delimiter(lines, columns)
    header: list[str] | None = None
    has_rows = False
    for line, cells, faults in _records(lines, delimiter):
        if header is None:
            header = cells
            if cells:
                faults += [Finding(line, what) for what in _faults_of_header(header, columns)]
            if faults:
                raise TableError(faults)
            continue
        has_rows = True
        row = dict(zip(header, cells, strict=False))
        if cells and len(cells) != len(header):
            faults.append(Finding(line, _length_fault(len(cells), len(header), delimiter)))
        elif cells:
            faults += [Finding(line, what) for what in _faults_of_row(row)]
        yield Row(line, row, tuple(faults), breaks_off=not cells)
    if not has_rows:
        raise TableError([Finding(1, "the file has a header and no rows" if header else "the file is empty")])


def check(rows: Iterable[Row]) -> int:
    """How many rows there are, if nothing is wrong with any; none is kept.

    Raises:
        TableError: everything that is.
    """
    count = found = 0
    kept: list[Finding] = []
    for row in rows:
        count += 1
        found += len(row.faults)
        kept += row.faults[: KEPT_FINDINGS - len(kept)]
    if found:
        raise TableError(kept, found)
    return count


class _TooLong(Exception):
    """A row is longer than ``MAX_ROW_BYTES``."""


class _Lines:
    """The lines of a file as text, ends kept, one at a time.

    Attributes:
        number (int): of the last line taken.
        record (list[str]): the lines taken since ``begin_record``.
    """

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.number = 0
        self.record: list[str] = []
        self._lines = _split(chunks)
        self._given_back: str | None = None
        self._findings: list[Finding] = []
        self._size = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._given_back is None:
            text = self._decode(next(self._lines))
        else:
            text, self._given_back = self._given_back, None
        self.number += 1
        self.record.append(text)
        return text

    def begin_record(self) -> None:
        """What follows belongs together."""
        self.record.clear()
        self._size = 0

    def give_back(self) -> None:
        """The last line is to be taken again."""
        self._given_back = self.record.pop()
        self.number -= 1

    def take_findings(self) -> list[Finding]:
        """What has been found of lines that are not text in UTF-8."""
        findings, self._findings = self._findings, []
        return findings

    def _decode(self, line: bytes) -> str:
        number = self.number + 1
        if number == 1:
            for mark, encoding in _OTHER_MARKS:
                if line.startswith(mark):
                    raise TableError([Finding(1, f"the file is {encoding}; save it as UTF-8")])
            line = line.removeprefix(_UTF8_MARK)
        self._size += len(line)
        if self._size > MAX_ROW_BYTES:
            raise _TooLong
        if b"\0" in line:
            where = f"NUL byte at byte {line.index(0) + 1} of the line"
            self._findings.append(Finding(number, f"{where}; is the file UTF-16?"))
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            guess = line[error.start : error.start + 1].decode("cp1252", "replace")
            meant = f" (in Windows-1252 it is {guess!r})" if guess.isprintable() and guess != "\ufffd" else ""
            what = f"byte 0x{line[error.start]:02X} at byte {error.start + 1} of the line is not UTF-8{meant}"
            self._findings.append(Finding(number, what + "; save the file as UTF-8"))
            return line.decode("utf-8", "replace")


def _split(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines, ends kept, each as soon as it is whole; one that is longer than any row comes as far as it was read."""
    rest = b""
    for chunk in chunks:
        lines = (rest + chunk).splitlines(keepends=True)
        # A CR at the end may be half of a line end.
        rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        yield from lines
        if len(rest) > MAX_ROW_BYTES:
            yield rest
            rest = b""
    if rest:
        yield rest


def _find_delimiter(lines: _Lines, columns: Collection[str]) -> str:
    """Reads up to the header; the delimiter that the first line names, or that makes most sense of the header."""
    try:
        for line in lines:
            if lines.number == 1 and (named := _NAMED_DELIMITER.fullmatch(line)):
                if named[2] not in DELIMITERS:
                    what = f"the line {named[0].strip()!r} names a delimiter other than comma, semicolon and tab"
                    raise TableError([Finding(1, what)])
                return named[2]
            if line.strip("\r\n"):
                lines.give_back()
                return _delimiter(line, columns)
            lines.begin_record()
    except _TooLong:
        raise TableError([Finding(lines.number + 1, "no header: the line is longer than any header")]) from None
    return DELIMITERS[0]


def _delimiter(header: str, columns: Collection[str]) -> str:
    """The delimiter that yields most known names from the header, and of equals the one that yields most cells."""

    def sense(delimiter: str) -> tuple[int, int]:
        names = [_folded(name.strip('"')) for name in header.rstrip("\r\n").split(delimiter)]
        return len(set(names) & set(columns)), len(names)

    return max(DELIMITERS, key=sense)


def _folded(name: str) -> str:
    """A name as a column might have it: what it differs by is named, but no reason not to know it."""
    return name.strip().lower()


def _records(lines: _Lines, delimiter: str) -> Iterator[tuple[int, list[str], list[Finding]]]:
    """Each record with the number of its first line, and what is wrong with its lines.

    One that cannot be read to its end has no cells, and is the last.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        first = lines.number + 1
        lines.begin_record()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            fault = _quote_fault("".join(lines.record), first, delimiter)
        except _TooLong:
            fault = Finding(first, f"a row is longer than {MAX_ROW_BYTES:,} bytes")
        else:
            findings = lines.take_findings()
            if cells:
                yield first, cells, findings
            continue
        yield first, [], [*lines.take_findings(), fault._replace(what=f"{fault.what}; what follows cannot be read")]
        return


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


def _faults_of_row(cells: dict[str, str]) -> Iterator[str]:
    for column, cell in cells.items():
        if column in REQUIRED and not cell.strip():
            yield f"{column} is empty"
        elif column != "text" and _ROUNDED.fullmatch(cell):  # a text may mean it
            yield f"{column} is {cell.strip()!r}: a spreadsheet has rounded it; make the column text there"
        elif column != "text" and _WITH_DECIMALS.fullmatch(cell):
            yield f"{column} is {cell.strip()!r}: a spreadsheet has given it decimals; make the column text there"
