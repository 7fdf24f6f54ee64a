"""Handles, and who holds which conversation. Pure.

    first setup ──▶ begin ──▶ Seat ──▶ issue ──▶ handle … socket closed ──▶ leave
    setup with a handle ──▶ redeem ──▶ a Seat in the same lineage, with the memory of when the handle was issued

One store serves every conversation of an emulator. A lineage (a conversation and all its continuations) has at
most one seat taken: while the old socket is open, a handle is refused with 1011 (aicc2025/sip-to-ai#14 verified
it). A handle belongs to its model, and outlives its session by two hours.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from actors.live.emulator.endings import INTERNAL, INVALID, Close, Refused
from actors.live.emulator.usage import Memory

KEPT = 16
"""Handles of one lineage that can still be redeemed; older ones are forgotten."""


@dataclass(eq=False, slots=True)
class Lineage:
    """One conversation, however many sockets it had one after the other."""

    model: str
    taken: bool = True
    """A socket is open."""
    left_at: float = 0.0
    """When the last socket closed."""
    handles: deque[str] = field(default_factory=deque)


class Handles:
    """Every handle that can still be redeemed. `seconds` is how long a handle outlives its session."""

    def __init__(self, seconds: float, *, seed: int | None = None) -> None:
        self._seconds = seconds
        self._random = Random(seed)
        self._known: dict[str, tuple[Lineage, Memory]] = {}
        self._left: OrderedDict[int, Lineage] = OrderedDict()  # without a socket, those that left first in front

    def begin(self, model: str, memory: Memory) -> Seat:
        """A new conversation."""
        return Seat(self, Lineage(model), memory)

    def redeem(self, handle: str, model: str, *, lost: Close, now: float) -> Seat:
        """Goes on where the handle was issued. Raises `Refused`; with `lost` if there is no such handle."""
        self._forget_old(now)
        if handle not in self._known:
            raise Refused(lost, "setup.sessionResumption.handle: expected one that was issued and has not expired")
        lineage, memory = self._known[handle]
        if lineage.taken:
            raise Refused(INTERNAL, "setup.sessionResumption.handle: expected the earlier socket to be closed")
        if lineage.model != model:
            raise Refused(INVALID, "setup.sessionResumption.handle: expected the model it was issued for")
        lineage.taken = True
        del self._left[id(lineage)]
        return Seat(self, lineage, memory)

    def issue(self, lineage: Lineage, memory: Memory) -> str:
        """A new handle for this moment: a UUID, as recorded."""
        handle = str(UUID(int=self._random.getrandbits(128), version=4))
        self._known[handle] = (lineage, memory)
        lineage.handles.append(handle)
        if len(lineage.handles) > KEPT:
            del self._known[lineage.handles.popleft()]
        return handle

    def release(self, lineage: Lineage, now: float) -> None:
        """The socket is closed; from now on the handles can be redeemed."""
        lineage.taken, lineage.left_at = False, now
        if lineage.handles:
            self._left[id(lineage)] = lineage
        self._forget_old(now)

    def _forget_old(self, now: float) -> None:
        while self._left:
            lineage = next(iter(self._left.values()))
            if lineage.left_at + self._seconds > now:
                return
            del self._left[id(lineage)]
            for handle in lineage.handles:
                del self._known[handle]


class Seat:
    """One socket's place in its lineage. `memory` is what the conversation begins with."""

    def __init__(self, handles: Handles, lineage: Lineage, memory: Memory) -> None:
        self._handles = handles
        self._lineage = lineage
        self.memory = memory

    def issue(self, memory: Memory) -> str:
        """A handle with which this moment can be resumed, once this seat is left."""
        return self._handles.issue(self._lineage, memory)

    def leave(self, now: float) -> None:
        """The socket is closed."""
        self._handles.release(self._lineage, now)
