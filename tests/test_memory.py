"""Quotas are kept by caller and kind, and nothing is kept of who is gone."""

from __future__ import annotations

import pytest

from actors.messages import Bucket
from actors.store.memory import Quotas, Rate

RATE = Rate(limit=3, period=60.0)


@pytest.fixture
def quotas() -> Quotas:
    return Quotas()


def test_a_new_bucket_is_full_and_is_the_same_one_the_next_time(quotas: Quotas) -> None:
    assert quotas.bucket("ann", Bucket.AUDIO, RATE).take(9, 0.0) == 3
    assert quotas.bucket("ann", Bucket.AUDIO, RATE).take(9, 0.0) == 0


@pytest.mark.parametrize(("caller", "bucket"), [("ann", Bucket.MEDIA), ("bob", Bucket.AUDIO)])
def test_callers_and_kinds_do_not_share(quotas: Quotas, caller: str, bucket: Bucket) -> None:
    quotas.bucket("ann", Bucket.AUDIO, RATE).take(9, 0.0)

    assert quotas.bucket(caller, bucket, RATE).take(9, 0.0) == 3


def test_slots_are_taken_up_to_the_limit(quotas: Quotas) -> None:
    assert quotas.take_slot("ann", limit=2)
    assert quotas.take_slot("bob", limit=2)
    assert not quotas.take_slot("cid", limit=2)
    assert quotas.slots == 2


def test_who_holds_a_slot_gets_the_same_one_again(quotas: Quotas) -> None:
    quotas.take_slot("ann", limit=1)

    assert quotas.take_slot("ann", limit=1)
    assert quotas.slots == 1


def test_a_slot_given_back_is_free_for_another(quotas: Quotas) -> None:
    quotas.take_slot("ann", limit=1)
    quotas.give_slot("ann")
    quotas.give_slot("ann")

    assert quotas.take_slot("bob", limit=1)


def test_nothing_is_kept_of_who_is_forgotten(quotas: Quotas) -> None:
    quotas.bucket("ann", Bucket.AUDIO, RATE)
    quotas.take_slot("ann", limit=1)
    quotas.take_slot("bob", limit=2)
    assert len(quotas) == 2
    for caller in ("ann", "bob", "a stranger"):
        quotas.forget(caller)

    assert len(quotas) == quotas.slots == 0
