"""From the rows of a bulk file to messages: which columns there are, and what a cell means in each.

A column is an option of the send, by the gateway's name for it. Those that only shape the gateway's answer (``json``,
``details``, …) are not for a file to set, and ``files`` does not fit a cell. An empty cell leaves the option out.
The rules themselves are ``gateway.sms``'s: every row is made a ``Message``, which checks itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..errors import InvalidParameter
from .table import Finding, Row

if TYPE_CHECKING:
    from ..gateway import Message

_FLAGS = {"1": True, "0": False, "true": True, "false": False}  # spreadsheets write TRUE and FALSE
_WHOLE = re.compile(r"[0-9]{1,18}")


def _flag(cell: str) -> object:
    return _FLAGS.get(cell.strip().lower(), cell)


def _number_or_text(cell: str) -> object:
    return int(cell) if _WHOLE.fullmatch(cell) else cell


#: Every column, and what makes a value of its cell; what cannot be one is left as it is for the gateway's rule to name.
COLUMNS: dict[str, Callable[[str], object]] = {
    "to": str,
    "text": str,
    "from": str,
    "delay": _number_or_text,
    "flash": _flag,
    "performance_tracking": _flag,
    "udh": str,
    "is_binary": _flag,
    "ttl": _number_or_text,
    "label": str,
    "foreign_id": str,
    "debug": _flag,
    "no_reload": _flag,
    "unicode": _flag,
}


def read(rows: Iterable[Row]) -> Iterator[tuple[Row, Message | None]]:
    """Each row with its ``gateway.Message``; or with None, and in its ``faults`` the rule that it breaks."""
    from ..gateway import Message

    for row in rows:
        if row.faults:
            yield row, None
            continue
        fault = message = None
        if "," in row.cells["to"]:  # the gateway's own rule speaks of lists, which a table has none of
            fault = "to: a recipient must not hold a comma; write a row for each recipient"
        else:
            values: dict[str, Any] = {name: COLUMNS[name](cell) for name, cell in row.cells.items() if cell}
            try:
                message = Message(**values)
            except InvalidParameter as error:
                fault = str(error)
        yield (row if fault is None else row._replace(faults=(Finding(row.line, fault),))), message
