"""One ordered writer to one session, which never waits.

    send ──▶ Uplink.write ──▶ socket            while the transport takes it
                   │  ▲
                   ▼  │ room again              sound: the last 5 s, oldest dropped and counted
                 [held]                         everything else: kept, in its place
                   │
                   └── no room for 5 s ──▶ stalled

A transport takes minutes of sound that nobody reads, and sends them late when the peer wakes up. So what it has
no room for is held here, where the oldest sound can still be given up. One timer runs while there is no room, none
otherwise. "No room" lasts until 48 of the transport's 64 KiB have gone: if that takes longer than the patience
allows, the line moves less than a quarter of what speech needs, and counts as one on which nothing moves.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from actors.live.upstream_socket import UpstreamSocket
from actors.messages import CALLER_BYTES_PER_SECOND

logger = logging.getLogger(__name__)

HELD_SECONDS = 5
"""Sound held while there is no room; the same as a link holds while there is no session."""
HELD_BYTES = HELD_SECONDS * CALLER_BYTES_PER_SECOND


class Uplink:
    """Writes to `socket`; calls `stalled` if there is no room for `patience` seconds on end."""

    def __init__(
        self,
        socket: UpstreamSocket,
        *,
        patience: float,
        stalled: Callable[[], None],
        dropped: Callable[[int], None] | None = None,
    ) -> None:
        """`dropped` is told how many frames of sound were given up, once that is over."""
        self._socket = socket
        self._patience = patience
        self._stalled: Callable[[], None] | None = stalled
        self._held: deque[tuple[bytes, int]] = deque()  # frames, and how many bytes of PCM are in each
        self._held_sound = 0
        self._clock: asyncio.TimerHandle | None = None  # runs while there is no room
        self._dropped = dropped
        self._lost = 0  # frames of sound given up, and not told yet
        socket.on_full, socket.on_room = self._full, self._room

    def write(self, frame: bytes, *, sound: int = 0) -> None:
        """Send this after everything before it. `sound` is its PCM in bytes; without sound it is never dropped."""
        if self._held or self._socket.paused:
            self._hold(frame, sound)
        else:
            self._socket.write(frame)

    def stop(self) -> None:
        """What is held is not sent any more, and nobody is told of a stall."""
        self._held.clear()
        self._report()
        self._stalled = self._dropped = None
        if self._clock is not None:
            self._clock.cancel()

    def _hold(self, frame: bytes, sound: int) -> None:
        self._held.append((frame, sound))
        self._held_sound += sound
        while self._held_sound > HELD_BYTES:
            oldest = next(place for place, (_, size) in enumerate(self._held) if size)
            self._held_sound -= self._held[oldest][1]
            del self._held[oldest]
            self._lost += 1

    def _full(self) -> None:
        if self._stalled is not None:
            self._clock = self._socket.loop.call_later(self._patience, self._stalled)

    def _room(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
        # Not at once: the transport calls this from the middle of its own flushing.
        self._socket.loop.call_soon(self._flush)

    def _flush(self) -> None:
        while self._held and not self._socket.paused:
            frame, sound = self._held.popleft()
            self._held_sound -= sound
            self._socket.write(frame)
        self._report()

    def _report(self) -> None:
        if self._lost:
            logger.warning("! upstream was behind: %d frames of sound dropped", self._lost)
            if self._dropped is not None:
                self._dropped(self._lost)
        self._lost = 0
