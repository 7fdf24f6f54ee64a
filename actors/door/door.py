"""One port: who may enter, and what is answered to those who only ask.

    request ──▶ Door ──┬─ no upgrade ──▶ /health /ready /metrics, pages, 404
                       ├─ upgrade: draining or full ──▶ 503, origin not allowed ──▶ 403, too many from there ──▶ 429
                       └─ upgrade ──▶ 101 ──▶ "callers": StartChild(ConnectionActor) ──▶ CallerSocket.read

It owns the listening sockets. It knows nobody's call: callers are counted and told things through their supervisor.
While the house drains the door stays open to say so, and closes last.
"""

from __future__ import annotations

import logging
import ssl
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from actors.call.held import Held
from actors.call.playout import Playout
from actors.call.terms import Terms
from actors.connection import ConnectionActor
from actors.door.caller_socket import NARROW, CallerSocket
from actors.door.origins import Origins
from actors.door.pages import Pages, respond, respond_page, text
from actors.door.request import header, peer, subprotocol, wants_socket
from actors.door.visitors import Proxies, Visitors
from actors.door.wary import CLOSE_PATIENCE, WaryConnection
from actors.errors import DRAINING, CloseCode
from actors.link_port import Upstream
from actors.metrics import Metrics
from actors.plan import Child, Restart
from actors.runtime import Address
from actors.supervision import Ready, StartChild
from actors.wire.schema import schema

EARLY = 5.0
"""Seconds of sound held for a call that is not open yet."""
HANDSHAKE_PATIENCE = 5.0
"""Seconds for the opening handshake: who drips headers does not hold a socket."""
SOCKETS_PER_CALL = 4
"""Sockets allowed for each call that may be: for those between calls, and those that are leaving."""
RETRY = "10"
"""Seconds, for `Retry-After`."""

log = logging.getLogger(__name__)


class CannotListen(OSError):
    """A port where the door was to stand is taken, or the host is not ours."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        super().__init__(error.errno, error.strerror)
        self.host, self.port = host, port


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
    max_per_address: int
    """Sockets, of each visitor."""
    proxies: Proxies
    ready: Callable[[], Mapping[str, Any]]
    """Facts for `/ready` that others know."""


class Door:
    """Listens from `open` to `close`."""

    def __init__(self, vestibule: Vestibule) -> None:
        self._inside = vestibule
        self._servers: list[Server] = []
        self._sockets = 0
        self._visitors = Visitors(vestibule.max_per_address, vestibule.proxies)
        self._crowd_was_seen = False
        self._schema = orjson.dumps(schema())  # 20 ms of the loop, if a stranger could ask for it again and again
        self._split = False  # metrics have a port of their own
        self.draining = False
        self.port = 0
        """Where callers come in."""
        self.admin_port = 0

    async def open(self, where: Listening) -> None:
        """Begin to listen.

        Raises:
            CannotListen: it cannot.
        """
        self._split = where.admin is not None
        server = await self._listen(self._visit, self._request, where.host, where.port, where.tls)
        self.port = self.admin_port = _port(server)
        if where.admin is not None:
            admin = await self._listen(_nobody, self._admin_request, *where.admin, None)
            self.admin_port = _port(admin)

    async def close(self) -> None:
        """Stop listening; who is still there is told that the house restarts. Cut short, it waits for nobody."""
        for server in self._servers:
            server.close(code=CloseCode.RESTARTING, reason=DRAINING.words)
        try:
            for server in self._servers:
                await server.wait_closed()
        finally:  # the library would give each of them its patience, and the process no end
            for server in self._servers:
                for websocket in server.all_connections:
                    websocket.transport.abort()

    async def _listen(self, handler: Any, request: Any, host: str, port: int, tls: ssl.SSLContext | None) -> Server:
        logger = logging.getLogger(f"{__name__}.socket")
        logger.setLevel(logging.ERROR)  # what strangers send to a port is no news; what fails in here is
        listening = serve(
            handler,
            host,
            port,
            ssl=tls,
            process_request=request,
            select_subprotocol=subprotocol,
            compression=None,
            max_size=NARROW,
            ping_interval=None,
            open_timeout=HANDSHAKE_PATIENCE,
            close_timeout=CLOSE_PATIENCE,
            server_header=None,
            create_connection=WaryConnection,
            logger=logger,
        )
        try:
            server = await listening
        except OSError as error:
            raise CannotListen(host, port, error) from None
        self._servers.append(server)
        return server

    # ── callers ──

    async def _visit(self, websocket: ServerConnection) -> None:
        if self.draining:  # it began during the handshake: who comes now would be told nothing
            await websocket.close(CloseCode.RESTARTING, DRAINING.words)
            return
        with self._counted(websocket):
            caller_socket = CallerSocket(websocket)
            ready = await self._inside.callers.ask(StartChild(self._child(caller_socket)), block=False)
            assert isinstance(ready, Ready)
            await caller_socket.read(ready.ref)

    @contextmanager
    def _counted(self, websocket: ServerConnection) -> Iterator[None]:
        assert websocket.request is not None
        visitor = self._visitors.of(peer(websocket), websocket.request.headers)
        self._sockets += 1
        self._visitors.enter(visitor)
        try:
            yield
        finally:
            self._sockets -= 1
            self._visitors.leave(visitor)

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

    def _request(self, websocket: ServerConnection, request: Request) -> Response | None:
        if not wants_socket(request):
            return self._page(request, metrics=not self._split)
        if self.draining or self._sockets >= self._inside.max_calls * SOCKETS_PER_CALL:
            return text(503, "restarting, come back" if self.draining else "full", Retry_After=RETRY)
        if not self._inside.origins.allowed(header(request, "Origin")):
            return text(403, "this page's origin is not in ALLOWED_ORIGINS")
        if not self._visitors.may_enter(self._visitors.of(peer(websocket), request.headers)):
            return self._crowded()
        return None

    def _crowded(self) -> Response:
        if not self._crowd_was_seen:
            self._crowd_was_seen = True
            log.warning("MAX_CONNECTIONS_PER_IP was reached; if that address is your proxy, name it in TRUSTED_PROXIES")
        self._inside.metrics.quota_refusals.labels("connections").inc()
        return text(429, "too many connections from your address", Retry_After=RETRY)

    def _admin_request(self, _: ServerConnection, request: Request) -> Response | None:
        return self._page(request, metrics=True)

    def _page(self, request: Request, *, metrics: bool) -> Response:
        if request.method not in ("GET", "HEAD"):
            return text(405, "only GET is answered here", Allow="GET, HEAD")
        answer = self._answer(request, metrics=metrics)
        if request.method == "HEAD":
            answer.body = b""  # the length stays that of the page (RFC 9110, section 9.3.2)
        return answer

    def _answer(self, request: Request, *, metrics: bool) -> Response:
        path = request.path.partition("?")[0]
        match path:
            case "/health":
                return text(200, "OK")
            case "/ready":
                return self._ready()
            case "/metrics" if metrics:
                return respond(200, self._inside.metrics.text(), {"Content-Type": "text/plain; version=0.0.4"})
            case "/schema.json":
                return respond(200, self._schema, {"Content-Type": "application/schema+json"})
        page = self._inside.pages.find(path)
        return text(404, "not found") if page is None else respond_page(page, header(request, "If-None-Match"))

    def _ready(self) -> Response:
        facts = {"status": "draining" if self.draining else "ready", "draining": self.draining, **self._inside.ready()}
        headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
        return respond(503 if self.draining else 200, orjson.dumps(facts), headers)


async def _nobody(websocket: ServerConnection) -> None:
    """Nothing is spoken on the admin port: every request to it is answered before the upgrade."""
    await websocket.close()


def _port(server: Server) -> int:
    port: int = next(iter(server.sockets)).getsockname()[1]
    return port
