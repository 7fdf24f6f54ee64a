"""A caller without a browser: plays a file into a gateway and keeps what it answers.

    speech.wav ──▶ sound ──▶ timetable ──▶ Phone ──ws──▶ gateway
                                             │  ▲           │
         a person ◀── lines, figures ────────┘  └─ PhoneEar ◀┘ ──▶ reply.wav

The order is that of every client: wait for `connected`, send `start`, wait for `session_started`, speak in frames of
20 ms, then keep a microphone's silence going until a turn of the model's is complete, `stop`, wait for
`session_closed`, close with 1000. Speaking and listening go on at once; whoever is done first ends the other.

What was heard is PhoneEar's, the dialling dial's, the timing pace's. Nothing is dialled twice: a test
call that has to be repeated has failed.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path
from typing import Protocol, TextIO

from pydantic import SecretStr
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from actors.messages import MODEL_RATE
from actors.phone.dial import BadAddress, Unreachable, address, dial
from actors.phone.ear import PhoneEar
from actors.phone.pace import FRAME, FRAME_MS, Pace, timetable
from actors.phone.report import CallReport, Who, figures, spoken
from actors.phone.sound import BadWav, frames, last_spoken, read_wav, write_wav

DEFAULT_URL = "ws://127.0.0.1:8080"
PATIENCE = 15.0
"""Seconds without a sign of the model's after which the phone gives up."""
CONNECTED_SECONDS = 10.0
READY_SECONDS = 30.0
"""As long as the old server gives its upstream to connect."""
GOODBYE_SECONDS = 3.0
START = '{"type":"start","payload":{"audio":"binary"}}'
STOP = '{"type":"stop"}'
DONE, FAILED, MISTAKEN, INTERRUPTED = 0, 1, 2, 130
"""Exit codes."""


class Clock(Protocol):
    """Time, in seconds from anywhere."""

    def now(self) -> float: ...

    async def until(self, moment: float) -> None:
        """Return at that moment, or at once when it has passed."""

    def limit(self, seconds: float) -> AbstractAsyncContextManager[object]:
        """Raise `TimeoutError` from a block that takes longer."""


class WallClock:
    """The time of this machine, which never goes back."""

    def now(self) -> float:
        return time.monotonic()

    async def until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))

    def limit(self, seconds: float) -> AbstractAsyncContextManager[object]:
        return asyncio.timeout(seconds)


class Phone:
    """One call over one open socket."""

    def __init__(self, socket: ClientConnection, *, out: TextIO, patience: float, clock: Clock) -> None:
        self._socket = socket
        self._out = out
        self._patience = patience
        self._clock = clock
        self._ear = PhoneEar(clock.now())
        self._begun = False
        """`start` has left, so a goodbye is due."""
        self._sent = 0
        """Frames of the file that have left."""
        self._printed = 0
        """Lines of the call that a person has seen."""

    async def talk(self, pieces: Sequence[bytes], pace: Pace) -> None:
        """The call from the first word to the answer, or to what came instead of it."""
        await self._reach(lambda: self._ear.connected, CONNECTED_SECONDS, "greet")
        if self._ear.connected and not self._ear.over:
            self._begun = True
            await self._send(START)
            await self._reach(lambda: self._ear.ready or self._ear.failed, READY_SECONDS, "get ready")
        if self._ear.ready and not self._ear.over:
            await _either(self._listen(lambda: self._ear.satisfied), self._speak(pieces, pace))
        if self._ear.satisfied:
            self._ear.end("the answer was complete")

    async def part(self) -> CallReport:
        """Say goodbye, hang up, and tell how it was."""
        self._ear.end("hung up here")
        try:
            if self._begun and not self._ear.failed:
                await self._send(STOP)
                async with self._clock.limit(GOODBYE_SECONDS):
                    await self._listen(lambda: False)
        except TimeoutError:
            self._ear.note(Who.ERROR, f"the gateway did not say goodbye within {GOODBYE_SECONDS:g} s")
        finally:
            await self._socket.close()
        report = self._ear.report(self._sent * FRAME)
        self._print()
        self._out.write(figures(report) + "\n")
        return report

    async def _reach(self, there: Callable[[], bool], seconds: float, what: str) -> None:
        try:
            async with self._clock.limit(seconds):
                await self._listen(there)
        except TimeoutError:
            self._ear.end(f"the gateway did not {what} within {seconds:g} s")

    async def _listen(self, enough: Callable[[], bool]) -> None:
        """Hear until that is enough, or the call is over."""
        try:
            while not (enough() or self._ear.over):
                frame = await self._socket.recv()
                answer = self._ear.hear(frame, self._clock.now())
                self._print()
                if answer is not None:
                    await self._send(answer)
        except ConnectionClosed as gone:
            code, reason = (gone.rcvd.code, gone.rcvd.reason) if gone.rcvd else (1006, "")
            self._ear.hung_up(code, reason)

    async def _speak(self, pieces: Sequence[bytes], pace: Pace) -> None:
        """The file and then silence, for as long as there is hope."""
        last, begun = last_spoken(pieces), self._clock.now()
        for n, (moment, piece) in enumerate(timetable(pieces, pace)):
            await self._clock.until(begun + moment)
            if n > last and self._clock.now() - self._ear.last_life > self._patience:
                self._ear.end(f"nothing more was heard of the model for {self._patience:g} s")
                return
            await self._send(piece)
            self._sent = min(n + 1, len(pieces))
            if n == last:
                self._ear.spoke(self._clock.now())

    async def _send(self, frame: str | bytes) -> None:
        with suppress(ConnectionClosed):  # who listens learns how it ended, and what was said before
            await self._socket.send(frame)

    def _print(self) -> None:
        for line in self._ear.lines[self._printed :]:
            self._out.write(spoken(line) + "\n")
        self._out.flush()
        self._printed = len(self._ear.lines)


async def call(
    pcm: bytes,
    *,
    url: str,
    token: str | None,
    pace: Pace,
    out: TextIO,
    patience: float = PATIENCE,
    clock: Clock | None = None,
) -> CallReport:
    """Play a caller's sound (16-bit mono PCM at 16 kHz, not empty) into the gateway at `url`, printing to `out`.

    Raises `Unreachable` when there is no call at all. A cancelled call still says goodbye and prints its figures.
    """
    clock = clock or WallClock()
    phone = Phone(await dial(url, token), out=out, patience=patience, clock=clock)
    try:
        await phone.talk(frames(pcm, FRAME_MS), pace)
    finally:
        report = await phone.part()
    return report


async def run(file: Path, *, url: str, token: SecretStr | None, out: Path | None, pace: Pace) -> int:
    """`server.py call`: the exit code; 0 when the model answered."""
    mistakes, pcm = _prepare(file, url, out)
    if mistakes:
        print(*mistakes, sep="\n", file=sys.stderr)
        return MISTAKEN
    secret = token.get_secret_value() if token else None
    try:
        report = await call(pcm, url=url, token=secret, pace=pace, out=sys.stdout)
    except Unreachable as why:
        print(why, file=sys.stderr)
        return FAILED
    except asyncio.CancelledError:
        return INTERRUPTED  # Ctrl-C: asyncio.run cancels its main task, and the goodbye has been said
    return DONE if _saved(report, out) and report.answered else FAILED


def _prepare(file: Path, url: str, out: Path | None) -> tuple[list[str], bytes]:
    """Everything that is wrong with what was asked for, and the sound to play."""
    mistakes, pcm = [], b""
    try:
        pcm = read_wav(file)
    except BadWav as mistake:
        mistakes.append(f"cannot play {file}: {mistake}")
    except OSError as mistake:
        mistakes.append(f"cannot read {file}: {mistake.strerror}")
    try:
        address(url)
    except BadAddress as mistake:
        mistakes.append(f"cannot call: {mistake}")
    if out is not None and not out.parent.is_dir():
        mistakes.append(f"cannot save {out}: there is no such folder")
    return mistakes, pcm


def _saved(report: CallReport, out: Path | None) -> bool:
    """Keep the reply where that is wanted; false when it could not be written."""
    if out is None or not report.reply:
        return True
    try:
        write_wav(out, report.reply, rate=MODEL_RATE)
    except OSError as mistake:
        print(f"cannot save {out}: {mistake.strerror}", file=sys.stderr)
        return False
    print(f"the reply is in {out}")
    return True


async def _either(*ways: Coroutine[None, None, None]) -> None:
    """All of these at once; the first that is done ends the others. A mistake in one is raised, in a group."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(way) for way in ways]
        for task in tasks:
            task.add_done_callback(lambda _: [other.cancel() for other in tasks])
