"""Which children a supervisor has: the part of it that must outlive it.

    Roster ── by URN, by name, by group · crashes booked on each budget

It is the supervisor's checkpoint: a supervisor that is reborn keeps its children's refs. Every look-up and every
change costs the same whether there are ten children or ten thousand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from actors.plan import Child
from actors.runtime import Life


@dataclass(eq=False, slots=True)
class Kept:
    """A child on the roster."""

    child: Child
    life: Life
    arguments: Mapping[str, Any]
    """Those of the child, with refs for siblings: what it is born with, each time."""
    leaving: bool = False
    released: bool = False
    """Its last words have been said."""


@dataclass(slots=True)
class Roster:
    """Which children there are: the part of a supervisor that must outlive it."""

    kept: dict[str, Kept] = field(default_factory=dict)
    """By URN, first started first. A child that is ending and the next one of its name are both here."""
    names: dict[str, Kept] = field(default_factory=dict)
    """The newest of each name."""
    groups: dict[str, dict[str, Kept]] = field(default_factory=dict)
    """The members of each group, by URN, first started first."""
    crashes: dict[str, deque[float]] = field(default_factory=dict)
    opened: int = 0
    """How many of the plan's children have been started."""

    def add(self, kept: Kept) -> None:
        self.kept[kept.life.urn] = kept
        self.names[kept.child.name] = kept
        if kept.child.group:
            self.groups.setdefault(kept.child.group, {})[kept.life.urn] = kept

    def of(self, life: Life) -> Kept | None:
        return self.kept.get(life.urn)

    def is_first(self, kept: Kept) -> bool:
        """Whether its group ends with it."""
        return next(iter(self.groups.get(kept.child.group, {}).values()), None) is kept

    def remove(self, kept: Kept) -> None:
        self.kept.pop(kept.life.urn, None)
        if self.names.get(kept.child.name) is kept:
            del self.names[kept.child.name]
        members = self.groups.get(kept.child.group)
        if members is not None:
            members.pop(kept.life.urn, None)
            if not members:
                del self.groups[kept.child.group]
                self.crashes.pop(kept.child.group, None)
