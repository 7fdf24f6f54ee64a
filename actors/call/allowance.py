"""What one caller may do now.

    message ──▶ may(bucket) ──▶ yes / no ── at most one refusal a second is put in words
                   │    ▲
              Want │    │ Lease
                   ▼    │
             RateLimiterActor

Messages are counted in purses that are refilled by leases; the caller's sound is also measured, in seconds, since a
sender of many small frames may keep to their number and still send faster than anybody speaks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from actors.buckets import Pour
from actors.call.lease import Purse
from actors.errors import RATE_LIMITED, GatewayError
from actors.messages import CALLER_BYTES_PER_SECOND, Bucket, Lease
from actors.metrics import Metrics
from actors.rate_limiter import Want
from actors.runtime import Mail

SOUND_RATE = 1.2
"""Seconds of sound accepted in a second."""
SOUND_BURST = 10.0
"""Seconds of sound accepted at once."""
WORDS_EVERY = 1.0
"""Seconds between two refusals in words."""


class Allowance:
    """The purses of one caller, spent without asking."""

    def __init__(
        self, caller: str, limiter: Mail, reply_to: Mail, *, limits: Mapping[Bucket, int], metrics: Metrics
    ) -> None:
        self._caller, self._limiter, self._reply_to, self._metrics = caller, limiter, reply_to, metrics
        self._purses = {bucket: Purse(limit=limit) for bucket, limit in limits.items()}
        self._sound = Pour(rate=SOUND_RATE, burst=SOUND_BURST)
        self._worded_at = -math.inf

    def may(self, bucket: Bucket, now: float) -> bool:
        """Spend one message of this kind; `False` when there is none to spend."""
        purse = self._purses[bucket]
        allowed = purse.spend(now)
        wanted = purse.wanted(now)
        if wanted:
            self._limiter.tell(Want(self._caller, bucket, wanted, self._reply_to))
        if not allowed:
            self._metrics.quota_refusals.labels(bucket).inc()
        return allowed

    def hears(self, pcm: bytes, now: float) -> bool:
        """Whether that much sound can have been spoken by now."""
        return self._sound.pour(len(pcm) / CALLER_BYTES_PER_SECOND, now)

    def refill(self, lease: Lease, now: float) -> None:
        """The limiter has answered."""
        self._purses[lease.bucket].refill(lease, now)

    def refusal(self, bucket: Bucket | None, now: float) -> GatewayError | None:
        """The refusal in words, with the seconds to wait; `None` when one was given within the last second."""
        if now - self._worded_at < WORDS_EVERY:
            return None
        self._worded_at = now
        wait = 1.0 if bucket is None else self._purses[bucket].retry_after(now)
        seconds = max(1, math.ceil(wait))
        # The old browser client keys on this wording.
        return GatewayError(RATE_LIMITED, f"{RATE_LIMITED.words}. Try again in {seconds}s", retry_after=float(seconds))
