"""What the caller said before the model was there to hear it.

    Audio Text Image ──▶ [ at most so many seconds of sound, so many other messages ] ──▶ take(): in the order it came

Sound beyond the limit pushes the oldest sound out, and is counted; so no caller is told "not ready", and the first
words of a call are not lost while it opens. Everything is bounded twice, in bytes and in number: a message of two
bytes costs as much room as one of two hundred, and sixteen pictures as much as a minute of sound.
"""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

from actors.messages import CALLER_BYTES_PER_SECOND, Audio, Image, Text

FRAMES = 1_000
"""Messages of sound: five seconds of them at 200 a second, the most that a caller may send by default."""
OTHERS = 16
"""Messages that are not sound."""
OTHER_BYTES = 4 * 1024 * 1024
"""Bytes of all of them: two pictures of the largest size, or many of the usual."""

Early: TypeAlias = Audio | Text | Image


class Held:
    """A bounded queue of early messages."""

    def __init__(self, *, seconds: float) -> None:
        self._sound = _Newest(count=FRAMES, size=int(seconds * CALLER_BYTES_PER_SECOND))
        self._others = _Newest(count=OTHERS, size=OTHER_BYTES)
        self._count = 0  # of all that ever came: the order

    @property
    def seconds(self) -> float:
        return self._sound.bytes / CALLER_BYTES_PER_SECOND

    def add(self, message: Early) -> int:
        """Keep a message; return how many older ones had to go for it."""
        self._count += 1
        queue = self._sound if isinstance(message, Audio) else self._others
        return queue.add(self._count, message)

    def take(self) -> list[Early]:
        """Hand everything out, in the order it came."""
        ordered = sorted([*self._sound.kept, *self._others.kept], key=lambda numbered: numbered[0])
        self.clear()
        return [message for _, message in ordered]

    def clear(self) -> None:
        self._sound.clear()
        self._others.clear()


class _Newest:
    """The newest messages of one sort, each with its number: at most so many, of at most so many bytes."""

    def __init__(self, *, count: int, size: int) -> None:
        self._count, self._size = count, size
        self.kept: deque[tuple[int, Early]] = deque()
        self.bytes = 0

    def add(self, number: int, message: Early) -> int:
        self.kept.append((number, message))
        self.bytes += _size(message)
        dropped = 0
        while self.bytes > self._size or len(self.kept) > self._count:
            _, oldest = self.kept.popleft()
            self.bytes -= _size(oldest)
            dropped += 1
        return dropped

    def clear(self) -> None:
        self.kept.clear()
        self.bytes = 0


def _size(message: Early) -> int:
    match message:
        case Audio(pcm):
            return len(pcm)
        case Image(data, _):
            return len(data)
        case Text(content):
            return len(content)
