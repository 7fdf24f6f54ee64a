"""The models of what the house sends during a turn: words, sound, beginnings and ends. Pure.

    of_turn ──▶ to_caller.FRAMES

A turn is the model's, and turns are counted from the beginning of the call. Sound belongs to the last one started.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from actors.wire.part import Part

_Turn = Annotated[int, Field(description="The number of the turn, counted from the beginning of the call.")]


class TranscriptPayload(Part):
    """A piece of a transcript."""

    text: str = Field(description="What is new since the last piece; may be empty.")
    is_final: bool = Field(description="True closes the utterance.")
    final: bool = Field(description="The same as `isFinal`.")


class InputTranscriptFrame(Part):
    """What the caller said, piece by piece."""

    type: Literal["input_transcript"]
    payload: TranscriptPayload


class OutputTranscriptFrame(Part):
    """What the model says, piece by piece."""

    type: Literal["output_transcript"]
    payload: TranscriptPayload


class ModelTextPayload(Part):
    """A piece of text."""

    content: str = Field(description="What the model wrote.")


class ModelTextFrame(Part):
    """A text part of the model's turn."""

    type: Literal["text"]
    payload: ModelTextPayload


class TurnPayload(Part):
    """Which turn."""

    turn: _Turn


class TurnStartedFrame(Part):
    """The model's sound of this turn follows."""

    type: Literal["turn_started"]
    payload: TurnPayload


class AudioPayload(Part):
    """A piece of sound."""

    audio_data: str = Field(
        description="16-bit little-endian mono PCM at 24 000 samples per second, whole samples, as base64 in the "
        "standard alphabet."
    )
    mime_type: Literal["audio/pcm;rate=24000"] = Field(description="The format, always the same.")


class AudioFrame(Part):
    """The model's sound, where binary frames were not asked for."""

    type: Literal["audio"]
    payload: AudioPayload


class InterruptedFrame(Part):
    """The caller spoke over the model: drop what is unplayed of this turn."""

    type: Literal["interrupted"]
    payload: TurnPayload


class GenerationCompleteFrame(Part):
    """All of this turn's sound was sent; it may still be playing."""

    type: Literal["generation_complete"]
    payload: TurnPayload


class TurnCompletePayload(Part):
    """Which turn, and how it ended."""

    turn_complete: Literal[True] = Field(description="Always true.")
    turn: _Turn
    reason: str | SkipJsonSchema[None] = Field(None, description="Why, if it did not simply come to its end.")


class TurnCompleteFrame(Part):
    """The turn is over."""

    type: Literal["turn_complete"]
    payload: TurnCompletePayload


class ToolCallPayload(Part):
    """What was taken, or why nothing was."""

    responses: list[dict[str, Any]] | SkipJsonSchema[None] = Field(None, description="The answers that were taken.")
    error: str | SkipJsonSchema[None] = Field(None, description="Why they were not.")


class ToolCallFrame(Part):
    """The acknowledgement of a `TOOL_RESULT`; it has either `responses` or `error`."""

    type: Literal["tool_call"]
    payload: ToolCallPayload
