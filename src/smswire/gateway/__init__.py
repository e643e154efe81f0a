"""What the gateway's documents say: its calls, answers, codes and limits; sans-IO but for ``Gateway``.

``call`` builds requests and ``answer`` reads what comes back, for whoever has a transport of their own; importing
them opens no runtime, so ``Gateway`` loads on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import answer, auth, bundle, call, codes, sms
from .answer import Answer, Balance, MessageResult, SmsAnswer
from .auth import Auth
from .bundle import SmsOutcome
from .sms import Message

if TYPE_CHECKING:
    from .client import Gateway

__all__ = [
    "Answer",
    "Auth",
    "Balance",
    "Gateway",
    "Message",
    "MessageResult",
    "SmsAnswer",
    "SmsOutcome",
    "answer",
    "auth",
    "bundle",
    "call",
    "codes",
    "sms",
]


def __getattr__(name: str) -> Any:
    if name == "Gateway":
        from .client import Gateway

        return Gateway
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
