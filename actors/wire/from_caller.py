"""The models of what callers send, each with the value it becomes. Pure.

    JSON ──▶ FRAMES.validate_json ──▶ StartFrame UserAudioFrame … ──▶ .message() ──▶ messages.FromCaller

Part A of the protocol is that of the server which Parley replaces; its pages are in use, so its ornaments (a
timestamp) never spoil the frame that they come in, and how gently `start` is read is told in `start.py`. Part B is
ours, and a wrong value there is an error.

Of two members with the same name the last one counts, as in every browser.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from actors.errors import BadFrame
from actors.messages import (
    Audio,
    ContextUpdate,
    HeartbeatAck,
    Media,
    Modality,
    Ping,
    Start,
    Stop,
    Text,
    ToolAnswer,
    ToolResult,
)
from actors.wire import limits
from actors.wire.media import chunk, picture, speech
from actors.wire.part import ORNAMENT, Line, Part, SessionId
from actors.wire.start import StartPayload
from actors.wire.weight import bounded

# ── the call ─────────────────────────────────────────────────────────────────────────────────────


class StartFrame(Part):
    """Begins a call; the payload may be absent. Answered with `start_ack` at once, however often it is sent."""

    type: Literal["start"]
    payload: StartPayload | None = None

    def message(self) -> Start:
        return self.payload.message() if self.payload else Start()


class StopFrame(Part):
    """Ends the call and keeps the socket; a new `start` may follow."""

    type: Literal["stop"]

    def message(self) -> Stop:
        return Stop()


# ── sound and pictures ───────────────────────────────────────────────────────────────────────────


class UserAudioPayload(Part):
    """A piece of sound."""

    audio_data: str = Field(
        description="16-bit little-endian mono PCM at 16 000 samples per second, as base64 in either alphabet; whole "
        f"samples, at most {limits.AUDIO_BYTES} bytes."
    )
    mime_type: str | None = Field(None, description="`audio/pcm` or `audio/pcm;rate=16000`, the default.")


class UserAudioFrame(Part):
    """The caller's sound. The same bytes in a binary frame say the same."""

    type: Literal["user_audio"]
    payload: UserAudioPayload

    def message(self) -> Audio:
        return speech(self.payload.mime_type, self.payload.audio_data, self.type)


class ChunkPart(Part):
    """A piece of sound or a picture."""

    mime_type: str = Field(description="`audio/pcm;rate=16000` for sound, `image/…` for a picture.")
    data: str = Field(
        description="Base64 of sound as in `user_audio`, or of a JPEG, PNG or WebP, told by its content, of at most "
        f"{limits.IMAGE_BYTES} bytes."
    )


class RealtimeInputPayload(Part):
    """A batch."""

    chunks: Annotated[tuple[ChunkPart, ...], Field(min_length=1, max_length=limits.CHUNKS)] = Field(
        description=f"1 to {limits.CHUNKS} pieces in the order they were captured; all of them are used."
    )


class RealtimeInputFrame(Part):
    """Sound and pictures together."""

    type: Literal["REALTIME_INPUT"]
    payload: RealtimeInputPayload

    def message(self) -> Media:
        chunks = enumerate(self.payload.chunks)
        return Media(tuple(chunk(each.mime_type, each.data, f"{self.type}.chunks.{n}") for n, each in chunks))


# ── words ────────────────────────────────────────────────────────────────────────────────────────


class ContextUpdatePayload(Part):
    """One snapshot."""

    session_id: Annotated[SessionId | None, ORNAMENT] = Field(None, description="The session it belongs to.")
    modality: Modality = Field(description="What was looked at; `intelligence` is kept but not told to the model.")
    analysis: Annotated[str, Field(min_length=1, max_length=limits.ANALYSIS_CHARS)] = Field(
        description=f"What was seen there, in 1 to {limits.ANALYSIS_CHARS} characters."
    )
    image_data: str | None = Field(
        None, description=f"The picture as base64 or data URL: JPEG, PNG or WebP of at most {limits.IMAGE_BYTES} bytes."
    )
    captured_at: Annotated[Line | None, ORNAMENT] = Field(None, description="An ISO 8601 date and time.")
    metadata: dict[str, Any] | None = Field(
        None,
        description="Whatever else the page knows (location, research, transcript, confidence …): at most "
        f"{limits.DETAIL_MEMBERS} members and list items in {limits.DETAIL_DEPTH} levels.",
    )


class ContextUpdateFrame(Part):
    """What the caller's page sees, analysed: one snapshot of one modality."""

    type: Literal["CONTEXT_UPDATE"]
    payload: ContextUpdatePayload

    def message(self) -> ContextUpdate:
        said, details = self.payload, self.payload.metadata or {}
        bounded(details, f"{self.type}.metadata", members=limits.DETAIL_MEMBERS, depth=limits.DETAIL_DEPTH)
        return ContextUpdate(
            modality=said.modality,
            analysis=said.analysis,
            image=picture(said.image_data, f"{self.type}.imageData") if said.image_data else None,
            captured_at=said.captured_at,
            session_id=said.session_id,
            details=details,
        )


class TextPayload(Part):
    """What was typed."""

    content: Annotated[str, Field(max_length=limits.TEXT_CHARS, pattern=limits.NOT_BLANK)] = Field(
        description=f"Not blank, at most {limits.TEXT_CHARS} characters."
    )


class TextFrame(Part):
    """Typed input in the middle of a voice call."""

    type: Literal["text"]
    payload: TextPayload

    def message(self) -> Text:
        return Text(self.payload.content)


# ── tools ────────────────────────────────────────────────────────────────────────────────────────


class ToolResponsePart(Part):
    """One tool's result; `response` and `result` mean the same, and one of them is there."""

    id: Annotated[Line, Field(min_length=1)] = Field(description="Of the function call that is answered.")
    name: Annotated[str, Field(pattern=limits.FUNCTION_NAME)] = Field(description="Of the function.")
    response: Any = Field(None, description="The result; what is not an object is wrapped as `{result}`.")
    result: Any = Field(None, description="What the old client calls `response`.")

    def answer(self, where: str) -> ToolAnswer:
        if self.model_fields_set.isdisjoint({"response", "result"}):
            raise BadFrame(f"{where}.response is missing")
        value = self.result if self.response is None else self.response
        response = value if isinstance(value, dict) else {"result": value}
        bounded(response, f"{where}.response", members=limits.MEMBERS, depth=limits.RESULT_DEPTH)
        return ToolAnswer(self.id, self.name, response)


class ToolResultPayload(Part):
    """Answers to function calls."""

    responses: Annotated[tuple[ToolResponsePart, ...], Field(min_length=1, max_length=limits.CHUNKS)] = Field(
        description=f"1 to {limits.CHUNKS} answers."
    )


class ToolResultFrame(Part):
    """Answers to function calls that were the caller's to execute. Acknowledged with `tool_call`."""

    type: Literal["TOOL_RESULT"]
    payload: ToolResultPayload

    def message(self) -> ToolResult:
        answers = enumerate(self.payload.responses)
        return ToolResult(tuple(each.answer(f"{self.type}.responses.{n}") for n, each in answers))


# ── signs of life ────────────────────────────────────────────────────────────────────────────────


class PingFrame(Part):
    """Are you there? Answered with `pong` at once; every 30 seconds is often enough."""

    type: Literal["ping"]
    timestamp: Annotated[float | None, ORNAMENT] = Field(
        None, description="The caller's clock, in milliseconds since 1970; comes back in the `pong`."
    )

    def message(self) -> Ping:
        return Ping(self.timestamp)


class HeartbeatAckFrame(Part):
    """The answer to a `heartbeat`."""

    type: Literal["heartbeat_ack"]
    timestamp: Annotated[float | None, ORNAMENT] = Field(
        None, description="The caller's clock, in milliseconds since 1970."
    )

    def message(self) -> HeartbeatAck:
        return HeartbeatAck(self.timestamp)


FromCallerFrame = Annotated[
    StartFrame
    | StopFrame
    | UserAudioFrame
    | RealtimeInputFrame
    | ContextUpdateFrame
    | TextFrame
    | ToolResultFrame
    | PingFrame
    | HeartbeatAckFrame,
    Field(discriminator="type"),
]
FRAMES: TypeAdapter[FromCallerFrame] = TypeAdapter(FromCallerFrame)
