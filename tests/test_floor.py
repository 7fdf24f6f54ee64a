"""Turns are counted, begun before they end, and every utterance that was opened gets one final."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.floor import Floor, Step
from actors.call.transcript import Line
from actors.replies import (
    GenerationComplete,
    InputTranscript,
    ModelText,
    OutputTranscript,
    Reply,
    TurnComplete,
    TurnStarted,
)


class Talk:
    """A conversation, and everything that its caller was told: at once, and in line with the sound."""

    def __init__(self) -> None:
        self.floor = Floor()
        self.now: list[Reply] = []
        self.line: list[Reply] = []

    def take(self, step: Step) -> None:
        self.floor = step.floor
        self.now += step.now
        self.line += step.line

    def heard(self, text: str, *, finished: bool = False) -> None:
        self.take(self.floor.heard(text, finished=finished))

    def said(self, text: str, *, finished: bool = False) -> None:
        self.take(self.floor.said(text, finished=finished))

    def happen(self, what: str, text: str, *, finished: bool) -> None:
        match what:
            case "heard":
                self.heard(text, finished=finished)
            case "said":
                self.said(text, finished=finished)
            case "typed":
                self.take(self.floor.typed(text or "words"))
            case "ended":
                self.take(self.floor.ended(text or None))
            case "wrote":
                self.take(self.floor.wrote(text))
            case _:
                self.take(getattr(self.floor, what)())


@pytest.fixture
def talk() -> Talk:
    return Talk()


# ── turns ────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_sound_of_a_turn_begins_it(talk: Talk) -> None:
    talk.take(talk.floor.begun())

    assert talk.line == [TurnStarted(1)]
    assert talk.floor.open


def test_a_turn_begins_once(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.begun())
    talk.said("Hi")

    assert talk.line == [TurnStarted(1)]


@pytest.mark.parametrize("what", ["said", "wrote"])
def test_words_of_the_model_begin_a_turn_too(talk: Talk, what: str) -> None:
    talk.happen(what, "Hi", finished=False)

    assert talk.line == [TurnStarted(1)]


@pytest.mark.parametrize("finished", [True, False])
def test_an_empty_piece_is_nothing(talk: Talk, finished: bool) -> None:
    talk.heard("", finished=finished)
    talk.said("", finished=finished)

    assert talk.floor == Floor()
    assert talk.now == talk.line == []


def test_a_turn_ends_under_the_number_it_began_with_and_the_reason_that_was_given(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.ended("max_tokens"))

    assert talk.line == [TurnStarted(1), TurnComplete(1, "max_tokens")]
    assert not talk.floor.open


def test_a_turn_that_had_nothing_to_say_ends_under_a_number_of_its_own(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.ended(None))
    talk.take(talk.floor.ended("need_more_input"))
    talk.take(talk.floor.begun())

    assert talk.line == [TurnStarted(1), TurnComplete(1), TurnComplete(2, "need_more_input"), TurnStarted(3)]


def test_the_end_of_generation_is_told_in_line(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.generated())

    assert talk.line == [TurnStarted(1), GenerationComplete(1)]


def test_the_end_of_generation_of_no_turn_is_not_told(talk: Talk) -> None:
    talk.take(talk.floor.generated())

    assert talk.line == []


def test_text_of_the_model_is_told_at_once(talk: Talk) -> None:
    talk.take(talk.floor.wrote("See [1]"))

    assert talk.now == [ModelText("See [1]")]


def test_an_interrupted_turn_is_void_until_it_ends(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.barged_in())

    assert talk.floor.void
    talk.take(talk.floor.generated())
    talk.take(talk.floor.ended(None))
    assert talk.line == [TurnStarted(1), TurnComplete(1)]
    assert not talk.floor.void


def test_a_turn_that_has_ended_is_not_made_void(talk: Talk) -> None:
    talk.take(talk.floor.begun())
    talk.take(talk.floor.ended(None))
    talk.take(talk.floor.barged_in())

    assert not talk.floor.void


# ── utterances ───────────────────────────────────────────────────────────────────────────────────


def test_deltas_are_told_as_they_come(talk: Talk) -> None:
    talk.heard(" How")
    talk.heard(" are you")

    assert talk.now == [InputTranscript(" How", final=False), InputTranscript(" are you", final=False)]


def test_a_final_never_repeats_what_was_said(talk: Talk) -> None:
    talk.said("Fine")
    talk.take(talk.floor.ended(None))

    assert talk.now == [OutputTranscript("Fine", final=False), OutputTranscript("", final=True)]


def test_a_family_that_says_finished_closes_with_the_last_piece(talk: Talk) -> None:
    talk.heard("Stop", finished=True)
    talk.take(talk.floor.quieted())

    assert talk.now == [InputTranscript("Stop", final=True)]


def test_a_family_that_says_finished_by_itself_closes_what_is_open(talk: Talk) -> None:
    talk.said("Fine")
    talk.said("", finished=True)
    talk.take(talk.floor.ended(None))

    assert talk.now == [OutputTranscript("Fine", final=False), OutputTranscript("", final=True)]


def test_the_end_of_a_turn_closes_both_sides(talk: Talk) -> None:
    talk.heard("Well?")
    talk.said("Well.")
    talk.take(talk.floor.ended(None))

    assert talk.now[2:] == [InputTranscript("", final=True), OutputTranscript("", final=True)]


def test_a_barge_in_closes_both_sides(talk: Talk) -> None:
    talk.said("Let me expl")
    talk.heard("No")
    talk.take(talk.floor.barged_in())

    assert talk.now[2:] == [InputTranscript("", final=True), OutputTranscript("", final=True)]


def test_quiet_closes_the_caller_only(talk: Talk) -> None:
    talk.heard("Hm")
    talk.said("Yes?")
    talk.take(talk.floor.quieted())

    assert talk.now[2:] == [InputTranscript("", final=True)]


def test_typed_words_are_remembered_and_not_told_back(talk: Talk) -> None:
    talk.take(talk.floor.typed("My name is Ada"))

    assert talk.floor.transcript.lines == (Line("caller", "My name is Ada", open=False),)
    assert talk.now == []


def test_typing_closes_what_the_caller_was_saying(talk: Talk) -> None:
    talk.heard("My name is")
    talk.take(talk.floor.typed("Ada"))
    talk.heard("So")

    expected = [InputTranscript("My name is", final=False), InputTranscript("", final=True)]
    assert talk.now == [*expected, InputTranscript("So", final=False)]


# ── whatever happens ─────────────────────────────────────────────────────────────────────────────

HAPPENINGS = st.lists(
    st.tuples(
        st.sampled_from(
            ["heard", "heard", "said", "said", "typed", "wrote", "begun", "barged_in", "generated", "ended", "quieted"]
        ),
        st.sampled_from(["", "a", "bc"]),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=120,
)


@given(HAPPENINGS)
def test_every_opened_utterance_gets_exactly_one_final(happenings: list[tuple[str, str, bool]]) -> None:
    talk = Talk()
    for what, text, finished in happenings:
        talk.happen(what, text, finished=finished)
    talk.take(talk.floor.ended(None))

    for side in (InputTranscript, OutputTranscript):
        is_open = False
        for told in (reply for reply in talk.now if isinstance(reply, side)):
            assert told.text or is_open, "a final of nothing, or an empty delta"
            is_open = not told.final
        assert not is_open


@given(HAPPENINGS)
def test_the_deltas_of_a_side_put_together_are_its_utterances(happenings: list[tuple[str, str, bool]]) -> None:
    talk = Talk()
    spoken: dict[str, str] = defaultdict(str)
    for what, text, finished in happenings[:15]:  # fewer than the tail holds
        talk.happen(what, text, finished=finished)
        if what == "typed":
            spoken["caller"] += text or "words"  # the page shows it already, and no delta repeats it
        elif what in ("heard", "said"):
            spoken["caller" if what == "heard" else "model"] += text

    told = {
        "caller": "".join(reply.text for reply in talk.now if isinstance(reply, InputTranscript)),
        "model": "".join(reply.text for reply in talk.now if isinstance(reply, OutputTranscript)),
    }
    assert told["model"] == spoken["model"]
    assert told["caller"] == "".join(text for what, text, _ in happenings[:15] if what == "heard")
    for side in ("caller", "model"):
        assert "".join(line.text for line in talk.floor.transcript.lines if line.side == side) == spoken[side]


@given(HAPPENINGS)
def test_turns_rise_by_one_and_end_after_they_began(happenings: list[tuple[str, str, bool]]) -> None:
    talk = Talk()
    for what, text, finished in happenings:
        talk.happen(what, text, finished=finished)

    last_started = last_ended = 0
    for sign in talk.line:
        match sign:
            case TurnStarted(turn):
                assert turn == last_ended + 1 > last_started
                last_started = turn
            case GenerationComplete(turn):
                assert turn == last_started > last_ended
            case TurnComplete(turn):
                assert turn == last_ended + 1
                assert last_started <= turn
                last_ended = turn
    assert talk.floor.turn == max(last_started, last_ended)


@given(HAPPENINGS)
def test_only_an_open_turn_can_be_void(happenings: list[tuple[str, str, bool]]) -> None:
    talk = Talk()
    for what, text, finished in happenings:
        talk.happen(what, text, finished=finished)

        assert talk.floor.open or not talk.floor.void
