"""A connection that counts control frames, and that ends when it was said that it ends."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection
from websockets.frames import CTRL_OPCODES, Close, Frame, Opcode
from websockets.protocol import Protocol

from actors.door import wary
from actors.door.wary import WaryConnection
from tests.doorstep import Doorstep, doorstep, page

ON_BOTH_LOOPS = True
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@asynccontextmanager
async def stranger(here: Doorstep) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A socket that is open and knows no manners: no frame is sent or answered but by the test."""
    reader, writer = await asyncio.open_connection("127.0.0.1", here.door.port)
    writer.write(HANDSHAKE)
    await reader.readuntil(b"\r\n\r\n")
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True, masked: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=masked)


CRUMBS = frame(Opcode.TEXT, fin=False) + frame(Opcode.CONT, fin=False) * 20_000


def closing(answer: bytes) -> int:
    """The code of the close frame that comes last."""
    return Close.parse(answer[answer.rindex(b"\x88") + 2 :]).code


def test_the_installed_library_has_what_is_leaned_on() -> None:
    assert {"data_received", "process_event", "send_data", "connection_lost"} <= set(dir(ServerConnection))
    assert callable(Protocol.fail)
    assert set(CTRL_OPCODES) == {Opcode.CLOSE, Opcode.PING, Opcode.PONG}
    assert issubclass(WaryConnection, ServerConnection)


async def test_a_decent_number_of_pings_is_answered() -> None:
    async with doorstep() as here, page(here.url, ping_interval=None) as caller:
        for _ in range(wary.CONTROLS_AT_ONCE):
            await (await caller.socket.ping())

        assert await caller.until("connected")


@pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG])
async def test_who_floods_with_control_frames_is_closed_and_others_are_not(opcode: Opcode) -> None:
    async with doorstep() as here, page(here.url) as other:
        await other.begin()
        async with stranger(here) as (reader, writer):
            writer.write(frame(opcode, bytes(125)) * 1_000)
            answer = await reader.read()
            await writer.drain()

        assert closing(answer) == 4400
        assert answer.endswith(b"too many control frames")
        assert await other.is_answered()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        pytest.param(b"\x82\xff\x00\x00\x00\x00\x7f\xff\xff\xff" + bytes(4), 1009, id="two gigabytes announced"),
        pytest.param(frame(Opcode.BINARY, b"ab", masked=False), 1002, id="no mask"),
        pytest.param(frame(Opcode.CONT, b"ab"), 1002, id="the end of no message"),
        pytest.param(b"\x83\x80abcd", 1002, id="no such kind of frame"),
        pytest.param(b"\xf1\x80abcd", 1002, id="reserved bits"),
        pytest.param(frame(Opcode.TEXT, b"\xff\xfe"), 1007, id="text that is none"),
        pytest.param(CRUMBS, 1009, id="a message of 20 000 crumbs"),
        pytest.param(frame(Opcode.CLOSE, Close(1000, "").serialize()), 1000, id="goodbye"),
        pytest.param(frame(Opcode.CLOSE), 1005, id="goodbye without a code"),
    ],
)
async def test_a_socket_that_is_closed_is_gone_although_the_other_end_stays(
    said: bytes, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wary, "CLOSE_PATIENCE", 0.05)
    async with doorstep() as here, stranger(here) as (reader, writer):
        writer.write(said)
        with contextlib.suppress(ConnectionError):
            answer = await reader.read()
        await here.emptied()

    assert answer.endswith(b"\x88\x00") if code == 1005 else closing(answer) == code


async def test_of_pings_that_come_at_once_only_the_first_cost_anybody_time() -> None:
    ping = frame(Opcode.PING)
    async with doorstep() as here, stranger(here) as (reader, writer):
        writer.write(ping * 30_000)
        answer = await reader.read()

    assert closing(answer) == 4400
    assert answer.count(frame(Opcode.PONG, masked=False)) <= 2 * wary.MORSEL / len(ping)


async def test_a_large_frame_is_one_frame() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        await caller.socket.send('{"type":"ping","pad":"' + "x" * 1_000_000 + '"}')

        await caller.until("pong")


async def test_a_socket_that_closes_in_order_is_gone_at_once() -> None:
    async with doorstep() as here:
        async with page(here.url) as caller:
            await caller.until("connected")
        await here.emptied()


async def test_a_message_that_is_never_finished_ends_with_its_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.connection.HEARTBEAT", 0.05)
    monkeypatch.setattr("actors.connection.SILENCE", 0.1)
    monkeypatch.setattr(wary, "CLOSE_PATIENCE", 0.05)
    async with doorstep() as here, stranger(here) as (reader, writer):
        writer.write(frame(Opcode.TEXT, os.urandom(10), fin=False))
        answer = await reader.read()
        await here.emptied()

    assert closing(answer) == 1000
    assert answer.endswith(b"nothing was heard of you for a minute")


def test_a_closing_handshake_has_five_seconds() -> None:
    assert wary.CLOSE_PATIENCE == 5.0
