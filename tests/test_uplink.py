"""One ordered writer: what it holds, what it gives up, and when it calls the line stalled."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.uplink import HELD_BYTES, HELD_SECONDS, Uplink
from actors.live.upstream_socket import UpstreamSocket

SECOND = HELD_BYTES // HELD_SECONDS


class Timer:
    def __init__(self, seconds: float, callback: Callable[[], None]) -> None:
        self.seconds, self.callback, self.cancelled = seconds, callback, False

    def cancel(self) -> None:
        self.cancelled = True


class Socket:
    """Takes frames until it is full, as a transport does; also the loop, of which nothing runs by itself."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.written: list[bytes] = []
        self.timers: list[Timer] = []
        self.soon: list[Callable[[], None]] = []
        self.paused = False
        self.room = room
        self.loop: Any = self
        self.on_full: Any = None
        self.on_room: Any = None

    def write(self, frame: bytes) -> None:
        self.written.append(frame)
        self.room -= 1
        if self.room <= 0 and not self.paused:
            self.paused = True
            self.on_full()

    def drain(self, room: int) -> None:
        """The peer reads on: there is room for so many frames."""
        self.room, self.paused = room, False
        self.on_room()

    def call_later(self, seconds: float, callback: Callable[[], None]) -> Timer:
        self.timers.append(Timer(seconds, callback))
        return self.timers[-1]

    def call_soon(self, callback: Callable[[], None]) -> None:
        self.soon.append(callback)

    def run(self) -> None:
        while self.soon:
            self.soon.pop(0)()


def uplink(socket: Socket, stalls: list[str] | None = None, lost: list[int] | None = None) -> Uplink:
    told = stalls if stalls is not None else []
    return Uplink(
        cast(UpstreamSocket, socket),
        patience=5.0,
        stalled=lambda: told.append("stalled"),
        dropped=lost.append if lost is not None else None,
    )


def test_while_there_is_room_everything_is_written_at_once_and_no_timer_runs() -> None:
    socket = Socket()
    writer = uplink(socket)

    writer.write(b"a", sound=640)
    writer.write(b"text")

    assert socket.written == [b"a", b"text"]
    assert socket.timers == []


def test_without_room_frames_are_held_and_follow_in_order() -> None:
    socket = Socket(room=1)
    writer = uplink(socket)
    for frame in (b"1", b"2", b"3"):
        writer.write(frame, sound=640)

    assert socket.written == [b"1"]

    socket.drain(10)
    writer.write(b"4", sound=640)
    socket.run()

    assert socket.written == [b"1", b"2", b"3", b"4"]


def test_when_the_room_ends_half_way_the_rest_goes_on_being_held() -> None:
    socket = Socket(room=1)
    writer = uplink(socket)
    for frame in (b"1", b"2", b"3", b"4"):
        writer.write(frame)
    socket.drain(2)
    socket.run()

    assert socket.written == [b"1", b"2", b"3"]

    socket.drain(2)
    socket.run()

    assert socket.written == [b"1", b"2", b"3", b"4"]


def test_beyond_five_seconds_the_oldest_sound_is_given_up_and_counted() -> None:
    socket, lost = Socket(room=1), list[int]()
    writer = uplink(socket, lost=lost)
    writer.write(b"0", sound=SECOND)
    for number in range(1, 8):
        writer.write(b"%d" % number, sound=SECOND)
    socket.drain(100)
    socket.run()

    assert socket.written == [b"0", b"3", b"4", b"5", b"6", b"7"]
    assert lost == [2]


def test_what_was_given_up_on_a_line_that_never_came_back_is_counted_at_its_end() -> None:
    socket, lost = Socket(room=1), list[int]()
    writer = uplink(socket, lost=lost)
    for _ in range(9):
        writer.write(b"", sound=SECOND)
    writer.stop()
    writer.stop()

    assert lost == [3]


def test_what_has_been_sent_is_not_counted_as_held_any_more() -> None:
    socket, lost = Socket(room=1), list[int]()
    writer = uplink(socket, lost=lost)
    writer.write(b"0", sound=SECOND)
    for _ in range(2):
        for _ in range(HELD_SECONDS):
            writer.write(b"1", sound=SECOND)
        socket.drain(HELD_SECONDS)
        socket.run()

    assert len(socket.written) == 1 + 2 * HELD_SECONDS
    assert lost == []


def test_what_is_not_sound_is_never_given_up_and_keeps_its_place() -> None:
    socket = Socket(room=1)
    writer = uplink(socket)
    writer.write(b"0")
    writer.write(b"text")
    for number in range(1, 8):
        writer.write(b"%d" % number, sound=SECOND)
    writer.write(b"end")
    socket.drain(100)
    socket.run()

    assert socket.written == [b"0", b"text", b"3", b"4", b"5", b"6", b"7", b"end"]


def test_no_room_for_the_whole_patience_is_a_stall() -> None:
    socket, stalls = Socket(room=1), list[str]()
    uplink(socket, stalls).write(b"1")
    [timer] = socket.timers
    timer.callback()

    assert timer.seconds == 5.0
    assert stalls == ["stalled"]


def test_room_in_time_is_no_stall() -> None:
    socket = Socket(room=1)
    uplink(socket).write(b"1")
    socket.drain(5)

    assert [timer.cancelled for timer in socket.timers] == [True]


def test_room_that_ends_again_at_once_is_watched_anew() -> None:
    socket = Socket(room=1)
    writer = uplink(socket)
    for frame in (b"1", b"2", b"3"):
        writer.write(frame)
    socket.drain(1)
    socket.run()

    assert [timer.cancelled for timer in socket.timers] == [True, False]


def test_once_stopped_it_sends_nothing_and_tells_nobody() -> None:
    socket, stalls = Socket(room=1), list[str]()
    writer = uplink(socket, stalls)
    writer.write(b"1")
    writer.write(b"2")
    writer.stop()
    socket.drain(1)
    socket.run()
    socket.on_full()

    assert socket.written == [b"1"]
    assert [timer.cancelled for timer in socket.timers] == [True]


def test_what_was_given_up_is_logged_once_without_a_word_of_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    socket = Socket(room=1)
    writer = uplink(socket)
    for _ in range(8):
        writer.write(b"private", sound=SECOND)
    for _ in range(2):
        socket.drain(3)
        socket.run()

    assert caplog.messages == ["! upstream was behind: 2 frames of sound dropped"]


FRAMES = st.lists(st.sampled_from([0, 640, SECOND, 2 * SECOND]), max_size=40)
ROOMS = st.lists(st.integers(1, 10), max_size=20)


@given(FRAMES, ROOMS, st.integers(1, 5))
def test_whatever_the_room_the_order_holds_and_only_sound_is_missing(
    sounds: list[int], rooms: list[int], first: int
) -> None:
    socket, lost = Socket(first), list[int]()
    writer = uplink(socket, lost=lost)
    frames = [b"%d" % number for number in range(len(sounds))]
    for place, (frame, sound) in enumerate(zip(frames, sounds, strict=True)):
        writer.write(frame, sound=sound)
        if place < len(rooms) and socket.paused:
            socket.drain(rooms[place])
            socket.run()
    while socket.paused:
        socket.drain(100)
        socket.run()
    missing = [place for place, frame in enumerate(frames) if frame not in socket.written]

    assert socket.written == [frame for frame in frames if frame in socket.written]
    assert all(sounds[place] for place in missing)
    assert len(missing) == sum(lost)
