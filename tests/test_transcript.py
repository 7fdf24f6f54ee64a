"""Utterances are put together from pieces, and none of them is closed twice or forgotten while it is open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.transcript import LONGEST, TAIL, Line, Side, Transcript, delta
from actors.replies import InputTranscript, OutputTranscript

PIECES = st.lists(st.tuples(st.sampled_from(["caller", "model"]), st.text(max_size=5), st.booleans()), max_size=80)


def told(*pieces: tuple[Side, str, bool]) -> Transcript:
    transcript = Transcript()
    for side, text, finished in pieces:
        transcript = transcript.piece(side, text, finished=finished)
    return transcript


def test_pieces_of_one_utterance_become_one_line() -> None:
    transcript = told(("caller", " Hel", False), ("caller", "lo", False))

    assert transcript.lines == (Line("caller", " Hello", open=True),)


def test_the_two_sides_may_speak_at_once() -> None:
    transcript = told(("caller", "Ho", False), ("model", "Hi", False), ("caller", "w", False), ("model", "!", False))

    assert [(line.side, line.text) for line in transcript.lines] == [("caller", "How"), ("model", "Hi!")]


def test_a_finished_piece_closes_its_utterance_and_the_next_one_begins_another() -> None:
    transcript = told(("model", "Yes", True), ("model", "And", False))

    assert transcript.lines == (Line("model", "Yes", open=False), Line("model", "And", open=True))


def test_closing_one_side_leaves_the_other_open() -> None:
    transcript = told(("caller", "Hi", False), ("model", "Hello", False)).close("caller")

    assert not transcript.is_open("caller")
    assert transcript.is_open("model")


def test_there_is_nothing_to_close_before_the_first_piece() -> None:
    assert Transcript().close("model") == Transcript()


@pytest.mark.parametrize("finished", [True, False])
def test_nothing_begins_with_an_empty_piece(finished: bool) -> None:
    assert told(("model", "", finished)) == Transcript()


def test_only_the_tail_is_remembered() -> None:
    transcript = told(*(("model", f"{n}.", True) for n in range(TAIL + 5)))

    assert [line.text for line in transcript.lines] == [f"{n}." for n in range(5, TAIL + 5)]


def test_an_open_utterance_is_never_the_one_that_is_forgotten() -> None:
    transcript = told(("caller", "I mean", False), *(("model", "Yes.", True) for _ in range(2 * TAIL)))

    assert transcript.lines[0] == Line("caller", "I mean", open=True)
    assert len(transcript.lines) == TAIL


def test_what_is_remembered_of_one_utterance_has_an_end() -> None:
    transcript = told(("model", "a" * LONGEST, False), ("model", "b", False), ("caller", "c" * 2 * LONGEST, False))

    assert [line.text for line in transcript.lines] == ["a" * LONGEST, "c" * LONGEST]


@pytest.mark.parametrize("final", [True, False])
def test_the_caller_is_told_which_side_a_piece_is_of(final: bool) -> None:
    assert delta("caller", "Hi", final=final) == InputTranscript("Hi", final)
    assert delta("model", "Hi", final=final) == OutputTranscript("Hi", final)


@given(PIECES)
def test_each_side_has_one_open_utterance_at_most_and_the_tail_is_bounded(pieces: list[tuple[Side, str, bool]]) -> None:
    transcript = told(*pieces)

    assert len(transcript.lines) <= TAIL
    for side in ("caller", "model"):
        assert sum(line.open for line in transcript.lines if line.side == side) <= 1


@given(PIECES)
def test_a_side_is_open_exactly_after_a_piece_that_did_not_finish(pieces: list[tuple[Side, str, bool]]) -> None:
    transcript, is_open = Transcript(), {"caller": False, "model": False}
    for side, text, finished in pieces:
        transcript = transcript.piece(side, text, finished=finished)
        is_open[side] = (is_open[side] or bool(text)) and not finished

        assert {side: transcript.is_open(side) for side in ("caller", "model")} == is_open
