"""The voice that ships with the project says one thing, in the form in which the Live API hears best."""

from __future__ import annotations

import math
import wave
from array import array
from itertools import groupby
from pathlib import Path

import pytest

from tests.talk_wav import ENDING, RATE, resampled

TALK = Path(__file__).parent.parent / "talk.wav"
STEP = RATE // 50  # samples in 20 ms
HEARD = 300  # of 32 767: the loudness from which a detector of energy takes sound for a voice


def loudness(samples: array[int]) -> float:
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def tone(*, hertz: int, rate: int, seconds: float = 0.2) -> array[int]:
    return array("h", (round(10_000 * math.sin(2 * math.pi * hertz * t / rate)) for t in range(round(rate * seconds))))


@pytest.fixture
def talk() -> array[int]:
    with wave.open(str(TALK)) as wav:
        assert (wav.getframerate(), wav.getnchannels(), wav.getsampwidth()) == (RATE, 1, 2)
        return array("h", wav.readframes(wav.getnframes()))


def test_it_is_short_and_small(talk: array[int]) -> None:
    assert 3 <= len(talk) / RATE <= 4
    assert TALK.stat().st_size < 150_000


def test_it_ends_in_silence(talk: array[int]) -> None:
    assert set(talk[-round(ENDING * RATE) :]) == {0}


def test_it_is_loud_enough_and_never_clipped(talk: array[int]) -> None:
    assert 10_000 < max(map(abs, talk)) < 32_000


def test_no_pause_in_it_sounds_like_an_end(talk: array[int]) -> None:
    steps = [loudness(talk[at : at + STEP]) > HEARD for at in range(0, len(talk) - STEP, STEP)]
    spells = [(voice, len(list(spell)) * STEP / RATE) for voice, spell in groupby(steps)]
    pauses = [seconds for voice, seconds in spells[1:-1] if not voice]

    assert len(pauses) >= 2
    assert max(pauses) < 0.25


@pytest.mark.parametrize("hertz", [200, 1_000, 6_000])
def test_resampling_keeps_a_tone(hertz: int) -> None:
    heard = resampled(tone(hertz=hertz, rate=22_050), rate=22_050, to=RATE)
    meant = tone(hertz=hertz, rate=RATE)
    middle = slice(RATE // 20, -RATE // 20)

    assert len(heard) == len(meant)
    assert max(abs(a - b) for a, b in zip(heard[middle], meant[middle], strict=True)) < 100


@pytest.mark.parametrize("hertz", [9_000, 10_500])
def test_resampling_folds_nothing_back_from_above_half_the_rate(hertz: int) -> None:
    heard = resampled(tone(hertz=hertz, rate=22_050), rate=22_050, to=RATE)

    assert loudness(heard[RATE // 20 : -RATE // 20]) < 50
