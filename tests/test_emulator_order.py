"""The order and bundling of each family's messages, as templates of our own.

One letter a message (`emulator_caller.SYMBOLS`). The templates restate what recorded traffic of the real service
shows for 2.5; for 3.8 they are the assumption that `profiles` names.
"""

from __future__ import annotations

import re

import pytest

from tests.emulator_caller import NEW, OLD, Caller, content, realtime, score, silence, tone, typed

VOICE_TURN = {OLD: r"i{4}t(o+a+)+gT", NEW: r"i{4}_(b+a*)+gT"}
TYPED_TURN = {OLD: r"t(o+a+)+gT", NEW: r"_(b+a*)+gT"}
UNTRANSCRIBED = {OLD: r"ta+gT", NEW: r"_a+gT"}
BARGE_IN = {OLD: r"t(o+a+)+xT", NEW: r"_(b+a*)+xT"}

families = pytest.mark.parametrize("model", [OLD, NEW])


@families
def test_a_spoken_turn(model: str) -> None:
    caller = Caller().open(model)

    said = caller.speak(tone(2.3) + silence(1)) + caller.wait(10)

    assert re.fullmatch(VOICE_TURN[model], score(said))


@families
@pytest.mark.parametrize("message", [typed("good evening"), realtime(text="good evening")])
def test_a_typed_turn(model: str, message: dict[str, object]) -> None:
    caller = Caller().open(model)

    said = caller.say(message) + caller.wait(10)

    assert re.fullmatch(TYPED_TURN[model], score(said))


@families
def test_a_turn_without_transcripts(model: str) -> None:
    caller = Caller().open(model, inputAudioTranscription=None, outputAudioTranscription=None)

    said = caller.speak(tone(1) + silence(1)) + caller.wait(10)

    assert re.fullmatch(UNTRANSCRIBED[model], score(said))


@families
def test_a_turn_that_is_spoken_into(model: str) -> None:
    caller = Caller().open(model)
    caller.speak(tone(3) + silence(0.9))

    said = caller.wait(0.5) + caller.speak(tone(0.1))

    assert re.fullmatch(BARGE_IN[model], score(said))


@families
def test_a_resumable_turn_stands_between_two_handles(model: str) -> None:
    caller = Caller().open(model, sessionResumption={})

    said = caller.say(typed("good evening")) + caller.wait(10)

    assert score(caller.heard).startswith("Sh-")
    assert re.fullmatch(f"-{TYPED_TURN[model]}h", score(said))


@families
def test_the_sizes_of_sound_are_those_of_the_service(model: str) -> None:
    caller = Caller().open(model)

    said = caller.speak(tone(1) + silence(1)) + caller.wait(10)

    parts = [turn["parts"][0] for turn in content(said, "modelTurn") if "inlineData" in turn["parts"][0]]
    sizes = [len(part["inlineData"]["data"]) * 3 // 4 for part in parts]
    assert {part["inlineData"]["mimeType"] for part in parts} == {"audio/pcm;rate=24000"}
    assert sizes[0] == 9600
    assert set(sizes[1:-1]) == {11520}
    assert 0 < sizes[-1] <= 11520


@families
def test_input_is_transcribed_in_words_with_blanks_in_front(model: str) -> None:
    caller = Caller().open(model)

    said = caller.speak(tone(2.3) + silence(1))

    pieces = [piece["text"] for piece in content(said, "inputTranscription")]
    assert pieces == [" 2.3", " seconds", " of", " speech"]


@families
def test_the_first_word_does_not_come_after_the_first_sound(model: str) -> None:
    caller = Caller().open(model)

    said = caller.speak(tone(20) + silence(1)) + caller.wait(30)

    assert re.fullmatch("i{4}(to|_b)[oab]+gT", score(said))
