"""The models of what the house sends. Pure.

    to_caller  ──▶ schema.py ──▶ `server.py schema`, docs/protocol.md, the browser client's types
               ──▶ tests: every frame that write.py makes is read back through `FRAMES`

`write.py` does not build frames from these (that would cost ten times as much as writing them does); they say what
it promises.

The old client expects a few things that look odd: `session_ready` keeps its facts in `data`, `heartbeat` and `pong`
have no payload, transcripts say the same twice (`isFinal`, `final`), and `tool_call` is also an acknowledgement.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import SkipJsonSchema

from actors.replies import Cause
from actors.wire.of_turn import (
    AudioFrame,
    GenerationCompleteFrame,
    InputTranscriptFrame,
    InterruptedFrame,
    ModelTextFrame,
    OutputTranscriptFrame,
    ToolCallFrame,
    TurnCompleteFrame,
    TurnStartedFrame,
)
from actors.wire.part import Part

_Moment = Annotated[int, Field(description="The server's clock, in milliseconds since 1970.")]
_Connection = Annotated[str, Field(description="The name of this connection.")]

# ── the call ─────────────────────────────────────────────────────────────────────────────────────


class ConnectedPayload(Part):
    """Who answers."""

    connection_id: _Connection
    protocol: Literal[1] = Field(description="The version of this protocol.")
    server: str = Field(description="The server's name and version.")


class ConnectedFrame(Part):
    """The first message on a socket; the caller sends nothing before it."""

    type: Literal["connected"]
    payload: ConnectedPayload


class StartAckPayload(Part):
    """Who heard it."""

    connection_id: _Connection


class StartAckFrame(Part):
    """The answer to every `start`, at once, whatever becomes of it."""

    type: Literal["start_ack"]
    payload: StartAckPayload


class SessionStartedPayload(Part):
    """How the call is set up."""

    connection_id: _Connection
    session_id: str = Field(description="Name it in the next `start` to go on with this session.")
    language_code: str = Field(description="The language in use, a BCP-47 tag.")
    voice_name: str = Field(description="The voice in use.")
    model: str = Field(description="The model in use.")
    audio: Literal["base64", "binary"] = Field(
        description="How sound is sent: in `audio` messages, or in binary frames."
    )


class SessionStartedFrame(Part):
    """The model is there; sound flows both ways."""

    type: Literal["session_started"]
    payload: SessionStartedPayload


class SetupCompletePayload(Part):
    """That it is so."""

    setup_complete: Literal[True] = Field(description="Always true.")


class SetupCompleteFrame(Part):
    """The second sign of readiness, for older clients."""

    type: Literal["setup_complete"]
    payload: SetupCompletePayload


class SessionReadyData(Part):
    """Which session, and when."""

    session_id: str = Field(description="As in `session_started`.")
    timestamp: _Moment


class SessionReadyFrame(Part):
    """The third sign of readiness, for older clients. Its facts are in `data`, not in `payload`."""

    type: Literal["session_ready"]
    data: SessionReadyData


class SessionClosedPayload(Part):
    """Why it ended."""

    reason: Literal["client_stop", "live_api_closed"] = Field(description="Why, in the words of older clients.")
    cause: Cause = Field(description="Why.")
    message: str = Field(description="The same as a sentence.")


class SessionClosedFrame(Part):
    """The call is over. After a `stop` the socket stays open for another `start`."""

    type: Literal["session_closed"]
    payload: SessionClosedPayload


# ── signs of life, and of trouble ────────────────────────────────────────────────────────────────


class HeartbeatFrame(Part):
    """Are you there? To be answered with `heartbeat_ack` or `ping` within a minute."""

    type: Literal["heartbeat"]
    timestamp: _Moment


class PongFrame(Part):
    """The answer to a `ping`."""

    type: Literal["pong"]
    timestamp: float = Field(description="That of the `ping`, or else the server's clock; in milliseconds since 1970.")


class NoticePayload(Part):
    """What it is about."""

    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")


class NoticeFrame(Part):
    """Something the caller may want to know; nothing is wrong."""

    type: Literal["notice"]
    payload: NoticePayload


class ErrorPayload(Part):
    """What it is about, and what can be done."""

    code: str = Field(description="A word for programs.")
    message: str = Field(description="A sentence for people.")
    retryable: bool = Field(description="Whether trying again makes sense.")
    retry_after_ms: int | SkipJsonSchema[None] = Field(None, description="How long to wait, in milliseconds.")
    event_id: str | SkipJsonSchema[None] = Field(
        None, description="The error tracker's name for it, if it is our fault."
    )


class ErrorFrame(Part):
    """Something is wrong. The call goes on unless `session_closed` follows."""

    type: Literal["error"]
    payload: ErrorPayload


ToCallerFrame = Annotated[
    ConnectedFrame
    | StartAckFrame
    | SessionStartedFrame
    | SetupCompleteFrame
    | SessionReadyFrame
    | InputTranscriptFrame
    | OutputTranscriptFrame
    | ModelTextFrame
    | TurnStartedFrame
    | AudioFrame
    | InterruptedFrame
    | GenerationCompleteFrame
    | TurnCompleteFrame
    | ToolCallFrame
    | HeartbeatFrame
    | PongFrame
    | NoticeFrame
    | ErrorFrame
    | SessionClosedFrame,
    Field(discriminator="type"),
]
FRAMES: TypeAdapter[ToCallerFrame] = TypeAdapter(ToCallerFrame)

READY = ("connected", "start_ack", "session_started", "setup_complete", "session_ready")
"""The order in which a call becomes ready; older clients depend on it."""
