"""When a picture of what the caller sees goes to the model.

    ContextUpdate(image) ──▶ the latest of each modality ──▶ 600 ms without a newer one, 8 s since the last ──▶ Image

The latest snapshot of each modality is kept; its picture is sent when the page has settled (debounce) and not too
often (throttle), timings of the server that Parley replaces. `intelligence` is kept and never sent as a picture.
It is told the time and keeps no clock.
"""

from __future__ import annotations

from collections.abc import Mapping

from actors.messages import ContextUpdate, Image, Modality

DEBOUNCE = 0.6
"""Seconds without a newer picture before one is sent."""
THROTTLE = 8.0
"""Seconds between two pictures of one modality."""
SHOWN = (Modality.SCREEN, Modality.WEBCAM)
"""Modalities whose pictures the model is shown."""


class Snapshots:
    """The latest of each modality, and which of them are waiting to be shown."""

    def __init__(self, kept: Mapping[Modality, ContextUpdate] | None = None) -> None:
        self.latest: dict[Modality, ContextUpdate] = dict(kept or {})
        self._waiting: dict[Modality, tuple[float, Image]] = {}  # when it may be shown
        self._shown: dict[Modality, float] = {}  # when the last one was

    def offer(self, update: ContextUpdate, now: float) -> None:
        """Keep the update as the latest; its picture, if it has one, takes the place of one that waits."""
        self.latest[update.modality] = update
        if update.image is not None and update.modality in SHOWN:
            earliest = self._shown.get(update.modality, -THROTTLE) + THROTTLE
            self._waiting[update.modality] = max(now + DEBOUNCE, earliest), update.image

    def due(self, now: float) -> list[Image]:
        """Take the pictures that may be shown at this moment."""
        ripe = [modality for modality, (when, _) in self._waiting.items() if when <= now]
        self._shown.update(dict.fromkeys(ripe, now))
        return [self._waiting.pop(modality)[1] for modality in ripe]

    def wait(self, now: float) -> float | None:
        """Seconds until a picture is due; `None` when none waits."""
        return max(0.0, min(when for when, _ in self._waiting.values()) - now) if self._waiting else None
