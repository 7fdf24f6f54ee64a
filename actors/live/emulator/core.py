"""One upstream conversation without a socket and without a clock. Pure.

    receive(message, now) ─┐                           ┌─▶ server messages (JSON-able), in order
                           ├─▶ Conversation ──▶ [Out] ─┤
    tick(now) ─────────────┘        │                  └─▶ Close(code, reason), always the last
                                    └─▶ next_wakeup: call tick then, at the latest

It keeps the gate and the hours: one setup, first and once; each message one of the five kinds; the notice and the
end of the connection's life. What is said in between is `session`'s. Whatever is wrong becomes a `Close`; no JSON
value makes it raise. After a `Close` it says nothing more, and `leave` must be called when the socket is closed.
Times are in seconds of any clock that does not go back.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from actors.live.emulator.agreement import Agreement, agree
from actors.live.emulator.calls import Tally
from actors.live.emulator.endings import DEADLINE, INVALID, Close, Refused
from actors.live.emulator.grammar import read
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles, Seat
from actors.live.emulator.session import Session
from actors.live.emulator.usage import Memory

Out = dict[str, Any] | Close
"""A server message, or the end."""


class Conversation:
    """What the service does on one socket. `now` is when it was opened, `version` the API version of its path."""

    def __init__(self, options: Options, handles: Handles, *, now: float, version: str = "v1beta") -> None:
        self.tally = Tally()
        self._options = options
        self._handles = handles
        self._version = version
        self._ends = now + options.connection_seconds
        self._warns = self._ends - options.notice_seconds
        self._warned = False
        self._session: Session | None = None
        self._over = False
        self._outbox: list[Out] = []

    @property
    def next_wakeup(self) -> float | None:
        """When `tick` must be called; `None` once it is over."""
        if self._over:
            return None
        if self._session is None:
            return self._ends
        hours = self._ends if self._warned else self._warns
        due = self._session.next_wakeup
        return hours if due is None else min(hours, due)

    def receive(self, message: object, now: float) -> list[Out]:
        """A client message, as JSON was decoded. What was due before it is said first."""
        return self._attempt(partial(self._take, message, now), now)

    def unreadable(self, now: float) -> list[Out]:
        """A frame that is not JSON."""
        return self._attempt(self._refuse_frame, now)

    def tick(self, now: float) -> list[Out]:
        """Time has passed."""
        return self._attempt(lambda: None, now)

    def leave(self, now: float) -> None:
        """The socket is closed, by whomever; the conversation may be resumed from now on."""
        self._over = True
        if self._session:
            self._session.leave(now)
            self._session = None

    def _attempt(self, act: Callable[[], None], now: float) -> list[Out]:
        if self._over:
            return []
        try:
            self._keep_time(now)
            act()
            self._keep_time(now)
        except Refused as refused:
            self._over = True
            self.tally.close, self.tally.why = refused.close, refused.why
            self._outbox.append(refused.close)
        said, self._outbox = self._outbox, []
        return said

    def _keep_time(self, now: float) -> None:
        due = self.next_wakeup
        if due is None or due > now:
            return
        if now >= self._ends:
            raise Refused(DEADLINE, f"connection: expected to end after {self._options.connection_seconds:g} seconds")
        if self._session:
            self._session.tick(now)
        if now >= self._warns and not self._warned:
            self._warned = True
            self._say({"goAway": {"timeLeft": f"{round(self._ends - now, 3):g}s"}})

    def _take(self, message: object, now: float) -> None:
        try:
            kind, body = read(message)
        except Refused:
            self.tally.received("unreadable")
            raise
        if kind == "setup":
            self._set_up(body, now)
        elif self._session is None:
            raise Refused(INVALID, f"{kind}: expected setup before it")
        else:
            self._session.take(kind, body, now)

    def _set_up(self, setup: dict[str, Any], now: float) -> None:
        self.tally.received("setup")
        if self._session:
            raise Refused(INVALID, "setup: expected once")
        self.tally.setup = setup
        agreed = agree(setup, self._version, served=self._options.versions)
        seat = self._seat(agreed, now)
        self._say({"setupComplete": {}})
        self._session = Session(agreed, seat, options=self._options, tally=self.tally, say=self._say)

    def _seat(self, agreed: Agreement, now: float) -> Seat:
        """A resumed conversation keeps the system instruction it began with."""
        if agreed.handle is None:
            return self._handles.begin(agreed.model, Memory(agreed.instruction_tokens, ()))
        return self._handles.redeem(agreed.handle, agreed.model, lost=agreed.profile.lost_handle, now=now)

    def _say(self, message: dict[str, Any]) -> None:
        self.tally.sent(message)
        self._outbox.append(message)

    def _refuse_frame(self) -> None:
        self.tally.received("unreadable")
        raise Refused(INVALID, "frame: expected JSON")
