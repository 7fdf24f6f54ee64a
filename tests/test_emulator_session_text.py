"""Text, pictures, tools and updates after the setup, and what they mean."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pybase64 import b64encode

from actors.live.emulator.endings import INVALID, MEDIA_CHUNKS, NO_VOICES, Close
from tests.emulator_caller import (
    BOTH,
    NEW,
    OLD,
    Caller,
    audio,
    content,
    realtime,
    score,
    silence,
    tone,
    transcript,
    typed,
)

PICTURE = {"data": b64encode(b"jpeg").decode(), "mimeType": "image/jpeg"}

families = pytest.mark.parametrize("model", BOTH)


@families
def test_seeds_wait_for_the_turn_that_is_complete(model: str) -> None:
    caller = Caller().open(model)

    assert caller.say(typed("one", complete=False)) == []
    assert caller.say(typed("not mine", complete=False, role="model")) == []
    assert caller.wait(10) == []
    said = caller.say({"client_content": {"turnComplete": True}}) + caller.wait(10)
    assert transcript(said) == 'You wrote "one".'


def test_text_beside_an_answer_waits_for_its_end() -> None:
    caller = Caller().open()
    caller.say(realtime(text="one"))
    caller.wait(0.3)

    said = caller.say(realtime(text="two")) + caller.say(realtime(text="three")) + caller.wait(20)

    assert content(said, "interrupted") == []
    assert transcript(said).endswith('You wrote "two three".')


def test_text_that_waits_while_somebody_speaks_up_is_answered_with_what_was_said() -> None:
    caller = Caller().open()
    caller.say(realtime(text="one"))
    caller.wait(0.3)
    caller.say(realtime(text="two"))

    said = caller.speak(tone(0.5) + silence(1)) + caller.wait(10)

    assert re.match("b*xTiiii", score(said))
    assert transcript(said).endswith('You said 0.5 seconds of speech and you wrote "two".')


def test_text_during_speech_is_answered_with_it() -> None:
    caller = Caller().open()
    caller.speak(tone(0.5))

    assert caller.say(realtime(text="look")) == []
    said = caller.speak(tone(0.5) + silence(1)) + caller.wait(10)
    assert transcript(said) == 'You said 1.0 seconds of speech and you wrote "look".'


def test_a_history_wants_no_answer_but_what_follows_it_does() -> None:
    caller = Caller().open(historyConfig={"initialHistoryInClientContent": True}, sessionResumption={})

    assert caller.say(typed("long ago", complete=False)) == []
    assert score(caller.say(typed("indeed", role="model"))) == "h"
    assert caller.wait(10) == []
    said = caller.say(realtime(text="now")) + caller.wait(10)
    assert transcript(said) == 'You wrote "now".'


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "system", "parts": [{"text": "x"}]},
        {"role": "user", "parts": [{"functionCall": {"name": "f"}}]},
        {"role": "user", "parts": [{"functionResponse": {"name": "f"}}]},
    ],
)
def test_content_of_another_kind_ends_it(turn: dict[str, Any]) -> None:
    caller = Caller().open()

    caller.say({"client_content": {"turns": [turn], "turnComplete": True}})

    assert caller.close == INVALID


@families
@pytest.mark.parametrize("message", [typed("hi"), realtime(text="hi"), audio(tone(0.1))])
def test_a_native_audio_model_asked_for_text_finds_no_voices_at_the_first_input(
    model: str, message: dict[str, Any]
) -> None:
    caller = Caller().open(model, generationConfig={"responseModalities": ["TEXT"]})

    assert score(caller.heard) == "S"
    caller.say(message)
    assert caller.close == NO_VOICES


# ── pictures, tools, updates ─────────────────────────────────────────────────────────────────────


def test_a_picture_is_mentioned_in_the_next_answer_and_only_there() -> None:
    caller = Caller().open()

    assert caller.say(realtime(video=PICTURE)) == []
    first = caller.speak(tone(1) + silence(1)) + caller.wait(10)
    second = caller.speak(tone(1) + silence(1)) + caller.wait(10)

    assert transcript(first) == "You said 1.0 seconds of speech and I have seen 1 picture."
    assert transcript(second) == "You said 1.0 seconds of speech."


def test_a_picture_among_content_is_seen() -> None:
    caller = Caller().open()
    parts = [{"text": "what is this"}, {"inlineData": PICTURE}]

    said = caller.say({"client_content": {"turns": [{"parts": parts}], "turnComplete": True}}) + caller.wait(10)

    assert transcript(said) == 'You wrote "what is this" and I have seen 1 picture.'


@pytest.mark.parametrize("blob", [{"data": "", "mimeType": "image/tiff"}, {"data": ""}])
def test_a_picture_of_another_kind_ends_it(blob: dict[str, str]) -> None:
    caller = Caller().open()

    caller.say(realtime(video=blob))

    assert caller.close == INVALID


def test_media_chunks_are_sound_and_pictures_on_old_models() -> None:
    caller = Caller().open(OLD)
    chunks = [audio(tone(0.5) + silence(1))["realtime_input"]["audio"], PICTURE]

    said = caller.say(realtime(mediaChunks=chunks))

    assert transcript(said, "inputTranscription") == " 0.5 seconds of speech"
    assert caller.line.tally.frames == {"setup": 1, "audio": 1, "video": 1}


def test_media_chunks_end_it_on_new_models() -> None:
    caller = Caller().open(NEW)

    caller.say(realtime(mediaChunks=[PICTURE]))

    assert caller.close == MEDIA_CHUNKS


@families
def test_an_answer_to_a_call_that_was_never_made_is_ignored(model: str) -> None:
    answers = [{"id": "function-call-1", "name": "f", "response": {"ok": True}}]

    assert Caller().open(model).say({"tool_response": {"functionResponses": answers}}) == []


@pytest.mark.parametrize(("model", "close"), [(OLD, INVALID), (NEW, None)])
def test_an_update_of_the_context_is_for_new_models(model: str, close: Close | None) -> None:
    caller = Caller().open(model)

    caller.say({"contextUpdate": {"systemInstruction": {"parts": [{"text": "be brief"}]}}})

    assert caller.close == close


def test_an_update_is_held_to_the_rules_of_a_setup() -> None:
    caller = Caller().open()

    caller.say({"contextUpdate": {"tools": {"tools": [{"functionDeclarations": [{"name": "bad name"}]}]}}})

    assert caller.close == INVALID
