"""One queue, drained on the event loop.

    put (any thread) ──▶ [ envelope envelope … ] ──▶ at most BATCH each turn of the loop ──▶ reader(envelope)
                                                                                             (the actor)

`put` on the loop's thread appends and schedules one drain; from any other thread it is carried to the loop first,
so that the queue is touched by one thread only and needs no lock. The loop is the one that runs when the mailbox is
made: a thread may have the address before anybody reads. The reader may be away (before the start, and between a
crash and the rebirth): mail waits, in order. A full mailbox drops the oldest of what its actor says may be dropped
and accepts all else.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from pykka import ActorDeadError, messages
from pykka._envelope import Envelope

BATCH = 64
"""Messages handled in one turn of the loop; then others have theirs."""


class Mailbox:
    """Pykka's `ActorInbox` for actors that live on an event loop."""

    __slots__ = (
        "_closed",
        "_loop",
        "_queue",
        "_reader",
        "_room",
        "_scheduled",
        "_thread",
        "dropped",
        "mark",
        "on_drop",
        "sheds",
    )

    def __init__(self) -> None:
        self.mark = 1024
        """So many messages make a full mailbox."""
        self.sheds: tuple[type, ...] = ()
        """Kinds of mail that a full mailbox may drop, oldest first."""
        self.dropped = 0
        self.on_drop: Callable[[], None] | None = None
        """Called for every message that was dropped; for whoever counts them."""
        self._queue: deque[Envelope[Any]] = deque()
        # Without a loop nothing is drained and all mail is put down by the thread that tests a built actor.
        self._loop: asyncio.AbstractEventLoop | None = asyncio._get_running_loop()
        self._thread = threading.get_ident()
        self._reader: Callable[[Envelope[Any]], None] | None = None
        self._scheduled = False
        self._closed = False
        self._room: asyncio.Future[None] | None = None  # somebody waits for the mailbox to empty

    def __len__(self) -> int:
        return len(self._queue)

    def empty(self) -> bool:
        return not self._queue

    def get(self) -> Envelope[Any]:
        """Take the oldest envelope out; `IndexError` when there is none."""
        return self._queue.popleft()

    def put(self, envelope: Envelope[Any], /) -> None:
        """Deliver; never blocks, from any thread. What comes after the end is answered with `ActorDeadError`."""
        loop = self._loop
        if loop is None or threading.get_ident() == self._thread:
            self._accept(envelope)
            return
        try:
            loop.call_soon_threadsafe(self._accept, envelope)
        except RuntimeError:  # the loop is closed: nobody will ever read this
            refuse(envelope)

    def attach(self, reader: Callable[[Envelope[Any]], None]) -> None:
        """From here on `reader` is handed the mail, on the running loop. Mail that waited comes first."""
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._reader = reader
        self._schedule()

    def detach(self) -> None:
        """The reader is gone; mail waits for another."""
        self._reader = None

    def close(self) -> None:
        """Nobody will read again: those who wait for an answer are told so."""
        self._closed = True
        self._reader = None
        while self._queue:
            refuse(self._queue.popleft())
        self._make_room()

    @property
    def full(self) -> bool:
        return len(self._queue) >= self.mark

    async def room(self) -> None:
        """Wait until the mailbox is below its mark; for whoever reads a socket into it."""
        while self.full and not self._closed:
            if self._room is None:
                self._room = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._room)

    def _accept(self, envelope: Envelope[Any]) -> None:
        if self._closed:
            refuse(envelope)
            return
        if len(self._queue) >= self.mark and isinstance(envelope.message, self.sheds):
            self._shed()
        self._queue.append(envelope)
        if self._reader is not None:
            self._schedule()

    def _shed(self) -> None:
        """Drop the oldest message that may be dropped, if there is one."""
        for index, envelope in enumerate(self._queue):
            if isinstance(envelope.message, self.sheds):
                del self._queue[index]
                self.dropped += 1
                if self.on_drop is not None:
                    self.on_drop()
                return

    def _schedule(self) -> None:
        if not self._scheduled and self._queue and self._loop is not None:
            self._scheduled = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._scheduled = False
        queue = self._queue
        try:
            for _ in range(min(BATCH, len(queue))):
                if self._reader is None or not queue:
                    break
                self._reader(queue.popleft())
        finally:
            if self._reader is not None:
                self._schedule()
            if len(queue) < self.mark:
                self._make_room()

    def _make_room(self) -> None:
        if self._room is not None:
            waiter, self._room = self._room, None
            if not waiter.done():
                waiter.set_result(None)


def refuse(envelope: Envelope[Any]) -> None:
    """Answer mail that nobody will read: with `ActorDeadError`, but who wanted an end has it."""
    if envelope.reply_to is None:
        return
    if isinstance(envelope.message, messages._ActorStop):
        envelope.reply_to.set(None)
        return
    error = ActorDeadError("stopped before handling the message")
    envelope.reply_to.set_exception((ActorDeadError, error, None))
