"""What a caller may do is decided at once; refusals are counted always and put in words now and then."""

from __future__ import annotations

import pytest

from actors.call.allowance import SOUND_BURST, SOUND_RATE, WORDS_EVERY, Allowance
from actors.errors import RATE_LIMITED
from actors.messages import CALLER_BYTES_PER_SECOND, Bucket, Lease
from actors.metrics import Metrics
from actors.rate_limiter import Want
from tests.fakes import Clock, FakeMail

LIMITS = {Bucket.AUDIO: 200, Bucket.MESSAGES: 100, Bucket.MEDIA: 300}


class Desk:
    """One caller's allowance. The limiter answers when the test does."""

    def __init__(self) -> None:
        self.clock, self.limiter, self.caller, self.metrics = Clock(), FakeMail(), FakeMail(), Metrics()
        self.allowance = Allowance("conn_1", self.limiter, self.caller, limits=LIMITS, metrics=self.metrics)

    def may(self, bucket: Bucket = Bucket.MESSAGES) -> bool:
        return self.allowance.may(bucket, self.clock())

    def refill(self, granted: int, retry_after: float = 0.0) -> None:
        self.allowance.refill(Lease(Bucket.MESSAGES, granted, retry_after), self.clock())

    def exhaust(self, retry_after: float) -> None:
        """Spend one, and hear that there is nothing to be had for so long."""
        self.may()
        self.refill(0, retry_after)

    def word(self, bucket: Bucket | None = Bucket.MESSAGES) -> str | None:
        refusal = self.allowance.refusal(bucket, self.clock())
        return None if refusal is None else refusal.sentence


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_first_message_passes_and_asks_for_a_lease(desk: Desk) -> None:
    assert desk.may()
    assert desk.limiter.heard == [Want("conn_1", Bucket.MESSAGES, 11, desk.caller)]


def test_one_question_serves_many_messages(desk: Desk) -> None:
    desk.may()
    desk.refill(11)

    assert all(desk.may() for _ in range(5))
    assert len(desk.limiter.heard) == 1
    assert desk.may()
    assert desk.limiter.heard[1:] == [Want("conn_1", Bucket.MESSAGES, 6, desk.caller)]


def test_each_kind_is_spent_from_its_own_purse(desk: Desk) -> None:
    desk.exhaust(9.0)

    assert not desk.may(Bucket.MESSAGES)
    assert desk.may(Bucket.AUDIO)
    assert desk.may(Bucket.MEDIA)


def test_every_refusal_is_counted_by_its_kind(desk: Desk) -> None:
    desk.exhaust(9.0)
    for _ in range(3):
        desk.may()

    assert b'parley_quota_refusals_total{bucket="messages"} 3.0' in desk.metrics.text()


# ── in words ─────────────────────────────────────────────────────────────────────────────────────


def test_a_refusal_keeps_the_wording_that_the_old_client_knows(desk: Desk) -> None:
    desk.exhaust(4.2)
    refusal = desk.allowance.refusal(Bucket.MESSAGES, desk.clock())

    assert refusal is not None
    assert refusal.kind is RATE_LIMITED
    assert refusal.sentence == "Rate limit exceeded. Try again in 5s"
    assert refusal.retry_after == 5.0


def test_nobody_is_told_to_wait_for_no_time_at_all(desk: Desk) -> None:
    assert [desk.may() for _ in range(101)] == [*100 * [True], False]  # all is on credit, and no answer has come
    assert desk.word() == "Rate limit exceeded. Try again in 1s"


def test_a_refusal_of_bytes_says_a_second(desk: Desk) -> None:
    assert desk.word(None) == "Rate limit exceeded. Try again in 1s"


def test_one_refusal_a_second_is_put_in_words_whatever_was_refused(desk: Desk) -> None:
    desk.exhaust(30.0)
    desk.word()
    desk.clock.advance(WORDS_EVERY - 0.1)

    assert desk.word() is None
    assert desk.word(None) is None
    assert desk.word(Bucket.AUDIO) is None
    desk.clock.advance(0.1)
    assert desk.word() == "Rate limit exceeded. Try again in 29s"


# ── sound ────────────────────────────────────────────────────────────────────────────────────────


def seconds(amount: float) -> bytes:
    return bytes(round(amount * CALLER_BYTES_PER_SECOND))


def test_ten_seconds_of_sound_may_come_at_once(desk: Desk) -> None:
    assert all(desk.allowance.hears(seconds(1.0), desk.clock()) for _ in range(int(SOUND_BURST)))
    assert not desk.allowance.hears(seconds(0.1), desk.clock())


def test_a_little_faster_than_speech_is_heard_for_ever(desk: Desk) -> None:
    frame = seconds(0.02)
    heard = []
    for _ in range(10_000):
        heard.append(desk.allowance.hears(frame, desk.clock()))
        desk.clock.advance(0.02 / SOUND_RATE)

    assert all(heard)


def test_twice_as_fast_as_speech_is_not(desk: Desk) -> None:
    frame = seconds(0.1)
    heard = 0
    for _ in range(1_000):
        heard += desk.allowance.hears(frame, desk.clock())
        desk.clock.advance(0.05)

    assert heard / 10 == pytest.approx(SOUND_BURST + 50.0 * SOUND_RATE, abs=0.1)
