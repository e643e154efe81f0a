"""The rules of the SMS parameters: from what a call carries to an :class:`Order`, or the code that refuses it.

A rule that the documents give a code for raises :class:`RefusedError`; one without a code (``foreign_id``, ``ttl``,
``delay``, ``udh``, a switch that is neither 1 nor 0) raises :class:`~smswire.sandbox.fields.MalformedError`. Parameters
that no document names are let through and kept, as the gateway does with ``sentWith``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from . import codes
from .encoding import GSM, UCS2, encoding_of, parts_of
from .fields import Fields, MalformedError

# What the account would have set as its sender; any name of at most 11 characters does.
DEFAULT_SENDER = "sms"

SWITCHES = (
    "flash",
    "performance_tracking",
    "json",
    "details",
    "return_msg_id",
    "debug",
    "no_reload",
    "unicode",
    "utf8",
    "is_binary",
)

_SWITCH_VALUES: dict[Any, bool] = {"1": True, "0": False, 1: True, 0: False}  # True == 1 and False == 0
_NUMERIC_SENDER = re.compile(r"\+?[0-9]+\Z")
_SENDER = re.compile(r"[A-Za-z0-9/ .\-@_!()+$,&]{1,11}\Z")
_MARK = re.compile(r"[A-Za-z0-9.\-_@]+\Z")
_TIMESTAMP = re.compile(r"[0-9]{1,10}\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}(:[0-9]{2})?\Z")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+\Z")


class RefusedError(Exception):
    """The call is answered with a code other than success.

    Attributes:
        code (int): see :mod:`smswire.sandbox.codes`.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Order:
    """One checked SMS call: ``text`` to everyone in ``to``."""

    to: str
    text: str
    sender: str
    encoding: str
    parts: int
    label: str | None
    udh: str | None
    is_binary: bool
    switches: dict[str, bool]
    parameters: Fields
    """What else the call carried: all but ``to``, ``text`` and ``p``."""


def check(fields: Fields, text_characters: int) -> Order:
    """Check the parameters of a call to ``/api/sms``.

    Raises:
        RefusedError: a rule with a code is broken.
        MalformedError: a rule without a code is broken.
    """
    to = _to(fields)
    text = _text(fields, text_characters)
    sender = _sender(fields)
    label = fields.get("label")
    if label is not None and not _is_mark(label, 100):
        raise RefusedError(codes.LABEL_INVALID)
    if fields.get("type", "direct") not in ("direct", "economy"):
        raise RefusedError(codes.TYPE_INVALID)
    if "foreign_id" in fields and not _is_mark(fields["foreign_id"], 64):
        raise MalformedError("foreign_id has at most 64 characters of A-Z a-z 0-9 . - _ @.")
    _check_ttl(fields.get("ttl"))
    _check_delay(fields.get("delay"))
    switches = _switches(fields)
    udh, is_binary = _binary(fields, text, switches)
    encoding = UCS2 if switches["unicode"] and not is_binary else GSM if is_binary else encoding_of(text)
    return Order(
        to=to,
        text=text,
        sender=sender,
        encoding=encoding,
        parts=_binary_parts(udh or "", text) if is_binary else parts_of(text, encoding),
        label=label,
        udh=udh,
        is_binary=is_binary,
        switches=switches,
        parameters={name: value for name, value in fields.items() if name not in ("to", "text", "p")},
    )


def _to(fields: Fields) -> str:
    to = fields.get("to", "")
    if not isinstance(to, str):
        raise RefusedError(codes.RECIPIENT_INVALID)  # JSON arrays and numbers: no document shows that they work
    if not to.strip():
        raise RefusedError(codes.TO_MISSING)
    return to


def _text(fields: Fields, text_characters: int) -> str:
    text = fields.get("text", "")
    if not isinstance(text, str) or not text:
        raise RefusedError(codes.TEXT_MISSING)
    if len(text) > text_characters:
        raise RefusedError(codes.TEXT_TOO_LONG)
    return text


def _sender(fields: Fields) -> str:
    sender = fields.get("from", DEFAULT_SENDER)
    if not isinstance(sender, str):
        raise RefusedError(codes.SENDER_INVALID)
    if _NUMERIC_SENDER.match(sender):
        if len(sender) > 16:
            raise RefusedError(codes.SENDER_NUMBER_INVALID)
    elif not _SENDER.match(sender):
        raise RefusedError(codes.SENDER_INVALID)
    return sender


def _is_mark(value: Any, most: int) -> bool:
    return isinstance(value, str) and len(value) <= most and _MARK.match(value) is not None


def _check_ttl(ttl: Any) -> None:
    if ttl is None:
        return
    if isinstance(ttl, str) and re.match(r"[0-9]{1,9}\Z", ttl):
        ttl = int(ttl)
    if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl < 1:
        raise MalformedError("ttl is a whole number of minutes, at least 1.")


def _check_delay(delay: Any) -> None:
    if delay is None:
        return
    if isinstance(delay, int) and not isinstance(delay, bool):
        delay = str(delay)
    if isinstance(delay, str):
        if _TIMESTAMP.match(delay):
            return
        if _DATE.match(delay):
            try:
                datetime.fromisoformat(delay)
            except ValueError:
                pass
            else:
                return
    raise MalformedError("delay is a Unix timestamp in seconds or YYYY-MM-DD hh:mm[:ss].")


def _switches(fields: Fields) -> dict[str, bool]:
    switches = dict.fromkeys(SWITCHES, False)
    for name in SWITCHES:
        if name in fields:
            switches[name] = switch(name, fields[name])
    return switches


def switch(name: str, value: Any) -> bool:
    """A switch's value: 1 or 0, in a JSON body ``true`` and ``false`` too.

    Raises:
        MalformedError: it is anything else.
    """
    if isinstance(value, str | int) and value in _SWITCH_VALUES:
        return _SWITCH_VALUES[value]
    raise MalformedError(f"{name} is 1 or 0.")


def _binary(fields: Fields, text: str, switches: dict[str, bool]) -> tuple[str | None, bool]:
    udh = fields.get("udh")
    if udh is not None and not (isinstance(udh, str) and _HEX.match(udh) and int(udh[:2], 16) == len(udh) // 2 - 1):
        raise MalformedError("udh is a user data header in hex digits, its first octet the length of the rest.")
    is_hex = _HEX.match(text) is not None
    if switches["is_binary"] and not is_hex:
        raise MalformedError("with is_binary the text is hex digits.")
    return udh, is_hex and (udh is not None or switches["is_binary"])


def _binary_parts(udh: str, text: str) -> int:
    """140 octets a part, the user data header in each (3GPP TS 23.040)."""
    room = max(1, 140 - len(udh) // 2)
    return -(-(len(text) // 2) // room)
