"""Sound leaves at the pace at which it is heard; signs never overtake it, and outlive it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.playout import GRAIN, LONGEST, Playout
from actors.messages import MODEL_BYTES_PER_SECOND
from actors.replies import GenerationComplete, Reply, Sound, TurnComplete, TurnStarted

LEAD = 1.0
PIECE = LONGEST / MODEL_BYTES_PER_SECOND
"""Seconds of the longest piece."""
TINY = 1e-5
"""Seconds that nobody hears: what a playout may be early, and the rounding of floats."""


def pcm(seconds: float, byte: int = 1) -> bytes:
    return bytes([byte]) * (round(seconds * MODEL_BYTES_PER_SECOND / 2) * 2)


def seconds(replies: list[Reply]) -> float:
    return sum(len(reply.pcm) for reply in replies if isinstance(reply, Sound)) / MODEL_BYTES_PER_SECOND


@pytest.fixture
def playout() -> Playout:
    return Playout(lead=LEAD)


def test_the_first_sound_leaves_at_once(playout: Playout) -> None:
    sound = pcm(0.04)
    playout.sound(sound)

    assert playout.wait(5.0) == GRAIN
    assert playout.due(5.0) == [Sound(sound)]
    assert playout.empty


def test_sound_of_a_fast_model_leaves_a_lead_ahead_and_then_in_real_time(playout: Playout) -> None:
    for _ in range(40):
        playout.sound(pcm(0.25))

    assert seconds(playout.due(5.0)) == LEAD
    assert playout.due(5.0) == []
    assert seconds(playout.due(5.125)) == 0.25
    assert playout.wait(5.125) == 0.125 + GRAIN
    assert seconds(playout.due(6.125)) == 1.0


def test_what_waits_is_due_when_it_was_said_to_be(playout: Playout) -> None:
    for _ in range(12):
        playout.sound(pcm(0.1))
    playout.due(5.0)
    wait = playout.wait(5.0)

    assert wait is not None
    assert playout.due(5.0 + wait)


def test_a_long_piece_is_cut_so_that_it_cannot_run_ahead(playout: Playout) -> None:
    sound = bytes(range(250)) * 400
    playout.sound(sound)

    replies = playout.due(0.0)
    assert seconds(replies) == LEAD
    replies += playout.due(100.0) + playout.due(200.0)
    assert b"".join(reply.pcm for reply in replies if isinstance(reply, Sound)) == sound


def test_after_a_pause_the_pace_begins_anew(playout: Playout) -> None:
    playout.sound(pcm(0.1))
    playout.due(5.0)
    for _ in range(20):
        playout.sound(pcm(0.25))

    assert seconds(playout.due(60.0)) == LEAD


def test_signs_wait_for_the_sound_before_them_and_for_nothing_else(playout: Playout) -> None:
    playout.sign(TurnStarted(1))
    for _ in range(8):
        playout.sound(pcm(0.25))
    playout.sign(TurnComplete(1))

    sound = Sound(pcm(0.25))
    assert playout.due(5.0) == [TurnStarted(1), *4 * [sound]]
    assert playout.due(6.0) == [*4 * [sound], TurnComplete(1)]


def test_an_empty_line_waits_for_nothing(playout: Playout) -> None:
    assert playout.empty
    assert playout.due(5.0) == []
    assert playout.wait(5.0) is None


def test_unheard_is_what_waits_and_what_left_too_recently_to_have_been_played(playout: Playout) -> None:
    for _ in range(12):
        playout.sound(pcm(0.25))
    playout.due(5.0)

    assert playout.seconds == 2.0
    assert playout.unheard(5.0) == 3.0
    playout.due(5.5)
    assert playout.unheard(5.5) == 2.5
    assert playout.unheard(105.5) == playout.seconds == 1.5


def test_flushing_voids_sound_in_the_line_and_handed_over(playout: Playout) -> None:
    for _ in range(30):
        playout.sound(pcm(0.1))
    playout.due(5.0)
    playout.flush(5.1)

    assert playout.empty
    assert playout.unheard(5.1) == 0.0
    playout.sound(pcm(0.1))
    assert playout.due(5.1) == [Sound(pcm(0.1))]


def test_flushing_keeps_the_signs_that_are_still_true(playout: Playout) -> None:
    signs: list[Reply] = [TurnStarted(1), GenerationComplete(1), TurnComplete(1), TurnStarted(2)]
    for sign in signs:
        playout.sign(sign)
        playout.sound(pcm(2.0))

    assert playout.flush(5.0) == [TurnStarted(1), TurnComplete(1), TurnStarted(2)]


# ── whatever is added, whenever it is asked ──────────────────────────────────────────────────────

ADDED = st.one_of(
    st.integers(1, 3 * LONGEST // 2).map(lambda samples: bytes(2 * samples)),
    st.integers(1, 100).map(TurnStarted),
    st.integers(1, 100).map(GenerationComplete),
    st.integers(1, 100).map(TurnComplete),
)
VISITS = st.lists(st.tuples(st.floats(0.0, 2.0), st.lists(ADDED, max_size=5)), max_size=20)
"""Pauses in seconds, each with what is added after it."""
LEADS = st.floats(0.1, 10.0)
STARTS = st.sampled_from([0.0, 1_000.3, 1e7])


def add(playout: Playout, added: bytes | Reply) -> None:
    if isinstance(added, bytes):
        playout.sound(added)
    else:
        playout.sign(added)


def melted(replies: list[Reply]) -> list[Reply]:
    """The same with neighbouring sounds made into one: how they were cut does not matter."""
    whole: list[Reply] = []
    for reply in replies:
        last = whole[-1] if whole else None
        if isinstance(reply, Sound) and isinstance(last, Sound):
            whole[-1] = Sound(last.pcm + reply.pcm)
        else:
            whole.append(reply)
    return whole


@given(LEADS, STARTS, VISITS)
def test_everything_comes_out_once_and_in_order(
    lead: float, now: float, visits: list[tuple[float, list[bytes | Reply]]]
) -> None:
    playout, came, left = Playout(lead=lead), [], []
    for pause, batch in visits:
        now += pause
        for added in batch:
            add(playout, added)
            came.append(Sound(added) if isinstance(added, bytes) else added)
        left += playout.due(now)
    for _ in range(10_000):
        wait = playout.wait(now)
        if wait is None:
            break
        now += wait
        handed = playout.due(now)
        left += handed

        assert handed, "woken for nothing"
    assert playout.empty
    assert playout.seconds == 0.0
    assert melted(left) == melted(came)


@given(LEADS, STARTS, VISITS)
def test_the_caller_is_never_more_than_a_lead_and_a_piece_ahead(
    lead: float, now: float, visits: list[tuple[float, list[bytes | Reply]]]
) -> None:
    playout, heard_by = Playout(lead=lead), now
    for pause, batch in visits:
        now += pause
        for added in batch:
            add(playout, added)
        heard_by = max(heard_by, now) + seconds(playout.due(now))

        assert heard_by - now <= lead + PIECE + TINY
        assert playout.unheard(now) == pytest.approx(heard_by - now + playout.seconds, abs=TINY)


@given(LEADS, STARTS, VISITS, st.integers(0, 20))
def test_a_flush_drops_all_sound_and_keeps_the_signs_in_order(
    lead: float, now: float, visits: list[tuple[float, list[bytes | Reply]]], flushed_after: int
) -> None:
    playout, came, left = Playout(lead=lead), [], []
    for pause, batch in visits[:flushed_after]:
        now += pause
        for added in batch:
            add(playout, added)
            came.append(added)
        left += playout.due(now)
    handed = [reply for reply in left if not isinstance(reply, Sound)]
    kept = playout.flush(now)

    signs = [added for added in came if not isinstance(added, bytes)]
    assert handed == signs[: len(handed)]
    assert kept == [sign for sign in signs[len(handed) :] if not isinstance(sign, GenerationComplete)]
    assert playout.empty
    assert playout.unheard(now) == 0.0


def test_a_line_that_is_asked_for_at_every_moment_never_falls_silent(playout: Playout) -> None:
    for _ in range(50):
        playout.sound(pcm(0.1))
    ends = []
    now = heard_by = 5.0
    while not playout.empty:
        heard_by = max(heard_by, now) + seconds(playout.due(now))
        ends.append(heard_by)
        now += 0.02

    assert all(later >= earlier for earlier, later in pairwise(ends))
    assert heard_by == pytest.approx(10.0)
