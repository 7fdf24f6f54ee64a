"""One caller's socket.

    frame ──▶ read: Pour (bytes a second) ──▶ wire.parse ──▶ mail to the ConnectionActor      Hangup last
    reply ◀── send: wire.write ◀── ConnectionActor

It owns the socket and nothing else. Writing is synchronous and in order: a frame is handed to the transport at once,
and what the network has not taken is `unsent`. Reading stops while the actor's mailbox is full, and slows down for
those who flood, so that the rest of what they send waits in the network and not here. What is leaned on
(`protocol.send_text`, `send_binary`, `send_close`, `max_message_size`, and `send_data`) is asked of the installed
library by `tests/test_caller_socket.py`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed
from websockets.protocol import OPEN

from actors.buckets import Pour
from actors.errors import GatewayError
from actors.mailbox import Mailbox
from actors.messages import Hangup, Nonsense, Overflow
from actors.replies import Reply, Sound
from actors.runtime import Address
from actors.wire.parse import parse
from actors.wire.write import write_sound, write_text

NARROW = 64 * 1024
"""Bytes of a frame before `start`."""
WIDE = 2 * 1024 * 1024
"""Bytes of a frame after it."""
BYTES_PER_SECOND = 1024 * 1024
"""What a caller may send for long; pictures at two a second need about half."""
BYTES_AT_ONCE = 4 * WIDE
FRAME_COST = 1024
"""Bytes that every frame counts beside its own: a thousand empty ones cost the loop as much as one of a megabyte."""
BREATH = 0.05
"""Seconds for which nothing is read of a caller who has sent more than that."""
SEND_BUFFER = 128 * 1024
"""Bytes the kernel may hold for a caller who does not read: two seconds of sound, rather than megabytes."""
DEAD_AFTER = 20_000
"""Milliseconds after which unacknowledged data means that the other end is gone (TCP_USER_TIMEOUT, RFC 5482)."""
GONE = 1006
"""Close code of a socket that ended without a goodbye (RFC 6455, section 7.1.5)."""


class CallerSocket:
    """A `CallerPort`, and the reader of the same socket."""

    def __init__(self, websocket: ServerConnection) -> None:
        self._websocket = websocket
        self._binary = False
        _tune(websocket.transport)

    @property
    def unsent(self) -> int:
        return self._websocket.transport.get_write_buffer_size()

    def send(self, reply: Reply) -> None:
        protocol = self._websocket.protocol
        if protocol.state is not OPEN:
            return
        if self._binary and type(reply) is Sound:
            protocol.send_binary(write_sound(reply))
        else:
            protocol.send_text(write_text(reply))
        self._websocket.send_data()

    def prefer_binary(self, *, sound: bool) -> None:
        self._binary = sound

    def widen(self) -> None:
        self._websocket.protocol.max_message_size = WIDE

    def close(self, code: int, reason: str) -> None:
        if self._websocket.protocol.state is not OPEN:
            return
        self._websocket.protocol.send_close(code, reason)
        self._websocket.send_data()

    async def read(self, actor: Address) -> None:
        """Turn frames into mail until the socket ends."""
        poured = Pour(rate=BYTES_PER_SECOND, burst=BYTES_AT_ONCE)
        inbox = actor.actor_inbox
        assert isinstance(inbox, Mailbox)
        try:
            while True:
                frame = await self._websocket.recv()
                if not poured.pour(len(frame) + FRAME_COST, time.monotonic()):
                    actor.tell(Overflow())
                    await asyncio.sleep(BREATH)
                    continue
                try:
                    actor.tell(parse(frame))
                except GatewayError as error:
                    actor.tell(Nonsense(error))
                if inbox.full:
                    await inbox.room()
        except ConnectionClosed as closed:
            actor.tell(Hangup(closed.rcvd.code if closed.rcvd is not None else GONE))


def _tune(transport: asyncio.Transport) -> None:
    """Notice a caller who is gone, or does not read, sooner than the kernel would by itself."""
    raw: Any = transport.get_extra_info("socket")
    if raw is None:
        return
    with contextlib.suppress(OSError):  # the socket may be gone already; then reading says so
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_AFTER)
