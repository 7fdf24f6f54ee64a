"""One call's way to the model: dialled, listened to, spoken to, given up, and taken up again after a crash."""

from __future__ import annotations

from typing import Any

import pytest
from pykka import messages

from actors.call.checkpoint import LinkCheckpoint
from actors.call.joiner import ENOUGH
from actors.errors import DIAL_FAILED, DIAL_TIMEOUT, KEY_INVALID, LINK_LOST, REFUSED, GatewayError
from actors.link import GARBLED, GARBLED_SECONDS, HELD, PAUSE, LinkActor, PauseDue
from actors.link_port import Line, Upstream
from actors.messages import (
    CALLER_BYTES_PER_SECOND,
    Audio,
    BargedIn,
    Close,
    FromModel,
    Garbled,
    Generated,
    GoingAway,
    HandleGiven,
    Heard,
    Image,
    Lost,
    MicrophonePaused,
    Opened,
    Opening,
    Said,
    Speech,
    Text,
    ToolCall,
    ToolCallsWanted,
    TurnEnded,
    Usage,
    Wrote,
)
from actors.metrics import Metrics
from tests.fakes import Clock, FakeLine, FakeMail, FakeUpstream

OPENING = Opening("call_1", "gemini-live", "Puck", "en-US", "Be brief.")
SERIES = 3_000_000
FRAME = Audio(bytes(ENOUGH))
TIMEOUT = GatewayError(DIAL_TIMEOUT)


class Side:
    """The model's side of one call, built and not started: the test is the mailbox, the upstream and the clock."""

    def __init__(self) -> None:
        self.clock, self.metrics, self.owner, self.upstream = Clock(), Metrics(), FakeMail(), FakeUpstream()
        self.actor = self.built()

    def built(self) -> LinkActor:
        return LinkActor(
            opening=OPENING,
            owner=self.owner,
            upstream=self.upstream,
            series=SERIES,
            metrics=self.metrics,
            clock=self.clock,
        )

    def start(self) -> None:
        self.actor.on_start()

    def hear(self, *mail: object) -> None:
        for message in mail:
            self.actor.on_receive(message)

    def open(self) -> None:
        self.start()
        self.hear(Opened(SERIES, "gemini-live"))
        self.owner.heard.clear()

    def crash(self) -> None:
        """The next instance is born with what the last one put down."""
        checkpoint, self.actor = self.actor.checkpoint, self.built()
        self.actor.checkpoint = checkpoint

    def tick(self) -> None:
        """Let the next timer come round."""
        timer = min(self.actor.timers, key=lambda timer: timer.seconds)
        self.actor.timers.discard(timer)
        self.clock.advance(timer.seconds)
        self.hear(timer.message)

    @property
    def line(self) -> FakeLine:
        return self.upstream.lines[-1]

    @property
    def stopping(self) -> bool:
        waiting = []
        while not self.actor.actor_inbox.empty():
            waiting.append(self.actor.actor_inbox.get().message)
        return any(isinstance(message, messages._ActorStop) for message in waiting)

    def dials(self) -> dict[str, float]:
        lines = self.metrics.text().decode().splitlines()
        told = [line.split() for line in lines if line.startswith("parley_upstream_dials_total{")]
        return {name.split('"')[1]: float(count) for name, count in told}


@pytest.fixture
def side() -> Side:
    return Side()


def test_the_fakes_are_what_they_stand_for() -> None:
    line: Line = FakeLine()
    upstream: Upstream = FakeUpstream()

    assert upstream.dial(OPENING, 1, FakeMail()) is not line


# ── dialling ─────────────────────────────────────────────────────────────────────────────────────


def test_a_link_dials_when_it_starts_under_the_first_number_of_its_series(side: Side) -> None:
    side.start()

    assert side.upstream.dialled == [(OPENING, SERIES, side.actor.actor_ref)]


def test_the_owner_is_told_that_the_session_is_open(side: Side) -> None:
    side.start()
    side.hear(Opened(SERIES, "gemini-live"))

    assert side.owner.heard == [Opened(SERIES, "gemini-live")]
    assert side.dials() == {"opened": 1.0}
    assert side.metrics.last_dial == "opened"


def test_a_failed_dial_is_tried_once_more_without_a_word(side: Side) -> None:
    side.start()
    side.hear(Lost(SERIES, TIMEOUT))

    assert [session for _, session, _ in side.upstream.dialled] == [SERIES, SERIES + 1]
    assert side.owner.heard == []
    side.hear(Opened(SERIES + 1, "gemini-live"))
    assert side.owner.heard == [Opened(SERIES + 1, "gemini-live")]


def test_after_two_failed_dials_the_owner_is_told_why_and_the_link_ends(side: Side) -> None:
    side.start()
    error = GatewayError(DIAL_FAILED)
    side.hear(Lost(SERIES, TIMEOUT), Lost(SERIES + 1, error))

    assert side.owner.heard == [Lost(SERIES + 1, error)]
    assert side.stopping
    assert len(side.upstream.dialled) == 2
    assert side.dials() == {"connection_timeout": 1.0, "session_start_failed": 1.0}


def test_a_dial_that_cannot_succeed_is_not_tried_again(side: Side) -> None:
    side.start()
    error = GatewayError(KEY_INVALID)
    side.hear(Lost(SERIES, error))

    assert side.owner.heard == [Lost(SERIES, error)]
    assert side.stopping
    assert len(side.upstream.dialled) == 1


def test_a_session_that_is_lost_ends_the_link(side: Side) -> None:
    side.open()
    error = GatewayError(LINK_LOST)
    side.hear(Lost(SERIES, error))

    assert side.owner.heard == [Lost(SERIES, error)]
    assert side.stopping
    assert side.dials() == {"opened": 1.0}


# ── from the model ───────────────────────────────────────────────────────────────────────────────

FORWARDED = [
    Speech(SERIES, b"\1\0"),
    Heard(SERIES, "Hi"),
    Said(SERIES, "Hello"),
    Wrote(SERIES, "[1]"),
    BargedIn(SERIES),
    Generated(SERIES),
    TurnEnded(SERIES, "done"),
    Usage(SERIES, {"audio": 1}, {"audio": 2}),
    GoingAway(SERIES, 10.0),
]


@pytest.mark.parametrize("said", FORWARDED, ids=lambda said: type(said).__name__)
def test_what_the_model_says_is_told_to_the_owner(side: Side, said: FromModel) -> None:
    side.open()
    side.hear(said)

    assert side.owner.heard == [said]


KEPT = [
    HandleGiven(SERIES, "secret"),
    HandleGiven(SERIES, None),
    Garbled(SERIES, "not JSON"),
    ToolCallsWanted(SERIES, (ToolCall("1", "f", {}),)),
]


@pytest.mark.parametrize("said", KEPT, ids=repr)
def test_what_concerns_the_link_alone_is_not(side: Side, said: FromModel) -> None:
    side.open()
    side.hear(said)

    assert side.owner.heard == []
    assert not side.stopping


@pytest.mark.parametrize("said", [*FORWARDED, Lost(SERIES, TIMEOUT)], ids=lambda said: type(said).__name__)
def test_mail_of_a_session_that_was_left_is_dropped(side: Side, said: FromModel) -> None:
    side.start()
    side.hear(Lost(SERIES, TIMEOUT), Opened(SERIES + 1, "gemini-live"))
    side.owner.heard.clear()
    side.hear(said)

    assert side.owner.heard == []
    assert len(side.upstream.dialled) == 2
    assert not side.stopping


def test_unreadable_frames_now_and_then_are_borne(side: Side) -> None:
    side.open()
    for _ in range(4 * GARBLED):
        side.hear(Garbled(SERIES, "not JSON"))
        side.clock.advance(GARBLED_SECONDS / (GARBLED - 1))

    assert side.owner.heard == []
    assert not side.stopping


def test_too_many_unreadable_frames_end_the_session_with_one_word(side: Side) -> None:
    side.open()
    side.hear(*3 * GARBLED * [Garbled(SERIES, "not JSON")], Speech(SERIES, b"\1\0"))

    (lost,) = side.owner.heard
    assert isinstance(lost, Lost)
    assert lost.session == SERIES
    assert lost.error.kind is LINK_LOST
    assert side.stopping


# ── to the model ─────────────────────────────────────────────────────────────────────────────────


def test_what_the_caller_says_is_sent_in_order(side: Side) -> None:
    side.open()
    said = [FRAME, Text("hello"), Image(b"picture", "image/jpeg"), FRAME]
    side.hear(*said)

    assert side.line.said == said


def test_small_frames_are_joined(side: Side) -> None:
    side.open()
    side.hear(*5 * [Audio(bytes(256))])

    assert side.line.said == [Audio(bytes(768))]


def test_what_is_said_before_there_is_a_session_is_sent_when_there_is(side: Side) -> None:
    side.start()
    side.hear(FRAME, Text("hello"))
    assert side.line.said == []

    side.hear(Opened(SERIES, "gemini-live"))
    assert side.line.said == [FRAME, Text("hello")]


def test_the_second_dial_gets_what_the_first_one_did_not_hear(side: Side) -> None:
    side.start()
    side.hear(FRAME, Lost(SERIES, TIMEOUT), Text("hello"), Opened(SERIES + 1, "gemini-live"))

    assert side.upstream.lines[0].said == []
    assert side.upstream.lines[1].said == [FRAME, Text("hello")]


def test_sound_beyond_what_is_held_is_dropped_and_counted(side: Side) -> None:
    side.start()
    frame = Audio(bytes(CALLER_BYTES_PER_SECOND))
    side.hear(*(int(HELD) + 2) * [frame], Opened(SERIES, "gemini-live"))

    assert side.line.said == int(HELD) * [frame]
    assert b'parley_frames_dropped_total{direction="up",reason="no_session"} 2.0' in side.metrics.text()


# ── pauses ───────────────────────────────────────────────────────────────────────────────────────


def test_a_pause_is_told_once(side: Side) -> None:
    side.open()
    side.hear(FRAME)
    side.tick()

    assert side.line.said == [FRAME, MicrophonePaused()]
    assert not side.actor.timers


def test_one_timer_serves_a_whole_stretch_of_sound(side: Side) -> None:
    side.open()
    for _ in range(100):
        side.hear(FRAME)
        side.clock.advance(0.01)

    assert len(side.actor.timers) == 1
    side.hear(PauseDue())
    assert MicrophonePaused() not in side.line.said


def test_a_pause_is_measured_from_the_last_sound(side: Side) -> None:
    side.open()
    side.hear(FRAME)
    side.clock.advance(0.75)
    side.hear(FRAME)
    side.clock.advance(0.25)
    side.actor.timers.clear()  # that of the first frame comes round now
    side.hear(PauseDue())
    assert side.line.said == [FRAME, FRAME]
    assert [timer.seconds for timer in side.actor.timers] == [0.75]

    side.tick()
    assert side.line.said == [FRAME, FRAME, MicrophonePaused()]


def test_every_stretch_of_sound_has_its_pause(side: Side) -> None:
    side.open()
    for _ in range(3):
        side.hear(FRAME)
        side.tick()
        side.clock.advance(10 * PAUSE)

    assert side.line.said == 3 * [FRAME, MicrophonePaused()]


def test_the_last_few_samples_are_sent_before_the_pause(side: Side) -> None:
    side.open()
    side.hear(Audio(b"\1\0"))
    side.tick()

    assert side.line.said == [Audio(b"\1\0"), MicrophonePaused()]


def test_a_pause_that_comes_while_there_is_no_session_is_told_after_the_sound(side: Side) -> None:
    side.start()
    side.hear(FRAME, Audio(b"\1\0"))
    side.tick()
    side.hear(Opened(SERIES, "gemini-live"))

    assert side.line.said == [FRAME, Audio(b"\1\0"), MicrophonePaused()]


def test_sound_that_goes_on_when_the_session_opens_has_not_paused(side: Side) -> None:
    side.start()
    side.hear(FRAME, Opened(SERIES, "gemini-live"))
    assert side.line.said == [FRAME]

    side.tick()
    assert side.line.said == [FRAME, MicrophonePaused()]


def test_typed_words_do_not_pause_a_microphone(side: Side) -> None:
    side.start()
    side.hear(Text("hello"), Opened(SERIES, "gemini-live"))

    assert side.line.said == [Text("hello")]
    assert not side.actor.timers


# ── ends and rebirths ────────────────────────────────────────────────────────────────────────────


def test_a_link_that_is_no_longer_wanted_leaves_politely(side: Side) -> None:
    side.open()
    side.hear(Close())
    assert side.stopping

    side.actor.on_stop()
    assert side.line.closed
    assert side.owner.heard == []


def test_a_link_that_is_no_longer_wanted_dials_no_more(side: Side) -> None:
    side.start()
    side.hear(Close(), Lost(SERIES, TIMEOUT))

    assert len(side.upstream.dialled) == 1
    assert side.owner.heard == []


def test_a_link_that_never_dialled_has_nothing_to_close(side: Side) -> None:
    side.actor.on_stop()

    assert side.upstream.lines == []


def test_a_reborn_link_leaves_the_old_line_before_it_dials(side: Side) -> None:
    order: list[str] = []

    class Noting(FakeLine):
        def abort(self) -> None:
            order.append("abort")

    class Dialling(FakeUpstream):
        def dial(self, opening: Opening, session: int, owner: Any) -> FakeLine:
            order.append("dial")
            super().dial(opening, session, owner)
            return Noting()

    side.upstream = Dialling()
    side.actor = side.built()
    side.start()
    side.crash()
    side.start()

    assert order == ["dial", "abort", "dial"]


def test_a_reborn_link_dials_under_the_next_number_and_with_the_handle(side: Side) -> None:
    side.open()
    side.hear(HandleGiven(SERIES, "first"), HandleGiven(SERIES, "second"), HandleGiven(SERIES, None))
    side.crash()
    side.start()

    opening, session, owner = side.upstream.dialled[-1]
    assert opening.handle == "second"
    assert session == SERIES + 1
    assert owner is side.actor.actor_ref
    assert side.upstream.lines[0].aborted


def test_a_handle_that_was_refused_is_not_tried_again(side: Side) -> None:
    side.open()
    side.hear(HandleGiven(SERIES, "secret"))
    side.crash()
    side.start()
    side.hear(Lost(SERIES + 1, GatewayError(REFUSED)))

    assert [opening.handle for opening, _, _ in side.upstream.dialled] == [None, "secret", None]


def test_a_handle_is_used_for_the_second_dial_too(side: Side) -> None:
    side.open()
    side.hear(HandleGiven(SERIES, "secret"))
    side.crash()
    side.start()
    side.hear(Lost(SERIES + 1, TIMEOUT))

    assert [opening.handle for opening, _, _ in side.upstream.dialled] == [None, "secret", "secret"]


def test_a_reborn_link_has_all_its_dials_again(side: Side) -> None:
    side.start()
    side.hear(Lost(SERIES, TIMEOUT))
    side.crash()
    side.start()
    side.hear(Lost(SERIES + 2, TIMEOUT))

    assert [session for _, session, _ in side.upstream.dialled] == [SERIES + n for n in range(4)]
    assert side.owner.heard == []


def test_a_reborn_link_does_not_believe_the_session_before_it(side: Side) -> None:
    side.open()
    side.crash()
    side.start()
    side.hear(Speech(SERIES, b"\1\0"), Lost(SERIES, TIMEOUT), Opened(SERIES, "gemini-live"), FRAME)

    assert side.owner.heard == []
    assert side.line.said == []


def test_when_nobody_comes_back_the_line_is_left_at_once() -> None:
    line = FakeLine()
    LinkActor.let_go({}, LinkCheckpoint(SERIES, line, dials=1), None)
    LinkActor.let_go({}, None, None)

    assert line.aborted


def test_no_handle_is_shown_by_what_holds_it(side: Side) -> None:
    side.open()
    side.hear(HandleGiven(SERIES, "secret"))
    side.crash()
    side.start()

    shown = [repr(side.actor.checkpoint), repr(side.upstream.dialled), repr(HandleGiven(SERIES, "secret"))]
    assert "secret" not in "".join(shown)
