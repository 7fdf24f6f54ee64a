"""How the process itself is doing.

    event loop ──▶ how late a timer runs ──▶ parley_loop_lag_seconds, /ready
    gc         ──▶ how long it stops us  ──▶ parley_gc_pause_seconds

What was made at start-up is frozen out of the collector's sight and its thresholds are raised: with thousands of
sockets one full collection was measured to stop the loop for a third of a second.
"""

from __future__ import annotations

import asyncio
import gc
import time
from types import TracebackType
from typing import Any, Self

from actors.metrics import Metrics

LOOK_EVERY = 0.5
"""Seconds between two looks at the loop."""
THRESHOLDS = (50_000, 50, 1_000)


class Vitals:
    """Watches from entering to leaving; to be entered on the loop, when everything is loaded."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._timer: asyncio.TimerHandle | None = None
        self._collecting_since = 0.0
        self._thresholds = gc.get_threshold()  # to be put back
        self.loop_lag = 0.0
        """Seconds by which the last look came late."""

    def __enter__(self) -> Self:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*THRESHOLDS)
        gc.callbacks.append(self._collection)
        self._look_again()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        gc.callbacks.remove(self._collection)
        gc.set_threshold(*self._thresholds)
        gc.unfreeze()
        if self._timer is not None:
            self._timer.cancel()

    def _look_again(self) -> None:
        due = time.monotonic() + LOOK_EVERY
        self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look, due)

    def _look(self, due: float) -> None:
        self.loop_lag = max(0.0, time.monotonic() - due)
        self._metrics.loop_lag.set(self.loop_lag)
        self._look_again()

    def _collection(self, phase: str, _: dict[str, Any]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._collecting_since = now
        else:
            self._metrics.gc_pause.observe(now - self._collecting_since)
