"""A voice that is no model's."""

from __future__ import annotations

import pytest

from actors.live.emulator.listening import Ear, Hearing, Utterance
from actors.live.emulator.sound import power
from actors.live.emulator.voice import speak, syllables


@pytest.mark.parametrize(
    ("word", "count"), [("you", 1), ("wrote", 2), ("picture", 3), ("hm", 1), ("2.3", 2), ("für", 1), ("—", 1)]
)
def test_syllables_are_vowel_groups_and_digits(word: str, count: int) -> None:
    assert syllables(word) == count


def test_more_text_is_more_sound() -> None:
    assert len(speak("hello", "Puck")) < len(speak("hello there", "Puck"))
    assert len(speak("", "Puck")) == 0


def test_it_is_audible_and_never_distorted() -> None:
    sound = speak("You have written something.", "Puck")

    assert power(sound) > 1_000**2
    assert max(map(abs, sound)) < 10_000


def test_an_ear_takes_it_for_speech() -> None:
    ear = Ear(Hearing(automatic=True, silence_seconds=0.8, onset_seconds=0.04, quietest=150.0))
    ear.hear(speak("You have written something.", "Puck"))

    assert [type(event) for event in ear.close()] == [Utterance]


def test_every_voice_has_its_own_pitch_and_is_the_same_each_time() -> None:
    assert speak("hello", "Puck") != speak("hello", "Kore")
    assert speak("hello", "Puck") == speak("hello", "Puck")
