"""Quotas of one process, in memory.

    RateLimiterActor ──▶ Quotas: a GCRA bucket for each caller and kind · slots by caller

Made by whoever builds the house and handed to the actor at every birth: its crash forgets no quota.
"""

from __future__ import annotations

from dataclasses import dataclass

from actors.buckets import Gcra
from actors.messages import Bucket


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in so many seconds, all of them at once if need be."""

    limit: int
    period: float


class Quotas:
    """The state of all buckets and slots."""

    def __init__(self) -> None:
        self._buckets: dict[str, dict[Bucket, Gcra]] = {}
        self._slots: set[str] = set()

    def bucket(self, caller: str, bucket: Bucket, rate: Rate) -> Gcra:
        """The caller's bucket of that kind, full when it is new."""
        theirs = self._buckets.setdefault(caller, {})
        if bucket not in theirs:
            theirs[bucket] = Gcra(rate.limit, period=rate.period)
        return theirs[bucket]

    def take_slot(self, caller: str, *, limit: int) -> bool:
        """One slot for the caller, who may hold it already; `False` when all are taken."""
        if caller not in self._slots and len(self._slots) >= limit:
            return False
        self._slots.add(caller)
        return True

    def give_slot(self, caller: str) -> None:
        """The caller's slot is free again, if they had one."""
        self._slots.discard(caller)

    def forget(self, caller: str) -> None:
        """The caller is gone, with everything that was theirs."""
        self._buckets.pop(caller, None)
        self._slots.discard(caller)

    @property
    def slots(self) -> int:
        """How many calls there are."""
        return len(self._slots)

    def __len__(self) -> int:
        """How many callers anything is kept for."""
        return len(self._buckets.keys() | self._slots)
