"""What the model said and the caller has not been handed yet.

    Speech (faster than real time) ──▶ [ Sound · Sound · TurnComplete … ] ──▶ due(now): real time + a lead ──▶ caller
                                                     │
                                           flush() on barge-in: the sound is void, the signs are not

Bytes given to a transport cannot be recalled, so sound is handed over at the pace at which it is heard, a lead
ahead. Signs (`TurnStarted`, `TurnComplete` …) wait in the same line, so that they never overtake their sound.
Nothing is dropped for size. It is told the time and keeps no clock.
"""

from __future__ import annotations

from collections import deque

from actors.messages import MODEL_BYTES_PER_SECOND
from actors.replies import GenerationComplete, Reply, Sound

LONGEST = MODEL_BYTES_PER_SECOND // 2
"""Bytes of one piece of sound; a longer one is cut, or it would run ahead of the lead by its whole length."""


GRAIN = 0.001
"""Seconds by which a look at the line comes late, so that what it came for is surely due."""


class Playout:
    """The line of what is to be played, for one caller."""

    def __init__(self, *, lead: float) -> None:
        self._lead = lead  # seconds ahead of real time
        self._line: deque[Reply] = deque()
        self._bytes = 0  # of sound in the line
        self._heard_by = 0.0  # when all that was handed over will have been played

    @property
    def seconds(self) -> float:
        """Sound in the line."""
        return self._bytes / MODEL_BYTES_PER_SECOND

    @property
    def empty(self) -> bool:
        return not self._line

    def sound(self, pcm: bytes) -> None:
        """Add the model's sound."""
        self._bytes += len(pcm)
        if len(pcm) <= LONGEST:
            self._line.append(Sound(pcm))
            return
        for start in range(0, len(pcm), LONGEST):
            self._line.append(Sound(pcm[start : start + LONGEST]))

    def sign(self, reply: Reply) -> None:
        """Add something that must not be said before the sound in front of it."""
        self._line.append(reply)

    def due(self, now: float) -> list[Reply]:
        """Take out what may be handed over at this moment."""
        taken: list[Reply] = []
        line = self._line
        while line:
            reply = line[0]
            if type(reply) is Sound:
                if self._heard_by - now >= self._lead:
                    break
                size = len(reply.pcm)
                self._bytes -= size
                self._heard_by = max(self._heard_by, now) + size / MODEL_BYTES_PER_SECOND
            taken.append(line.popleft())
        return taken

    def wait(self, now: float) -> float | None:
        """Seconds after which `due` has something; `None` when the line is empty."""
        return max(0.0, self._heard_by - self._lead - now) + GRAIN if self._line else None

    def unheard(self, now: float) -> float:
        """Seconds of sound that were handed over and cannot have been played yet, and what is in the line."""
        return max(0.0, self._heard_by - now) + self.seconds

    def flush(self, now: float) -> list[Reply]:
        """Drop the sound, in the line and handed over; return the signs that must still be said."""
        signs: list[Reply] = [reply for reply in self._line if not isinstance(reply, Sound | GenerationComplete)]
        self._line.clear()
        self._bytes = 0
        self._heard_by = now
        return signs
