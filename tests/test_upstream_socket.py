"""The habits of the upstream's connection, over TLS."""

from __future__ import annotations

import asyncio
import logging
import socket
from http import HTTPStatus
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.frames import Close, CloseCode

from actors.errors import REFUSED
from actors.live.line import Patience
from actors.live.upstream_socket import SEND_BUFFER, WRITE_MARKS, UpstreamSocket
from actors.messages import Lost, Opened
from tests.scripted_upstream import KEY, OPENING, QUICK, Owner, Upstream, refusal, scripted, silent


async def opened(upstream: Upstream) -> tuple[UpstreamSocket, Any]:
    """A connection as the SDK makes it, without the SDK; its first frame is sent."""
    arguments = upstream.gemini()._client._api_client._websocket_ssl_ctx
    connecting = connect(upstream.url.replace("https", "wss"), **arguments)
    ws = await connecting.__aenter__()
    assert isinstance(ws, UpstreamSocket)
    ws.write(b"0")
    return ws, connecting


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_refused_and_the_key_goes_nowhere_else(status: int) -> None:
    async with scripted() as elsewhere:
        away = refusal(HTTPStatus(status), Location=elsewhere.url.replace("https", "wss"))
        async with scripted(refuse=away) as upstream:
            owner = Owner()
            upstream.gemini().dial(OPENING, 1, owner)
            error = (await owner.until(Lost)).error

    assert error.kind is REFUSED
    assert error.detail == f"http {status} redirect, expected the upstream itself"
    assert upstream.requests[0].headers["x-goog-api-key"] == KEY
    assert elsewhere.requests == []


async def test_what_is_written_arrives_in_order_without_waiting() -> None:
    async with scripted(silent) as upstream:
        ws, connecting = await opened(upstream)
        for number in range(1, 50):
            ws.write(b"%d" % number)
        await upstream.until(50)
        await connecting.__aexit__(None, None, None)

    assert upstream.frames == list(range(50))


async def test_nothing_is_written_to_a_connection_that_is_closing_or_closed() -> None:
    async with scripted(silent) as upstream:
        ws, connecting = await opened(upstream)
        ws.write(b"1")
        ws.part(5.0)
        ws.write(b"2")
        await ws.wait_closed()
        ws.write(b"3")
        ws.part(5.0)
        await connecting.__aexit__(None, None, None)
        await upstream.over.wait()

    assert upstream.frames == [0, 1]
    assert upstream.closes == [CloseCode.NORMAL_CLOSURE]


async def test_a_peer_that_does_not_answer_a_goodbye_is_left_in_time() -> None:
    turned_away, over = asyncio.Event(), asyncio.Event()

    async def deaf(ws: ServerConnection) -> None:
        ws.transport.pause_reading()
        turned_away.set()
        await over.wait()

    async with scripted(deaf) as upstream:
        ws, connecting = await opened(upstream)
        await turned_away.wait()
        ws.part(0.1)
        with pytest.raises(ConnectionClosed) as closed:
            await ws.recv(decode=False)
        await connecting.__aexit__(None, None, None)
        over.set()

    assert closed.value.rcvd is None
    assert closed.value.sent == Close(CloseCode.NORMAL_CLOSURE, "")


async def test_left_with_an_error_the_socket_is_aborted_without_a_goodbye() -> None:
    async with scripted(silent) as upstream:
        _, connecting = await opened(upstream)
        error = RuntimeError()
        await asyncio.wait_for(connecting.__aexit__(RuntimeError, error, None), 0.5)
        await upstream.over.wait()

    assert upstream.closes == [CloseCode.ABNORMAL_CLOSURE]


async def test_the_kernel_buffers_little_and_gives_up_on_what_is_never_acknowledged() -> None:
    async with scripted(silent) as upstream:
        ws, connecting = await opened(upstream)
        tcp = ws.transport.get_extra_info("socket")
        buffered = tcp.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
        patience = tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
        await connecting.__aexit__(None, None, None)

    assert buffered in (SEND_BUFFER, 2 * SEND_BUFFER)  # Linux doubles it for its own bookkeeping
    assert patience == 10_000


async def test_a_peer_that_stops_reading_is_felt_at_the_marks() -> None:
    reading = asyncio.Event()

    async def slow(ws: ServerConnection) -> None:
        ws.transport.pause_reading()
        await reading.wait()
        ws.transport.resume_reading()

    async with scripted(slow) as upstream:
        ws, connecting = await opened(upstream)
        full, room = asyncio.Event(), asyncio.Event()
        ws.on_full, ws.on_room = full.set, room.set
        written = 0
        while not full.is_set():
            ws.write(b'"' + b"x" * 8_000 + b'"')
            written += 8_002
            await asyncio.sleep(0)
        reading.set()
        await room.wait()
        await connecting.__aexit__(RuntimeError, RuntimeError(), None)

    assert 64_000 < written < 1_000_000
    assert WRITE_MARKS[0] < 8_002


async def test_the_key_is_in_no_log_at_any_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets").setLevel(logging.DEBUG)
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini(Patience(close=0.2)).dial(OPENING, 1, owner)
        await owner.until(Opened)
        line.close()
        await upstream.over.wait()
    async with scripted(refuse=refusal(HTTPStatus.UNAUTHORIZED)) as upstream:
        upstream.gemini(QUICK).dial(OPENING, 2, owner)
        error = (await owner.until(Lost)).error

    assert KEY not in caplog.text
    assert KEY not in repr(owner.mail) + str(error)
