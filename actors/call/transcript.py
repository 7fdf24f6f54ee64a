"""Who said what, from pieces.

    Heard / Said (pieces, in any order between the two) ──▶ InputTranscript / OutputTranscript deltas
                                                       └──▶ Lines: the tail of the conversation

A side's utterance is open from its first piece until something closes it: `finished` where the model family sends
it, the end of the turn, a barge-in, or quiet. Each utterance gets one final, with the last piece or with nothing:
the caller's page appends deltas, so a final never repeats what was sent. A value: every change makes a new one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from actors.replies import InputTranscript, OutputTranscript

Side = Literal["caller", "model"]
TAIL = 20
"""Utterances that are remembered."""
LONGEST = 4_000
"""Characters remembered of one utterance."""


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance so far."""

    side: Side
    text: str
    open: bool = True


@dataclass(frozen=True, slots=True)
class Transcript:
    """The tail of the conversation, oldest first; at most one line of each side is open."""

    lines: tuple[Line, ...] = ()

    def is_open(self, side: Side) -> bool:
        return self._index(side) is not None

    def piece(self, side: Side, text: str, *, finished: bool = False) -> Transcript:
        """Add a piece to the side's open utterance, or begin one with it."""
        index = self._index(side)
        if index is None:
            if not text:
                return self
            return Transcript((*self._tail(), Line(side, text[:LONGEST], not finished)))
        line = self.lines[index]
        return self._with(index, Line(side, (line.text + text)[:LONGEST], not finished))

    def close(self, side: Side) -> Transcript:
        """The side's utterance is over, if one is open."""
        index = self._index(side)
        return self if index is None else self._with(index, replace(self.lines[index], open=False))

    def _tail(self) -> tuple[Line, ...]:
        """What stays when one more comes: an open line always does, or nobody would be told that it ended."""
        if len(self.lines) < TAIL:
            return self.lines
        oldest = next(index for index, line in enumerate(self.lines) if not line.open)
        return (*self.lines[:oldest], *self.lines[oldest + 1 :])

    def _index(self, side: Side) -> int | None:
        for index in range(len(self.lines) - 1, -1, -1):
            if self.lines[index].side == side:
                return index if self.lines[index].open else None
        return None

    def _with(self, index: int, line: Line) -> Transcript:
        return Transcript((*self.lines[:index], line, *self.lines[index + 1 :]))


def delta(side: Side, text: str, *, final: bool) -> InputTranscript | OutputTranscript:
    """What the caller is told of a piece."""
    return InputTranscript(text, final) if side == "caller" else OutputTranscript(text, final)
