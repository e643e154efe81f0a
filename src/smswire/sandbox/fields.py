"""The parameters of a call, wherever they stand: query, form or JSON body.

Read with the standard library alone, and strictly: this is the judge of what a client sends. A parameter given twice, a
``%`` without two hex digits, bytes that are not UTF-8, JSON that two readers could read differently: each is
:class:`MalformedError`, which the server answers with HTTP status 400 and a sentence that says why, without any value.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn
from urllib.parse import parse_qsl

Fields = dict[str, Any]

# The documents give no number; PHP, which the gateway's answers look like, takes 1,000.
MAX_FIELDS = 1000

_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class MalformedError(Exception):
    """The request cannot be read, or breaks a rule that the gateway's documents give no code for.

    Attributes:
        reason (str): one sentence; holds no value of any parameter.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(method: str, query: str, content_type: str | None, body: bytes) -> Fields:
    """The parameters of a call by name. Values are strings; in a JSON body whatever JSON allows, ``null`` left out.

    Raises:
        MalformedError: see above.
    """
    fields: Fields = {}
    _add_form(fields, query, "the query")
    if not body:
        return fields
    if method == "GET":
        raise MalformedError("A GET carries its parameters in the query, not in a body.")
    media_type, _, parameters = (content_type or "").partition(";")
    media_type = media_type.strip().lower()
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise MalformedError("The body's charset must be UTF-8.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError("The body is not UTF-8.") from None
    if media_type == "application/x-www-form-urlencoded":
        _add_form(fields, text, "the form")
    elif media_type == "application/json":
        _add_json(fields, text)
    else:
        raise MalformedError("The body must be application/x-www-form-urlencoded or application/json.")
    return fields


def _add_form(fields: Fields, text: str, where: str) -> None:
    if not text:
        return
    if _LONE_PERCENT.search(text):
        raise MalformedError(f"In {where} stands a % that two hex digits do not follow.")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise MalformedError(f"In {where} stands a percent-encoded value that is not UTF-8.") from None
    except ValueError:
        raise MalformedError(f"There are more than {MAX_FIELDS} fields in {where}.") from None
    for name, value in pairs:
        _add(fields, name, value)


def _add_json(fields: Fields, text: str) -> None:
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_no_constant)
    except RecursionError:
        raise MalformedError("The JSON is nested too deeply.") from None
    except ValueError:
        raise MalformedError("The body is not JSON.") from None
    if not isinstance(value, dict):
        raise MalformedError("The JSON body must be an object.")
    for name, item in value.items():
        if isinstance(item, str) and not _can_be_encoded(item):
            raise MalformedError("A JSON string holds half of a surrogate pair.")
        if item is not None:
            _add(fields, name, item)


def _add(fields: Fields, name: str, value: Any) -> None:
    if name.endswith("[]"):  # the one notation in which a repeat is a list
        fields.setdefault(name, []).append(value)
    elif name in fields:
        raise MalformedError("A parameter is given twice.")
    else:
        fields[name] = value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedError("A JSON object names a member twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise MalformedError("NaN and Infinity are not JSON.")


def _can_be_encoded(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
