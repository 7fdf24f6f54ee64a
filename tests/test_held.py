"""Early words are kept in their order, and never more of them than was promised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.held import FRAMES, OTHER_BYTES, OTHERS, Held
from actors.messages import CALLER_BYTES_PER_SECOND, Audio, Image, Text

TENTH = CALLER_BYTES_PER_SECOND // 10


def tenth(byte: int) -> Audio:
    """A tenth of a second of sound."""
    return Audio(bytes([byte]) * TENTH)


def jpeg(size: int, byte: int = 0) -> Image:
    return Image(bytes([byte]) * size, "image/jpeg")


@pytest.fixture
def held() -> Held:
    return Held(seconds=0.5)


def test_messages_come_out_once_and_in_the_order_they_came(held: Held) -> None:
    messages: list[Audio | Text | Image] = [tenth(1), Text("one"), tenth(2), jpeg(3), Text("two"), tenth(3)]

    assert [held.add(message) for message in messages] == [0, 0, 0, 0, 0, 0]
    assert held.take() == messages
    assert held.take() == []


def test_sound_beyond_the_limit_pushes_the_oldest_sound_out_and_nothing_else(held: Held) -> None:
    held.add(Text("hello"))
    dropped = [held.add(tenth(n)) for n in range(7)]

    assert dropped == [0, 0, 0, 0, 0, 1, 1]
    assert held.seconds == 0.5
    assert held.take() == [Text("hello"), *(tenth(n) for n in range(2, 7))]


def test_a_large_frame_may_push_several_out(held: Held) -> None:
    for n in range(5):
        held.add(tenth(n))

    assert held.add(Audio(bytes(3 * TENTH))) == 3
    assert held.seconds == 0.5


def test_a_frame_larger_than_everything_is_not_kept_itself(held: Held) -> None:
    assert held.add(Audio(bytes(6 * TENTH))) == 1
    assert held.take() == []


def test_very_small_frames_are_counted_too(held: Held) -> None:
    dropped = [held.add(Audio(b"\1\0")) for _ in range(FRAMES + 3)]

    assert sum(dropped) == 3
    assert len(held.take()) == FRAMES


def test_the_oldest_of_too_many_other_messages_goes(held: Held) -> None:
    dropped = [held.add(Text(str(n))) for n in range(OTHERS + 2)]

    assert dropped == [*OTHERS * [0], 1, 1]
    assert held.take() == [Text(str(n)) for n in range(2, OTHERS + 2)]


def test_the_oldest_of_too_large_pictures_go(held: Held) -> None:
    held.add(Text("first"))
    dropped = [held.add(jpeg(OTHER_BYTES // 2 - 1, byte)) for byte in range(4)]

    assert dropped == [0, 1, 1, 1]
    assert held.take() == [jpeg(OTHER_BYTES // 2 - 1, byte) for byte in (2, 3)]


def test_clearing_forgets_everything(held: Held) -> None:
    held.add(tenth(1))
    held.add(Text("hello"))
    held.clear()

    assert held.seconds == 0.0
    assert held.take() == []
    assert [held.add(tenth(n)) for n in range(5)] == 5 * [0]


MESSAGES = st.lists(
    st.one_of(
        st.integers(1, 2 * TENTH).map(lambda samples: Audio(bytes(2 * samples))),
        st.integers(0, 9_999).map(lambda number: Text(str(number))),
        st.integers(0, OTHER_BYTES // 3).map(jpeg),
    ),
    max_size=80,
)


@given(MESSAGES)
def test_whatever_comes_is_bounded_in_order_and_accounted_for(messages: list[Audio | Text | Image]) -> None:
    held = Held(seconds=0.5)
    dropped = 0
    for message in messages:
        dropped += held.add(message)

        assert held.seconds <= 0.5
    kept = held.take()
    assert len(kept) + dropped == len(messages)
    rest = iter(messages)
    assert all(any(message is came for came in rest) for message in kept), "out of order"
    others = [message for message in kept if not isinstance(message, Audio)]
    assert len(others) <= OTHERS
    assert sum(len(other.data) for other in others if isinstance(other, Image)) <= OTHER_BYTES


@given(MESSAGES)
def test_what_is_kept_is_the_newest_of_its_sort(messages: list[Audio | Text | Image]) -> None:
    held = Held(seconds=0.5)
    for message in messages:
        held.add(message)
    kept = held.take()

    for sound in (True, False):
        came = [message for message in messages if isinstance(message, Audio) is sound]
        stayed = [message for message in kept if isinstance(message, Audio) is sound]
        assert stayed == came[len(came) - len(stayed) :]
