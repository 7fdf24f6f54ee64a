"""What every test may ask for: a gateway that runs, and parts that may be skipped on request.

    gateway ──▶ python server.py --port 0, with its emulator, as a person would start it

`SKIP=browser make test` goes without Chromium; nothing is skipped unasked.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvloop

LoopFactory = Callable[[], asyncio.AbstractEventLoop]
TOP = Path(__file__).resolve().parents[1]
START_SECONDS = 30.0


@dataclass
class Gateway:
    """A gateway in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    @property
    def socket(self) -> str:
        return self.url.replace("http", "ws", 1)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, and wait; returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@contextmanager
def running(*flags: str, **environ: str) -> Iterator[Gateway]:
    """`server.py serve` with these flags and settings, on a free port."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    command = [sys.executable, str(TOP / "server.py"), "serve", "--port", "0", *flags]
    process = subprocess.Popen(command, env={**known, **environ}, cwd=TOP, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        assert "Parley is at " in said, f"the gateway said {said!r}"
        yield Gateway(said.split("Parley is at ")[1].split()[0], process)
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """A gateway with its emulator, one for a file of tests."""
    with running("--drain-seconds", "3") as house:
        yield house


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Files that say `ON_BOTH_LOOPS` are run on asyncio's own loop and on uvloop, the others on the first."""
    factories: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop}
    if getattr(getattr(item, "module", None), "ON_BOTH_LOOPS", False):
        factories["uvloop"] = uvloop.new_event_loop
    return factories


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for part in os.environ.get("SKIP", "").replace(" ", "").split(","):
        for item in items:
            if part and part in item.keywords:
                item.add_marker(pytest.mark.skip(reason=f"SKIP={part}"))
