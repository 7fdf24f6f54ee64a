"""Quota spent where it is used.

    message ──▶ Purse.spend(now) ──▶ yes / no          no question, no waiting
                    │    ▲
       runs low ────┘    └── Lease from the RateLimiterActor
       wanted(now)

A purse is refilled before it is empty. The answer to a question waits in the mailbox behind all that came before it,
perhaps a whole burst, so a bucket's worth may be spent on credit meanwhile: a burst that the bucket allows is never
refused for being read at once. What was spent so is paid from the leases that follow, so in the long run nobody has
more than the limiter grants, and at any moment at most one bucket's worth more. A question that was lost, because
the limiter crashed over it, is asked again: the caller would be refused for ever.
"""

from __future__ import annotations

import math

from actors.messages import Lease

LEASES = 10
"""Leases in a bucket."""
ANSWER = 5.0
"""Seconds after which a question counts as lost. If its answer comes all the same, it was taken from the bucket too."""


class Purse:
    """What one caller has left of one bucket, which holds `limit`."""

    def __init__(self, *, limit: int) -> None:
        self._size = max(1, limit // LEASES)
        self._credit = limit
        self._left = 0  # below zero: spent on credit
        self._asked_at = -math.inf  # when the question was asked that has no answer yet
        self._shut_until = 0.0

    def spend(self, now: float) -> bool:
        """Take one; `False` while there is none to be had."""
        if now < self._shut_until or self._left <= -self._credit:
            return False
        self._left -= 1
        return True

    def wanted(self, now: float) -> int:
        """How many to ask the limiter for; 0 when there is enough, an answer on its way, or nothing to be had."""
        if now - self._asked_at < ANSWER or 2 * self._left >= self._size or now < self._shut_until:
            return 0
        self._asked_at = now
        return self._size - self._left

    def refill(self, lease: Lease, now: float) -> None:
        """The limiter has answered."""
        waited, self._asked_at = now - self._asked_at, -math.inf
        self._left += lease.granted
        if self._left <= 0:
            self._shut_until = now + max(0.0, lease.retry_after - waited)

    def retry_after(self, now: float) -> float:
        """Seconds until spending makes sense again."""
        return max(0.0, self._shut_until - now)
