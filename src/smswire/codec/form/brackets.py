"""Names such as ``files[0][name]`` for nested values, as PHP reads them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...errors import EncodeError
from .fields import pairs_of, pairs_of_mapping, shown

_MAX_BRACKETS = 16  # no form known nests deeper than 2, and what contains itself has no depth


def bracketed(fields: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The fields with nested values spread out under bracketed names, as PHP reads them: what ``encode`` takes.

    A list of mappings becomes ``name[0][key]``, ``name[1][key]``, …, and a mapping ``name[key]``; so again for the
    values within; an empty mapping has no fields. Everything else stays what it is: a list of plain values repeats its
    field, of which PHP itself keeps the last.

    Args:
        fields: a mapping, or pairs of a name and a value.

    Raises:
        EncodeError: a key in brackets that is not ``str``, is empty, or itself holds a bracket, or an empty name or one
            with a bracket that has nested values, which could be read in two ways; values nested deeper than 16
            brackets. ``path`` is the name of the field.

    >>> bracketed({"to": ["49171", "49172"], "files": [{"name": "a.pdf", "contents": "QQ=="}]})
    [('to', ['49171', '49172']), ('files[0][name]', 'a.pdf'), ('files[0][contents]', 'QQ==')]
    """
    flat: list[tuple[str, Any]] = []
    for field in pairs_of_mapping(fields) if isinstance(fields, Mapping) else pairs_of(fields):
        if type(field[1]) is str:
            flat.append(field)
            continue
        waiting = [(*field, 0)]  # of a nested value its own fields stand on top, the first one uppermost
        while waiting:
            name, value, depth = waiting.pop()
            inner = _spread(name, value, is_outermost=depth == 0)
            if inner is None:
                flat.append((name, value))
            elif depth >= _MAX_BRACKETS:
                raise EncodeError(f"values are nested deeper than {_MAX_BRACKETS} brackets", path=shown(field[0]))
            else:
                waiting += [(inner_name, item, depth + 1) for inner_name, item in reversed(inner)]
    return flat


def _spread(name: str, value: Any, *, is_outermost: bool) -> list[tuple[str, Any]] | None:
    """The fields one level within the value, or None if it has no such level."""
    is_list = isinstance(value, (list, tuple)) and bool(value) and all(isinstance(item, Mapping) for item in value)
    if not is_list and not isinstance(value, Mapping):
        return None
    if not isinstance(name, str):
        raise EncodeError(f"the name of a field must be str, not {type(name).__name__}")
    name = str.__str__(name)
    if is_outermost and (not name or "[" in name or "]" in name):
        raise EncodeError("a name that is empty or has a bracket in it cannot hold nested values", path=shown(name))
    if is_list:
        return [(f"{name}[{index}]", item) for index, item in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            raise EncodeError(f"a key in brackets must be str, not {type(key).__name__}", path=shown(name))
        if not key:
            raise EncodeError("a key in brackets cannot be empty: [] appends", path=shown(name))
        if "[" in key or "]" in key:
            raise EncodeError("a key in brackets cannot hold a bracket", path=shown(name))
    return [(f"{name}[{str.__str__(key)}]", item) for key, item in value.items()]
