"""The emulator as a child process: ready before it is used, and gone when its gateway is, however that ended."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from actors.live import child as child_module
from actors.live.child import KEY, NoEmulator, emulator
from actors.live.emulator.server import run
from tests.test_server import TOP, started

SCRIPT = TOP / "server.py"
PATIENCE = 20_000  # milliseconds


def children(process: subprocess.Popen[str]) -> list[int]:
    """The processes that this one has started (Linux)."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def wait_for_the_end(handle: int) -> bool:
    """Until a process that is not ours to wait for has ended."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    return bool(poll.poll(PATIENCE))


@pytest.fixture
def instead(tmp_path: Path) -> Callable[[str], Path]:
    """Puts a program of the test's in the emulator's place."""

    def write(program: str) -> Path:
        (tmp_path / "server.py").write_text(program)
        return tmp_path / "server.py"

    return write


# ── while it lives ──


async def test_an_emulator_is_ready_when_the_block_begins_and_ended_when_it_does() -> None:
    async with emulator(SCRIPT) as child:
        begun = child.process.returncode
        certificate = child.ca_file.read_text()
        host, port = child.url.removeprefix("https://").split(":")
        _, writer = await asyncio.open_connection(host, int(port))
        writer.close()

    assert begun is None
    assert "BEGIN CERTIFICATE" in certificate
    assert child.process.returncode == 0
    assert not child.ca_file.exists()


async def test_its_certificate_may_lie_in_a_folder_with_blanks_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a folder of John Smith"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))

    async with emulator(SCRIPT) as child:
        assert folder in child.ca_file.parents
        assert child.ca_file.exists()


async def test_the_two_lines_are_those_that_the_emulator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    serving = asyncio.create_task(run("127.0.0.1", 0, ca_file=None, announce=said.put_nowait))
    lines = [await said.get() for _ in child_module.ANNOUNCED]
    serving.cancel()
    await asyncio.wait([serving])

    assert all(map(str.startswith, lines, child_module.ANNOUNCED))


def test_any_word_is_a_key_to_it() -> None:
    assert KEY


# ── when it does not start ──


async def test_one_that_ends_at_once_is_told(instead: Callable[[str], Path]) -> None:
    script = instead("raise SystemExit(3)")

    with pytest.raises(NoEmulator, match="ended before it was ready; its own words are above"):
        async with emulator(script):
            pass


async def test_one_that_says_something_else_is_told(instead: Callable[[str], Path]) -> None:
    script = instead("print('hello', flush=True)\nprint('world', flush=True)\ninput()")

    with pytest.raises(NoEmulator, match="ended before it was ready"):
        async with emulator(script):
            pass


async def test_one_that_says_nothing_is_told_and_ended(
    instead: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "START_SECONDS", 0.2)
    script = instead("input()")

    with pytest.raises(NoEmulator, match=r"was not ready within 0\.2 s"):
        async with emulator(script):
            pass


async def test_one_that_does_not_end_is_killed(instead: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_module, "STOP_SECONDS", 0.1)
    script = instead(
        textwrap.dedent("""\
            import threading
            print("Gemini Live emulator on https://127.0.0.1:1", flush=True)
            print("CA certificate in /nowhere", flush=True)
            threading.Event().wait()
        """)
    )

    async with emulator(script) as child:
        assert child.url == "https://127.0.0.1:1"

    assert child.process.returncode == -signal.SIGKILL


# ── parent and child ──


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_its_gateway_however_that_ends(number: signal.Signals) -> None:
    with started("--port", "0") as gateway:
        (pid,) = children(gateway.process)
        handle = os.pidfd_open(pid)
        try:
            gateway.signal(number)

            assert wait_for_the_end(handle)
        finally:
            os.close(handle)


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
def test_a_gateway_ends_with_its_emulator_and_says_so() -> None:
    with started("--port", "0") as gateway:
        (pid,) = children(gateway.process)
        os.kill(pid, signal.SIGKILL)
        code, said = gateway.end()

    assert code == 1
    assert said == "the emulator has ended, and so does the gateway that talked to it\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the child in /proc")
def test_ctrl_c_at_the_terminal_is_for_the_gateway_alone() -> None:
    with started("--port", "0") as gateway:
        (pid,) = children(gateway.process)

        assert os.getsid(pid) == pid != os.getsid(gateway.process.pid)
