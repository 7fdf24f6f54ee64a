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
from typing import Any

from actors import errors
from actors.call.allowance import Allowance
from actors.call.call import Call
from actors.call.checkpoint import CallCheckpoint
from actors.call.delivery import Delivery
from actors.call.floor import LINK_CHANGED
from actors.call.held import Held
from actors.call.intake import Intake
from actors.call.playout import Playout
from actors.call.snapshots import Snapshots
from actors.call.stage import Stage
from actors.call.terms import Terms
from actors.connection_port import CallerPort
from actors.errors import CloseCode, GatewayError
from actors.link_port import Upstream
from actors.messages import (
    Audio,
    Bucket,
    ContextUpdate,
    Hangup,
    Lease,
    Lost,
    Media,
    Nonsense,
    Opened,
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
from actors.phases import CAUSES, FROM_CALLER, FROM_MODEL, OF_A_SESSION, TURNS, Drain, Due, Phase
from actors.replies import (
    Cause,
    Connected,
    Error,
    Heartbeat,
    Notice,
    Pong,
    SessionClosed,
    StartAck,
    ToolAck,
)
from actors.runtime import LoopActor, Mail
from actors.supervision import Ready

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
        self._caller, self._port, self._terms = caller, port, terms
        self._metrics, self._clock, self._wall = metrics, clock, wall
        self._reborn = self.checkpoint is not None
        self._call = Call(
            self.life,
            caller=caller,
            upstream=upstream,
            limiter=limiter,
            callers=callers,
            terms=terms,
            metrics=metrics,
        )
        kept = self._call.kept
        allowance = Allowance(caller, limiter, self.actor_ref, limits=terms.limits, metrics=metrics)
        self._intake = Intake(allowance, held, Snapshots(kept.snapshots), metrics)
        self._stage = Stage(Delivery(port, playout, cap=terms.cap, metrics=metrics), kept.floor, metrics)
        self._armed: set[Due] = set()
        self._nonsense: deque[float] = deque(maxlen=NONSENSE)
        self._draining = False
        self._mailbox.on_drop = metrics.frames_dropped.labels("up", "mailbox_full").inc
        self._seen_at = clock()  # when the caller last sent anything
        self._spoken_at = clock()  # when either side last said a word

    def on_start(self) -> None:
        self._wake(Due.HEARTBEAT, HEARTBEAT)
        if not self._reborn:
            self._metrics.calls.labels(Phase.IDLE).inc()
            self._port.send(Connected(self._caller, self._terms.server))
        elif self._phase is Phase.OPENING:
            self._call.begin(self._call.kept.start, self._call.kept.session_id)
        elif self._phase is Phase.LIVE:
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

    @property
    def _phase(self) -> Phase:
        return self._call.kept.phase

    # ── what comes ──

    def on_receive(self, message: object) -> None:
        kind = type(message)
        phase = self._phase
        after = TURNS[phase].get(kind)
        if kind in FROM_CALLER:
            self._seen_at = self._clock()
        try:
            if after is None:
                self._out_of_turn(message)
            elif kind not in OF_A_SESSION or self._call.is_current(message):
                self._handle(message)
                if after is not phase and self._phase is phase:
                    self._call.enter(after)
        except GatewayError as error:  # theirs, not ours: say so, and stand
            self._refuse(error)

    def _out_of_turn(self, message: object) -> None:
        """Typed words want an answer; late mail of a call that is over does not."""
        wants = isinstance(message, Text) and self._phase is Phase.IDLE
        if wants and self._intake.may(Bucket.MESSAGES, self._clock()):
            raise GatewayError(errors.OUT_OF_TURN, "text came before start")

    def _handle(self, message: object) -> None:
        now = self._clock()
        match message:
            case Audio():
                self._intake.audio(message, now)
                self._heard(now)
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
                self._heard(now)
            case Text(content):
                if self._intake.text(message, now):
                    self._spoken_at = now
                    self._stage.typed(content, now)
            case ContextUpdate():
                if self._intake.context(message, now):
                    self._call.keep(snapshots=dict(self._intake.snapshots.latest))
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
                self._call.slot(message)
            case Ready(name, ref):
                self._call.link_ready(name, ref)
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
        live = self._phase is Phase.LIVE
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
                if live and self._has_come(due, self._call.kept.started_at + self._terms.longest, now):
                    raise GatewayError(errors.TOO_LONG)
            case Due.DRAINED:
                raise GatewayError(errors.DRAINING)

    def _heard(self, now: float) -> None:
        self._wake(Due.QUIET, SYNTHETIC_END)
        notice = self._intake.dropped(now)
        if notice is not None:
            self._stage.say(notice)

    # ── beginning a call ──

    def _start(self, start: Start) -> None:
        self._stage.say(StartAck(self._caller))
        if self._phase is Phase.LIVE:
            self._stage.say(Notice("ALREADY_STARTED", "the call is running; this start was ignored"))
        if self._phase is not Phase.IDLE:
            return
        if self._draining:
            raise GatewayError(errors.DRAINING)
        for remark in start.remarks:
            self._stage.say(Notice("FIELD_IGNORED", remark))
        self._intake.expect(self._clock())
        self._port.widen()
        self._port.prefer_binary(sound=start.audio == "binary")
        self._call.begin(start, start.session_id or f"sess_{uuid.uuid4().hex}")

    def _opened(self, opened: Opened, now: float) -> None:
        if self._call.opened(opened, now):
            for reply in self._call.announcement(self._unix_ms()):
                self._port.send(reply)
            self._resume()
        elif self._stage.floor.open:  # the link was reborn: what the model was saying will not be finished
            self._stage.take(self._stage.floor.ended(LINK_CHANGED))
            self._pump(now)

    def _resume(self) -> None:
        """The call is live, from now or again."""
        now = self._spoken_at = self._clock()
        if self._call.kept.link is not None:
            self._intake.open(self._call.kept.link)
        self._wake(Due.IDLE, self._terms.idle)
        self._wake(Due.TOO_LONG, self._call.kept.started_at + self._terms.longest - now)
        self._show(now)
        self._pump(now)

    # ── ending one ──

    def _leave_call(self, cause: Cause, words: str) -> None:
        """The call is over; the socket may live on."""
        if not self._call.kept.call:
            return
        self._intake.shut()
        for reply in self._stage.clear(self._clock()):
            self._port.send(reply)
        self._port.send(self._call.leave(cause, words))

    def _end(self, cause: Cause, words: str, *, code: int = CloseCode.DONE) -> None:
        """The call is over, and the socket with it."""
        self._leave_call(cause, words)
        self._port.close(code, words)
        self._call.enter(Phase.OVER)
        self.stop()

    def _refuse(self, error: GatewayError) -> None:
        """Tell the caller what is wrong; end if that kind of wrong ends a call."""
        kind = error.kind
        if self._phase is Phase.OVER:
            return
        retry = None if error.retry_after is None else int(error.retry_after * 1000)
        self._port.send(Error(kind.code, error.sentence, kind.retryable, retry))
        if kind.closes is None and self._stage.is_choked:
            self._refuse(GatewayError(errors.TOO_SLOW))
        elif kind.closes is not None:
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
        if self._stage.floor is not self._call.kept.floor:
            self._call.keep(floor=self._stage.floor)

    def _unix_ms(self) -> int:
        return int(self._wall() * 1000)
