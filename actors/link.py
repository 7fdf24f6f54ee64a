"""The model's side of one call, with one owner.

    ConnectionActor ──▶ [mailbox] LinkActor ──▶ Joiner ──▶ Line.send ──▶ live/gemini ─wss─▶ Gemini
           ▲                        │    ▲                                   │
           └── what was said ◀──────┘    └──────── Speech, Heard … Lost ◀────┘

It owns the session and its number, the resumption handle, the dialling, and what waits while there is no session.
Mail of a session that has been left is known by its number and dropped. Reborn after a crash it first leaves the
old line, then dials again, with the handle if there is one; the other side of the call hears of it as a new
`Opened`. It declines to know callers, phases, and how a session looks on a socket.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from actors.call.checkpoint import LinkCheckpoint
from actors.call.held import Held
from actors.call.joiner import Joiner
from actors.errors import LINK_LOST, GatewayError
from actors.link_port import Upstream
from actors.messages import (
    Audio,
    Close,
    Garbled,
    HandleGiven,
    Image,
    Lost,
    MicrophonePaused,
    Opened,
    Opening,
    Speech,
    Text,
    ToolCallsWanted,
)
from actors.metrics import Metrics
from actors.runtime import LoopActor, Mail

DIALS = 2
"""Tries to open a session; then the call is told."""
HELD = 5.0
"""Seconds of sound kept while there is no session."""
PAUSE = 1.0
"""Seconds without sound after which the model is told that the microphone paused (Google: "more than 1 second")."""
GARBLED = 3
"""Unreadable frames in `GARBLED_SECONDS` after which the session is not worth keeping."""
GARBLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class PauseDue:
    """Look whether the microphone has paused."""


class LinkActor(LoopActor):
    """Dials, listens and speaks for one call, and ends with it."""

    sheds = (Audio,)

    def __init__(
        self,
        *,
        opening: Opening,
        owner: Mail,
        upstream: Upstream,
        series: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._opening, self._owner, self._upstream = opening, owner, upstream
        self._series = series  # number of the first session; no other link of the caller's uses this one's numbers
        self._metrics, self._clock = metrics, clock
        self._mailbox.on_drop = metrics.frames_dropped.labels("up", "mailbox_full").inc
        self._held = Held(seconds=HELD)
        self._joiner = Joiner()
        self._heard_at = 0.0  # when the caller's sound last came
        self._pause_pending = False
        self._garbled: deque[float] = deque(maxlen=GARBLED)
        self._leaving = False  # its end is decided: what is still on its way comes too late

    def on_start(self) -> None:
        last: LinkCheckpoint | None = self.checkpoint
        if last is not None:
            last.line.abort()
        self._dial(dials=1)

    def on_stop(self) -> None:
        last: LinkCheckpoint | None = self.checkpoint
        if last is not None:
            last.line.close()

    @classmethod
    def let_go(cls, arguments: Mapping[str, Any], checkpoint: LinkCheckpoint | None, event_id: str | None) -> None:
        """Nobody will come back: leave the line."""
        if checkpoint is not None:
            checkpoint.line.abort()

    def on_receive(self, message: object) -> None:
        if self._leaving:
            return
        match message:
            case Audio(pcm):
                self._audio(pcm)
            case Speech():
                if message.session == self._state.session:
                    self._owner.tell(message)
            case Image() | Text():
                self._send(message)
            case PauseDue():
                self._look_for_pause()
            case Close():
                self._leave()
            case _:
                if getattr(message, "session", None) == self._state.session:
                    self._from_model(message)

    @property
    def _state(self) -> LinkCheckpoint:
        state: LinkCheckpoint = self.checkpoint
        return state

    # ── to the model ──

    def _audio(self, pcm: bytes) -> None:
        self._heard_at = self._clock()
        if not self._pause_pending:
            self._pause_pending = True
            self.tell_later(PAUSE, PauseDue())
        joined = self._joiner.add(pcm)
        if joined is not None:
            self._send(Audio(joined))

    def _send(self, message: Audio | Image | Text) -> None:
        state = self._state
        if state.up:
            state.line.send(message)
        elif dropped := self._held.add(message):
            self._metrics.frames_dropped.labels("up", "no_session").inc(dropped)

    def _look_for_pause(self) -> None:
        """One timer for a whole stretch of sound, not one for each frame."""
        quiet = self._clock() - self._heard_at
        if quiet < PAUSE:
            self.tell_later(PAUSE - quiet, PauseDue())
            return
        self._pause_pending = False
        rest = self._joiner.rest()
        if rest is not None:
            self._send(Audio(rest))
        if self._state.up:
            self._state.line.send(MicrophonePaused())

    # ── from the model ──

    def _from_model(self, message: object) -> None:
        match message:
            case Opened():
                self._opened(message)
            case Lost(_, error):
                self._lost(error)
            case HandleGiven(_, handle):
                if handle is not None:  # a moment without one does not spoil the last
                    self.checkpoint = replace(self._state, handle=handle)
            case Garbled():
                self._unreadable()
            case ToolCallsWanted():
                pass  # no tools are declared to the model, so it has none to call
            case _:
                self._owner.tell(message)

    def _dial(self, *, dials: int, afresh: bool = False) -> None:
        last: LinkCheckpoint | None = self.checkpoint
        session = self._series if last is None else last.session + 1
        handle = None if last is None or afresh else last.handle
        line = self._upstream.dial(replace(self._opening, handle=handle), session, self.actor_ref)
        self.checkpoint = LinkCheckpoint(session=session, line=line, dials=dials, handle=handle)

    def _opened(self, opened: Opened) -> None:
        self._metrics.dialled("opened")
        self.checkpoint = replace(self._state, up=True)
        self._owner.tell(opened)
        held = self._held.take()
        for message in held:
            self._state.line.send(message)
        if not self._pause_pending and any(isinstance(message, Audio) for message in held):
            self._state.line.send(MicrophonePaused())  # it did so before there was anybody to tell

    def _lost(self, error: GatewayError) -> None:
        state = self._state
        if not state.up:
            self._metrics.dialled(error.kind.code.lower())
            again = error.kind.retryable
            if state.dials < DIALS and (again or state.handle is not None):
                self._dial(dials=state.dials + 1, afresh=not again)  # a handle that was refused is not tried again
                return
        self._give_up(error)

    def _unreadable(self) -> None:
        now = self._clock()
        self._garbled.append(now)
        if len(self._garbled) == GARBLED and now - self._garbled[0] < GARBLED_SECONDS:
            self._give_up(GatewayError(LINK_LOST, f"{GARBLED} frames in {GARBLED_SECONDS:g} s could not be read"))

    def _give_up(self, error: GatewayError) -> None:
        self._owner.tell(Lost(self._state.session, error))
        self._leave()

    def _leave(self) -> None:
        self._leaving = True
        self.stop()
