"""Each reply has one shape on the socket, and it is the one that callers depend on."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import fields
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.alias_generators import to_camel

from actors.replies import (
    Cause,
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
from actors.wire.to_caller import FRAMES
from actors.wire.write import write_sound, write_text

STARTED = SessionStarted("c1", "sess_1", "en-US", "Puck", "gemini", "binary")
CLOSED = SessionClosed("live_api_closed", Cause.UPSTREAM_FAILED, "gone")

SHAPES: list[tuple[Reply, str]] = [
    (Connected("c1", "parley"), '{"type":"connected","payload":{"connectionId":"c1","protocol":1,"server":"parley"}}'),
    (StartAck("c1"), '{"type":"start_ack","payload":{"connectionId":"c1"}}'),
    (
        STARTED,
        '{"type":"session_started","payload":{"connectionId":"c1","sessionId":"sess_1","languageCode":"en-US",'
        '"voiceName":"Puck","model":"gemini","audio":"binary"}}',
    ),
    (SetupComplete(), '{"type":"setup_complete","payload":{"setupComplete":true}}'),
    (SessionReady("sess_1", 17), '{"type":"session_ready","data":{"sessionId":"sess_1","timestamp":17}}'),
    (InputTranscript("hi", False), '{"type":"input_transcript","payload":{"text":"hi","isFinal":false,"final":false}}'),
    (OutputTranscript("", True), '{"type":"output_transcript","payload":{"text":"","isFinal":true,"final":true}}'),
    (ModelText("hé"), '{"type":"text","payload":{"content":"hé"}}'),
    (TurnStarted(3), '{"type":"turn_started","payload":{"turn":3}}'),
    (
        Sound(b"\xfb\xff\xfe\x01"),
        '{"type":"audio","payload":{"audioData":"+//+AQ==","mimeType":"audio/pcm;rate=24000"}}',
    ),
    (Interrupted(3), '{"type":"interrupted","payload":{"turn":3}}'),
    (GenerationComplete(3), '{"type":"generation_complete","payload":{"turn":3}}'),
    (TurnComplete(3), '{"type":"turn_complete","payload":{"turnComplete":true,"turn":3}}'),
    (TurnComplete(3, "max"), '{"type":"turn_complete","payload":{"turnComplete":true,"turn":3,"reason":"max"}}'),
    (ToolAck(({"a": 1},)), '{"type":"tool_call","payload":{"responses":[{"a":1}]}}'),
    (ToolAck(), '{"type":"tool_call","payload":{"responses":[]}}'),
    (ToolAck(({"a": 1},), error=""), '{"type":"tool_call","payload":{"error":""}}'),
    (ToolAck(error="late"), '{"type":"tool_call","payload":{"error":"late"}}'),
    (
        CLOSED,
        '{"type":"session_closed","payload":{"reason":"live_api_closed","cause":"upstream_failed","message":"gone"}}',
    ),
    (Heartbeat(17), '{"type":"heartbeat","timestamp":17}'),
    (Pong(17.0), '{"type":"pong","timestamp":17.0}'),
    (Notice("IDLE", "hello?"), '{"type":"notice","payload":{"code":"IDLE","message":"hello?"}}'),
    (Error("FULL", "busy", True), '{"type":"error","payload":{"code":"FULL","message":"busy","retryable":true}}'),
    (
        Error("X", "y", False, 1500, "e1"),
        '{"type":"error","payload":{"code":"X","message":"y","retryable":false,"retryAfterMs":1500,"eventId":"e1"}}',
    ),
]


@pytest.mark.parametrize(("reply", "text"), SHAPES, ids=lambda value: type(value).__name__)
def test_a_reply_looks_like_this(reply: Reply, text: str) -> None:
    assert write_text(reply).decode() == text


def test_the_table_above_shows_every_reply() -> None:
    assert {type(reply) for reply, _ in SHAPES} == set(get_args(Reply))


def test_sound_in_a_binary_frame_is_not_copied() -> None:
    pcm = bytes(4_800)

    assert write_sound(Sound(pcm)) is pcm


# ── what is written can be read ──────────────────────────────────────────────────────────────────

WHOLE = st.integers(-(2**63), 2**64 - 1)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | WHOLE | FINITE | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
BY_TYPE: dict[object, st.SearchStrategy[object]] = {
    int: WHOLE,
    int | None: st.none() | WHOLE,
    float: FINITE,
    bytes: st.binary(max_size=60).map(lambda half: half * 2),
    tuple[Mapping[str, object], ...]: st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=3).map(tuple),
}
"""What the fields of replies hold, where it is less than their types allow."""


def replies_of(kind: type[Reply]) -> st.SearchStrategy[Reply]:
    hints = get_type_hints(kind).items()
    return st.builds(kind, **{name: BY_TYPE[hint] for name, hint in hints if hint in BY_TYPE})


REPLIES = st.one_of(*map(replies_of, get_args(Reply)))
ALWAYS = {"protocol": 1, "setupComplete": True, "turnComplete": True, "mimeType": "audio/pcm;rate=24000"}
"""What the wire adds to a reply, and never otherwise."""
ON_THE_WIRE = {"language": "languageCode", "voice": "voiceName", "pcm": "audioData"}


def members_of(reply: Reply) -> dict[str, object]:
    """What a frame of this reply has to say, worked out from the fields of the reply alone."""
    said = {field.name: getattr(reply, field.name) for field in fields(reply)}
    match reply:
        case Sound(pcm):
            said["pcm"] = base64.b64encode(pcm).decode()
        case ToolAck(responses, error):
            said = {"responses": list(responses)} if error is None else {"error": error}
        case InputTranscript(_, final) | OutputTranscript(_, final):
            said["is_final"] = final
        case SetupComplete():
            said = {}
    return {ON_THE_WIRE.get(name, to_camel(name)): value for name, value in said.items() if value is not None}


@given(REPLIES)
def test_every_frame_keeps_to_its_model_and_says_what_the_reply_said(reply: Reply) -> None:
    text = write_text(reply)
    FRAMES.validate_json(text, extra="forbid")

    frame = json.loads(text)
    said = frame.get("payload") or frame.get("data") or {"timestamp": frame.get("timestamp")}
    assert {name: value for name, value in said.items() if name not in ALWAYS} == members_of(reply)
    assert {name: value for name, value in said.items() if name in ALWAYS}.items() <= ALWAYS.items()


HALVES = st.text(alphabet=st.characters(categories=["Cs", "L"]), min_size=1)


@given(HALVES, HALVES)
def test_half_a_surrogate_pair_does_not_silence_the_house(text: str, name: str) -> None:
    said = json.loads(write_text(OutputTranscript(text, False)))["payload"]["text"]
    ack = json.loads(write_text(ToolAck(({name: [text]},))))["payload"]["responses"][0]

    assert said == text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert list(ack.values()) == [[said]]


def test_a_pair_that_came_as_two_halves_becomes_one_letter() -> None:
    assert json.loads(write_text(ModelText("a\ud83c\udf99b\ud83c")))["payload"]["content"] == "a🎙b\ufffd"
    assert json.loads(write_text(ToolAck(({"\udf99": 1},))))["payload"]["responses"] == [{"\ufffd": 1}]
