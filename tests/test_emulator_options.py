"""What may be chosen."""

from __future__ import annotations

import math

import pytest

from actors.live.emulator.options import Options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("speed", 0.0),
        ("speed", -1.0),
        ("speed", math.nan),
        ("answer_delay", -0.1),
        ("playback_delay", math.nan),
        ("connection_seconds", -1.0),
        ("notice_seconds", -1.0),
        ("handle_seconds", -1.0),
    ],
)
def test_a_time_that_cannot_pass_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Options(**{name: value})


@pytest.mark.parametrize(("name", "value"), [("speed", math.inf), ("playback_delay", 0.0), ("answer_delay", 0.0)])
def test_the_quickest_day_is_allowed(name: str, value: float) -> None:
    assert getattr(Options(**{name: value}), name) == value
