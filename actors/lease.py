"""Quota spent where it is used.

    message ──▶ Purse.spend(now) ──▶ yes / no          no question, no waiting
                    │    ▲
       runs low ────┘    └── Lease from the RateLimiterActor
       Want(amount)

A purse is refilled before it is empty. While the answer is on its way one lease more may be spent on credit, so
that no message waits for it; what was spent so is paid from the next lease.
"""

from __future__ import annotations

from actors.messages import Lease


class Purse:
    """What one caller has left of one bucket."""

    def __init__(self, *, size: int) -> None:
        self._size = size  # messages in one lease
        self._left = 0
        self._asked = False
        self._shut_until = 0.0

    def spend(self, now: float) -> bool:
        """Take one; `False` while there is none to be had."""
        if now < self._shut_until or self._left <= -self._size:
            return False
        self._left -= 1
        return True

    def wanted(self, now: float) -> int:
        """How many to ask the limiter for; 0 when there is enough, an answer on its way, or nothing to be had."""
        if self._asked or 2 * self._left >= self._size or now < self._shut_until:
            return 0
        self._asked = True
        return self._size - self._left

    def refill(self, lease: Lease, now: float) -> None:
        """The limiter has answered."""
        self._asked = False
        self._left += lease.granted
        if self._left <= 0:
            self._shut_until = now + lease.retry_after

    def retry_after(self, now: float) -> float:
        """Seconds until spending makes sense again."""
        return max(0.0, self._shut_until - now)
