"""The table of phases, as a value: what holds of it whatever the actor does."""

from __future__ import annotations

from typing import get_args

import pytest

from actors import errors
from actors.errors import Whose
from actors.messages import FromCaller, FromModel, Hangup, Opened, Start, Stop
from actors.phases import ANYTIME, CAUSES, FROM_CALLER, FROM_MODEL, OF_A_SESSION, TURNS, Phase
from actors.replies import Cause
from actors.supervision import Ready

LINKS_OWN = {"HandleGiven", "GoingAway", "ToolCallsWanted", "ToolCallsCancelled", "Garbled"}


def test_every_phase_has_a_row() -> None:
    assert set(TURNS) == set(Phase)


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.OVER}))
def test_what_may_come_at_any_time_changes_nothing(phase: Phase) -> None:
    assert {TURNS[phase][kind] for kind in ANYTIME} == {phase}


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.OVER}))
def test_a_hangup_ends_every_phase(phase: Phase) -> None:
    assert TURNS[phase][Hangup] is Phase.OVER


def test_from_over_there_is_no_way_back() -> None:
    assert TURNS[Phase.OVER] == {Ready: Phase.OVER}


def test_only_a_start_leads_out_of_idle_and_only_the_model_makes_a_call_live() -> None:
    ways = {(phase, kind, after) for phase, row in TURNS.items() for kind, after in row.items() if after is not phase}

    assert {kind for phase, kind, after in ways if phase is Phase.IDLE and after is not Phase.OVER} == {Start}
    assert {kind for _, kind, after in ways if after is Phase.LIVE} == {Opened}
    assert {kind for _, kind, after in ways if after is Phase.IDLE} == {Stop}


def test_everything_the_wire_can_say_is_known_to_the_table() -> None:
    assert set(get_args(FromCaller)) == FROM_CALLER
    assert FROM_CALLER - {Stop} <= set(TURNS[Phase.LIVE])


def test_everything_of_the_models_that_is_not_the_links_own_is_heard_in_a_live_call() -> None:
    assert {kind for kind in get_args(FromModel) if kind.__name__ not in LINKS_OWN} == OF_A_SESSION
    assert set(TURNS[Phase.LIVE]) >= OF_A_SESSION
    assert not FROM_MODEL & set(TURNS[Phase.OPENING])


def test_every_error_that_closes_has_a_cause_unless_it_is_the_models() -> None:
    closing = [kind for kind in errors.KINDS if kind.closes is not None and kind.whose is not Whose.MODEL]
    ours = {kind.code for kind in closing if kind.whose is Whose.OURS}

    assert {kind.code for kind in closing} - ours == set(CAUSES)
    assert set(CAUSES.values()) <= set(Cause)
