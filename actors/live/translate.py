"""What the model's side said, from the SDK's message to values of this house. Pure.

    LiveServerMessage ──▶ translate ──▶ Heard · BargedIn · Speech | Wrote · Said · Generated
                                        · ToolCallsWanted · ToolCallsCancelled · HandleGiven · GoingAway
                                        · Usage · TurnEnded          always in this order

One message may carry several of these (3.1 bundles sound with its transcript, all bundle the usage with the end of
a turn); each is handled, the end of the turn last. Declined: thoughts, which are never forwarded; empty
transcriptions and contents, which 3.1 and Vertex really send; grounding, voice activity and what else nobody here
asked for. The message is read by its fields alone, so that this file needs neither the SDK nor a socket.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

from actors.live.audio_frames import MODEL_SOUND, whole_samples
from actors.messages import (
    BargedIn,
    FromModel,
    Garbled,
    Generated,
    GoingAway,
    HandleGiven,
    Heard,
    Said,
    Speech,
    ToolCall,
    ToolCallsCancelled,
    ToolCallsWanted,
    TurnEnded,
    Usage,
    Wrote,
)

if TYPE_CHECKING:
    from google.genai.types import (
        FunctionCall,
        LiveServerContent,
        LiveServerMessage,
        ModalityTokenCount,
        Part,
        TurnCompleteReason,
        UsageMetadata,
    )

STAND_IN = "parley-"
"""How an id begins that we gave to a function call which came without one; it must not be sent back."""
UNSPECIFIED = "unspecified"
"""Tokens that the model counts and puts down to no modality."""
NOTICE_SECONDS = 10.0
"""How long a connection is taken to last after a `goAway` that does not say."""
_DURATION = re.compile(r"(\d+(?:\.\d+)?)s")  # protobuf's JSON form of a Duration
_REASON = re.compile(r"[A-Z][A-Z_]{0,63}")  # the name of an enum member, not somebody's prose


def translate(message: LiveServerMessage, session: int) -> tuple[FromModel, ...]:
    """Everything that one message says, `TurnEnded` last; nothing, if it says nothing to us."""
    content, wanted, cancelled = message.server_content, message.tool_call, message.tool_call_cancellation
    said: list[FromModel] = []
    if content is not None:
        said += _content(content, session)
    if wanted is not None and wanted.function_calls:
        said.append(ToolCallsWanted(session, tuple(map(_call, wanted.function_calls))))
    if cancelled is not None and cancelled.ids:
        said.append(ToolCallsCancelled(session, tuple(cancelled.ids)))
    if (update := message.session_resumption_update) is not None:
        said.append(HandleGiven(session, (update.new_handle or None) if update.resumable else None))
    if message.go_away is not None:
        said.append(GoingAway(session, _seconds(message.go_away.time_left)))
    if message.usage_metadata is not None:
        said += _usage(message.usage_metadata, session)
    if content is not None and content.turn_complete:
        said.append(TurnEnded(session, _reason(content.turn_complete_reason)))
    return tuple(said)


def _content(content: LiveServerContent, session: int) -> Iterator[FromModel]:
    heard, said, turn = content.input_transcription, content.output_transcription, content.model_turn
    if heard is not None and (heard.text or heard.finished):
        yield Heard(session, heard.text or "", bool(heard.finished))
    if content.interrupted:
        yield BargedIn(session)
    for part in (turn.parts or ()) if turn is not None else ():
        yield from _part(part, session)
    if said is not None and (said.text or said.finished):
        yield Said(session, said.text or "", bool(said.finished))
    if content.generation_complete:
        yield Generated(session)


def _part(part: Part, session: int) -> Iterator[FromModel]:
    if part.thought:
        return
    if part.text:
        yield Wrote(session, part.text)
    if (blob := part.inline_data) is not None:
        mime = (blob.mime_type or "").replace(" ", "").lower()
        pcm = whole_samples(blob.data or b"")
        if mime in MODEL_SOUND and pcm:
            yield Speech(session, pcm)
        elif mime.startswith("audio/") and mime not in MODEL_SOUND:
            yield Garbled(session, "sound that is not 24 kHz PCM")


def _call(call: FunctionCall) -> ToolCall:
    return ToolCall(call.id or f"{STAND_IN}{uuid4().hex}", call.name or "", call.args or {})


def _seconds(duration: str | None) -> float:
    found = _DURATION.fullmatch(duration or "")
    return float(found[1]) if found else NOTICE_SECONDS


def _reason(reason: TurnCompleteReason | None) -> str | None:
    if reason is None or reason.value == "TURN_COMPLETE_REASON_UNSPECIFIED":
        return None
    return reason.value if _REASON.fullmatch(reason.value) else "OTHER"


def _usage(usage: UsageMetadata, session: int) -> Iterator[Usage]:
    """Tool results are billed as input. Thoughts are text that is billed as output, and stand in no detail."""
    asked = _counted(usage.prompt_token_count, usage.prompt_tokens_details)
    asked += _counted(usage.tool_use_prompt_token_count, usage.tool_use_prompt_tokens_details)
    answered = _counted(usage.response_token_count, usage.response_tokens_details)
    answered += Counter(text=usage.thoughts_token_count or 0)
    if asked or answered:
        yield Usage(session, dict(asked), dict(answered))


def _counted(total: int | None, details: list[ModalityTokenCount] | None) -> Counter[str]:
    """Tokens by modality. The details do not always add up to the total; nothing of it is lost."""
    counts: Counter[str] = Counter()
    for detail in details or ():
        modality = detail.modality.value if detail.modality is not None else "MODALITY_UNSPECIFIED"
        counts[modality.removeprefix("MODALITY_").lower()] += detail.token_count or 0
    counts[UNSPECIFIED] += max(0, (total or 0) - counts.total())
    return +counts
