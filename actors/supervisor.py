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
from typing import Any

from actors.plan import Child, Plan, Sibling, comes_back
from actors.roster import Kept, Roster
from actors.runtime import Crashed, Life, LoopActor, Stopped, Where, born, last_words
from actors.supervision import Count, Crash, Dismiss, Find, Gone, Ready, StartChild, StopChild, ToAll


class GaveUpError(Exception):
    """A supervisor whose children crashed more often than its plan allows."""


class SupervisorActor(LoopActor):
    """Starts, restarts and stops its children as `plan` says.

    `report` is told of every crash and returns the error tracker's id for it, if it has one. The root has nobody
    above it: it calls `gave_up` when a child is beyond its budget (elsewhere that is a crash of its own) or when it
    fails itself, and `farewell` when it has ended.
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
        if self.checkpoint is None:
            self.checkpoint = Roster()
        self._roster: Roster = self.checkpoint
        self._leaving = False  # dismissed: children end, nobody comes back

    @classmethod
    def let_go(cls, arguments: Mapping[str, Any], checkpoint: Roster | None, event_id: str | None) -> None:
        """Nobody is left to look after the children: they are let go too, last started first."""
        for kept in reversed([] if checkpoint is None else list(checkpoint.kept.values())):
            _release(kept, event_id)
            _ask_to_end(kept)
            if kept.life.down:  # in nobody's hands: it will not read that
                kept.life.end()

    def on_start(self) -> None:
        """Take up what the instance before this one left, then start what the plan still wants."""
        for kept in list(self._roster.kept.values()):
            if kept.life.down:  # the mail that told of its crash may have been the poison
                born(kept.child.actor, kept.life, kept.arguments)
        for child in self._plan.children[self._roster.opened :]:
            self._start_child(child)
            self._roster.opened += 1

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
                self._end(self._roster.names.get(name))
            case Find(name):
                kept = self._roster.names.get(name)
                return None if kept is None else kept.life.ref
            case Count():
                return len(self._roster.groups)
            case ToAll(said):
                for members in self._roster.groups.values():
                    next(iter(members.values())).life.ref.tell(said)
            case Dismiss():
                self._dismiss()
        return None

    def on_failure(self, exception_type: Any, exception_value: BaseException | None, traceback: Any) -> None:
        """Only the root's own failure comes to this: nobody above it starts it again."""
        if self._gave_up is not None and isinstance(exception_value, Exception):
            self._gave_up(exception_value)

    def on_stop(self) -> None:
        if self._farewell is not None:
            self._farewell()

    # ── starting ──

    def _start_child(self, child: Child) -> Ready:
        arguments = {key: self._resolved(value) for key, value in child.arguments.items()}
        kept = Kept(child, Life(child.actor, name=child.name, guard=self.actor_ref), arguments)
        self._roster.add(kept)
        born(child.actor, kept.life, arguments)
        if self._leaving:
            self._end(kept)
        return Ready(child.name, kept.life.ref)

    def _resolved(self, value: Any) -> Any:
        if isinstance(value, Sibling):
            return self._roster.names[value.name].life.ref
        if isinstance(value, Plan):
            return Plan(value.budget, value.children, value.each, tuple(map(self._resolved, value.mourners)))
        return value

    # ── crashes ──

    def _crashed(self, crashed: Crashed) -> None:
        kept = self._roster.of(crashed.life)
        if kept is None:  # already let go
            return
        leaving = self._leaving or kept.leaving
        within = not leaving and not crashed.fatal and self._affordable(kept.child)
        ended = None if crashed.where is Where.STOP else crashed.error
        back = within and comes_back(kept.child.restart, ended)
        event_id = self._report(self._crash(crashed, kept.child, back=back))
        if not crashed.life.down:  # it failed in stopping and says so itself, or was revived meanwhile
            return
        if back:
            born(kept.child.actor, kept.life, kept.arguments)
        elif leaving or within:  # nobody misses it, or (temporary) its group goes on without it
            self._bury(kept, event_id)
        else:
            self._give_up(kept, crashed.error, event_id)
        if self._leaving:
            self._go()

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

    def _give_up(self, kept: Kept, error: Exception, event_id: str | None) -> None:
        if not self._plan.each:
            self._fall(kept, error, event_id)
            return
        others = [other for other in self._roster.groups.get(kept.child.group, {}).values() if other is not kept]
        self._bury(kept, event_id)
        for other in others:
            _release(other, event_id)
            self._end(other)

    def _fall(self, kept: Kept, error: Exception, event_id: str | None) -> None:
        """A house actor is beyond its budget: so is this supervisor."""
        gave_up = GaveUpError(f"{kept.child.name} crashed more than {self._plan.budget.crashes} times")
        gave_up.__cause__ = error
        if self._gave_up is None:  # the next instance of this supervisor tries again, on the budget of its own guard
            self._roster.crashes.clear()
            raise gave_up
        self._bury(kept, event_id)
        self._gave_up(gave_up)

    def _bury(self, kept: Kept, event_id: str | None) -> None:
        """End a crashed child without an instance of it."""
        kept.life.end()
        _release(kept, event_id)
        self._remove(kept)

    # ── endings ──

    def _stopped(self, life: Life) -> None:
        kept = self._roster.of(life)
        if kept is None:
            return
        self._remove(kept)
        if comes_back(kept.child.restart, None) and not (self._leaving or kept.leaving):
            self._start_child(kept.child)
        if self._leaving:
            self._go()

    def _remove(self, kept: Kept) -> None:
        group, first = kept.child.group, self._roster.is_first(kept)
        self._roster.remove(kept)
        if first:
            for other in self._roster.groups.get(group, {}).values():
                self._end(other)
        if group and group not in self._roster.groups:
            for mourner in self._plan.mourners:
                assert not isinstance(mourner, Sibling)
                mourner.tell(Gone(group))

    def _end(self, kept: Kept | None) -> None:
        if kept is not None and not kept.leaving:
            kept.leaving = True
            _ask_to_end(kept)

    def _dismiss(self) -> None:
        """Nobody comes back any more. Callers are stopped all at once, house actors one by one."""
        self._leaving = True
        if self._plan.each:
            for kept in reversed(self._roster.kept.values()):
                self._end(kept)
        self._go()

    def _go(self) -> None:
        """Stop the last child; go on when it says that it has."""
        if not self._roster.kept:
            self.stop()
        elif not self._plan.each:
            self._end(next(reversed(self._roster.kept.values())))


def _ask_to_end(kept: Kept) -> None:
    """In order: a supervisor after its children."""
    if issubclass(kept.child.actor, SupervisorActor):
        kept.life.ref.tell(Dismiss())
    else:
        kept.life.ref.stop(block=False)


def _release(kept: Kept, event_id: str | None) -> None:
    """Say a child's last words, once."""
    if not kept.released:
        kept.released = True
        last_words(kept.child.actor, kept.life, kept.arguments, event_id)
