"""A player that is not there: how smoothly the model's sound would have played.      pure

    sound arrives ──▶ Player.add ──▶ underruns, lost_frames      begins 200 ms after the first sound of a turn
    interrupted   ──▶ Player.cut ──▶ seconds that nobody would have heard

Silence counts as lost only in the middle of a turn, when more sound came after it. What follows `rest` is meant.
Times are seconds of any clock that only goes forward.
"""

from __future__ import annotations

from math import ceil, inf

SLOT = 0.020
"""Seconds of sound in one frame of playout."""
BUFFER = 0.200
"""Seconds that a player waits after the first sound of a turn before it begins."""
GRAIN = 1e-6
"""Seconds below which a gap is the rounding of two clocks."""


class Player:
    """Plays in thought, and notes when it would have been dry."""

    def __init__(self) -> None:
        self.underruns = 0
        self.lost_frames = 0
        self._flowing = False
        self._ends = -inf
        """When all that has come will have been played."""

    def add(self, seconds: float, now: float) -> None:
        """So much sound has arrived."""
        late = now - self._ends
        if self._flowing and late > GRAIN:
            self.underruns += 1
            self.lost_frames += ceil((late - GRAIN) / SLOT)
        self._ends = max(self._ends, now if self._flowing else now + BUFFER) + seconds
        self._flowing = True

    def rest(self) -> None:
        """No more sound is due for now: the turn is over, or a tool is at work."""
        self._flowing = False

    def cut(self, now: float) -> float:
        """Drop what is unplayed; returns how many seconds that was, the buffer's wait included."""
        unplayed = max(0.0, self._ends - now)
        self._flowing, self._ends = False, -inf
        return unplayed
