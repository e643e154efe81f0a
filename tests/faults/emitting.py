"""Requests that must not leave: the error comes before any byte, and says what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .case import Case, Sent, errors


def refused(name: str, number: int, error: Any = errors.InvalidRequest, **call: Any) -> Case:
    return Case(name, [number], call=call, error=error, sent=Sent.NO, attempts=0, seen=0)


def with_field(name: str, value: str) -> Mapping[str, Any]:
    return {"headers": [(name, value)]}


CASES: Sequence[Case] = [
    *(refused(f"{text!r} in a value", 117, **with_field("X-A", f"a{text}b")) for text in ("\r\n", "\r", "\n", "\0")),
    *(refused(f"{text!r} in a name", 117, **with_field(f"X{text}A", "a")) for text in ("\r\n", "\0", " ", ":", "é")),
    refused("an empty name", 117, **with_field("", "a")),
    *(refused(f"{text!r} in the target", 117, target=f"/api{text}sms") for text in ("\r\n", "\0")),
    *(refused(f"{text!r} in the method", 117, method=f"PO{text}ST") for text in ("\r\n", "\0", " ")),
    refused("no method", 117, method=""),
    *(refused(f"{text!r} in the target", 118, target=f"/api{text}sms") for text in (" ", "\x7f", "é", "\ud800")),
    refused("a fragment in the target", 119, target="/api/sms#there"),
    refused("another host's target", 120, target="https://127.0.0.2/api/sms"),
    refused("an asterisk", 120, target="*"),
    refused("an empty target", 120, target=""),
    refused("no slash first", 120, target="api/sms"),
    refused("a lone surrogate in a value", 122, **with_field("X-A", "\ud800")),
    refused("a length of the caller's", 125, **with_field("Content-Length", "3")),
    refused("a coding of the caller's", 125, **with_field("Transfer-Encoding", "chunked")),
    refused("a host of the caller's", 125, **with_field("Host", "127.0.0.2")),
    refused("an expectation", 114, **with_field("Expect", "100-continue")),
    refused("an upgrade", 94, **with_field("Upgrade", "h2c")),
    refused("CONNECT", 120, method="CONNECT"),
    refused("a body that is no bytes", 121, body="to=49"),
]  # fmt: skip
