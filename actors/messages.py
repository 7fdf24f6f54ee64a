"""Everything that is said inside the house, as values.

    caller ──▶ wire.parse ──▶ Start Stop Audio Media ContextUpdate Text …   ──▶ ConnectionActor
    ConnectionActor ──▶ Dial Audio Image Text Park …                        ──▶ LinkActor
    live.translate  ──▶ Speech Heard Said BargedIn TurnEnded …              ──▶ LinkActor ──▶ ConnectionActor
    ConnectionActor ──▶ Want        RateLimiterActor ──▶ Lease

A message is named for what happened or is wanted, never for who handles it. All are frozen; sound is
`bytes`; nothing here knows JSON, base64, a socket or the SDK. What the house answers to a caller stands in
`replies.py`; the mail between actors and their supervisors in `supervisor.py`.

What comes from the model's side carries the number of the upstream session that said it: mail of a session
that has been left is recognised by it and dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from actors.errors import GatewayError

CALLER_RATE = 16_000
"""Samples per second of the caller's sound."""
CALLER_BYTES_PER_SECOND = CALLER_RATE * 2
"""16-bit mono."""
MODEL_RATE = 24_000
"""Samples per second of the model's sound."""
MODEL_BYTES_PER_SECOND = MODEL_RATE * 2
"""16-bit mono."""


# ── from the caller ──────────────────────────────────────────────────────────────────────────────


class Modality(StrEnum):
    """What a context update speaks of."""

    SCREEN = "screen"
    WEBCAM = "webcam"
    INTELLIGENCE = "intelligence"


@dataclass(frozen=True, slots=True)
class UserContext:
    """Who the caller says they are. Never proof of anything."""

    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where the caller says they are, in degrees."""

    latitude: float
    longitude: float
    city: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Start:
    """The caller wants to talk. `None` leaves the choice to the house's settings."""

    language: str | None = None
    """A BCP-47 tag such as `en-US`."""
    voice: str | None = None
    session_id: str | None = None
    user: UserContext | None = None
    location: Location | None = None
    audio: Literal["base64", "binary"] = "base64"
    """How the caller wants to receive sound."""
    remarks: tuple[str, ...] = ()
    """Fields whose value was unusable and for which a default was taken, in words."""


@dataclass(frozen=True, slots=True)
class Stop:
    """The caller ends the call and keeps the socket."""


@dataclass(frozen=True, slots=True)
class Audio:
    """The caller's sound: 16-bit little-endian mono PCM at 16 kHz, whole samples, as it left the socket."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """A picture, encoded as its MIME type says (JPEG, PNG or WebP, checked by content)."""

    data: bytes
    mime: str


@dataclass(frozen=True, slots=True)
class Media:
    """A batch of sound and pictures, in the order they were captured."""

    chunks: tuple[Audio | Image, ...]


@dataclass(frozen=True, slots=True)
class ContextUpdate:
    """What the caller's page sees, analysed: one snapshot of one modality."""

    modality: Modality
    analysis: str
    image: Image | None = None
    captured_at: str | None = None
    session_id: str | None = None
    details: Mapping[str, object] = field(default_factory=dict)
    """The caller's own metadata, bounded in size and depth by the wire, never interpreted here."""


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """One tool's result, as the caller's page worked it out."""

    id: str
    name: str
    response: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """Answers to function calls that were the caller's to execute."""

    answers: tuple[ToolAnswer, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Typed input in the middle of a voice call."""

    content: str


@dataclass(frozen=True, slots=True)
class Ping:
    """The caller asks whether we are there; the timestamp is theirs, in milliseconds."""

    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatAck:
    """The caller answers our heartbeat."""

    timestamp: float | None = None


@dataclass(frozen=True, slots=True)
class Nonsense:
    """A frame that the wire could not read; the error says what and why."""

    error: GatewayError


@dataclass(frozen=True, slots=True)
class Overflow:
    """More bytes a second came from the caller than anybody needs; a frame was thrown away unread."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """The caller's socket is gone."""

    code: int
    """The WebSocket close code; 1006 when there was no goodbye."""


FromCaller = Start | Stop | Audio | Media | ContextUpdate | ToolResult | Text | Ping | HeartbeatAck | Nonsense


# ── between the two sides of a call ──────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Opening:
    """Everything the model's side must know to begin a session."""

    call: str
    model: str
    voice: str
    language: str
    instruction: str
    handle: str | None = field(default=None, repr=False)
    """A resumption handle; a secret."""


@dataclass(frozen=True, slots=True)
class Close:
    """The link is no longer wanted: leave the session and end."""


@dataclass(frozen=True, slots=True)
class MicrophonePaused:
    """No sound came for a while: tell the model not to wait for the end of an utterance."""


# ── from the model ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Opened:
    """The session is set up; from here on it may be spoken to."""

    session: int
    model: str


@dataclass(frozen=True, slots=True)
class Lost:
    """The session could not be opened, or is gone. The error is already in our words."""

    session: int
    error: GatewayError


@dataclass(frozen=True, slots=True)
class Speech:
    """The model's sound: 16-bit little-endian mono PCM at 24 kHz."""

    session: int
    pcm: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of the transcript of what the caller said, in the order it was recognised."""

    session: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the transcript of what the model says."""

    session: int
    text: str
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Wrote:
    """A text part of the model's turn that is not a thought."""

    session: int
    content: str


@dataclass(frozen=True, slots=True)
class BargedIn:
    """The caller spoke over the model: what is unplayed is void."""

    session: int


@dataclass(frozen=True, slots=True)
class Generated:
    """The model has produced all of this turn; its sound may still be playing."""

    session: int


@dataclass(frozen=True, slots=True)
class TurnEnded:
    """The model's turn is over; always the last of what one upstream message says."""

    session: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of the turn so far, as the model counts them. The last one of a turn is the turn's."""

    session: int
    tokens_in: Mapping[str, int] = field(default_factory=dict)
    """By modality in lower case: audio, text, image, …"""
    tokens_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HandleGiven:
    """Where this session could be resumed, or that just now it could not."""

    session: int
    handle: str | None = field(repr=False)
    """A secret. `None` while the session cannot be resumed."""


@dataclass(frozen=True, slots=True)
class GoingAway:
    """The model's side will close this connection."""

    session: int
    seconds_left: float


@dataclass(frozen=True, slots=True)
class ToolCallsWanted:
    """The model asks for functions to be called."""

    session: int
    calls: tuple[ToolCall, ...]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One function call; without an id (Vertex) an id of ours stands in for it."""

    id: str
    name: str
    args: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class ToolCallsCancelled:
    """The model no longer wants these answers."""

    session: int
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Garbled:
    """A frame of the model's side that could not be read; the session goes on."""

    session: int
    what: str
    """The kind of mistake, never the frame."""


FromModel = (
    Opened
    | Lost
    | Speech
    | Heard
    | Said
    | Wrote
    | BargedIn
    | Generated
    | TurnEnded
    | Usage
    | HandleGiven
    | GoingAway
    | ToolCallsWanted
    | ToolCallsCancelled
    | Garbled
)
ToModel = Audio | Image | Text | MicrophonePaused


# ── quotas ───────────────────────────────────────────────────────────────────────────────────────


class Bucket(StrEnum):
    """What a caller has a limited number of."""

    AUDIO = "audio"
    MESSAGES = "messages"
    MEDIA = "media"


@dataclass(frozen=True, slots=True)
class Lease:
    """So many messages of this kind may be taken without asking again."""

    bucket: Bucket
    granted: int
    retry_after: float
    """Seconds until there is something to lend again; 0 when something was lent."""


@dataclass(frozen=True, slots=True)
class Slot:
    """May this call begin?"""

    call: str
    granted: bool
    retry_after: float = 0.0
    """Seconds after which asking again makes sense."""
