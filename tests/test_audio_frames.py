"""Plain sound without the SDK: what is recognised, what is declined, and what the SDK makes of the same."""

from __future__ import annotations

import json
from typing import Any

import pybase64
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from actors.live.audio_frames import MODEL_SOUND, audio_frame, plain_speech, whole_samples
from actors.live.gemini import Gemini
from actors.messages import Garbled, Speech

PCM = bytes(range(256)) * 4
CONVERTER = Gemini(SecretStr("k"))._converter


def frame(data: str, mime: str = "audio/pcm;rate=24000", **turn: Any) -> bytes:
    part = {"inlineData": {"mimeType": mime, "data": data}}
    return json.dumps({"serverContent": {"modelTurn": {"parts": [part], **turn}}}).encode()


def standard(pcm: bytes) -> str:
    return pybase64.b64encode(pcm).decode()


def by_the_sdk(data: bytes) -> list[bytes]:
    said = CONVERTER.server_message(data, 1)
    assert not [message for message in said if isinstance(message, Garbled)]
    return [message.pcm for message in said if isinstance(message, Speech)]


SPELLINGS = {
    "standard": frame(standard(PCM)),
    "url-safe": frame(pybase64.urlsafe_b64encode(PCM).decode()),
    "vertex": frame(standard(PCM), "audio/pcm", role="model"),
    "escaped": frame(standard(b"\xff\xef\xff" + PCM)).replace(b"/", b"\\/").replace(b"=", b"\\u003d"),
    "two parts": json.dumps(
        {
            "serverContent": {
                "modelTurn": {"parts": json.loads(frame("AAAA"))["serverContent"]["modelTurn"]["parts"] * 2}
            }
        }
    ).encode(),
    "indented": json.dumps(json.loads(frame(standard(PCM))), indent=2).encode(),
    "odd": frame(standard(PCM + b"x")),
    "other key order": frame("")
    .replace(b'"data": ""', b'"x": 0')
    .replace(b'"mimeType": "audio/pcm;rate=24000", "x": 0', b'"data": "AAAB", "mimeType": "audio/pcm"'),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_plain_sound_is_read_as_the_sdk_reads_it(spelling: str) -> None:
    speech = plain_speech(SPELLINGS[spelling])

    assert speech
    assert speech == by_the_sdk(SPELLINGS[spelling])


LEFT_TO_THE_SDK = {
    "unpadded": frame(standard(PCM).rstrip("=")),
    "snake case": frame(standard(PCM)).replace(b"modelTurn", b"model_turn"),
    "snake case inside": frame(standard(PCM)).replace(b"inlineData", b"inline_data").replace(b"mimeType", b"mime_type"),
    "spaced mime": frame(standard(PCM), "audio/pcm; rate=24000"),
    "upper case mime": frame(standard(PCM), "AUDIO/PCM;rate=24000"),
    "unknown keys": frame(standard(PCM), brandNew=1),
    "unknown key beside": frame(standard(PCM)).replace(b'"serverContent"', b'"brandNew": 1, "serverContent"'),
    "a transcript too": frame(standard(PCM)).replace(b'"modelTurn"', b'"outputTranscription": {}, "modelTurn"'),
}


@pytest.mark.parametrize("spelling", LEFT_TO_THE_SDK)
def test_sound_in_a_rarer_spelling_is_left_to_the_sdk_and_heard(spelling: str) -> None:
    assert plain_speech(LEFT_TO_THE_SDK[spelling]) is None
    assert b"".join(by_the_sdk(LEFT_TO_THE_SDK[spelling])).startswith(PCM)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"5",
        b'"serverContent"',
        b"[1]",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b"{}",
        b'{"setupComplete":{}}',
        b'{"serverContent":5}',
        b'{"serverContent":{"modelTurn":[]}}',
        b'{"serverContent":{"modelTurn":{}}}',
        b'{"serverContent":{"modelTurn":{"parts":[]}}}',
        b'{"serverContent":{"modelTurn":{"parts":5}}}',
        b'{"serverContent":{"modelTurn":{"parts":"ab"}}}',
        b'{"serverContent":{"modelTurn":{"parts":[{"text":"hello"}]}}}',
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":["audio/pcm"],"data":"AAAA"}}]}}}',
        b'{"serverContent":{"modelTurn":{"parts":[{"inlineData":{"mimeType":"audio/pcm","data":5}}]}}}',
        frame("AAAA", role="user"),
        frame("AAAA", role=5),
        frame("AAAA", "audio/pcm;rate=16000"),
        frame("AAAA", "image/png"),
        frame("!!!!"),
        frame("A"),
        frame("ÄÄÄÄ"),
        frame("AAAA").replace(b'"inlineData"', b'"thought":true,"inlineData"'),
    ],
)
def test_everything_else_is_declined(data: bytes) -> None:
    assert plain_speech(data) is None


def test_one_part_that_is_no_sound_leaves_the_whole_frame_to_the_sdk() -> None:
    mixed = frame(standard(PCM)).replace(b'"parts": [', b'"parts": [{"text": "hello"}, ')

    assert plain_speech(mixed) is None


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4), st.booleans(), st.sampled_from(sorted(MODEL_SOUND)))
def test_any_sound_comes_out_as_whole_samples(chunks: list[bytes], url_safe: bool, mime: str) -> None:
    encode = pybase64.urlsafe_b64encode if url_safe else pybase64.b64encode
    parts = [{"inlineData": {"mimeType": mime, "data": encode(chunk).decode()}} for chunk in chunks]
    data = json.dumps({"serverContent": {"modelTurn": {"parts": parts}}}).encode()

    assert plain_speech(data) == [chunk[: len(chunk) // 2 * 2] for chunk in chunks]
    assert by_the_sdk(data) == [chunk[: len(chunk) // 2 * 2] for chunk in chunks if len(chunk) > 1]


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.text("AZaz09+/-_= ", max_size=12))
def test_what_is_read_here_at_all_the_sdk_reads_alike(data: str) -> None:
    speech = plain_speech(frame(data))
    usual = data.replace("-", "+").replace("_", "/")
    stray_bits = speech is not None and standard(pybase64.b64decode(usual)) != usual

    assert speech is None or stray_bits or [pcm for pcm in speech if pcm] == by_the_sdk(frame(data))


def test_only_stray_bits_behind_the_last_byte_are_refused_by_the_sdk_and_passed_over_here() -> None:
    assert plain_speech(frame("009=")) == plain_speech(frame("008=")) == [b"\xd3\x4f"]
    assert isinstance(CONVERTER.server_message(frame("009="), 1)[0], Garbled)


KEYS = st.sampled_from(["serverContent", "modelTurn", "parts", "role", "inlineData", "mimeType", "data"])
LEAVES = st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(MODEL_SOUND))
SHAPES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3))


@settings(deadline=None)  # the SDK's first conversions are slow
@given(SHAPES)
def test_no_shape_of_json_raises(shape: Any) -> None:
    speech = plain_speech(json.dumps(shape).encode())

    assert speech is None or all(isinstance(pcm, bytes) for pcm in speech)


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.binary(max_size=2_000))
def test_a_frame_of_the_callers_sound_is_json_that_gives_it_back(pcm: bytes) -> None:
    blob = json.loads(audio_frame(pcm))["realtime_input"]["audio"]

    assert pybase64.b64decode(blob["data"], validate=True) == pcm
    assert blob["mime_type"] == "audio/pcm;rate=16000"


@settings(deadline=None)  # the SDK's first conversions are slow
@given(st.binary(max_size=50))
def test_half_a_sample_at_the_end_is_left_off(pcm: bytes) -> None:
    assert whole_samples(pcm) == pcm[: len(pcm) // 2 * 2]
