"""What the model says, on its way to one caller.

    Speech Heard Said BargedIn TurnEnded ──▶ Floor: whose turn it is ──▶ replies at once ─────────▶ Delivery ──▶ port
                                                   └─▶ sound and signs, in order ──▶ Playout ──▶ Delivery ──▶ port

Part of the ConnectionActor, which tells it the time. Every method may raise `GatewayError(TOO_SLOW)`.
"""

from __future__ import annotations

from actors.call.delivery import Delivery
from actors.call.floor import QUIET, Floor, Step
from actors.messages import BargedIn, Generated, Heard, Said, TurnEnded, Wrote
from actors.metrics import Metrics
from actors.replies import Interrupted, Reply, TurnComplete


class Stage:
    """The way down."""

    def __init__(self, delivery: Delivery, floor: Floor, metrics: Metrics) -> None:
        self._delivery, self._metrics = delivery, metrics
        self.floor = floor
        self.piece_at = 0.0
        """When a piece of the caller's transcript last came."""
        self.ended_at = 0.0
        """When the model's last turn was over."""
        self._asked_at: float | None = None  # the caller has said something and heard no answer yet

    def hear(self, message: object, now: float) -> None:
        """One thing of the model's that is not sound."""
        match message:
            case Heard(_, text, finished):
                if text:  # some families send empty pieces, which are no sign of life
                    self._note_piece(now)
                self.take(self.floor.heard(text, finished=finished))
            case Said(_, text, finished):
                self.take(self.floor.said(text, finished=finished))
            case Wrote(_, content):
                self.take(self.floor.wrote(content))
            case BargedIn():
                self._interrupt(now)
            case Generated():
                self.take(self.floor.generated())
            case TurnEnded(_, reason):
                self.ended_at = now
                self.take(self.floor.ended(reason))

    def say(self, reply: Reply) -> None:
        """Something of the house's own, at once."""
        self._delivery.say(reply)

    @property
    def is_choked(self) -> bool:
        """Whether too much of what was said has not been taken."""
        return self._delivery.is_choked

    def typed(self, content: str, now: float) -> None:
        """The caller asked in writing."""
        self._asked_at = now
        self.take(self.floor.typed(content))

    def sound(self, pcm: bytes, now: float) -> None:
        """The model's sound."""
        if self.floor.void:
            self._metrics.frames_dropped.labels("down", "interrupted").inc()
            return
        if not self.floor.open:
            self.take(self.floor.begun())
        if self._asked_at is not None:
            self._metrics.first_audio.observe(now - self._asked_at)
            self._asked_at = None
        self._delivery.sound(pcm)

    def pump(self, now: float) -> float | None:
        """Hand over what is due; return the seconds until there is more."""
        return self._delivery.pump(now)

    def take(self, step: Step) -> None:
        """Let a step of the floor have its consequences."""
        self.floor = step.floor
        for reply in step.now:
            self._delivery.say(reply)
        for sign in step.line:
            self._delivery.sign(sign)

    def announce_quiet(self, heard_at: float, now: float) -> None:
        """The old server said so when a caller's sound, last heard then, had stopped without an answer."""
        if heard_at > self.ended_at and self.is_quiet(now):
            self._delivery.say(TurnComplete(self.floor.turn, QUIET))

    def unheard(self, now: float) -> float:
        """Seconds of sound that the caller cannot have heard yet."""
        return self._delivery.unheard(now)

    def is_quiet(self, now: float) -> bool:
        """The model is not speaking and nothing that it said is unheard."""
        return not self.floor.open and self._delivery.unheard(now) == 0

    def clear(self, now: float) -> list[Reply]:
        """The call is over: what must still be said of it, in order."""
        step = self.floor.ended(None) if self.floor.open else self.floor.quieted()
        self._asked_at = None
        self.floor = Floor()
        return [*step.now, *self._delivery.flush(now), *step.line]

    def _interrupt(self, now: float) -> None:
        """What is unplayed is dropped at once; the signs between are still said, in their order."""
        if self.is_quiet(now):
            return  # nothing to interrupt: the model sends such phantoms
        turn = self.floor.turn
        signs = self._delivery.flush(now)
        # That it was spoken over comes after its beginning and before its end, if it has one.
        end = [sign for sign in signs if isinstance(sign, TurnComplete) and sign.turn == turn]
        for sign in (*signs[: len(signs) - len(end)], Interrupted(turn), *end):
            self._delivery.say(sign)
        self.take(self.floor.barged_in())

    def _note_piece(self, now: float) -> None:
        """The caller has said something; a piece that comes while they are being answered is no new question."""
        self.piece_at = now
        if not self.floor.open or self.floor.void:
            self._asked_at = now
