"""An actor lives on the loop, its failures are heard, and it comes back into the same mailbox and ref."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import pykka
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pykka import ActorRegistry
from pykka.messages import _ActorStop

from actors.future import WouldBlockError
from actors.mailbox import BATCH, Mailbox
from actors.runtime import (
    RECENT,
    Address,
    Crashed,
    Life,
    LoopActor,
    Stopped,
    ThreadActor,
    Timer,
    Where,
    _Mortal,
    born,
    last_words,
)

ON_BOTH_LOOPS = True
PATIENCE = 10.0
"""Seconds that a test waits for a thread before it gives up; nothing here takes them."""
NEVER = 3_600.0

T = TypeVar("T")


class Boom(Exception):
    """What goes wrong."""


@dataclass(frozen=True)
class Explode:
    """Poison."""


@dataclass(frozen=True)
class Hangup:
    """Poison of a sort that is not survived."""


@dataclass(frozen=True)
class Later:
    """Tell yourself something later."""

    seconds: float
    message: object


class Guard:
    """Stands for a supervisor: remembers what it is told, decides nothing, can be waited for."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()

    def tell(self, message: Any) -> None:
        self.heard.append(message)
        self._loop.call_soon_threadsafe(self._news.set)

    async def until(self, kind: type[T], count: int = 1) -> T:
        """The `count`-th message of this kind, once it is there."""
        async with asyncio.timeout(PATIENCE):
            while len(found := [message for message in self.heard if isinstance(message, kind)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]


class Diarist(LoopActor):
    """Writes down what it is told, after the number of the birth that it is."""

    fatal = (Hangup,)

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__()
        self.diary = diary

    def on_receive(self, message: object) -> Any:
        match message:
            case Explode() | Hangup():
                raise Boom("poison")
            case Later(seconds, later):
                return self.tell_later(seconds, later)
        self.diary.append(message)
        return (self.life.births, message)


class ThreadDiarist(ThreadActor):
    """The same on a thread."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__()
        self.diary = diary
        self.diary.append(("built", threading.get_ident()))

    def on_start(self) -> None:
        self.diary.append(("started", threading.get_ident()))

    def on_receive(self, message: object) -> Any:
        if isinstance(message, Explode):
            raise Boom("poison")
        if isinstance(message, threading.Event):
            message.wait(PATIENCE)
        self.diary.append(message)
        return threading.get_ident()


class Cell:
    """One life, its guard, and what its instances wrote down."""

    def __init__(self, actor: type[_Mortal] = Diarist, **arguments: Any) -> None:
        self.diary: list[Any] = []
        self.guard = Guard()
        self.life = Life(actor, name="somebody", guard=self.guard)
        self.ref = self.life.ref
        self._actor, self._arguments = actor, {"diary": self.diary, **arguments}

    def bear(self) -> Cell:
        born(self._actor, self.life, self._arguments)
        return self

    async def crash(self) -> None:
        """Let the instance of now end with an error."""
        before = len(self.crashes)
        self.ref.tell(Explode())
        await self.guard.until(Crashed, before + 1)

    async def has_written(self, count: int) -> None:
        """Wait for so many entries; each turn of the loop is asked for by a thread, whose mail comes after others'."""
        async with asyncio.timeout(PATIENCE):
            while len(self.diary) < count:
                await asyncio.to_thread(threading.get_ident)

    @property
    def crashes(self) -> list[Crashed]:
        return [message for message in self.guard.heard if isinstance(message, Crashed)]

    async def stop(self) -> None:
        await asyncio.wait_for(ended(self.ref), PATIENCE)


async def ended(ref: pykka.ActorRef[Any]) -> None:
    with pytest.raises(pykka.ActorDeadError):
        await ref.ask(_ActorStop(), block=False)
        await ref.ask("are you there?", block=False)


async def said(reply: Any) -> Any:
    """An answer, however long it takes within reason."""
    return await asyncio.wait_for(_awaited(reply), PATIENCE)


async def _awaited(reply: Awaitable[Any]) -> Any:
    return await reply


@pytest.fixture(autouse=True)
def nobody_stays_in_the_registry() -> Iterator[None]:
    yield
    left = ActorRegistry.get_all()

    assert left == []


# ── who it is ────────────────────────────────────────────────────────────────────────────────────


class Introspective(Diarist):
    """Looks at itself before any other code of its own runs."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__(diary=diary)
        self.seen = (self.actor_ref, self.actor_urn, self.actor_inbox, self.actor_stopped)
        diary.append((self.seen, self.actor_ref._actor_weakref() is self))


async def test_identity_is_adopted_before_any_code_of_the_subclass_runs() -> None:
    cell = Cell(Introspective).bear()
    await cell.crash()
    cell.bear()

    life = cell.life
    same = (life.ref, life.urn, life.inbox, life.stopped)
    assert cell.diary == [(same, True), (same, True)]
    await cell.stop()


async def test_the_ref_points_at_the_instance_that_lives_now() -> None:
    cell = Cell().bear()
    first = cell.ref._actor_weakref()
    await cell.crash()
    cell.bear()
    second = cell.ref._actor_weakref()

    assert isinstance(second, Diarist)
    assert second is not first
    assert await said(cell.ref.proxy().actor_urn) == cell.life.urn
    await cell.stop()


class Lender(Diarist):
    """Gives its own ref away while it is being built, and sets a timer."""

    def __init__(self, *, diary: list[Any], ports: list[Callable[[object], None]]) -> None:
        super().__init__(diary=diary)
        ports.append(self.actor_ref.tell)
        self.tell_later(0.0, ("timer of birth", self.life.births))
        self.tell_later(-1.0, ("overdue timer of birth", self.life.births))


async def test_ports_and_timers_handed_out_in_the_init_of_the_reborn_reach_it() -> None:
    ports: list[Callable[[object], None]] = []
    cell = Cell(Lender, ports=ports).bear()
    await cell.crash()
    cell.bear()
    cell.diary.clear()
    reborn = cell.ref._actor_weakref()
    ports[-1]("by the port")
    while reborn.timers:
        await said(cell.ref.ask("by the ref", block=False))

    assert {"by the port", ("timer of birth", 2), ("overdue timer of birth", 2)} <= set(cell.diary)
    assert cell.ref._actor_weakref() is reborn
    await cell.stop()


async def test_a_port_handed_out_by_an_instance_that_crashed_reaches_the_reborn() -> None:
    ports: list[Callable[[object], None]] = []
    cell = Cell(Lender, ports=ports).bear()
    await cell.crash()
    cell.bear()
    ports[0]("to whom it may concern")
    await said(cell.ref.ask("a barrier", block=False))

    assert "to whom it may concern" in cell.diary
    await cell.stop()


class Forgetful(Diarist):
    """Fails before it knows who it is."""

    def __init__(self, *, diary: list[Any]) -> None:
        diary.append("born")
        raise Boom("before super")


async def test_who_fails_before_knowing_who_it_is_leaves_its_identity_to_nobody_else() -> None:
    cell = Cell(Forgetful).bear()
    other = Diarist(diary=[])

    assert (await cell.guard.until(Crashed)).where is Where.INIT
    assert other.actor_urn != cell.life.urn


class Unmindful(Diarist):
    """Never calls the constructor of those before it."""

    def __init__(self, *, diary: list[Any]) -> None:
        diary.append("born")


async def test_who_never_takes_up_its_life_is_a_crash_of_its_own_and_leaves_it_to_nobody_else() -> None:
    cell = Cell(Unmindful).bear()
    other = Diarist(diary=[])

    assert (await cell.guard.until(Crashed)).where is Where.INIT
    assert other.actor_urn != cell.life.urn


class Mother(Diarist):
    """Builds another actor while it is being built."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__(diary=diary)
        self.child = Diarist(diary=diary)
        diary.append((self.actor_urn, self.child.actor_urn))


async def test_an_actor_built_inside_another_has_a_life_of_its_own() -> None:
    cell = Cell(Mother).bear()
    [(mother, child)] = cell.diary

    assert mother == cell.life.urn
    assert child != mother
    await cell.stop()


def test_an_actor_is_an_ordinary_object_until_it_is_started() -> None:
    diary: list[Any] = []
    actor = Diarist(diary=diary)

    assert actor.on_receive("hello") == (0, "hello")
    assert diary == ["hello"]
    assert isinstance(actor.actor_ref, Address)
    actor.actor_ref.tell("waits")
    assert len(actor.actor_inbox) == 1


async def test_an_actor_can_be_started_and_stopped_in_pykkas_own_way() -> None:
    diary: list[Any] = []
    ref = Diarist.start(diary=diary)
    registered = ActorRegistry.get_by_urn(ref.actor_urn)
    answer = await said(ref.ask("hello", block=False))
    stopped = await said(ref.stop(block=False))

    assert registered is ref
    assert answer == (0, "hello")
    assert stopped is True
    assert ActorRegistry.get_by_urn(ref.actor_urn) is None


# ── failures are heard ───────────────────────────────────────────────────────────────────────────


class Failing(Diarist):
    """Fails in one part of its life."""

    def __init__(self, *, diary: list[Any], where: Where) -> None:
        super().__init__(diary=diary)
        self.where = where
        self._in(Where.INIT)

    def on_start(self) -> None:
        self._in(Where.START)

    def on_receive(self, message: object) -> Any:
        self._in(Where.MESSAGE)
        return message

    def on_stop(self) -> None:
        self._in(Where.STOP)

    def _in(self, part: Where) -> None:
        if self.where is part:
            raise Boom(part)


class FailingOnAThread(ThreadActor):
    """Fails in one part of its life, on a thread."""

    def __init__(self, *, diary: list[Any], where: Where) -> None:
        super().__init__()
        self.where = where
        self._in(Where.INIT)

    on_start, on_receive, on_stop, _in = Failing.on_start, Failing.on_receive, Failing.on_stop, Failing._in


@pytest.mark.parametrize("actor", [Failing, FailingOnAThread])
@pytest.mark.parametrize(
    ("where", "kind"),
    [(Where.INIT, "__init__"), (Where.START, "on_start"), (Where.MESSAGE, "str"), (Where.STOP, "on_stop")],
)
async def test_a_failure_in_any_part_of_life_reaches_the_guard(actor: Any, where: Where, kind: str) -> None:
    cell = Cell(actor, where=where).bear()
    cell.ref.tell("a message")
    cell.ref.tell(_ActorStop())
    crashed = await cell.guard.until(Crashed)

    assert (crashed.life, crashed.where, crashed.kind) == (cell.life, where, kind)
    assert isinstance(crashed.error, Boom)
    assert not crashed.fatal
    assert len(cell.crashes) == 1


@pytest.mark.parametrize("actor", [Failing, FailingOnAThread])
async def test_who_fails_in_stopping_has_stopped_all_the_same(actor: Any) -> None:
    cell = Cell(actor, where=Where.STOP).bear()
    stopped = await said(cell.ref.stop(block=False))
    await cell.guard.until(Stopped)

    assert stopped is True
    assert [type(message) for message in cell.guard.heard] == [Crashed, Stopped]
    assert not cell.life.down


async def test_who_stops_in_order_says_so_once() -> None:
    cell = Cell().bear()
    await cell.stop()

    assert cell.guard.heard == [Stopped(cell.life)]


@pytest.mark.parametrize("actor", [Diarist, ThreadDiarist])
async def test_an_exception_under_ask_goes_to_the_asker_and_is_a_crash(actor: Any) -> None:
    cell = Cell(actor).bear()
    with pytest.raises(Boom, match="poison"):
        await said(cell.ref.ask(Explode(), block=False))
    crashed = await cell.guard.until(Crashed)

    assert crashed.kind == "Explode"
    assert cell.life.down


async def test_a_crash_says_whether_the_message_is_of_a_kind_that_is_not_survived() -> None:
    cell = Cell().bear()
    await cell.crash()
    cell.bear()
    cell.ref.tell(Hangup())
    await cell.guard.until(Crashed, 2)
    cell.bear()
    cell.ref.tell(Later(0.0, Hangup()))
    await cell.guard.until(Crashed, 3)

    assert [(crashed.kind, crashed.fatal) for crashed in cell.crashes] == [
        ("Explode", False),
        ("Hangup", True),
        ("Hangup", True),
    ]


async def test_the_kinds_of_the_last_messages_are_remembered_across_births_and_nothing_else_of_them() -> None:
    cell = Cell().bear()
    for _ in range(RECENT):
        cell.ref.tell("secret")
    await cell.crash()
    cell.bear()
    await said(cell.ref.ask(7, block=False))

    assert list(cell.life.kinds) == ["str"] * (RECENT - 2) + ["Explode", "int"]
    await cell.stop()


class Giving(Diarist):
    """Has last words."""

    @classmethod
    def let_go(cls, arguments: Any, checkpoint: Any, event_id: str | None) -> None:
        arguments["diary"].append((checkpoint, event_id))


async def test_last_words_are_said_by_the_class_with_the_birth_arguments_and_the_last_checkpoint() -> None:
    cell = Cell(Giving)
    cell.life.checkpoint = "so far"
    last_words(Giving, cell.life, {"diary": cell.diary}, "event 1")

    assert cell.diary == [("so far", "event 1")]


async def test_failing_last_words_are_logged_and_go_no_further(caplog: pytest.LogCaptureFixture) -> None:
    cell = Cell(Giving)
    last_words(Giving, cell.life, {"diary": None}, None)

    assert "last words of somebody failed" in caplog.text


# ── nobody to bring it back ──────────────────────────────────────────────────────────────────────


class Unguarded(Failing):
    """Tells what becomes of it."""

    registered = True

    def on_failure(self, exception_type: Any, exception_value: Any, traceback: Any) -> None:
        self.diary.append((exception_type, exception_value.__traceback__ is traceback, self.actor_stopped.is_set()))


@pytest.mark.parametrize("where", [Where.START, Where.MESSAGE])
async def test_without_a_guard_a_failure_ends_the_actor_as_pykkas_do(
    where: Where, caplog: pytest.LogCaptureFixture
) -> None:
    life, diary = Life(Unguarded, name="nobody's"), list[Any]()
    queued = [life.ref.ask("a message", block=False) for _ in range(2)]
    born(Unguarded, life, {"diary": diary, "where": where})
    answers = await asyncio.gather(*map(said, queued), return_exceptions=True)

    assert diary == [(Boom, True, True)]
    assert not life.ref.is_alive()
    assert isinstance(answers[-1], pykka.ActorDeadError)
    assert f"nobody's failed in {where}" in caplog.text


async def test_without_a_guard_who_cannot_be_built_leaves_nobody_waiting() -> None:
    life = Life(Unguarded, name="nobody's")
    queued = life.ref.ask("a message", block=False)
    born(Unguarded, life, {"diary": [], "where": Where.INIT})

    with pytest.raises(pykka.ActorDeadError):
        await said(queued)
    with pytest.raises(pykka.ActorDeadError):
        await said(life.ref.ask("another", block=False))


# ── coming back ──────────────────────────────────────────────────────────────────────────────────


async def test_mail_behind_a_crash_is_handled_by_the_reborn_in_order_and_the_poison_is_dropped() -> None:
    cell = Cell().bear()
    for message in (1, 2, Explode(), 3, 4):
        cell.ref.tell(message)
    await cell.guard.until(Crashed)
    cell.ref.tell(5)
    handled_before = list(cell.diary)
    cell.bear()
    answer = await said(cell.ref.ask(6, block=False))

    assert handled_before == [1, 2]
    assert cell.diary == [1, 2, 3, 4, 5, 6]
    assert answer == (2, 6)
    assert len(cell.crashes) == 1
    await cell.stop()


async def test_an_ask_behind_a_crash_is_answered_by_the_reborn() -> None:
    cell = Cell().bear()
    cell.ref.tell(Explode())
    asked = cell.ref.ask("still wanted", block=False)
    await cell.guard.until(Crashed)
    cell.bear()

    assert await said(asked) == (2, "still wanted")
    await cell.stop()


async def test_mail_told_before_the_first_birth_waits_for_it() -> None:
    cell = Cell()
    cell.ref.tell("early")
    cell.bear()
    await said(cell.ref.ask("later", block=False))

    assert cell.diary == ["early", "later"]
    await cell.stop()


class Hesitant(Diarist):
    """Comes to life at the third attempt."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__(diary=diary)
        if self.life.births == 1:
            raise Boom("in init")

    def on_start(self) -> None:
        if self.life.births == 2:
            raise Boom("in start")


async def test_mail_waits_through_failed_births() -> None:
    cell = Cell(Hesitant)
    cell.ref.tell("first")
    asked = cell.ref.ask("second", block=False)
    for birth in (1, 2, 3):
        cell.bear()
        await cell.guard.until(Crashed, min(birth, 2))

    assert await said(asked) == (3, "second")
    assert cell.diary == ["first", "second"]
    assert [crashed.where for crashed in cell.crashes] == [Where.INIT, Where.START]
    await cell.stop()


class Counting(Diarist):
    """Counts in its checkpoint."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__(diary=diary)
        self.unsaved = 0
        if self.checkpoint is None:
            self.checkpoint = 0

    def on_receive(self, message: object) -> Any:
        self.unsaved += 1
        if isinstance(message, int):
            self.checkpoint += message
            return self.checkpoint, self.unsaved
        return super().on_receive(message)


async def test_the_reborn_starts_from_its_birth_arguments_and_the_last_checkpoint_never_from_the_old_state() -> None:
    cell = Cell(Counting).bear()
    await said(cell.ref.ask(5, block=False))
    await cell.crash()
    cell.bear()

    assert await said(cell.ref.ask(2, block=False)) == (7, 1)
    await cell.stop()


STEPS = st.lists(st.sampled_from(["tell", "ask", "poison", "poisoned ask", "turn", "later"]), max_size=60)


@settings(deadline=None, max_examples=60)
@given(steps=STEPS)
async def test_random_crashes_and_sends_never_lose_or_reorder_mail_that_is_not_poison(steps: list[str]) -> None:
    cell = Cell().bear()
    sent: list[int] = []
    asked: list[tuple[int, Any]] = []
    reborn_at = 0
    for number, step in enumerate(steps):
        match step:
            case "tell":
                cell.ref.tell(number)
                sent.append(number)
            case "ask":
                asked.append((number, cell.ref.ask(number, block=False)))
                sent.append(number)
            case "poison":
                cell.ref.tell(Explode())
            case "poisoned ask":
                cell.ref.ask(Explode(), block=False)
            case "turn":
                await asyncio.wait([asyncio.ensure_future(said(_now()))])
            case "later" if len(cell.crashes) > reborn_at:
                reborn_at += 1
                cell.bear()
    poisons = sum("poison" in step for step in steps)
    while reborn_at < poisons:
        await cell.guard.until(Crashed, reborn_at + 1)
        reborn_at += 1
        cell.bear()
    births, last = await said(cell.ref.ask(-1, block=False))

    assert cell.diary == [*sent, last]
    assert births == poisons + 1
    assert len(cell.crashes) == poisons
    assert [(await said(reply))[1] for _, reply in asked] == [number for number, _ in asked]
    await cell.stop()


async def _now() -> None:
    return None


# ── on the loop ──────────────────────────────────────────────────────────────────────────────────


async def test_a_handler_runs_on_the_loops_thread_and_needs_no_task() -> None:
    cell = Cell().bear()
    tasks = asyncio.all_tasks()
    cell.ref.tell("hello")

    assert cell.diary == []  # not inside tell
    assert (await said(cell.ref.proxy().diary)) == ["hello"]
    assert asyncio.all_tasks() == tasks
    await cell.stop()


async def test_a_blocking_ask_or_stop_on_the_loop_raises_at_once_and_the_message_is_delivered() -> None:
    cell = Cell().bear()
    with pytest.raises(WouldBlockError):
        cell.ref.ask("delivered")
    with pytest.raises(WouldBlockError):
        cell.ref.stop()
    await cell.guard.until(Stopped)

    assert cell.diary == ["delivered"]


async def test_another_thread_may_ask_and_wait() -> None:
    cell = Cell().bear()

    assert await asyncio.to_thread(cell.ref.ask, "hello", timeout=PATIENCE) == (1, "hello")
    assert await asyncio.to_thread(cell.ref.stop, timeout=PATIENCE) is True


async def test_a_cancelled_asker_does_no_harm() -> None:
    news: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: news.append(context))
    cell = Cell().bear()
    asker = asyncio.ensure_future(said(cell.ref.ask("from one who leaves", block=False)))
    failing = asyncio.ensure_future(said(cell.ref.ask(Explode(), block=False)))
    for task in (asker, failing):
        task.cancel()
    await asyncio.wait([asker, failing])
    await cell.guard.until(Crashed)
    cell.bear()

    assert await said(cell.ref.ask("from another", block=False)) == (2, "from another")
    assert cell.diary == ["from one who leaves", "from another"]
    assert news == []
    await cell.stop()


async def test_tell_is_for_every_thread_and_keeps_each_senders_order() -> None:
    cell = Cell().bear()

    def tell_all(name: str) -> None:
        for number in range(200):
            cell.ref.tell((name, number))

    await asyncio.gather(*(asyncio.to_thread(tell_all, name) for name in "abc"))
    await cell.has_written(600)

    for name in "abc":
        assert [entry[1] for entry in cell.diary if entry[0] == name] == list(range(200))
    await cell.stop()


class Eager(Diarist):
    """Hands its ref to a thread while it is being built; the thread mails at once."""

    def __init__(self, *, diary: list[Any]) -> None:
        super().__init__(diary=diary)
        thread = threading.Thread(target=lambda: [self.actor_ref.tell(number) for number in range(50)])
        thread.start()
        thread.join(PATIENCE)


async def test_a_thread_that_mails_before_the_actor_has_started_is_heard() -> None:
    cell = Cell(Eager).bear()
    await cell.has_written(50)

    assert cell.diary == list(range(50))
    await cell.stop()


async def test_a_turn_handles_a_bounded_batch_and_others_have_theirs() -> None:
    loop = asyncio.get_running_loop()
    cell = Cell().bear()
    between: list[int] = []

    def other() -> None:
        between.append(len(cell.diary))
        if len(between) < 4:
            loop.call_soon(other)

    for number in range(4 * BATCH):
        cell.ref.tell(number)
    loop.call_soon(other)
    await said(cell.ref.ask("a barrier", block=False))

    assert between == [BATCH, 2 * BATCH, 3 * BATCH, 4 * BATCH]
    await cell.stop()


class Picky(Diarist):
    """Its full mailbox may drop strings."""

    mark = 3
    sheds = (str,)


async def test_an_actors_class_says_when_its_mailbox_is_full_and_what_it_may_drop_also_before_its_birth() -> None:
    cell = Cell(Picky)
    inbox = cell.life.inbox
    assert isinstance(inbox, Mailbox)
    for message in ("old", 1, "new", "newest", Explode(), 2):
        cell.ref.tell(message)
    cell.bear()
    await cell.guard.until(Crashed)
    for message in ("a", "b", "c", 3):
        cell.ref.tell(message)
    cell.bear()
    await said(cell.ref.ask(4, block=False))

    assert cell.diary == [1, "new", "newest", 2, "b", "c", 3, 4]
    assert inbox.dropped == 2
    await cell.stop()


# ── timers ───────────────────────────────────────────────────────────────────────────────────────


async def test_timers_are_mail() -> None:
    cell = Cell().bear()
    cell.ref.tell(Later(0.0, Explode()))
    crashed = await cell.guard.until(Crashed)

    assert (crashed.where, crashed.kind) == (Where.MESSAGE, "Explode")


async def test_a_timer_waits_its_turn_behind_the_mail_that_is_there() -> None:
    cell = Cell().bear()
    cell.ref.tell(Later(0.0, "timer"))
    for number in range(2 * BATCH):
        cell.ref.tell(number)
    while "timer" not in cell.diary:
        await said(cell.ref.ask("more", block=False))

    assert cell.diary.index("timer") > BATCH


def test_a_built_not_started_actor_records_its_timers_as_data() -> None:
    actor = Diarist(diary=[])
    timer = actor.tell_later(20.0, "wake up")
    other = actor.tell_later(25.0, "too late")
    other.cancel()

    assert actor.timers == {timer, other}
    assert (timer.seconds, timer.message, timer.cancelled) == (20.0, "wake up", False)
    assert other.cancelled


async def test_a_cancelled_timer_says_nothing_even_when_it_has_fired_and_its_mail_waits() -> None:
    cell = Cell().bear()
    actor = cell.ref._actor_weakref()
    waiting = await said(cell.ref.ask(Later(NEVER, "never"), block=False))
    waiting.cancel()
    actor.timers.discard(waiting)
    fired = await said(cell.ref.ask(Later(NEVER, "fired"), block=False))
    cell.ref.tell(fired)  # as it does when its time has come
    fired.cancel()
    await said(cell.ref.ask("a barrier", block=False))

    assert cell.diary == ["a barrier"]
    assert actor.timers == set()
    await cell.stop()


@pytest.mark.parametrize("end", [Explode(), _ActorStop()])
async def test_timers_die_with_their_instance(end: object) -> None:
    cell = Cell().bear()
    actor = cell.ref._actor_weakref()
    timer: Timer = await said(cell.ref.ask(Later(NEVER, "never"), block=False))
    handle = timer.handle
    assert handle is not None
    cell.ref.tell(end)
    await cell.guard.until((Crashed, Stopped))

    assert handle.cancelled()
    assert timer.cancelled
    assert actor.timers == set()


async def test_a_timer_that_had_fired_and_was_queued_behind_the_crash_dies_too() -> None:
    cell = Cell().bear()
    timer = await said(cell.ref.ask(Later(NEVER, "of the first birth"), block=False))
    cell.ref.tell(Explode())
    cell.ref.tell(timer)  # it fired in the same turn
    cell.ref.tell("mail")
    await cell.guard.until(Crashed)
    cell.bear()
    await said(cell.ref.ask("a barrier", block=False))

    assert cell.diary == ["mail", "a barrier"]
    await cell.stop()


async def test_an_instance_that_has_ended_starts_no_timer_for_the_one_after_it() -> None:
    """A port may still hold it: a callback of a transport that is closing, say."""
    cell = Cell().bear()
    ghost = cell.ref._actor_weakref()
    await cell.crash()
    timer = ghost.tell_later(0.0, "boo")
    cell.bear()
    await said(cell.ref.ask("a barrier", block=False))

    assert timer.handle is None
    assert cell.diary == ["a barrier"]
    await cell.stop()


async def test_a_timer_set_in_on_start_is_started() -> None:
    class Early(Diarist):
        def on_start(self) -> None:
            self.tell_later(0.0, Explode())

    cell = Cell(Early).bear()

    assert (await cell.guard.until(Crashed)).kind == "Explode"


async def test_what_a_timer_leaves_behind_is_freed_without_a_garbage_collection() -> None:
    """The house runs with collections far apart; a call sets some fifty timers a second."""
    cell = Cell().bear()
    gc.collect()
    gc.disable()
    try:
        before = _count(Timer)
        for number in range(50):
            cell.ref.tell(Later(0.0, number))
        while len(cell.diary) < 50:
            await said(cell.ref.ask(Later(NEVER, "never"), block=False))
        cell.ref._actor_weakref()._forget_timers()
        after = _count(Timer)
    finally:
        gc.enable()

    assert after <= before
    await cell.stop()


def _count(kind: type) -> int:
    return sum(type(thing) is kind for thing in gc.get_objects())


# ── the dead ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("actor", [Diarist, ThreadDiarist])
async def test_tell_to_the_dead_is_dropped_and_ask_is_answered_with_an_error(actor: Any) -> None:
    cell = Cell(actor).bear()
    await cell.stop()
    cell.diary.clear()
    cell.ref.tell("anybody?")

    with pytest.raises(pykka.ActorDeadError):
        await said(cell.ref.ask("anybody?", block=False))
    assert cell.diary == []
    assert cell.life.inbox.empty()
    assert await said(cell.ref.stop(block=False)) is False


@pytest.mark.parametrize("actor", [Diarist, ThreadDiarist])
async def test_asks_behind_a_stop_are_answered_with_an_error_and_stops_with_yes(actor: Any) -> None:
    cell = Cell(actor).bear()
    gate = threading.Event()
    if actor is ThreadDiarist:
        cell.ref.tell(gate)
    stops = [cell.ref.stop(block=False)]
    asked = cell.ref.ask("too late", block=False)
    stops.append(cell.ref.stop(block=False))
    gate.set()

    with pytest.raises(pykka.ActorDeadError, match="stopped before handling"):
        await said(asked)
    assert [await said(stop) for stop in stops] == [True, True]


@pytest.mark.parametrize("actor", [Diarist, ThreadDiarist])
async def test_a_life_that_is_ended_after_a_crash_answers_what_waited_behind_it(actor: Any) -> None:
    cell = Cell(actor).bear()
    cell.ref.tell(Explode())
    asked = cell.ref.ask("never handled", block=False)
    await cell.guard.until(Crashed)
    cell.life.end()
    cell.life.end()

    with pytest.raises(pykka.ActorDeadError):
        await said(asked)
    assert not cell.ref.is_alive()


async def test_a_life_that_is_ended_lets_go_of_who_waits_for_room() -> None:
    cell = Cell(Picky).bear()
    await cell.crash()
    for number in range(3):
        cell.ref.tell(number)
    inbox = cell.life.inbox
    assert isinstance(inbox, Mailbox)
    reading_socket = asyncio.create_task(inbox.room())
    await asyncio.wait([reading_socket], timeout=0)
    cell.life.end()

    await asyncio.wait_for(reading_socket, PATIENCE)


async def test_an_actor_that_has_ended_is_freed_without_a_garbage_collection() -> None:
    gc.collect()
    gc.disable()
    try:
        before = _count(Life), _count(Mailbox), _count(Diarist)
        for _ in range(20):
            cell = Cell().bear()
            cell.ref.tell(Later(NEVER, "never"))
            await cell.crash()
            cell.bear()
            cell.ref.tell(_ActorStop())
            await cell.guard.until(Stopped)
            cell.guard.heard.clear()  # an error holds the frames it passed, and so the actor
            del cell
        after = _count(Life), _count(Mailbox), _count(Diarist)
    finally:
        gc.enable()

    assert max(now - then for now, then in zip(after, before, strict=True)) <= 1


# ── the registry ─────────────────────────────────────────────────────────────────────────────────


class HouseActor(Hesitant):
    """One of a few, and hard to start."""

    registered: ClassVar[bool] = True


async def test_only_actors_whose_class_says_so_stand_in_the_registry() -> None:
    caller, house = Cell(Diarist).bear(), Cell(HouseActor)
    house.bear().bear().bear()
    await said(house.ref.ask("hello", block=False))

    assert ActorRegistry.get_all() == [house.ref]
    await house.stop()
    await caller.stop()
    assert ActorRegistry.get_all() == []


async def test_a_house_actor_whose_life_is_ended_leaves_the_registry() -> None:
    house = Cell(HouseActor)
    house.bear().bear()
    there = list(ActorRegistry.get_all())
    house.life.end()

    assert there == [house.ref]
    assert ActorRegistry.get_all() == []


# ── on a thread ──────────────────────────────────────────────────────────────────────────────────


async def test_a_thread_actor_works_on_its_own_thread_and_is_asked_from_the_loop_with_await() -> None:
    cell = Cell(ThreadDiarist).bear()
    thread = await said(cell.ref.ask("hello", block=False))

    assert cell.diary == [("built", threading.get_ident()), ("started", thread), "hello"]
    assert thread != threading.get_ident()
    await cell.stop()


async def test_a_thread_actor_keeps_its_mailbox_and_ref_across_a_rebirth() -> None:
    cell = Cell(ThreadDiarist).bear()
    gate = threading.Event()
    for message in (gate, "before", Explode(), "behind"):
        cell.ref.tell(message)
    gate.set()
    await cell.guard.until(Crashed)
    cell.ref.tell("meanwhile")
    cell.bear()
    await said(cell.ref.ask("after", block=False))

    said_to_it = [entry for entry in cell.diary if isinstance(entry, str)]
    assert said_to_it == ["before", "behind", "meanwhile", "after"]
    assert cell.life.births == 2
    await cell.stop()


async def test_a_thread_actor_ends_its_thread_when_it_crashes_and_when_it_stops() -> None:
    cell = Cell(ThreadDiarist).bear()
    threads = [_thread(await said(cell.ref.ask("who?", block=False)))]
    await cell.crash()
    cell.bear()
    threads.append(_thread(await said(cell.ref.ask("who?", block=False))))
    await cell.stop()
    for thread in threads:
        await asyncio.to_thread(thread.join, PATIENCE)

    assert [thread.is_alive() for thread in threads] == [False, False]
    assert all(thread.daemon for thread in threads)


def _thread(ident: int) -> threading.Thread:
    return next(thread for thread in threading.enumerate() if thread.ident == ident)


async def test_a_blocking_ask_of_a_thread_actor_raises_on_the_loop_too() -> None:
    cell = Cell(ThreadDiarist).bear()
    gate = threading.Event()

    with pytest.raises(WouldBlockError):
        cell.ref.ask(gate)
    gate.set()
    await cell.stop()
