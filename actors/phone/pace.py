"""When each frame of a test call leaves.      pure

    frames of the file ──▶ timetable ──▶ (seconds from the first frame, frame) … then silence without end

Each moment is reckoned from the first frame, never from the one before, so lateness does not add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Literal

Pace = Literal["realtime", "fast"]

FRAME_MS = 20
FRAME = FRAME_MS / 1000
PACES: dict[Pace, Callable[[float], float]] = {
    "realtime": lambda at: at,
    "fast": lambda at: max(at / 3, (at - 8) / 1.15),
}
"""When the sound at this second of the file leaves, in seconds from the first frame.

A gateway takes 1.2 seconds of sound a second and 10 in advance, in at most 200 messages a second; beyond that it
drops. Fast is 150 frames a second until 8 seconds are in advance, then 1.15 times real time: no frame is lost.
"""


def timetable(pieces: Sequence[bytes], pace: Pace) -> Iterator[tuple[float, bytes]]:
    """Each frame and when it leaves: the file at this pace, then silence in real time for ever."""
    leaves = PACES[pace]
    for n, piece in enumerate(pieces):
        yield leaves(n * FRAME), piece
    silence = bytes(len(pieces[0]))
    for n in count():
        yield leaves(len(pieces) * FRAME) + n * FRAME, silence
