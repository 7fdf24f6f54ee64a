"""Small frames are joined to a useful size, and no byte of them is lost or moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from actors.call.joiner import ENOUGH, Joiner


def test_frames_of_the_old_client_are_joined_to_more_than_twenty_milliseconds() -> None:
    joiner = Joiner()
    frames = [bytes([n]) * 256 for n in range(6)]

    assert [joiner.add(frame) for frame in frames[:3]] == [None, None, b"".join(frames[:3])]
    assert [joiner.add(frame) for frame in frames[3:]] == [None, None, b"".join(frames[3:])]


def test_a_frame_that_is_large_enough_passes_untouched() -> None:
    frame = bytes(ENOUGH)

    assert Joiner().add(frame) is frame


def test_a_large_frame_does_not_overtake_small_ones() -> None:
    joiner = Joiner()
    joiner.add(b"\1\0")

    assert joiner.add(bytes(ENOUGH)) == b"\1\0" + bytes(ENOUGH)


def test_what_is_left_over_can_be_had_once() -> None:
    joiner = Joiner()
    joiner.add(b"\1\0")

    assert joiner.rest() == b"\1\0"
    assert joiner.rest() is None


@given(st.lists(st.binary(min_size=1, max_size=2 * ENOUGH), max_size=60))
def test_no_byte_is_lost_or_moved(frames: list[bytes]) -> None:
    joiner = Joiner()
    joined = [joiner.add(frame) for frame in frames] + [joiner.rest()]

    assert b"".join(sound for sound in joined if sound is not None) == b"".join(frames)


@given(st.lists(st.binary(min_size=1, max_size=ENOUGH - 1), max_size=60))
def test_small_frames_are_joined_to_twenty_to_forty_milliseconds(frames: list[bytes]) -> None:
    joiner = Joiner()
    joined = [sound for frame in frames if (sound := joiner.add(frame)) is not None]

    assert all(ENOUGH <= len(sound) < 2 * ENOUGH for sound in joined)
    assert len(joiner.rest() or b"") < ENOUGH
