"""How the house's words and the model's sound reach one caller.

    say(reply) ─────────────────────────────────▶ port
    sign(reply), sound(pcm) ──▶ Playout ──pump──▶ port        at the pace at which it is heard

A caller who stops reading is noticed by what the network has not taken: nothing more is handed over until it has,
and who takes nothing for ten seconds, or falls a minute behind, is let go with a sentence. Behind is who was stuck
while that much sound came due: a long answer of a fast model waits in the line for readers too, and is no fault of
theirs. Others hear nothing of it. Every write passes here, so nothing that a stranger provokes can pile up without
bound.
"""

from __future__ import annotations

from actors.call.playout import Playout
from actors.connection_port import CallerPort
from actors.errors import TOO_SLOW, GatewayError
from actors.metrics import Metrics
from actors.replies import Reply, Sound

STUCK_BYTES = 64 * 1024
"""Unsent bytes with which a caller counts as not reading just now."""
STUCK_SECONDS = 10.0
"""So long without any of them taken, and the caller is let go."""
STUCK_LOOK = 0.25
"""Seconds between two looks at a caller who is not reading."""
UNSENT_LIMIT = 2 * 1024 * 1024
"""Unsent bytes with which a caller is let go at once."""


class Delivery:
    """The way out to one caller."""

    def __init__(self, port: CallerPort, playout: Playout, *, cap: float, metrics: Metrics) -> None:
        self._port, self._playout, self._cap, self._metrics = port, playout, cap, metrics
        self._stuck_since: float | None = None
        self._taken_at = 0.0  # while stuck: when any of it was last taken
        self._untaken = 0  # what would be unsent now if nothing had been taken since the last look

    def say(self, reply: Reply) -> None:
        """Say it at once.

        Raises:
            GatewayError: TOO_SLOW, when too much of what was said before has not been taken.
        """
        before = self._port.unsent
        self._port.send(reply)
        self._untaken += self._port.unsent - before
        if self.is_choked:
            raise GatewayError(TOO_SLOW, f"{self._port.unsent} bytes unsent, expected at most {UNSENT_LIMIT}")

    @property
    def is_choked(self) -> bool:
        """Whether more is unsent than anybody needs who reads at all."""
        return self._port.unsent > UNSENT_LIMIT

    def sign(self, reply: Reply) -> None:
        """Say it after the sound that waits."""
        self._playout.sign(reply)

    def sound(self, pcm: bytes) -> None:
        """Let the caller hear it, after what waits."""
        self._playout.sound(pcm)

    def pump(self, now: float) -> float | None:
        """Hand over what is due; return the seconds until there is more to do, `None` when nothing waits.

        Raises:
            GatewayError: TOO_SLOW.
        """
        if self._is_stuck(now):
            return STUCK_LOOK
        for reply in self._playout.due(now):
            if type(reply) is Sound:
                self._metrics.audio_down.inc()
            self.say(reply)
        return self._playout.wait(now)

    def flush(self, now: float) -> list[Reply]:
        """Forget the sound; return the signs that stood between."""
        return self._playout.flush(now)

    def unheard(self, now: float) -> float:
        """Seconds of sound that the caller cannot have heard yet."""
        return self._playout.unheard(now)

    def _is_stuck(self, now: float) -> bool:
        unsent = self._port.unsent
        if unsent <= STUCK_BYTES:
            self._stuck_since = None
            return False
        if self._stuck_since is None:
            self._stuck_since = self._taken_at = now
        elif unsent < self._untaken:
            self._taken_at = now
        self._untaken = unsent
        if now - self._taken_at >= STUCK_SECONDS:
            raise GatewayError(TOO_SLOW, f"nothing was taken for {STUCK_SECONDS:g} s")
        behind = min(self._playout.seconds, now - self._stuck_since)
        if behind > self._cap:
            raise GatewayError(TOO_SLOW, f"{behind:.0f} s behind, expected at most {self._cap:g} s")
        return True
