"""The gateway on loopback: a real server that enforces every rule its documents give, and keeps what it accepted."""

from __future__ import annotations

from .clock import ManualClock
from .limits import Limits
from .server import Sandbox

__all__ = ["Limits", "ManualClock", "Sandbox"]
