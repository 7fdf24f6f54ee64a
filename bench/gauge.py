"""What another process takes, and what machine this is.

    pid ──▶ cpu_seconds · resident_bytes      core ──▶ busy_seconds      machine() ──▶ the lines under every table

Linux tells these things; nothing here makes the process that is looked at do anything.
"""

from __future__ import annotations

import ctypes
import os
import platform
import ssl
import sys
import time
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("websockets", "uvloop", "google-genai", "pykka", "pydantic", "orjson", "pybase64")
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
IDLE = (3, 4)
"""Which columns of /proc/stat are time in which a core has nothing to do: idle and iowait (proc(5))."""
COLUMNS = 8
"""Those after them, guest time, are in the others already."""


class Gone(Exception):
    """There is no such process any more."""


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far, user and system, all threads.

    From its CPU clock (POSIX `clock_getcpuclockid`), in nanoseconds: /proc/PID/stat counts in ticks of 10 ms, which
    is a tenth of what starting fifty calls takes.

    Raises:
        Gone: it has ended.
    """
    clock = ctypes.c_int()
    if ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock)):
        raise Gone(f"process {pid} has ended")
    try:
        return time.clock_gettime(clock.value)
    except OSError:
        raise Gone(f"process {pid} has ended") from None


def resident_bytes(pid: int) -> int:
    """Memory that a process has in RAM (proc(5), statm). Raises `Gone`."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
    except (OSError, IndexError):
        raise Gone(f"process {pid} has ended") from None


def busy_seconds(core: int) -> float:
    """Time for which a core was not idle so far, stolen by a hypervisor or not."""
    line = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith(f"cpu{core} "))
    columns = list(map(int, line.split()[1 : COLUMNS + 1]))
    return sum(ticks for place, ticks in enumerate(columns) if place not in IDLE) / TICKS


def usable() -> bool:
    """Whether this system tells these things."""
    return sys.platform == "linux" and Path("/proc/self/statm").exists()


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "cpu": f"{_cpu_model()}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}, {ssl.OPENSSL_VERSION}",
        "libraries": ", ".join(f"{name} {version(name)}" for name in LIBRARIES),
    }


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
