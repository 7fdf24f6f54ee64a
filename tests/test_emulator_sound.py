"""Rates, loudness, resampling."""

from __future__ import annotations

import itertools
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.emulator.sound import Resampler, pcm, power, rate_of, resample, samples
from tests.emulator_caller import silence, tone

RATES = [8_000, 11_025, 16_000, 22_050, 24_000, 44_100, 48_000]


@pytest.mark.parametrize(
    ("mime", "rate"),
    [
        ("audio/pcm;rate=16000", 16_000),
        ("audio/pcm; rate=48000", 48_000),
        ("Audio/PCM;RATE=8000", 8_000),
        ("audio/pcm", 16_000),
        ("audio/pcm;rate=1", None),
        ("audio/pcm;rate=999999", None),
        ("audio/pcm;rate=", None),
        ("audio/wav", None),
        ("audio/pcm;rate=16000;channels=2", None),
        ("", None),
    ],
)
def test_the_rate_stands_in_the_mime_type(mime: str, rate: int | None) -> None:
    assert rate_of(mime) == rate


def test_bytes_are_little_endian_samples() -> None:
    assert samples(b"\x01\x00\xff\xff\x00\x80") == array("h", [1, -1, -32768])
    assert pcm(array("h", [1, -1, -32768])) == b"\x01\x00\xff\xff\x00\x80"


def test_power_is_the_square_of_the_loudness() -> None:
    assert power(samples(silence(0.02))) == 0
    assert power(samples(tone(1, loudness=8_000))) == pytest.approx(8_000**2 / 2, rel=0.01)
    assert power(array("h")) == 0


@given(st.lists(st.integers(-32768, 32767), min_size=3, max_size=60), st.integers(1, 5), st.integers(1, 5))
def test_resampling_is_linear_interpolation(values: list[int], up: int, down: int) -> None:
    out = resample(array("h", values), up, down)

    expected = []
    for place in range(len(out)):
        first, part = divmod(place * down, up)
        expected.append(values[first] + (values[first + 1] - values[first]) * part / up)
    assert len(out) == (len(values) - 1) // down * up
    assert all(abs(a - b) < 3 for a, b in zip(out, expected, strict=True))


@pytest.mark.parametrize("rate", RATES)
def test_a_second_stays_a_second_and_a_tone_keeps_its_pitch_and_loudness(rate: int) -> None:
    heard = Resampler(rate).push(samples(tone(1, rate=rate, hertz=400)))

    rising = sum(a < 0 <= b for a, b in itertools.pairwise(heard))
    assert len(heard) == pytest.approx(16_000, abs=150)
    assert rising == pytest.approx(400, abs=5)
    assert power(heard) == pytest.approx(8_000**2 / 2, rel=0.05)


@pytest.mark.parametrize("rate", RATES)
@given(sizes=st.lists(st.integers(0, 700), max_size=8))
def test_a_stream_is_the_same_however_it_is_cut(rate: int, sizes: list[int]) -> None:
    sound = samples(tone(0.15, rate=rate))
    whole, pieces = Resampler(rate).push(sound), Resampler(rate)

    out, at = array("h"), 0
    for size in [*sizes, len(sound)]:
        out += pieces.push(sound[at : at + size])
        at += size

    assert out == whole
