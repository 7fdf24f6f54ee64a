"""16-bit samples: rates, loudness, resampling. Pure.

    "audio/pcm;rate=48000", bytes ──▶ rate_of, samples ──▶ Resampler ──▶ 16 kHz, for the ear
    16 kHz ──▶ resample(…, 3, 2) ──▶ 24 kHz, as the service speaks

No numpy: slices of `array` do most of the work in C. Resampling is linear interpolation without a filter before
it; what a person hears back is a telephone, not a studio.
"""

from __future__ import annotations

import re
import sys
from array import array
from fractions import Fraction
from functools import lru_cache
from operator import mul
from typing import TypeAlias

HEARING_RATE = 16_000
"""Samples a second in which the service listens; other rates are converted."""
SPEAKING_RATE = 24_000
"""Samples a second in which the service speaks."""
RATES = range(4_000, 192_001)
COARSEST = 128
"""Largest denominator of a conversion, which bounds its work and what it holds back; 44.1 kHz is off by 0.006 %."""

WHOLE = 1 << 16
"""Weights of a blend add up to this."""
OTHER_SIGN = bytes(byte ^ 0x80 for byte in range(256))
LOW = 0 if sys.byteorder == "little" else 1
"""Where the lower half of a number stands."""

_PCM = re.compile(r"audio/pcm\s*(?:;\s*rate=(\d{1,6})\s*)?", re.IGNORECASE)

Samples: TypeAlias = "array[int]"
"""Signed 16-bit, mono. In quotes, because the class takes no parameter before Python 3.12."""


@lru_cache(maxsize=64)
def rate_of(mime: str) -> int | None:
    """Samples a second of a PCM MIME type; without `rate` it is 16 kHz. `None` if this is not PCM, or absurd."""
    found = _PCM.fullmatch(mime)
    if found is None:
        return None
    rate = int(found[1] or HEARING_RATE)
    return rate if rate in RATES else None


def samples(raw: bytes) -> Samples:
    """Little-endian bytes as numbers. The length must be even."""
    sound = array("h", raw)
    if sys.byteorder == "big":
        sound.byteswap()
    return sound


def pcm(sound: Samples) -> bytes:
    """Numbers as little-endian bytes."""
    if sys.byteorder == "big":
        sound = sound[:]
        sound.byteswap()
    return sound.tobytes()


def power(sound: Samples) -> float:
    """Mean square of every fourth sample: the loudness of speech needs no more, and a frame costs microseconds."""
    some = sound[::4]
    return sum(map(mul, some, some)) / len(some) if some else 0.0


def resample(sound: Samples, up: int, down: int) -> Samples:
    """As many blocks of `down` samples as there are, each turned into `up`; the sample after the last is needed.

    Each of the `up` positions within a block is one strided slice, or two slices blended with constant weights.
    """
    blocks = max(0, (len(sound) - 1) // down)
    out = array("h", bytes(2 * blocks * up))
    for position in range(up):
        first, weight = divmod(position * down, up)
        left = sound[first : first + blocks * down : down]
        if weight:
            left = _blend(left, sound[first + 1 : first + 1 + blocks * down : down], WHOLE * weight // up)
        out[position::up] = left
    return out


def _blend(left: Samples, right: Samples, share: int) -> Samples:
    """Sample by sample, `share` of `WHOLE` of the right one and the rest of the left.

    All samples are computed in one multiplication: they are the digits of one long integer, 32 bits apart. Weights
    that add up to 2^16 leave the result in the upper half of each digit, and none carries into the next.
    """
    mixed = _digits(left) * (WHOLE - share) + _digits(right) * share
    halves = array("H", mixed.to_bytes(4 * len(left), sys.byteorder))
    return array("h", _flipped(halves[1 - LOW :: 2].tobytes()))


def _digits(sound: Samples) -> int:
    spread = array("H", bytes(4 * len(sound)))
    spread[LOW::2] = array("H", _flipped(sound.tobytes()))
    return int.from_bytes(spread.tobytes(), sys.byteorder)


def _flipped(raw: bytes) -> bytearray:
    """Every sign bit turned over: signed samples become unsigned ones, and back."""
    out = bytearray(raw)
    out[1 - LOW :: 2] = raw[1 - LOW :: 2].translate(OTHER_SIGN)
    return out


class Resampler:
    """A stream at one rate becomes a stream at 16 kHz. Holds back what does not fill a block."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        ratio = Fraction(HEARING_RATE, rate).limit_denominator(COARSEST)
        self._up, self._down = ratio.numerator, ratio.denominator
        self._held = array("h")

    def push(self, sound: Samples) -> Samples:
        """The next piece; what comes back may be shorter or longer by a block."""
        if self._up == self._down:
            return sound
        self._held.extend(sound)
        out = resample(self._held, self._up, self._down)
        del self._held[: len(out) // self._up * self._down]
        return out
