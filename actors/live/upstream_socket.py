"""websockets' connection, with the habits that neither it nor the SDK has by itself.

    google-genai ── connect(create_connection=UpstreamSocket) ──▶ handshake · reading · leaving     as ever
    uplink ── write ──▶ one text frame, in order, without waiting
           ◀── on_full · on_room ── the transport's own marks

The SDK hands `async_client_args` on to `websockets.connect`, whose `create_connection` is made for this. Four habits:

- A redirect is refused. websockets follows it to any host, and strips `Authorization` but not `x-goog-api-key`.
- Left with an error or by cancellation, the socket is aborted: a closing handshake with a dead peer takes seconds,
  and cancelled in the middle it would leave the socket open.
- The kernel buffers little, so that a peer who stops reading is noticed after seconds of sound instead of minutes
  (1 803 chunks of 100 ms were swallowed with default buffers, measured over loopback).
- Writing does not wait; the two marks of the write buffer are passed on to whoever decides what to do about it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from types import TracebackType

from websockets.asyncio.client import ClientConnection
from websockets.datastructures import HeadersLike
from websockets.exceptions import InvalidStatus
from websockets.frames import CloseCode
from websockets.http11 import USER_AGENT
from websockets.protocol import CLOSED, OPEN

from actors.errors import REFUSED, GatewayError

SEND_BUFFER = 64 * 1024
"""Bytes in the kernel: 1.5 s of sound as base64; at a round trip of 300 ms still 200 kB a second."""
WRITE_MARKS = (1, 0)
"""High and low, for `write_limit`: of the TLS layer's own buffer. It fills when the 64 KiB of the TCP transport
under it are full, so that any byte in it means that nothing more should be written."""
UNHEARD_MILLISECONDS = 10_000
"""How long sent bytes may stay unacknowledged before the kernel gives the connection up (RFC 5482; Linux only)."""


class UpstreamSocket(ClientConnection):
    """One connection to the model."""

    on_full: Callable[[], None] | None = None
    """Called when nothing more should be written …"""
    on_room: Callable[[], None] | None = None
    """… and when writing makes sense again."""
    _deadline: asyncio.TimerHandle | None = None

    def write(self, frame: bytes) -> None:
        """One text frame, now and after all earlier ones. Nothing, when the connection is not open any more."""
        if self.state is OPEN and not self.transport.is_closing():
            self.protocol.send_text(frame)
            self.send_data()

    def part(self, seconds: float) -> None:
        """Say goodbye, and end in so many seconds at the latest. Whoever reads hears `ConnectionClosed`."""
        if self.state is CLOSED:
            return
        if self.state is OPEN and not self.transport.is_closing():
            self.protocol.send_close(CloseCode.NORMAL_CLOSURE)
            self.send_data()
        self._deadline = self.loop.call_later(seconds, self.transport.abort)

    async def handshake(
        self,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
    ) -> None:
        """As websockets does it, but no redirect leaves here in the shape that it would follow.

        Raises:
            GatewayError: The upstream answered with a redirect.
        """
        try:
            await super().handshake(additional_headers, user_agent_header)
        except InvalidStatus as refused:
            status = refused.response.status_code
            if 300 <= status < 400:
                raise GatewayError(REFUSED, f"http {status} redirect, expected the upstream itself") from None
            raise

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            await super().__aexit__(exc_type, exc_value, traceback)
        else:
            self.transport.abort()
            await self.wait_closed()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        tcp = transport.get_extra_info("socket")
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNHEARD_MILLISECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.on_full = self.on_room = None
        if self._deadline is not None:
            self._deadline.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.on_full is not None:
            self.on_full()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self.on_room is not None:
            self.on_room()
