"""How talk.wav was made: three short sentences, said by a machine.

    phrases ──▶ espeak-ng ──▶ 22 050 Hz ──▶ trim ──▶ 16 000 Hz ──▶ joined by short pauses ──▶ talk.wav

    python tests/talk_wav.py [FILE]      writes FILE, talk.wav without one

Needs the command `espeak-ng` (Debian's package of that name); nothing else in the project does. The engine is under
the GPL, what it says is not: the sound is generated, no recording of anybody, and comes with the project's licence.

The pauses inside are shorter than what a voice detector takes for the end of an utterance (Google's docs: some
800 ms, 100 to 200 ms on the impatient side), so the file is one turn. It ends in silence because Chromium's
`--use-file-for-fake-audio-capture` goes on repeating the last buffer of a file that it plays once.
"""

from __future__ import annotations

import io
import math
import subprocess
import sys
import wave
from array import array
from collections.abc import Iterable
from operator import mul
from pathlib import Path

PHRASES = ("Hello Parley.", "Can you hear me?", "Tell me what you heard.")
VOICE = ("-v", "en-us", "-s", "160", "-a", "80")  # words a minute; loudness, of 200

RATE = 16_000  # Hz, what the Live API takes
PAUSE = 0.15  # seconds between the phrases
ENDING = 0.3  # seconds of silence after the last
QUIET = 200  # of 32 767: softer than this is the edge of a phrase

REACH = 24  # input samples that an output sample is made of, on each side
PASS = 0.92  # of the lower half rate: what the filter lets through


def spoken(phrase: str) -> tuple[int, array[int]]:
    """Rate in Hz and 16-bit samples of `phrase`, without the silence around it."""
    said = subprocess.run(("espeak-ng", *VOICE, "--stdout", phrase), check=True, capture_output=True).stdout
    with wave.open(io.BytesIO(said)) as wav:
        rate, samples = wav.getframerate(), array("h", wav.readframes(wav.getnframes()))
    loud = [place for place, sample in enumerate(samples) if abs(sample) > QUIET]
    return rate, samples[loud[0] : loud[-1] + 1]


def resampled(samples: array[int], *, rate: int, to: int) -> array[int]:
    """`samples` at `rate` Hz as they would be at `to` Hz: a windowed sinc, with a filter for each place between two."""
    up, down = to // math.gcd(rate, to), rate // math.gcd(rate, to)
    filters = [_filter(phase / up, cutoff=PASS * min(1.0, up / down)) for phase in range(up)]
    padded = array("h", bytes(2 * REACH)) + samples + array("h", bytes(2 * REACH))
    places = (divmod(place * down, up) for place in range(len(samples) * up // down))
    return array("h", (_sample(padded, filters, whole, phase) for whole, phase in places))


def _filter(offset: float, *, cutoff: float) -> list[float]:
    """Weights of the 2 * REACH samples around a point `offset` after the middle one. Their sum is one."""
    weights = [_weight(place - REACH + 1 - offset, cutoff) for place in range(2 * REACH)]
    return [weight / sum(weights) for weight in weights]


def _weight(distance: float, cutoff: float) -> float:
    angle = math.pi * distance * cutoff
    sinc = math.sin(angle) / angle if angle else 1.0
    return sinc * (0.5 + 0.5 * math.cos(math.pi * distance / REACH))  # Hann


def _sample(padded: array[int], filters: list[list[float]], whole: int, phase: int) -> int:
    value = sum(map(mul, padded[whole + 1 : whole + 1 + 2 * REACH], filters[phase]))
    return max(-32_768, min(32_767, round(value)))


def talk(phrases: Iterable[str]) -> array[int]:
    """The phrases as one utterance at RATE, each followed by a pause, the last by the ending."""
    pause = array("h", bytes(2 * round(PAUSE * RATE)))
    samples = array("h")
    for phrase in phrases:
        rate, said = spoken(phrase)
        samples += resampled(said, rate=rate, to=RATE) + pause
    return samples + array("h", bytes(2 * round((ENDING - PAUSE) * RATE)))


def main(path: Path) -> None:
    """Write the utterance to `path`, as 16-bit mono."""
    with wave.open(str(path), "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(talk(PHRASES).tobytes())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "talk.wav"))
