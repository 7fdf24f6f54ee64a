"""Where an utterance begins and ends. Pure.

    16 kHz samples ──▶ Ear.hear ──▶ Onset … Utterance        by loudness, unless the client says it itself
    activityStart, activityEnd ──▶ Ear.open, Ear.close

Sound is looked at in blocks of 20 ms. A block is loud when it stands out from the quietest of the last seconds
(minimum statistics after Martin, "Noise power spectral density estimation", 2001, reduced to one band), so a fan
becomes background after a while. Time is counted in samples: a microphone that pauses stops this clock, as it
stops the service's, which is why `audioStreamEnd` exists.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from dataclasses import dataclass

from actors.live.emulator.sound import HEARING_RATE, Samples, power

BLOCK_SECONDS = 0.02
BLOCK = int(HEARING_RATE * BLOCK_SECONDS)
"""Samples of a block."""
EDGE = 10
"""Blocks kept before the first and after the last loud one, so that no consonant is cut off."""
LONGEST_SECONDS = 30.0
"""How much of an utterance is kept to be played back; a longer one is still measured to its end."""

STANDS_OUT = 3.0
"""A loud block has this many times the RMS of the background: 9.5 dB."""
ALWAYS_LOUD = 2_500.0
"""RMS (a tenth of the largest sine) that is speech over whatever background."""
BACKGROUND = 50.0
"""RMS of the background until it is known: a caller may begin with a word."""
WINDOW = 400
"""Blocks (8 s) over which a minimum is taken. A breath must fall into it, or speech becomes background."""


@dataclass(frozen=True, slots=True)
class Hearing:
    """What a setup asked of the ear."""

    automatic: bool
    """False: the client marks activity itself."""
    silence_seconds: float
    """Silence that ends an utterance."""
    onset_seconds: float
    """Sound that begins one."""
    quietest: float
    """RMS below which nothing is loud."""


@dataclass(frozen=True, slots=True)
class Onset:
    """Somebody has begun to speak."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """Somebody has finished speaking."""

    sound: Samples
    """At 16 kHz, with the edges, at most `LONGEST_SECONDS` of it."""
    seconds: float
    """From the first loud block to the last."""


class Background:
    """The loudness of what is not speech: the quietest block of this window and the one before."""

    def __init__(self, quietest: float) -> None:
        self._quietest = quietest**2
        self._before = BACKGROUND**2
        self._lowest = math.inf
        self._left = WINDOW

    def is_loud(self, level: float) -> bool:
        """Whether a block of this mean square stands out; the block counts from now on."""
        self._lowest = min(self._lowest, level)
        background = min(self._before, self._lowest) * STANDS_OUT**2
        self._left -= 1
        if not self._left:
            self._before, self._lowest, self._left = self._lowest, math.inf, WINDOW
        return level > min(max(background, self._quietest), ALWAYS_LOUD**2)


class Ear:
    """Listens to one caller."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self._background = Background(hearing.quietest)
        self._rest: Samples = array("h")
        """Less than a block, until more comes."""
        self._before: deque[Samples] = deque(maxlen=EDGE + _blocks(hearing.onset_seconds))
        self._kept: Samples = array("h")
        self._heard = 0  # samples since the beginning, kept or not
        self._edge = 0  # samples in front of the first loud block
        self._length = 0  # blocks since the first loud one
        self._silent = 0  # of these, at the end
        self._run = 0  # loud blocks in a row, before the onset
        self.active = False
        """Somebody is speaking."""

    def hear(self, sound: Samples) -> list[Onset | Utterance]:
        """The next piece of sound, of any length. Without automatic detection it is simply kept."""
        if not self._hearing.automatic:
            self._keep(sound)
            return []
        sound = self._rest + sound if self._rest else sound
        whole = len(sound) - len(sound) % BLOCK
        self._rest = sound[whole:]
        events = [self._block(sound[start : start + BLOCK]) for start in range(0, whole, BLOCK)]
        return [event for event in events if event]

    def open(self) -> list[Onset | Utterance]:
        """The client says that activity starts."""
        if self.active:
            return []
        self.active = True
        return [Onset()]

    def close(self) -> list[Onset | Utterance]:
        """The client says that activity, or the stream, has ended; what was begun is finished."""
        return [self._finish()] if self.active else []

    def _block(self, block: Samples) -> Onset | Utterance | None:
        loud = self._background.is_loud(power(block))
        return self._during(block, loud=loud) if self.active else self._between(block, loud=loud)

    def _between(self, block: Samples, *, loud: bool) -> Onset | None:
        self._before.append(block)
        self._run = self._run + 1 if loud else 0
        if not loud or self._run < _blocks(self._hearing.onset_seconds):
            return None
        self.active = True
        self._length, self._silent = self._run, 0
        for earlier in self._before:
            self._keep(earlier)
        self._edge = len(self._kept) - self._run * BLOCK
        return Onset()

    def _during(self, block: Samples, *, loud: bool) -> Utterance | None:
        self._keep(block)
        self._length += 1
        self._silent = 0 if loud else self._silent + 1
        if loud or self._silent < _blocks(self._hearing.silence_seconds):
            return None
        return self._finish()

    def _keep(self, sound: Samples) -> None:
        self._heard += len(sound)
        room = int(LONGEST_SECONDS * HEARING_RATE) - len(self._kept)
        self._kept.extend(sound[: max(0, room)])

    def _finish(self) -> Utterance:
        utterance = self._measured() if self._hearing.automatic else self._marked()
        self._kept, self._heard, self._run, self.active = array("h"), 0, 0, False
        self._before.clear()
        return utterance

    def _measured(self) -> Utterance:
        blocks = self._length - self._silent
        end = self._edge + (blocks + min(EDGE, self._silent)) * BLOCK
        return Utterance(self._kept[:end], blocks * BLOCK_SECONDS)

    def _marked(self) -> Utterance:
        return Utterance(self._kept, self._heard / HEARING_RATE)


def _blocks(seconds: float) -> int:
    return max(1, math.ceil(round(seconds / BLOCK_SECONDS, 6)))
