"""From rows to messages: every column is an option of the gateway, and every row that breaks a rule is named."""

from __future__ import annotations

import pytest

from smswire.cli.columns import COLUMNS, read
from smswire.cli.table import Finding, Row
from smswire.gateway.sms import OPTIONS, Message


def row(line=2, **cells):
    return Row(line, {"to": "+4915112345678", "text": "hello"} | cells)


def messages(rows):
    return [message for _, message in read(rows)]


def test_every_column_is_an_option_of_a_send():
    """There is no column the gateway does not document."""
    assert set(COLUMNS) <= set(OPTIONS) | {"to", "text"}


def test_cells_become_values_of_their_kind():
    """Flags as spreadsheets write them, whole numbers, and text as it stands; an empty cell leaves the option out."""
    options = {"from": "Praxis", "ttl": "60", "flash": "TRUE", "debug": "0", "delay": "2030-01-02 03:04", "label": ""}
    assert messages([row(**options)]) == [
        Message(
            "+4915112345678", "hello", from_="Praxis", ttl=60, flash=True, debug=False, delay="2030-01-02 03:04"
        )
    ]  # fmt: skip
    assert messages([row(delay="1900000000")]) == [Message("+4915112345678", "hello", delay=1_900_000_000)]


def test_digits_stay_text_where_text_is_meant():
    """A sender or a label of digits is no number, and keeps its leading zeros."""
    (message,) = messages([row(**{"from": "00491511", "label": "007", "foreign_id": "0", "udh": "050003CC0201"})])
    assert dict(message.options) == {"from": "00491511", "label": "007", "foreign_id": "0", "udh": "050003CC0201"}


@pytest.mark.parametrize(
    "cells",
    [
        {"text": "x" * 1521},
        {"to": "+491,+492"},
        {"from": "far too long for a sender"},
        {"flash": "maybe"},
        {"ttl": "0"},
        {"ttl": "1.5"},
        {"label": "no spaces"},
        {"delay": "tomorrow"},
    ],
)
def test_every_row_that_breaks_a_rule_of_the_gateway_is_named(cells):
    """By line and parameter, and has no message; the others have."""
    found = list(read([row(2, **cells), row(3), row(7, **cells)]))
    assert [message is not None for _, message in found] == [False, True, False]
    findings = [finding for judged, _ in found for finding in judged.faults]
    assert [finding.line for finding in findings] == [2, 7]
    assert all(next(iter(cells)) in finding.what for finding in findings)


def test_a_row_for_several_recipients_is_told_what_to_do_in_a_table():
    """Not what one would do in a program."""
    ((judged, message),) = read([row(2, to="+491,+492")])
    (finding,) = judged.faults
    assert message is None
    assert finding.what == "to: a recipient must not hold a comma; write a row for each recipient"


def test_what_the_reader_found_is_not_judged_again():
    """A row that it could not make sense of has no message, even where what is left of it would make one."""
    spoiled = row(2)._replace(faults=(Finding(2, "3 cells in this row"),))
    assert list(read([spoiled])) == [(spoiled, None)]
