"""Who may have how much, kept by one actor and lent in leases.

    ConnectionActor ── Want(caller, bucket, amount) ──▶ [mailbox] RateLimiterActor ── Lease ──▶ ConnectionActor
                    ── WantSlot(caller, call) ────────▶        │                   ── Slot ──▶
    supervisor ─────── Gone(caller) ──────────────────▶        └── Quotas (store/): outlives a crash of this actor

One question per lease, none per frame. Declines to know what the messages are, and to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from actors.messages import Bucket, Lease, Slot
from actors.runtime import LoopActor, Mail
from actors.store.memory import Quotas, Rate
from actors.supervision import Gone

BUSY_RETRY = 10.0
"""Seconds after which a caller who found all slots taken may try again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What every connection may have, and how many calls the house."""

    buckets: Mapping[Bucket, Rate]
    max_calls: int


@dataclass(frozen=True, slots=True)
class Want:
    """Lend me so many messages of this kind."""

    caller: str
    bucket: Bucket
    amount: int
    reply_to: Mail


@dataclass(frozen=True, slots=True)
class WantSlot:
    """May this caller's call begin? A slot is the caller's until it is given back or the caller is gone."""

    caller: str
    call: str
    reply_to: Mail


@dataclass(frozen=True, slots=True)
class GiveSlot:
    """The caller's call is over."""

    caller: str


class RateLimiterActor(LoopActor):
    """The house's quotas."""

    registered = True

    def __init__(self, *, limits: Limits, quotas: Quotas, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._limits, self._quotas, self._clock = limits, quotas, clock

    def on_receive(self, message: object) -> None:
        match message:
            case Want(caller, bucket, amount, reply_to):
                reply_to.tell(self._lend(caller, bucket, amount))
            case WantSlot(caller, call, reply_to):
                granted = self._quotas.take_slot(caller, limit=self._limits.max_calls)
                reply_to.tell(Slot(call, granted, 0.0 if granted else BUSY_RETRY))
            case GiveSlot(caller):
                self._quotas.give_slot(caller)
            case Gone(caller):
                self._quotas.forget(caller)

    def _lend(self, caller: str, bucket: Bucket, amount: int) -> Lease:
        now = self._clock()
        gcra = self._quotas.bucket(caller, bucket, self._limits.buckets[bucket])
        granted = gcra.take(amount, now)
        return Lease(bucket, granted, 0.0 if granted else gcra.retry_after(now))
