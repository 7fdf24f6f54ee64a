"""On which terms the house takes calls: the part of the settings that an actor needs, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.messages import Bucket
from actors.replies import Notice


@dataclass(frozen=True, slots=True)
class Terms:
    """The same for every caller. Times are in seconds."""

    server: str
    """How the server calls itself, with its version."""
    model: str
    voice: str
    language: str
    instruction: str
    """The persona the model is given."""
    lead: float = 1.0
    """How far ahead of real time the model's sound is handed over."""
    cap: float = 60.0
    """Unplayed sound that is kept for a caller who has stopped reading."""
    idle: float = 300.0
    """Without a word from either side."""
    longest: float = 7200.0
    """A call."""
    limits: Mapping[Bucket, int] = field(default_factory=dict)
    """Messages in a full bucket of a caller's."""
    greeting: Notice | None = None
    """Something every caller is told when their call has begun."""
