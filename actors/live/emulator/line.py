"""One WebSocket and the conversation on it.

    frames ──▶ read ──▶ Conversation.receive ─┐
                                              ├─▶ say, under one lock ──▶ frames, a close
    clock ──▶ keep time ──▶ Conversation.tick ┘

Two tasks, one reading, one waiting for the next wakeup; both write in the order in which things were said. A client
that does not read stops its own line and nobody else's.
"""

from __future__ import annotations

import asyncio
import logging

import orjson
from aiohttp import WSCloseCode, WSMsgType, web

from actors.live.emulator.core import Conversation, Out
from actors.live.emulator.endings import Close

CLOSE_SECONDS = 1.0
"""How long the other side may take to answer a close frame."""

log = logging.getLogger("parley.emulator")


class Line:
    """One accepted socket. `transport` is what it stands on, to cut off who does not listen."""

    def __init__(
        self,
        socket: web.WebSocketResponse,
        conversation: Conversation,
        *,
        transport: asyncio.Transport | None,
        text: bool,
    ) -> None:
        self._socket = socket
        self._conversation = conversation
        self._transport = transport
        self._text = text
        self._clock = asyncio.get_running_loop().time
        self._writing = asyncio.Lock()
        self._moved = asyncio.Event()  # the next wakeup is no longer the one that is waited for
        self._waited_for: float | None = None

    async def run(self) -> None:
        """Serves until the socket is closed, by either side."""
        try:
            async with asyncio.TaskGroup() as tasks:
                timekeeper = tasks.create_task(self._keep_time())
                await self._read()
                timekeeper.cancel()
        finally:
            self._conversation.leave(self._clock())

    async def hang_up(self) -> None:
        """The server stops."""
        await self._close(Close(WSCloseCode.GOING_AWAY, ""))

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type is WSMsgType.ERROR:
                return
            await self._say(self._heard(frame.data))
            if self._conversation.next_wakeup != self._waited_for:
                self._moved.set()

    def _heard(self, frame: str | bytes) -> list[Out]:
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError:
            return self._conversation.unreadable(self._clock())
        return self._conversation.receive(message, self._clock())

    async def _keep_time(self) -> None:
        while (due := self._conversation.next_wakeup) is not None:
            self._waited_for = due
            self._moved.clear()
            try:
                async with asyncio.timeout_at(due):
                    await self._moved.wait()
            except TimeoutError:
                await self._say(self._conversation.tick(self._clock()))

    async def _say(self, said: list[Out]) -> None:
        if not said:
            return
        async with self._writing:
            for out in said:
                if isinstance(out, Close):
                    log.info("x closed with %d: %s", out.code, self._conversation.tally.why)
                    await self._close(out)
                elif not self._socket.closed:
                    await self._send(orjson.dumps(out))

    async def _send(self, message: bytes) -> None:
        try:
            await (self._socket.send_str(message.decode()) if self._text else self._socket.send_bytes(message))
        except ConnectionError:
            log.debug("x the client left in the middle of a message")

    async def _close(self, close: Close) -> None:
        """Says goodbye; who does not take it in time is cut off."""
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=close.code, message=close.reason.encode())
        except TimeoutError:
            if self._transport:
                self._transport.abort()
