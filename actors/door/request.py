"""What the door reads from a request, however it was meant.

Upgrade, Origin, If-None-Match ──▶ header     offered subprotocols ──▶ subprotocol     the other end ──▶ peer
"""

from __future__ import annotations

from collections.abc import Sequence

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request
from websockets.typing import Subprotocol

SUBPROTOCOL = Subprotocol("parley.v1")
BEARER = "bearer."
"""What a token begins with among the subprotocols, the only place where a page can put one."""


def header(request: Request, name: str) -> str | None:
    """All that was said under this name. A header given twice so matches nothing; `get` would raise."""
    said = request.headers.get_all(name)
    return ", ".join(said) if said else None


def wants_socket(request: Request) -> bool:
    """Whether it asks for a WebSocket."""
    return "websocket" in (header(request, "Upgrade") or "").lower()


def subprotocol(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Ours, or the first that is not a token: the old server echoed the first."""
    if SUBPROTOCOL in offered:
        return SUBPROTOCOL
    return next((name for name in offered if not name.lower().startswith(BEARER)), None)


def peer(websocket: ServerConnection) -> str:
    """The address at the other end; empty if that is gone already."""
    return str(websocket.remote_address[0]) if websocket.remote_address else ""
