"""How an actor lives.

    Life ─── mailbox · URN · ref · stopped-flag · checkpoint · guard          outlives a crash
      │
      ├── first instance   ── raises ──▶ Crashed to the guard (its supervisor)
      └── next instance    ◀── born(…)   into the same mailbox and ref: mail behind the crash is handled, in order

`LoopActor` is a Pykka actor on the event loop: handlers are plain functions that never wait, `put` schedules a
drain, so an actor needs no task and no thread. `ThreadActor` is one with a thread, for those who must wait for a
disk. Both stand on the seam that Pykka names for new runtimes (`_create_actor_inbox`, `_create_future`,
`_start_actor_loop`), pinned by contract tests. A failure of `__init__`, `on_start`, a handler or `on_stop` reaches
the guard; Pykka itself tells nobody of a failed start. This is the one home of `except Exception`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Protocol

import pykka
from pykka import ActorRegistry, messages
from pykka._actor import ActorInbox
from pykka._envelope import Envelope

from actors.future import Reply
from actors.mailbox import Mailbox, refuse

logger = logging.getLogger(__name__)

RECENT = 16
"""Kinds of messages remembered for whoever reads a crash."""
PYKKA_MAIL = frozenset((messages._ActorStop, messages.ProxyCall, messages.ProxyGetAttr, messages.ProxySetAttr))


class Mail(Protocol):
    """Whoever can be told something; every `ActorRef` can."""

    def tell(self, message: Any) -> None:
        """Deliver, without waiting."""


class Where(StrEnum):
    """In which part of its life an actor failed."""

    INIT = "__init__"
    START = "on_start"
    MESSAGE = "on_receive"
    STOP = "on_stop"


class Address(pykka.ActorRef[Any]):
    """Pykka's ref, told by anybody at any time: mail to the dead is dropped, as a letter to nobody's door is."""

    def tell(self, message: Any) -> None:
        """Deliver, unless the actor has ended for good."""
        if not self.actor_stopped.is_set():
            self.actor_inbox.put(Envelope(message))


class Life:
    """What outlives an actor: who it is, its mail, and where it had got to."""

    __slots__ = (
        "births",
        "checkpoint",
        "down",
        "guard",
        "inbox",
        "kinds",
        "name",
        "ref",
        "registered",
        "stopped",
        "urn",
    )

    def __init__(self, actor: type[pykka.Actor], *, name: str, guard: Mail | None = None) -> None:
        self.name = name
        self.urn = uuid.uuid4().urn
        self.inbox: ActorInbox = actor._create_actor_inbox()
        self.stopped = threading.Event()
        self.births = 0
        self.registered = False
        self.down = False  # crashed, and nobody has been born into it since
        self.checkpoint: Any = None
        self.guard = guard
        self.kinds: deque[str] = deque(maxlen=RECENT)
        # Pykka makes a ref from an instance; ours is there before the first one and after the last.
        self.ref: Address = Address.__new__(Address)
        self.ref.actor_class = actor
        self.ref.actor_urn = self.urn
        self.ref.actor_inbox = self.inbox
        self.ref.actor_stopped = self.stopped

    def register(self) -> None:
        """Enter the actor into Pykka's registry, once."""
        if not self.registered:
            self.registered = True
            ActorRegistry.register(self.ref)

    def end(self) -> None:
        """Nobody lives here any more, or will: whoever waits for an answer or for room is told so."""
        self.stopped.set()
        if self.registered:
            ActorRegistry.unregister(self.ref)
        if isinstance(self.inbox, Mailbox):
            self.inbox.close()
        while not self.inbox.empty():
            refuse(self.inbox.get())


@dataclass(frozen=True, slots=True)
class Crashed:
    """An actor failed and waits, its mail with it, for its guard to decide."""

    life: Life
    where: Where
    kind: str
    """The class name of the message being handled, or the part of life."""
    fatal: bool
    """The actor's class says that after a crash on this message it must not come back."""
    error: Exception


@dataclass(frozen=True, slots=True)
class Stopped:
    """An actor ended in order."""

    life: Life


@dataclass(eq=False, slots=True)
class Timer:
    """A message to oneself, later. On a built-not-started actor it is data and nothing else."""

    seconds: float
    message: object
    cancelled: bool = False
    handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """Not any more; also when it has fired and its mail still waits."""
        self.cancelled = True
        if self.handle is not None:
            self.handle.cancel()


_adopted: ContextVar[Life | None] = ContextVar("_adopted", default=None)


def born(actor: type[_Mortal], life: Life, arguments: Mapping[str, Any]) -> None:
    """Make an instance of `actor` that takes `life` up, and start it. A failure is mail to the guard."""
    life.births += 1
    life.down = False
    try:
        instance = _built(actor, life, arguments)
        if actor.registered:
            life.register()
        instance._start_actor_loop()
    except Exception as error:
        _tell_crash(life, Where.INIT, Where.INIT, error, fatal=False)
        if life.guard is None:
            life.end()


def _built(actor: type[_Mortal], life: Life, arguments: Mapping[str, Any]) -> _Mortal:
    token = _adopted.set(life)
    try:
        return actor(**arguments)
    finally:
        _adopted.reset(token)


def last_words(actor: type[_Mortal], life: Life, arguments: Mapping[str, Any], event_id: str | None) -> None:
    """Let the actor's class say what must be said when nobody will come back; its own failure is only logged."""
    try:
        actor.let_go(arguments, life.checkpoint, event_id)
    except Exception:
        logger.exception("last words of %s failed", life.name)


class _Mortal(pykka.Actor):
    """What actors of both kinds share: they take up a life, and their failures are heard."""

    registered: ClassVar[bool] = False
    """Whether instances stand in Pykka's registry, a list that is searched: only what is few may."""
    fatal: ClassVar[tuple[type, ...]] = ()
    """A crash while handling one of these is not survived: the caller of it must not wait for nothing."""

    def __init__(self) -> None:
        life = _adopted.get()
        if life is None:  # started in Pykka's way, which registers it
            life = Life(type(self), name=type(self).__name__)
            life.registered = True
        _adopted.set(None)
        self.life = life
        self.actor_urn, self.actor_inbox, self.actor_stopped = life.urn, life.inbox, life.stopped
        self._actor_ref = life.ref
        # Before any code of a subclass runs: ports and timers handed out there must reach this instance.
        life.ref.actor_class = type(self)
        life.ref._actor_weakref = weakref.ref(self)

    @classmethod
    def let_go(cls, arguments: Mapping[str, Any], checkpoint: Any, event_id: str | None) -> None:
        """Called without an instance when the actor is given up: release what its birth arguments hold."""

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return Reply()

    def _took(self, envelope: Envelope[Any]) -> bool:
        """Handle one message; whether the actor is still well."""
        message = envelope.message
        self.life.kinds.append(type(message).__name__)
        try:
            reply = self._handle_receive(message) if type(message) in PYKKA_MAIL else self.on_receive(message)
        except Exception as error:
            if envelope.reply_to is not None:
                envelope.reply_to.set_exception()
            self._fail(Where.MESSAGE, error, message)
            return False
        if envelope.reply_to is not None:
            envelope.reply_to.set(reply)
        return True

    def _started_well(self) -> bool:
        try:
            self.on_start()
        except Exception as error:
            self._fail(Where.START, error)
            return False
        return True

    def _stop(self) -> None:
        """Pykka's orderly end, with a failing `on_stop` heard and the guard told."""
        self.actor_stopped.set()
        try:
            self.on_stop()
        except Exception as error:
            _tell_crash(self.life, Where.STOP, Where.STOP, error, fatal=False)
        if self.life.guard is not None:
            self.life.guard.tell(Stopped(self.life))
        self.life.end()

    def _fail(self, where: Where, error: Exception, message: object = None) -> None:
        kind = str(where) if message is None else type(message).__name__
        _tell_crash(self.life, where, kind, error, fatal=isinstance(message, self.fatal))
        if self.life.guard is None:  # nobody will bring it back: end as Pykka's actors do
            self.life.end()
            self.on_failure(type(error), error, error.__traceback__)


class LoopActor(_Mortal):
    """An actor on the event loop. Subclasses write `on_receive` and never wait in it."""

    mark: ClassVar[int] = 1024
    """Messages that make its mailbox full."""
    sheds: ClassVar[tuple[type, ...]] = ()
    """Kinds of mail that its full mailbox may drop."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: set[Timer] = set()
        """Timers that have not been handled; on a built-not-started actor, what it would wait for."""
        self._loop: asyncio.AbstractEventLoop | None = None

    @classmethod
    def _create_actor_inbox(cls) -> ActorInbox:
        inbox = Mailbox()
        inbox.mark, inbox.sheds = cls.mark, cls.sheds  # from the first letter on: mail may come before the first birth
        return inbox

    @property
    def checkpoint(self) -> Any:
        """The last frozen value this actor (or the instance before it) put down; `None` at the first birth."""
        return self.life.checkpoint

    @checkpoint.setter
    def checkpoint(self, value: Any) -> None:
        self.life.checkpoint = value

    def tell_later(self, seconds: float, message: object) -> Timer:
        """Mail to oneself in so many seconds; ends with this instance."""
        timer = Timer(seconds, message)
        self.timers.add(timer)
        if self._loop is not None:
            self._arm(timer)
        return timer

    def _arm(self, timer: Timer) -> None:
        assert self._loop is not None
        timer.handle = self._loop.call_later(timer.seconds, self.actor_inbox.put, Envelope(timer))

    def _start_actor_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        for timer in self.timers:
            self._arm(timer)
        if self._started_well():
            self._mailbox.attach(self._take)

    @property
    def _mailbox(self) -> Mailbox:
        assert isinstance(self.actor_inbox, Mailbox)
        return self.actor_inbox

    def _take(self, envelope: Envelope[Any]) -> None:
        if type(envelope.message) is Timer:
            timer = envelope.message
            timer.handle = None  # it holds the timer that holds it: garbage that reference counts do not free
            self.timers.discard(timer)
            if timer.cancelled:
                return
            envelope = Envelope(timer.message)
        self._took(envelope)

    def _fail(self, where: Where, error: Exception, message: object = None) -> None:
        self._forget_timers()
        self._mailbox.detach()
        super()._fail(where, error, message)

    def _stop(self) -> None:
        self._forget_timers()
        super()._stop()

    def _forget_timers(self) -> None:
        self._loop = None  # nor does a timer start that somebody with a hold on this instance asks for later
        for timer in self.timers:
            timer.cancel()
        self.timers.clear()


class ThreadActor(_Mortal, pykka.ThreadingActor):
    """An actor with a thread of its own, for work that must wait. Its mailbox outlives a crash like any other."""

    use_daemon_thread = True

    def _actor_loop(self) -> None:
        well = self._started_well()
        while well and not self.actor_stopped.is_set():
            well = self._took(self.actor_inbox.get())


def _tell_crash(life: Life, where: Where, kind: str, error: Exception, *, fatal: bool) -> None:
    life.down = where is not Where.STOP
    if life.guard is None:
        logger.error("%s failed in %s", life.name, where, exc_info=error)
    else:
        life.guard.tell(Crashed(life, where, kind, fatal, error))
