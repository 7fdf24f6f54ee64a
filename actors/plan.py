"""Who is started again, how often: policy as values.

    Plan ── Budget · Child Child … (class and arguments, restart word, group) ──▶ SupervisorActor

Order is start order. A child is described, never a closure, so that it can be built again; a `Sibling` among its
arguments stands for the ref of a child started before it. Nothing here starts anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from actors.runtime import Mail, _Mortal


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
