"""What the project wants. First of all: how much of a peer's CPU per request ours may take at most."""

from __future__ import annotations

from typing import Final

_BOTH: Final = ("length", "chunked")

GOALS: Final[dict[tuple[str, str, str, str], float]] = {
    # by mode, lane, peer and answer
    ("50-way", "auto", "aiohttp", "length"): 0.20,
    ("50-way", "auto", "aiohttp", "chunked"): 0.22,
    **{("50-way", "auto", "pycurl CurlMulti", answer): 0.85 for answer in _BOTH},
    **{("50-way", "auto", "pycurl AsyncCurlMulti", answer): 0.55 for answer in _BOTH},
    **{("50-way", "auto", peer, answer): 0.45 for peer in ("wreq", "pyreqwest") for answer in _BOTH},
    ("50-way", "auto", "floor: asyncio", "length"): 2.5,
    ("50-way", "h11", "aiohttp", "length"): 0.54,
    ("50-way", "h11", "aiohttp", "chunked"): 0.57,
    **{("sequential", "auto", "http.client", answer): 0.38 for answer in _BOTH},
    **{("sequential", "auto", "pycurl", answer): 0.72 for answer in _BOTH},
    **{("sequential", "auto", "urllib3", answer): 0.21 for answer in _BOTH},
    **{("sequential", "auto", "httpx", answer): 0.15 for answer in _BOTH},
    **{("sequential", "auto", "requests", answer): 0.09 for answer in _BOTH},
    ("sequential", "auto", "floor: MemoryBIO", "length"): 1.6,
    ("50 threads", "auto", "http.client", "length"): 0.28,
}

SCALE: Final = 1.5
"""CPU per request with 1,000 connections against 10."""
SHARE_OF_POSSIBLE: Final = 0.95
"""Of the rate that a server which takes 20 ms allows 50 connections."""
IDLE_KB: Final = 32.0
"""Memory of an idle TLS connection in the client's process."""
IMPORT: Final = 1.15
"""Time of importing ours against what it must import anyway: h11, ssl and socket."""
EACH_SECOND: Final = 50
"""Connections in any second at the server."""
