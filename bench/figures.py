"""From what was measured to what is printed. Pure.

    Measured (a round of one subject) ──▶ ROWS ──▶ medians, ratios of the pairs ──▶ Row ──▶ table

The two subjects of a round are measured one right after the other, so what the machine does otherwise in those
seconds is in both: their ratio is steadier than either figure, and it is what is to be compared between machines.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

GATEWAY, FLOOR = "gateway", "floor A"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one process did and took in one round."""

    json_us: float
    """CPU time per relayed frame, up or down, in JSON with base64."""
    binary_us: float
    """The same in binary frames; upstream there is JSON always."""
    quiet_kb: float
    """Memory that a started and quiet call adds."""
    start_ms: tuple[float, ...]
    """From `start` to `session_started`, of every call."""
    start_cpu_ms: float
    frames: int
    """Relayed, both ways."""
    busy: float
    """Share of the time in which the process had its core while calls talked, in the busier of the two wires."""
    late_ms: float
    """How much later than planned the load generator has sent a frame, at most."""
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of both subjects."""

    name: str
    unit: str
    gateway: float
    floor: float
    ratio: float
    lowest: float
    """Of the rounds' ratios …"""
    highest: float


# What is printed: name, unit, and how a round shows it.
ROWS: tuple[tuple[str, str, Callable[[Measured], float]], ...] = (
    ("CPU per frame, JSON", "µs", lambda seen: seen.json_us),
    ("CPU per frame, binary", "µs", lambda seen: seen.binary_us),
    ("memory of a quiet call", "KB", lambda seen: seen.quiet_kb),
    ("start of a call, p50", "ms", lambda seen: percentile(seen.start_ms, 50)),
    ("start of a call, p99", "ms", lambda seen: percentile(seen.start_ms, 99)),
    ("CPU of a call's start", "ms", lambda seen: seen.start_cpu_ms),
)
_WIDTH = max(len(name) for name, _, _ in ROWS)
HEAD = f"{'':{_WIDTH}}       {GATEWAY:>9} {FLOOR:>9} {'ratio':>8}   of the rounds"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent are not above (nearest rank). Raises `ValueError` when there is none."""
    if not values:
        raise ValueError("found no values, expected at least one")
    return sorted(values)[max(0, math.ceil(percent / 100 * len(values)) - 1)]


def ratio(ours: float, theirs: float) -> float:
    """How many times as much; not a number when there is nothing to compare with."""
    return ours / theirs if theirs > 0 else math.nan


def rows(rounds: Sequence[tuple[Measured, Measured]]) -> list[Row]:
    """The medians over the rounds of gateway and floor."""
    return [_row(name, unit, [(show(ours), show(theirs)) for ours, theirs in rounds]) for name, unit, show in ROWS]


def _row(name: str, unit: str, figures: Sequence[tuple[float, float]]) -> Row:
    ours, theirs = zip(*figures, strict=True)
    ratios = [ratio(mine, other) for mine, other in figures]
    return Row(name, unit, median(ours), median(theirs), median(ratios), min(ratios), max(ratios))


def table(rows: Sequence[Row]) -> str:
    """Plain text, aligned."""
    return "\n".join([HEAD, *map(_line, rows)])


def _line(row: Row) -> str:
    figures = f"{row.gateway:9.2f} {row.floor:9.2f} {row.ratio:7.2f}×"
    return f"{row.name:{_WIDTH}}  {row.unit:>3}  {figures}   {row.lowest:.2f} … {row.highest:.2f}"
