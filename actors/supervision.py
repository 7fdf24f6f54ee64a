"""The mail between supervisors and those who ask them.

StartChild ──▶ supervisor ──▶ Ready        Find, Count, ToAll: the directory of callers
Dismiss    ──▶ supervisor                  supervisor ──▶ Gone to its mourners · Crash to whoever reports
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from actors.plan import Child
from actors.runtime import Address, Mail, Where


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
