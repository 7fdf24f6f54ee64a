"""Gemini's side of the wire, as short as a test needs it: TLS, the upgrade, and a script for what follows.

    async with scripted(script) as upstream:          a script is a coroutine over the server's WebSocket
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Opened)

The setup is taken before the script begins, and after it the server listens until the other side has gone. What it
was asked is recorded. It imitates nothing; the emulator does that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import trustme
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from actors.live.gemini import Gemini
from actors.live.line import Patience
from actors.messages import Opening

KEY = "AIzaTheKeyThatMustNotBeSeen"
OPENING = Opening(call="c1", model="gemini-3.8-live", voice="Puck", language="en-US", instruction="Be brief.")
SETUP_COMPLETE = b'{"setupComplete":{}}'
QUICK = Patience(open=2.0, setup=2.0, close=0.2, stall=0.2)

Script = Callable[[ServerConnection], Awaitable[None]]
T = TypeVar("T")


class Owner:
    """A mailbox that records, and can be waited at."""

    def __init__(self) -> None:
        self.mail: list[Any] = []
        self._news = asyncio.Event()

    def tell(self, message: Any) -> None:
        self.mail.append(message)
        self._news.set()

    async def until(self, kind: type[T], count: int = 1) -> T:
        """The `count`-th message of this kind, once it is there."""
        while len(found := [message for message in self.mail if isinstance(message, kind)]) < count:
            self._news.clear()
            await self._news.wait()
        return found[count - 1]

    def heard(self, kind: type[T]) -> list[T]:
        return [message for message in self.mail if isinstance(message, kind)]


@dataclass
class Upstream:
    """Where it listens, and what it has been asked."""

    port: int
    ca_file: Path
    requests: list[Request] = field(default_factory=list)
    frames: list[Any] = field(default_factory=list)
    """Client messages as parsed JSON, by all sessions; the setup first."""
    closes: list[int | None] = field(default_factory=list)
    """Close codes, as sessions ended."""
    over: asyncio.Event = field(default_factory=asyncio.Event)
    """A session has ended."""
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def gemini(
        self, patience: Patience = QUICK, *, url: str | None = None, dropped: Callable[[int], None] | None = None
    ) -> Gemini:
        where = url or self.url
        return Gemini(SecretStr(KEY), base_url=where, ca_file=self.ca_file, patience=patience, dropped=dropped)

    async def until(self, count: int) -> list[Any]:
        """The first so many frames, once they are there."""
        while len(self.frames) < count:
            self._news.clear()
            await self._news.wait()
        return self.frames[:count]

    def keep(self, frame: str | bytes) -> None:
        self.frames.append(json.loads(frame))
        self._news.set()


async def set_up(ws: ServerConnection) -> None:
    """Complete the setup."""
    await ws.send(SETUP_COMPLETE)


async def silent(ws: ServerConnection) -> None:
    """Never answer."""


def sends(*frames: bytes | str) -> Script:
    """Complete the setup, and send these."""

    async def script(ws: ServerConnection) -> None:
        await ws.send(SETUP_COMPLETE)
        for frame in frames:
            await ws.send(frame)

    return script


def closes(code: int, reason: str = "", *, first: bytes | None = SETUP_COMPLETE) -> Script:
    """Send `first`, then close."""

    async def script(ws: ServerConnection) -> None:
        if first is not None:
            await ws.send(first)
        await ws.close(code, reason)

    return script


def refusal(status: HTTPStatus, body: str = "", **headers: str) -> Response:
    """An answer to the upgrade that is not 101."""
    fields = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    fields["Content-Length"] = str(len(body))
    fields["Connection"] = "close"
    return Response(status, status.phrase, fields, body.encode())


@asynccontextmanager
async def scripted(
    script: Script = set_up, *, refuse: Response | None = None, mute: bool = False
) -> AsyncIterator[Upstream]:
    """A server that lets each session run `script`; or refuses every upgrade, or never answers one."""
    with TemporaryDirectory() as folder:
        ca_file = Path(folder, "ca.pem")
        _authority().cert_pem.write_to_path(str(ca_file))
        upstream = Upstream(port=0, ca_file=ca_file)

        async def upgrade(connection: ServerConnection, request: Request) -> Response | None:
            upstream.requests.append(request)
            if mute:
                await connection.wait_closed()
            return refuse

        async def session(ws: ServerConnection) -> None:
            with suppress(ConnectionClosed):
                upstream.keep(await ws.recv())
                await script(ws)
                async for frame in ws:
                    upstream.keep(frame)
            upstream.closes.append(ws.close_code)
            upstream.over.set()

        async with serve(
            session,
            sock=_listening(),
            ssl=_server_tls(),
            process_request=upgrade,
            compression=None,
            close_timeout=1,
            logger=_quiet(),
        ) as server:
            upstream.port = server.sockets[0].getsockname()[1]
            yield upstream


@asynccontextmanager
async def black_hole() -> AsyncIterator[Upstream]:
    """TCP is accepted, and that is all."""
    silent: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: silent.append(writer), sock=_listening())
    with TemporaryDirectory() as folder:
        ca_file = Path(folder, "ca.pem")
        _authority().cert_pem.write_to_path(str(ca_file))
        yield Upstream(port=server.sockets[0].getsockname()[1], ca_file=ca_file)
    server.close()
    for writer in silent:
        writer.close()


def _listening() -> socket.socket:
    """A small receive window, so that a peer who does not read is felt after some tens of kilobytes."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 * 1024)
    return listening


@cache
def _quiet() -> logging.Logger:
    """Whose log a test looks at is the gateway's."""
    logger = logging.getLogger(__name__)
    logger.setLevel(logging.CRITICAL)
    return logger


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _server_tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority().issue_cert("localhost").configure_cert(context)
    return context
