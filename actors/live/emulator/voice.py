"""Text as syllables of sine: a voice that is plainly no model's, audible and cheap. Pure.

    "You wrote" ──▶ you · wrote ──▶ one tone a vowel group, falling in pitch, a pause a word ──▶ 16 kHz samples

Each prebuilt voice has its own pitch, so that choosing another one can be heard without a model.
"""

from __future__ import annotations

import math
import re
from array import array
from functools import lru_cache

from actors.live.emulator.profiles import VOICES
from actors.live.emulator.sound import HEARING_RATE, Samples

SYLLABLE_SECONDS = 0.14
PAUSE_SECONDS = 0.05
"""Between words."""
LOWEST = 100.0
"""Hz of the lowest voice; thirty voices climb two octaves above it."""
FALL = (1.12, 1.06, 1.0, 0.94)
"""Pitch within a word, syllable by syllable, again and again."""
LOUDNESS = 9_000
"""Peak of a syllable, of 32,767."""
OVERTONES = ((1, 0.6), (2, 0.3), (3, 0.1))
"""Multiples of the pitch, and how much of each."""

_VOWELS = re.compile(r"[aeiouyàáâäæèéêëìíîïòóôöøùúûüýÿœ]+|\d", re.IGNORECASE)


def speak(text: str, voice: str) -> Samples:
    """The text at 16 kHz, in the pitch of this voice. Never silent unless the text is."""
    pitch = LOWEST * 4 ** (VOICES.index(voice) / len(VOICES)) if voice in VOICES else LOWEST
    pause = array("h", bytes(2 * int(PAUSE_SECONDS * HEARING_RATE)))
    sound: Samples = array("h")
    for word in text.split():
        for place in range(syllables(word)):
            sound.extend(_syllable(pitch * FALL[place % len(FALL)]))
        sound.extend(pause)
    return sound


def syllables(word: str) -> int:
    """Vowel groups and digits; a word without any is one."""
    return max(1, len(_VOWELS.findall(word)))


@lru_cache(maxsize=len(VOICES) * len(FALL))
def _syllable(pitch: float) -> Samples:
    """One tone that swells and fades."""
    count = int(SYLLABLE_SECONDS * HEARING_RATE)
    turn = 2 * math.pi * pitch / HEARING_RATE
    return array(
        "h",
        (
            int(
                LOUDNESS
                * math.sin(math.pi * at / count)
                * sum(share * math.sin(turn * times * at) for times, share in OVERTONES)
            )
            for at in range(count)
        ),
    )
