"""When an answer's messages leave, and what is in them."""

from __future__ import annotations

import itertools
import math

import pytest
from pybase64 import b64decode

from actors.live.emulator.options import Options
from actors.live.emulator.profiles import LIVE_38, NATIVE_25, Profile
from actors.live.emulator.sound import samples
from actors.live.emulator.speaking import Answer, Beat, Performance, beats, chunks, pieces
from tests.emulator_caller import tone

PROFILES = pytest.mark.parametrize("profile", [NATIVE_25, LIVE_38], ids=lambda profile: profile.name)


def answer(seconds: float, words: str = "You said something.") -> Answer:
    return Answer(words, samples(tone(seconds)))


def script(seconds: float, profile: Profile = NATIVE_25, **options: float) -> list[Beat]:
    return list(beats(answer(seconds), profile, Options(**options)))


def moments(script: list[Beat]) -> list[float]:
    """When sound leaves, then the end of generation, then the end of the turn."""
    return [round(beat.at, 3) for beat in script if beat.seconds] + [round(beat.at, 3) for beat in script[-2:]]


@pytest.mark.parametrize(
    ("text", "leading", "words"),
    [
        ("You said", False, ["You", " said"]),
        ("2.3 seconds", True, [" 2.3", " seconds"]),
        ("", False, []),
        ("", True, []),
    ],
)
def test_words_carry_the_blank_in_front_of_them(text: str, leading: bool, words: list[str]) -> None:
    assert pieces(text, leading=leading) == words


@pytest.mark.parametrize(
    ("seconds", "sizes"),
    [
        (0.1, [4_800]),
        (0.2, [9_600]),
        (0.6, [9_600, 11_520, 7_680]),
        (1.0, [9_600, 11_520, 11_520, 11_520, 3_840]),
        (0.0, []),
    ],
)
def test_sound_leaves_in_the_sizes_of_the_service(seconds: float, sizes: list[int]) -> None:
    assert [len(chunk) for chunk in chunks(samples(tone(seconds)))] == sizes


def test_an_odd_number_of_samples_loses_none() -> None:
    assert sum(map(len, chunks(samples(tone(0.3))[:-1]))) == 0.3 * 48_000


def test_chunks_join_without_a_seam() -> None:
    sound = samples(b"".join(chunks(samples(tone(1, hertz=100, loudness=10_000)))))

    steps = [abs(b - a) for a, b in itertools.pairwise(sound)]
    assert max(steps[:-1]) < 10_000 * 2 * math.pi * 100 / 24_000 * 1.2


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"speed": 1.0}, [0.0, 0.2, 0.44, 0.6, 0.6]),
        ({"speed": 4.0}, [0.0, 0.05, 0.11, 0.15, 0.6]),
        ({"speed": 4.0, "playback_delay": 0.1}, [0.0, 0.05, 0.11, 0.15, 0.25]),
        ({"speed": 4.0, "playback_delay": 0.0}, [0.0, 0.05, 0.11, 0.15, 0.15]),
        ({"speed": 0.5}, [0.0, 0.4, 0.88, 1.2, 1.2]),
        ({"speed": math.inf}, [0.0, 0.0, 0.0, 0.0, 0.6]),
        ({"speed": math.inf, "playback_delay": 0.0}, [0.0] * 5),
    ],
)
def test_the_pace_and_the_wait_for_playback(options: dict[str, float], expected: list[float]) -> None:
    assert moments(script(0.6, **options)) == expected


@PROFILES
@pytest.mark.parametrize("seconds", [0.05, 0.7, 5.0])
def test_all_words_are_said_and_all_sound_is_sent(profile: Profile, seconds: float) -> None:
    contents = [beat.message["serverContent"] for beat in script(seconds, profile) if beat.message]

    words = [content["outputTranscription"]["text"] for content in contents if "outputTranscription" in content]
    parts = [part for content in contents for part in content.get("modelTurn", {"parts": []})["parts"]]
    sound = b"".join(b64decode(part["inlineData"]["data"]) for part in parts if "inlineData" in part)
    assert "".join(words) == "You said something."
    assert len(sound) == round(seconds * 48_000)


@PROFILES
def test_only_the_family_that_thinks_aloud_does(profile: Profile) -> None:
    parts = [
        part
        for beat in script(0.5, profile)
        for part in ((beat.message or {}).get("serverContent", {}).get("modelTurn", {"parts": []})["parts"])
    ]

    assert any(part.get("thought") for part in parts) is profile.thinks


def test_a_performance_counts_what_was_heard_of_it() -> None:
    performance = Performance(iter(script(0.6)), begins=10.0)

    assert performance.next_at == 10.0
    performance.take()  # the thought
    assert performance.seconds == 0
    for _ in range(3):  # two words, one piece of sound
        performance.take()
    assert performance.seconds == pytest.approx(0.2)
    assert performance.next_at == pytest.approx(10.05)


def test_a_performance_ends_with_nothing() -> None:
    performance = Performance(iter(script(0.2)), begins=0.0)

    taken = [performance.take() for _ in script(0.2)]

    assert taken[-1] is None
    assert taken[-2] == {"serverContent": {"generationComplete": True}}
