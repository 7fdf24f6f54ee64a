"""The load generator: a crowd of calls through one subject, and what that costs the subject's process.

    python -m bench.callers --url ws://… --pid N --calls 50 --seconds 8      prints one JSON object, a `Measured`

    a few calls, to warm up ─▶ crowd in JSON: start · memory · talk ─▶ hang up ─▶ crowd in binary: start · talk

Starts come at a fixed rate and frames at the moments of a timetable, however late the answers are (an open loop): a
subject that is slow is not spared. Callers speak in turn, evenly over the 20 ms of a frame, as strangers would.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import cast

import orjson
import uvloop
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from bench.caller import Caller, NoCall
from bench.figures import Measured
from bench.frames import FRAME_MS, faults
from bench.gauge import Gone, cpu_seconds, resident_bytes

WARM = 5
"""Calls that stay quiet from beginning to end: what a first call loads is no call's own."""
STARTS_PER_SECOND = 50
SETTLE = 0.5
"""Seconds from the last start to the look at the memory."""
LOOK_EVERY = 0.02
"""Seconds between two looks whether the last frames have come back."""
LOOKS = 150
"""Of them; then a frame counts as lost."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Who is measured."""

    url: str
    pid: int


@dataclass(frozen=True, slots=True)
class Starts:
    """How the calls of a crowd began."""

    seconds: list[float]
    """How long each took."""
    cpu: float
    """CPU seconds of all of them together."""
    faults: list[str]


@dataclass(frozen=True, slots=True)
class Talk:
    """What became of a crowd's frames."""

    frames: int
    cpu: float
    """CPU seconds of all of them together."""
    wall: float
    """Seconds from the first to the last."""
    late: float
    """Seconds, at most."""
    faults: list[str]

    @property
    def frame_us(self) -> float:
        """CPU microseconds a frame."""
        return self.cpu / max(1, self.frames) * 1e6


async def measure(subject: Subject, calls: int, seconds: float) -> Measured:
    """One round of one subject. Raises `Gone` and `NoCall` when there is nothing to be measured."""
    async with _connected(subject, WARM) as warm:
        warmed = await _start(subject, warm, binary=False)
        before = resident_bytes(subject.pid)
        async with _connected(subject, calls) as callers:
            json_starts = await _start(subject, callers, binary=False)
            quiet = (resident_bytes(subject.pid) - before) / calls
            json_talk = await _talk(subject, callers, seconds / 2)
        async with _connected(subject, calls) as callers:
            binary_starts = await _start(subject, callers, binary=True)
            binary_talk = await _talk(subject, callers, seconds / 2)
    starts, talks = (json_starts, binary_starts), (json_talk, binary_talk)
    return Measured(
        json_us=json_talk.frame_us,
        binary_us=binary_talk.frame_us,
        quiet_kb=quiet / 1024,
        start_ms=tuple(taken * 1000 for start in starts for taken in start.seconds),
        start_cpu_ms=sum(start.cpu for start in starts) / (2 * calls) * 1000,
        frames=sum(talk.frames for talk in talks),
        busy=max(talk.cpu / talk.wall for talk in talks),
        late_ms=max(talk.late for talk in talks) * 1000,
        faults=tuple(fault for part in (warmed, *starts, *talks) for fault in part.faults),
    )


@asynccontextmanager
async def _connected(subject: Subject, calls: int) -> AsyncIterator[list[Caller]]:
    """Sockets that have been greeted; hung up at the end of the block."""
    callers = [await _dialled(subject.url) for _ in range(calls)]
    yield callers
    await asyncio.gather(*(caller.close() for caller in callers))


async def _dialled(url: str) -> Caller:
    try:
        dialled = await connect(
            url, create_connection=Caller, compression=None, ping_interval=None, proxy=None, close_timeout=2
        )
    except (OSError, InvalidHandshake) as error:
        raise NoCall(f"no socket: {error}") from None
    caller = cast(Caller, dialled)
    await caller.greeted()
    return caller


async def _start(subject: Subject, callers: Sequence[Caller], *, binary: bool) -> Starts:
    """Begin all calls, so many a second, and let them come to rest."""
    cpu, begun = cpu_seconds(subject.pid), time.perf_counter()
    starting = []
    for number, caller in enumerate(callers):
        await asyncio.sleep(max(0.0, begun + number / STARTS_PER_SECOND - time.perf_counter()))
        starting.append(asyncio.create_task(_begun(caller, number, binary=binary)))
    ended = await asyncio.gather(*starting)
    await asyncio.sleep(SETTLE)
    seconds = [each for each in ended if isinstance(each, float)]
    failed = [each for each in ended if isinstance(each, NoCall)]
    if not seconds:
        raise NoCall(f"no call started: {failed[0]}")
    words = [f"{len(failed)} of {len(callers)} calls did not start: {failed[0]}"] if failed else []
    return Starts(seconds, cpu_seconds(subject.pid) - cpu, words)


async def _begun(caller: Caller, number: int, *, binary: bool) -> float | NoCall:
    try:
        return await caller.start(number, binary=binary)
    except NoCall as why:
        return why


async def _talk(subject: Subject, callers: Sequence[Caller], seconds: float) -> Talk:
    """Let all whose call has begun talk for so long, and hear what comes back."""
    callers = [caller for caller in callers if caller.begun]
    cpu, begun = cpu_seconds(subject.pid), time.perf_counter()
    late = await _speak(callers, max(1, round(seconds * 1000 / FRAME_MS)))
    for _ in range(LOOKS):
        if not any(caller.tally.lost for caller in callers):
            break
        await asyncio.sleep(LOOK_EVERY)
    frames = sum(caller.tally.sent + caller.tally.heard for caller in callers)
    told = sorted({code for caller in callers for code in caller.refusals})
    words = [*faults([caller.tally for caller in callers]), *(f"callers were told {code}" for code in told)]
    return Talk(frames, cpu_seconds(subject.pid) - cpu, time.perf_counter() - begun, late, words)


async def _speak(callers: Sequence[Caller], frames: int) -> float:
    """Send so many frames of each caller by the timetable; return the greatest lateness, in seconds."""
    begun, late = time.perf_counter(), 0.0
    between = FRAME_MS / 1000 / len(callers)
    turn, turns = 0, frames * len(callers)
    while turn < turns:
        elapsed = time.perf_counter() - begun
        late = max(late, elapsed - turn * between)
        due = min(turns, int(elapsed / between) + 1)
        for now in range(turn, due):
            callers[now % len(callers)].say(now // len(callers))
        turn = due
        await asyncio.sleep(max(0.0, begun + turn * between - time.perf_counter()))
    return late


def main() -> int:
    """Measure as asked; the exit code."""
    asked = argparse.ArgumentParser(prog="bench.callers", description="a crowd of callers, and what they cost")
    asked.add_argument("--url", required=True, help="ws://host:port of the subject")
    asked.add_argument("--pid", type=int, required=True, help="the subject's process")
    asked.add_argument("--calls", type=int, required=True, help="how many talk at the same time")
    asked.add_argument("--seconds", type=float, required=True, help="how long they talk, half of it in JSON")
    given = asked.parse_args()
    gc.disable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            measured = runner.run(measure(Subject(given.url, given.pid), given.calls, given.seconds))
        except (Gone, NoCall) as why:
            print(why, file=sys.stderr)
            return 1
    print(orjson.dumps(asdict(measured)).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
