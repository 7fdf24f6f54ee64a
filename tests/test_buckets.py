"""A bucket grants what it promises, no more and no less, however long and however odd the clock."""

from __future__ import annotations

from itertools import accumulate, combinations_with_replacement

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from actors.buckets import SLACK, Gcra, Pour

LIMITS = st.tuples(st.integers(1, 300), st.floats(0.001, 3_600))
STARTS = st.sampled_from([0.0, 12.345, 1e9])
VISITS = st.lists(st.tuples(st.floats(0.0, 50.0), st.integers(0, 400)), min_size=1, max_size=25)
"""Pauses in seconds, each with how many are wanted after it."""


def moments(start: float, pauses: list[float]) -> list[float]:
    return list(accumulate(pauses, initial=start))[1:]


# ── counted things ───────────────────────────────────────────────────────────────────────────────


def test_one_periods_limit_may_be_taken_at_once_and_no_more() -> None:
    bucket = Gcra(100, period=60.0)

    assert bucket.take(70, 5.0) == 70
    assert bucket.take(70, 5.0) == 30
    assert bucket.take(70, 5.0) == 0


def test_one_comes_back_each_share_of_the_period() -> None:
    bucket = Gcra(100, period=60.0)
    bucket.take(100, 0.0)

    assert [bucket.take(5, now) for now in (0.59, 0.6, 1.79, 1.8)] == [0, 1, 1, 1]


def test_what_is_not_wanted_stays() -> None:
    bucket = Gcra(2, period=1.0)

    assert bucket.take(0, 0.0) == 0
    assert bucket.take(-1, 0.0) == 0
    assert bucket.take(3, 0.0) == 2


def test_a_long_rest_fills_the_bucket_and_does_not_overfill_it() -> None:
    bucket = Gcra(10, period=1.0)
    bucket.take(10, 0.0)

    assert bucket.take(99, 1e6) == 10


def test_retry_after_is_when_the_next_one_is_there() -> None:
    bucket = Gcra(100, period=60.0)

    assert bucket.retry_after(0.0) == 0.0
    bucket.take(100, 0.0)
    assert bucket.retry_after(0.0) == pytest.approx(0.6)
    assert bucket.retry_after(0.5) == pytest.approx(0.1)
    assert bucket.retry_after(0.6) == 0.0


@settings(deadline=None)
@given(LIMITS, STARTS, VISITS)
def test_no_window_sees_more_than_the_limit_and_what_came_back(
    terms: tuple[int, float], start: float, visits: list[tuple[float, int]]
) -> None:
    limit, period = terms
    bucket = Gcra(limit, period=period)
    times = moments(start, [pause for pause, _ in visits])
    granted = [bucket.take(wanted, now) for now, (_, wanted) in zip(times, visits, strict=True)]

    for first, last in combinations_with_replacement(range(len(visits)), 2):
        elapsed = times[last] - times[first] + 2 * SLACK  # the slack, and the rounding of the period
        assert sum(granted[first : last + 1]) <= limit + limit * elapsed / period


@settings(deadline=None)
@given(LIMITS, STARTS, VISITS)
def test_who_waits_as_long_as_told_is_not_refused_again(
    terms: tuple[int, float], start: float, visits: list[tuple[float, int]]
) -> None:
    bucket, now = Gcra(terms[0], period=terms[1]), start
    for pause, wanted in visits:
        now += pause
        bucket.take(wanted, now)
        now += bucket.retry_after(now)

        assert bucket.take(1, now) == 1


@settings(deadline=None)
@given(LIMITS, STARTS, VISITS)
def test_retry_after_is_zero_exactly_when_one_can_be_taken(
    terms: tuple[int, float], start: float, visits: list[tuple[float, int]]
) -> None:
    bucket = Gcra(terms[0], period=terms[1])
    for now, (_, wanted) in zip(moments(start, [pause for pause, _ in visits]), visits, strict=True):
        bucket.take(wanted, now)
        wait = bucket.retry_after(now)

        assert (wait == 0.0) == (bucket.take(1, now) == 1)


@pytest.mark.parametrize(("limit", "period"), [(1, 0.1), (3, 0.1), (7, 1.0), (200, 1.0), (100, 60.0), (300, 60.0)])
@pytest.mark.parametrize("start", [0.0, 1e9])
def test_a_sender_at_exactly_the_rate_is_never_refused(limit: int, period: float, start: float) -> None:
    bucket = Gcra(limit, period=period)
    bucket.take(limit - 1, start)  # from here on there is only ever the one that just came back

    assert all(bucket.take(1, start + n * period / limit) for n in range(100_000))
    assert bucket.take(1, start + 99_999 * period / limit) == 0


@given(LIMITS, st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_a_clock_that_goes_back_grants_nothing(terms: tuple[int, float], now: float, back: float) -> None:
    bucket = Gcra(terms[0], period=terms[1])
    bucket.take(terms[0], now)

    assert bucket.take(1, now - back) == 0
    assert bucket.take(1, now) == 0


@pytest.mark.parametrize(("limit", "period"), [(0, 1.0), (-1, 1.0), (1, 0.0), (1, -1.0)])
def test_a_bucket_that_could_never_grant_is_refused(limit: int, period: float) -> None:
    with pytest.raises(ValueError, match="expected at least 1 in a positive time"):
        Gcra(limit, period=period)


# ── flowing things ───────────────────────────────────────────────────────────────────────────────

RATES = st.tuples(st.floats(0.1, 1e6), st.floats(0.1, 1e7))
POURS = st.lists(st.tuples(st.floats(0.0, 20.0), st.floats(0.0, 1e6)), min_size=1, max_size=25)
"""Pauses in seconds, each with how much is poured after it."""


def test_the_burst_fits_at_once_and_then_the_rate() -> None:
    sound = Pour(rate=1.2, burst=10.0)

    assert sound.pour(10.0, 7.0)
    assert not sound.pour(0.1, 7.0)
    assert sound.pour(1.2, 8.0)
    assert not sound.pour(0.1, 8.0)


def test_what_does_not_fit_is_not_poured_in_part() -> None:
    vessel = Pour(rate=1.0, burst=10.0)
    vessel.pour(6.0, 0.0)

    assert not vessel.pour(5.0, 0.0)
    assert vessel.pour(4.0, 0.0)


def test_more_than_the_burst_never_fits() -> None:
    assert not Pour(rate=100.0, burst=10.0).pour(10.1, 1e6)


def test_a_vessel_is_never_emptier_than_empty() -> None:
    vessel = Pour(rate=1.0, burst=10.0)
    vessel.pour(1.0, 0.0)

    assert vessel.pour(10.0, 1_000.0)
    assert not vessel.pour(1.0, 1_000.0)


@settings(deadline=None)
@given(RATES, STARTS, POURS)
def test_no_window_takes_more_than_the_burst_and_what_drained(
    terms: tuple[float, float], start: float, pours: list[tuple[float, float]]
) -> None:
    rate, burst = terms
    vessel = Pour(rate=rate, burst=burst)
    times = moments(start, [pause for pause, _ in pours])
    taken = [amount * vessel.pour(amount, now) for now, (_, amount) in zip(times, pours, strict=True)]

    for first, last in combinations_with_replacement(range(len(pours)), 2):
        elapsed = times[last] - times[first] + SLACK
        assert sum(taken[first : last + 1]) <= (burst + rate * elapsed) * (1 + 1e-9)


@pytest.mark.parametrize(("rate", "burst", "amount"), [(1.2, 10.0, 0.02), (64_000.0, 1_000_000.0, 341.0)])
@pytest.mark.parametrize("start", [0.0, 1e9])
def test_a_stream_at_exactly_the_rate_always_fits(rate: float, burst: float, amount: float, start: float) -> None:
    vessel = Pour(rate=rate, burst=burst)
    vessel.pour(burst - amount, start)  # from here on it is full to the brim

    assert all(vessel.pour(amount, start + n * amount / rate) for n in range(100_000))
    assert not vessel.pour(amount, start + 99_999 * amount / rate)


@given(st.floats(0.0, 1e9), st.floats(0.0, 1e9))
@example(now=0.0, back=5.0)
def test_a_clock_that_goes_back_and_forth_drains_nothing(now: float, back: float) -> None:
    vessel = Pour(rate=1.0, burst=10.0)
    vessel.pour(10.0, now)

    assert not vessel.pour(1.0, now - back)
    assert not vessel.pour(1.0, now)


def test_a_clock_that_went_back_drains_again_from_where_it_had_been() -> None:
    vessel = Pour(rate=1.0, burst=10.0)
    vessel.pour(10.0, 100.0)
    vessel.pour(1.0, 50.0)

    assert vessel.pour(10.0, 110.0)


@pytest.mark.parametrize(("rate", "burst"), [(0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)])
def test_a_vessel_that_could_never_take_is_refused(rate: float, burst: float) -> None:
    with pytest.raises(ValueError, match="expected both above 0"):
        Pour(rate=rate, burst=burst)
