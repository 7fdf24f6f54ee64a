"""One caller of a crowd, without a task of its own.

    connect(create_connection=Caller) ──▶ connected ──▶ start ──▶ session_started ──▶ say(n) … heard: Tally

It does what a client must (waits for `connected`, answers heartbeats) and looks at every frame that it hears.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection
from websockets.frames import DATA_OPCODES, Frame, Opcode
from websockets.protocol import OPEN, Event

from bench.frames import Tally, sound_in, up_binary, up_json

PATIENCE = 10.0
"""Seconds for the answer to `start`."""


class NoCall(Exception):
    """The call did not begin, and why."""


class Caller(ClientConnection):
    """One call over one socket."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.tally = Tally(0)
        self.refusals: list[str] = []
        """Codes of the errors that it was told."""
        self._binary = False
        self._connected: asyncio.Future[float] = self.loop.create_future()
        self._started: asyncio.Future[float] = self.loop.create_future()

    @property
    def begun(self) -> bool:
        """Whether the call has begun."""
        return self._started.done() and not self._started.cancelled()

    async def greeted(self) -> None:
        """Wait for `connected`. Raises `NoCall`."""
        await self._within(self._connected, "connected")

    async def start(self, call: int, *, binary: bool) -> float:
        """Begin the call of this number; return the seconds that it took. Raises `NoCall`."""
        self.tally, self._binary = Tally(call), binary
        begun = time.perf_counter()
        self._tell({"type": "start", "payload": {"audio": "binary" if binary else "base64"}})
        return await self._within(self._started, "session_started") - begun

    def say(self, number: int) -> None:
        """Send the frame of this number; nothing, once the socket is closed."""
        self.tally.sent = number + 1
        if self.protocol.state is not OPEN:
            return
        if self._binary:
            self.protocol.send_binary(up_binary(self.tally.call, number))
        else:
            self.protocol.send_text(up_json(self.tally.call, number))
        self.send_data()

    def process_event(self, event: Event) -> None:
        """Hear a message; the handshake and all that is no message goes websockets' own way."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        data = bytes(event.data)
        if event.opcode is Opcode.BINARY:
            self.tally.hear(data, len(data))
        elif (sound := sound_in(data)) is not None:
            self.tally.hear(*sound)
        else:
            self._word(orjson.loads(data))

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for waited in (self._connected, self._started):
            waited.cancel()

    def _word(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "connected":
                self._connected.set_result(time.perf_counter())
            case "session_started":
                self._started.set_result(time.perf_counter())
            case "heartbeat":
                self._tell({"type": "heartbeat_ack", "timestamp": message.get("timestamp")})
            case "error":
                self.refusals.append(str(message["payload"].get("code")))

    def _tell(self, message: dict[str, Any]) -> None:
        self.protocol.send_text(orjson.dumps(message))
        self.send_data()

    async def _within(self, waited: asyncio.Future[float], what: str) -> float:
        done, _ = await asyncio.wait([waited], timeout=PATIENCE)
        if waited in done and not waited.cancelled():
            return waited.result()
        why = "the socket closed" if done else f"{PATIENCE:g} s went by"
        raise NoCall(" ".join([f"{why} before {what}", *self.refusals]))
