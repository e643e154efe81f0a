"""TLS records, as far as one need know them to say what of a stream can be read."""

from __future__ import annotations


class Records:
    """Which bytes of a direction the far end can read: a TLS record is nothing until it is whole."""

    def __init__(self) -> None:
        self._pending = bytearray()

    def completed_by(self, data: bytes) -> int:
        """How many records these bytes complete (RFC 8446 5.1: five bytes of header, the last two its length)."""
        pending, count = self._pending, 0
        pending += data
        while len(pending) >= 5 and len(pending) >= (size := 5 + int.from_bytes(pending[3:5], "big")):
            del pending[:size]
            count += 1
        return count
