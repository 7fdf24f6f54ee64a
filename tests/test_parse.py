"""Whatever a caller sends is a message, or an error that says why not. Nothing else, ever."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import BadFrame, GatewayError, UnknownType
from actors.messages import Audio, FromCaller, Ping, Stop, ToolResult
from actors.replies import ToolAck
from actors.wire.parse import parse
from actors.wire.write import write_text

PCM = bytes(range(256)) * 5

SECRET = "b1u3b3rry"
"""What must never turn up in an error."""


def outcome(frame: str | bytes) -> FromCaller | GatewayError:
    """What becomes of a frame; an error is looked at closely on its way."""
    try:
        return parse(frame)
    except (BadFrame, UnknownType) as error:
        assert 0 < len(error.detail) < 200
        assert error.detail.isprintable()
        assert error.__context__ is None
        assert error.__cause__ is None
        return error


# ── binary frames ────────────────────────────────────────────────────────────────────────────────


def test_sound_is_not_copied() -> None:
    said = parse(PCM)

    assert isinstance(said, Audio)
    assert said.pcm is PCM


@pytest.mark.parametrize(
    ("size", "detail"),
    [
        (0, "audio frame has 0 bytes, expected whole 16-bit samples"),
        (641, "audio frame has 641 bytes, expected whole 16-bit samples"),
        (70_000, "audio frame has 70000 bytes, expected at most 65536"),
    ],
)
def test_a_binary_frame_that_is_no_sound_is_refused(size: int, detail: str) -> None:
    error = outcome(bytes(size))

    assert isinstance(error, BadFrame)
    assert error.detail == detail


@given(st.binary(max_size=100))
def test_any_bytes_are_sound_or_an_error(data: bytes) -> None:
    assert isinstance(outcome(data), Audio if data and len(data) % 2 == 0 else BadFrame)


@given(st.binary(min_size=1, max_size=100).map(lambda half: half * 2), st.booleans())
def test_sound_survives_base64_in_both_alphabets(pcm: bytes, safe: bool) -> None:
    text = (base64.urlsafe_b64encode if safe else base64.b64encode)(pcm).decode()

    assert parse(json.dumps({"type": "user_audio", "payload": {"audioData": text}})) == Audio(pcm)


# ── a ping is a ping ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"ping"',
        '{"type" : "ping",}',
        "'type':'x' \"type\"\n:\t\"ping\"",
        '{"type":"ping"}\ud800',
        '{"type":"ping"}{}',
    ],
)
def test_text_that_is_no_json_but_has_a_ping_in_it_is_a_ping(text: str) -> None:
    assert parse(text) == Ping()


@pytest.mark.parametrize(
    "text",
    ['{"type":"pong"', '{"type":ping', "ping", '["type","ping"', '{\\"type\\":\\"ping\\"', '{"type":"Ping"'],
)
def test_text_that_is_neither_json_nor_a_ping_is_an_error(text: str) -> None:
    assert isinstance(outcome(text), BadFrame)


def test_a_ping_inside_another_message_is_not_a_ping() -> None:
    assert parse('{"type":"stop","payload":{"type":"ping"}}') == Stop()
    assert isinstance(outcome('{"type":"nope","payload":{"type":"ping"}}'), UnknownType)
    assert isinstance(outcome('[{"type":"ping"}]'), BadFrame)


# ── anything ─────────────────────────────────────────────────────────────────────────────────────


@given(st.text(alphabet=st.characters(), max_size=200))
def test_any_text_is_a_message_or_an_error(text: str) -> None:
    outcome(text)


ODD_NUMBERS = st.sampled_from([float("nan"), float("inf"), -0.0, 1e308, 2**63, 2**64, 10**400, -(10**20)])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | ODD_NUMBERS
    | st.text(alphabet=st.characters(), max_size=9)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(ANYTHING, st.booleans())
def test_any_json_is_a_message_or_an_error(value: object, escaped: bool) -> None:
    assert isinstance(outcome(json.dumps(value, ensure_ascii=escaped)), GatewayError)


TYPES = st.sampled_from(
    [
        *("start", "stop", "user_audio", "REALTIME_INPUT", "CONTEXT_UPDATE"),
        *("TOOL_RESULT", "text", "ping", "heartbeat_ack"),
    ]
)
KNOWN = st.sampled_from(
    [
        *("languageCode", "voiceName", "sessionId", "userContext", "locationData", "audio", "name"),
        *("email", "latitude", "longitude", "city", "audioData", "mimeType", "chunks"),
        *("data", "modality", "analysis", "imageData", "capturedAt", "metadata", "content"),
        *("responses", "id", "response", "result"),
    ]
)
WORDS = st.sampled_from(
    [
        *("AAAA", "AAAAAAA=", "audio/pcm", "image/jpeg", "text/plain"),
        *("pcm;rate=1", "data:,", "screen", "binary", "en-US"),
    ]
)
LIKELY = st.recursive(
    SCALARS | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KNOWN, inner, max_size=4),
    max_leaves=8,
)


@given(TYPES, st.dictionaries(KNOWN, LIKELY, max_size=6), LIKELY)
def test_any_fields_in_any_message_make_a_message_or_an_error(
    kind: str, payload: dict[str, object], timestamp: object
) -> None:
    outcome(json.dumps({"type": kind, "payload": payload, "timestamp": timestamp}))


VALID = [
    {"type": "start", "payload": {"languageCode": "en-US", "locationData": {"latitude": 1.5, "longitude": 2}}},
    {"type": "user_audio", "payload": {"audioData": "AAECAw==", "mimeType": "audio/pcm;rate=16000"}},
    {"type": "REALTIME_INPUT", "payload": {"chunks": [{"mimeType": "pcm", "data": "AAECAw=="}] * 2}},
    {"type": "CONTEXT_UPDATE", "payload": {"modality": "screen", "analysis": "x", "metadata": {"a": [1, 2.5]}}},
    {"type": "TOOL_RESULT", "payload": {"responses": [{"id": "1", "name": "f", "result": {"a": [None]}}]}},
    {"type": "text", "payload": {"content": "hello"}},
    {"type": "ping", "timestamp": 1764000000123},
]


@given(st.sampled_from(VALID).map(json.dumps), st.data())
def test_a_damaged_frame_is_a_message_or_an_error(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start, end = sorted((data.draw(st.integers(0, len(text))), data.draw(st.integers(0, len(text)))))
        other = st.sampled_from(
            [text[start:end] * 2, '"', "\\", "{", "]", ",", "null", "NaN", "1e999", "\ud800", "\x00", ""]
        )
        text = text[:start] + data.draw(other) + text[end:]

    outcome(text)


@given(st.sampled_from(VALID).map(json.dumps), st.integers(0, 200))
def test_a_torn_frame_is_an_error_or_a_ping(text: str, end: int) -> None:
    said = outcome(text[: min(end, len(text) - 1)])

    assert isinstance(said, BadFrame | Ping)


@pytest.mark.parametrize("depth", [50, 190, 250, 5_000, 500_000])
@pytest.mark.parametrize("shape", ["[%s]", '{"a":%s}'])
def test_depth_is_no_danger(depth: int, shape: str) -> None:
    head, _, tail = shape.partition("%s")
    said = outcome('{"type":"TOOL_RESULT","payload":' + head * depth + "1" + tail * depth + "}")

    assert isinstance(said, BadFrame)


def test_a_frame_of_many_members_is_refused_before_it_is_read() -> None:
    error = outcome('{"type":"stop","payload":{' + ",".join(f'"{n}":0' for n in range(100_000)) + "}}")

    assert isinstance(error, BadFrame)
    assert error.detail == "text has too many members, expected at most 1000"


def test_of_two_members_of_one_name_the_last_counts() -> None:
    assert parse('{"type":"ping","type":"stop"}') == Stop()
    assert parse('{"type":"ping","timestamp":1,"timestamp":2}') == Ping(2.0)


# ── nothing leaks, and what was taken can be said again ──────────────────────────────────────────


def with_a_secret(value: object) -> list[object]:
    """The same value many times, each time with the secret in another place."""
    match value:
        case dict():
            inner = [{**value, name: each} for name, part in value.items() for each in with_a_secret(part)]
            return [*inner, *({**value, name: SECRET} for name in value), {**value, SECRET: SECRET}, SECRET]
        case list():
            return [*([each, *value[1:]] for each in with_a_secret(value[0])), SECRET]
        case _:
            return [SECRET, [SECRET], {SECRET: SECRET}]


@pytest.mark.parametrize("valid", VALID, ids=lambda valid: valid["type"])
def test_no_error_repeats_what_was_said(valid: dict[str, object]) -> None:
    payload = {name: part for name, part in valid.items() if name != "type"}
    outcomes = [
        outcome(json.dumps({"type": valid["type"], **p})) for p in with_a_secret(payload) if isinstance(p, dict)
    ]

    errors = [said for said in outcomes if isinstance(said, GatewayError) and SECRET in said.detail]
    assert [error.detail for error in errors if ".mimeType is " not in error.detail] == []


@given(ANYTHING)
def test_every_tool_answer_that_was_taken_can_be_acknowledged(result: object) -> None:
    said = outcome(
        json.dumps({"type": "TOOL_RESULT", "payload": {"responses": [{"id": "1", "name": "f", "result": result}]}})
    )

    if isinstance(said, ToolResult):
        ack = json.loads(write_text(ToolAck(tuple(each.response for each in said.answers))))
        assert ack["payload"]["responses"] == [each.response for each in said.answers]
