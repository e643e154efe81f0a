"""One SMS to one or several recipients, and every rule that can be checked before a byte leaves.

A ``Message`` that exists keeps the documented rules: it checks itself when it is made, and the first rule broken
raises ``InvalidParameter``, which names the parameter, the rule and the length of the value. Neither the value nor the
text is ever shown: error texts end in logs.

The rules are the gateway's (``docs/gateway.md``); where its documents are silent, the strictest reading that no
documented client breaks. What a number means in the real world is not checked: the gateway knows its networks.

``canonical`` tells whether two spellings are the same number. It decides nothing but that: what is sent is the
recipient as it was given.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Any, Final, NoReturn

from ..errors import InvalidParameter

MAX_TEXT = 1520  #: characters; 10 parts of 152
MAX_SENDER_TEXT = 11
MAX_SENDER_DIGITS = 16
MAX_LABEL = 100
MAX_FOREIGN_ID = 64
MAX_FILE_VALIDITY = 255  #: days; one client's type for it is an unsigned byte

_SENDER = re.compile(r"[A-Za-z0-9/ .\-@_!()+$,&]{1,11}|[0-9]{1,16}")
_NAME = re.compile(r"[A-Za-z0-9._@-]+")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d (?:[01]\d|2[0-3]):\d\d(?::\d\d)?", re.ASCII)
_PLAIN_NUMBER = re.compile(r"\+?[0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

#: Seconds since 1970 stay below this until the year 2286; above it, somebody sent milliseconds.
_FIRST_MILLISECONDS = 10_000_000_000


def refuse(parameter: str, rule: str, value: object = None) -> NoReturn:
    """Raises the one error of this module: parameter, rule, and of what length or type the value was."""
    length = len(value) if isinstance(value, str | list | tuple) else None
    if isinstance(value, str):
        given = f" (given: {length:,} character{'' if length == 1 else 's'})"
    else:
        given = "" if value is None else f" (given: {type(value).__name__})"
    raise InvalidParameter(f"{parameter}: {rule}{given}", parameter=parameter, rule=rule, length=length)


def _check_characters(parameter: str, value: str) -> None:
    if not value.isascii() and _SURROGATE.search(value):
        refuse(parameter, "must not hold a lone surrogate, which no encoding can carry", value)


def _check_recipient(value: object) -> str:
    if not isinstance(value, str):
        refuse("to", "a recipient must be a str", value)
    if _PLAIN_NUMBER.fullmatch(value):
        return value
    if not value.strip():
        refuse("to", "a recipient must not be empty", value)
    if "," in value:
        refuse("to", "a recipient must not hold a comma; give several recipients as a list", value)
    if _CONTROL.search(value):
        refuse("to", "a recipient must not hold control characters", value)
    _check_characters("to", value)
    return value


def _check_text(value: object) -> str:
    if not isinstance(value, str):
        refuse("text", "must be a str", value)
    if not value:
        refuse("text", "must not be empty", value)
    if len(value) > MAX_TEXT:
        refuse("text", f"must have at most {MAX_TEXT:,} characters", value)
    _check_characters("text", value)
    return value


def _sender(parameter: str, value: object) -> str:
    if not isinstance(value, str) or not _SENDER.fullmatch(value):
        refuse(
            parameter,
            f"must be at most {MAX_SENDER_TEXT} ASCII letters, digits, spaces or any of / . - @ _ ! ( ) + $ , & "
            f"or at most {MAX_SENDER_DIGITS} digits",
            value,
        )
    return value


def _name_of_at_most(limit: int) -> Callable[[str, object], str]:
    def check(parameter: str, value: object) -> str:
        if not isinstance(value, str) or len(value) > limit or not _NAME.fullmatch(value):
            refuse(parameter, f"must be 1 to {limit} characters of a-z A-Z 0-9 . - _ @", value)
        return value

    return check


def _flag(parameter: str, value: object) -> bool:
    if value is True or value is False:
        return value
    if type(value) is int and value in (0, 1):
        return bool(value)
    refuse(parameter, "must be True or False", value)


def _minutes(parameter: str, value: object) -> int:
    if type(value) is not int or value < 1:
        refuse(parameter, "must be a whole number of minutes, at least 1", value)
    return value


def _delay(parameter: str, value: object) -> int | str:
    if isinstance(value, datetime.datetime):
        if value.utcoffset() is None:
            refuse(parameter, "a datetime must have a time zone: whose clock is meant is not known without", value)
        value = int(value.timestamp())
    if type(value) is int:
        if not 0 < value < _FIRST_MILLISECONDS:
            refuse(parameter, "must be in seconds since 1970 (not milliseconds)", value)
        return value
    if isinstance(value, str) and _WHEN.fullmatch(value):
        try:
            datetime.datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            return value
    refuse(parameter, "must be an aware datetime, whole seconds since 1970, or a str 'YYYY-MM-DD hh:mm[:ss]'", value)


def _udh(parameter: str, value: object) -> str:
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        refuse(parameter, "must be pairs of hexadecimal digits, such as 050003CC0201", value)
    return value


def _files(parameter: str, value: object) -> tuple[tuple[tuple[str, str | int], ...], ...]:
    if not isinstance(value, list | tuple) or not value:
        refuse(parameter, "must be a list of one or more mappings", value)
    return tuple(_file(f"{parameter}[{place}]", file) for place, file in enumerate(value))


def _file(parameter: str, value: object) -> tuple[tuple[str, str | int], ...]:
    if not isinstance(value, Mapping):
        refuse(parameter, "must be a mapping with name and contents", value)
    unknown = [name for name in value if name not in ("name", "contents", "validity", "password")]
    if unknown:
        refuse(parameter, "takes name, contents, validity and password only")
    given = {name: field for name, field in value.items() if field is not None}
    for name in ("name", "contents", "password"):
        field = given.get(name)
        if field is None and name == "password":
            continue
        if not isinstance(field, str) or not field:
            refuse(f"{parameter}[{name}]", "must be a str, not empty", field)
        _check_characters(f"{parameter}[{name}]", field)
    if not _BASE64.fullmatch(given["contents"]):
        refuse(f"{parameter}[contents]", "must be base64", given["contents"])
    days = given.get("validity", 1)
    if type(days) is not int or not 1 <= days <= MAX_FILE_VALIDITY:
        refuse(f"{parameter}[validity]", f"must be a whole number of days, 1 to {MAX_FILE_VALIDITY}", days)
    return tuple(sorted(given.items()))


#: Every option of a send that the gateway documents, with its rule, in the order in which they are sent.
OPTIONS: dict[str, Callable[[str, object], Any]] = {
    "from": _sender,
    "delay": _delay,
    "flash": _flag,
    "performance_tracking": _flag,
    "udh": _udh,
    "is_binary": _flag,
    "ttl": _minutes,
    "label": _name_of_at_most(MAX_LABEL),
    "foreign_id": _name_of_at_most(MAX_FOREIGN_ID),
    "files": _files,
    "json": _flag,
    "details": _flag,
    "return_msg_id": _flag,
    "debug": _flag,
    "no_reload": _flag,
    "unicode": _flag,
    "utf8": _flag,
}

_PLACES: Final = {name: place for place, name in enumerate(OPTIONS)}


@functools.lru_cache(maxsize=64)
def _in_order(names: tuple[str, ...]) -> list[tuple[str, str, Callable[[str, object], Any]]]:
    """What to do with options of these names: each with its name at the gateway and its rule, in sending order."""
    rules = [(name, "from" if name == "from_" else name) for name in names]
    if len({known for _, known in rules}) < len(rules):
        refuse("from", "was given twice, as from and as from_")
    for _, name in rules:
        if name not in OPTIONS:
            import difflib

            # from is no name for an argument in Python, and from_ may be used in a mapping as well.
            choices = ["from_" if option == "from" else option for option in OPTIONS]
            near = difflib.get_close_matches(str(name), choices, 1)
            known = f"did you mean {near[0]}?" if near else f"known are {', '.join(choices)}"
            refuse(str(name), f"is not an option of a send; {known}")
    rules.sort(key=lambda rule: _PLACES[rule[1]])
    return [(name, known, OPTIONS[known]) for name, known in rules]


def _check_options(options: Mapping[str, object]) -> tuple[tuple[str, Any], ...]:
    # A program gives the same few sets of options again and again.
    rules = _in_order(tuple(options))
    return tuple([(known, rule(known, value)) for name, known, rule in rules if (value := options[name]) is not None])


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """One text for one or several recipients, checked when it is made.

    Args:
        to (str | iterable of str): the recipient, or the recipients: numbers in any common form, contacts or groups.
        text (str): 1 to 1,520 characters.
        options: the gateway's options by its own names (``OPTIONS``): ``from_`` (or ``from``, through a mapping),
            ``delay`` (aware datetime, Unix seconds or ``YYYY-MM-DD hh:mm[:ss]``), ``flash``, ``performance_tracking``,
            ``udh``, ``is_binary``, ``ttl`` (minutes), ``label``, ``foreign_id``, ``files``, ``json``, ``details``,
            ``return_msg_id``, ``debug``, ``no_reload``, ``unicode``, ``utf8``. None leaves an option out.

    Raises:
        InvalidParameter: a rule is broken; the error names parameter and rule and shows no value.

    >>> Message("+491716992343", "Hello", from_="smswire").parameters()
    [('to', '+491716992343'), ('text', 'Hello'), ('from', 'smswire')]
    """

    to: str | tuple[str, ...]
    text: str
    options: tuple[tuple[str, Any], ...]

    def __init__(self, /, to: str | Iterable[str], text: str, **options: object) -> None:
        if isinstance(to, str):
            recipients: str | tuple[str, ...] = _check_recipient(to)
        elif isinstance(to, Iterable) and not isinstance(to, bytes | bytearray | Mapping):
            recipients = tuple(_check_recipient(one) for one in to)
        else:
            refuse("to", "must be a str or a list of str", to)
        if not recipients:
            refuse("to", "must name at least one recipient")
        object.__setattr__(self, "to", recipients)
        object.__setattr__(self, "text", _check_text(text))
        object.__setattr__(self, "options", _check_options(options))

    @property
    def recipients(self) -> tuple[str, ...]:
        """The recipients as they were given, always as a tuple."""
        return (self.to,) if isinstance(self.to, str) else self.to

    def parameters(self) -> list[tuple[str, Any]]:
        """The parameters of the one call that sends this to all its recipients, in order."""
        return parameters(self.recipients, self.text, self.options)


def message_of(given: object, index: int) -> Message:
    """The message in one place of an input: a ``Message`` as it is, or made of a mapping with ``to`` and ``text``.

    Raises:
        InvalidParameter: it breaks a rule; the text says at which place.
    """
    if isinstance(given, Message):
        return given
    try:
        if not isinstance(given, Mapping):
            refuse("messages", "must be Message objects or mappings", given)
        options = {str(name): value for name, value in given.items()}
        for name in ("to", "text"):
            if name not in options:
                refuse(name, "is missing")
        return Message(**options)
    except InvalidParameter as error:
        error.message = f"message {index}: {error.message}"
        raise


def recipient_of(given: object) -> str:
    """Whom a place of the input that is no message was for, as far as that can be told; otherwise ``""``."""
    to = given.get("to") if isinstance(given, Mapping) else None
    if isinstance(to, list | tuple) and all(isinstance(one, str) for one in to):
        return ",".join(to)
    return to if isinstance(to, str) else ""


def check_messages(messages: object, kinds: type | UnionType = Iterable) -> None:
    """Raises ``InvalidParameter`` for what cannot be many messages; of one alone it says so."""
    if isinstance(messages, Message | Mapping):
        refuse("messages", "must be several messages; put a single one into a list, or send it with sms", messages)
    if isinstance(messages, str | bytes | bytearray) or not isinstance(messages, kinds):
        refuse("messages", "must be an iterable of Message objects or mappings", messages)


def check_no_number_twice(message: Message) -> None:
    """Raises ``InvalidParameter`` for a message that one call cannot carry."""
    if isinstance(message.to, str):
        return
    numbers = [number for number in map(canonical, message.recipients) if number]
    if len(set(numbers)) < len(numbers):
        refuse("to", "names the same number twice, and one call carries it once; sms_many sends it twice")


def parameters(recipients: Iterable[str], text: str, options: tuple[tuple[str, Any], ...]) -> list[tuple[str, Any]]:
    """The parameters of one call: ``to`` joined by commas (arrays are not proven to work), ``text``, the options."""
    files = dict(options).get("files")
    if files is not None:
        options = tuple([(name, [*map(dict, files)] if name == "files" else value) for name, value in options])
    return [("to", ",".join(recipients)), ("text", text), *options]


#: What people put between the digits of a number: spaces, dots, slashes, hyphens and dashes, brackets.
_PUNCTUATION = str.maketrans("", "", " \t\u00a0\u202f./()-\u2010\u2011\u2012\u2013")
_DIGITS = re.compile(r"[0-9]+")


def canonical(recipient: str, country: str = "49") -> str | None:
    """The digits by which two spellings of a number are compared, with the country code; None for a name.

    A number that starts with one 0 is national, and ``country`` goes before it (the gateway's home is Germany).

    >>> {canonical(n) for n in ("+49 171 6992343", "0049171/6992343", "0171-6992343", "+49 (0)171 6992343")}
    {'491716992343'}
    >>> canonical("Friends") is None
    True
    """
    compact = recipient.translate(_PUNCTUATION)
    international = compact.startswith(("+", "00"))
    if international:
        bare = recipient.replace("(0)", "").translate(_PUNCTUATION)
        digits = bare.removeprefix("+") if bare.startswith("+") else bare.removeprefix("00")
    else:
        digits = country + compact[1:] if compact.startswith("0") else compact
    return digits if _DIGITS.fullmatch(digits) and len(compact) > 1 else None
