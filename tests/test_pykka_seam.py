"""What the runtime leans on in Pykka, and may change with its next minor version.

    names it overrides      _create_actor_inbox · _create_future · _start_actor_loop · _actor_loop · _stop
    names it uses           _handle_receive · on_failure · messages · Envelope · ActorRegistry
    what it fills by hand   the attributes of ActorRef
    why it exists           Pykka's futures block the loop; Pykka tells nobody of a failed start

A red test here says what to look at in `runtime.py`, `mailbox.py` or `future.py` before the pin is moved.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import queue
import threading
import weakref
from importlib.metadata import version
from typing import Any

import pykka
import pytest
from pykka import ActorRegistry, messages
from pykka._actor import ActorInbox
from pykka._envelope import Envelope

from actors.future import Reply
from actors.runtime import PYKKA_MAIL, Address, LoopActor, ThreadActor

PATIENCE = 10.0
"""Seconds that a test waits for a thread before it gives up; nothing here takes them."""
LONG_ENOUGH = 0.2
"""Seconds after which a loop that has not come round is taken for blocked."""


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


class Stock(pykka.ThreadingActor):
    """Pykka's own actor."""

    use_daemon_thread = True

    def on_receive(self, message: Any) -> Any:
        if isinstance(message, Exception):
            raise message
        return message


# ── names and signatures ─────────────────────────────────────────────────────────────────────────


def test_the_minor_version_is_the_one_that_this_was_read_in() -> None:
    assert version("pykka").split(".")[:2] == ["4", "5"]


def test_pykka_names_three_methods_for_new_runtimes() -> None:
    seam = {"_create_actor_inbox", "_create_future", "_start_actor_loop"}

    assert pykka.Actor.__abstractmethods__ == seam
    assert LoopActor.__abstractmethods__ == ThreadActor.__abstractmethods__ == frozenset()


@pytest.mark.parametrize("name", ["_create_actor_inbox", "_create_future"])
def test_what_an_actor_class_makes_it_makes_without_an_instance(name: str) -> None:
    assert isinstance(inspect.getattr_static(pykka.Actor, name), staticmethod)
    assert parameters(getattr(pykka.Actor, name)) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("_start_actor_loop", ["self"]),
        ("_actor_loop", ["self"]),
        ("_actor_loop_teardown", ["self"]),
        ("_stop", ["self"]),
        ("stop", ["self"]),
        ("on_start", ["self"]),
        ("on_stop", ["self"]),
        ("on_receive", ["self", "message"]),
        ("on_failure", ["self", "exception_type", "exception_value", "traceback"]),
        ("_handle_receive", ["self", "message"]),
    ],
)
def test_the_methods_that_are_overridden_or_called_have_these_parameters(name: str, expected: list[str]) -> None:
    assert parameters(getattr(pykka.Actor, name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("get", ["self", "timeout"]),
        ("set", ["self", "value"]),
        ("set_exception", ["self", "exc_info"]),
        ("set_get_hook", ["self", "func"]),
        ("__await__", ["self"]),
    ],
)
def test_a_reply_has_the_parameters_of_pykkas_future(name: str, expected: list[str]) -> None:
    assert parameters(getattr(pykka.Future, name)) == expected
    assert parameters(getattr(Reply, name)) == expected


def test_an_envelope_is_a_message_and_who_wants_the_answer() -> None:
    envelope = Envelope("hello")

    assert Envelope.__slots__ == ["message", "reply_to"]
    assert (envelope.message, envelope.reply_to) == ("hello", None)
    assert parameters(Envelope) == ["message", "reply_to"]


def test_an_inbox_is_three_methods() -> None:
    assert {name for name in vars(ActorInbox) if not name.startswith("_")} == {"put", "get", "empty"}
    assert isinstance(Stock._create_actor_inbox(), queue.Queue)


def test_pykkas_own_mail_is_these_four() -> None:
    own = {kind for kind in vars(messages).values() if isinstance(kind, type) and issubclass(kind, tuple)}

    assert own - {messages.NamedTuple} == PYKKA_MAIL


def test_the_future_keeps_its_hook_where_the_reply_looks_for_it() -> None:
    future: pykka.Future[int] = pykka.Future()

    assert future._get_hook is None
    future.set_get_hook(lambda timeout: 1)
    assert future._get_hook is not None
    assert future.get() == 1


def test_the_loop_tells_a_thread_of_its_own_from_others() -> None:
    """`asyncio._get_running_loop` is named in asyncio's documentation of policies, for those who extend it."""
    assert asyncio._get_running_loop() is None


# ── refs ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_ref_has_the_attributes_that_are_filled_by_hand_and_no_others() -> None:
    actor = Stock()

    assert set(vars(actor.actor_ref)) == {
        "_actor_weakref",
        "actor_class",
        "actor_urn",
        "actor_inbox",
        "actor_stopped",
    }
    assert isinstance(actor.actor_ref._actor_weakref, weakref.ref)
    assert actor.actor_ref._actor_weakref() is actor


@pytest.mark.parametrize("kind", [LoopActor, ThreadActor])
def test_a_ref_filled_by_hand_says_what_pykkas_says(kind: Any) -> None:
    actor = kind()
    ours, theirs = actor.actor_ref, pykka.ActorRef(actor)

    assert isinstance(ours, Address)
    assert vars(ours) == vars(theirs)
    assert (str(ours), repr(ours)) == (str(theirs), repr(theirs))
    assert ours.is_alive()


def test_refs_are_compared_by_identity() -> None:
    actor = Stock()

    assert actor.actor_ref == actor.actor_ref
    assert pykka.ActorRef(actor) != actor.actor_ref


def test_asking_uses_the_future_of_the_refs_class_and_puts_one_envelope() -> None:
    actor = LoopActor()
    reply = actor.actor_ref.ask("hello", block=False)
    envelope = actor.actor_inbox.get()

    assert isinstance(reply, Reply)
    assert (envelope.message, envelope.reply_to) == ("hello", reply)


def test_asking_to_stop_puts_one_envelope_with_pykkas_own_message() -> None:
    actor = LoopActor()
    hooked = actor.actor_ref.stop(block=False)
    envelope = actor.actor_inbox.get()

    assert envelope.message == messages._ActorStop()
    assert isinstance(envelope.reply_to, Reply)
    envelope.reply_to.set(None)
    assert hooked.get() is True


# ── behaviour ────────────────────────────────────────────────────────────────────────────────────


def test_pykka_gives_an_actor_its_identity_in_init_and_asks_it_for_its_inbox() -> None:
    actor = Stock()

    assert actor.actor_urn.startswith("urn:uuid:")
    assert actor.actor_ref.actor_inbox is actor.actor_inbox
    assert not actor.actor_stopped.is_set()


def test_start_builds_registers_and_starts_the_loop_in_this_order() -> None:
    seen: list[tuple[str, bool]] = []

    class Runtime(Stock):
        def __init__(self) -> None:
            super().__init__()
            seen.append(("built", self.actor_ref in ActorRegistry.get_all()))

        def _start_actor_loop(self) -> None:
            seen.append(("started", self.actor_ref in ActorRegistry.get_all()))

    ref = Runtime.start()
    ActorRegistry.unregister(ref)

    assert seen == [("built", False), ("started", True)]


def test_the_stop_message_ends_in_stop_and_nothing_else_does() -> None:
    stopped: list[str] = []

    class Ending(Stock):
        def _stop(self) -> None:
            stopped.append("stopped")

    actor = Ending()
    actor._handle_receive("stop")

    assert stopped == []
    actor._handle_receive(messages._ActorStop())
    assert stopped == ["stopped"]


def test_a_stop_sets_the_flag_before_on_stop_is_called() -> None:
    seen: list[bool] = []

    class Ending(Stock):
        def on_stop(self) -> None:
            seen.append(self.actor_stopped.is_set())

    Ending()._stop()

    assert seen == [True]


def test_mail_behind_a_stop_is_answered_and_who_wanted_an_end_has_it() -> None:
    """`Mailbox.close` does the same."""
    actor = Stock()
    asked, stop_again = actor.actor_ref.ask("late", block=False), actor.actor_ref.stop(block=False)
    actor._actor_loop_teardown()

    with pytest.raises(pykka.ActorDeadError):
        asked.get(timeout=PATIENCE)
    assert stop_again.get(timeout=PATIENCE) is True


def test_a_dead_actor_is_asked_in_vain_and_cannot_be_stopped_again() -> None:
    ref = Stock.start()
    ref.stop(timeout=PATIENCE)

    with pytest.raises(pykka.ActorDeadError):
        ref.ask("anybody?", block=False).get(timeout=PATIENCE)
    with pytest.raises(pykka.ActorDeadError):  # this is what `Address` does not do
        ref.tell("anybody?")
    assert ref.stop(block=False).get(timeout=PATIENCE) is False


def test_unregistering_who_is_not_registered_is_no_error() -> None:
    actor = Stock()
    ActorRegistry.unregister(actor.actor_ref)

    assert ActorRegistry.get_by_urn(actor.actor_urn) is None


def test_registering_twice_makes_two_entries() -> None:
    """Hence `Life.register` remembers."""
    actor = Stock()
    ActorRegistry.register(actor.actor_ref)
    ActorRegistry.register(actor.actor_ref)
    found = ActorRegistry.get_all().count(actor.actor_ref)
    ActorRegistry.unregister(actor.actor_ref)
    ActorRegistry.unregister(actor.actor_ref)

    assert found == 2


def test_a_proxy_reads_the_instance_behind_the_weak_reference() -> None:
    first, second = Stock(), Stock()
    ref = first.actor_ref
    ref._actor_weakref = weakref.ref(second)

    assert ref.proxy()._actor is second


# ── why there is a runtime of our own ────────────────────────────────────────────────────────────


class Loop(threading.Thread):
    """A loop on a thread of its own that awaits `future`, which would be settled a few turns later."""

    def __init__(self, future: pykka.Future[str]) -> None:
        super().__init__(daemon=True)
        self.future = future
        self.awaiting = threading.Event()
        self.came_round = threading.Event()
        self.got: list[str] = []

    def run(self) -> None:
        asyncio.run(self._await())

    async def _await(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(loop.call_soon, loop.call_soon, self._settle)
        self.awaiting.set()
        self.got.append(await self.future)

    def _settle(self) -> None:
        self.came_round.set()
        self.future.set("answered on the loop")


def test_pykkas_stock_future_blocks_the_loop_that_awaits_it() -> None:
    loop = Loop(pykka.ThreadingFuture())
    loop.start()
    loop.awaiting.wait(PATIENCE)
    came_round = loop.came_round.wait(LONG_ENOUGH)
    loop.future.set("answered from outside")  # so that the thread ends
    loop.join(PATIENCE)

    assert not came_round
    assert loop.got == ["answered from outside"]


def test_a_reply_lets_the_loop_come_round_and_answer() -> None:
    loop = Loop(Reply())
    loop.start()
    loop.join(PATIENCE)

    assert loop.came_round.is_set()
    assert loop.got == ["answered on the loop"]


def test_pykka_tells_nobody_of_a_failed_start(caplog: pytest.LogCaptureFixture) -> None:
    heard: list[Any] = []

    class Stillborn(Stock):
        def on_start(self) -> None:
            raise LookupError("no disk")

        def on_failure(self, *failure: Any) -> None:
            heard.append(failure)

        def on_stop(self) -> None:
            heard.append("stopped")

    with caplog.at_level(logging.CRITICAL, logger="pykka"):
        ref = Stillborn.start()
        stopped = ref.actor_stopped.wait(PATIENCE)

    assert stopped
    assert heard == []


def test_pykka_keeps_an_actor_that_failed_under_ask_as_if_nothing_had_happened() -> None:
    """Here that is a crash (the asker hears of it too)."""
    ref = Stock.start()
    with pytest.raises(LookupError):
        ref.ask(LookupError(), timeout=PATIENCE)
    alive = ref.ask("still there?", timeout=PATIENCE)
    ref.stop(timeout=PATIENCE)

    assert alive == "still there?"
