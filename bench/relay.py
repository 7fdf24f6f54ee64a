"""What relaying costs: the gateway against a bare relay, in one run on this machine.

    upstream (TLS) ◀── gateway ◀── callers        round 1: gateway, floor A     round 2: floor A, gateway     …
           ▲ ◀─────── floor A ◀── callers                                  ──▶ medians, ratios ──▶ table

    python bench/relay.py [--calls 50] [--seconds 8] [--rounds 3] [--quick] [--json FILE]

Each round of each subject has a fresh process, which is alone on its core where there are two; everything else
shares the rest. Exit codes: 0 done · 1 a frame was lost, or a call or a process did not start · 2 wrong arguments,
or a system that cannot tell. How to read the table: `bench/README.md`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

if __name__ == "__main__":  # a script finds what is in its own folder, and not its neighbours'
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.figures import FLOOR, GATEWAY, Measured, rows, table
from bench.frames import FRAME_MS
from bench.gauge import Gone, busy_seconds, cpu_seconds, machine, usable
from bench.processes import Cores, Failed, Running, floor, gateway, generate, pin, upstream

Subject = Callable[[Running, Path], AbstractContextManager[Running]]
SUBJECTS: dict[str, Subject] = {GATEWAY: gateway, FLOOR: floor}
USUAL = {"calls": 50, "seconds": 8.0, "rounds": 3}
QUICK = {"calls": 8, "seconds": 2.0, "rounds": 1}
"""For a test: whether it works, not what it costs."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    calls: int
    seconds: float
    """Of talk in a round of a subject, half of it in JSON."""
    rounds: int


@dataclass(frozen=True, slots=True)
class Round:
    """What was measured of one subject, or why nothing was."""

    subject: str
    number: int
    measured: Measured | None
    disturbed: float = 0.0
    """Share of the time in which others than the subject had its core."""
    failure: str = ""

    @property
    def faults(self) -> list[str]:
        """What went wrong, in words."""
        found = self.measured.faults if self.measured is not None else (self.failure,)
        return [f"{self.subject}, round {self.number}: {fault}" for fault in found]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; the exit code."""
    given = parser().parse_args(arguments)
    if not usable():
        print("the bench reads /proc and CPU clocks, expected Linux", file=sys.stderr)
        return 2
    chosen = {name: getattr(given, name) for name in USUAL if getattr(given, name) is not None}
    size = Size(**{**(QUICK if given.quick else USUAL), **chosen})
    cores = Cores.here()
    print(heading(size, cores), flush=True)
    try:
        measured = run(size, cores)
    except Failed as why:
        print(why, file=sys.stderr)
        return 1
    failures = [fault for each in measured for fault in each.faults]
    print("\n".join([reported(measured), *(f"! {failure}" for failure in failures)]))
    if given.json is not None:
        given.json.write_bytes(orjson.dumps(stored(size, measured, failures), option=orjson.OPT_INDENT_2))
    return 1 if failures else 0


def parser() -> argparse.ArgumentParser:
    """What may be asked for."""
    asked = argparse.ArgumentParser(prog="bench/relay.py", description="the gateway against a bare relay")
    asked.add_argument("--calls", type=_above_zero(int), help=f"talking at the same time (default: {USUAL['calls']})")
    asked.add_argument("--seconds", type=_above_zero(float), help=f"of talk a round (default: {USUAL['seconds']:g})")
    asked.add_argument("--rounds", type=_above_zero(int), help=f"of each subject (default: {USUAL['rounds']})")
    asked.add_argument("--quick", action="store_true", help="a few calls, once: whether it works, not what it costs")
    asked.add_argument("--json", type=Path, metavar="FILE", help="where to keep all figures")
    return asked


def run(size: Size, cores: Cores) -> list[Round]:
    """All rounds of both subjects, in turn; who is first changes from round to round."""
    done = []
    pin(0, cores.others)
    with TemporaryDirectory(prefix="parley-") as folder:
        ca_file = Path(folder, "ca.pem")
        with upstream(ca_file) as model:
            for number in range(1, size.rounds + 1):
                for name in order(number):
                    print(f"  round {number}: {name} …", file=sys.stderr, flush=True)
                    done.append(_round(name, number, size, cores, model, ca_file))
    return done


def order(number: int) -> list[str]:
    """Who comes when in the round of this number, from 1: what comes second finds a warmer machine."""
    names = list(SUBJECTS)
    return names if number % 2 else names[::-1]


def _round(name: str, number: int, size: Size, cores: Cores, model: Running, ca_file: Path) -> Round:
    try:
        with SUBJECTS[name](model, ca_file) as subject:
            pin(subject.pid, cores.subject)
            core = min(cores.subject)
            begun, others = time.perf_counter(), busy_seconds(core) - cpu_seconds(subject.pid)
            said = generate(subject, calls=size.calls, seconds=size.seconds)
            others = busy_seconds(core) - cpu_seconds(subject.pid) - others
            share = max(0.0, others) / (time.perf_counter() - begun)
    except (Failed, Gone) as why:
        return Round(name, number, None, failure=str(why))
    return Round(name, number, Measured(**orjson.loads(said)), share)


def heading(size: Size, cores: Cores) -> str:
    """What is going to be measured."""
    half = f"{size.seconds / 2:g} s"
    where = f"alone on core {min(cores.subject)}" if cores.apart else "on the one core that there is, with all the rest"
    return (
        f"relay: {size.calls} calls, {FRAME_MS} ms frames each way, TLS upstream; the process measured is {where}\n"
        f"{size.rounds} round{'s' * (size.rounds > 1)} of {half} in JSON and {half} in binary frames"
    )


def pairs(measured: Sequence[Round]) -> list[tuple[Measured, Measured]]:
    """Gateway and floor of each round in which both were measured."""
    found = {(each.subject, each.number): each.measured for each in measured}
    both = [(found[GATEWAY, number], found[FLOOR, number]) for number in sorted({each.number for each in measured})]
    return [(ours, theirs) for ours, theirs in both if ours is not None and theirs is not None]


def reported(measured: Sequence[Round]) -> str:
    """The table, and what is to be known beside it."""
    both, there = pairs(measured), [each.measured for each in measured if each.measured is not None]
    late = max((each.late_ms for each in there), default=0.0)
    facts = {
        "relayed": f"{sum(each.frames for each in there)} frames; callers at most {late:.0f} ms behind their timetable",
        "busy": f"{_busy(measured, GATEWAY)}, {_busy(measured, FLOOR)} of the core measured on while calls talked",
        "disturbed": f"others had up to {max(each.disturbed for each in measured):.0%} of it",
        **machine(),
    }
    lines = [f"{fact:<10} {value}" for fact, value in facts.items()]
    return "\n".join(["", table(rows(both)) if both else "no round in which both were measured", "", *lines])


def _busy(measured: Sequence[Round], subject: str) -> str:
    shares = [each.measured.busy for each in measured if each.subject == subject and each.measured is not None]
    return f"{subject} {max(shares, default=0.0):.0%}"


def stored(size: Size, measured: Sequence[Round], failures: Sequence[str]) -> dict[str, Any]:
    """All of it, for a machine to read."""
    return {
        "size": asdict(size),
        "machine": machine(),
        "rows": [asdict(row) for row in rows(pairs(measured))] if pairs(measured) else [],
        "rounds": [asdict(each) for each in measured],
        "faults": list(failures),
    }


def _above_zero(kind: Callable[[str], float]) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = kind(text)
        if not 0 < value < float("inf"):
            raise argparse.ArgumentTypeError(f"found {text}, expected more than 0")
        return value

    return read


if __name__ == "__main__":
    sys.exit(main())
