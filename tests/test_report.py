"""The report is read by a person, in a terminal."""

from __future__ import annotations

from dataclasses import replace

from actors.phone.report import CallReport, Line, Who, figures, spoken

REPORT = CallReport(
    answered=True,
    end="the answer was complete",
    lines=(Line(Who.CALLER, "Is it open?"),),
    reply=bytes(96_000),
    ready_seconds=0.4123,
    first_audio_seconds=0.75,
    spoken_seconds=2.1,
    audio_seconds=2.0,
    underruns=1,
    lost_frames=3,
    dropped_frames=4,
    interruptions=2,
)


def test_a_line_tells_who_said_it() -> None:
    assert [spoken(Line(who, "hello")) for who in Who] == [
        "you: hello",
        "parley: hello",
        "notice: hello",
        "error: hello",
    ]


def test_a_gateway_cannot_move_the_cursor() -> None:
    assert spoken(Line(Who.MODEL, "a\x1b[2Jb\r\nc\x07é")) == "parley: a [2Jb  c é"
    assert "\x1b" not in figures(replace(REPORT, end="\x1b[2J"))


def test_each_figure_has_its_unit_and_its_meaning() -> None:
    assert figures(REPORT).splitlines() == [
        "answered: the answer was complete",
        "  ready          0.412 s  open socket to session_started",
        "  first audio    0.750 s  last frame of speech sent to first sound of the answer",
        "  sent           2.100 s  of the file",
        "  received       2.000 s  of speech, interrupted 2 times",
        "  underruns          1    3 frames of 20 ms lost, with 200 ms of buffer",
        "  dropped            4    frames of yours, in the gateway's own words",
    ]


def test_what_never_happened_has_no_figure() -> None:
    told = figures(replace(REPORT, answered=False, end="all lines are busy", ready_seconds=None))

    assert told.splitlines()[:2] == [
        "not answered: all lines are busy",
        "  ready          never    open socket to session_started",
    ]
