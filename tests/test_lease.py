"""Quota is spent without asking, refilled before it is gone, and never worth more than was lent and one bucket."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.buckets import Gcra
from actors.call.lease import ANSWER, LEASES, Purse
from actors.messages import Bucket, Lease

NOW = 50.0


def lent(granted: int, *, retry_after: float = 0.0) -> Lease:
    return Lease(Bucket.AUDIO, granted, retry_after)


@pytest.fixture
def purse() -> Purse:
    """A new purse of a bucket of a hundred: a lease is ten."""
    return Purse(limit=100)


def test_a_new_purse_asks_for_one_lease(purse: Purse) -> None:
    assert purse.wanted(NOW) == 10


def test_a_lease_of_a_small_bucket_is_at_least_one_message() -> None:
    assert Purse(limit=3).wanted(NOW) == 1


def test_a_purse_asks_once_until_it_is_answered(purse: Purse) -> None:
    assert [purse.wanted(NOW) for _ in range(3)] == [10, 0, 0]
    purse.refill(lent(4), NOW)
    assert purse.wanted(NOW) == 6


def test_a_purse_asks_when_it_is_half_empty(purse: Purse) -> None:
    purse.wanted(NOW)
    purse.refill(lent(10), NOW)
    asked = []
    for _ in range(6):
        purse.spend(NOW)
        asked.append(purse.wanted(NOW))

    assert asked == [0, 0, 0, 0, 0, 6]


def test_a_buckets_worth_may_be_on_credit_and_no_more(purse: Purse) -> None:
    purse.wanted(NOW)

    assert all(purse.spend(NOW) for _ in range(100))
    assert not purse.spend(NOW)


def test_credit_is_paid_from_the_leases_that_follow(purse: Purse) -> None:
    purse.wanted(NOW)
    for _ in range(100):
        purse.spend(NOW)
    purse.refill(lent(10), NOW)

    assert purse.wanted(NOW) == 100
    assert sum(purse.spend(NOW) for _ in range(100)) == 10


def test_a_purse_is_shut_when_there_is_nothing_to_lend_and_opens_when_there_is(purse: Purse) -> None:
    purse.wanted(NOW)
    purse.spend(NOW)
    purse.refill(lent(0, retry_after=2.0), NOW)

    assert not purse.spend(NOW + 1.9)
    assert purse.wanted(NOW + 1.9) == 0
    assert purse.retry_after(NOW + 0.5) == 1.5
    assert purse.spend(NOW + 2.0)
    assert purse.wanted(NOW + 2.0) == 12
    assert purse.retry_after(NOW + 9.0) == 0.0


def test_what_is_left_may_be_spent_though_there_is_nothing_more_to_lend(purse: Purse) -> None:
    purse.wanted(NOW)
    purse.refill(lent(2), NOW)
    purse.spend(NOW)
    purse.wanted(NOW)
    purse.refill(lent(0, retry_after=9.0), NOW)

    assert purse.spend(NOW)


def test_a_question_that_was_lost_is_asked_again(purse: Purse) -> None:
    purse.wanted(NOW)
    for _ in range(100):
        purse.spend(NOW)

    assert purse.wanted(NOW + ANSWER - 0.1) == 0
    assert purse.wanted(NOW + ANSWER) == 110
    assert purse.wanted(NOW + ANSWER) == 0


# ── with the bucket that it is filled from ───────────────────────────────────────────────────────


class Bank:
    """A purse and its bucket, with a post between them that is some messages slow."""

    def __init__(self, limit: int, period: float, *, delay: int = 0) -> None:
        self.gcra, self.purse = Gcra(limit, period=period), Purse(limit=limit)
        self._delay = delay
        self._post: deque[tuple[int, Lease]] = deque()
        self._count = 0
        self.questions = 0

    def send(self, now: float) -> bool:
        """One message of the caller's; whether it passes."""
        self._count += 1
        while self._post and self._post[0][0] <= self._count:
            self.purse.refill(self._post.popleft()[1], now)
        passed = self.purse.spend(now)
        wanted = self.purse.wanted(now)
        if wanted:
            self.questions += 1
            granted = self.gcra.take(wanted, now)
            lease = lent(granted, retry_after=0.0 if granted else self.gcra.retry_after(now))
            if self._delay:
                self._post.append((self._count + self._delay, lease))
            else:
                self.purse.refill(lease, now)
        return passed


# Those of the settings' defaults (audio, messages, media), and a very small one.
TERMS = [(200, 1.0), (100, 60.0), (300, 60.0), (1, 1.0)]


@pytest.mark.parametrize(("limit", "period"), TERMS)
@pytest.mark.parametrize("part", [0.0, 0.05, 0.45])
def test_a_sender_at_exactly_the_rate_is_never_refused(limit: int, period: float, part: float) -> None:
    bank = Bank(limit, period, delay=int(part * limit))

    assert all(bank.send(NOW + n * period / limit) for n in range(100_000))
    assert bank.questions <= 2 * LEASES * (100_000 / limit + 1)


@pytest.mark.parametrize(("limit", "period"), TERMS)
@pytest.mark.parametrize("part", [0.0, 0.05, 0.45])
def test_nor_is_one_who_spent_the_whole_bucket_at_once_before(limit: int, period: float, part: float) -> None:
    bank = Bank(limit, period, delay=int(part * limit))

    assert all(bank.send(NOW) for _ in range(limit))
    assert all(bank.send(NOW + (n + 1) * period / limit) for n in range(100_000))


@pytest.mark.parametrize(("limit", "period"), TERMS)
def test_a_burst_that_the_bucket_allows_is_not_refused_though_no_answer_comes(limit: int, period: float) -> None:
    bank = Bank(limit, period, delay=10 * limit)

    assert all(bank.send(NOW) for _ in range(limit))


@pytest.mark.parametrize(("limit", "period"), TERMS[:3])
@pytest.mark.parametrize(("part", "most"), [(0.0, 1), (3.0, 2)])
def test_a_flooder_gets_a_bucket_at_once_and_one_on_credit_if_the_answer_is_late(
    limit: int, period: float, part: float, most: int
) -> None:
    bank = Bank(limit, period, delay=int(part * limit))

    assert sum(bank.send(NOW) for _ in range(100 * limit)) == most * limit
    assert bank.questions <= 2 * limit


@pytest.mark.parametrize(("limit", "period"), TERMS)
@pytest.mark.parametrize("part", [0.0, 0.05, 3.0])
def test_a_flooder_who_goes_on_gets_what_comes_back_and_no_more_credit(limit: int, period: float, part: float) -> None:
    bank = Bank(limit, period, delay=int(part * limit))
    passed = sum(bank.send(NOW + n * period / limit / 20) for n in range(20 * 5 * limit))

    assert 5 * limit <= passed <= 7 * limit


@given(
    st.integers(1, 300),
    st.floats(0.1, 100.0),
    st.integers(0, 30),
    st.lists(st.tuples(st.floats(0.0, 9.0), st.integers(1, 60)), max_size=40),
)
@settings(deadline=None)
def test_nobody_ever_has_more_than_the_limiter_grants_and_one_bucket(
    limit: int, period: float, delay: int, bursts: list[tuple[float, int]]
) -> None:
    bank = Bank(limit, period, delay=delay)
    now, passed = NOW, 0
    for pause, messages in bursts:
        now += pause
        passed += sum(bank.send(now) for _ in range(messages))

        assert passed <= limit * (1 + (now - NOW) / period) + limit + 1e-3
