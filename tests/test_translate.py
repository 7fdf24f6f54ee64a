"""The SDK's messages as values of this house: every field handled, the end of the turn last."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai.types import LiveServerMessage
from hypothesis import given
from hypothesis import strategies as st

from actors.live.translate import STAND_IN, translate
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

S = 7  # the number of the session


def said(message: dict[str, Any]) -> tuple[FromModel, ...]:
    return translate(LiveServerMessage.model_validate(message), S)


def content(**fields: Any) -> dict[str, Any]:
    return {"serverContent": fields}


def part(**fields: Any) -> dict[str, Any]:
    return content(modelTurn={"parts": [fields]})


def sound(data: str, mime: str = "audio/pcm;rate=24000") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime, "data": data}}


def usage(**fields: Any) -> dict[str, Any]:
    return {"usageMetadata": fields}


def tokens(modality: str, count: int) -> dict[str, Any]:
    return {"modality": modality, "tokenCount": count}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (part(**sound("AAAB")), [Speech(S, b"\0\0")]),
        (part(**sound("AAABAA==")), [Speech(S, b"\0\0\1\0")]),
        (part(**sound("AAABAA==", "audio/pcm")), [Speech(S, b"\0\0\1\0")]),
        (part(**sound("AAABAA==", "Audio/PCM; rate=24000")), [Speech(S, b"\0\0\1\0")]),
        (part(**sound("AAABAA==", "audio/pcm;rate=16000")), [Garbled(S, "sound that is not 24 kHz PCM")]),
        (part(**sound("AAABAA==", "audio/ogg")), [Garbled(S, "sound that is not 24 kHz PCM")]),
        (part(text="hello"), [Wrote(S, "hello")]),
        (content(inputTranscription={"text": " my"}), [Heard(S, " my")]),
        (content(inputTranscription={"text": "Hi", "finished": True}), [Heard(S, "Hi", finished=True)]),
        (content(outputTranscription={"text": "It"}), [Said(S, "It")]),
        (content(outputTranscription={"finished": True}), [Said(S, "", finished=True)]),
        (content(interrupted=True), [BargedIn(S)]),
        (content(generationComplete=True), [Generated(S)]),
        (content(turnComplete=True), [TurnEnded(S)]),
        (content(turnComplete=True, turnCompleteReason="NEED_MORE_INPUT"), [TurnEnded(S, "NEED_MORE_INPUT")]),
        (content(turnComplete=True, turnCompleteReason="TURN_COMPLETE_REASON_UNSPECIFIED"), [TurnEnded(S)]),
        ({"sessionResumptionUpdate": {"newHandle": "h", "resumable": True}}, [HandleGiven(S, "h")]),
        ({"sessionResumptionUpdate": {"newHandle": "h", "resumable": False}}, [HandleGiven(S, None)]),
        ({"sessionResumptionUpdate": {"newHandle": "h"}}, [HandleGiven(S, None)]),  # proto3 leaves `false` out
        ({"sessionResumptionUpdate": {"newHandle": "", "resumable": True}}, [HandleGiven(S, None)]),
        ({"sessionResumptionUpdate": {}}, [HandleGiven(S, None)]),
        ({"goAway": {"timeLeft": "50s"}}, [GoingAway(S, 50.0)]),
        ({"goAway": {"timeLeft": "1.500s"}}, [GoingAway(S, 1.5)]),
        ({"goAway": {}}, [GoingAway(S, 10.0)]),
        ({"goAway": {"timeLeft": "soon"}}, [GoingAway(S, 10.0)]),
        ({"goAway": {"timeLeft": "-3s"}}, [GoingAway(S, 10.0)]),
        ({"toolCallCancellation": {"ids": ["a", "b"]}}, [ToolCallsCancelled(S, ("a", "b"))]),
    ],
)
def test_each_field_has_its_value(message: dict[str, Any], expected: list[FromModel]) -> None:
    assert said(message) == tuple(expected)


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"setupComplete": {}},
        {"setupComplete": {"sessionId": "x"}},
        content(),
        content(modelTurn={}),
        content(modelTurn={"parts": []}),
        content(inputTranscription={}),
        content(outputTranscription={"text": ""}),
        content(interimInputTranscription={"text": "may change"}),
        content(groundingMetadata={}),
        content(turnCompleteReason="NEED_MORE_INPUT"),
        content(waitingForInput=True),
        part(text="let me see", thought=True),
        part(thought=True, **sound("AAABAA==")),
        part(text=""),
        part(**sound("")),
        part(**sound("AA==")),
        part(**sound("AAAA", "image/png")),
        part(executableCode={"code": "1", "language": "PYTHON"}),
        {"toolCall": {}},
        {"toolCallCancellation": {}},
        usage(),
        usage(promptTokenCount=0, responseTokensDetails=[tokens("AUDIO", 0)]),
        {"voiceActivity": {}},
    ],
)
def test_what_says_nothing_to_us_gives_nothing(message: dict[str, Any]) -> None:
    assert said(message) == ()


def test_the_parts_of_a_turn_keep_their_order() -> None:
    parts = [{"text": "a"}, sound("AAAA" * 2), {"text": "thinking", "thought": True}, {"text": "b"}]

    assert said(content(modelTurn={"parts": parts})) == (Wrote(S, "a"), Speech(S, bytes(6)), Wrote(S, "b"))


def test_tool_calls_come_with_their_id_and_arguments() -> None:
    calls = [{"id": "fc_1", "name": "weather", "args": {"city": "Bern"}}, {"id": "fc_2", "name": "time"}]

    assert said({"toolCall": {"functionCalls": calls}}) == (
        ToolCallsWanted(S, (ToolCall("fc_1", "weather", {"city": "Bern"}), ToolCall("fc_2", "time", {}))),
    )


def test_a_tool_call_without_an_id_gets_one_of_ours_each_time() -> None:
    [wanted] = said({"toolCall": {"functionCalls": [{"name": "f"}, {"name": "f"}]}})

    assert isinstance(wanted, ToolCallsWanted)
    assert all(call.id.startswith(STAND_IN) for call in wanted.calls)
    assert len({call.id for call in wanted.calls}) == 2


@pytest.mark.filterwarnings("ignore:.*is not a valid")
@pytest.mark.parametrize(("reason", "known"), [("BRAND_NEW", "BRAND_NEW"), ("the caller said hello", "OTHER")])
def test_an_unknown_reason_is_passed_on_only_if_it_is_a_name(reason: str, known: str) -> None:
    assert said(content(turnComplete=True, turnCompleteReason=reason)) == (TurnEnded(S, known),)


@pytest.mark.parametrize(
    ("counted", "tokens_in", "tokens_out"),
    [
        (  # 2.5 native audio: thoughts beside the response
            {
                "promptTokenCount": 1197,
                "responseTokenCount": 37,
                "promptTokensDetails": [tokens("TEXT", 1196), tokens("AUDIO", 1)],
                "responseTokensDetails": [tokens("AUDIO", 37)],
                "thoughtsTokenCount": 28,
            },
            {"text": 1196, "audio": 1},
            {"audio": 37, "text": 28},
        ),
        (  # 3.1: the details do not add up to the total
            {"promptTokenCount": 482, "promptTokensDetails": [tokens("TEXT", 360)], "responseTokenCount": 69},
            {"text": 360, "unspecified": 122},
            {"unspecified": 69},
        ),
        (
            {"toolUsePromptTokenCount": 9, "promptTokensDetails": [tokens("IMAGE", 258)]},
            {"image": 258, "unspecified": 9},
            {},
        ),
        (
            {"toolUsePromptTokensDetails": [tokens("TEXT", 4)], "promptTokensDetails": [tokens("TEXT", 3)]},
            {"text": 7},
            {},
        ),
        ({"responseTokensDetails": [tokens("MODALITY_UNSPECIFIED", 2), {"tokenCount": 3}]}, {}, {"unspecified": 5}),
    ],
)
def test_tokens_are_counted_by_modality_and_none_is_lost(
    counted: dict[str, Any], tokens_in: dict[str, int], tokens_out: dict[str, int]
) -> None:
    assert said(usage(**counted)) == (Usage(S, tokens_in, tokens_out),)


# In which order the values of one message come; parts of a turn share a rank.
RANKS = {
    Heard: 0,
    BargedIn: 1,
    Speech: 2,
    Wrote: 2,
    Said: 3,
    Generated: 4,
    ToolCallsWanted: 5,
    ToolCallsCancelled: 6,
    HandleGiven: 7,
    GoingAway: 8,
    Usage: 9,
    TurnEnded: 10,
}
TRANSCRIPTS = st.fixed_dictionaries({}, optional={"text": st.text(max_size=5), "finished": st.booleans()})
PARTS = st.sampled_from([{"text": "a"}, {"text": "b", "thought": True}, sound("AAABAA=="), sound("")])
MESSAGES = st.fixed_dictionaries(
    {},
    optional={
        "setupComplete": st.just({}),
        "serverContent": st.fixed_dictionaries(
            {},
            optional={
                "modelTurn": st.fixed_dictionaries({}, optional={"parts": st.lists(PARTS, max_size=4)}),
                "inputTranscription": TRANSCRIPTS,
                "outputTranscription": TRANSCRIPTS,
                "interrupted": st.booleans(),
                "generationComplete": st.booleans(),
                "turnComplete": st.booleans(),
            },
        ),
        "toolCall": st.just({"functionCalls": [{"id": "a", "name": "f"}]}),
        "toolCallCancellation": st.just({"ids": ["a"]}),
        "sessionResumptionUpdate": st.sampled_from([{}, {"newHandle": "h", "resumable": True}]),
        "goAway": st.just({"timeLeft": "50s"}),
        "usageMetadata": st.sampled_from([{}, {"promptTokenCount": 3}]),
    },
)


@given(MESSAGES)
def test_any_mix_of_fields_comes_in_the_documented_order_and_the_end_of_the_turn_last(message: dict[str, Any]) -> None:
    values = said(message)
    ranks = [RANKS[type(value)] for value in values]
    ended = message.get("serverContent", {}).get("turnComplete", False)

    assert ranks == sorted(ranks)
    assert sum(isinstance(value, TurnEnded) for value in values) == ended
    assert not ended or isinstance(values[-1], TurnEnded)
    assert all(value.session == S for value in values)


@given(MESSAGES)
def test_no_thought_and_no_half_sample_ever_comes_through(message: dict[str, Any]) -> None:
    values = said(message)

    assert Wrote(S, "b") not in values
    assert all(value.pcm and len(value.pcm) % 2 == 0 for value in values if isinstance(value, Speech))
