"""What the ConnectionActor needs of the world: a way to the caller.

    ConnectionActor ── send(reply), close(code, reason) ──▶ CallerPort (door/socket.py) ─ws─▶ browser

None of these functions waits. The port lives outside the actor and survives its crash, so the caller hears nothing
of one. What the caller says comes by mail, `Hangup` last.
"""

from __future__ import annotations

from typing import Protocol

from actors.replies import Reply


class CallerPort(Protocol):
    """One caller's socket, for writing."""

    @property
    def unsent(self) -> int:
        """Bytes handed over that the network has not taken yet."""

    def send(self, reply: Reply) -> None:
        """Say something, in order; ignored once the socket is closed."""

    def prefer_binary(self, *, sound: bool) -> None:
        """Whether the caller wants sound as binary frames."""

    def widen(self) -> None:
        """The caller has started: large frames (pictures) are allowed from here on."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and one short sentence."""
