"""What a test call came to, and how it is told to a person.      pure

    PhoneEar ──▶ Line, CallReport ──▶ spoken(line), figures(report) ──▶ the phone prints them

Text comes from the network and goes to a terminal, so what cannot be printed becomes a space: a gateway must not
be able to move somebody's cursor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Who(StrEnum):
    """Who speaks in a line of the printed call."""

    CALLER = "you"
    MODEL = "parley"
    NOTICE = "notice"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the printed call: an utterance, a notice or an error."""

    who: Who
    text: str


@dataclass(frozen=True, slots=True)
class CallReport:
    """A call in figures. Times are in seconds; `None` where it never happened."""

    answered: bool
    """The model spoke a turn to its end."""
    end: str
    """Why the call was over, in words."""
    lines: tuple[Line, ...]
    """What was said, noticed and refused, in the order in which it was finished."""
    reply: bytes
    """The model's sound without what an interruption voided: 16-bit mono PCM at 24 kHz."""
    ready_seconds: float | None
    """From the open socket to `session_started`."""
    first_audio_seconds: float | None
    """From the last frame of speech handed to the socket to the first sound of a turn that began after it."""
    spoken_seconds: float
    """Sound of the file that was sent."""
    audio_seconds: float
    """The model's sound that arrived, voided or not."""
    underruns: int
    """How often it would have run dry in the middle of a turn, played from 200 ms after its first sound."""
    lost_frames: int
    """Slots of 20 ms in which it would have been dry then."""
    dropped_frames: int
    """The caller's frames that the gateway said it dropped."""
    interruptions: int
    """How often the gateway said that the caller spoke over the model."""


def spoken(line: Line) -> str:
    """One line of the call, for a terminal."""
    return f"{line.who}: {plain(line.text)}"


def plain(text: str) -> str:
    """Text of the network's, fit for a terminal."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def figures(report: CallReport) -> str:
    """The table under the call, for a terminal."""
    rows = (
        ("ready", _seconds(report.ready_seconds), "open socket to session_started"),
        ("first audio", _seconds(report.first_audio_seconds), "last frame of speech sent to first sound of the answer"),
        ("sent", _seconds(report.spoken_seconds), "of the file"),
        ("received", _seconds(report.audio_seconds), f"of speech, interrupted {report.interruptions} times"),
        ("underruns", f"{report.underruns}  ", f"{report.lost_frames} frames of 20 ms lost, with 200 ms of buffer"),
        ("dropped", f"{report.dropped_frames}  ", "frames of yours, in the gateway's own words"),
    )
    table = [f"  {name:<12}{figure:>10}  {meaning}" for name, figure, meaning in rows]
    answered = "answered" if report.answered else "not answered"
    return "\n".join((f"{answered}: {plain(report.end)}", *table))


def _seconds(seconds: float | None) -> str:
    return "never  " if seconds is None else f"{seconds:.3f} s"
