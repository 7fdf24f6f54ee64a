"""The house is one value: it can be compared, printed and looked at before anything is started."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pykka import ActorRegistry

from actors.connection import ConnectionActor
from actors.link import LinkActor
from actors.messages import Bucket, Slot
from actors.plan import Budget, Child, Plan, Restart, Sibling
from actors.rate_limiter import Limits, RateLimiterActor, WantSlot
from actors.runtime import Address, Life, LoopActor, Mail, born
from actors.store.memory import Quotas, Rate
from actors.supervision import Count, Crash, Dismiss, Find, StartChild, StopChild
from actors.supervisor import SupervisorActor
from actors.tree import CALLER_BUDGET, CALLERS, HOUSE_BUDGET, RATE_LIMITER, drawn, house

ON_BOTH_LOOPS = True
PATIENCE = 10.0
"""Seconds that a test waits before it gives up; nothing here takes them."""
LIMITS = Limits({Bucket.AUDIO: Rate(10, 1.0)}, max_calls=1)


def report(crash: Crash) -> None:
    """Nobody's error tracker."""
    raise AssertionError(crash)


def plan_of(child: Child) -> Plan:
    inner = child.arguments["plan"]
    assert isinstance(inner, Plan)
    return inner


# ── the value ────────────────────────────────────────────────────────────────────────────────────


def test_two_houses_with_the_same_arguments_are_equal() -> None:
    quotas = Quotas()

    assert house(LIMITS, quotas=quotas, report=report) == house(LIMITS, quotas=quotas, report=report)


def test_two_houses_with_other_limits_are_not() -> None:
    quotas, others = Quotas(), Limits({}, max_calls=2)

    assert house(LIMITS, quotas=quotas, report=report) != house(others, quotas=quotas, report=report)


def test_building_the_plan_starts_nothing() -> None:
    house(LIMITS, quotas=Quotas(), report=report)

    assert ActorRegistry.get_all() == []


def test_the_rate_limiter_is_there_before_the_first_caller_and_outlives_the_last() -> None:
    """Order is start order; stopping is the reverse."""
    plan = house(LIMITS, quotas=Quotas(), report=report)

    assert [(child.name, child.actor) for child in plan.children] == [
        (RATE_LIMITER, RateLimiterActor),
        (CALLERS, SupervisorActor),
    ]
    assert {child.restart for child in plan.children} == {Restart.PERMANENT}


def test_house_actors_share_ten_crashes_in_ten_seconds() -> None:
    plan = house(LIMITS, quotas=Quotas(), report=report)

    assert plan.budget == HOUSE_BUDGET == Budget(crashes=10, seconds=10.0)
    assert not plan.each


def test_each_caller_has_twenty_crashes_a_minute_and_the_rate_limiter_hears_when_one_is_gone() -> None:
    callers = plan_of(house(LIMITS, quotas=Quotas(), report=report).children[1])

    assert callers.budget == CALLER_BUDGET == Budget(crashes=20, seconds=60.0)
    assert callers.each
    assert callers.mourners == (Sibling(RATE_LIMITER),)
    assert callers.children == ()


def test_only_supervisors_and_house_actors_stand_in_the_registry() -> None:
    """Leaving it costs a search of the whole list."""
    plan = house(LIMITS, quotas=Quotas(), report=report)

    assert all(child.actor.registered for child in plan.children)
    assert not ConnectionActor.registered
    assert not LinkActor.registered


# ── on paper ─────────────────────────────────────────────────────────────────────────────────────


def test_the_house_can_be_drawn() -> None:
    assert list(drawn(house(LIMITS, quotas=Quotas(), report=report))) == [
        "rate limiter: RateLimiterActor, permanent",
        "callers: SupervisorActor, permanent",
        "  20 crashes in 60 s for each",
    ]


def test_a_supervisor_is_drawn_with_its_budget_and_its_children_below_it() -> None:
    inner = Plan(Budget(3, 0.5), (Child("clerk", LoopActor, restart=Restart.TEMPORARY),))
    outer = Plan(Budget(1, 1.0), (Child("office", SupervisorActor, {"plan": inner}), Child("door", LoopActor)))

    assert list(drawn(outer)) == [
        "office: SupervisorActor, permanent",
        "  3 crashes in 0.5 s",
        "  clerk: LoopActor, temporary",
        "door: LoopActor, permanent",
    ]


# ── alive ────────────────────────────────────────────────────────────────────────────────────────


class Caller(LoopActor):
    """Takes a slot, as a caller's connection does."""

    def __init__(self, *, name: str, limiter: Mail, slots: asyncio.Queue[Slot]) -> None:
        super().__init__()
        self._slots = slots
        limiter.tell(WantSlot(name, "call", self.actor_ref))

    def on_receive(self, message: object) -> None:
        assert isinstance(message, Slot)
        self._slots.put_nowait(message)


async def said(ref: Address, message: object) -> Any:
    """What an actor answers."""
    async with asyncio.timeout(PATIENCE):
        return await ref.ask(message, block=False)


@pytest.mark.parametrize("end", ["stopped", "dismissed with the house"])
async def test_the_house_opens_frees_the_slot_of_who_has_gone_and_closes(end: str) -> None:
    ended, quotas = asyncio.Event(), Quotas()
    root = Life(SupervisorActor, name="house")
    plan = house(LIMITS, quotas=quotas, report=report)
    born(SupervisorActor, root, {"plan": plan, "report": report, "farewell": ended.set})
    limiter, callers = [await said(root.ref, Find(name)) for name in (RATE_LIMITER, CALLERS)]
    registered = ActorRegistry.get_all()
    slots: asyncio.Queue[Slot] = asyncio.Queue()
    arguments = {"name": "anna", "limiter": limiter, "slots": slots}
    await said(callers, StartChild(Child("anna", Caller, arguments, Restart.TRANSIENT, group="anna")))
    async with asyncio.timeout(PATIENCE):
        slot = await slots.get()
        taken = quotas.slots
        if end == "stopped":
            callers.tell(StopChild("anna"))
            while await said(callers, Count()):
                pass
        root.ref.tell(Dismiss())
        await ended.wait()

    assert registered == [root.ref, limiter, callers]
    assert slot.granted
    assert (taken, quotas.slots) == (1, 0)
    assert [ref.is_alive() for ref in registered] == [False, False, False]
    assert ActorRegistry.get_all() == []
