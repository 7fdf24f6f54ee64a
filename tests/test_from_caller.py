"""Each message of a caller, and the value it becomes."""

from __future__ import annotations

import base64
import json

import pytest

from actors.errors import BadFrame
from actors.messages import (
    Audio,
    ContextUpdate,
    HeartbeatAck,
    Image,
    Media,
    Modality,
    Ping,
    Start,
    Stop,
    Text,
    ToolAnswer,
    ToolResult,
)
from actors.wire.parse import parse

PCM = bytes(range(256))
SOUND = base64.b64encode(PCM).decode()
JPEG = b"\xff\xd8\xff\xe0 and so on"
PICTURE = base64.b64encode(JPEG).decode()


def frame(kind: str, payload: object) -> str:
    return json.dumps({"type": kind, "payload": payload})


def refusal(kind: str, payload: object) -> str:
    with pytest.raises(BadFrame) as caught:
        parse(frame(kind, payload))
    return caught.value.detail


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"type":"start"}', Start()),
        ('{"type":"stop"}', Stop()),
        ('{"type":"stop","payload":{"reason":"ignored"}}', Stop()),
        ('{"type":"ping"}', Ping()),
        ('{"type":"ping","timestamp":1764000000123}', Ping(1764000000123.0)),
        ('{"type":"heartbeat_ack","timestamp":1.5}', HeartbeatAck(1.5)),
        (frame("user_audio", {"audioData": SOUND, "mimeType": "audio/pcm;rate=16000"}), Audio(PCM)),
        (frame("user_audio", {"audioData": SOUND}), Audio(PCM)),
        (frame("user_audio", {"audioData": SOUND, "mimeType": None}), Audio(PCM)),
        (frame("text", {"content": " hello "}), Text(" hello ")),
        (frame("text", {"content": "x" * 8_000}), Text("x" * 8_000)),
    ],
)
def test_a_frame_becomes_its_value(text: str, said: object) -> None:
    assert parse(text) == said


@pytest.mark.parametrize("kind", ["ping", "heartbeat_ack"])
@pytest.mark.parametrize("timestamp", ['"soon"', "null", "NaN", "1e999", "9" * 400, "true", "[]", "{}"])
def test_a_sign_of_life_counts_whatever_its_timestamp(kind: str, timestamp: str) -> None:
    said = parse(f'{{"type":"{kind}","timestamp":{timestamp}}}')

    assert said == (Ping() if kind == "ping" else HeartbeatAck())


# ── sound and pictures ───────────────────────────────────────────────────────────────────────────


def test_a_batch_keeps_all_its_chunks_in_order() -> None:
    pieces = [bytes([n, n]) for n in range(10)]
    chunks = [{"mimeType": "audio/pcm;rate=16000", "data": base64.b64encode(each).decode()} for each in pieces]
    chunks.insert(4, {"mimeType": "image/jpg", "data": PICTURE})

    expected = [Audio(each) for each in pieces]
    assert parse(frame("REALTIME_INPUT", {"chunks": chunks})) == Media(
        (*expected[:4], Image(JPEG, "image/jpeg"), *expected[4:])
    )


GOOD = {"mimeType": "audio/pcm", "data": SOUND}


def test_a_batch_of_64_passes_and_65_do_not() -> None:
    full = parse(frame("REALTIME_INPUT", {"chunks": [GOOD] * 64}))

    assert full == Media((Audio(PCM),) * 64)
    assert refusal("REALTIME_INPUT", {"chunks": [GOOD] * 65}) == (
        "REALTIME_INPUT.chunks has 65 items, expected at most 64"
    )


@pytest.mark.parametrize(
    ("chunks", "detail"),
    [
        ([], "REALTIME_INPUT.chunks: expected 1 or more items"),
        ({}, "REALTIME_INPUT.chunks: expected a list"),
        (None, "REALTIME_INPUT.chunks: expected a list"),
        ([GOOD, 5], "REALTIME_INPUT.chunks.1: expected an object"),
        ([GOOD, {"data": SOUND}], "REALTIME_INPUT.chunks.1.mimeType is missing"),
        ([GOOD, {"mimeType": "audio/pcm"}], "REALTIME_INPUT.chunks.1.data is missing"),
        (
            [GOOD, GOOD, {"mimeType": "text/plain", "data": SOUND}],
            "REALTIME_INPUT.chunks.2.mimeType is 'text/plain', expected 'audio/pcm;rate=16000' or an image type",
        ),
        (
            [GOOD, GOOD, {"mimeType": "audio/pcm", "data": "?"}],
            "REALTIME_INPUT.chunks.2.data is not base64, expected the standard or the URL-safe alphabet",
        ),
        (
            [{"mimeType": "audio/pcm", "data": "AAAA"}],
            "REALTIME_INPUT.chunks.0.data has 3 bytes, expected whole 16-bit samples",
        ),
        (
            [{"mimeType": "image/png", "data": SOUND}],
            "REALTIME_INPUT.chunks.0.data is not a picture that can be used, expected JPEG, PNG or WebP",
        ),
    ],
)
def test_a_batch_with_a_bad_chunk_is_refused_by_its_index(chunks: object, detail: str) -> None:
    assert refusal("REALTIME_INPUT", {"chunks": chunks}) == detail


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ({}, "user_audio.audioData is missing"),
        ({"audioData": ""}, "user_audio.audioData has 0 bytes, expected whole 16-bit samples"),
        ({"audioData": 5}, "user_audio.audioData: expected text"),
        ({"audioData": SOUND, "mimeType": 5}, "user_audio.mimeType: expected text"),
        (
            {"audioData": base64.b64encode(bytes(70_000)).decode()},
            "user_audio.audioData has 70000 bytes, expected at most 65536",
        ),
        (None, "user_audio.payload: expected an object"),
    ],
)
def test_sound_that_cannot_be_used_is_refused(payload: object, detail: str) -> None:
    assert refusal("user_audio", payload) == detail


# ── words ────────────────────────────────────────────────────────────────────────────────────────


def test_a_context_update_keeps_what_it_brings() -> None:
    details = {
        "confidence": 0.9,
        "transcript": [{"role": "user", "content": "hi", "timestamp": 1}],
        "urlAnalysis": None,
    }
    said = parse(
        frame(
            "CONTEXT_UPDATE",
            {
                "sessionId": "sess_1",
                "modality": "screen",
                "analysis": "a spreadsheet",
                "imageData": "data:image/jpeg;base64," + PICTURE,
                "capturedAt": "2026-11-23T10:00:00Z",
                "metadata": details,
            },
        )
    )

    assert said == ContextUpdate(
        Modality.SCREEN,
        "a spreadsheet",
        image=Image(JPEG, "image/jpeg"),
        captured_at="2026-11-23T10:00:00Z",
        session_id="sess_1",
        details=details,
    )


@pytest.mark.parametrize("modality", list(Modality))
@pytest.mark.parametrize("absent", [None, ""])
def test_a_context_update_needs_a_modality_and_an_analysis_only(modality: Modality, absent: str | None) -> None:
    payload = {"modality": modality, "analysis": "x" * 16_000, "imageData": absent, "metadata": None}

    assert parse(frame("CONTEXT_UPDATE", payload)) == ContextUpdate(modality, "x" * 16_000)


@pytest.mark.parametrize("ornament", [{"capturedAt": 1764000000123}, {"sessionId": 5}, {"sessionId": "\n"}])
def test_an_ornament_does_not_spoil_a_context_update(ornament: dict[str, object]) -> None:
    said = parse(frame("CONTEXT_UPDATE", {"modality": "webcam", "analysis": "x", **ornament}))

    assert said == ContextUpdate(Modality.WEBCAM, "x")


DEEP: dict[str, object] = {"1": {"2": {"3": {"4": {"5": {"6": {"7": {"8": {}}}}}}}}}


@pytest.mark.parametrize(
    ("payload", "detail"),
    [
        ({"modality": "sonar"}, "CONTEXT_UPDATE.modality: expected 'screen', 'webcam' or 'intelligence'"),
        ({"modality": None}, "CONTEXT_UPDATE.modality: expected 'screen', 'webcam' or 'intelligence'"),
        ({"analysis": ""}, "CONTEXT_UPDATE.analysis: expected 1 or more characters"),
        ({"analysis": "x" * 16_001}, "CONTEXT_UPDATE.analysis: expected at most 16000 characters"),
        ({"analysis": {"text": "x"}}, "CONTEXT_UPDATE.analysis: expected text"),
        ({"metadata": []}, "CONTEXT_UPDATE.metadata: expected an object"),
        (
            {"metadata": {str(n): n for n in range(201)}},
            "CONTEXT_UPDATE.metadata has too many members, expected at most 200",
        ),
        ({"metadata": DEEP}, "CONTEXT_UPDATE.metadata is nested too deep, expected at most 8 levels"),
        (
            {"metadata": {"score": float("nan")}},
            "CONTEXT_UPDATE.metadata has a number that cannot be used, expected finite ones within 64 bits",
        ),
        (
            {"imageData": "data:text/plain;base64,AAAA"},
            "CONTEXT_UPDATE.imageData is not a picture that can be used, expected JPEG, PNG or WebP",
        ),
    ],
)
def test_a_context_update_that_cannot_be_used_is_refused(payload: dict[str, object], detail: str) -> None:
    assert refusal("CONTEXT_UPDATE", {"modality": "screen", "analysis": "x", **payload}) == detail


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        ("", "text.content: expected text that is not blank"),
        (" \n\t\u2003", "text.content: expected text that is not blank"),
        ("x" * 8_001, "text.content: expected at most 8000 characters"),
        (None, "text.content: expected text"),
    ],
)
def test_typed_text_must_say_something_and_not_too_much(content: object, detail: str) -> None:
    assert refusal("text", {"content": content}) == detail


# ── tools ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("answer", "response"),
    [
        ({"response": {"output": 1}}, {"output": 1}),
        ({"result": {"output": 1}}, {"output": 1}),
        ({"result": "sunny"}, {"result": "sunny"}),
        ({"result": [1, {"a": None}]}, {"result": [1, {"a": None}]}),
        ({"result": None}, {"result": None}),
        ({"result": 0}, {"result": 0}),
        ({"response": "sunny"}, {"result": "sunny"}),
        ({"response": None}, {"result": None}),
        ({"response": None, "result": False}, {"result": False}),
        ({"response": {}, "result": 1}, {}),
    ],
)
def test_a_tools_answer_comes_in_the_old_shape_or_the_new(answer: dict[str, object], response: object) -> None:
    said = parse(frame("TOOL_RESULT", {"responses": [{"id": "call-1", "name": "get_weather", **answer}]}))

    assert said == ToolResult((ToolAnswer("call-1", "get_weather", response),))  # type: ignore[arg-type]


def deep(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("responses", "detail"),
    [
        ([], "TOOL_RESULT.responses: expected 1 or more items"),
        ([{"id": "1", "name": "f"}], "TOOL_RESULT.responses.0.response is missing"),
        ([{"id": "", "name": "f", "result": 1}], "TOOL_RESULT.responses.0.id: expected 1 or more characters"),
        ([{"id": 1, "name": "f", "result": 1}], "TOOL_RESULT.responses.0.id: expected text"),
        ([{"name": "f", "result": 1}], "TOOL_RESULT.responses.0.id is missing"),
        (
            [{"id": "1", "name": "f", "result": 1}, {"id": "2", "name": "rm -rf", "result": 1}],
            "TOOL_RESULT.responses.1.name: expected a name of 1 to 64 letters, digits, '_', ':', '.' or '-'",
        ),
        (
            [{"id": "1", "name": "f", "result": float("inf")}],
            "TOOL_RESULT.responses.0.response has a number that cannot be used, expected finite ones within 64 bits",
        ),
        (
            [{"id": "1", "name": "f", "result": deep(32)}],
            "TOOL_RESULT.responses.0.response is nested too deep, expected at most 32 levels",
        ),
    ],
)
def test_tool_answers_that_cannot_be_used_are_refused(responses: object, detail: str) -> None:
    assert refusal("TOOL_RESULT", {"responses": responses}) == detail
