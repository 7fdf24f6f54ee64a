"""TLS, HTTP and the doors: where the emulator listens, and who is let in.

    GET /…/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent
        other path ─▶ 404    no key ─▶ 403    else ─▶ 101 ─▶ Line

It binds to loopback unless told otherwise, and any key will do: there is nothing here that is worth one.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from aiohttp import web

from actors.live.emulator.calls import Tally
from actors.live.emulator.certificate import Authority
from actors.live.emulator.core import Conversation
from actors.live.emulator.line import CLOSE_SECONDS, Line
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles

PATH = re.compile(r".*/ws/google\.ai\.generativelanguage\.(v1|v1beta|v1alpha)\.GenerativeService\.BidiGenerateContent")
"""Whatever stands in front: google-genai keeps the prefix of a base URL, and doubles a slash at its end."""
LONGEST_MESSAGE = 16 * 1024 * 1024
"""Bytes. The service's own limit is not known; this one lets pictures through and stops accidents."""
CALLS = 1_000
"""Tallies kept, the newest."""
REAL_KEY = re.compile(r"AIza[0-9A-Za-z_-]{35}")
UNREGISTERED = (
    "Method doesn't allow unregistered callers (callers without established identity). "
    "Please use API Key or other form of API consumer identity to call this API."
)
NAMES = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")

log = logging.getLogger("parley.emulator")


class Emulator:
    """One listening emulator."""

    def __init__(self, options: Options | None = None) -> None:
        self._options = options or Options()
        self._handles = Handles(self._options.handle_seconds, seed=self._options.seed)
        self._authority = Authority()
        self._lines: set[Line] = set()
        self._runner: web.AppRunner | None = None
        self._warned = False
        self.url = ""
        """What `http_options.base_url` must be, once started."""
        self.calls: deque[Tally] = deque(maxlen=CALLS)
        """What was received and sent on each line, the latest last."""

    @property
    def ca_pem(self) -> bytes:
        """The certificate to trust."""
        return self._authority.pem

    def write_ca(self, path: Path) -> None:
        """Writes the certificate to trust, as PEM. Raises `OSError`."""
        path.write_bytes(self.ca_pem)

    async def start(self, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listens; port 0 takes a free one. Raises `OSError` if the port is taken."""
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        app.on_shutdown.append(self._hang_up)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_SECONDS)
        await runner.setup()
        named = () if host in (*NAMES, *EVERYWHERE) else (host,)
        site = web.TCPSite(runner, host, port, ssl_context=self._authority.context(*NAMES, *named))
        try:
            await site.start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.url = _url(host, runner.addresses[0][1])

    async def stop(self) -> None:
        """Closes every line with 1001 and stops listening."""
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        found = PATH.fullmatch(request.path)
        if found is None:
            return _refusal(404, "NOT_FOUND", "Requested entity was not found.")
        key = request.headers.get("x-goog-api-key") or request.query.get("key")
        if not key:
            return _refusal(403, "PERMISSION_DENIED", UNREGISTERED)
        self._look_at(key)
        return await self._serve(request, found[1])

    async def _serve(self, request: web.Request, version: str) -> web.StreamResponse:
        socket = web.WebSocketResponse(max_msg_size=LONGEST_MESSAGE, compress=False, timeout=CLOSE_SECONDS)
        await socket.prepare(request)
        now = asyncio.get_running_loop().time()
        conversation = Conversation(self._options, self._handles, now=now, version=version)
        self.calls.append(conversation.tally)
        line = Line(socket, conversation, transport=request.transport, text=self._options.text_frames)
        self._lines.add(line)
        try:
            await line.run()
        finally:
            self._lines.discard(line)
        return socket

    async def _hang_up(self, _: web.Application) -> None:
        await asyncio.gather(*(line.hang_up() for line in self._lines))

    def _look_at(self, key: str) -> None:
        if REAL_KEY.fullmatch(key) and not self._warned:
            self._warned = True
            log.warning("the emulator was shown a key that looks real; it needs none, any word will do")


async def run(
    host: str,
    port: int,
    *,
    ca_file: Path | None,
    announce: Callable[[str], None],
    options: Options | None = None,
) -> None:
    """Serves until cancelled. Says where it listens and whom to trust; a CA file that was not asked for is removed
    at the end. Raises `OSError` if the port is taken or the file cannot be written."""
    emulator = Emulator(options)
    await emulator.start(host=host, port=port)
    try:
        with _ca_file(emulator, ca_file) as path:
            announce(f"Gemini Live emulator on {emulator.url}")
            announce(f"CA certificate in {path}")
            await asyncio.get_running_loop().create_future()
    finally:
        await emulator.stop()


@contextmanager
def _ca_file(emulator: Emulator, asked: Path | None) -> Iterator[Path]:
    if asked is not None:
        emulator.write_ca(asked)
        yield asked
        return
    with TemporaryDirectory(prefix="parley-emulator-") as folder:  # made with mode 0700
        path = Path(folder, "ca.pem")
        emulator.write_ca(path)
        yield path


def _url(host: str, port: int) -> str:
    name = "localhost" if host in EVERYWHERE else host
    return f"https://[{name}]:{port}" if ":" in name else f"https://{name}:{port}"


def _refusal(code: int, status: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message, "status": status}}, status=code)
