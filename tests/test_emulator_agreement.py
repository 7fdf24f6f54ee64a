"""What each family's setup may hold, and what follows from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.live.emulator.agreement import Agreement, agree
from actors.live.emulator.endings import BAD_RESOURCE, INVALID, Close, Refused
from actors.live.emulator.grammar import read
from actors.live.emulator.options import EVERY_VERSION
from actors.live.emulator.profiles import LIVE_38, NATIVE_25
from actors.live.emulator.usage import Compression
from tests.emulator_caller import BOTH, NEW, OLD


def agreed(model: str = NEW, **fields: Any) -> Agreement:
    return agree(read({"setup": {"model": model} | fields})[1], "v1beta", served=EVERY_VERSION)


def refused(model: str = NEW, **fields: Any) -> Close:
    with pytest.raises(Refused) as found:
        agreed(model, **fields)
    return found.value.close


def detection(**fields: Any) -> dict[str, Any]:
    return {"automaticActivityDetection": fields}


def voice(name: str) -> dict[str, Any]:
    return {"speechConfig": {"voiceConfig": {"prebuiltVoiceConfig": {"voiceName": name}}}}


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("models/gemini-2.5-flash-native-audio-preview-09-2025", NATIVE_25),
        ("models/gemini-2.5-flash-native-audio-preview-12-2025", NATIVE_25),
        ("models/gemini-2.5-flash-native-audio-latest", NATIVE_25),
        ("models/gemini-3.8-live", LIVE_38),
    ],
)
def test_a_model_has_the_profile_of_its_family(model: str, profile: object) -> None:
    assert agreed(model).profile is profile


@pytest.mark.parametrize("model", ["models/gemini-9-live", "models/gemini-3.8-live-extended-thinking", "models/x"])
def test_an_unknown_model_is_not_found(model: str) -> None:
    assert refused(model) == Close(
        1008, f"{model} is not found for API version v1beta, or is not supported for bidiGenerateContent"[:123]
    )


@pytest.mark.parametrize("model", ["", "gemini-3.8-live", "publishers/google/models/gemini-3.8-live", "models/a/b"])
def test_a_model_must_be_named_as_a_resource(model: str) -> None:
    assert refused(model) == BAD_RESOURCE


def test_a_setup_without_a_model_is_refused() -> None:
    with pytest.raises(Refused):
        agree({}, "v1beta", served=EVERY_VERSION)


def test_an_empty_setup_leads_to_the_defaults_of_the_service() -> None:
    agreement = agreed()

    assert agreement.speaks and agreement.interrupts
    assert agreement.hearing.automatic
    assert agreement.hearing.silence_seconds == 0.8
    assert agreement.voice == "Puck"
    assert not (agreement.transcribes_input or agreement.transcribes_output or agreement.resumable)
    assert agreement.handle is None and agreement.compression is None


@pytest.mark.parametrize(
    ("fields", "changed"),
    [
        ({"generationConfig": {"responseModalities": ["TEXT"]}}, {"speaks": False}),
        ({"generationConfig": voice("Kore")}, {"voice": "Kore"}),
        ({"inputAudioTranscription": {}}, {"transcribes_input": True}),
        ({"outputAudioTranscription": {}}, {"transcribes_output": True}),
        ({"sessionResumption": {}}, {"resumable": True}),
        ({"sessionResumption": {"handle": "h"}}, {"resumable": True, "handle": "h"}),
        ({"realtimeInputConfig": {"activityHandling": "NO_INTERRUPTION"}}, {"interrupts": False}),
        ({"systemInstruction": {"parts": [{"text": "12345678"}]}}, {"instruction_tokens": 2}),
        ({"historyConfig": {"initialHistoryInClientContent": True}}, {"seeds_first": True}),
        ({"contextWindowCompression": {}}, {"compression": Compression(104_857, 52_428)}),
        (
            {"contextWindowCompression": {"triggerTokens": "25000", "slidingWindow": {"targetTokens": 8000}}},
            {"compression": Compression(25_000, 8_000)},
        ),
        ({"proactivity": {"proactiveAudio": True}, "labels": {"a": "b"}}, {}),
    ],
)
def test_what_is_asked_for_is_agreed_on(fields: dict[str, Any], changed: dict[str, Any]) -> None:
    assert agreed(**fields) == replace(agreed(), **changed)


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        ({"disabled": True}, {"automatic": False}),
        ({"silenceDurationMs": 300}, {"silence_seconds": 0.3}),
        ({"silenceDurationMs": 0}, {"silence_seconds": 0.0}),
        ({"prefixPaddingMs": 200}, {"onset_seconds": 0.2}),
        ({"endOfSpeechSensitivity": "END_SENSITIVITY_LOW"}, {"silence_seconds": 1.2}),
        ({"endOfSpeechSensitivity": "END_SENSITIVITY_HIGH"}, {}),
        ({"startOfSpeechSensitivity": "START_SENSITIVITY_LOW"}, {"quietest": 400.0}),
    ],
)
def test_the_knobs_of_voice_activity(asked: dict[str, Any], changed: dict[str, Any]) -> None:
    assert agreed(realtimeInputConfig=detection(**asked)).hearing == replace(agreed().hearing, **changed)


@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize(
    "fields",
    [
        {"generationConfig": {"temperature": 2.1}},
        {"generationConfig": {"topP": -0.1}},
        {"generationConfig": {"maxOutputTokens": 0}},
        {"generationConfig": {"responseModalities": ["AUDIO", "TEXT"]}},
        {"generationConfig": voice("Nobody")},
        {"generationConfig": {"translationConfig": {"targetLanguageCode": "de"}}},
        {"realtimeInputConfig": detection(silenceDurationMs=-1)},
        {"realtimeInputConfig": detection(prefixPaddingMs=60_000)},
        {"contextWindowCompression": {"triggerTokens": 500_000}},
        {"contextWindowCompression": {"slidingWindow": {"targetTokens": -1}}},
        {"sessionResumption": {"transparent": True}},
        {"explicitVadSignal": True},
        {"avatarConfig": {"avatarName": "x"}},
        {"systemInstruction": {"parts": [{"inlineData": {"mimeType": "image/png", "data": ""}}]}},
        {"tools": [{"functionDeclarations": [{"name": "bad name"}]}]},
        {"tools": [{"functionDeclarations": [{"description": "nameless"}]}]},
        {"tools": [{"functionDeclarations": [{"name": "f"}]}, {"functionDeclarations": [{"name": "f"}]}]},
    ],
)
def test_what_neither_family_takes(model: str, fields: dict[str, Any]) -> None:
    assert refused(model, **fields) == INVALID


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}, NEW),
        ({"generationConfig": {"enableAffectiveDialog": True}}, NEW),
        ({"proactivity": {"proactiveAudio": False}}, NEW),
        ({"sessionResumption": {"handle": None}}, NEW),
        ({"tools": [{"googleSearch": {}}, {"functionDeclarations": [{"name": "f"}]}]}, OLD),
    ],
)
def test_what_one_family_takes_and_the_other_does_not(fields: dict[str, Any], model: str) -> None:
    other = OLD if model == NEW else NEW

    assert refused(model, **fields) == INVALID
    assert agreed(other, **fields).model == other


def test_a_system_instruction_beyond_the_limit_is_told_in_tokens() -> None:
    close = refused(systemInstruction={"parts": [{"text": "word " * 40_000}]})

    assert close.code == 1007
    assert close.reason.startswith("the system instruction has 0 tokens, user system instruction has 50000 tokens")
    assert len(close.reason.encode()) == 123


def test_new_models_bill_silence_and_old_ones_when_asked() -> None:
    everything = {"turnCoverage": "TURN_INCLUDES_ALL_INPUT"}

    assert agreed(NEW).bills_silence
    assert not agreed(OLD).bills_silence
    assert agreed(OLD, realtimeInputConfig=everything).bills_silence
