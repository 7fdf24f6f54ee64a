"""Who is started, in which order, and who is started again, how often.

    Plan ──▶ SupervisorActor ──▶ born(child) … in order        stopping is the reverse
                 ▲    │
       Crashed ──┘    ├─ comes back, within its budget ──▶ born again, into the same mailbox and ref
       Stopped ──┘    └─ beyond it ──▶ a caller is let go with words · a house actor takes its supervisor down

Policy is data: the restart word of a child, and a budget: for the whole house, or for each caller when `each` is
set. The roster (which lives there are, by name) is this actor's checkpoint, so a supervisor that is itself reborn
keeps its children's refs. It is also the directory of callers: asked by mail, never a shared map.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from actors.runtime import Address, Crashed, Life, LoopActor, Mail, Stopped, Where, _Mortal, born, last_words


class Restart(StrEnum):
    """When a child that has ended is started again."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    TEMPORARY = "temporary"


def comes_back(restart: Restart, error: Exception | None) -> bool:
    """Whether a child ends for good: `error` is `None` when it stopped in order."""
    match restart:
        case Restart.PERMANENT:
            return True
        case Restart.TRANSIENT:
            return error is not None
        case Restart.TEMPORARY:
            return False


@dataclass(frozen=True, slots=True)
class Sibling:
    """Stands for a ref in a child's arguments: that of a child started before it."""

    name: str


@dataclass(frozen=True, slots=True)
class Child:
    """One actor to be: its class and arguments, never a closure, so that it can be built again."""

    name: str
    actor: type[_Mortal]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    restart: Restart = Restart.PERMANENT
    group: str = ""
    """Children of one group share a budget; when its first one ends, all of it ends."""


@dataclass(frozen=True, slots=True)
class Budget:
    """So many crashes in so many seconds are survived."""

    crashes: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What one supervisor looks after, as a value."""

    budget: Budget
    children: tuple[Child, ...] = ()
    each: bool = False
    """A budget for each group; beyond it the group is let go. Otherwise the supervisor itself gives up."""
    mourners: tuple[Mail | Sibling, ...] = ()
    """Who is told `Gone` when a group has ended."""


@dataclass(frozen=True, slots=True)
class StartChild:
    """Start one more child; the answer, `Ready`, goes to whoever asked or to `reply_to`."""

    child: Child
    reply_to: Mail | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A child was started and can be told things."""

    name: str
    ref: Address


@dataclass(frozen=True, slots=True)
class StopChild:
    """End a child in order, if there is one of that name."""

    name: str


@dataclass(frozen=True, slots=True)
class Find:
    """Who goes by that name? Answered with a ref or `None`."""

    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many groups (callers) are there?"""


@dataclass(frozen=True, slots=True)
class ToAll:
    """Tell the first of every group."""

    message: object


@dataclass(frozen=True, slots=True)
class Dismiss:
    """Stop all children, last started first, then stop."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A group has ended, whichever way."""

    group: str


@dataclass(frozen=True, slots=True)
class Crash:
    """What is known of a failure, for logs and the error tracker. Kinds and names only, never contents."""

    actor: str
    name: str
    where: Where
    kind: str
    error: Exception
    restarts: int
    kinds: tuple[str, ...]
    checkpoint: Any
    comes_back: bool


class GaveUpError(Exception):
    """A supervisor whose children crashed more often than its plan allows."""


@dataclass(slots=True)
class _Kept:
    """A child on the roster."""

    child: Child
    life: Life
    leaving: bool = False


@dataclass(slots=True)
class Roster:
    """Which children there are: the part of a supervisor that must outlive it."""

    kept: dict[str, _Kept] = field(default_factory=dict)
    by_urn: dict[str, str] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    crashes: dict[str, deque[float]] = field(default_factory=dict)

    def add(self, child: Child, life: Life) -> None:
        self.kept[child.name] = _Kept(child, life)
        self.by_urn[life.urn] = child.name
        if child.group:
            self.groups.setdefault(child.group, []).append(child.name)

    def of(self, life: Life) -> _Kept | None:
        name = self.by_urn.get(life.urn)
        return None if name is None else self.kept[name]

    def remove(self, kept: _Kept) -> None:
        self.kept.pop(kept.child.name, None)
        self.by_urn.pop(kept.life.urn, None)
        names = self.groups.get(kept.child.group)
        if names is not None:
            names.remove(kept.child.name)
            if not names:
                del self.groups[kept.child.group]
                self.crashes.pop(kept.child.group, None)


class SupervisorActor(LoopActor):
    """Starts, restarts and stops its children as `plan` says.

    `report` is told of every crash and returns the error tracker's id for it, if it has one. The root has nobody
    above it: it calls `gave_up` when a child is beyond its budget (elsewhere that is a crash of its own), and
    `farewell` when it has ended.
    """

    registered = True

    def __init__(
        self,
        *,
        plan: Plan,
        report: Callable[[Crash], str | None],
        gave_up: Callable[[Exception], None] | None = None,
        farewell: Callable[[], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self._plan, self._report, self._clock = plan, report, clock
        self._gave_up, self._farewell = gave_up, farewell
        self._reborn = self.checkpoint is not None
        if not self._reborn:
            self.checkpoint = Roster()
        self._roster: Roster = self.checkpoint
        self._leaving = False  # dismissed: children end, nobody comes back

    def on_start(self) -> None:
        if self._reborn:
            self._revive()
            return
        for child in self._plan.children:
            self._start_child(child)

    def on_receive(self, message: object) -> Any:
        match message:
            case StartChild(child, reply_to):
                ready = self._start_child(child)
                if reply_to is not None:
                    reply_to.tell(ready)
                return ready
            case Crashed():
                self._crashed(message)
            case Stopped(life):
                self._stopped(life)
            case StopChild(name):
                self._end(self._roster.kept.get(name))
            case Find(name):
                kept = self._roster.kept.get(name)
                return None if kept is None else kept.life.ref
            case Count():
                return len(self._roster.groups)
            case ToAll(said):
                for names in list(self._roster.groups.values()):
                    self._roster.kept[names[0]].life.ref.tell(said)
            case Dismiss():
                self._leaving = True
                self._dismiss()
        return None

    def on_stop(self) -> None:
        if self._farewell is not None:
            self._farewell()

    # ── starting ──

    def _start_child(self, child: Child) -> Ready:
        life = Life(child.actor, name=child.name, guard=self.actor_ref)
        self._roster.add(child, life)
        self._bear(child, life)
        return Ready(child.name, life.ref)

    def _bear(self, child: Child, life: Life) -> None:
        born(child.actor, life, {key: self._resolved(value) for key, value in child.arguments.items()})

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Sibling):
            return self._roster.kept[value.name].life.ref
        if isinstance(value, Plan):
            return Plan(value.budget, value.children, value.each, tuple(map(self._resolved, value.mourners)))
        return value

    def _revive(self) -> None:
        """Take up what the instance before this one left: a child whose crash it was handling still waits."""
        for kept in list(self._roster.kept.values()):
            if kept.life.down:
                self._bear(kept.child, kept.life)

    # ── crashes ──

    def _crashed(self, crashed: Crashed) -> None:
        kept = self._roster.of(crashed.life)
        if kept is None:  # already let go
            return
        leaving = self._leaving or kept.leaving
        within = not leaving and not crashed.fatal and self._affordable(kept.child)
        back = within and comes_back(kept.child.restart, crashed.error)
        event_id = self._report(self._crash(crashed, kept.child, back=back))
        if not crashed.life.down:  # it failed in stopping and says so itself, or was revived meanwhile
            return
        if back:
            self._bear(kept.child, crashed.life)
        elif leaving or within:  # nobody misses it, or (temporary) its group goes on without it
            self._bury(kept, event_id)
        else:
            self._give_up(kept, crashed.error, event_id)
        if self._leaving:
            self._dismiss()

    def _affordable(self, child: Child) -> bool:
        """Book a crash; whether its budget allows one more."""
        budget, now = self._plan.budget, self._clock()
        crashes = self._roster.crashes.setdefault(child.group if self._plan.each else "", deque())
        crashes.append(now)
        while crashes[0] <= now - budget.seconds:
            crashes.popleft()
        return len(crashes) <= budget.crashes

    def _crash(self, crashed: Crashed, child: Child, *, back: bool) -> Crash:
        life = crashed.life
        return Crash(
            actor=child.actor.__name__,
            name=child.name,
            where=crashed.where,
            kind=crashed.kind,
            error=crashed.error,
            restarts=life.births - 1,
            kinds=tuple(life.kinds),
            checkpoint=life.checkpoint,
            comes_back=back,
        )

    def _give_up(self, kept: _Kept, error: Exception, event_id: str | None) -> None:
        if not self._plan.each:
            self._fall(kept, error, event_id)
            return
        names = self._roster.groups.get(kept.child.group, [kept.child.name])
        others = [self._roster.kept[name] for name in names if name != kept.child.name]
        self._bury(kept, event_id)
        for other in others:
            last_words(other.child.actor, other.life, other.child.arguments, event_id)
            self._end(other)

    def _fall(self, kept: _Kept, error: Exception, event_id: str | None) -> None:
        """A house actor is beyond its budget: so is this supervisor."""
        self._bury(kept, event_id)
        gave_up = GaveUpError(f"{kept.child.name} crashed more than {self._plan.budget.crashes} times")
        gave_up.__cause__ = error
        if self._gave_up is None:
            raise gave_up
        self._gave_up(gave_up)

    def _bury(self, kept: _Kept, event_id: str | None) -> None:
        """End a crashed child without an instance of it."""
        kept.life.stopped.set()
        last_words(kept.child.actor, kept.life, kept.child.arguments, event_id)
        self._remove(kept)

    # ── endings ──

    def _stopped(self, life: Life) -> None:
        kept = self._roster.of(life)
        if kept is None:
            return
        child = kept.child
        self._remove(kept)
        if comes_back(child.restart, None) and not (self._leaving or kept.leaving):
            self._start_child(child)
        if self._leaving:
            self._dismiss()

    def _remove(self, kept: _Kept) -> None:
        group = kept.child.group
        first = self._roster.groups.get(group, [""])[0] == kept.child.name
        self._roster.remove(kept)
        if first:
            for name in list(self._roster.groups.get(group, ())):
                self._end(self._roster.kept[name])
        if group and group not in self._roster.groups:
            for mourner in self._plan.mourners:
                assert not isinstance(mourner, Sibling)
                mourner.tell(Gone(group))

    def _end(self, kept: _Kept | None) -> None:
        if kept is not None and not kept.leaving:
            kept.leaving = True
            kept.life.ref.stop(block=False)

    def _dismiss(self) -> None:
        """Stop the last child (callers: all of them); go on when it says that it has."""
        remaining = list(self._roster.kept.values())
        if not remaining:
            self.stop()
        for kept in reversed(remaining if self._plan.each else remaining[-1:]):
            if issubclass(kept.child.actor, SupervisorActor) and not kept.leaving:
                kept.leaving = True
                kept.life.ref.tell(Dismiss())
            else:
                self._end(kept)
