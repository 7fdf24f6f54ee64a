"""What was received and sent in one conversation, counted. Pure.

A test asks this instead of trusting the side under test. The size is bounded by the kinds of message there are;
the setup is kept as it was read, in memory only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from actors.live.emulator.endings import Close


@dataclass(eq=False, slots=True)
class Tally:
    """One call, counted from the service's side."""

    frames: Counter[str] = field(default_factory=Counter)
    """Received messages by kind: `setup`, `clientContent`, `audio`, `video`, `text`, `activityStart`, …"""
    bytes: Counter[str] = field(default_factory=Counter)
    """Received payload by kind: sound and pictures decoded, text in UTF-8."""
    said: Counter[str] = field(default_factory=Counter)
    """Sent messages by the fields they carry: `setupComplete`, `modelTurn`, `turnComplete`, …"""
    setup: dict[str, Any] | None = field(default=None, repr=False)
    """The setup with canonical names; it has the system instruction in it."""
    close: Close | None = None
    """How this side closed the socket, if it did."""
    why: str = ""
    """What was wrong, in words that were not sent."""

    def received(self, kind: str, size: int = 0) -> None:
        """A message, or a part of one, with so many bytes of payload."""
        self.frames[kind] += 1
        self.bytes[kind] += size

    def sent(self, message: dict[str, Any]) -> None:
        """A message of this side; empty content counts as `serverContent`."""
        for name, value in message.items():
            self.said.update(tuple(value) if name == "serverContent" and value else (name,))
