"""What the caller said before the model was there to hear it.

    Audio Text Image ──▶ [ at most so many seconds of sound, so many other messages ] ──▶ take(): in the order it came

Sound beyond the limit pushes the oldest sound out, and is counted; so no caller is told "not ready", and the first
words of a call are not lost while it opens.
"""

from __future__ import annotations

from collections import deque

from actors.messages import CALLER_BYTES_PER_SECOND, Audio, Image, Text

OTHERS = 16
"""Messages that are not sound."""


class Held:
    """A bounded queue of early messages."""

    def __init__(self, *, seconds: float) -> None:
        self._limit = int(seconds * CALLER_BYTES_PER_SECOND)
        self._sound: deque[tuple[int, Audio]] = deque()
        self._others: deque[tuple[int, Text | Image]] = deque()
        self._bytes = 0
        self._count = 0  # of all that ever came: the order

    @property
    def seconds(self) -> float:
        return self._bytes / CALLER_BYTES_PER_SECOND

    def add(self, message: Audio | Text | Image) -> int:
        """Keep a message; return how many older ones had to go for it."""
        self._count += 1
        if isinstance(message, Audio):
            self._sound.append((self._count, message))
            self._bytes += len(message.pcm)
            return self._trim()
        self._others.append((self._count, message))
        if len(self._others) <= OTHERS:
            return 0
        self._others.popleft()
        return 1

    def take(self) -> list[Audio | Text | Image]:
        """Hand everything out, in the order it came."""
        ordered = sorted([*self._sound, *self._others], key=lambda numbered: numbered[0])
        self.clear()
        return [message for _, message in ordered]

    def clear(self) -> None:
        self._sound.clear()
        self._others.clear()
        self._bytes = 0

    def _trim(self) -> int:
        dropped = 0
        while self._bytes > self._limit:
            _, oldest = self._sound.popleft()
            self._bytes -= len(oldest.pcm)
            dropped += 1
        return dropped
