"""An answer as timed messages, in the order and bundling of its family. Pure.

    Answer ──▶ beats ──▶ Beat(at, message), one after the other ──▶ Performance.take, when it is time

    2.5   thought · words · sound · words · sound … · generationComplete            one kind a message
    3.x   {} · sound+words · sound … · generationComplete                           bundled

Sound leaves faster than real time in the sizes of the service, and is resampled and encoded only when its turn
has come: an answer that is interrupted costs what was heard of it. `turnComplete` is not made here, because it
carries the bill; the performance is merely over when its time has come.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pybase64 import b64encode

from actors.live.emulator.options import Options
from actors.live.emulator.profiles import Profile
from actors.live.emulator.sound import HEARING_RATE, SPEAKING_RATE, Samples, pcm, resample

FIRST_SECONDS = 0.2
"""The first message with sound: 9600 bytes at 24 kHz (google-gemini/cookbook#952)."""
NEXT_SECONDS = 0.24
"""Those after it: 11520 bytes; the last has what is left (the same source)."""
MIME = f"audio/pcm;rate={SPEAKING_RATE}"
BYTES_PER_SECOND = 2 * SPEAKING_RATE
UP, DOWN = 3, 2
"""16 kHz to 24 kHz."""

THOUGHT = (
    "**Preparing the reply**\n\nThe input is complete. There is no model here that could understand it, so I will "
    "say plainly what has been received, and keep it short.\n\n\n"
)
"""2.5 thinks aloud in this form, a title and a paragraph, even when thoughts were not asked for."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to be said."""

    words: str
    """Empty if no transcript was asked for."""
    sound: Samples
    """At 16 kHz."""


@dataclass(frozen=True, slots=True)
class Beat:
    """One message, or the end of the turn, and when."""

    at: float
    """Seconds after the answer began."""
    message: dict[str, Any] | None
    """`None` when the turn is over."""
    seconds: float = 0.0
    """Sound in the message."""


def server_content(**fields: Any) -> dict[str, Any]:
    """A message with only this in its `serverContent`."""
    return {"serverContent": fields}


def pieces(text: str, *, leading: bool = False) -> list[str]:
    """A transcript as the service sends it: word by word, blanks in front; recorded on input before the first, too."""
    words = re.findall(r"\s*\S+", text)
    return [f" {words[0]}", *words[1:]] if leading and words else words


def chunks(sound: Samples) -> Iterator[bytes]:
    """Sound in the sizes of the service: PCM at 24 kHz."""
    count = len(sound)
    sound = sound + sound[-1:] * (1 + count % DOWN)  # whole blocks, and one sample to look ahead to
    start, size = 0, int(FIRST_SECONDS * HEARING_RATE)
    while start < count:
        yield pcm(resample(sound[start : start + size + 1], UP, DOWN))
        start, size = start + size, int(NEXT_SECONDS * HEARING_RATE)


def beats(answer: Answer, profile: Profile, options: Options) -> Iterator[Beat]:
    """The whole answer, made piece by piece as it is asked for."""
    if profile.opens_empty:
        yield Beat(0.0, server_content())
    if profile.thinks:
        yield Beat(0.0, server_content(modelTurn={"parts": [{"text": THOUGHT, "thought": True}]}))
    said = 0.0
    for words, part in _with_words(answer):
        yield from _spoken(said / options.speed, words, part, bundles=profile.bundles)
        said += len(part) / BYTES_PER_SECOND
    generated = said / options.speed
    yield Beat(generated, server_content(generationComplete=True))
    yield Beat(min(max(said, generated), generated + options.playback_delay), None)


def _with_words(answer: Answer) -> Iterator[tuple[list[str], bytes]]:
    """Each chunk with the words that begin in it, spread evenly; some in the first, all by the last."""
    words, count = pieces(answer.words), len(answer.sound)
    said, begun = 0, 0
    for part in chunks(answer.sound):
        said += len(part) // 2 * DOWN // UP
        end = math.ceil(len(words) * min(1.0, said / count))
        yield words[begun:end], part
        begun = end


def _spoken(at: float, words: list[str], part: bytes, *, bundles: bool) -> Iterator[Beat]:
    sound = {"modelTurn": {"parts": [{"inlineData": {"mimeType": MIME, "data": b64encode(part).decode()}}]}}
    seconds = len(part) / BYTES_PER_SECOND
    if bundles:
        text = {"outputTranscription": {"text": "".join(words)}} if words else {}
        yield Beat(at, server_content(**sound, **text), seconds)
        return
    for word in words:
        yield Beat(at, server_content(outputTranscription={"text": word}))
    yield Beat(at, server_content(**sound), seconds)


class Performance:
    """One answer on its way out."""

    def __init__(self, script: Iterator[Beat], begins: float) -> None:
        self._script = script
        self._begins = begins
        self._next = next(script)
        self.seconds = 0.0
        """Sound sent so far."""

    @property
    def next_at(self) -> float:
        """When the next message, or the end, is due."""
        return self._begins + self._next.at

    def take(self) -> dict[str, Any] | None:
        """The next message, whatever the time; `None` is the end of the turn, and the last."""
        beat = self._next
        self.seconds += beat.seconds
        if beat.message is not None:
            self._next = next(self._script)
        return beat.message
