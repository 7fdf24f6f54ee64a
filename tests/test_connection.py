"""The caller's side of a call, told by mail to an actor that was built and never started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from actors import errors
from actors.call.call import LINK_SERIES
from actors.call.checkpoint import CallCheckpoint
from actors.call.floor import Floor
from actors.call.held import Held
from actors.call.playout import Playout
from actors.call.terms import Terms
from actors.connection import HEARTBEAT, ConnectionActor
from actors.errors import BadFrame, GatewayError
from actors.link import LinkActor
from actors.messages import (
    Audio,
    BargedIn,
    Bucket,
    Close,
    ContextUpdate,
    Generated,
    Hangup,
    Heard,
    HeartbeatAck,
    Image,
    Lease,
    Lost,
    Media,
    Modality,
    Nonsense,
    Opened,
    Overflow,
    Ping,
    Said,
    Slot,
    Speech,
    Start,
    Stop,
    Text,
    ToolResult,
    TurnEnded,
    Usage,
    Wrote,
)
from actors.metrics import Metrics
from actors.phases import TURNS, Drain, Due, Phase
from actors.rate_limiter import GiveSlot, Want, WantSlot
from actors.replies import (
    Cause,
    Connected,
    Error,
    GenerationComplete,
    Heartbeat,
    InputTranscript,
    Interrupted,
    ModelText,
    Notice,
    OutputTranscript,
    Pong,
    Reply,
    SessionClosed,
    SessionReady,
    SessionStarted,
    SetupComplete,
    Sound,
    StartAck,
    ToolAck,
    TurnComplete,
    TurnStarted,
)
from actors.runtime import Life, Timer, _adopted
from actors.supervision import Ready, StartChild
from tests.fakes import Clock, FakeMail, FakePort, FakeUpstream

FRAME = Audio(bytes(640))
PICTURE = Image(b"\xff\xd8\xff picture", "image/jpeg")
SCREEN = ContextUpdate(Modality.SCREEN, "a dashboard", PICTURE)
CALLER = "conn_1"
LIMITS = {Bucket.AUDIO: 200, Bucket.MESSAGES: 100, Bucket.MEDIA: 300}
PLENTY = 10_000
SECOND = bytes(48_000)  # of the model's sound


def terms(**changes: Any) -> Terms:
    return Terms(**{"server": "parley/t", "model": "m", "voice": "Puck", "language": "en-US", "instruction": "Be kind",
                    "limits": LIMITS, **changes})  # fmt: skip


class Room:
    """An actor, everything around it, and a clock that fires its timers."""

    def __init__(self, **changes: Any) -> None:
        self.clock, self.port, self.metrics = Clock(), FakePort(), Metrics()
        self.limiter, self.callers, self.link = FakeMail(), FakeMail(), FakeMail()
        self.life = Life(ConnectionActor, name=CALLER)
        self.arguments: dict[str, Any] = {
            "caller": CALLER,
            "port": self.port,
            "playout": Playout(lead=1.0),
            "held": Held(seconds=5.0),
            "upstream": FakeUpstream(),
            "limiter": self.limiter,
            "callers": self.callers,
            "terms": terms(**changes),
            "metrics": self.metrics,
            "clock": self.clock,
            "wall": lambda: 1_700_000_000.0,
        }
        self.due: dict[Timer, float] = {}
        self.be_born()

    def be_born(self) -> None:
        """A first instance, or the next one into the same life."""
        _adopted.set(self.life)
        self.actor = ConnectionActor(**self.arguments)
        self.actor.on_start()
        self.note_timers()

    def hear(self, *messages: object) -> None:
        for message in messages:
            self.actor.on_receive(message)
            self.note_timers()

    def note_timers(self) -> None:
        for timer in self.actor.timers - self.due.keys():
            self.due[timer] = self.clock.now + timer.seconds

    def wait(self, seconds: float) -> None:
        """Let time pass, and every timer that comes round be heard at its moment."""
        until = self.clock.now + seconds
        while ripe := sorted((when, id(timer), timer) for timer, when in self.due.items() if when <= until):
            when, _, timer = ripe[0]
            del self.due[timer]
            if timer in self.actor.timers:
                self.actor.timers.discard(timer)
                self.clock.now = max(self.clock.now, when)
                self.hear(timer.message)
        self.clock.now = until

    @property
    def call(self) -> CallCheckpoint:
        checkpoint: CallCheckpoint = self.actor.checkpoint
        return checkpoint

    @property
    def phase(self) -> Phase:
        return self.call.phase

    @property
    def session(self) -> int:
        return self.call.calls * LINK_SERIES

    def lend(self) -> None:
        self.hear(*(Lease(bucket, PLENTY, 0.0) for bucket in Bucket))

    def start(self, start: Start = Start()) -> None:  # noqa: B008  # a value
        """As far as the link's being dialled."""
        self.hear(start)
        self.hear(Slot(self.asked_slot().call, granted=True))
        self.hear(Ready(f"{CALLER}/{self.call.call}", self.link))  # type: ignore[arg-type]  # a recording ref

    def asked_slot(self) -> WantSlot:
        return [mail for mail in self.limiter.heard if isinstance(mail, WantSlot)][-1]

    def live(self, start: Start = Start()) -> None:  # noqa: B008
        """As far as talking."""
        self.lend()
        self.start(start)
        self.hear(Opened(self.session, "m"))
        self.port.sent.clear()

    def sent(self, *kinds: type[Reply]) -> list[Reply]:
        return [reply for reply in self.port.sent if isinstance(reply, kinds)]

    def in_phase(self, phase: Phase) -> None:
        """Bring it to a phase the way a caller would."""
        if phase is Phase.OPENING:
            self.lend()
            self.start()
        elif phase is Phase.LIVE:
            self.live()
        elif phase is Phase.OVER:
            self.hear(Hangup(1000))


@pytest.fixture
def room() -> Room:
    return Room()


def message(kind: type, session: int, room: Room) -> object:
    """One of each kind, as it would come in this room."""
    return {
        Start: Start(),
        Stop: Stop(),
        Audio: FRAME,
        Media: Media((FRAME,)),
        Text: Text("hello"),
        ContextUpdate: SCREEN,
        ToolResult: ToolResult(()),
        Ping: Ping(1.0),
        HeartbeatAck: HeartbeatAck(1.0),
        Nonsense: Nonsense(BadFrame("x")),
        Overflow: Overflow(),
        Hangup: Hangup(1006),
        Lease: Lease(Bucket.AUDIO, 1, 0.0),
        Slot: Slot(room.call.call, granted=True),
        Ready: Ready(f"{CALLER}/{room.call.call}", room.link),  # type: ignore[arg-type]
        Drain: Drain(10.0),
        Due: Due.SNAPSHOT,
        Opened: Opened(session, "m"),
        Lost: Lost(session, GatewayError(errors.LINK_LOST)),
        Speech: Speech(session, bytes(960)),
        Heard: Heard(session, " hi"),
        Said: Said(session, " ho"),
        Wrote: Wrote(session, "x"),
        BargedIn: BargedIn(session),
        Generated: Generated(session),
        TurnEnded: TurnEnded(session),
        Usage: Usage(session, {"audio": 5}, {"audio": 7}),
    }[kind]


# ── the table ──

KINDS = sorted({kind for row in TURNS.values() for kind in row}, key=lambda kind: kind.__name__)
ENDS_BY_DRAINING = {(Phase.IDLE, Drain), (Phase.LIVE, Drain), (Phase.OPENING, Drain)}


@pytest.mark.parametrize("phase", Phase)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_phase_accepts_and_the_phase_after_it_are_the_table(phase: Phase, kind: type) -> None:
    room = Room()
    room.in_phase(phase)

    room.hear(message(kind, room.session, room))

    expected = TURNS[phase].get(kind, phase)
    quiet = (phase, kind) in ENDS_BY_DRAINING  # a caller to whom nobody is speaking is at a quiet point already
    assert room.phase is (Phase.OVER if quiet else expected)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_is_over_says_nothing_more(kind: type) -> None:
    room = Room()
    room.hear(Hangup(1000))
    said = len(room.port.sent)

    room.hear(message(kind, room.session, room))

    assert len(room.port.sent) == said


# ── beginning ──


def test_the_first_word_on_a_socket_is_connected(room: Room) -> None:
    assert room.port.sent == [Connected(CALLER, "parley/t")]


def test_ready_comes_in_the_order_the_old_client_depends_on(room: Room) -> None:
    room.start(Start(session_id="sess_mine"))
    room.hear(Opened(room.session, "m"))

    assert room.port.sent == [
        Connected(CALLER, "parley/t"),
        StartAck(CALLER),
        SessionStarted(CALLER, "sess_mine", "en-US", "Puck", "m", "base64"),
        SetupComplete(),
        SessionReady("sess_mine", 1_700_000_000_000),
    ]


def test_start_is_acknowledged_before_anything_is_asked_of_the_house(room: Room) -> None:
    room.hear(Start())

    assert room.sent(StartAck) == [StartAck(CALLER)]
    assert isinstance(room.limiter.heard[-1], WantSlot)
    assert room.callers.heard == []


def test_a_link_is_built_with_what_the_caller_chose_once_there_is_a_slot(room: Room) -> None:
    room.hear(Start(voice="Kore", language="de-DE"))
    room.hear(Slot(room.asked_slot().call, granted=True))

    asked = room.callers.heard[0]
    assert isinstance(asked, StartChild)
    assert asked.child.actor is LinkActor
    assert asked.child.group == CALLER
    assert asked.reply_to is room.actor.actor_ref
    opening = asked.child.arguments["opening"]
    assert (opening.voice, opening.language, opening.instruction) == ("Kore", "de-DE", "Be kind")


def test_a_second_start_while_opening_is_acknowledged_and_starts_nothing(room: Room) -> None:
    room.start()
    asked = len(room.limiter.heard)

    room.hear(Start())

    assert len(room.sent(StartAck)) == 2
    assert len(room.limiter.heard) == asked


def test_a_start_while_live_is_acknowledged_ignored_and_noted(room: Room) -> None:
    room.live()
    call = room.call.call

    room.hear(Start())

    assert [type(reply) for reply in room.port.sent] == [StartAck, Notice]
    assert room.call.call == call


def test_a_session_without_an_id_gets_one_of_ours(room: Room) -> None:
    room.live()

    assert room.call.session_id.startswith("sess_")
    assert len(room.call.session_id) == len("sess_") + 32


def test_fields_that_could_not_be_used_are_said_in_a_notice(room: Room) -> None:
    room.hear(Start(remarks=("start.voiceName was not usable",)))

    assert room.sent(Notice) == [Notice("FIELD_IGNORED", "start.voiceName was not usable")]


def test_large_frames_are_let_in_and_sound_goes_out_as_wished_after_start(room: Room) -> None:
    assert not room.port.wide

    room.live(Start(audio="binary"))

    assert room.port.wide
    assert room.port.binary


def test_a_full_house_says_when_to_come_back_and_closes(room: Room) -> None:
    room.hear(Start())
    room.hear(Slot(room.asked_slot().call, granted=False, retry_after=10.0))

    (error,) = room.sent(Error)
    assert isinstance(error, Error)
    assert (error.code, error.retryable, error.retry_after_ms) == ("HOUSE_FULL", True, 10_000)
    assert room.port.closed is not None
    assert room.port.closed[0] == 4429


def test_a_link_that_comes_too_late_is_sent_away(room: Room) -> None:
    room.hear(Start())
    room.hear(Slot(room.asked_slot().call, granted=True))
    name = f"{CALLER}/{room.call.call}"

    room.hear(Stop(), Ready(name, room.link))  # type: ignore[arg-type]

    assert room.link.heard == [Close()]


def test_stop_then_start_on_one_socket_is_a_new_call(room: Room) -> None:
    room.live()
    first = room.call.call
    room.hear(Stop())

    room.live()

    assert room.phase is Phase.LIVE
    assert room.call.call != first


def test_mail_of_the_session_before_is_dropped(room: Room) -> None:
    room.live()
    old = room.session
    room.hear(Stop())
    room.live()

    room.hear(Speech(old, SECOND), Said(old, "old"), Lost(old, GatewayError(errors.LINK_LOST)))

    assert room.port.sent == []
    assert room.phase is Phase.LIVE


# ── what is said before the model is there ──


def test_early_sound_is_held_and_sent_when_the_model_is_there(room: Room) -> None:
    room.lend()
    frames = [Audio(bytes([n]) * 640) for n in range(5)]
    room.hear(*frames[:2])
    room.start()
    room.hear(*frames[2:])
    assert room.link.heard == []

    room.hear(Opened(room.session, "m"))

    assert room.link.heard == frames
    assert room.sent(Error) == []


def test_of_early_sound_the_last_five_seconds_are_kept_and_the_rest_counted(room: Room) -> None:
    room.lend()
    frames = [Audio(n.to_bytes(2, "little") * 320) for n in range(300)]  # six seconds of 20 ms
    room.hear(*frames)
    room.start()

    room.hear(Opened(room.session, "m"))

    assert room.link.heard == frames[50:]
    assert room.metrics.frames_dropped.labels("up", "early")._value.get() == 50


def test_text_before_start_is_answered_with_what_is_wrong(room: Room) -> None:
    room.lend()

    room.hear(Text("hello"))

    (error,) = room.sent(Error)
    assert isinstance(error, Error)
    assert error.code == "LIVE_NOT_READY"


def test_text_while_opening_is_held_in_its_place(room: Room) -> None:
    room.lend()
    room.start()
    room.hear(FRAME, Text("and this"), FRAME)

    room.hear(Opened(room.session, "m"))

    assert room.link.heard == [FRAME, Text("and this"), FRAME]


# ── what is said to the model ──


def test_a_batch_is_forwarded_whole_and_in_order(room: Room) -> None:
    room.live()

    room.hear(Media((FRAME, PICTURE, FRAME)))

    assert room.link.heard == [FRAME, PICTURE, FRAME]


def test_a_picture_is_shown_when_the_page_has_settled_and_not_again_for_eight_seconds(room: Room) -> None:
    room.live()
    newer = ContextUpdate(Modality.SCREEN, "another", Image(b"newer", "image/png"))

    room.hear(SCREEN)
    room.wait(0.59)
    assert room.link.heard == []
    room.wait(0.02)
    assert room.link.heard == [PICTURE]
    room.hear(newer)
    room.wait(7.9)
    assert room.link.heard == [PICTURE]
    room.wait(0.2)

    assert room.link.heard == [PICTURE, newer.image]


def test_the_latest_snapshot_of_each_modality_is_kept(room: Room) -> None:
    room.lend()
    thoughts = ContextUpdate(Modality.INTELLIGENCE, "a lead", PICTURE)

    room.hear(ContextUpdate(Modality.SCREEN, "older"), SCREEN, thoughts)

    assert room.call.snapshots == {Modality.SCREEN: SCREEN, Modality.INTELLIGENCE: thoughts}


def test_a_picture_that_came_before_the_call_is_shown_when_it_begins(room: Room) -> None:
    room.lend()
    room.hear(SCREEN)
    room.wait(1.0)
    room.live()
    room.wait(0.01)

    assert room.link.heard == [PICTURE]


def test_a_tool_result_nobody_waits_for_is_answered_and_goes_no_further(room: Room) -> None:
    room.live()

    room.hear(ToolResult(()))

    assert room.sent(ToolAck) == [ToolAck(error="No tool call is waiting for that answer")]
    assert room.link.heard == []


# ── quotas ──


def test_quota_is_asked_for_in_leases_not_for_each_frame(room: Room) -> None:
    room.live()
    room.limiter.heard.clear()

    room.hear(*[FRAME] * 100)

    assert [mail for mail in room.limiter.heard if isinstance(mail, Want)] == []


def test_a_refusal_is_worded_as_the_old_client_expects_and_said_once_a_second(room: Room) -> None:
    room.start()
    room.hear(Opened(room.session, "m"))
    room.hear(*[FRAME] * 200, Lease(Bucket.AUDIO, 0, 0.4))
    room.port.sent.clear()

    room.hear(*[FRAME] * 50)

    (error,) = room.port.sent
    assert isinstance(error, Error)
    assert (error.code, error.message) == ("RATE_LIMIT_EXCEEDED", "Rate limit exceeded. Try again in 1s")
    assert error.retry_after_ms == 1000


def test_sound_faster_than_anybody_speaks_is_dropped_and_counted(room: Room) -> None:
    room.live()
    second = Audio(bytes(32_000))

    room.hear(*[second] * 15)

    assert len(room.link.heard) == 10
    assert room.metrics.frames_dropped.labels("up", "faster_than_speech")._value.get() == 5


def test_a_caller_is_told_of_dropped_sound_now_and_then(room: Room) -> None:
    room.live()
    second = Audio(bytes(32_000))

    room.hear(*[second] * 30)
    room.wait(5.0)
    room.hear(*[second] * 10)

    assert [notice.message.split()[1] for notice in room.sent(Notice) if isinstance(notice, Notice)] == ["1", "19"]


def test_sound_of_long_ago_does_not_belong_to_the_call_that_begins(room: Room) -> None:
    room.lend()
    room.hear(FRAME)
    room.wait(6.0)
    room.live()

    assert room.link.heard == []


def test_who_asks_without_reading_the_answers_cannot_make_them_pile_up(room: Room) -> None:
    room.port.unsent = 3 * 1024 * 1024

    room.hear(Text("hello?"))

    assert room.port.closed is not None
    assert room.port.closed[0] == 4408


def test_sound_that_a_full_mailbox_dropped_is_counted(room: Room) -> None:
    for _ in range(ConnectionActor.mark + 3):
        room.life.ref.tell(FRAME)

    assert room.metrics.frames_dropped.labels("up", "mailbox_full")._value.get() == 3


# ── what the model says ──


def test_a_turn_is_announced_before_its_first_sound(room: Room) -> None:
    room.live()

    room.hear(Speech(room.session, bytes(960)), Speech(room.session, bytes(960)))

    assert room.port.sent == [TurnStarted(1), Sound(bytes(960)), Sound(bytes(960))]


def test_the_end_of_a_turn_waits_for_its_sound(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, bytes(24_000))] * 6, Generated(room.session), TurnEnded(room.session))
    assert room.sent(GenerationComplete, TurnComplete) == []

    room.wait(3.0)

    assert room.port.sent[-2:] == [GenerationComplete(1), TurnComplete(1)]
    assert len(room.sent(Sound)) == 6


def test_sound_is_handed_out_a_second_ahead_of_real_time_and_no_faster(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, bytes(4_800))] * 100)  # ten seconds, at once

    handed = []
    for _ in range(5):
        handed.append(len(room.sent(Sound)))
        room.wait(1.0)

    assert handed == [10, 20, 30, 40, 50]


def test_interruption_drops_what_is_unplayed_and_says_so(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, bytes(24_000))] * 20, Said(room.session, "a long story"))
    room.port.sent.clear()

    room.hear(BargedIn(room.session))
    room.wait(20.0)

    assert room.port.sent[:2] == [Interrupted(1), OutputTranscript("", True)]
    assert room.sent(Sound) == []


def test_what_still_comes_of_an_interrupted_turn_is_dropped_and_the_next_turn_is_heard(room: Room) -> None:
    room.live()
    room.hear(Speech(room.session, SECOND), BargedIn(room.session), Speech(room.session, SECOND))
    room.hear(TurnEnded(room.session))
    room.port.sent.clear()

    room.hear(Speech(room.session, bytes(960)))

    assert room.port.sent == [TurnStarted(2), Sound(bytes(960))]
    assert room.metrics.frames_dropped.labels("down", "interrupted")._value.get() == 1


def test_a_phantom_interruption_is_not_passed_on(room: Room) -> None:
    room.live()

    room.hear(BargedIn(room.session))

    assert room.port.sent == []


def test_transcripts_are_deltas_with_one_final_each(room: Room) -> None:
    room.live()

    room.hear(Heard(room.session, " What"), Heard(room.session, " now?"))
    room.hear(Said(room.session, "Now"), Said(room.session, " this."), TurnEnded(room.session))

    assert room.sent(InputTranscript) == [
        InputTranscript(" What", False),
        InputTranscript(" now?", False),
        InputTranscript("", True),
    ]
    assert room.sent(OutputTranscript) == [
        OutputTranscript("Now", False),
        OutputTranscript(" this.", False),
        OutputTranscript("", True),
    ]


def test_an_utterance_is_closed_by_a_second_of_quiet(room: Room) -> None:
    room.live()
    room.hear(Heard(room.session, " Hm"))
    room.wait(0.9)
    room.hear(Heard(room.session, " so"))
    room.wait(0.9)
    assert InputTranscript("", True) not in room.port.sent

    room.wait(0.2)

    assert room.sent(InputTranscript)[-1] == InputTranscript("", True)


def test_a_text_part_of_the_model_is_said_as_text(room: Room) -> None:
    room.live()

    room.hear(Wrote(room.session, "see https://example.com"))

    assert room.sent(ModelText) == [ModelText("see https://example.com")]


def test_the_time_to_first_sound_is_measured_from_the_callers_last_word(room: Room) -> None:
    room.live()
    room.hear(Heard(room.session, " hi"))
    room.wait(0.4)

    room.hear(Speech(room.session, bytes(960)), Speech(room.session, bytes(960)))

    (count,) = [s.value for s in next(iter(room.metrics.first_audio.collect())).samples if s.name.endswith("_count")]
    (total,) = [s.value for s in next(iter(room.metrics.first_audio.collect())).samples if s.name.endswith("_sum")]
    assert (count, round(total, 3)) == (1, 0.4)


def test_the_old_client_is_told_of_a_turns_end_when_its_sound_stopped_unanswered(room: Room) -> None:
    room.live()
    room.hear(FRAME)
    room.wait(2.0)
    room.hear(FRAME)
    room.wait(2.9)
    assert room.sent(TurnComplete) == []

    room.wait(0.2)

    assert room.sent(TurnComplete) == [TurnComplete(0, "quiet")]


def test_no_turns_end_is_made_up_while_an_answer_is_under_way(room: Room) -> None:
    room.live()
    room.hear(FRAME, *[Speech(room.session, SECOND)] * 5)

    room.wait(4.0)

    assert room.sent(TurnComplete) == []


# ── time ──


def test_a_ping_is_answered_with_its_own_timestamp(room: Room) -> None:
    room.hear(Ping(123.0), Ping())

    assert room.sent(Pong) == [Pong(123.0), Pong(1_700_000_000_000)]


def test_heartbeats_come_every_25_seconds_while_the_caller_is_heard(room: Room) -> None:
    for _ in range(4):
        room.wait(HEARTBEAT)
        room.hear(HeartbeatAck(1.0))

    assert len(room.sent(Heartbeat)) == 4
    assert room.port.closed is None


def test_a_caller_who_is_silent_for_a_minute_is_lost(room: Room) -> None:
    room.live()

    room.wait(80.0)

    assert room.phase is Phase.OVER
    assert room.metrics.calls_total.labels(Cause.CALLER_LOST)._value.get() == 1


def talking(room: Room, seconds: float) -> None:
    """The page is alive, and nobody says a word."""
    for _ in range(int(seconds / 10)):
        room.wait(10.0)
        room.hear(HeartbeatAck(1.0))


def test_a_call_in_which_nobody_speaks_ends_with_words() -> None:
    room = Room(idle=100.0)
    room.live()

    talking(room, 110.0)

    assert room.port.closed == (1000, "Nobody has spoken for a long time")
    closed = room.sent(SessionClosed)[0]
    assert isinstance(closed, SessionClosed)
    assert (closed.reason, closed.cause) == ("live_api_closed", Cause.IDLE)


def test_a_word_from_either_side_keeps_a_call_open() -> None:
    room = Room(idle=100.0)
    room.live()
    talking(room, 90.0)
    room.hear(Heard(room.session, " yes"))

    talking(room, 90.0)

    assert room.phase is Phase.LIVE


def test_the_longest_call_ends_with_words() -> None:
    room = Room(idle=1e6, longest=200.0)
    room.live()

    talking(room, 210.0)

    assert room.phase is Phase.OVER
    assert room.metrics.calls_total.labels(Cause.TOO_LONG)._value.get() == 1


# ── ending ──


def test_stop_ends_the_call_and_keeps_the_socket(room: Room) -> None:
    room.live()

    room.hear(Stop())

    assert room.port.sent == [SessionClosed("client_stop", Cause.CALLER_HUNG_UP, "you ended the call")]
    assert room.port.closed is None
    assert Close() in room.link.heard
    assert GiveSlot(CALLER) in room.limiter.heard


def test_stop_in_the_middle_of_a_turn_ends_the_turn_too(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, SECOND)] * 5, Said(room.session, "well"))
    room.port.sent.clear()

    room.hear(Stop())

    assert [type(reply) for reply in room.port.sent] == [OutputTranscript, TurnComplete, SessionClosed]
    room.wait(10.0)
    assert room.sent(Sound) == []


def test_a_lost_upstream_is_said_in_our_words_and_closes(room: Room) -> None:
    room.live()

    room.hear(Lost(room.session, GatewayError(errors.LINK_LOST, "close code 1011")))

    error, closed = room.port.sent
    assert isinstance(error, Error)
    assert error.message == "The connection to the assistant was lost"
    assert isinstance(closed, SessionClosed)
    assert (closed.reason, closed.cause) == ("live_api_closed", Cause.UPSTREAM_FAILED)
    assert room.port.closed is not None
    assert room.port.closed[0] == 1011


@pytest.mark.parametrize(("code", "cause"), [(1000, Cause.CALLER_HUNG_UP), (1006, Cause.CALLER_LOST)])
def test_a_hangup_gives_everything_back(room: Room, code: int, cause: Cause) -> None:
    room.live()

    room.hear(Hangup(code))

    assert Close() in room.link.heard
    assert GiveSlot(CALLER) in room.limiter.heard
    assert room.metrics.calls_total.labels(cause)._value.get() == 1
    assert room.metrics.calls.labels(Phase.LIVE)._value.get() == 0


def test_ten_pieces_of_nonsense_in_ten_seconds_close_with_4400(room: Room) -> None:
    room.hear(*[Nonsense(BadFrame("text frame is no JSON"))] * 9)
    assert room.port.closed is None

    room.hear(Nonsense(BadFrame("text frame is no JSON")))

    assert room.port.closed == (4400, "Too many messages could not be used")
    errors_said = room.sent(Error)
    assert len(errors_said) == 11
    assert isinstance(errors_said[0], Error)
    assert errors_said[0].message == "That message cannot be used: text frame is no JSON"


def test_nonsense_now_and_then_is_only_answered(room: Room) -> None:
    for _ in range(30):
        room.hear(Nonsense(BadFrame("x")))
        room.wait(1.2)
        room.hear(Ping())

    assert room.port.closed is None


def test_a_caller_who_does_not_read_is_let_go_with_4408(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, SECOND)] * 20)

    room.port.unsent = 100_000
    room.wait(12.0)

    assert room.port.closed is not None
    assert room.port.closed[0] == 4408


def test_what_pongs_nobody_reads_cannot_pile_up(room: Room) -> None:
    room.port.unsent = 3 * 1024 * 1024

    room.hear(Ping())

    assert room.port.closed is not None
    assert room.port.closed[0] == 4408


def test_draining_lets_the_model_finish_its_sentence(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, SECOND)] * 3)

    room.hear(Drain(20.0))
    assert room.port.closed is None
    room.hear(TurnEnded(room.session))
    room.wait(4.0)

    assert room.port.closed == (1012, "This server is restarting; please come back")
    assert TurnComplete(1) in room.port.sent


def test_draining_does_not_wait_for_ever(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, SECOND)] * 60, Drain(5.0))

    room.wait(5.0)

    assert room.port.closed is not None
    assert room.port.closed[0] == 1012


# ── crash and rebirth ──


def crash(room: Room) -> None:
    """The instance is gone, with its timers; another takes its place."""
    room.due.clear()
    room.be_born()


def test_a_reborn_connection_goes_on_in_the_middle_of_a_turn_and_says_nothing(room: Room) -> None:
    room.live()
    room.hear(*[Speech(room.session, bytes(24_000))] * 6, Said(room.session, "once"))
    room.port.sent.clear()

    crash(room)
    room.hear(Said(room.session, " upon"), Generated(room.session), TurnEnded(room.session), FRAME)
    room.wait(3.0)

    assert room.phase is Phase.LIVE
    assert len(room.sent(Sound)) == 4
    assert room.sent(Connected, SessionStarted, Error) == []
    assert room.sent(OutputTranscript) == [OutputTranscript(" upon", False), OutputTranscript("", True)]
    assert room.sent(TurnStarted) == []
    assert room.sent(TurnComplete) == [TurnComplete(1)]
    assert FRAME in room.link.heard


def test_a_connection_reborn_while_opening_opens_again_and_keeps_what_was_held(room: Room) -> None:
    room.lend()
    room.start()
    old = room.session
    room.hear(FRAME)

    crash(room)
    room.hear(Opened(old, "m"))
    assert room.phase is Phase.OPENING
    room.hear(Slot(room.asked_slot().call, granted=True))
    room.hear(Ready(f"{CALLER}/{room.call.call}", room.link))  # type: ignore[arg-type]
    room.hear(Opened(room.session, "m"))

    assert room.phase is Phase.LIVE
    assert FRAME in room.link.heard


def test_a_reborn_link_ends_the_turn_it_cannot_finish(room: Room) -> None:
    room.live()
    room.hear(Speech(room.session, bytes(960)), Said(room.session, "I was"))
    room.port.sent.clear()

    room.hear(Opened(room.session + 1, "m"))
    room.hear(Speech(room.session, SECOND))

    assert room.port.sent == [OutputTranscript("", True), TurnComplete(1, "link_changed")]


def test_when_we_give_a_caller_up_they_are_told_with_the_events_id(room: Room) -> None:
    room.live()

    ConnectionActor.let_go(room.arguments, room.call, "e" * 32)

    error, closed = room.port.sent
    assert isinstance(error, Error)
    assert (error.code, error.event_id) == ("INTERNAL_ERROR", "e" * 32)
    assert isinstance(closed, SessionClosed)
    assert closed.cause is Cause.OUR_FAULT
    assert room.port.closed is not None
    assert room.port.closed[0] == 1011
    assert room.metrics.calls.labels(Phase.LIVE)._value.get() == 0


def test_the_checkpoint_is_a_value_that_only_changes_whole(room: Room) -> None:
    room.live()
    before = room.call

    room.hear(Said(room.session, "new"))

    assert before.floor == Floor()
    assert room.call.floor.turn == 1


@pytest.fixture(autouse=True)
def no_life_is_left_over() -> Iterator[None]:
    yield
    _adopted.set(None)
