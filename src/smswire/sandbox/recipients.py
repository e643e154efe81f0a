"""From the parameter ``to`` to numbers: the forms a number may have, contacts, groups.

``to`` is a list with commas between its entries. An entry is the name of a contact or group of the account, or a number
as ``+49…``, ``0049…``, ``49…`` or nationally as ``0171…`` (then German); spaces, ``-``, ``/`` and ``.`` may
stand between digits. A number is 7 to 15 digits with its country code (E.164; the lower bound is this sandbox's).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

NATIONAL = "49"

_NUMBER = re.compile(r"\+?[0-9](?:[ ./-]?[0-9])*\Z")
_SEPARATORS = str.maketrans("", "", " ./-")
_E164 = re.compile(r"[1-9][0-9]{6,14}\Z")


def normalise(number: str) -> str | None:
    """``number`` as digits with country code and nothing else; None if it is none.

    >>> [normalise(n) for n in ("+49 171 6992343", "0049171/6992343", "491716992343", "01716992343", "Anna", "12")]
    ['491716992343', '491716992343', '491716992343', '491716992343', None, None]
    """
    if not _NUMBER.match(number):
        return None
    digits = number.translate(_SEPARATORS)
    if digits.startswith("+"):
        digits = digits[1:]
    elif digits.startswith("00"):
        digits = digits[2:]
    elif digits.startswith("0"):
        digits = NATIONAL + digits[1:]
    return digits if _E164.match(digits) else None


class Directory:
    """The account's contacts and groups.

    Args:
        contacts: number by contact name.
        groups: numbers by group name; a message to the group is one to each.

    Raises:
        ValueError: an entry is no number, or a name is used twice or holds a comma.
    """

    def __init__(self, contacts: Mapping[str, str], groups: Mapping[str, Sequence[str]]) -> None:
        self._numbers: dict[str, list[str]] = {}
        for name, numbers in [*((name, [number]) for name, number in contacts.items()), *groups.items()]:
            if "," in name or name != name.strip() or not name or name in self._numbers:
                raise ValueError(f"{name!r} cannot be the name of a contact or group, or is used twice")
            self._numbers[name] = [_number_or_error(number) for number in numbers]

    def expand(self, to: str) -> list[str | None]:
        """The numbers ``to`` stands for, in order; None for an entry that is neither a number nor a known name."""
        numbers: list[str | None] = []
        for entry in to.split(","):
            stripped = entry.strip()
            known = self._numbers.get(stripped)
            if known is None:
                numbers.append(normalise(stripped))
            else:
                numbers.extend(known)
        return numbers


def _number_or_error(number: str) -> str:
    normal = normalise(number)
    if normal is None:
        raise ValueError(f"{number!r} is no telephone number")
    return normal
