"""The calls of one connection, one after another: asked for, opened, left.

    begin ──▶ WantSlot ▸ limiter      slot ──▶ StartChild(LinkActor) ▸ callers      link_ready, opened ──▶ live
    leave ──▶ Close ▸ link, GiveSlot ▸ limiter

Part of the ConnectionActor. What it knows of the present call is the actor's checkpoint, one frozen value that is
swapped whole, so a reborn actor goes on with it.
"""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

from actors import errors
from actors.call.checkpoint import CallCheckpoint
from actors.call.floor import Floor
from actors.call.terms import Terms
from actors.errors import GatewayError
from actors.link import LinkActor
from actors.link_port import Upstream
from actors.messages import Close, Lost, Opened, Opening, Slot, Start
from actors.metrics import Metrics
from actors.phases import Phase
from actors.plan import Child, Restart
from actors.rate_limiter import GiveSlot, WantSlot
from actors.replies import Cause, Reply, SessionClosed, SessionReady, SessionStarted, SetupComplete
from actors.runtime import Address, Life, Mail
from actors.supervision import StartChild

LINK_SERIES = 1_000_000
"""Session numbers set apart for each call of a connection."""


class Call:
    """The present call of a connection, if there is one."""

    def __init__(
        self,
        life: Life,
        *,
        caller: str,
        upstream: Upstream,
        limiter: Mail,
        callers: Mail,
        terms: Terms,
        metrics: Metrics,
    ) -> None:
        self._life, self._caller, self._upstream = life, caller, upstream
        self._limiter, self._callers, self._terms, self._metrics = limiter, callers, terms, metrics
        if life.checkpoint is None:
            life.checkpoint = CallCheckpoint()

    @property
    def kept(self) -> CallCheckpoint:
        """Where it has got to."""
        kept: CallCheckpoint = self._life.checkpoint
        return kept

    def keep(self, **changes: Any) -> None:
        """Note a change: the next instance, should there be one, begins with it."""
        self._life.checkpoint = replace(self.kept, **changes)

    def enter(self, phase: Phase) -> None:
        """Go to another phase."""
        self._metrics.calls.labels(self.kept.phase).dec()
        if phase is not Phase.OVER:
            self._metrics.calls.labels(phase).inc()
        self.keep(phase=phase)

    def begin(self, start: Start, session_id: str) -> None:
        """A new call: ask the house for a slot."""
        call = f"call_{uuid.uuid4().hex}"
        self.keep(calls=self.kept.calls + 1, call=call, session_id=session_id, start=start, link=None, session=-1)
        self._limiter.tell(WantSlot(self._caller, call, self._life.ref))

    def slot(self, slot: Slot) -> None:
        """The house has answered: have a link built.

        Raises:
            GatewayError: FULL.
        """
        kept = self.kept
        if slot.call != kept.call:
            return
        if not slot.granted:
            raise GatewayError(errors.FULL, retry_after=slot.retry_after)
        arguments = {
            "opening": Opening(kept.call, self._terms.model, self.voice, self.language, self._terms.instruction),
            "owner": self._life.ref,
            "upstream": self._upstream,
            "series": kept.calls * LINK_SERIES,
            "metrics": self._metrics,
        }
        link = Child(f"{self._caller}/{kept.call}", LinkActor, arguments, Restart.TRANSIENT, group=self._caller)
        self._callers.tell(StartChild(link, reply_to=self._life.ref))

    def link_ready(self, name: str, link: Address) -> None:
        """A link was built, for this call or for one that is over."""
        if self.kept.call and name.endswith(f"/{self.kept.call}"):
            self.keep(link=link)
        else:
            link.tell(Close())

    def opened(self, opened: Opened, now: float) -> bool:
        """The model is there; whether for the first time in this call."""
        first = self.kept.phase is Phase.OPENING
        self.keep(session=opened.session, model=opened.model, started_at=now if first else self.kept.started_at)
        return first

    def announcement(self, unix_ms: int) -> tuple[Reply, ...]:
        """What a caller is told when the model is there, in the order that the old client depends on."""
        kept, terms = self.kept, self._terms
        audio = kept.start.audio
        replies = (
            SessionStarted(self._caller, kept.session_id, self.language, self.voice, kept.model, audio),
            SetupComplete(),
            SessionReady(kept.session_id, unix_ms),
        )
        return replies if terms.greeting is None else (*replies, terms.greeting)

    def leave(self, cause: Cause, words: str) -> SessionClosed:
        """The call is over: give everything back."""
        if self.kept.link is not None:
            self.kept.link.tell(Close())
        self._limiter.tell(GiveSlot(self._caller))
        self._metrics.calls_total.labels(cause).inc()
        self.keep(link=None, call="", floor=Floor())
        return SessionClosed("client_stop" if cause is Cause.CALLER_HUNG_UP else "live_api_closed", cause, words)

    def is_current(self, message: Any) -> bool:
        """Whether mail of the model's side comes from the session we are in; `Opened` begins one."""
        if isinstance(message, Opened | Lost):
            return message.session >= self.kept.calls * LINK_SERIES
        return bool(message.session == self.kept.session)

    @property
    def voice(self) -> str:
        return self.kept.start.voice or self._terms.voice

    @property
    def language(self) -> str:
        return self.kept.start.language or self._terms.language
