"""What stands in for the world when actors are tested built, not started.

    Clock        for time.monotonic and time.time           FakeMail      for any ref that is told things
    FakePort     for CallerPort (a browser's socket)        FakeUpstream  for Upstream, and its FakeLine for Line

They record and decide nothing. What the world would answer, the test says itself.
"""

from __future__ import annotations

from actors.messages import Opening, ToModel
from actors.replies import Reply
from actors.runtime import Mail


class Clock:
    """A clock that goes when the test says so, in seconds."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> float:
        """Let time pass; returns the new time."""
        self.now += seconds
        return self.now


class FakeMail:
    """Whoever can be told something, and remembers what."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def tell(self, message: object) -> None:
        self.heard.append(message)


class FakePort:
    """A caller's socket. `unsent` is what the test says the network has not taken."""

    def __init__(self) -> None:
        self.sent: list[Reply] = []
        self.closed: tuple[int, str] | None = None
        self.unsent = 0
        self.binary = False
        self.wide = False

    def send(self, reply: Reply) -> None:
        if self.closed is None:
            self.sent.append(reply)

    def prefer_binary(self, *, sound: bool) -> None:
        self.binary = sound

    def widen(self) -> None:
        self.wide = True

    def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = (code, reason)


class FakeLine:
    """One upstream session, which says nothing by itself: the test mails what it would say."""

    def __init__(self) -> None:
        self.said: list[ToModel] = []
        self.closed = False
        self.aborted = False

    def send(self, message: ToModel) -> None:
        self.said.append(message)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class FakeUpstream:
    """The way to the model: every dial gets a line, and `lines[n]` is that of `dialled[n]`."""

    def __init__(self) -> None:
        self.dialled: list[tuple[Opening, int, Mail]] = []
        self.lines: list[FakeLine] = []

    def dial(self, opening: Opening, session: int, owner: Mail) -> FakeLine:
        self.dialled.append((opening, session, owner))
        self.lines.append(FakeLine())
        return self.lines[-1]
