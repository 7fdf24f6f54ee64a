"""Who runs where: each part of a measurement in a process of its own, on its own core where there are two.

    Cores.here() ─▶ bench, callers, upstream: all but the last core        subject, alone: the last
    upstream(…) · gateway(…) · floor(…) ──▶ Running, ended with the block

What the environment and a `.env` say of this machine's gateway, a key above all, does not reach the one that is
measured: it is started in an empty folder, with settings of its own.
"""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

TOP = Path(__file__).resolve().parents[1]
START_SECONDS = 20.0
STOP_SECONDS = 5.0
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV")
URL = re.compile(r"\b(?:https?|wss?)(://\S+:\d+)")

# So many calls that no limit is met; one that is would be a fault of the measurement.
LIMITS = {"MAX_CALLS": "100000", "AUDIO_PER_SECOND": "10000", "MESSAGES_PER_MINUTE": "100000"}


class Failed(Exception):
    """A part of the measurement did not do its part."""


@dataclass(frozen=True, slots=True)
class Cores:
    """Which cores are whose; both the same where there is only one."""

    subject: frozenset[int]
    others: frozenset[int]

    @classmethod
    def here(cls) -> Cores:
        """Those that we may use. The last is the subject's: interrupts are served by the first by default."""
        *others, last = sorted(os.sched_getaffinity(0))
        return cls(frozenset((last,)), frozenset(others or (last,)))

    @property
    def apart(self) -> bool:
        """Whether the subject is alone."""
        return not self.subject & self.others


@dataclass(frozen=True, slots=True)
class Running:
    """A process that serves."""

    pid: int
    address: str
    """`://host:port`, without a scheme."""


@contextmanager
def upstream(ca_file: Path) -> Iterator[Running]:
    """The stand-in for Gemini, which writes `ca_file`."""
    with _running("upstream", [*_module("upstream"), "--ca-file", str(ca_file)], cwd=TOP) as running:
        yield running


@contextmanager
def gateway(model: Running, ca_file: Path) -> Iterator[Running]:
    """The gateway as it is run in earnest, but for limits that one machine's crowd of callers would meet."""
    settings = {
        **LIMITS,
        "PORT": "0",
        "GEMINI_API_KEY": "bench",
        "GOOGLE_GEMINI_BASE_URL": f"https{model.address}",
        "UPSTREAM_CA_FILE": str(ca_file),
        "LOG_LEVEL": "warning",
        "DRAIN_SECONDS": "3",
    }
    with TemporaryDirectory(prefix="parley-") as folder:
        command = [sys.executable, str(TOP / "server.py"), "serve"]
        with _running("gateway", command, cwd=Path(folder), settings=settings) as running:
            yield running


@contextmanager
def floor(model: Running, ca_file: Path) -> Iterator[Running]:
    """Floor A."""
    command = [*_module("floor"), "--upstream", f"wss{model.address}", "--ca-file", str(ca_file)]
    with _running("floor A", command, cwd=TOP) as running:
        yield running


def generate(subject: Running, *, calls: int, seconds: float) -> str:
    """Let a crowd of callers loose on the subject; return what they have measured. Raises `Failed`."""
    command = [*_module("callers"), "--url", f"ws{subject.address}", "--pid", str(subject.pid)]
    command += ["--calls", str(calls), "--seconds", str(seconds)]
    patience = 60 + 2 * seconds + calls / 10
    try:
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        raise Failed(f"the callers were not done within {patience:.0f} s") from None
    if done.returncode:
        raise Failed(f"the callers gave up: {done.stderr.strip()}")
    return done.stdout


def pin(pid: int, cores: frozenset[int]) -> None:
    """Let a process (0: this one, and all that it starts from here on) run on these cores only."""
    os.sched_setaffinity(pid, cores)


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"bench.{name}"]


@contextmanager
def _running(
    name: str, command: Sequence[str], *, cwd: Path, settings: Mapping[str, str] | None = None
) -> Iterator[Running]:
    inherited = {key: os.environ[key] for key in INHERITED if key in os.environ}
    process = subprocess.Popen(command, cwd=cwd, env={**inherited, **(settings or {})}, stdout=subprocess.PIPE)
    try:
        yield Running(process.pid, _address(name, process))
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _address(name: str, process: subprocess.Popen[bytes]) -> str:
    """Where it serves, from the one line that it says when it does. Raises `Failed`."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    said = process.stdout.readline().decode() if ready else ""
    found = URL.search(said)
    if found is None:
        why = "did not start; its own words are above" if ready else f"was not ready within {START_SECONDS:g} s"
        raise Failed(f"{name} {why}")
    return found[1]
