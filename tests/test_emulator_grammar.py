"""Every field that google-genai 3.4 was measured to send is known, and nothing else is."""

from __future__ import annotations

from typing import Any

import pytest

from actors.live.emulator.endings import INVALID, Refused
from actors.live.emulator.grammar import read
from tests.emulator_caller import NEW

DECLARATION = {
    "name": "weather",
    "description": "of a city",
    "behavior": "NON_BLOCKING",
    "parameters": {
        "type": "OBJECT",
        "properties": {"my_city": {"type": "string", "min_length": 1, "nullable": True}},
        "required": ["my_city"],
    },
}
AS_MEASURED = {
    "model": NEW,
    "generationConfig": {
        "responseModalities": ["AUDIO"],
        "temperature": 0.5,
        "topK": 40.0,
        "topP": 0.9,
        "maxOutputTokens": 100,
        "mediaResolution": "MEDIA_RESOLUTION_LOW",
        "seed": 1,
        "enableAffectiveDialog": True,
        "speechConfig": {"voice_config": {"prebuilt_voice_config": {"voice_name": "Kore"}}, "language_code": "en-US"},
        "thinkingConfig": {"include_thoughts": True, "thinking_budget": 1, "thinking_level": "LOW"},
        "translationConfig": {"targetLanguageCode": "de", "echoTargetLanguage": True},
    },
    "systemInstruction": {"parts": [{"text": "x"}], "role": "user"},
    "tools": [{"googleSearch": {}}, {"functionDeclarations": [DECLARATION]}],
    "sessionResumption": {"handle": "h"},
    "contextWindowCompression": {"trigger_tokens": 25_000, "sliding_window": {"target_tokens": 8_000}},
    "inputAudioTranscription": {"language_codes": ["en-US"], "word_timestamp": True, "mode": "VERBATIM"},
    "outputAudioTranscription": {},
    "realtimeInputConfig": {
        "automatic_activity_detection": {
            "disabled": False,
            "start_of_speech_sensitivity": "START_SENSITIVITY_HIGH",
            "end_of_speech_sensitivity": "END_SENSITIVITY_LOW",
            "prefix_padding_ms": 20,
            "silence_duration_ms": 500,
        },
        "activity_handling": "NO_INTERRUPTION",
        "turn_coverage": "TURN_INCLUDES_ALL_INPUT",
    },
    "proactivity": {"proactive_audio": True},
    "historyConfig": {"initial_history_in_client_content": True},
    "safetySettings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    "labels": {"my_team": "voice"},
}


def test_a_setup_with_everything_is_read_into_canonical_names() -> None:
    kind, setup = read({"setup": AS_MEASURED})

    listening = setup["realtimeInputConfig"]["automaticActivityDetection"]
    parameters = setup["tools"][1]["functionDeclarations"][0]["parameters"]
    assert kind == "setup"
    assert listening["silenceDurationMs"] == 500
    assert setup["generationConfig"]["speechConfig"]["voiceConfig"]["prebuiltVoiceConfig"] == {"voiceName": "Kore"}
    assert parameters["properties"]["my_city"] == {"type": "STRING", "minLength": 1, "nullable": True}
    assert setup["labels"] == {"my_team": "voice"}


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ({"realtime_input": {"activityStart": {}}}, "realtimeInput"),
        ({"realtimeInput": {"audioStreamEnd": True}}, "realtimeInput"),
        ({"realtime_input": {"mediaChunks": [{"data": "AAAA", "mime_type": "audio/pcm"}]}}, "realtimeInput"),
        ({"realtime_input": {"media_chunks": []}}, "realtimeInput"),
        (
            {"client_content": {"turns": [{"parts": [{"text": "hi"}], "role": "user"}], "turnComplete": True}},
            "clientContent",
        ),
        ({"client_content": {"turn_complete": True}}, "clientContent"),
        (
            {
                "tool_response": {
                    "functionResponses": [
                        {
                            "will_continue": False,
                            "scheduling": "WHEN_IDLE",
                            "id": "1",
                            "name": "f",
                            "response": {"a_b": 1},
                        }
                    ]
                }
            },
            "toolResponse",
        ),
        ({"contextUpdate": {"systemInstruction": {"parts": [{"text": "new"}], "role": "user"}}}, "contextUpdate"),
        ({"contextUpdate": {"tools": {"tools": []}}}, "contextUpdate"),
        ({"setup": None, "realtime_input": {"text": "a"}}, "realtimeInput"),
    ],
)
def test_a_message_as_it_was_measured(message: dict[str, Any], kind: str) -> None:
    assert read(message)[0] == kind


@pytest.mark.parametrize(
    "parameters",
    [
        {"type": "OBJECT", "$ref": "#/x"},
        {"type": "OBJECT", "$defs": {}},
        {"type": "OBJECT", "additionalProperties": False},
        {"type": "OBJECT", "properties": {"a": {"type": "OBJECT", "additional_properties": False}}},
        {"type": "DATE"},
    ],
)
def test_a_schema_that_the_service_does_not_take(parameters: dict[str, Any]) -> None:
    tools = [{"functionDeclarations": [{"name": "f", "parameters": parameters}]}]

    with pytest.raises(Refused) as refused:
        read({"setup": {"model": NEW, "tools": tools}})

    assert refused.value.close == INVALID


@pytest.mark.parametrize(
    "setup",
    [
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters_json_schema": {}}]}]},
        {"generationConfig": {"responseSchema": {}}},
        {"generationConfig": {"responseModalities": ["audio"]}},
        {"responseModalities": ["AUDIO"]},
        {"systemInstruction": "be kind"},
        {"realtimeInputConfig": {"automaticActivityDetection": {"silenceDurationMs": "soon"}}},
    ],
)
def test_a_setup_that_the_service_does_not_take(setup: dict[str, Any]) -> None:
    with pytest.raises(Refused):
        read({"setup": {"model": NEW} | setup})


def test_why_it_was_refused_names_the_place() -> None:
    with pytest.raises(Refused) as refused:
        read({"setup": {"generationConfig": {"speechConfig": {"voice": "Puck"}}}})

    assert refused.value.why == "setup.generationConfig.speechConfig: expected known fields, not one named voice"
