"""One socket and its conversation: what is written when, and to whom it is no use to write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import orjson
import pytest
from aiohttp import WSMessage, WSMsgType, web

from actors.live.emulator import line
from actors.live.emulator.core import Conversation
from actors.live.emulator.line import Line
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles
from tests.emulator_caller import setup, typed

QUICK = Options(speed=100.0, answer_delay=0.01, playback_delay=0.0)
PATIENCE = 10.0


class Socket:
    """A WebSocket whose client is this test. `deaf` never takes a close frame, `gone` takes no frame at all."""

    def __init__(self, *, deaf: bool = False, gone: bool = False) -> None:
        self.incoming: asyncio.Queue[WSMessage | None] = asyncio.Queue()
        self.outgoing: asyncio.Queue[Any] = asyncio.Queue()
        self.closed = False
        self.aborted = False
        self._deaf, self._gone = deaf, gone

    def say(self, *messages: object) -> Socket:
        for message in messages:
            self.incoming.put_nowait(WSMessage(WSMsgType.TEXT, orjson.dumps(message).decode(), None))
        return self

    def hang_up(self) -> Socket:
        self.incoming.put_nowait(None)
        return self

    async def __aiter__(self) -> AsyncIterator[WSMessage]:
        while frame := await self.incoming.get():
            yield frame

    async def send_bytes(self, message: bytes) -> None:
        if self._gone:
            raise ConnectionResetError("cannot write to closing transport")
        self.outgoing.put_nowait(orjson.loads(message))

    async def close(self, *, code: int, message: bytes) -> None:
        self.closed = True
        if self._deaf:
            await asyncio.Event().wait()
        self.outgoing.put_nowait((code, message.decode()))
        self.hang_up()

    def abort(self) -> None:
        self.aborted = True
        self.hang_up()

    async def heard(self, name: str) -> list[Any]:
        """Everything up to the first message that mentions this."""
        said: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while not said or name not in str(said[-1]):
                said.append(await self.outgoing.get())
        return said


def lined(socket: Socket, *, options: Options = QUICK, handles: Handles | None = None) -> Line:
    now = asyncio.get_running_loop().time()
    conversation = Conversation(options, Handles(60) if handles is None else handles, now=now)
    wire, transport = cast(web.WebSocketResponse, socket), cast(asyncio.Transport, socket)
    return Line(wire, conversation, transport=transport, text=False)


async def served(socket: Socket) -> None:
    async with asyncio.timeout(PATIENCE):
        await lined(socket).run()


async def test_an_answer_comes_by_itself_when_it_is_time() -> None:
    socket = Socket().say(setup(), typed("hi"))
    serving = asyncio.create_task(served(socket))

    said = await socket.heard("turnComplete")

    assert said[0] == {"setupComplete": {}}
    assert {"serverContent": {"generationComplete": True}} in said
    socket.hang_up()
    await serving


async def test_a_wakeup_that_moves_forward_is_kept() -> None:
    """The line first waits for the end of the connection, minutes away; the answer is due long before."""
    socket = Socket().say(setup())
    serving = asyncio.create_task(served(socket))
    await socket.heard("setupComplete")
    socket.say(typed("hi"))

    assert await socket.heard("turnComplete")
    socket.hang_up()
    await serving


async def test_an_end_is_the_last_word() -> None:
    socket = Socket().say(setup(), setup(), typed("hi"))

    await served(socket)

    assert await socket.heard("invalid") == [
        {"setupComplete": {}},
        (1007, "Request contains an invalid argument."),
    ]
    assert socket.outgoing.empty()


async def test_a_broken_frame_ends_the_reading() -> None:
    socket = Socket()
    socket.incoming.put_nowait(WSMessage(WSMsgType.ERROR, ValueError(), None))

    await served(socket)

    assert socket.outgoing.empty()


async def test_a_client_that_has_gone_is_noticed_by_its_silence_only() -> None:
    await served(Socket(gone=True).say(setup(), typed("hi")).hang_up())


async def test_a_client_that_does_not_take_its_goodbye_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "CLOSE_SECONDS", 0.01)
    socket = Socket(deaf=True).say(setup(), setup())

    await served(socket)

    assert socket.aborted


async def test_a_line_that_ends_leaves_its_seat() -> None:
    handles = Handles(60, seed=1)
    first, second = Socket().say(setup(sessionResumption={})).hang_up(), Socket()
    await lined(first, handles=handles).run()
    handle = (await first.heard("newHandle"))[-1]["sessionResumptionUpdate"]["newHandle"]

    second.say(setup(sessionResumption={"handle": handle})).hang_up()
    await lined(second, handles=handles).run()

    assert (await second.heard("newHandle"))[0] == {"setupComplete": {}}
