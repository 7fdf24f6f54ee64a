"""What one caller says, on its way to the model.

    Audio Media Text ContextUpdate ──▶ Allowance ──▶ Held until there is a link ──▶ LinkActor
                                            └─▶ a refusal in words, now and then     ▲
                                       Snapshots (debounce, throttle) ───────────────┘

Part of the ConnectionActor, which tells it the time and when the link is open.
"""

from __future__ import annotations

from actors.call.allowance import Allowance
from actors.call.held import Held
from actors.call.snapshots import Snapshots
from actors.messages import Audio, Bucket, ContextUpdate, Image, Lease, Text
from actors.metrics import Metrics
from actors.replies import Notice
from actors.runtime import Mail

DROPPED_EVERY = 5.0
"""Seconds between two words about sound that was thrown away."""
STALE = 5.0
"""Seconds after which sound that nobody was there to hear has lost its meaning."""


class Intake:
    """The way up. Every method that takes a caller's message may raise a `GatewayError` that is to be said."""

    def __init__(self, allowance: Allowance, held: Held, snapshots: Snapshots, metrics: Metrics) -> None:
        self._allowance, self._held, self._metrics = allowance, held, metrics
        self._link: Mail | None = None
        self.snapshots = snapshots
        self.heard_at = 0.0
        """When the caller's sound last came."""
        self._dropped = 0  # frames of which the caller has not been told
        self._dropped_told_at = -DROPPED_EVERY

    def expect(self, now: float) -> None:
        """A call begins: sound of just now belongs to it, what is older does not."""
        if now - self.heard_at > STALE:
            self._held.clear()

    def open(self, link: Mail) -> None:
        """The model is there: hand over what came early, and from here on everything."""
        self._link = link
        for message in self._held.take():
            link.tell(message)

    def shut(self) -> None:
        """There is no model to talk to; what comes waits for the next one."""
        self._link = None
        self._held.clear()

    def audio(self, audio: Audio, now: float) -> None:
        """One frame of sound."""
        if self.may(Bucket.AUDIO, now):
            self._hear(audio, now)

    def media(self, chunks: tuple[Audio | Image, ...], now: float) -> None:
        """A batch: one message of its first chunk's kind, as the old server counted."""
        if not self.may(Bucket.AUDIO if isinstance(chunks[0], Audio) else Bucket.MEDIA, now):
            return
        for chunk in chunks:
            if isinstance(chunk, Audio):
                self._hear(chunk, now)
            else:
                self._pass(chunk)

    def text(self, text: Text, now: float) -> bool:
        """Typed input; whether it was taken."""
        taken = self.may(Bucket.MESSAGES, now)
        if taken:
            self._pass(text)
        return taken

    def context(self, update: ContextUpdate, now: float) -> bool:
        """What the page sees; whether it was taken."""
        taken = self.may(Bucket.MESSAGES, now)
        if taken:
            self.snapshots.offer(update, now)
        return taken

    def show(self, now: float) -> float | None:
        """Send the pictures that are due; return the seconds until the next one is."""
        if self._link is None:
            return None
        for image in self.snapshots.due(now):
            self._link.tell(image)
        return self.snapshots.wait(now)

    def may(self, bucket: Bucket, now: float) -> bool:
        """Spend one message.

        Raises:
            GatewayError: RATE_LIMITED, when there is none to spend and it is time to say so.
        """
        allowed = self._allowance.may(bucket, now)
        if not allowed:
            self._word(bucket, now)
        return allowed

    def overflow(self, now: float) -> None:
        """More bytes came than anybody needs, and were thrown away."""
        self._metrics.frames_dropped.labels("up", "too_many_bytes").inc()
        self._word(None, now)

    def refill(self, lease: Lease, now: float) -> None:
        """The limiter has answered."""
        self._allowance.refill(lease, now)

    def _word(self, bucket: Bucket | None, now: float) -> None:
        refusal = self._allowance.refusal(bucket, now)
        if refusal is not None:
            raise refusal

    def dropped(self, now: float) -> Notice | None:
        """What to say of sound that was thrown away, now and then."""
        if not self._dropped or now - self._dropped_told_at < DROPPED_EVERY:
            return None
        words = f"dropped {self._dropped} frames of sound that came faster than anybody speaks"
        self._dropped, self._dropped_told_at = 0, now
        return Notice("AUDIO_DROPPED", words)

    def _hear(self, audio: Audio, now: float) -> None:
        if not self._allowance.hears(audio.pcm, now):
            self._dropped += 1
            self._metrics.frames_dropped.labels("up", "faster_than_speech").inc()
            return
        self._metrics.audio_up.inc()
        self.heard_at = now
        self._pass(audio)

    def _pass(self, message: Audio | Text | Image) -> None:
        if self._link is not None:
            self._link.tell(message)
        elif dropped := self._held.add(message):
            self._metrics.frames_dropped.labels("up", "early").inc(dropped)
