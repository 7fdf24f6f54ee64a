"""Small frames made into frames of a useful size.

    256 bytes, 125 times a second (the old browser client) ──▶ join ──▶ 640 … 1280 bytes (20 … 40 ms)

Gemini's documentation recommends chunks of 20 to 40 ms. A frame that is large enough passes as it is.
"""

from __future__ import annotations

from actors.messages import CALLER_BYTES_PER_SECOND

ENOUGH = CALLER_BYTES_PER_SECOND // 50
"""Bytes in 20 ms."""


class Joiner:
    """What is left over from frames too small to send."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = 0

    def add(self, pcm: bytes) -> bytes | None:
        """Return sound to send, in order, as soon as there is enough of it."""
        if not self._parts and len(pcm) >= ENOUGH:
            return pcm
        self._parts.append(pcm)
        self._bytes += len(pcm)
        return self.rest() if self._bytes >= ENOUGH else None

    def rest(self) -> bytes | None:
        """Return what is left over, if anything is."""
        if not self._parts:
            return None
        joined = b"".join(self._parts)
        self._parts.clear()
        self._bytes = 0
        return joined
