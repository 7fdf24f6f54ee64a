"""How much may be taken, now.      pure

    RateLimiterActor, the door ──▶ Gcra.take(wanted, now) ──▶ granted     things that are counted: messages, calls
                               ──▶ Pour.pour(amount, now) ──▶ yes or no   things that flow: bytes, seconds of sound

Both are told the time, in seconds of a clock that only goes forward, and keep none; where it goes back all the same,
nothing is granted for it. Neither drops, waits or answers anybody: that is for who asks.

Clocks are floats, and at 1e9 seconds their neighbours are 119 ns apart, so a sender at exactly the rate is now and
then early by that much. `SLACK` forgives it, and it does not add up: Gcra reckons in whole numbers, and Pour in the
differences of neighbouring moments, which floats hold exactly (Sterbenz); a million pours stay far below the slack.
"""

from __future__ import annotations

SLACK = 1e-6
"""Seconds by which anybody may be early."""
NANOSECONDS = 1_000_000_000


class Gcra:
    """So many in a period, as the generic cell rate algorithm counts them (ITU-T I.371, virtual scheduling).

    `limit` may be taken at once; then one comes back every `period / limit` seconds. In any stretch of time no more
    is granted than `limit` and what came back meanwhile: unlike in a fixed window, there is no moment at which twice
    the limit passes, and a sender at exactly the rate is never refused.
    """

    __slots__ = ("_due", "_limit", "_period", "_slack")

    def __init__(self, limit: int, *, period: float) -> None:
        """Raises `ValueError` for what can never grant anything."""
        self._limit = limit
        self._period = round(period * NANOSECONDS)
        if limit < 1 or self._period < 1:
            raise ValueError(f"found {limit} in {period} s, expected at least 1 in a positive time")
        self._slack = round(SLACK * NANOSECONDS) * limit
        self._due: int | None = None
        """When the bucket will be full again, in units of a nanosecond over the limit: in these, all is whole."""

    def take(self, wanted: int, now: float) -> int:
        """Take as many as there are, up to what is wanted; returns how many were granted."""
        granted = max(0, min(wanted, self._room(now) // self._period))
        if granted:
            moment = self._moment(now)
            self._due = max(moment if self._due is None else self._due, moment) + granted * self._period
        return granted

    def retry_after(self, now: float) -> float:
        """Seconds until at least one can be taken; 0 when one can be taken now."""
        if self._room(now) >= self._period:
            return 0.0
        missing = self._period - self._room(now) + self._slack  # who waits is not early
        return missing / (self._limit * NANOSECONDS)

    def _room(self, now: float) -> int:
        """What may be booked now, in the same units; one costs a period of them."""
        behind = 0 if self._due is None else max(0, self._due - self._moment(now))
        return self._limit * self._period - behind + self._slack

    def _moment(self, now: float) -> int:
        return round(now * NANOSECONDS) * self._limit


class Pour:
    """A vessel that drains by `rate` a second and holds `burst`: what flows in must fit."""

    __slots__ = ("_at", "_burst", "_level", "_rate")

    def __init__(self, *, rate: float, burst: float) -> None:
        """Raises `ValueError` for what can never take anything."""
        if rate <= 0 or burst <= 0:
            raise ValueError(f"found a rate of {rate} and a burst of {burst}, expected both above 0")
        self._rate = rate
        self._burst = burst
        self._level = 0.0
        self._at: float | None = None
        """The latest moment heard of."""

    def pour(self, amount: float, now: float) -> bool:
        """Whether all of it fits; if not, nothing was poured. More than the burst never fits."""
        elapsed = 0.0 if self._at is None else max(0.0, now - self._at)
        self._at = now if self._at is None else max(self._at, now)
        self._level = max(0.0, self._level - self._rate * elapsed)
        if self._level + amount > self._burst + self._rate * SLACK:
            return False
        self._level += amount
        return True
