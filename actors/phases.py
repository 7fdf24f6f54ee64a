"""What a call may do when, as data.

           Start              Opened              Lost, Hangup, an error that closes
    IDLE ────────▶ OPENING ────────▶ LIVE ──────────────────────▶ OVER
      ▲               │  Stop         │ Stop
      └───────────────┴───────────────┘

TURNS says what a phase accepts and which phase follows when nothing went wrong; CAUSES says why a call ended that an
error has ended. Nothing here does anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum

from actors import errors
from actors.messages import (
    Audio,
    BargedIn,
    ContextUpdate,
    Generated,
    Hangup,
    Heard,
    HeartbeatAck,
    Lease,
    Lost,
    Media,
    Nonsense,
    Opened,
    Overflow,
    Ping,
    Said,
    Slot,
    Speech,
    Start,
    Stop,
    Text,
    ToolResult,
    TurnEnded,
    Usage,
    Wrote,
)
from actors.replies import Cause
from actors.supervision import Ready


class Phase(StrEnum):
    """What a caller's call is doing."""

    IDLE = "idle"
    OPENING = "opening"
    LIVE = "live"
    OVER = "over"


class Due(Enum):
    """A timer of the ConnectionActor has come round."""

    HEARTBEAT = "heartbeat"
    PLAYOUT = "playout"
    SNAPSHOT = "snapshot"
    UTTERANCE = "utterance"
    QUIET = "quiet"
    IDLE = "idle"
    TOO_LONG = "too long"
    DRAINED = "drained"


@dataclass(frozen=True, slots=True)
class Drain:
    """The house is closing: end at the next quiet point, but within so many seconds."""

    seconds: float


ANYTIME = (Ping, HeartbeatAck, Nonsense, Overflow, ContextUpdate, ToolResult, Lease, Drain, Due, Ready)
FROM_CALLER = frozenset((Start, Stop, Audio, Media, Text, ContextUpdate, ToolResult, Ping, HeartbeatAck, Nonsense))
FROM_MODEL = frozenset((Speech, Heard, Said, Wrote, BargedIn, Generated, TurnEnded, Usage))
OF_A_SESSION = frozenset((*FROM_MODEL, Opened, Lost))

# What a phase accepts, and the phase after it. All else is out of turn.
TURNS: dict[Phase, dict[type, Phase]] = {
    Phase.IDLE: {
        **dict.fromkeys((*ANYTIME, Audio, Media, Stop), Phase.IDLE),
        Start: Phase.OPENING,
        Hangup: Phase.OVER,
    },
    Phase.OPENING: {
        **dict.fromkeys((*ANYTIME, Audio, Media, Text, Start, Slot), Phase.OPENING),
        Opened: Phase.LIVE,
        Stop: Phase.IDLE,
        Lost: Phase.OVER,
        Hangup: Phase.OVER,
    },
    Phase.LIVE: {
        **dict.fromkeys((*ANYTIME, *FROM_MODEL, Audio, Media, Text, Start, Opened), Phase.LIVE),
        Stop: Phase.IDLE,
        Lost: Phase.OVER,
        Hangup: Phase.OVER,
    },
    Phase.OVER: {Ready: Phase.OVER},
}

# Why a call ended that an error has ended. What is not listed was the model's side.
CAUSES = {
    errors.IDLE.code: Cause.IDLE,
    errors.TOO_LONG.code: Cause.TOO_LONG,
    errors.TOO_SLOW.code: Cause.CALLER_LOST,
    errors.NONSENSE.code: Cause.REFUSED,
    errors.FULL.code: Cause.QUOTA,
    errors.DRAINING.code: Cause.DRAINED,
}
