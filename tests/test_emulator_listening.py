"""Where an utterance begins and ends."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.emulator.listening import Ear, Hearing, Onset, Utterance
from actors.live.emulator.sound import Samples, samples
from tests.emulator_caller import silence, tone

DEFAULT = Hearing(automatic=True, silence_seconds=0.8, onset_seconds=0.04, quietest=150.0)
MANUAL = replace(DEFAULT, automatic=False)


def noise(seconds: float, loudness: int) -> Samples:
    dice = random.Random(1)
    return array("h", (dice.randint(-loudness, loudness) for _ in range(int(seconds * 16_000))))


def speech(seconds: float, loudness: int = 8_000) -> Samples:
    return samples(tone(seconds, loudness=loudness))


def pause(seconds: float) -> Samples:
    return samples(silence(seconds))


def utterances(events: list[Onset | Utterance]) -> list[float]:
    return [round(event.seconds, 2) for event in events if isinstance(event, Utterance)]


def test_silence_is_nothing() -> None:
    assert Ear(DEFAULT).hear(pause(5)) == []


@pytest.mark.parametrize("seconds", [0.04, 0.5, 2.3, 45.0])
def test_an_utterance_is_as_long_as_its_sound(seconds: float) -> None:
    ear = Ear(DEFAULT)

    events = ear.hear(pause(0.5) + speech(seconds) + pause(1))

    assert [type(event) for event in events] == [Onset, Utterance]
    assert utterances(events) == [seconds]
    assert not ear.active


def test_a_call_may_begin_with_a_word() -> None:
    assert utterances(Ear(DEFAULT).hear(speech(0.5, loudness=600) + pause(1))) == [0.5]


def test_a_click_is_no_speech() -> None:
    assert Ear(DEFAULT).hear(speech(0.02) + pause(1)) == []


def test_the_onset_is_told_before_the_end() -> None:
    ear = Ear(DEFAULT)

    assert ear.hear(speech(0.02)) == []
    assert ear.hear(speech(0.02)) == [Onset()]
    assert ear.active


def test_a_pause_shorter_than_the_silence_belongs_to_the_utterance() -> None:
    assert utterances(Ear(DEFAULT).hear(speech(0.5) + pause(0.7) + speech(0.5) + pause(1))) == [1.7]


@pytest.mark.parametrize(("silence_seconds", "found"), [(0.3, [0.5, 0.5]), (1.5, [])])
def test_the_silence_that_ends_an_utterance_can_be_chosen(silence_seconds: float, found: list[float]) -> None:
    ear = Ear(replace(DEFAULT, silence_seconds=silence_seconds))

    assert utterances(ear.hear((speech(0.5) + pause(0.7)) * 2)) == found


def test_the_sound_that_begins_an_utterance_can_be_chosen() -> None:
    patient = Ear(replace(DEFAULT, onset_seconds=0.5))

    assert patient.hear(speech(0.4) + pause(1)) == []
    assert utterances(patient.hear(speech(0.6) + pause(1))) == [0.6]


def test_an_utterance_has_edges_and_no_long_silence() -> None:
    (_, utterance) = Ear(DEFAULT).hear(pause(1) + speech(0.5) + pause(1))

    assert isinstance(utterance, Utterance)
    assert len(utterance.sound) == pytest.approx(16_000 * 0.9, abs=700)
    assert not any(utterance.sound[:2_000])
    assert any(utterance.sound[4_000:4_400])
    assert not any(utterance.sound[-2_000:])


def test_what_is_kept_of_a_long_utterance_is_bounded() -> None:
    (_, utterance) = Ear(DEFAULT).hear(speech(45) + pause(1))

    assert isinstance(utterance, Utterance)
    assert len(utterance.sound) == 30 * 16_000


def test_quiet_noise_is_not_speech_but_a_voice_above_it_is() -> None:
    ear = Ear(DEFAULT)

    assert ear.hear(noise(20, 200)) == []
    assert utterances(ear.hear(speech(1) + noise(1, 200))) == [1.0]


def test_a_fan_that_is_switched_on_becomes_background() -> None:
    ear = Ear(DEFAULT)

    events = ear.hear(pause(1) + noise(30, 900))

    assert len(utterances(events)) == 1
    assert ear.hear(noise(20, 900)) == []
    assert utterances(ear.hear(speech(1, loudness=12_000) + noise(1, 900))) == [1.0]


def test_a_loud_voice_is_speech_however_long_it_lasts() -> None:
    assert Ear(DEFAULT).hear(speech(60)) == [Onset()]


@given(st.lists(st.integers(0, 3_000), max_size=20))
def test_the_size_of_the_frames_does_not_matter(sizes: list[int]) -> None:
    sound = pause(0.1) + speech(0.5) + pause(0.9) + speech(0.2) + pause(0.9)
    ear, at = Ear(DEFAULT), 0
    events: list[Onset | Utterance] = []
    for size in [*sizes, len(sound)]:
        events += ear.hear(sound[at : at + size])
        at += size

    assert events == Ear(DEFAULT).hear(sound)


def test_the_end_of_the_stream_ends_the_utterance() -> None:
    ear = Ear(DEFAULT)
    ear.hear(speech(0.5))

    assert utterances(ear.close()) == [0.5]
    assert ear.close() == []


def test_a_second_utterance_knows_nothing_of_the_first() -> None:
    ear = Ear(DEFAULT)
    first = ear.hear(speech(0.5) + pause(1))
    second = ear.hear(speech(0.5) + pause(1))

    assert utterances(first) == utterances(second) == [0.5]


def test_marked_activity_is_kept_whole_silence_included() -> None:
    ear = Ear(MANUAL)

    assert ear.open() == [Onset()]
    assert ear.hear(pause(2) + speech(0.5)) == []
    (utterance,) = ear.close()
    assert isinstance(utterance, Utterance)
    assert utterance.seconds == 2.5
    assert len(utterance.sound) == 2.5 * 16_000


def test_marking_twice_is_marking_once() -> None:
    ear = Ear(MANUAL)

    assert ear.close() == []
    assert ear.open() == [Onset()]
    assert ear.open() == []


def test_long_marked_activity_is_measured_to_its_end() -> None:
    ear = Ear(MANUAL)
    ear.open()
    ear.hear(pause(40))

    assert utterances(ear.close()) == [40.0]
