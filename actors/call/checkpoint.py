"""Where a call has got to: all that is needed to go on with it.

    ConnectionActor ──▶ CallCheckpoint ──┐
                                         ├── kept in the Life of each actor, swapped whole, handed to the reborn
    LinkActor ────────▶ LinkCheckpoint ──┘

Frozen values: whoever crashed can have left none half-written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from actors.call.floor import Floor
from actors.link_port import Line
from actors.messages import ContextUpdate, Modality, Start
from actors.phases import Phase
from actors.runtime import Address


@dataclass(frozen=True, slots=True)
class CallCheckpoint:
    """The caller's side of a call."""

    phase: Phase = Phase.IDLE
    calls: int = 0
    """How many calls this socket has begun."""
    call: str = ""
    """The id of the present one."""
    started_at: float = 0.0
    """On the actor's clock, in seconds."""
    start: Start = field(default_factory=Start)
    session_id: str = ""
    model: str = ""
    link: Address | None = None
    session: int = -1
    """The upstream session whose mail is believed."""
    floor: Floor = field(default_factory=Floor)
    snapshots: Mapping[Modality, ContextUpdate] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LinkCheckpoint:
    """The model's side of a call."""

    session: int
    line: Line
    dials: int
    up: bool = False
    handle: str | None = field(default=None, repr=False)
    """Where the session can be resumed; a secret."""
