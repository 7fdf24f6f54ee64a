"""What the model says reaches the caller in order, and what was spoken over does not reach them at all."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.delivery import Delivery
from actors.call.floor import QUIET, Floor
from actors.call.playout import Playout
from actors.call.stage import Stage
from actors.messages import (
    MODEL_BYTES_PER_SECOND,
    BargedIn,
    FromModel,
    Generated,
    Heard,
    Said,
    Speech,
    TurnEnded,
    Wrote,
)
from actors.metrics import Metrics
from actors.replies import (
    GenerationComplete,
    Heartbeat,
    InputTranscript,
    Interrupted,
    ModelText,
    OutputTranscript,
    Reply,
    Sound,
    TurnComplete,
    TurnStarted,
)
from tests.fakes import Clock, FakePort

QUARTER = b"\1\0" * (MODEL_BYTES_PER_SECOND // 8)
"""A quarter of a second of sound."""
SPEECH = Speech(1, QUARTER)


class Theatre:
    """A stage before one caller, told things as the ConnectionActor tells it."""

    def __init__(self) -> None:
        self.clock, self.port, self.metrics = Clock(), FakePort(), Metrics()
        delivery = Delivery(self.port, Playout(lead=1.0), cap=60.0, metrics=self.metrics)
        self.stage = Stage(delivery, Floor(), self.metrics)

    def hear(self, *messages: FromModel) -> None:
        for message in messages:
            if isinstance(message, Speech):
                self.stage.sound(message.pcm, self.clock())
            else:
                self.stage.hear(message, self.clock())
            self.stage.pump(self.clock())

    def later(self, seconds: float) -> None:
        """Let time pass, with a look at the line every quarter of a second."""
        for _ in range(round(seconds * 4)):
            self.clock.advance(0.25)
            self.stage.pump(self.clock())

    @property
    def sent(self) -> list[Reply]:
        return self.port.sent

    @property
    def signs(self) -> list[Reply]:
        return [reply for reply in self.sent if not isinstance(reply, Sound)]

    def first_audio(self) -> list[float]:
        text = self.metrics.text().decode().splitlines()
        return [float(line.split()[1]) for line in text if line.startswith("parley_first_audio_seconds_sum")]


@pytest.fixture
def theatre() -> Theatre:
    return Theatre()


def test_a_turn_is_told_from_its_beginning_to_its_end(theatre: Theatre) -> None:
    theatre.hear(SPEECH, SPEECH, Generated(1), TurnEnded(1, "done"))

    sound = Sound(QUARTER)
    assert theatre.sent == [TurnStarted(1), sound, sound, GenerationComplete(1), TurnComplete(1, "done")]


def test_signs_wait_for_the_sound_and_words_do_not(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH], Said(1, "Hello"), Wrote(1, "[1]"), TurnEnded(1))

    said = [OutputTranscript("Hello", final=False), ModelText("[1]"), OutputTranscript("", final=True)]
    assert theatre.sent == [TurnStarted(1), *4 * [Sound(QUARTER)], *said]
    theatre.later(1.0)
    assert theatre.sent[8:] == [*4 * [Sound(QUARTER)], TurnComplete(1)]


def test_what_the_caller_said_is_told(theatre: Theatre) -> None:
    theatre.hear(Heard(1, "Hi"), Heard(1, " there", finished=True))

    assert theatre.sent == [InputTranscript("Hi", final=False), InputTranscript(" there", final=True)]


def test_words_of_the_house_are_said_at_once(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH])
    theatre.stage.say(Heartbeat(0))

    assert theatre.sent[-1] == Heartbeat(0)


def test_typing_closes_what_was_being_said(theatre: Theatre) -> None:
    theatre.hear(Heard(1, "Call"))
    theatre.stage.typed("Ada", theatre.clock())

    assert theatre.sent == [InputTranscript("Call", final=False), InputTranscript("", final=True)]
    assert [line.text for line in theatre.stage.floor.transcript.lines] == ["Call", "Ada"]


# ── interruptions ────────────────────────────────────────────────────────────────────────────────


def test_a_barge_in_voids_the_sound_and_says_so_at_once(theatre: Theatre) -> None:
    theatre.hear(*20 * [SPEECH], BargedIn(1))

    assert theatre.sent == [TurnStarted(1), *4 * [Sound(QUARTER)], Interrupted(1)]


def test_what_still_comes_of_an_interrupted_turn_is_dropped_and_counted(theatre: Theatre) -> None:
    theatre.hear(SPEECH, BargedIn(1), SPEECH, SPEECH, Generated(1), TurnEnded(1))

    assert theatre.sent == [TurnStarted(1), Sound(QUARTER), Interrupted(1), TurnComplete(1)]
    assert b'parley_frames_dropped_total{direction="down",reason="interrupted"} 2.0' in theatre.metrics.text()


def test_the_turn_after_an_interruption_is_heard(theatre: Theatre) -> None:
    theatre.hear(SPEECH, BargedIn(1), TurnEnded(1), SPEECH)

    assert theatre.sent[3:] == [TurnComplete(1), TurnStarted(2), Sound(QUARTER)]


def test_an_interruption_of_a_finished_turn_that_still_plays_voids_it_too(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH], Generated(1), TurnEnded(1), BargedIn(1))

    assert theatre.signs == [TurnStarted(1), Interrupted(1), TurnComplete(1)]
    theatre.hear(SPEECH)
    assert theatre.sent[-2:] == [TurnStarted(2), Sound(QUARTER)]


def test_signs_of_older_turns_are_said_before_an_interruption(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH], TurnEnded(1), *8 * [SPEECH], BargedIn(1), TurnEnded(1))

    expected: list[Reply] = [TurnStarted(1), TurnComplete(1), TurnStarted(2), Interrupted(2), TurnComplete(2)]
    assert theatre.signs == expected


def test_no_turn_is_interrupted_before_it_has_begun(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH], TurnEnded(1), SPEECH, TurnEnded(1), BargedIn(1))

    expected: list[Reply] = [TurnStarted(1), TurnComplete(1), TurnStarted(2), Interrupted(2), TurnComplete(2)]
    assert theatre.signs == expected


def test_a_phantom_interruption_is_nothing(theatre: Theatre) -> None:
    theatre.hear(BargedIn(1))
    assert theatre.sent == []

    theatre.hear(SPEECH, TurnEnded(1))
    theatre.later(1.0)
    theatre.hear(BargedIn(1))
    assert theatre.signs == [TurnStarted(1), TurnComplete(1)]


# ── quiet ────────────────────────────────────────────────────────────────────────────────────────


def test_the_stage_is_quiet_when_all_was_heard(theatre: Theatre) -> None:
    assert theatre.stage.is_quiet(theatre.clock())
    theatre.hear(SPEECH)
    theatre.later(1.0)
    assert not theatre.stage.is_quiet(theatre.clock())
    theatre.hear(SPEECH, TurnEnded(1))
    assert not theatre.stage.is_quiet(theatre.clock())
    assert theatre.stage.unheard(theatre.clock()) == 0.25
    theatre.later(0.25)

    assert theatre.stage.is_quiet(theatre.clock())


def test_quiet_is_announced_when_nobody_answered(theatre: Theatre) -> None:
    theatre.stage.announce_quiet(theatre.clock() - 3.0, theatre.clock())

    assert theatre.sent == [TurnComplete(0, QUIET)]


def test_quiet_is_not_announced_after_an_answer(theatre: Theatre) -> None:
    heard_at = theatre.clock()
    theatre.hear(SPEECH, TurnEnded(1))
    theatre.later(3.0)
    theatre.stage.announce_quiet(heard_at, theatre.clock())

    assert theatre.signs == [TurnStarted(1), TurnComplete(1)]


def test_quiet_is_not_announced_while_the_model_speaks(theatre: Theatre) -> None:
    heard_at = theatre.clock()
    theatre.hear(SPEECH)
    theatre.later(3.0)
    theatre.stage.announce_quiet(heard_at, theatre.clock())

    assert theatre.signs == [TurnStarted(1)]


def test_the_time_of_a_piece_is_kept_and_an_empty_one_is_none(theatre: Theatre) -> None:
    theatre.hear(Heard(1, "Hi"))
    said_at = theatre.clock()
    theatre.clock.advance(0.5)
    theatre.hear(Heard(1, ""), Said(1, "Hi"))

    assert theatre.stage.piece_at == said_at


# ── how long the caller waited ───────────────────────────────────────────────────────────────────


def test_the_wait_for_the_first_sound_is_measured_once_a_question(theatre: Theatre) -> None:
    theatre.hear(Heard(1, "How are you?"))
    theatre.clock.advance(0.75)
    theatre.hear(SPEECH)
    theatre.clock.advance(5.0)
    theatre.hear(SPEECH, TurnEnded(1), SPEECH)

    assert theatre.first_audio() == [0.75]


def test_a_typed_question_is_measured_too(theatre: Theatre) -> None:
    theatre.stage.typed("How are you?", theatre.clock())
    theatre.clock.advance(0.5)
    theatre.hear(SPEECH)

    assert theatre.first_audio() == [0.5]


def test_a_transcript_that_comes_late_or_empty_is_no_new_question(theatre: Theatre) -> None:
    theatre.hear(Heard(1, "How"))
    theatre.clock.advance(0.75)
    theatre.hear(SPEECH, Heard(1, " are you?"))
    theatre.clock.advance(0.25)
    theatre.hear(SPEECH, TurnEnded(1), Heard(1, ""))
    theatre.clock.advance(0.25)
    theatre.hear(SPEECH)

    assert theatre.first_audio() == [0.75]


def test_what_is_said_over_the_model_is_a_new_question(theatre: Theatre) -> None:
    theatre.hear(SPEECH, BargedIn(1), Heard(1, "Wait"), TurnEnded(1))
    theatre.clock.advance(1.5)
    theatre.hear(SPEECH)

    assert theatre.first_audio() == [1.5]


# ── the end of a call ────────────────────────────────────────────────────────────────────────────


def test_at_the_end_of_a_call_what_is_open_is_closed_and_sound_is_forgotten(theatre: Theatre) -> None:
    theatre.hear(*8 * [SPEECH], TurnEnded(1), *8 * [SPEECH], Said(1, "And"), Heard(1, "Bye"))

    finals: list[Reply] = [InputTranscript("", final=True), OutputTranscript("", final=True)]
    assert theatre.stage.clear(theatre.clock()) == [*finals, TurnComplete(1), TurnStarted(2), TurnComplete(2)]
    assert theatre.stage.floor == Floor()
    assert theatre.stage.is_quiet(theatre.clock())


def test_at_the_end_of_a_quiet_call_there_is_nothing_to_say(theatre: Theatre) -> None:
    theatre.hear(SPEECH, TurnEnded(1))
    theatre.later(1.0)

    assert theatre.stage.clear(theatre.clock()) == []


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────

MESSAGES = st.sampled_from(
    [
        *3 * [Speech(1, 16 * QUARTER)],
        Said(1, "a"),
        Said(1, "", finished=True),
        Heard(1, "b"),
        Heard(1, "c", finished=True),
        Generated(1),
        BargedIn(1),
        BargedIn(1),
        TurnEnded(1),
        TurnEnded(1),
    ]
)
STORIES = st.lists(st.tuples(MESSAGES, st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.25, 5.0])), min_size=30, max_size=60)


@given(STORIES)
def test_signs_come_in_order_whatever_is_interrupted(story: list[tuple[FromModel, float]]) -> None:
    theatre = Theatre()
    for message, pause in story:
        theatre.hear(message)
        theatre.later(pause)
    theatre.port.sent += theatre.stage.clear(theatre.clock())

    started = ended = 0
    interrupted: set[int] = set()
    for sign in theatre.sent:
        match sign:
            case TurnStarted(turn):
                assert turn == ended + 1
                assert turn not in interrupted
                started = turn
            case Sound():
                assert started == ended + 1, "sound outside of a turn"
                assert started not in interrupted, "sound of a turn that was spoken over"
            case Interrupted(turn):
                assert turn in (ended, ended + 1)
                interrupted.add(turn)
            case GenerationComplete(turn):
                assert turn == started == ended + 1
                assert turn not in interrupted
            case TurnComplete(turn):
                assert turn == ended + 1
                assert started <= turn
                ended = turn
    assert started <= ended
    counts = Counter(type(sign) for sign in theatre.sent)
    assert counts[TurnStarted] <= counts[TurnComplete]
