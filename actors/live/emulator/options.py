"""What a person running the emulator may choose. Pure.

The defaults behave like the service; a test chooses a shorter day.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

EVERY_VERSION = frozenset({"v1", "v1beta", "v1alpha"})


@dataclass(frozen=True, slots=True)
class Options:
    """Times are in seconds. Raises `ValueError` for a time that cannot pass."""

    speed: float = 4.0
    """How much faster than real time sound is sent. The service was seen to overflow a jitter buffer of 2 s
    (torkiv-labs/txtCaster#209); infinite sends an answer at once."""
    answer_delay: float = 0.2
    """From the end of speech to the first word of the answer."""
    playback_delay: float = math.inf
    """The longest wait between `generationComplete` and `turnComplete`. The service waits until the answer would
    have been heard in real time ("when model assumes realtime playback there will be delay", google-genai's
    `types.py`), and only until then can it be interrupted: so there is no limit by default, and barge-in works
    to the last syllable. With 0 a turn is over as soon as it is generated."""
    connection_seconds: float = 600.0
    """Life of a connection: "around 10 minutes" (Google's session management page)."""
    notice_seconds: float = 60.0
    """How long before the end of it `goAway` is sent; 50 s was seen, too (kizuna-ai-lab/sokuji#179)."""
    handle_seconds: float = 7200.0
    """Life of a resumption handle after its session ended: 2 hours (Google's session management page)."""
    versions: frozenset[str] = EVERY_VERSION
    """API versions in which models are found. Google's page lists Live under `v1beta` only, while google-genai 3.4
    dials `v1` unless told otherwise."""
    text_frames: bool = False
    """Send text frames; the service sends binary ones."""
    seed: int | None = None
    """Makes handles the same in every run."""

    def __post_init__(self) -> None:
        if not self.speed > 0:
            raise ValueError(f"speed is {self.speed}, expected more than 0")
        for name in ("answer_delay", "playback_delay", "connection_seconds", "notice_seconds", "handle_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}, expected 0 or more")
