"""Whose turn it is, and what the caller is told of it.

    Speech Said Wrote ──▶ a turn begins        TurnStarted(n) ─┐
    Generated                                                  ├─▶ line: said in order with the sound
    TurnEnded         ──▶ it is over           TurnComplete(n) ┘
    BargedIn          ──▶ the rest of it is void
    Heard / Said      ──▶ transcript deltas, one final for each utterance ──▶ now: said at once

A value: each happening gives a `Step`, the new floor and what follows from it. It knows no clock and no socket.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from actors.call.transcript import Side, Transcript, delta
from actors.replies import GenerationComplete, ModelText, Reply, TurnComplete, TurnStarted

QUIET = "quiet"
"""Reason of the turn end that the old server announced when a caller's sound had stopped without an answer."""
LINK_CHANGED = "link_changed"
"""Reason of the end of a turn whose session was lost under it."""


@dataclass(frozen=True, slots=True)
class Floor:
    """The state of the conversation's turns. Turns are counted from 1 within a call."""

    turn: int = 0
    open: bool = False
    void: bool = False
    """The open turn was interrupted: what still comes of its sound is dropped."""
    transcript: Transcript = field(default_factory=Transcript)

    def heard(self, text: str, *, finished: bool) -> Step:
        """A piece of what the caller said."""
        return self._piece("caller", text, finished=finished)

    def said(self, text: str, *, finished: bool) -> Step:
        """A piece of what the model says."""
        if not text:  # the end of an utterance, or one of the empty ones that some families send
            return self._piece("model", text, finished=finished)
        begun = self.begun()
        step = begun.floor._piece("model", text, finished=finished)
        return Step(step.floor, step.now, begun.line)

    def typed(self, text: str) -> Step:
        """The caller typed something, which their page shows already; what they were saying is closed before it."""
        step = self._close("caller")
        transcript = step.floor.transcript.piece("caller", text, finished=True)
        return Step(replace(step.floor, transcript=transcript), step.now)

    def wrote(self, content: str) -> Step:
        """A text part of the model's turn."""
        begun = self.begun()
        return Step(begun.floor, (ModelText(content),), begun.line)

    def begun(self) -> Step:
        """The model has the floor."""
        if self.open:
            return Step(self)
        turn = self.turn + 1
        return Step(replace(self, turn=turn, open=True, void=False), (), (TurnStarted(turn),))

    def barged_in(self) -> Step:
        """The caller spoke over the model."""
        step = self._close("caller")._then("model")
        return Step(replace(step.floor, void=self.open), step.now)

    def generated(self) -> Step:
        """All of the open turn's sound is here."""
        return Step(self, (), (GenerationComplete(self.turn),) if self.open and not self.void else ())

    def ended(self, reason: str | None) -> Step:
        """The turn is over; one that had nothing to say still ends, under the number it would have had."""
        step = self._close("caller")._then("model")
        turn = self.turn if self.open else self.turn + 1
        floor = replace(step.floor, turn=turn, open=False, void=False)
        return Step(floor, step.now, (TurnComplete(turn, reason),))

    def quieted(self) -> Step:
        """Nothing more of the caller's utterance will come."""
        return self._close("caller")

    def _piece(self, side: Side, text: str, *, finished: bool) -> Step:
        was_open = self.transcript.is_open(side)
        if not text and not (finished and was_open):
            return Step(self)
        floor = replace(self, transcript=self.transcript.piece(side, text, finished=finished))
        return Step(floor, (delta(side, text, final=finished),))

    def _close(self, side: Side) -> Step:
        if not self.transcript.is_open(side):
            return Step(self)
        return Step(replace(self, transcript=self.transcript.close(side)), (delta(side, "", final=True),))


@dataclass(frozen=True, slots=True)
class Step:
    """What follows from a happening."""

    floor: Floor
    now: tuple[Reply, ...] = ()
    """To be said at once."""
    line: tuple[Reply, ...] = ()
    """To be said when the sound before it has been handed over."""

    def _then(self, side: Side) -> Step:
        more = self.floor._close(side)
        return Step(more.floor, self.now + more.now, self.line)
