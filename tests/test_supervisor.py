"""Who is started, in which order; who comes back, how often; and how it all ends."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pykka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pykka import ActorRegistry
from pykka.messages import _ActorStop

from actors.mailbox import Mailbox
from actors.plan import Budget, Child, Plan, Restart, Sibling, comes_back
from actors.roster import Roster
from actors.runtime import Address, Crashed, Life, LoopActor, ThreadActor, Where, born
from actors.supervision import Count, Crash, Dismiss, Find, Gone, Ready, StartChild, StopChild, ToAll
from actors.supervisor import GaveUpError, SupervisorActor
from tests.fakes import Clock, FakeMail

ON_BOTH_LOOPS = True
PATIENCE = 10.0
"""Seconds that a test waits before it gives up; nothing here takes them."""
AMPLE = Budget(crashes=100, seconds=60.0)


class Boom(Exception):
    """What goes wrong."""


@dataclass(frozen=True)
class Explode:
    """Poison."""


@dataclass(frozen=True)
class Hangup:
    """Poison of a sort that is not survived."""


@dataclass(frozen=True)
class Leave:
    """End in order."""


@dataclass(frozen=True)
class Keep:
    """Put this down as the checkpoint."""

    value: object


class Worker(LoopActor):
    """Writes in the house's diary what becomes of it, under its name."""

    fatal = (Hangup,)
    mark = 4

    def __init__(self, *, name: str, diary: list[Any], fails: Mapping[Where, int] | None = None, **more: Any) -> None:
        super().__init__()
        self.name, self.diary, self.more = name, diary, more
        self.fails = fails or {}  # in which part of life, in how many births
        self._in(Where.INIT)

    def on_start(self) -> None:
        self._in(Where.START)
        self.diary.append((self.name, "started"))

    def on_receive(self, message: object) -> Any:
        match message:
            case Explode() | Hangup():
                raise Boom("poison")
            case Leave():
                self.stop()
            case Keep(value):
                self.checkpoint = value
            case "what were you given?":
                return self.more
            case _:
                self.diary.append((self.name, message))
        return self.life.births

    def on_stop(self) -> None:
        self._in(Where.STOP)
        self.diary.append((self.name, "stopped"))

    @classmethod
    def let_go(cls, arguments: Mapping[str, Any], checkpoint: Any, event_id: str | None) -> None:
        arguments["diary"].append((arguments["name"], "let go", event_id, checkpoint))

    def _in(self, part: Where) -> None:
        if self.life.births <= self.fails.get(part, 0):
            raise Boom(part)


class Disk:
    """Something slow that a thread may wait for."""

    def __init__(self) -> None:
        self.entered, self.done = threading.Event(), threading.Event()


class ThreadWorker(ThreadActor):
    """The same on a thread, as far as it matters here."""

    def __init__(self, *, name: str, diary: list[Any]) -> None:
        super().__init__()
        self.name, self.diary = name, diary

        self.fails: Mapping[Where, int] = {}

    def on_receive(self, message: object) -> Any:
        if isinstance(message, Disk):
            message.entered.set()
            message.done.wait(PATIENCE)
        return Worker.on_receive(self, message)

    on_stop, _in = Worker.on_stop, Worker._in


@dataclass
class House:
    """A supervisor, what it told the world, and what its children wrote down."""

    diary: list[Any] = field(default_factory=list)
    reports: list[Crash] = field(default_factory=list)
    gave_up: list[Exception] = field(default_factory=list)
    farewells: list[str] = field(default_factory=list)
    clock: Clock = field(default_factory=Clock)
    ref: Address = field(init=False)
    poison: type[Exception] | None = None
    """The next report of a worker's crash fails with this: a bug in its supervisor's own handler."""

    def open(self, *children: Child, budget: Budget = AMPLE, each: bool = False, **plan: Any) -> House:
        life = Life(SupervisorActor, name="root")
        self.ref = life.ref
        arguments = {
            "plan": Plan(budget, children, each, **plan),
            "report": self.report,
            "gave_up": self.gave_up.append,
            "farewell": lambda: self.farewells.append("farewell"),
            "clock": self.clock,
        }
        born(SupervisorActor, life, arguments)
        return self

    def report(self, crash: Crash) -> str:
        self.reports.append(crash)
        if self.poison is not None and crash.actor == "Worker":
            poison, self.poison = self.poison, None
            raise poison
        return f"event {len(self.reports)}"

    # ── children to be ──

    def worker(self, name: str, restart: Restart = Restart.TRANSIENT, *, group: str = "", **more: Any) -> Child:
        return Child(name, Worker, {"name": name, "diary": self.diary, **more}, restart, group)

    def caller(self, name: str, restart: Restart = Restart.TRANSIENT, **more: Any) -> Child:
        """A child in a group named by what stands before the slash."""
        return self.worker(name, restart, group=name.partition("/")[0], **more)

    def supervisor(self, name: str, *children: Child, budget: Budget = AMPLE, each: bool = False, **plan: Any) -> Child:
        inner = Plan(budget, children, each, **plan)
        arguments = {"plan": inner, "report": self.report, "clock": self.clock}
        return Child(name, SupervisorActor, arguments)

    # ── what a test does ──

    async def find(self, name: str, *, under: Address | None = None) -> Address:
        found = await said(self.ref if under is None else under, Find(name))
        assert isinstance(found, Address)
        return found

    async def start(self, child: Child, *, under: Address | None = None) -> Address:
        ready = await said(self.ref if under is None else under, StartChild(child))
        assert isinstance(ready, Ready)
        return ready.ref

    async def crash(self, ref: Address, message: object | None = None, *, times: int = 1) -> None:
        """Let an actor fail, and its supervisor hear of it."""
        for _ in range(times):
            before = len(self.reports)
            ref.tell(message or Explode())
            await self.until(lambda before=before: len(self.reports) > before)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Let the loop turn until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                await turn()

    async def close(self) -> None:
        self.ref.tell(Dismiss())
        await self.until(lambda: bool(self.farewells))
        await turn()

    def of(self, name: str) -> list[Any]:
        """A child's own entries."""
        return [entry[1] if len(entry) == 2 else entry[1:] for entry in self.diary if entry[0] == name]


async def turn() -> None:
    """One turn of the loop."""
    loop = asyncio.get_running_loop()
    turned = loop.create_future()
    loop.call_soon(turned.set_result, None)
    await turned


async def said(ref: pykka.ActorRef[Any], message: object) -> Any:
    """What an actor answers."""
    async with asyncio.timeout(PATIENCE):
        return await ref.ask(message, block=False)


@pytest.fixture
def house() -> Iterator[House]:
    yield House()
    left = ActorRegistry.get_all()
    for ref in left:
        ActorRegistry.unregister(ref)

    assert left == []


# ── policy ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("restart", "error", "back"),
    [
        (Restart.PERMANENT, Boom(), True),
        (Restart.PERMANENT, None, True),
        (Restart.TRANSIENT, Boom(), True),
        (Restart.TRANSIENT, None, False),
        (Restart.TEMPORARY, Boom(), False),
        (Restart.TEMPORARY, None, False),
    ],
)
async def test_the_restart_word_says_who_comes_back(
    restart: Restart, error: Exception | None, back: bool, house: House
) -> None:
    house.open(house.worker("somebody", restart))
    ref = await house.find("somebody")
    if error is not None:
        await house.crash(ref)
    else:
        ref.tell(Leave())
        await house.until(lambda: "stopped" in house.of("somebody"))
    found = await said(house.ref, Find("somebody"))

    assert comes_back(restart, error) is back
    assert house.of("somebody").count("started") == 1 + back
    assert (found is not None) is back
    await house.close()


def test_a_plan_is_a_value() -> None:
    def plan(name: str) -> Plan:
        return Plan(Budget(1, 2.0), (Child(name, Worker, {"friend": Sibling("a")}),), True, (Sibling("b"),))

    assert plan("x") == plan("x")
    assert plan("x") != plan("y")
    assert "Sibling(name='a')" in repr(plan("x"))


# ── starting ─────────────────────────────────────────────────────────────────────────────────────


async def test_children_are_started_in_the_order_of_the_plan_and_stopped_in_reverse_then_farewell(
    house: House,
) -> None:
    house.open(*(house.worker(name) for name in "abc"))
    await house.close()

    assert house.diary == [(name, "started") for name in "abc"] + [(name, "stopped") for name in "cba"]
    assert house.farewells == ["farewell"]


async def test_a_sibling_in_a_childs_arguments_is_the_ref_of_one_started_before_it(house: House) -> None:
    house.open(house.worker("first"), house.worker("second", friend=Sibling("first")))
    first, second = await house.find("first"), await house.find("second")

    assert (await said(second, "what were you given?"))["friend"] is first
    await house.crash(second)
    assert (await said(second, "what were you given?"))["friend"] is first
    await house.close()


async def test_a_child_comes_back_with_its_siblings_ref_also_when_that_sibling_has_ended(house: House) -> None:
    house.open(house.worker("first"), house.worker("second", friend=Sibling("first")))
    first, second = await house.find("first"), await house.find("second")
    house.ref.tell(StopChild("first"))
    await house.until(lambda: not first.is_alive())
    await house.crash(second)

    assert (await said(second, "what were you given?"))["friend"] is first
    assert house.gave_up == []
    await house.close()


async def test_a_sibling_is_resolved_inside_a_nested_plans_mourners_too(house: House) -> None:
    callers = house.supervisor("callers", each=True, mourners=(Sibling("limiter"),))
    house.open(house.worker("limiter"), callers)
    caller = await house.start(house.caller("anna"), under=await house.find("callers"))
    caller.tell(Leave())
    await house.until(lambda: Gone("anna") in house.of("limiter"))

    assert house.of("limiter") == ["started", Gone("anna")]
    await house.close()


async def test_who_starts_a_child_is_answered_and_so_is_who_is_named_for_it(house: House) -> None:
    house.open()
    friend = FakeMail()
    ready = await said(house.ref, StartChild(house.worker("new"), reply_to=friend))

    assert ready == Ready("new", await house.find("new"))
    assert friend.heard == [ready]
    assert await said(ready.ref, "hello") == 1
    await house.close()


@pytest.mark.parametrize("part", [Where.INIT, Where.START])
async def test_a_child_that_fails_to_start_is_tried_again_and_its_mail_waits(part: Where, house: House) -> None:
    house.open()
    ref = await house.start(house.worker("late", fails={part: 2}))
    births = await said(ref, "hello")

    assert births == 3
    assert [(crash.where, crash.kind, crash.comes_back) for crash in house.reports] == [(part, part, True)] * 2
    assert house.of("late") == ["started", "hello"]
    await house.close()


@pytest.mark.parametrize("part", [Where.INIT, Where.START])
async def test_a_child_that_never_starts_is_given_up_within_its_budget(part: Where, house: House) -> None:
    house.open(each=True, budget=Budget(5, 60.0))
    ref = await house.start(house.caller("stillborn", fails={part: 99}))
    with pytest.raises(pykka.ActorDeadError):
        await said(ref, "hello")

    assert len(house.reports) == 6
    assert house.of("stillborn") == [("let go", "event 6", None)]
    await house.close()


async def test_the_directory_finds_by_name_counts_groups_and_tells_the_first_of_each(house: House) -> None:
    house.open(each=True)
    for name in ("anna", "anna/link", "bert", "bert/link"):
        await house.start(house.caller(name))
    house.ref.tell(ToAll("drain"))
    found = await house.find("anna/link")

    assert await said(found, "it is you") == 1
    assert await said(house.ref, Find("nobody")) is None
    assert await said(house.ref, Count()) == 2
    assert [name for name, *what in house.diary if what == ["drain"]] == ["anna", "bert"]
    await house.close()


async def test_stopping_a_child_ends_it_in_order_and_for_good(house: House) -> None:
    house.open(house.worker("a", Restart.PERMANENT), house.worker("b", Restart.PERMANENT))
    ref = await house.find("a")
    ref.tell("first this")
    house.ref.tell(StopChild("a"))
    house.ref.tell(StopChild("a"))
    house.ref.tell(StopChild("nobody"))
    await house.until(lambda: not ref.is_alive())

    assert await said(house.ref, Find("a")) is None
    assert house.of("a") == ["started", "first this", "stopped"]
    assert house.of("b") == ["started"]
    await house.close()


async def test_a_child_that_crashes_on_its_way_out_is_not_started_again(house: House) -> None:
    house.open(house.worker("a", Restart.PERMANENT))
    ref = await house.find("a")
    house.ref.tell(StopChild("a"))
    ref.tell(Explode())  # comes before the stop that the supervisor sends
    await house.until(lambda: not ref.is_alive())

    assert house.of("a") == ["started", ("let go", "event 1", None)]
    assert not house.reports[0].comes_back
    assert house.gave_up == []
    await house.close()


async def test_a_child_is_asked_to_end_once(house: House) -> None:
    house.open(Child("archive", ThreadWorker, {"name": "archive", "diary": house.diary}))
    ref = await house.find("archive")
    disk = Disk()
    ref.tell(disk)
    await asyncio.to_thread(disk.entered.wait, PATIENCE)
    for _ in range(3):
        house.ref.tell(StopChild("archive"))
    house.ref.tell(Dismiss())
    await said(house.ref, Count())
    waiting = [ref.actor_inbox.get().message for _ in range(ref.actor_inbox.qsize())]
    disk.done.set()
    ref.tell(_ActorStop())
    await house.until(lambda: bool(house.farewells))

    assert waiting == [_ActorStop()]


async def test_a_name_can_be_given_again_while_the_one_who_had_it_is_still_ending(house: House) -> None:
    house.open()
    old = await house.start(house.worker("anna"))
    old.tell("last mail")
    house.ref.tell(StopChild("anna"))
    new = await house.start(house.worker("anna"))
    await house.until(lambda: not old.is_alive())
    await house.crash(new)

    assert await house.find("anna") is new
    assert await said(new, "still here") == 2
    assert Counter(house.of("anna")) == Counter(["started"] * 3 + ["last mail", "stopped", "still here"])
    house.ref.tell(StopChild("anna"))
    await house.until(lambda: not new.is_alive())
    assert await said(house.ref, Find("anna")) is None
    await house.close()


async def test_a_start_that_cannot_be_is_the_supervisors_own_crash_and_leaves_nothing_on_the_roster(
    house: House,
) -> None:
    house.open(house.supervisor("inner"))
    inner = await house.find("inner")
    with pytest.raises(KeyError):
        await said(inner, StartChild(house.worker("lonely", friend=Sibling("nobody"))))
    found = await said(inner, Find("lonely"))

    assert found is None
    assert [crash.name for crash in house.reports] == ["inner"]
    await house.close()


class Flaky(dict[str, Any]):
    """Arguments that cannot be read the first time."""

    tries = 0

    def items(self) -> Any:
        self.tries += 1
        if self.tries == 1:
            raise Boom("not yet")
        return super().items()


async def test_a_supervisor_that_fails_while_it_starts_its_children_starts_the_rest_when_reborn(house: House) -> None:
    flaky = Child("b", Worker, Flaky(name="b", diary=house.diary))
    house.open(house.supervisor("inner", house.worker("a"), flaky, house.worker("c")))
    await house.until(lambda: "started" in house.of("c"))

    assert house.diary == [(name, "started") for name in "abc"]
    await house.close()


async def test_supervisors_stand_in_the_registry_and_callers_do_not(house: House) -> None:
    house.open(house.supervisor("callers", each=True))
    callers = await house.find("callers")
    await house.start(house.caller("anna"), under=callers)

    assert ActorRegistry.get_all() == [house.ref, callers]
    await house.close()
    assert ActorRegistry.get_all() == []


# ── crashes ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_crashed_child_comes_back_into_the_same_mailbox_and_ref(house: House) -> None:
    house.open(house.worker("somebody"))
    ref = await house.find("somebody")
    for message in (1, Explode(), 2, Explode(), 3):
        ref.tell(message)
    births = await said(ref, 4)

    assert house.of("somebody") == ["started", 1, "started", 2, "started", 3, 4]
    assert births == 3
    assert await house.find("somebody") is ref
    await house.close()


async def test_a_child_with_a_thread_comes_back_too(house: House) -> None:
    house.open(Child("archive", ThreadWorker, {"name": "archive", "diary": house.diary}))
    ref = await house.find("archive")
    for message in (1, Explode(), 2):
        ref.tell(message)
    births = await said(ref, 3)
    await house.close()

    assert births == 2
    assert house.of("archive") == [1, 2, 3, "stopped"]


async def test_every_crash_is_reported_with_kinds_and_names(house: House) -> None:
    house.open(house.worker("somebody"))
    ref = await house.find("somebody")
    ref.tell(Keep("so far"))
    await house.crash(ref, times=2)
    crash = house.reports[1]

    assert (crash.actor, crash.name, crash.where, crash.kind) == ("Worker", "somebody", Where.MESSAGE, "Explode")
    assert (crash.restarts, crash.kinds, crash.checkpoint) == (1, ("Keep", "Explode", "Explode"), "so far")
    assert isinstance(crash.error, Boom)
    assert crash.comes_back
    await house.close()


@pytest.mark.parametrize(("restart", "back"), [(Restart.PERMANENT, True), (Restart.TRANSIENT, False)])
async def test_a_failing_end_is_reported_and_is_an_end(restart: Restart, back: bool, house: House) -> None:
    house.open(house.worker("somebody", restart, fails={Where.STOP: 1}), house.worker("other"))
    ref = await house.find("somebody")
    ref.tell(Leave())
    await house.until(lambda: not ref.is_alive())
    found = await said(house.ref, Find("somebody"))

    assert [(crash.where, crash.comes_back) for crash in house.reports] == [(Where.STOP, back)]
    assert (found is not None) is back
    assert house.of("other") == ["started"]
    await house.close()


async def test_a_crash_under_ask_goes_to_the_asker_and_is_reported_and_survived(house: House) -> None:
    house.open(house.worker("somebody"))
    ref = await house.find("somebody")
    with pytest.raises(Boom):
        await said(ref, Explode())

    assert await said(ref, "again") == 2
    assert len(house.reports) == 1
    await house.close()


async def test_a_temporary_child_does_not_come_back_and_its_group_goes_on(house: House) -> None:
    house.open(each=True)
    caller = await house.start(house.caller("anna"))
    tool = await house.start(house.caller("anna/tool", Restart.TEMPORARY))
    asked_too_late = said(tool, "behind the crash")
    await house.crash(tool)
    with pytest.raises(pykka.ActorDeadError):
        await asked_too_late

    assert house.of("anna/tool") == ["started", ("let go", "event 1", None)]
    assert await said(caller, "still here") == 1
    assert not house.reports[0].comes_back
    assert await said(house.ref, Count()) == 1
    await house.close()


# ── budgets ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("moments", "survived"),
    [
        ([0.0, 0.0, 0.0], True),
        ([0.0, 0.0, 0.0, 0.0], False),
        ([0.0, 20.0, 40.0, 59.9], False),
        ([0.0, 20.0, 40.0, 60.0], True),  # the first is a minute old
        ([0.0, 20.0, 40.0, 60.0, 79.9], False),
        ([0.0, 0.0, 0.0, 60.0, 60.0, 60.0], True),
        ([0.0, 0.0, 0.0, 60.0, 60.0, 60.0, 60.0], False),
    ],
)
async def test_so_many_crashes_in_so_many_seconds_are_survived(
    moments: list[float], survived: bool, house: House
) -> None:
    house.open(each=True, budget=Budget(crashes=3, seconds=60.0))
    ref = await house.start(house.caller("anna"))
    opened = house.clock.now
    for moment in moments:
        house.clock.now = opened + moment
        await house.crash(ref)

    assert ref.is_alive() is survived
    assert [crash.comes_back for crash in house.reports] == [True] * (len(moments) - 1) + [survived]
    await house.close()


async def test_each_caller_has_a_budget_and_all_of_its_actors_share_it(house: House) -> None:
    house.open(each=True, budget=Budget(2, 60.0))
    anna, link = await house.start(house.caller("anna")), await house.start(house.caller("anna/link"))
    bert = await house.start(house.caller("bert"))
    await house.crash(bert, times=2)
    await house.crash(anna)
    await house.crash(link)
    alive = [ref.is_alive() for ref in (anna, link, bert)]
    await house.crash(link)
    await house.until(lambda: not anna.is_alive())

    assert alive == [True, True, True]
    assert [ref.is_alive() for ref in (anna, link, bert)] == [False, False, True]
    await house.close()


async def test_a_caller_that_comes_again_has_a_new_budget(house: House) -> None:
    house.open(each=True, budget=Budget(1, 60.0))
    for _ in range(2):
        anna = await house.start(house.caller("anna"))
        await house.crash(anna)
        assert anna.is_alive()
        anna.tell(Leave())
        await house.until(lambda anna=anna: not anna.is_alive())
    await house.close()


async def test_house_actors_share_one_budget(house: House) -> None:
    house.open(house.worker("a", group="x"), house.worker("b", group="y"), budget=Budget(2, 10.0))
    a, b = await house.find("a"), await house.find("b")
    await house.crash(a)
    await house.crash(b)
    before = list(house.gave_up)
    await house.crash(a)

    assert before == []
    assert len(house.gave_up) == 1
    await house.close()


async def test_a_caller_beyond_its_budget_is_let_go_and_nobody_else_notices(house: House) -> None:
    mourner = FakeMail()
    house.open(each=True, budget=Budget(1, 60.0), mourners=(mourner,))
    refs = {name: await house.start(house.caller(name)) for name in ("anna", "anna/link", "bert", "bert/link")}
    refs["anna"].tell(Keep("so far"))
    await house.crash(refs["anna"])
    asked_too_late = said(refs["anna"], "behind the crash")
    await house.crash(refs["anna"])
    with pytest.raises(pykka.ActorDeadError):
        await asked_too_late
    await house.until(lambda: bool(mourner.heard))

    assert house.of("anna") == ["started", "started", ("let go", "event 2", "so far")]
    assert house.of("anna/link") == ["started", ("let go", "event 2", None), "stopped"]
    assert house.of("bert") == house.of("bert/link") == ["started"]
    assert mourner.heard == [Gone("anna")]
    assert await said(house.ref, Count()) == 1
    assert [await said(house.ref, Find(name)) for name in ("anna", "anna/link")] == [None, None]
    assert house.gave_up == []
    await house.close()


async def test_whoever_waits_for_room_at_a_caller_that_is_let_go_waits_no_longer(house: House) -> None:
    """Otherwise the socket's reader would stand there for ever, and its place in the house be taken."""
    house.open(each=True, budget=Budget(0, 60.0))
    anna = await house.start(house.caller("anna"))
    anna.tell(Explode())
    for number in range(Worker.mark):
        anna.tell(number)
    inbox = anna.actor_inbox
    assert isinstance(inbox, Mailbox)
    reading_socket = asyncio.create_task(inbox.room())

    await asyncio.wait_for(reading_socket, PATIENCE)
    assert house.of("anna") == ["started", ("let go", "event 1", None)]
    await house.close()


async def test_a_message_kind_that_is_not_survived_lets_the_caller_go_at_its_first_crash(house: House) -> None:
    house.open(each=True)
    anna, link = await house.start(house.caller("anna")), await house.start(house.caller("anna/link"))
    await house.crash(anna, Hangup())
    await house.until(lambda: not link.is_alive())

    assert house.of("anna") == ["started", ("let go", "event 1", None)]
    assert house.of("anna/link") == ["started", ("let go", "event 1", None), "stopped"]
    assert not house.reports[0].comes_back
    await house.close()


async def test_last_words_are_said_once_also_when_two_of_a_caller_are_down(house: House) -> None:
    house.open(each=True, budget=Budget(0, 60.0))
    anna, link = await house.start(house.caller("anna")), await house.start(house.caller("anna/link"))
    anna.tell(Explode())
    link.tell(Explode())
    await house.until(lambda: len(house.reports) == 2)
    gone = await said(house.ref, Count())

    assert gone == 0
    assert house.of("anna") == ["started", ("let go", "event 1", None)]
    assert house.of("anna/link") == ["started", ("let go", "event 1", None)]
    await house.close()


async def test_a_house_actor_beyond_its_budget_makes_the_root_give_up_once(house: House) -> None:
    house.open(house.worker("a"), house.worker("b"), budget=Budget(2, 10.0))
    ref = await house.find("a")
    for _ in range(5):
        ref.tell(Explode())
    asked_too_late = said(ref, "behind the crash")
    with pytest.raises(pykka.ActorDeadError):
        await asked_too_late

    [error] = house.gave_up
    assert isinstance(error, GaveUpError)
    assert str(error) == "a crashed more than 2 times"
    assert isinstance(error.__cause__, Boom)
    assert house.of("a") == ["started"] * 3 + [("let go", "event 3", None)]
    assert house.of("b") == ["started"]
    await house.close()
    assert house.of("b") == ["started", "stopped"]


async def test_an_inner_supervisor_beyond_its_budget_raises_and_tries_again_on_its_guards(house: House) -> None:
    house.open(house.supervisor("inner", house.worker("a"), house.worker("b"), budget=Budget(1, 10.0)))
    a = await house.find("a", under=await house.find("inner"))
    a.tell(Explode())
    a.tell(Explode())
    births = await said(a, "still the same address")

    assert births == 3
    assert [(crash.name, crash.comes_back) for crash in house.reports] == [("a", True), ("a", False), ("inner", True)]
    assert isinstance(house.reports[2].error, GaveUpError)
    assert house.of("b") == ["started"]
    assert house.gave_up == []
    await house.close()


async def test_a_child_that_is_past_help_ends_inner_supervisor_and_root(house: House) -> None:
    inner = house.supervisor("inner", house.worker("a"), house.worker("b"), budget=Budget(1, 10.0))
    house.open(inner, budget=Budget(2, 10.0))
    inner_ref = await house.find("inner")
    a = await house.find("a", under=inner_ref)
    for _ in range(20):
        a.tell(Explode())
    await house.until(lambda: bool(house.gave_up))
    await house.until(lambda: not a.is_alive())

    assert len(house.gave_up) == 1
    assert Counter(crash.name for crash in house.reports) == {"a": 6, "inner": 3}
    assert not inner_ref.is_alive()
    await house.close()
    assert house.of("b")[-2:] == [("let go", "event 9", None), "stopped"]


async def test_a_root_that_fails_itself_gives_up(house: House, caplog: pytest.LogCaptureFixture) -> None:
    house.open(house.worker("a"))
    a = await house.find("a")
    house.poison = LookupError
    a.tell(Explode())
    await house.until(lambda: bool(house.gave_up))

    [error] = house.gave_up
    assert isinstance(error, LookupError)
    assert not house.ref.is_alive()
    assert "root failed in on_receive" in caplog.text


async def test_a_root_that_cannot_start_its_children_gives_up(house: House) -> None:
    house.open(house.worker("a", friend=Sibling("nobody")))

    assert [type(error) for error in house.gave_up] == [KeyError]
    assert not house.ref.is_alive()


# ── a supervisor that is itself reborn ───────────────────────────────────────────────────────────


async def callers_of(house: House, **plan: Any) -> Address:
    house.open(house.supervisor("callers", each=True, **plan))
    return await house.find("callers")


async def crash_itself(house: House, supervisor: Address) -> None:
    """A bug of the supervisor's own that has nothing to do with its children."""
    await house.crash(supervisor, StartChild(house.worker("nobody", friend=Sibling("nobody"))))


async def test_a_reborn_supervisor_keeps_its_childrens_refs_and_they_notice_nothing(house: House) -> None:
    callers = await callers_of(house)
    refs = {name: await house.start(house.caller(name), under=callers) for name in ("anna", "anna/link", "bert")}
    await crash_itself(house, callers)

    assert {name: await house.find(name, under=callers) for name in refs} == refs
    assert [await said(ref, "hello") for ref in refs.values()] == [1, 1, 1]
    assert await said(callers, Count()) == 2
    assert await house.find("callers") is callers
    await house.close()


async def test_a_reborn_supervisor_still_looks_after_its_children(house: House) -> None:
    mourner = FakeMail()
    callers = await callers_of(house, mourners=(mourner,), budget=Budget(1, 60.0))
    anna = await house.start(house.caller("anna"), under=callers)
    await house.crash(anna)
    await crash_itself(house, callers)
    await house.crash(anna)  # the budget outlives the supervisor too
    await house.until(lambda: bool(mourner.heard))

    assert mourner.heard == [Gone("anna")]
    assert house.of("anna")[-1] == ("let go", "event 3", None)
    await house.close()


async def test_a_reborn_supervisor_does_not_start_the_plan_again(house: House) -> None:
    house.open(house.supervisor("inner", house.worker("a"), house.worker("b", Restart.TRANSIENT)))
    inner = await house.find("inner")
    (await house.find("b", under=inner)).tell(Leave())
    await house.until(lambda: "stopped" in house.of("b"))
    await crash_itself(house, inner)
    await said(inner, Count())

    assert house.diary == [("a", "started"), ("b", "started"), ("b", "stopped")]
    await house.close()


async def test_a_child_whose_crash_was_the_poison_is_revived_by_the_reborn_supervisor(house: House) -> None:
    callers = await callers_of(house)
    anna = await house.start(house.caller("anna"), under=callers)
    house.poison = LookupError
    anna.tell(Explode())
    anna.tell("behind the crash")
    births = await said(anna, "and after")

    assert births == 2
    assert house.of("anna") == ["started", "started", "behind the crash", "and after"]
    assert [crash.name for crash in house.reports] == ["anna", "callers"]
    await house.close()


async def test_a_crash_told_behind_the_supervisors_own_is_no_second_birth(house: House) -> None:
    callers = await callers_of(house)
    anna, bert = [await house.start(house.caller(name), under=callers) for name in ("anna", "bert")]
    house.poison = LookupError
    anna.tell(Explode())
    bert.tell(Explode())  # down too, and its Crashed waits in the mailbox of a supervisor that is down
    births = [await said(ref, "hello") for ref in (anna, bert)]
    await house.until(lambda: len(house.reports) == 3)
    await said(callers, Count())

    assert births == [2, 2]
    assert house.of("anna") == house.of("bert") == ["started", "started", "hello"]
    assert sorted(crash.name for crash in house.reports) == ["anna", "bert", "callers"]
    await house.close()


async def test_a_supervisor_that_is_given_up_lets_its_children_go(house: House) -> None:
    callers = await callers_of(house)
    anna = await house.start(house.caller("anna"), under=callers)
    bert = await house.start(house.caller("bert"), under=callers)
    house.poison = LookupError
    bert.tell(Explode())  # down, and nobody will hear of it
    root = house.ref._actor_weakref()
    root._plan = Plan(Budget(0, 60.0))
    await house.until(lambda: bool(house.gave_up))
    await house.until(lambda: not (anna.is_alive() or bert.is_alive()))

    assert house.of("anna") == ["started", ("let go", "event 2", None), "stopped"]
    assert house.of("bert") == ["started", ("let go", "event 2", None)]
    with pytest.raises(pykka.ActorDeadError):
        await said(callers, Count())
    await house.close()


def test_a_supervisor_that_never_lived_has_nobody_to_let_go() -> None:
    SupervisorActor.let_go({}, None, "event")


# ── endings ──────────────────────────────────────────────────────────────────────────────────────


async def test_a_group_ends_with_its_first_and_its_mourners_are_told_when_all_of_it_has(house: House) -> None:
    mourner = FakeMail()
    house.open(each=True, mourners=(mourner,))
    anna = await house.start(house.caller("anna"))
    link = await house.start(house.caller("anna/link"))
    bert = await house.start(house.caller("bert"))
    told_while_link_lived: list[Any] = []
    link.tell("last mail")
    anna.tell(Leave())
    while link.is_alive():
        told_while_link_lived += mourner.heard
        await turn()
    await house.until(lambda: bool(mourner.heard))

    assert told_while_link_lived == []
    assert mourner.heard == [Gone("anna")]
    assert house.of("anna/link") == ["started", "last mail", "stopped"]
    assert bert.is_alive()
    await house.close()


async def test_a_group_outlives_those_that_are_not_its_first(house: House) -> None:
    mourner = FakeMail()
    house.open(each=True, mourners=(mourner,))
    anna = await house.start(house.caller("anna"))
    for _ in range(3):  # a call, then another on the same socket
        link = await house.start(house.caller("anna/link"))
        link.tell(Leave())
        await house.until(lambda link=link: not link.is_alive())
        await said(house.ref, Count())

    assert anna.is_alive()
    assert mourner.heard == []
    await house.close()


async def test_callers_are_dismissed_all_at_once_last_started_first(house: House) -> None:
    callers = await callers_of(house)
    for name in ("anna", "bert", "carl"):
        await house.start(house.caller(name), under=callers)
    await house.close()

    assert house.diary[3:] == [(name, "stopped") for name in ("carl", "bert", "anna")]
    assert not callers.is_alive()


async def test_the_children_of_a_supervisor_end_before_it_and_before_its_elder_siblings(house: House) -> None:
    house.open(house.worker("limiter"), house.supervisor("inner", house.worker("a"), house.worker("b")))
    await house.close()

    assert [name for name, what in house.diary if what == "stopped"] == ["b", "a", "limiter"]


async def test_stopping_a_supervisor_stops_its_children_first(house: House) -> None:
    house.open(house.supervisor("inner", house.worker("a"), house.worker("b")))
    inner = await house.find("inner")
    house.ref.tell(StopChild("inner"))
    await house.until(lambda: not inner.is_alive())

    assert [name for name, what in house.diary if what == "stopped"] == ["b", "a"]
    await house.close()


async def test_an_empty_house_is_dismissed_at_once_and_farewell_is_said_once(house: House) -> None:
    house.open()
    for _ in range(3):
        house.ref.tell(Dismiss())
    await house.close()

    assert house.farewells == ["farewell"]
    assert not house.ref.is_alive()


async def test_farewell_is_said_once_when_a_full_house_is_dismissed_twice(house: House) -> None:
    house.open(house.worker("a"), house.worker("b"))
    house.ref.tell(Dismiss())
    house.ref.tell(Dismiss())
    await house.close()

    assert house.farewells == ["farewell"]
    assert [entry for entry in house.diary if entry[1] == "stopped"] == [("b", "stopped"), ("a", "stopped")]


@pytest.mark.parametrize("each", [False, True])
@pytest.mark.parametrize("how", ["in its last mail", "in on_stop", "before its turn"])
async def test_a_crash_during_dismissal_does_not_hang_it(how: str, each: bool, house: House) -> None:
    fails = {Where.STOP: 1} if how == "in on_stop" else {}
    names = ("a", "b", "c")
    children = [house.caller(name, Restart.PERMANENT, fails=fails if name == "b" else {}) for name in names]
    house.open(*children, each=each)
    refs = {name: await house.find(name) for name in names}
    if how == "in its last mail":
        refs["c"].tell(Explode())
    elif how == "before its turn":
        refs["a"].tell(Explode())
    await house.close()

    assert not any(ref.is_alive() for ref in refs.values())
    assert house.gave_up == []
    assert len(house.reports) == (how != "in its last mail" or 1)
    assert house.farewells == ["farewell"]


async def test_a_crash_heard_after_the_dismissal_is_an_end(house: House) -> None:
    house.open(house.worker("a", Restart.PERMANENT), house.worker("b", Restart.PERMANENT))
    a, b = await house.find("a"), await house.find("b")
    house.ref.tell(Dismiss())
    a.tell(Explode())
    b.tell(Explode())
    await house.until(lambda: bool(house.farewells))

    assert [crash.comes_back for crash in house.reports] == [False, False]
    assert house.gave_up == []
    assert [house.of(name)[0:1] + [entry[0] for entry in house.of(name)[1:]] for name in "ab"] == [
        ["started", "let go"],
        ["started", "let go"],
    ]


async def test_an_inner_supervisor_that_fails_while_it_is_dismissed_does_not_hang_the_house(house: House) -> None:
    callers = await callers_of(house)
    anna = await house.start(house.caller("anna"), under=callers)
    bert = await house.start(house.caller("bert", fails={Where.STOP: 1}), under=callers)
    house.poison = LookupError  # the news of how bert ended is too much for the callers' supervisor
    await house.close()
    await house.until(lambda: not anna.is_alive())

    assert [ref.is_alive() for ref in (bert, callers)] == [False, False]
    assert [crash.name for crash in house.reports] == ["bert", "callers"]


async def test_who_is_started_during_the_dismissal_ends_with_the_others(house: House) -> None:
    callers = await callers_of(house)
    anna = await house.start(house.caller("anna"), under=callers)
    callers.tell(Dismiss())
    late = await house.start(house.caller("late"), under=callers)
    await house.until(lambda: not callers.is_alive())

    assert not anna.is_alive()
    assert not late.is_alive()
    assert house.of("late") == ["started", "stopped"]
    await house.close()


async def test_who_is_started_after_the_last_has_gone_ends_too(house: House) -> None:
    callers = await callers_of(house)
    callers.tell(Dismiss())
    late = await house.start(house.caller("late"), under=callers)
    await house.until(lambda: not callers.is_alive())
    await house.until(lambda: not late.is_alive())

    assert house.of("late") == ["started", "stopped"]
    await house.close()


async def test_news_of_somebody_who_has_been_let_go_is_no_news(house: House) -> None:
    house.open()
    stranger = Life(Worker, name="stranger")
    house.ref.tell(Crashed(stranger, Where.MESSAGE, "Explode", False, Boom()))
    await said(house.ref, Count())

    assert house.reports == []
    await house.close()


# ── in the long run ──────────────────────────────────────────────────────────────────────────────


def roster(ref: Address) -> Roster:
    kept = ref._actor_weakref().checkpoint
    assert isinstance(kept, Roster)
    return kept


async def test_nothing_is_left_of_ten_thousand_callers(house: House) -> None:
    mourner = FakeMail()
    house.open(each=True, mourners=(mourner,), budget=Budget(1, 60.0))
    gc.collect()
    before = Counter(type(thing) for thing in gc.get_objects())
    for batch in range(100):
        for number in range(100):
            name = f"{batch}.{number}"
            house.ref.tell(StartChild(house.caller(name)))
            house.ref.tell(StartChild(house.caller(f"{name}/link")))
        await said(house.ref, Count())
        for number in range(100):
            first = roster(house.ref).names[f"{batch}.{number}"].life.ref
            first.tell((Leave(), Hangup(), Explode())[number % 3])
            first.tell(Leave())
        await house.until(lambda batch=batch: len(mourner.heard) == 100 * (batch + 1))
        house.diary.clear()
        house.reports.clear()
    gc.collect()
    after = Counter(type(thing) for thing in gc.get_objects())
    kept = roster(house.ref)

    assert [len(of) for of in (kept.kept, kept.names, kept.groups, kept.crashes)] == [0, 0, 0, 0]
    assert len(ActorRegistry.get_all()) == 1
    for kind in (Life, Mailbox, Worker, Address, Child):
        assert after[kind] <= before[kind] + 1
    await house.close()


async def calls_made(work: Callable[[], Any], done: Callable[[], bool], house: House) -> int:
    """Calls of functions, Python's and C's, until something is done."""
    counted = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        work()
        await house.until(done)
    finally:
        sys.setprofile(None)
    return counted


async def work_of_one_call(house: House, name: str) -> int:
    def told() -> None:
        house.ref.tell(StartChild(house.caller(name)))
        house.ref.tell(StartChild(house.caller(f"{name}/link")))
        house.ref.tell(StopChild(name))

    return await calls_made(told, lambda: house.of(f"{name}/link")[-1:] == ["stopped"], house)


async def test_starting_and_stopping_a_call_costs_the_same_however_many_there_are(house: House) -> None:
    house.open(each=True)
    alone = await work_of_one_call(house, "alone")
    for number in range(500):
        await house.start(house.caller(str(number)))
    house.diary.clear()
    in_company = await work_of_one_call(house, "in company")

    assert in_company < 1.2 * alone
    await house.close()


async def test_dismissing_callers_costs_the_same_for_each_however_many_there_are() -> None:
    costs: list[float] = []
    for callers in (50, 500):
        house = House().open(each=True)
        for number in range(callers):
            await house.start(house.caller(str(number)))
        farewells = house.farewells
        dismissal = await calls_made(lambda house=house: house.ref.tell(Dismiss()), lambda f=farewells: bool(f), house)
        costs.append(dismissal / callers)

    assert costs[1] < 1.2 * costs[0]


EVENTS = st.lists(
    st.tuples(st.sampled_from(["anna", "bert", "carl"]), st.sampled_from(["mail", "mail", "poison", "turn", "ours"])),
    max_size=60,
)


@settings(deadline=None, max_examples=60)
@given(events=EVENTS)
async def test_random_crashes_of_callers_and_of_their_supervisor_never_lose_or_reorder_mail(
    events: list[tuple[str, str]],
) -> None:
    house = House()
    callers = await callers_of(house)
    refs = {name: await house.start(house.caller(name), under=callers) for name in ("anna", "bert", "carl")}
    sent: dict[str, list[int]] = {name: [] for name in refs}
    for number, (name, event) in enumerate(events):
        match event:
            case "mail":
                refs[name].tell(number)
                sent[name].append(number)
            case "poison":
                refs[name].tell(Explode())
            case "turn":
                await turn()
            case "ours":
                house.poison = LookupError  # the next crash that is heard is one of the supervisor's too
    births = {name: await said(ref, "done") for name, ref in refs.items()}
    poisons = Counter(name for name, event in events if event == "poison")
    house.poison = None
    await house.until(lambda: sum(crash.name in refs for crash in house.reports) >= sum(poisons.values()))
    await said(callers, Count())

    for name, ref in refs.items():
        assert [entry for entry in house.of(name) if entry != "started"] == [*sent[name], "done"]
        assert births[name] == 1 + poisons[name]
        assert await said(ref, "alive") == 1 + poisons[name]
    await house.close()


async def test_a_stop_in_pykkas_own_way_ends_a_supervisor_without_its_children(house: House) -> None:
    """Hence nothing here stops one so: it is told `Dismiss`."""
    house.open(house.worker("a"))
    a = await house.find("a")
    house.ref.tell(_ActorStop())
    await house.until(lambda: bool(house.farewells))

    assert a.is_alive()
