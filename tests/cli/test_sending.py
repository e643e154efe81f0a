"""Sending a file of any length: an interrupt at any point loses no row, and no more rows are kept than are under way.

Only the call itself is the tests' own; the stream, its threads and everything around it are real.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import tracemalloc
from collections import Counter
from contextlib import contextmanager, suppress
from itertools import count

import pytest

from smswire.cli.interrupts import Interrupts
from smswire.cli.sending import send_file
from smswire.cli.table import TableError
from smswire.gateway import SmsStream
from smswire.gateway.batch import Batch
from smswire.gateway.bundle import Planner

from ..gateway.workers import accept, join_workers
from ..net.test_interrupts_everywhere import Interrupt

WORKERS, PER_CALL, LOOK_AHEAD = 2, 2, 3
AHEAD = 2 * WORKERS


class Wire:
    """In the place of ``Settings``: a gateway whose calls are accepted, and noted as they begin."""

    api_key_file = trust = None

    def __init__(self, send=accept):
        self.begun = []
        self._send = send

    @contextmanager
    def gateway(self, *, pacer=None):
        yield self

    def sms_stream(self, rows):
        return SmsStream(Batch(Planner(PER_CALL, LOOK_AHEAD), WORKERS, ahead=AHEAD, is_open=True), self.send, rows)

    def send(self, bundle, told):
        self.begun += [one.to for one in bundle.recipients]
        return self._send(bundle, told)


class Forgetful(Wire):
    """One that notes nothing."""

    def send(self, bundle, told):
        return accept(bundle, told)


def table_of(rows, text="text {}"):
    return "to,text\n" + "".join(f"+49151{number:08},{text.format(number)}\n" for number in range(rows))


@contextmanager
def piped(content):
    """The path of a pipe that holds so much, and its end."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as pipe:
        pipe.write(content.encode())
    try:
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


class Signal(Interrupt):
    """A real SIGINT at one point, and another at the one ``later``."""

    def __init__(self, number, later):
        super().__init__(number)
        self._later = later

    def __call__(self, frame, event, argument):
        if event == "return" and frame.f_code.co_name in ("__next__", "told"):
            return  # a profiler is called there, and Python looks for no signal
        try:
            super().__call__(frame, event, argument)
        except KeyboardInterrupt:
            if self._later is not None:
                self.left, self._later = self._later, None
                sys.setprofile(self)
            signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
@pytest.mark.parametrize(("kind", "later"), [("file", None), ("file", 0), ("file", 60), ("pipe", None), ("pipe", 5)])
def test_an_interrupt_at_any_point_tells_of_every_row_that_may_have_been_sent(tmp_path, kind, later):
    """Once each; a row told as not sent was not begun, and in a file every row is told of."""
    file = tmp_path / "messages.csv"
    file.write_text(table_of(3))
    everybody = {f"+49151{number:08}" for number in range(3)}
    stopped = 0
    for number in count():
        wire, told = Wire(), []
        signals = Signal(number, later)
        delivery = None

        def send(path, wire=wire, told=told):
            nonlocal delivery
            with Interrupts(count(step=10).__next__) as interrupts:
                delivery = send_file(path, wire, interrupts, on_line=told.append)

        with piped(file.read_text()) as pipe:
            signals.run(lambda path=file if kind == "file" else pipe: send(path))
        join_workers()
        lines = {line.to: line for line in told}
        assert len(lines) == len(told), signals.place
        not_sent = {to for to, line in lines.items() if line.sent == "no"}
        assert not_sent.isdisjoint(wire.begun), signals.place
        assert set(wire.begun) <= set(lines), signals.place
        assert max(Counter(wire.begun).values(), default=1) == 1
        if delivery is not None and (kind == "file" or delivery.read_all):
            assert set(lines) == everybody, signals.place
        if delivery is not None and delivery.interrupted:
            stopped += 1
        if signals.place is None:
            break
    assert number > 100
    assert stopped > 50


def test_an_input_that_cannot_be_sent_sends_nothing(tmp_path):
    """A file for any of its rows, and a pipe for its header."""
    wire = Wire()
    file = tmp_path / "messages.csv"
    file.write_text(table_of(300) + ",no recipient\n")
    with Interrupts() as interrupts:
        with pytest.raises(TableError, match="line 302: to is empty"):
            send_file(file, wire, interrupts)
        with piped(table_of(300).replace("text", "txet", 1)) as pipe, pytest.raises(TableError, match="'txet'"):
            send_file(pipe, wire, interrupts)
    assert wire.begun == []


def test_a_row_of_a_pipe_that_cannot_be_sent_is_told_of_and_the_others_go(tmp_path):
    """In its place among the others, with what is wrong with it."""
    told = []
    content = 'to,text\n+491,a\n,b\n+492\n+493,d\n+494;c,\n"+49\n1",c,d,e\n+495,e\n'
    wire = Wire()
    with Interrupts() as interrupts, piped(content) as pipe:
        delivery = send_file(pipe, wire, interrupts, on_line=told.append)
    assert sorted(wire.begun) == ["+491", "+493", "+495"]
    faults = {line.line: line.error for line in told if line.sent == "no"}
    assert faults == {
        3: "to is empty",
        4: "1 cell in this row, and 2 columns in the header",
        6: "text is empty",
        7: "4 cells in this row, and 2 columns in the header; a cell that holds ',' must stand in quotes",
    }
    assert (delivery.recipients(), delivery.read_all, delivery.all_accepted()) == (7, True, False)


def test_a_pipe_that_breaks_off_in_a_quote_says_where():
    """What stood before it is sent."""
    told = []
    wire = Wire()
    with Interrupts() as interrupts, piped('to,text\n+491,a\n+492,"open\n+493,c\n') as pipe:
        delivery = send_file(pipe, wire, interrupts, on_line=told.append)
    assert wire.begun == ["+491"]
    assert (delivery.read_all, delivery.as_json()["unread_after_line"]) == (False, 3)
    assert [(line.line, line.sent) for line in sorted(told)] == [(2, "yes"), (3, "no")]
    assert "never closed; what follows cannot be read" in max(told).error


def test_a_file_is_the_one_that_was_checked_whatever_takes_its_name(tmp_path):
    """An editor that saves while the first calls are made changes nothing."""
    file, other = tmp_path / "messages.csv", tmp_path / "other.csv"
    file.write_text(table_of(50))
    other.write_text("to,text\n+49666,another\n")

    def send(bundle, told):
        with suppress(FileNotFoundError):  # once it has taken its place
            os.replace(other, file)
        return accept(bundle, told)

    wire = Wire(send)
    with Interrupts() as interrupts:
        assert send_file(file, wire, interrupts).all_accepted()
    assert sorted(wire.begun) == [f"+49151{number:08}" for number in range(50)]


def test_a_file_cut_short_while_it_is_sent_is_told_of(tmp_path):
    """The rows that were checked and are gone were not sent, and nothing else says so."""
    file = tmp_path / "messages.csv"
    file.write_text(table_of(20_000))
    rest = len(table_of(15_000).encode())

    def send(bundle, told):
        if file.stat().st_size > rest:
            os.truncate(file, rest)
        return accept(bundle, told)

    wire = Wire(send)
    with Interrupts() as interrupts:
        delivery = send_file(file, wire, interrupts)
    assert len(wire.begun) == 15_000
    assert not delivery.all_accepted()
    assert delivery.failure == f"{file} had 20,000 rows when it was checked, and has 15,000 now"
    assert delivery.as_json()["unread_after_line"] == 15_001


@pytest.mark.parametrize("kind", ["file", "pipe"])
@pytest.mark.parametrize("text", ["text {}", "Hi"])
def test_the_rows_kept_are_those_under_way_however_many_there_are(tmp_path, kind, text):
    """A window, and the calls that are not told of: with and without bundles, when half of the calls are slow."""
    most_ahead = 0
    told = 0
    lock = threading.Lock()

    class Counting(Wire):
        def sms_stream(self, rows):
            def counted():
                nonlocal most_ahead
                for read, row in enumerate(rows, start=1):
                    most_ahead = max(most_ahead, read - told)
                    yield row

            return super().sms_stream(counted())

    def note(line):
        nonlocal told
        told += 1

    held = []

    def send(bundle, told):
        with lock:
            held.append(threading.Event())
            if len(held) > 1:
                held[-2].set()
            mine = held[-1] if len(held) % 2 and len(held) < 300 else None
        if mine is not None:
            mine.wait(1.0)  # until another call is made, or there is none to be made
        return accept(bundle, told)

    file = tmp_path / "messages.csv"
    file.write_text(table_of(1_000, text))
    with Interrupts() as interrupts, piped(file.read_text()) as pipe:
        send_file(file if kind == "file" else pipe, Counting(send), interrupts, on_line=note)
    assert told == 1_000
    assert most_ahead <= LOOK_AHEAD + AHEAD * (PER_CALL if text == "Hi" else 1)


def test_the_memory_of_a_send_does_not_grow_with_the_file(tmp_path):
    """More than twice the rows, and the same peak; smaller files are smaller than what is read at once."""

    def peak(rows):
        file = tmp_path / "messages.csv"
        file.write_text(table_of(rows))
        with Interrupts() as interrupts:
            tracemalloc.start()
            assert send_file(file, Forgetful(), interrupts).recipients() == rows
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    assert peak(12_000) < 1.1 * peak(5_000)
