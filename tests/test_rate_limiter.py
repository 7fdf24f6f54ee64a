"""The limiter answers every question by mail, and keeps nothing of who is gone."""

from __future__ import annotations

import pytest

from actors.messages import Bucket, Lease, Slot
from actors.rate_limiter import BUSY_RETRY, GiveSlot, Limits, RateLimiterActor, Want, WantSlot
from actors.store.memory import Quotas, Rate
from actors.supervision import Gone
from tests.fakes import Clock, FakeMail

LIMITS = Limits({Bucket.AUDIO: Rate(200, 1.0), Bucket.MESSAGES: Rate(100, 60.0), Bucket.MEDIA: Rate(300, 60.0)}, 2)


class Office:
    """A limiter, built and not started, and one who asks it."""

    def __init__(self) -> None:
        self.clock, self.quotas, self.asker = Clock(), Quotas(), FakeMail()
        self.actor = self.born()

    def born(self) -> RateLimiterActor:
        return RateLimiterActor(limits=LIMITS, quotas=self.quotas, clock=self.clock)

    def want(self, caller: str, amount: int, bucket: Bucket = Bucket.MESSAGES) -> Lease:
        self.actor.on_receive(Want(caller, bucket, amount, self.asker))
        lease = self.asker.heard.pop()
        assert isinstance(lease, Lease)
        return lease

    def want_slot(self, caller: str, call: str = "call") -> Slot:
        self.actor.on_receive(WantSlot(caller, call, self.asker))
        slot = self.asker.heard.pop()
        assert isinstance(slot, Slot)
        return slot


@pytest.fixture
def office() -> Office:
    return Office()


def test_a_lease_is_what_there_is_up_to_what_is_wanted(office: Office) -> None:
    assert office.want("ann", 30) == Lease(Bucket.MESSAGES, 30, 0.0)
    assert office.want("ann", 90) == Lease(Bucket.MESSAGES, 70, 0.0)


def test_an_empty_bucket_lends_nothing_and_says_when_it_will(office: Office) -> None:
    office.want("ann", 100)
    lease = office.want("ann", 10)

    assert lease.granted == 0
    assert lease.retry_after == pytest.approx(0.6)
    office.clock.advance(lease.retry_after)
    assert office.want("ann", 10) == Lease(Bucket.MESSAGES, 1, 0.0)


@pytest.mark.parametrize(("bucket", "limit"), [(Bucket.AUDIO, 200), (Bucket.MESSAGES, 100), (Bucket.MEDIA, 300)])
def test_every_kind_has_its_own_limit(office: Office, bucket: Bucket, limit: int) -> None:
    assert office.want("ann", 9_999, bucket) == Lease(bucket, limit, 0.0)


def test_callers_do_not_share_a_bucket(office: Office) -> None:
    office.want("ann", 100)

    assert office.want("bob", 100).granted == 100


def test_calls_begin_while_there_are_slots(office: Office) -> None:
    assert office.want_slot("ann", "call 1") == Slot("call 1", granted=True)
    assert office.want_slot("bob", "call 2") == Slot("call 2", granted=True)
    assert office.want_slot("cid", "call 3") == Slot("call 3", granted=False, retry_after=BUSY_RETRY)


def test_a_slot_stays_the_callers_for_the_next_call(office: Office) -> None:
    office.want_slot("ann")
    office.want_slot("bob")

    assert office.want_slot("ann", "the next") == Slot("the next", granted=True)


@pytest.mark.parametrize("leaving", [GiveSlot("ann"), Gone("ann")])
def test_who_gives_back_or_is_gone_frees_a_slot(office: Office, leaving: object) -> None:
    for caller in ("ann", "bob"):
        office.want_slot(caller)
    office.actor.on_receive(leaving)

    assert office.want_slot("cid").granted


def test_a_slot_given_back_does_not_fill_the_bucket(office: Office) -> None:
    office.want("ann", 100)
    office.actor.on_receive(GiveSlot("ann"))

    assert office.want("ann", 1).granted == 0


def test_nothing_is_kept_of_who_is_gone(office: Office) -> None:
    office.want("ann", 100)
    office.want_slot("ann")
    office.actor.on_receive(Gone("ann"))

    assert len(office.quotas) == 0


def test_a_crash_of_the_limiter_forgets_nothing(office: Office) -> None:
    office.want("ann", 100)
    office.want_slot("ann")
    office.want_slot("bob")
    office.actor = office.born()

    assert office.want("ann", 1).granted == 0
    assert not office.want_slot("cid").granted
