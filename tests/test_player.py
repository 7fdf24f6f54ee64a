"""The player counts what a listener would have missed, and nothing else."""

from __future__ import annotations

import pytest

from actors.phone.player import Player


def played(*arrivals: tuple[float, float]) -> Player:
    """A player that was given so many seconds of sound at each of these moments."""
    player = Player()
    for now, seconds in arrivals:
        player.add(seconds, now)
    return player


@pytest.mark.parametrize(
    ("arrivals", "underruns", "lost"),
    [
        ([], 0, 0),
        ([(0.0, 0.1)], 0, 0),
        ([(n * 0.02, 0.02) for n in range(50)], 0, 0),
        ([(0.0, 0.1), (0.3, 0.1)], 0, 0),
        ([(0.0, 0.1), (0.301, 0.1)], 1, 1),
        ([(0.0, 0.1), (0.36, 0.1)], 1, 3),
        ([(0.0, 0.1), (0.36, 0.1), (0.5, 0.1)], 2, 5),
        ([(1e9, 0.1), (1e9 + 0.36, 0.1)], 1, 3),
    ],
)
def test_slots_that_would_have_been_dry_are_counted(
    arrivals: list[tuple[float, float]], underruns: int, lost: int
) -> None:
    player = played(*arrivals)

    assert (player.underruns, player.lost_frames) == (underruns, lost)


def test_silence_after_a_rest_is_meant() -> None:
    player = played((0.0, 0.1))
    player.rest()
    player.add(0.1, 10.0)

    assert (player.underruns, player.lost_frames) == (0, 0)


def test_the_buffer_is_filled_anew_after_a_rest() -> None:
    player = played((0.0, 0.1))
    player.rest()
    player.add(0.1, 10.0)
    player.add(0.1, 10.3)

    assert player.underruns == 0


def test_a_cut_tells_what_nobody_would_have_heard() -> None:
    player = played((0.0, 1.0), (0.1, 1.0))

    assert player.cut(0.7) == pytest.approx(1.5)
    assert player.cut(0.7) == 0.0


def test_nothing_is_unplayed_when_all_was_played() -> None:
    assert played((0.0, 1.0)).cut(2.0) == 0.0


def test_sound_after_a_cut_begins_a_new_turn() -> None:
    player = played((0.0, 1.0))
    player.cut(0.5)
    player.add(0.1, 5.0)

    assert player.underruns == 0
