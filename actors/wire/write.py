"""One reply to one frame. Pure.

    replies.Reply ──▶ write_text  ──▶ UTF-8 of a text frame
    replies.Sound ──▶ write_sound ──▶ a binary frame, the very same bytes

Which of the two carries sound is for the caller to choose (`start.audio`) and for the door to remember. The shapes are
those of `to_caller.py`; nothing that is absent is written as `null`.
"""

from __future__ import annotations

from typing import assert_never

import orjson
from pybase64 import b64encode

from actors.messages import MODEL_RATE
from actors.replies import (
    Connected,
    Error,
    GenerationComplete,
    Heartbeat,
    InputTranscript,
    Interrupted,
    ModelText,
    Notice,
    OutputTranscript,
    Pong,
    Reply,
    SessionClosed,
    SessionReady,
    SessionStarted,
    SetupComplete,
    Sound,
    StartAck,
    ToolAck,
    TurnComplete,
    TurnStarted,
)

PROTOCOL = 1
"""The version of the client protocol."""

_SOUND_HEAD = b'{"type":"audio","payload":{"audioData":"'
_SOUND_TAIL = b'","mimeType":"audio/pcm;rate=%d"}}' % MODEL_RATE

_OfCall = (
    Connected
    | StartAck
    | SessionStarted
    | SetupComplete
    | SessionReady
    | SessionClosed
    | Heartbeat
    | Pong
    | Notice
    | Error
)
_OfTurn = (
    InputTranscript
    | OutputTranscript
    | ModelText
    | TurnStarted
    | Interrupted
    | GenerationComplete
    | TurnComplete
    | ToolAck
)
_Frame = dict[str, object]


def write_sound(sound: Sound) -> bytes:
    """The binary frame of this sound."""
    return sound.pcm


def write_text(reply: Reply) -> bytes:
    """The text frame of this reply, in UTF-8."""
    if isinstance(reply, Sound):  # by far the most frequent, and nothing in it needs escaping
        return _SOUND_HEAD + b64encode(reply.pcm) + _SOUND_TAIL
    frame = _of_call(reply)
    try:
        return orjson.dumps(frame)
    except orjson.JSONEncodeError:
        return orjson.dumps(_mended(frame))


def _of_call(reply: _OfCall | _OfTurn) -> _Frame:
    match reply:
        case Connected(connection, server):
            return _payload("connected", connectionId=connection, protocol=PROTOCOL, server=server)
        case StartAck(connection):
            return _payload("start_ack", connectionId=connection)
        case SessionStarted():
            return _session_started(reply)
        case SetupComplete():
            return _payload("setup_complete", setupComplete=True)
        case SessionReady(session, timestamp):
            return {"type": "session_ready", "data": {"sessionId": session, "timestamp": timestamp}}
        case SessionClosed(reason, cause, message):
            return _payload("session_closed", reason=reason, cause=cause, message=message)
        case Heartbeat(timestamp):
            return {"type": "heartbeat", "timestamp": timestamp}
        case Pong(timestamp):
            return {"type": "pong", "timestamp": timestamp}
        case Notice(code, message):
            return _payload("notice", code=code, message=message)
        case Error():
            return _error(reply)
        case _:
            return _of_turn(reply)


def _of_turn(reply: _OfTurn) -> _Frame:
    match reply:
        case InputTranscript(text, final):
            return _payload("input_transcript", text=text, isFinal=final, final=final)
        case OutputTranscript(text, final):
            return _payload("output_transcript", text=text, isFinal=final, final=final)
        case ModelText(content):
            return _payload("text", content=content)
        case TurnStarted(turn):
            return _payload("turn_started", turn=turn)
        case Interrupted(turn):
            return _payload("interrupted", turn=turn)
        case GenerationComplete(turn):
            return _payload("generation_complete", turn=turn)
        case TurnComplete(turn, reason):
            return _payload("turn_complete", turnComplete=True, turn=turn, reason=reason)
        case ToolAck(responses, error):
            taken = None if error is not None else [dict(response) for response in responses]
            return _payload("tool_call", responses=taken, error=error)
        case _:
            assert_never(reply)


def _session_started(reply: SessionStarted) -> _Frame:
    return _payload(
        "session_started",
        connectionId=reply.connection_id,
        sessionId=reply.session_id,
        languageCode=reply.language,
        voiceName=reply.voice,
        model=reply.model,
        audio=reply.audio,
    )


def _error(reply: Error) -> _Frame:
    return _payload(
        "error",
        code=reply.code,
        message=reply.message,
        retryable=reply.retryable,
        retryAfterMs=reply.retry_after_ms,
        eventId=reply.event_id,
    )


def _payload(kind: str, **members: object) -> _Frame:
    return {"type": kind, "payload": {name: value for name, value in members.items() if value is not None}}


def _mended(value: object) -> object:
    """The same with every half of a surrogate pair replaced by U+FFFD.

    JSON can spell such halves (RFC 8259, section 8.2) and the model's side may send one; UTF-8 cannot.
    """
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case dict():
            return {_mended(name): _mended(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_mended(inner) for inner in value]
        case _:
            return value
