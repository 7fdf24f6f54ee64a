"""One caller, one conversation, one owner of its state.

    browser ──▶ wire.parse ──▶ [mailbox] ConnectionActor ──▶ [mailbox] LinkActor ──▶ Gemini
       ▲                          Intake ───┘ │   ▲   ▲           │
       └── port.send ◀── Playout ◀── Stage ───┘   │   └ Speech … ◀┘
                                             Lease, Slot
                                                  │
                                          RateLimiterActor

Nobody else reads or writes what this actor holds. What it accepts in each phase is the table in `phases.py`; what it
does is the case named after the message. What must survive its crash is its checkpoint, one frozen value; the port,
the link, the line of sound to be played and what came too early live outside it, so a crash is not heard. It
declines to know JSON, sockets and the SDK, and to wait.
"""

from __future__ import annotations

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from actors import errors
from actors.allowance import Allowance
from actors.checkpoint import CallCheckpoint
from actors.connection_port import CallerPort
from actors.delivery import Delivery
from actors.errors import CloseCode, GatewayError
from actors.floor import LINK_CHANGED, Floor
from actors.held import Held
from actors.link import LinkActor
from actors.link_port import Upstream
from actors.messages import (
    Audio,
    Bucket,
    Close,
    ContextUpdate,
    Hangup,
    Lease,
    Lost,
    Media,
    Nonsense,
    Opened,
    Opening,
    Overflow,
    Ping,
    Slot,
    Speech,
    Start,
    Stop,
    Text,
    ToolResult,
    Usage,
)
from actors.metrics import Metrics
from actors.phases import CAUSES, FROM_CALLER, FROM_MODEL, TURNS, Drain, Due, Phase
from actors.playout import Playout
from actors.rate_limiter import GiveSlot, WantSlot
from actors.replies import (
    Cause,
    Connected,
    Error,
    Heartbeat,
    Notice,
    Pong,
    Reply,
    SessionClosed,
    SessionReady,
    SessionStarted,
    SetupComplete,
    StartAck,
    ToolAck,
)
from actors.runtime import Address, LoopActor, Mail
from actors.snapshots import Snapshots
from actors.stage import Stage
from actors.supervisor import Child, Ready, Restart, StartChild
from actors.terms import Terms
from actors.intake import Intake

HEARTBEAT = 25.0
"""Seconds between two heartbeats; the old client wants one within 45."""
SILENCE = 60.0
"""Seconds without any message after which a caller counts as lost."""
NONSENSE = 10
"""Unusable messages in `NONSENSE_SECONDS` that end a connection."""
NONSENSE_SECONDS = 10.0
UTTERANCE_QUIET = 1.0
"""Seconds without a piece after which the caller's utterance is closed, where the model does not say so."""
SYNTHETIC_END = 3.0
"""Seconds after the caller's last sound at which the old server announced a turn's end."""
LINK_SERIES = 1_000_000
"""Session numbers set apart for each call of a connection."""


class ConnectionActor(LoopActor):
    """The caller's side of a call, from the accepted socket to its end."""

    sheds = (Audio,)
    fatal = (Start, Stop, Hangup)

    def __init__(
        self,
        *,
        caller: str,
        port: CallerPort,
        playout: Playout,
        held: Held,
        upstream: Upstream,
        limiter: Mail,
        callers: Mail,
        terms: Terms,
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._caller, self._port, self._upstream = caller, port, upstream
        self._limiter, self._callers, self._terms = limiter, callers, terms
        self._metrics, self._clock, self._wall = metrics, clock, wall
        self._reborn = self.checkpoint is not None
        if not self._reborn:
            self.checkpoint = CallCheckpoint()
        allowance = Allowance(caller, limiter, self.actor_ref, limits=terms.limits, metrics=metrics)
        self._intake = Intake(allowance, held, Snapshots(self._call.snapshots), metrics)
        self._stage = Stage(Delivery(port, playout, cap=terms.cap, metrics=metrics), self._call.floor, metrics)
        self._armed: set[Due] = set()
        self._nonsense: deque[float] = deque(maxlen=NONSENSE)
        self._draining = False
        self._seen_at = clock()  # when the caller last sent anything
        self._spoken_at = clock()  # when either side last said a word

    @property
    def _call(self) -> CallCheckpoint:
        call: CallCheckpoint = self.checkpoint
        return call

    def _keep(self, **changes: Any) -> None:
        self.checkpoint = replace(self._call, **changes)

    def _enter(self, phase: Phase) -> None:
        self._metrics.calls.labels(self._call.phase).dec()
        if phase is not Phase.OVER:
            self._metrics.calls.labels(phase).inc()
        self._keep(phase=phase)

    def on_start(self) -> None:
        self._wake(Due.HEARTBEAT, HEARTBEAT)
        if not self._reborn:
            self._metrics.calls.labels(Phase.IDLE).inc()
            self._port.send(Connected(self._caller, self._terms.server))
        elif self._call.phase is Phase.OPENING:
            self._begin(self._call.start, self._call.session_id)
        elif self._call.phase is Phase.LIVE:
            self._resume()

    @classmethod
    def let_go(cls, arguments: Mapping[str, Any], checkpoint: CallCheckpoint | None, event_id: str | None) -> None:
        """We have failed this caller too often, or where it cannot be made good: say so, and close."""
        port: CallerPort = arguments["port"]
        metrics: Metrics = arguments["metrics"]
        kind = errors.OUR_FAULT
        port.send(Error(kind.code, kind.words, kind.retryable, event_id=event_id))
        if checkpoint is not None and checkpoint.phase is not Phase.OVER:
            metrics.calls.labels(checkpoint.phase).dec()
            if checkpoint.phase is not Phase.IDLE:
                metrics.calls_total.labels(Cause.OUR_FAULT).inc()
                port.send(SessionClosed("live_api_closed", Cause.OUR_FAULT, kind.words))
        port.close(CloseCode.OUR_FAULT, kind.words)

    # ── what comes ──

    def on_receive(self, message: object) -> None:
        kind = type(message)
        phase = self._call.phase
        after = TURNS[phase].get(kind)
        if kind in FROM_CALLER:
            self._seen_at = self._clock()
        try:
            if after is None:
                self._out_of_turn(message)
            elif self._is_current(message):
                self._handle(message)
                if after is not phase and self._call.phase is phase:
                    self._enter(after)
        except GatewayError as error:  # theirs, not ours: say so, and stand
            self._refuse(error)

    def _is_current(self, message: object) -> bool:
        """Whether mail of the model's side comes from the session we are in; `Opened` begins one."""
        match message:
            case Opened(session) | Lost(session):
                return session >= self._call.calls * LINK_SERIES
            case _ if type(message) in FROM_MODEL:
                return bool(message.session == self._call.session)  # type: ignore[attr-defined]  # all of them have one
        return True

    def _out_of_turn(self, message: object) -> None:
        """Typed words want an answer; late mail of a call that is over does not."""
        if isinstance(message, Text) and self._call.phase is Phase.IDLE:
            raise GatewayError(errors.OUT_OF_TURN, "text came before start")

    def _handle(self, message: object) -> None:
        now = self._clock()
        match message:
            case Audio():
                self._intake.audio(message, now)
                self._wake(Due.QUIET, SYNTHETIC_END)
            case Speech(_, pcm):
                self._spoken_at = now
                self._stage.sound(pcm, now)
                self._pump(now)
            case Due():
                self._due(message, now)
            case Lease() | Slot() | Ready() | Drain() | Opened() | Lost() | Usage():
                self._from_house(message, now)
            case _ if type(message) in FROM_MODEL:
                self._spoken_at = now
                self._stage.hear(message, now)
                self._wake(Due.UTTERANCE, UTTERANCE_QUIET)
                self._pump(now)
            case _:
                self._from_caller(message, now)
        self._note_floor()

    def _from_caller(self, message: object, now: float) -> None:
        match message:
            case Ping(timestamp):
                self._stage.say(Pong(timestamp if timestamp is not None else self._unix_ms()))
            case Start():
                self._start(message)
            case Stop():
                self._leave_call(Cause.CALLER_HUNG_UP, "you ended the call")
            case Media(chunks):
                self._intake.media(chunks, now)
                self._wake(Due.QUIET, SYNTHETIC_END)
            case Text(content):
                if self._intake.text(message, now):
                    self._spoken_at = now
                    self._stage.typed(content, now)
            case ContextUpdate():
                if self._intake.context(message, now):
                    self._keep(snapshots=dict(self._intake.snapshots.latest))
                    self._show(now)
            case ToolResult():
                if self._intake.may(Bucket.MESSAGES, now):
                    self._stage.say(ToolAck(error=errors.NO_TOOL_OPEN.words))
            case Nonsense(error):
                self._count_nonsense(error, now)
            case Overflow():
                self._intake.overflow(now)
            case Hangup(code):
                self._end(Cause.CALLER_HUNG_UP if code in (1000, 1001) else Cause.CALLER_LOST, "the caller is gone")

    def _from_house(self, message: object, now: float) -> None:
        match message:
            case Lease():
                self._intake.refill(message, now)
            case Slot():
                self._slot(message)
            case Ready(name, ref):
                self._link_ready(name, ref)
            case Drain(seconds):
                self._draining = True
                self._wake(Due.DRAINED, seconds)
                self._leave_if_draining(now)
            case Opened():
                self._opened(message, now)
            case Lost(_, error):
                raise error
            case Usage(_, tokens_in, tokens_out):
                for direction, tokens in (("in", tokens_in), ("out", tokens_out)):
                    for modality, count in tokens.items():
                        self._metrics.tokens.labels(direction, modality).inc(count)

    def _due(self, due: Due, now: float) -> None:
        self._armed.discard(due)
        live = self._call.phase is Phase.LIVE
        match due:
            case Due.HEARTBEAT:
                self._heartbeat(now)
            case Due.PLAYOUT:
                self._pump(now)
            case Due.SNAPSHOT:
                self._show(now)
            case Due.UTTERANCE:
                if self._has_come(due, self._stage.piece_at + UTTERANCE_QUIET, now):
                    self._stage.take(self._stage.floor.quieted())
            case Due.QUIET:
                if self._has_come(due, self._intake.heard_at + SYNTHETIC_END, now) and live:
                    self._stage.announce_quiet(self._intake.heard_at, now)
            case Due.IDLE:
                if live and self._has_come(due, self._spoken_at + self._terms.idle, now):
                    raise GatewayError(errors.IDLE)
            case Due.TOO_LONG:
                if live and self._has_come(due, self._call.started_at + self._terms.longest, now):
                    raise GatewayError(errors.TOO_LONG)
            case Due.DRAINED:
                raise GatewayError(errors.DRAINING)

    # ── beginning a call ──

    def _start(self, start: Start) -> None:
        self._stage.say(StartAck(self._caller))
        if self._call.phase is Phase.LIVE:
            self._stage.say(Notice("ALREADY_STARTED", "the call is running; this start was ignored"))
        if self._call.phase is not Phase.IDLE:
            return
        if self._draining:
            raise GatewayError(errors.DRAINING)
        for remark in start.remarks:
            self._stage.say(Notice("FIELD_IGNORED", remark))
        self._port.widen()
        self._port.prefer_binary(sound=start.audio == "binary")
        self._begin(start, start.session_id or f"sess_{uuid.uuid4().hex}")

    def _begin(self, start: Start, session_id: str) -> None:
        calls = self._call.calls + 1
        call = f"call_{uuid.uuid4().hex}"
        self._keep(calls=calls, call=call, session_id=session_id, start=start, link=None, session=-1)
        self._limiter.tell(WantSlot(self._caller, call, self.actor_ref))

    def _slot(self, slot: Slot) -> None:
        call, terms = self._call, self._terms
        if slot.call != call.call:
            return
        if not slot.granted:
            raise GatewayError(errors.FULL, retry_after=slot.retry_after)
        opening = Opening(call.call, terms.model, self._voice, self._language, terms.instruction)
        arguments = {
            "opening": opening,
            "owner": self.actor_ref,
            "upstream": self._upstream,
            "series": call.calls * LINK_SERIES,
            "metrics": self._metrics,
        }
        link = Child(f"{self._caller}/{call.call}", LinkActor, arguments, Restart.TRANSIENT, group=self._caller)
        self._callers.tell(StartChild(link, reply_to=self.actor_ref))

    def _link_ready(self, name: str, link: Address) -> None:
        if self._call.call and name.endswith(f"/{self._call.call}"):
            self._keep(link=link)
        else:  # the caller changed their mind while it was being built
            link.tell(Close())

    def _opened(self, opened: Opened, now: float) -> None:
        first = self._call.phase is Phase.OPENING
        self._keep(session=opened.session, model=opened.model)
        if not first:  # the link was reborn: what the model was saying will not be finished
            if self._stage.floor.open:
                self._stage.take(self._stage.floor.ended(LINK_CHANGED))
                self._pump(now)
            return
        self._keep(started_at=now)
        self._announce()
        self._resume()

    def _announce(self) -> None:
        """The order that the old client depends on: started, complete, ready."""
        call = self._call
        replies: tuple[Reply, ...] = (
            SessionStarted(self._caller, call.session_id, self._language, self._voice, call.model, call.start.audio),
            SetupComplete(),
            SessionReady(call.session_id, self._unix_ms()),
        )
        for reply in replies if self._terms.greeting is None else (*replies, self._terms.greeting):
            self._port.send(reply)

    def _resume(self) -> None:
        """The call is live, from now or again."""
        now = self._spoken_at = self._clock()
        if self._call.link is not None:
            self._intake.open(self._call.link)
        self._wake(Due.IDLE, self._terms.idle)
        self._wake(Due.TOO_LONG, self._call.started_at + self._terms.longest - now)
        self._show(now)
        self._pump(now)

    @property
    def _voice(self) -> str:
        return self._call.start.voice or self._terms.voice

    @property
    def _language(self) -> str:
        return self._call.start.language or self._terms.language

    # ── ending one ──

    def _leave_call(self, cause: Cause, words: str) -> None:
        """The call is over; the socket may live on."""
        call = self._call
        if not call.call:
            return
        if call.link is not None:
            call.link.tell(Close())
        self._limiter.tell(GiveSlot(self._caller))
        self._metrics.calls_total.labels(cause).inc()
        self._intake.shut()
        for reply in self._stage.clear(self._clock()):
            self._port.send(reply)
        stopped = cause is Cause.CALLER_HUNG_UP
        self._port.send(SessionClosed("client_stop" if stopped else "live_api_closed", cause, words))
        self._keep(link=None, call="", floor=Floor())

    def _end(self, cause: Cause, words: str, *, code: int = CloseCode.DONE) -> None:
        """The call is over, and the socket with it."""
        self._leave_call(cause, words)
        self._port.close(code, words)
        self._enter(Phase.OVER)
        self.stop()

    def _refuse(self, error: GatewayError) -> None:
        """Tell the caller what is wrong; end if that kind of wrong ends a call."""
        kind = error.kind
        if self._call.phase is Phase.OVER:
            return
        retry = None if error.retry_after is None else int(error.retry_after * 1000)
        self._port.send(Error(kind.code, error.sentence, kind.retryable, retry))
        if kind.closes is not None:
            self._end(CAUSES.get(kind.code, Cause.UPSTREAM_FAILED), kind.words, code=kind.closes)

    def _leave_if_draining(self, now: float) -> None:
        if not self._draining or self._stage.floor.open:
            return
        unheard = self._stage.unheard(now)
        if unheard == 0:
            raise GatewayError(errors.DRAINING)
        self._wake(Due.PLAYOUT, unheard)

    def _count_nonsense(self, error: GatewayError, now: float) -> None:
        self._nonsense.append(now)
        if len(self._nonsense) == NONSENSE and now - self._nonsense[0] < NONSENSE_SECONDS:
            self._refuse(error)
            raise GatewayError(errors.NONSENSE)
        raise error

    # ── time ──

    def _wake(self, due: Due, seconds: float) -> None:
        """One timer of each sort: it looks again when it comes round, rather than being moved for every message."""
        if due not in self._armed:
            self._armed.add(due)
            self.tell_later(max(0.0, seconds), due)

    def _has_come(self, due: Due, when: float, now: float) -> bool:
        """Whether that time is here; otherwise the timer is set for the rest."""
        if when > now:
            self._wake(due, when - now)
        return when <= now

    def _pump(self, now: float) -> None:
        wait = self._stage.pump(now)
        if wait is not None:
            self._wake(Due.PLAYOUT, wait)
        self._leave_if_draining(now)

    def _show(self, now: float) -> None:
        wait = self._intake.show(now)
        if wait is not None:
            self._wake(Due.SNAPSHOT, wait)

    def _heartbeat(self, now: float) -> None:
        if now - self._seen_at > SILENCE:
            self._end(Cause.CALLER_LOST, "nothing was heard of you for a minute")
            return
        self._stage.say(Heartbeat(self._unix_ms()))
        self._wake(Due.HEARTBEAT, HEARTBEAT)

    def _note_floor(self) -> None:
        if self._stage.floor is not self._call.floor:
            self._keep(floor=self._stage.floor)

    def _unix_ms(self) -> int:
        return int(self._wall() * 1000)
