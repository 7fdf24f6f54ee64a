"""Frames leave on time, and never faster than a gateway takes them."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.buckets import Gcra, Pour
from actors.phone.pace import PACES, Pace, timetable

PIECES = [bytes([n]) * 640 for n in range(1, 6)]


def test_real_time_is_one_frame_each_20_ms_without_drift() -> None:
    moments = [moment for moment, _ in islice(timetable([b"\1" * 640] * 90_000, "realtime"), 90_000)]

    assert moments[-1] == pytest.approx(89_999 * 0.02, abs=1e-9)
    assert moments[:4] == pytest.approx([0.0, 0.02, 0.04, 0.06])


@pytest.mark.parametrize("pace", PACES)
def test_every_frame_of_the_file_leaves_once_and_in_order(pace: Pace) -> None:
    assert [piece for _, piece in islice(timetable(PIECES, pace), 5)] == PIECES


@pytest.mark.parametrize("pace", PACES)
def test_after_the_file_a_silence_of_real_time_goes_on(pace: Pace) -> None:
    *_, (first, _), (second, silence) = islice(timetable(PIECES, pace), 200)

    assert silence == bytes(640)
    assert second - first == pytest.approx(0.02)


def test_fast_is_three_times_real_time_at_first() -> None:
    moments = [moment for moment, _ in islice(timetable([bytes(640)] * 501, "fast"), 501)]

    assert moments[500] == pytest.approx(10.0 / 3)


def test_fast_is_a_little_more_than_real_time_in_the_long_run() -> None:
    (hour,) = [moment for moment, _ in islice(timetable([bytes(640)] * 180_001, "fast"), 180_000, 180_001)]

    assert hour == pytest.approx(3592 / 1.15)


@pytest.mark.parametrize("pace", PACES)
@settings(deadline=None, max_examples=25)
@given(frames=st.integers(1, 5_000))
def test_a_gateway_never_drops_a_frame_for_its_pace(pace: Pace, frames: int) -> None:
    sound, messages = Pour(rate=1.2, burst=10.0), Gcra(200, period=1.0)
    moments = [moment for moment, _ in islice(timetable([bytes(640)] * frames, pace), frames + 500)]

    assert all(sound.pour(0.02, moment) and messages.take(1, moment) for moment in moments)
