"""What came in since the last answer, and the sentence that answers it. Pure.

    Utterance, text, picture ──▶ Prompt ──▶ sentence, sound

The sentence says what was received and nothing else: there is no model here, and nobody shall think there is one.
A spoken prompt is answered with its own sound, a typed one with the synthetic voice.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

from actors.live.emulator.listening import LONGEST_SECONDS, Utterance
from actors.live.emulator.sound import HEARING_RATE, Samples
from actors.live.emulator.voice import speak

QUOTED = 80
"""Characters of a typed text that the answer repeats."""
TEXTS = 50
"""Texts that are remembered for the next answer; a client may seed any number."""


@dataclass(slots=True)
class Prompt:
    """Input that waits for its answer."""

    sound: Samples = field(default_factory=lambda: array("h"))
    seconds: float = 0.0
    spoken: bool = False
    texts: list[str] = field(default_factory=list)
    pictures: int = 0

    def hear(self, utterance: Utterance) -> None:
        """Somebody has spoken, perhaps again."""
        room = int(LONGEST_SECONDS * HEARING_RATE) - len(self.sound)
        self.sound.extend(utterance.sound[: max(0, room)])
        self.seconds += utterance.seconds
        self.spoken = True

    def read(self, text: str) -> None:
        """Somebody has written."""
        self.texts.append(text)
        del self.texts[:-TEXTS]


def measured(seconds: float) -> str:
    """All that can honestly be said of speech that nobody understood."""
    return f"{seconds:.1f} seconds of speech"


def sentence(prompt: Prompt) -> str:
    """The answer in words."""
    clauses = []
    if prompt.spoken:
        clauses.append(f"you said {measured(prompt.seconds)}")
    if prompt.texts:
        clauses.append(f'you wrote "{_quoted(" ".join(prompt.texts))}"')
    if prompt.pictures:
        clauses.append(f"I have seen {prompt.pictures} picture{'s' if prompt.pictures > 1 else ''}")
    said = " and ".join(clauses) or "you wrote nothing"
    return f"{said[0].upper()}{said[1:]}."


def sound(prompt: Prompt, voice: str) -> Samples:
    """The answer at 16 kHz: the caller's own words where there are any."""
    return prompt.sound if prompt.sound else speak(sentence(prompt), voice)


def _quoted(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= QUOTED else f"{words[: QUOTED - 1].rstrip()}…"
