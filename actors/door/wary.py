"""The library's connection, with two limits that it lacks.

    bytes ──▶ MORSEL ──▶ control frames ──▶ Pour ── too many ──▶ close 4400
    closing, by whichever side ──▶ CLOSE_PATIENCE ──▶ the socket is gone, whatever the other end does

websockets answers every ping at once, into a buffer without bound, also to those who read none of the answers; and
once a close was sent or received, its `recv` waits for the other end to hang up for as long as that likes (17.4: the
close deadline counts only for those who send). What is leaned on here (`data_received`, `process_event`, `send_data`,
`connection_lost`, `protocol.fail`) is no public interface: `tests/test_wary.py` asks the installed library for it.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CTRL_OPCODES, Frame
from websockets.protocol import CONNECTING, OPEN, Event

from actors.buckets import Pour
from actors.errors import CloseCode

CLOSE_PATIENCE = 5.0
"""Seconds for the closing handshake; a caller who is slow to read may need them to learn why."""
CONTROLS_PER_SECOND = 10
"""Control frames (RFC 6455, section 5.5): a client that looks after its line sends one in twenty seconds."""
CONTROLS_AT_ONCE = 100
MORSEL = 8 * 1024
"""Bytes that are read before what was in them is counted: in what comes at once (a quarter of a megabyte) there is
room for 40 000 pings, and half a second of everybody's time."""


class WaryConnection(ServerConnection):
    """A caller's connection, from the first byte."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._controls = Pour(rate=CONTROLS_PER_SECOND, burst=CONTROLS_AT_ONCE)
        self._deadline: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), MORSEL):
            super().data_received(data[start : start + MORSEL])

    def process_event(self, event: Event) -> None:
        super().process_event(event)
        if not isinstance(event, Frame) or event.opcode not in CTRL_OPCODES or self.protocol.state is not OPEN:
            return
        if not self._controls.pour(1, time.monotonic()):
            self.protocol.fail(CloseCode.NONSENSE, "too many control frames")
            self.send_data()

    def send_data(self) -> None:
        """Everything that ends a connection says so, and so passes here."""
        super().send_data()
        if self._deadline is None and self.protocol.state not in (CONNECTING, OPEN):
            self._deadline = self.loop.call_later(CLOSE_PATIENCE, self.transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        super().connection_lost(error)
