"""A real door with a real tree behind it, in the test's own process; only the model is played.

    websockets client, or raw bytes ──▶ Door ──▶ callers ▸ ConnectionActor ▸ LinkActor ──▶ Parrot

A Parrot opens every session at once and answers typed words with the same words. It makes sound when it is told to.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import websockets
from websockets.asyncio.client import ClientConnection

from actors.call.terms import Terms
from actors.door.door import Door, Listening, Vestibule
from actors.door.origins import Origins
from actors.door.pages import Pages
from actors.door.visitors import Proxies
from actors.messages import Bucket, Opened, Opening, Said, Speech, Text, ToModel, TurnEnded
from actors.metrics import Metrics
from actors.rate_limiter import Limits
from actors.runtime import Address, Life, Mail, born
from actors.store.memory import Quotas, Rate
from actors.supervision import Count, Crash, Dismiss, Find
from actors.supervisor import SupervisorActor
from actors.tree import CALLERS, RATE_LIMITER, house

TOP = Path(__file__).resolve().parents[1]
PATIENCE = 10.0
"""Seconds after which a test that waits has failed."""
FACTS = {"calls": 0, "maxCalls": 3, "upstream": "parrot", "redis": "none", "database": "none", "loopLagMs": 0.0}
RATES = {bucket: Rate(1_000, 1.0) for bucket in Bucket}


class ParrotLine:
    """One session with the model."""

    def __init__(self, session: int, owner: Mail) -> None:
        self._session, self._owner = session, owner
        self.heard: list[ToModel] = []

    def send(self, message: ToModel) -> None:
        self.heard.append(message)
        if isinstance(message, Text):
            self._owner.tell(Said(self._session, message.content))
            self._owner.tell(TurnEnded(self._session))

    def speak(self, seconds: float) -> None:
        """So much silence, in pieces of 100 ms."""
        for _ in range(round(seconds * 10)):
            self._owner.tell(Speech(self._session, bytes(4_800)))

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Parrot:
    """The way to the model."""

    def __init__(self) -> None:
        self.lines: list[ParrotLine] = []

    def dial(self, opening: Opening, session: int, owner: Mail) -> ParrotLine:
        self.lines.append(ParrotLine(session, owner))
        owner.tell(Opened(session, opening.model))
        return self.lines[-1]


async def until(so: Callable[[], object]) -> None:
    """Let the others run until it is so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if so():
                return
            await asyncio.sleep(0)


@dataclass
class Doorstep:
    """A door that is open, and what is behind it."""

    door: Door
    callers: Address
    parrot: Parrot
    metrics: Metrics
    crashes: list[Crash]

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.door.port}"

    async def count(self) -> int:
        """Callers in the house."""
        found = await self.callers.ask(Count(), block=False)
        assert isinstance(found, int)
        return found

    async def emptied(self) -> None:
        """Until nobody is left, and no socket of theirs."""
        async with asyncio.timeout(PATIENCE):
            while True:
                if not (await self.count() or self.door._sockets):
                    return
                await asyncio.sleep(0)


@asynccontextmanager
async def doorstep(
    *,
    admin: tuple[str, int] | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    terms: Mapping[str, Any] | None = None,
    **vestibule: Any,
) -> AsyncIterator[Doorstep]:
    """An open door; `terms` and `vestibule` say what is to be other than usual."""
    crashes: list[Crash] = []
    life = Life(SupervisorActor, name="house")
    plan = house(Limits(RATES, 100), quotas=Quotas(), report=crashes.append)
    ended = asyncio.Event()
    born(SupervisorActor, life, {"plan": plan, "report": crashes.append, "farewell": ended.set})
    callers = await life.ref.ask(Find(CALLERS), block=False)
    parrot, metrics = Parrot(), Metrics()
    usual = Terms("parley/test", "parrot", "Puck", "en-US", "Repeat.", limits={b: r.limit for b, r in RATES.items()})
    inside = Vestibule(
        callers=callers,
        limiter=await life.ref.ask(Find(RATE_LIMITER), block=False),
        upstream=parrot,
        terms=replace(usual, **(terms or {})),
        metrics=metrics,
        origins=Origins.local(),
        pages=Pages(TOP / "web"),
        max_calls=3,
        max_per_address=20,
        proxies=Proxies(),
        ready=lambda: FACTS,
    )
    door = Door(replace(inside, **vestibule))
    try:
        await door.open(Listening(host, 0, admin, tls))
        yield Doorstep(door, callers, parrot, metrics, crashes)
    finally:
        life.ref.tell(Dismiss())
        await ended.wait()
        await door.close()


class Page:
    """A caller's end of the line: says what the test says, hears what comes."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    async def say(self, kind: str, **payload: Any) -> None:
        await self.socket.send(orjson.dumps({"type": kind, "payload": payload}).decode())

    async def until(self, kind: str) -> dict[str, Any]:
        """Listen until such a message comes; its payload."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self.socket.recv()
                if isinstance(frame, bytes):
                    continue
                message: dict[str, Any] = orjson.loads(frame)
                self.heard.append(message)
                if message["type"] == kind:
                    return message.get("payload") or {}

    async def begin(self, **fields: Any) -> None:
        """As far as ready."""
        await self.until("connected")
        await self.say("start", **fields)
        await self.until("session_ready")

    async def is_answered(self) -> bool:
        """Whether the model still hears typed words and answers."""
        await self.say("text", content="are you there?")
        await self.until("turn_complete")
        return True

    async def end(self) -> tuple[int, str]:
        """Wait for the close; its code and reason."""
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    frame = await self.socket.recv()
                except websockets.ConnectionClosed as closed:
                    return (closed.rcvd.code, closed.rcvd.reason) if closed.rcvd else (1006, "")
                if isinstance(frame, str):
                    self.heard.append(orjson.loads(frame))

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message.get("payload") or {} for message in self.heard if message["type"] == kind]


@asynccontextmanager
async def page(url: str, **options: Any) -> AsyncIterator[Page]:
    """A page that has connected."""
    async with websockets.connect(url, **{"compression": None, "max_size": None, "proxy": None, **options}) as socket:
        yield Page(socket)


async def refusal(url: str, **options: Any) -> tuple[int, Mapping[str, str], str]:
    """What a page is answered that may not come in: status, headers, body."""
    try:
        async with page(url, **options):
            raise AssertionError("it was let in")
    except websockets.InvalidStatus as refused:
        response = refused.response
        return response.status_code, response.headers, bytes(response.body or b"").decode()


async def raw(port: int, request: bytes) -> bytes:
    """The bytes that come back for these, until the other end hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    finally:
        writer.close()


async def http(port: int, path: str, *headers: str, method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    """Status, headers (lower case) and body."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
    answer = await raw(port, "\r\n".join(lines).encode())
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode().split("\r\n")
    pairs = (field.split(": ", 1) for field in fields)
    return int(first.split()[1]), {name.lower(): value for name, value in pairs}, body
