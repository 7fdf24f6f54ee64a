"""Handles: who may go on where, and until when."""

from __future__ import annotations

from typing import Any

import pytest

from actors.live.emulator.endings import INTERNAL, INVALID, NOT_FOUND, Close, Refused
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles
from actors.live.emulator.usage import Memory
from tests.emulator_caller import BOTH, NEW, OLD, Caller, setup, typed, usage

MEMORY = Memory(5, ({"TEXT": 7},))


def redeemed(handles: Handles, handle: str, *, model: str = NEW, now: float = 0.0) -> Memory | Close:
    try:
        return handles.redeem(handle, model, lost=NOT_FOUND, now=now).memory
    except Refused as refused:
        return refused.close


def latest(caller: Caller) -> str:
    updates = [out.get("sessionResumptionUpdate", {}) for out in caller.heard if isinstance(out, dict)]
    return str([update["newHandle"] for update in updates if update.get("resumable")][-1])


# ── the store ────────────────────────────────────────────────────────────────────────────────────


def test_a_handle_brings_back_the_moment_it_was_issued() -> None:
    handles = Handles(60, seed=1)
    seat = handles.begin(NEW, Memory(0, ()))
    early, late = seat.issue(MEMORY), seat.issue(Memory(5, ()))
    seat.leave(0)

    assert redeemed(handles, early) == MEMORY
    assert early != late


def test_a_handle_of_a_conversation_that_is_still_open_is_refused() -> None:
    handles = Handles(60, seed=1)
    handle = handles.begin(NEW, MEMORY).issue(MEMORY)

    assert redeemed(handles, handle) == INTERNAL


def test_a_conversation_that_was_resumed_is_open_again() -> None:
    handles = Handles(60, seed=1)
    first = handles.begin(NEW, MEMORY)
    handle = first.issue(MEMORY)
    first.leave(0)
    second = handles.redeem(handle, NEW, lost=NOT_FOUND, now=0)

    assert redeemed(handles, handle) == INTERNAL
    second.leave(0)
    assert redeemed(handles, handle) == MEMORY


def test_conversations_do_not_stand_in_each_others_way() -> None:
    handles = Handles(60, seed=1)
    mine, yours = handles.begin(NEW, MEMORY), handles.begin(NEW, MEMORY)
    handle = mine.issue(MEMORY)
    yours.issue(MEMORY)
    mine.leave(0)

    assert redeemed(handles, handle) == MEMORY


@pytest.mark.parametrize(("now", "found"), [(159.9, MEMORY), (160.0, NOT_FOUND)])
def test_a_handle_outlives_its_session_for_a_while(now: float, found: object) -> None:
    handles = Handles(60, seed=1)
    seat = handles.begin(NEW, MEMORY)
    handle = seat.issue(MEMORY)
    seat.leave(100)

    assert redeemed(handles, handle, now=now) == found


def test_a_session_that_lasts_does_not_lose_its_handles() -> None:
    handles = Handles(60, seed=1)
    seat = handles.begin(NEW, MEMORY)
    handle = seat.issue(MEMORY)
    handles.begin(NEW, MEMORY).leave(10_000)
    seat.leave(10_000)

    assert redeemed(handles, handle, now=10_001) == MEMORY


def test_a_handle_belongs_to_its_model() -> None:
    handles = Handles(60, seed=1)
    seat = handles.begin(NEW, MEMORY)
    handle = seat.issue(MEMORY)
    seat.leave(0)

    assert redeemed(handles, handle, model=OLD) == INVALID
    assert redeemed(handles, handle) == MEMORY


def test_the_store_is_bounded_by_conversations_and_time() -> None:
    handles = Handles(60, seed=1)
    for second in range(100):
        seat = handles.begin(NEW, MEMORY)
        for _ in range(100):
            seat.issue(MEMORY)
        seat.leave(second)

    assert len(handles._known) <= 61 * 16
    handles.begin(NEW, MEMORY).leave(1_000)
    assert len(handles._known) == 0


def test_a_seed_makes_handles_the_same_in_every_run() -> None:
    first, second, other = (Handles(60, seed=seed).begin(NEW, MEMORY).issue(MEMORY) for seed in (1, 1, 2))

    assert first == second != other


# ── the conversation ─────────────────────────────────────────────────────────────────────────────


def resumed(handles: Handles, handle: str, *, model: str = NEW, **fields: Any) -> Caller:
    caller = Caller(handles=handles)
    caller.say(setup(model, sessionResumption={"handle": handle}, **fields))
    return caller


@pytest.mark.parametrize("model", BOTH)
def test_a_resumed_conversation_remembers_its_context_and_its_first_instruction(model: str) -> None:
    handles = Handles(60, seed=1)
    first = Caller(handles=handles).open(
        model, sessionResumption={}, systemInstruction={"parts": [{"text": "x" * 400}]}
    )
    bill = usage(first.say(typed("x" * 4)) + first.wait(10))
    first.leave()

    second = resumed(handles, latest(first), model=model, systemInstruction={"parts": [{"text": "another"}]})

    again = usage(second.say(typed("x" * 4)) + second.wait(10))
    assert again["promptTokenCount"] == bill["totalTokenCount"] + 1


@pytest.mark.parametrize(("model", "close"), [(OLD, NOT_FOUND), (NEW, INVALID)])
def test_an_unknown_handle_is_refused_in_the_manner_of_the_family(model: str, close: Close) -> None:
    assert resumed(Handles(60, seed=1), "never issued", model=model).heard == [close]


def test_a_conversation_ended_by_the_service_is_held_until_the_socket_is_closed() -> None:
    handles = Handles(60, seed=1)
    first = Caller(Options(connection_seconds=5), handles=handles).open(sessionResumption={})
    first.wait(10)

    assert resumed(handles, latest(first)).heard == [INTERNAL]
    first.leave()
    assert resumed(handles, latest(first)).close is None


def test_what_was_under_way_is_not_continued() -> None:
    handles = Handles(60, seed=1)
    first = Caller(handles=handles).open(sessionResumption={})
    handle = latest(first)
    first.say(typed("a long story"))
    first.wait(0.3)
    first.leave()

    assert resumed(handles, handle).wait(30) == []
