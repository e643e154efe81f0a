"""What the gateway's documents say: its calls, answers, codes and limits; sans-IO but for the two gateway classes.

``call`` builds requests and ``answer`` reads what comes back, for whoever has a transport of their own; importing
them opens no runtime, so ``Gateway`` and ``AsyncGateway`` load on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import answer, auth, bundle, call, codes, sms
from .answer import Answer, Balance, MessageResult, SmsAnswer
from .auth import Auth
from .bundle import SmsOutcome
from .sms import Message

if TYPE_CHECKING:
    from .aio import AsyncGateway
    from .client import Gateway
    from .tasks import AsyncSmsStream
    from .threads import SmsStream

__all__ = [
    "Answer",
    "AsyncGateway",
    "AsyncSmsStream",
    "Auth",
    "Balance",
    "Gateway",
    "Message",
    "MessageResult",
    "SmsAnswer",
    "SmsOutcome",
    "SmsStream",
    "answer",
    "auth",
    "bundle",
    "call",
    "codes",
    "sms",
]


_HOME = {
    "AsyncGateway": ".aio",
    "AsyncSmsStream": ".tasks",
    "Gateway": ".client",
    "SmsStream": ".threads",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value
