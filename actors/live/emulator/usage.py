"""Tokens of the whole context, billed again each turn. Pure.

    input ──▶ Context.add ─┐
    output ─▶ Context.add ─┴─▶ totals ──▶ usage_metadata, at each `turnComplete`

The context is kept as token counts by modality and turn, never as content. Counts are Google's where published
(25 tokens a second of sound either way, 258 a picture) and a rule of thumb for text (four characters a token).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TOKENS_PER_SECOND = 25
"""Sound, in and out (Google's Live API pages)."""
TOKENS_PER_PICTURE = 258
"""A picture, or a frame of video (Google's Live API pages)."""
CHARACTERS_PER_TOKEN = 4
"""ai.google.dev, "Understand and count tokens"."""

ORDER = ("TEXT", "AUDIO", "IMAGE", "VIDEO")
"""The order in which modalities are listed; recorded for the first two."""


@dataclass(frozen=True, slots=True)
class Compression:
    """When the context is shortened, and to how many tokens."""

    trigger: int
    target: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A context at one moment, as a resumption handle keeps it."""

    instruction: int
    turns: tuple[Mapping[str, int], ...]


class Context:
    """What the model remembers of one conversation, in tokens by modality."""

    def __init__(self, memory: Memory) -> None:
        self._instruction = memory.instruction
        self._turns = [Counter(turn) for turn in memory.turns]
        self._now: Counter[str] = Counter()

    def instruct(self, tokens: int) -> None:
        """The system instruction is another one now."""
        self._instruction = tokens

    def add(self, modality: str, tokens: int) -> None:
        """Something was said, by either side."""
        self._now[modality] += tokens

    def end_turn(self) -> None:
        """What follows belongs to the next turn."""
        self._turns.append(self._now)
        self._now = Counter()

    def totals(self) -> Counter[str]:
        """Tokens of everything, by modality."""
        total = Counter(self._now)
        total["TEXT"] += self._instruction
        for turn in self._turns:
            total.update(turn)
        return total

    def compress(self, compression: Compression) -> None:
        """Forgets the oldest turns when the context has grown to the trigger; never the instruction."""
        left = self.totals().total()
        if left < compression.trigger:
            return
        while self._turns and left > compression.target:
            left -= self._turns.pop(0).total()

    def memory(self) -> Memory:
        """The turns that are over, to go on from later."""
        return Memory(self._instruction, tuple(dict(turn) for turn in self._turns))


def text_tokens(text: str) -> int:
    """Tokens of a text, about."""
    return -(-len(text) // CHARACTERS_PER_TOKEN)


def sound_tokens(seconds: float) -> int:
    """Tokens of so many seconds of sound."""
    return round(seconds * TOKENS_PER_SECOND)


def usage_metadata(prompt: Mapping[str, int], spoken: int, thoughts: int) -> dict[str, Any]:
    """The `usageMetadata` of a turn. Thoughts are outside the total, and zeros are left out: both as recorded."""
    asked = sum(prompt.values())
    counts = {
        "promptTokenCount": asked,
        "responseTokenCount": spoken,
        "totalTokenCount": asked + spoken,
        "promptTokensDetails": _details(prompt),
        "responseTokensDetails": _details({"AUDIO": spoken}),
        "thoughtsTokenCount": thoughts,
    }
    return {name: count for name, count in counts.items() if count}


def _details(tokens: Mapping[str, int]) -> list[dict[str, Any]]:
    return [{"modality": name, "tokenCount": tokens[name]} for name in ORDER if tokens.get(name)]
