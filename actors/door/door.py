"""One port: who may enter, and what is answered to those who only ask.

    request ──▶ Door ──┬─ no upgrade ──▶ /health /ready /metrics, pages, 404
                       ├─ upgrade, draining or full ──▶ 503      origin not allowed ──▶ 403
                       └─ upgrade ──▶ 101 ──▶ "callers": StartChild(ConnectionActor) ──▶ CallerSocket.read

It owns the listening sockets. It knows nobody's call: callers are counted and told things through their supervisor.
While the house drains the door stays open to say so, and closes last.
"""

from __future__ import annotations

import logging
import ssl
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from actors.connection import ConnectionActor
from actors.door.caller_socket import CLOSE_PATIENCE, NARROW, CallerSocket
from actors.door.origins import Origins
from actors.door.pages import Pages, respond, text
from actors.held import Held
from actors.link_port import Upstream
from actors.metrics import Metrics
from actors.playout import Playout
from actors.runtime import Address
from actors.supervisor import Child, Ready, Restart, StartChild
from actors.terms import Terms
from actors.wire.schema import schema

EARLY = 5.0
"""Seconds of sound held for a call that is not open yet."""
HANDSHAKE_PATIENCE = 5.0
"""Seconds for the opening handshake: who drips headers does not hold a socket."""
SOCKETS_PER_CALL = 4
"""Sockets allowed for each call that may be: for those between calls, and those that are leaving."""
BUSY_RETRY = "10"
"""Seconds, for `Retry-After`."""
SUBPROTOCOL = Subprotocol("parley.v1")


@dataclass(frozen=True, slots=True)
class Listening:
    """Where the door stands. Ports may be 0: any free one."""

    host: str
    port: int
    admin: tuple[str, int] | None
    """Host and port of what the public must not see; `None` puts it on the same port."""
    tls: ssl.SSLContext | None = None


@dataclass(frozen=True, slots=True)
class Vestibule:
    """What the door hands to every newcomer, and tells who asks."""

    callers: Address
    limiter: Address
    upstream: Upstream
    terms: Terms
    metrics: Metrics
    origins: Origins
    pages: Pages
    max_calls: int
    ready: Callable[[], Mapping[str, Any]]
    """Facts for `/ready` that others know."""


class Door:
    """Listens from `open` to `close`."""

    def __init__(self, vestibule: Vestibule) -> None:
        self._inside = vestibule
        self._stack = AsyncExitStack()
        self._sockets = 0
        self._split = False  # metrics have a port of their own
        self.draining = False
        self.port = 0
        """Where callers come in."""
        self.admin_port = 0

    async def open(self, where: Listening) -> None:
        """Begin to listen.

        Raises:
            OSError: a port is taken, or the host is not ours.
        """
        self._split = where.admin is not None
        server = await self._listen(self._visit, self._request, where.host, where.port, where.tls)
        self.port = self.admin_port = _port(server)
        if where.admin is not None:
            admin = await self._listen(_nobody, self._admin_request, *where.admin, None)
            self.admin_port = _port(admin)

    async def close(self) -> None:
        """Stop listening; sockets that are still open are closed."""
        await self._stack.aclose()

    async def _listen(self, handler: Any, request: Any, host: str, port: int, tls: ssl.SSLContext | None) -> Server:
        logger = logging.getLogger(f"{__name__}.socket")
        logger.setLevel(logging.CRITICAL)  # what strangers send to a port is no news
        listening = serve(
            handler,
            host,
            port,
            ssl=tls,
            process_request=request,
            select_subprotocol=_subprotocol,
            compression=None,
            max_size=NARROW,
            ping_interval=None,
            open_timeout=HANDSHAKE_PATIENCE,
            close_timeout=CLOSE_PATIENCE,
            server_header=None,
            logger=logger,
        )
        return await self._stack.enter_async_context(listening)

    # ── callers ──

    async def _visit(self, websocket: ServerConnection) -> None:
        self._sockets += 1
        try:
            caller_socket = CallerSocket(websocket)
            ready = await self._inside.callers.ask(StartChild(self._child(caller_socket)), block=False)
            assert isinstance(ready, Ready)
            await caller_socket.read(ready.ref)
        finally:
            self._sockets -= 1

    def _child(self, port: CallerSocket) -> Child:
        inside = self._inside
        caller = f"conn_{uuid.uuid4().hex}"
        arguments = {
            "caller": caller,
            "port": port,
            "playout": Playout(lead=inside.terms.lead),
            "held": Held(seconds=EARLY),
            "upstream": inside.upstream,
            "limiter": inside.limiter,
            "callers": inside.callers,
            "terms": inside.terms,
            "metrics": inside.metrics,
        }
        return Child(caller, ConnectionActor, arguments, Restart.TRANSIENT, group=caller)

    # ── requests ──

    def _request(self, _: ServerConnection, request: Request) -> Response | None:
        if "websocket" not in request.headers.get("Upgrade", "").lower():
            return self._page(request, metrics=not self._split)
        if self.draining or self._sockets >= self._inside.max_calls * SOCKETS_PER_CALL:
            return text(503, "restarting, come back" if self.draining else "full", Retry_After=BUSY_RETRY)
        if not self._inside.origins.allowed(request.headers.get("Origin")):
            return text(403, "this page's origin is not in ALLOWED_ORIGINS")
        return None

    def _admin_request(self, _: ServerConnection, request: Request) -> Response | None:
        return self._page(request, metrics=True)

    def _page(self, request: Request, *, metrics: bool) -> Response:
        path = request.path.partition("?")[0]
        if request.method not in ("GET", "HEAD"):
            return text(405, "only GET is answered here", Allow="GET, HEAD")
        match path:
            case "/health":
                return text(200, "OK")
            case "/ready":
                return self._ready()
            case "/metrics" if metrics:
                return respond(200, self._inside.metrics.text(), {"Content-Type": "text/plain; version=0.0.4"})
            case "/schema.json":
                return respond(200, orjson.dumps(schema()), {"Content-Type": "application/schema+json"})
        page = self._inside.pages.find(path)
        if page is None:
            return text(404, "not found")
        if request.headers.get("If-None-Match") == page.headers["ETag"]:
            return respond(304, b"", {"ETag": page.headers["ETag"]})
        return respond(200, page.body, page.headers)

    def _ready(self) -> Response:
        facts = {"status": "draining" if self.draining else "ready", "draining": self.draining, **self._inside.ready()}
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return respond(503 if self.draining else 200, orjson.dumps(facts), headers)


async def _nobody(websocket: ServerConnection) -> None:
    """Nothing is spoken on the admin port: every request to it is answered before the upgrade."""
    await websocket.close()


def _subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours, or the first that is not a token: the old server echoed the first."""
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return next((name for name in offered if not name.startswith("bearer.")), None)


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
