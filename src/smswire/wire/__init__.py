"""One connection's protocol, sans-IO: bytes in, bytes out.

`Channel` is the whole of it; the rest are its words. It imports no socket, no clock, no thread and no event loop.
"""

from __future__ import annotations

from .channel import Channel
from .head import Limits
from .message import Headers, Request, Response
from .tls import TLS

__all__ = ["TLS", "Channel", "Headers", "Limits", "Request", "Response"]
