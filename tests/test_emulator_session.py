"""What comes in after the setup, and what it means."""

from __future__ import annotations

from typing import Any

import pytest
from pybase64 import b64decode

from actors.live.emulator.endings import INVALID
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

MANUAL = {"automaticActivityDetection": {"disabled": True}}
START, END = realtime(activityStart={}), realtime(activityEnd={})

families = pytest.mark.parametrize("model", BOTH)


def marked(model: str = NEW) -> Caller:
    return Caller().open(model, realtimeInputConfig=MANUAL)


def sound(said: list[Any]) -> bytes:
    parts = [part for turn in content(said, "modelTurn") for part in turn["parts"]]
    return b"".join(b64decode(part["inlineData"]["data"]) for part in parts if "inlineData" in part)


# ── sound ────────────────────────────────────────────────────────────────────────────────────────


@families
def test_a_spoken_turn_is_answered_with_the_callers_own_sound(model: str) -> None:
    caller = Caller().open(model)

    said = caller.speak(silence(0.5) + tone(1) + silence(1)) + caller.wait(10)

    assert transcript(said) == "You said 1.0 seconds of speech."
    assert transcript(said, "inputTranscription") == " 1.0 seconds of speech"
    assert len(sound(said)) == pytest.approx(48_000 * 1.4, abs=2_000)


@pytest.mark.parametrize("rate", [8_000, 24_000, 44_100, 48_000])
def test_sound_of_any_rate_is_understood(rate: int) -> None:
    caller = Caller().open()

    caller.speak(tone(1, rate=rate) + silence(1, rate=rate), rate=rate)

    assert transcript(caller.heard, "inputTranscription") == " 1.0 seconds of speech"


@pytest.mark.parametrize(
    "blob",
    [
        {"data": "AAA=", "mimeType": "audio/wav"},
        {"data": "AAA="},
        {"data": "AAAA", "mimeType": "audio/pcm;rate=16000"},
        {"data": "A", "mimeType": "audio/pcm;rate=16000"},
        {"data": "AAA=", "mimeType": "audio/pcm;rate=0"},
    ],
)
def test_sound_that_is_not_whole_samples_of_pcm_ends_it(blob: dict[str, str]) -> None:
    caller = Caller().open()

    caller.say(realtime(audio=blob))

    assert caller.close == INVALID


@pytest.mark.parametrize("blob", [{"data": "", "mimeType": "audio/pcm"}, {"mimeType": "audio/pcm"}])
def test_an_empty_piece_of_sound_is_nothing(blob: dict[str, str]) -> None:
    assert Caller().open().say(realtime(audio=blob)) == []


def test_the_end_of_the_stream_ends_the_utterance_at_once() -> None:
    caller = Caller().open()
    caller.speak(tone(0.5))

    said = caller.say(realtime(audioStreamEnd=True))

    assert transcript(said, "inputTranscription") == " 0.5 seconds of speech"


def test_a_stream_that_has_not_ended_goes_on() -> None:
    caller = Caller().open()
    caller.speak(tone(0.5))

    assert caller.say(realtime(audioStreamEnd=False)) == []


def test_the_clock_of_an_utterance_is_its_sound() -> None:
    """A microphone that pauses leaves the service waiting."""
    caller = Caller().open()
    caller.speak(tone(0.5))

    assert caller.wait(30) == []
    assert transcript(caller.speak(silence(1)), "inputTranscription") == " 0.5 seconds of speech"


# ── marked activity ──────────────────────────────────────────────────────────────────────────────


@families
def test_marked_activity_is_a_turn(model: str) -> None:
    caller = marked(model)
    caller.say(START)
    caller.speak(tone(0.5) + silence(2))

    said = caller.say(END) + caller.wait(10)

    assert transcript(said) == "You said 2.5 seconds of speech."


def test_an_activity_may_stand_in_one_message() -> None:
    caller = marked()

    said = caller.say(realtime(activityEnd={}, audio=audio(tone(0.5))["realtime_input"]["audio"], activityStart={}))

    assert transcript(said, "inputTranscription") == " 0.5 seconds of speech"


@pytest.mark.parametrize(
    ("config", "messages"),
    [
        (MANUAL, [audio(tone(0.1))]),
        (MANUAL, [START, audio(tone(0.1)), END, audio(tone(0.1))]),
        (MANUAL, [realtime(audioStreamEnd=True)]),
        ({}, [START]),
        ({}, [END]),
    ],
)
def test_activity_is_marked_or_detected_but_not_both(config: dict[str, Any], messages: list[dict[str, Any]]) -> None:
    caller = Caller().open(realtimeInputConfig=config)

    for message in messages:
        caller.say(message)

    assert caller.close == INVALID


# ── interruption ─────────────────────────────────────────────────────────────────────────────────


@families
@pytest.mark.parametrize("seconds", [0.05, 0.5, 2.5])
def test_speech_over_an_answer_interrupts_it_until_it_would_have_been_heard(model: str, seconds: float) -> None:
    caller = Caller().open(model)
    caller.speak(tone(3) + silence(0.8))
    caller.wait(seconds)

    said = caller.speak(tone(0.1))

    assert [bool(content(said, field)) for field in ("interrupted", "turnComplete")] == [True, True]
    assert caller.wait(20) == []


def test_speech_after_an_answer_interrupts_nothing() -> None:
    caller = Caller().open()
    caller.speak(tone(0.5) + silence(0.8))
    caller.wait(5)

    assert caller.speak(tone(0.1)) == []


def test_without_interruption_what_was_said_over_an_answer_is_answered_after_it() -> None:
    caller = Caller().open(OLD, realtimeInputConfig={"activityHandling": "NO_INTERRUPTION"})
    caller.speak(tone(3) + silence(0.8))

    said = caller.speak(tone(1) + silence(1)) + caller.wait(20)

    assert content(said, "interrupted") == []
    assert transcript(said).endswith("You said 1.0 seconds of speech.")
    assert (score(said).count("g"), score(said).count("T")) == (2, 2)


def test_the_beginning_of_marked_activity_interrupts() -> None:
    caller = marked()
    caller.say(START)
    caller.speak(tone(1))
    caller.say(END)
    caller.wait(0.3)

    assert score(caller.say(START)) == "xT"


@families
def test_a_finished_turn_of_content_interrupts(model: str) -> None:
    caller = Caller().open(model)
    caller.say(typed("first"))
    caller.wait(0.3)

    said = caller.say(typed("second")) + caller.wait(10)

    assert score(said).startswith("xT")
    assert transcript(said) == 'You wrote "second".'


@pytest.mark.parametrize(("model", "order"), [(OLD, "xT"), (NEW, "")])
def test_content_that_only_seeds_interrupts_old_models(model: str, order: str) -> None:
    caller = Caller().open(model)
    caller.say(typed("first"))
    caller.wait(0.3)

    assert score(caller.say(typed("seed", complete=False))) == order
