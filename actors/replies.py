"""Everything that the house says to a caller, as values.

    ConnectionActor ──▶ CallerPort.send(Connected | StartAck | Sound | …) ──▶ wire.write ──▶ socket

How these look on a socket is known to `wire/` alone. Times named `timestamp` are Unix milliseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Cause(StrEnum):
    """Why a call ended."""

    CALLER_HUNG_UP = "caller_hung_up"
    CALLER_LOST = "caller_lost"
    IDLE = "idle"
    TOO_LONG = "too_long"
    QUOTA = "quota"
    DRAINED = "drained"
    REFUSED = "refused"
    UPSTREAM_FAILED = "upstream_failed"
    OUR_FAULT = "our_fault"


@dataclass(frozen=True, slots=True)
class Connected:
    """The first word on a socket; the caller says nothing before it."""

    connection_id: str
    server: str


@dataclass(frozen=True, slots=True)
class StartAck:
    """Every `start` is answered with this at once, whatever becomes of it."""

    connection_id: str


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """The model is there."""

    connection_id: str
    session_id: str
    language: str
    voice: str
    model: str
    audio: Literal["base64", "binary"]


@dataclass(frozen=True, slots=True)
class SetupComplete:
    """The old client's second sign of readiness."""


@dataclass(frozen=True, slots=True)
class SessionReady:
    """The old client's third sign of readiness."""

    session_id: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class InputTranscript:
    """What the caller said: a delta; `final` closes the utterance."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class OutputTranscript:
    """What the model says: a delta; `final` closes the utterance."""

    text: str
    final: bool


@dataclass(frozen=True, slots=True)
class ModelText:
    """A text part of the model's turn."""

    content: str


@dataclass(frozen=True, slots=True)
class TurnStarted:
    """The model's sound of this turn follows."""

    turn: int


@dataclass(frozen=True, slots=True)
class Sound:
    """The model's sound: 16-bit little-endian mono PCM at 24 kHz, whole samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Drop what is unplayed of this turn."""

    turn: int


@dataclass(frozen=True, slots=True)
class GenerationComplete:
    """All of this turn's sound was sent."""

    turn: int


@dataclass(frozen=True, slots=True)
class TurnComplete:
    """The turn is over."""

    turn: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ToolAck:
    """The answer to a `TOOL_RESULT`: its responses taken, or why not."""

    responses: tuple[Mapping[str, object], ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class SessionClosed:
    """The call is over. `reason` keeps the two words of the old server; `cause` says it in ours."""

    reason: Literal["client_stop", "live_api_closed"]
    cause: Cause
    message: str


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Are you there? Answered with `heartbeat_ack`."""

    timestamp: int


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a `ping`, with the caller's own timestamp where it gave one."""

    timestamp: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the caller may want to know; nothing is wrong."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Error:
    """Something is wrong: what, and whether trying again makes sense."""

    code: str
    message: str
    retryable: bool
    retry_after_ms: int | None = None
    event_id: str | None = None
    """The error tracker's id, when it is our fault."""


Reply = (
    Connected
    | StartAck
    | SessionStarted
    | SetupComplete
    | SessionReady
    | InputTranscript
    | OutputTranscript
    | ModelText
    | TurnStarted
    | Sound
    | Interrupted
    | GenerationComplete
    | TurnComplete
    | ToolAck
    | SessionClosed
    | Heartbeat
    | Pong
    | Notice
    | Error
)
