"""What a gateway says, heard frame by frame, with the time told."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.phone.ear import CLOSINGS, PhoneEar
from actors.phone.report import CallReport, Line, Who

TENTH = b"\1\2" * 2_400
"""A tenth of a second of the model's sound."""


class Listener:
    """An ear, and a hand on the clock; the socket was opened at second 100."""

    def __init__(self) -> None:
        self.now = 100.0
        self.ear = PhoneEar(self.now)

    def hear(self, kind: str, at: float | None = None, **payload: Any) -> str | None:
        return self.frame(json.dumps({"type": kind, "payload": payload}), at)

    def frame(self, frame: str | bytes, at: float | None = None) -> str | None:
        self.now = self.now if at is None else at
        return self.ear.hear(frame, self.now)

    def begin(self) -> None:
        """A call in which the caller has just finished speaking, at second 102."""
        self.hear("connected")
        self.hear("session_started")
        self.ear.spoke(102.0)

    @property
    def report(self) -> CallReport:
        return self.ear.report(1.0)


@pytest.fixture
def listener() -> Listener:
    return Listener()


# ── what was said ────────────────────────────────────────────────────────────────────────────────


def test_an_utterance_is_assembled_from_deltas_and_closed_by_the_final_one(listener: Listener) -> None:
    listener.hear("input_transcript", text="Is it ", isFinal=False)
    listener.hear("input_transcript", text="open?", isFinal=False)
    assert listener.ear.lines == []

    listener.hear("input_transcript", text="", isFinal=True)
    assert listener.ear.lines == [Line(Who.CALLER, "Is it open?")]


def test_both_sides_are_kept_apart_while_they_speak_at_once(listener: Listener) -> None:
    listener.hear("output_transcript", text="It is")
    listener.hear("input_transcript", text="Wait", isFinal=True)
    listener.hear("output_transcript", text=" open.", isFinal=True)

    assert listener.ear.lines == [Line(Who.CALLER, "Wait"), Line(Who.MODEL, "It is open.")]


def test_an_utterance_that_is_empty_is_no_line(listener: Listener) -> None:
    listener.hear("output_transcript", text=" ", isFinal=True)

    assert listener.ear.lines == []


def test_what_was_never_closed_stands_in_the_report(listener: Listener) -> None:
    listener.hear("output_transcript", text="It is o")

    assert listener.report.lines == (Line(Who.MODEL, "It is o"),)


# ── sound ────────────────────────────────────────────────────────────────────────────────────────


def test_sound_comes_as_bytes_or_as_base64(listener: Listener) -> None:
    listener.frame(TENTH)
    listener.hear("audio", audioData=b64encode(TENTH).decode(), mimeType="audio/pcm;rate=24000")

    assert listener.report.reply == TENTH * 2
    assert listener.report.audio_seconds == pytest.approx(0.2)


@pytest.mark.parametrize("data", ["AAA", "AAAA*AAAA", "", None, 7])
def test_sound_that_is_no_sound_is_an_error_and_the_call_goes_on(listener: Listener, data: object) -> None:
    listener.begin()
    listener.hear("audio", audioData=data)
    listener.frame(TENTH)

    assert [line.who for line in listener.ear.lines] == [Who.ERROR]
    assert "expected whole 16-bit samples" in listener.ear.lines[0].text
    assert listener.report.reply == TENTH


def test_first_audio_is_counted_from_the_last_frame_of_speech(listener: Listener) -> None:
    listener.begin()
    listener.frame(TENTH, at=102.75)
    listener.frame(TENTH, at=103.0)

    assert listener.report.first_audio_seconds == pytest.approx(0.75)


def test_a_turn_that_had_begun_before_is_not_the_answer(listener: Listener) -> None:
    listener.frame(TENTH, at=101.0)
    listener.begin()
    listener.frame(TENTH, at=102.1)
    listener.hear("turn_complete", at=102.2)
    listener.frame(TENTH, at=103.0)

    assert listener.report.first_audio_seconds == pytest.approx(1.0)


def test_an_interruption_voids_what_would_not_have_been_played(listener: Listener) -> None:
    for _ in range(10):
        listener.frame(TENTH, at=103.0)
    listener.hear("interrupted", at=103.7, turn=1)

    assert len(listener.report.reply) == 5 * len(TENTH)
    assert listener.report.audio_seconds == pytest.approx(1.0)
    assert listener.report.interruptions == 1


def test_an_interruption_leaves_earlier_turns_alone(listener: Listener) -> None:
    listener.frame(TENTH * 10, at=103.0)
    listener.hear("turn_complete")
    listener.frame(TENTH, at=103.1)
    listener.hear("interrupted", at=104.0, turn=2)

    assert listener.report.reply == TENTH * 10


def test_an_interrupted_utterance_is_marked(listener: Listener) -> None:
    listener.hear("output_transcript", text="It is open from")
    listener.hear("interrupted", turn=1)

    assert listener.ear.lines == [Line(Who.MODEL, "It is open from …")]


def test_sound_that_comes_too_late_in_a_turn_is_counted(listener: Listener) -> None:
    listener.frame(TENTH, at=103.0)
    listener.frame(TENTH, at=103.36)

    assert (listener.report.underruns, listener.report.lost_frames) == (1, 3)


@pytest.mark.parametrize("kind", ["generation_complete", "tool_started", "turn_complete"])
def test_a_pause_that_is_meant_is_not_counted(listener: Listener, kind: str) -> None:
    listener.frame(TENTH, at=103.0)
    listener.hear(kind)
    listener.frame(TENTH, at=110.0)

    assert listener.report.underruns == 0


# ── turns ────────────────────────────────────────────────────────────────────────────────────────


def test_a_turn_with_sound_that_is_complete_is_an_answer(listener: Listener) -> None:
    listener.begin()
    listener.frame(TENTH)
    assert not listener.ear.satisfied

    listener.hear("turn_complete", turnComplete=True, turn=1)
    assert listener.ear.satisfied
    assert listener.report.answered


def test_a_turn_without_sound_is_no_answer(listener: Listener) -> None:
    listener.begin()
    listener.hear("turn_complete", turnComplete=True, turn=1)

    assert not listener.report.answered


def test_a_quiet_moment_is_not_the_end_of_a_turn(listener: Listener) -> None:
    listener.begin()
    listener.frame(TENTH)
    listener.hear("turn_complete", turnComplete=True, turn=1, reason="quiet")

    assert not listener.report.answered


def test_an_interrupted_turn_is_no_answer(listener: Listener) -> None:
    listener.begin()
    listener.frame(TENTH)
    listener.hear("interrupted", turn=1)
    listener.hear("turn_complete", turnComplete=True, turn=1)

    assert not listener.report.answered


def test_an_answer_to_the_first_half_is_an_answer_and_the_phone_waits_for_more(listener: Listener) -> None:
    listener.frame(TENTH)
    listener.hear("turn_complete")
    listener.begin()

    assert listener.report.answered
    assert not listener.ear.satisfied


# ── the course of the call ───────────────────────────────────────────────────────────────────────


def test_ready_is_counted_from_the_open_socket_and_once(listener: Listener) -> None:
    listener.hear("connected", at=100.1, connectionId="c")
    assert listener.ear.connected and not listener.ear.ready

    listener.hear("session_started", at=100.4)
    listener.hear("session_started", at=109.0)
    assert listener.ear.ready
    assert listener.report.ready_seconds == pytest.approx(0.4)


def test_a_heartbeat_is_answered_with_its_own_timestamp(listener: Listener) -> None:
    answer = listener.frame('{"type": "heartbeat", "timestamp": 1234}')

    assert json.loads(answer or "") == {"type": "heartbeat_ack", "timestamp": 1234}


@pytest.mark.parametrize("kind", ["tool_started", "output_transcript", "resuming", "turn_started"])
def test_what_the_model_does_is_a_sign_of_life(listener: Listener, kind: str) -> None:
    listener.hear(kind, at=107.0)

    assert listener.ear.last_life == 107.0


@pytest.mark.parametrize("kind", ["heartbeat", "notice", "usage", "start_ack", "error"])
def test_what_the_gateway_does_by_itself_is_not(listener: Listener, kind: str) -> None:
    listener.hear(kind, at=107.0)

    assert listener.ear.last_life == 100.0


def test_an_error_before_the_call_began_refuses_it(listener: Listener) -> None:
    listener.hear("error", code="HOUSE_FULL", message="All lines are busy", retryable=True)

    assert listener.ear.failed
    assert listener.ear.lines == [Line(Who.ERROR, "All lines are busy (HOUSE_FULL)")]
    assert listener.report.end == "the gateway refused the call"


def test_an_error_in_the_call_is_told_and_the_call_goes_on(listener: Listener) -> None:
    listener.begin()
    listener.hear("error", code="TOOL", message="No such tool")

    assert not (listener.ear.failed or listener.ear.over)
    assert listener.ear.lines == [Line(Who.ERROR, "No such tool (TOOL)")]


@pytest.mark.parametrize("frame", ["no json", "[1]", '"text"', "null", "{"])
def test_a_frame_that_is_no_message_is_an_error(listener: Listener, frame: str) -> None:
    listener.begin()
    listener.frame(frame)

    assert listener.ear.lines == [Line(Who.ERROR, "a text frame was no JSON object (UNREADABLE)")]


def test_a_place_in_line_is_told(listener: Listener) -> None:
    listener.hear("waiting", position=3, retryAfterMs=2000)

    assert listener.ear.lines == [Line(Who.NOTICE, "in line, at place 3")]


@pytest.mark.parametrize(
    ("code", "message", "dropped"),
    [
        ("AUDIO_DROPPED", "dropped 12 frames beyond 10 s", 12),
        ("AUDIO_DROPPED", "1 frame was dropped", 1),
        ("AUDIO_DROPPED", "sound was dropped", 1),
        ("NEAR_BUDGET", "12 frames are left", 0),
    ],
)
def test_dropped_frames_are_counted_from_notices(listener: Listener, code: str, message: str, dropped: int) -> None:
    listener.hear("notice", code=code, message=message)

    assert listener.report.dropped_frames == dropped
    assert listener.ear.lines == [Line(Who.NOTICE, f"{message} ({code})")]


def test_frames_lost_while_the_model_was_changed_are_counted(listener: Listener) -> None:
    listener.hear("resumed", gapMs=900, restored=True, framesReplayed=4, framesDropped=7)

    assert listener.report.dropped_frames == 7


def test_the_gateways_goodbye_is_the_end(listener: Listener) -> None:
    listener.hear("session_closed", reason="live_api_closed", cause="idle", message="Nobody has spoken")

    assert listener.ear.over
    assert listener.report.end == "the gateway ended the call: Nobody has spoken"


@pytest.mark.parametrize(("code", "meaning"), CLOSINGS.items())
def test_a_closing_code_is_told_in_words(listener: Listener, code: int, meaning: str) -> None:
    listener.ear.hung_up(code, "")

    assert listener.ear.over
    assert listener.report.end == f"{meaning} ({code})"


def test_an_unknown_closing_code_is_told_with_its_reason(listener: Listener) -> None:
    listener.ear.hung_up(4999, "because")

    assert listener.report.end == "the gateway closed the connection (4999: because)"


def test_the_first_end_is_the_one_that_counts(listener: Listener) -> None:
    listener.ear.end("nothing was heard")
    listener.ear.hung_up(1000, "")

    assert listener.report.end == "nothing was heard"


KINDS = st.sampled_from(
    (
        *("connected", "session_started", "audio", "input_transcript", "output_transcript", "interrupted", "waiting"),
        *("turn_complete", "notice", "resumed", "error", "session_closed", "heartbeat", "unheard_of"),
    )
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(["text", "isFinal", "audioData", "reason", "message", "code", "framesDropped", "position"])


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(KINDS, st.dictionaries(FIELDS, JSON) | JSON), max_size=12))
def test_no_message_of_any_shape_is_more_than_an_ear_can_bear(messages: list[tuple[str, Any]]) -> None:
    listener = Listener()
    for kind, payload in messages:
        listener.frame(json.dumps({"type": kind, "payload": payload, "timestamp": payload}))

    assert listener.report.audio_seconds >= 0
