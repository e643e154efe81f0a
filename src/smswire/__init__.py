"""smswire: a low-level protocol toolkit for the SMS gateway seven.io, once sms77.io.

What stands in ``__all__`` is the public face, beside ``smswire.codec``, ``smswire.wire`` and ``smswire.sandbox``.
Names load when they are first used: whoever needs only ``smswire.gateway.call`` pays for no socket.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import errors
from .errors import Sent

if TYPE_CHECKING:
    from . import events
    from .flow.retry import Outcome
    from .gateway import AsyncGateway, Gateway, Message, SmsOutcome
    from .net.aio import AsyncClient
    from .net.blocking import Client
    from .net.pacers import Pacer

__version__ = "0.1.0"

__all__ = [
    "AsyncClient",
    "AsyncGateway",
    "Client",
    "Gateway",
    "Message",
    "Outcome",
    "Pacer",
    "Sent",
    "SmsOutcome",
    "errors",
    "events",
]

_HOME = {
    "AsyncClient": ".net.aio",
    "AsyncGateway": ".gateway",
    "Client": ".net.blocking",
    "Gateway": ".gateway",
    "Message": ".gateway",
    "Outcome": ".flow.retry",
    "Pacer": ".net.pacers",
    "SmsOutcome": ".gateway",
}


def __getattr__(name: str) -> Any:
    if name == "events":
        return import_module(".events", __name__)
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home, __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
