"""The emulator as a child process, for a gateway without a key.

    server.py serve ── starts ──▶ server.py emulator --port 0      two lines: its URL, and whom to trust
                    ── a pipe ──▶ its stdin: when it ends, so does the emulator, however we ended

A process of its own, so that what runs offline is what runs in production: the same client, the same wire, TLS.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 20.0
STOP_SECONDS = 3.0
KEY = "emulator"
"""Any word is a key to an emulator."""
ANNOUNCED = ("Gemini Live emulator on ", "CA certificate in ")
"""How the two lines begin."""


class NoEmulator(Exception):
    """The emulator did not start."""


@dataclass(frozen=True, slots=True)
class Child:
    """A running emulator."""

    url: str
    ca_file: Path
    process: asyncio.subprocess.Process


@asynccontextmanager
async def emulator(script: Path) -> AsyncIterator[Child]:
    """Run `script emulator` on a free port for as long as the block lasts.

    Raises:
        NoEmulator: it ended, or said nothing, before it was ready.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        "emulator",
        "--port",
        "0",
        "--leashed",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C in a terminal is for us; we say when it ends
    )
    try:
        url, ca_file = await _announced(process)
        yield Child(url, Path(ca_file), process)
    finally:
        await _end(process)


async def _announced(process: asyncio.subprocess.Process) -> tuple[str, str]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_SECONDS):
            lines = [(await process.stdout.readline()).decode().rstrip("\n") for _ in ANNOUNCED]
    except TimeoutError:
        raise NoEmulator(f"the emulator was not ready within {START_SECONDS:g} s") from None
    if not all(map(str.startswith, lines, ANNOUNCED)):
        raise NoEmulator("the emulator ended before it was ready; its own words are above")
    url, ca_file = map(str.removeprefix, lines, ANNOUNCED)  # whole: there may be spaces in the path
    return url, ca_file


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
