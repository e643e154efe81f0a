"""What passes for the fields of a form, and how the name of one is shown in an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...errors import EncodeError


def pairs_of_mapping(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields of a mapping, whose ``items()`` may come only once.

    Of the multi-dicts of web frameworks all values: the ``items()`` of those that have a ``getlist`` give one of each.
    """
    getlist: Callable[[str], Any] | None = getattr(fields, "getlist", None)
    if getlist is not None:
        return [(name, list(getlist(name))) for name in fields]
    return list(pairs_of(fields.items()))


def pairs_of(fields: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Any]]:
    """The fields, each found to be a pair. Raises :class:`~smswire.errors.EncodeError`."""
    if isinstance(fields, (str, bytes)) or not isinstance(fields, Iterable):
        raise EncodeError(f"a form is a mapping or pairs of name and value, not {type(fields).__name__}")
    for index, pair in enumerate(fields):
        # A string of two characters would pass for a pair.
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise EncodeError(f"field {index} is not a pair of name and value")
        yield pair[0], pair[1]


def shown(name: str) -> str:
    """A name fit for a message: printable, and not long."""
    name = str.__str__(name)
    printable = name if name.isprintable() else ascii(name)[1:-1]
    return printable if len(printable) <= 60 else f"{printable[:59]}…"
