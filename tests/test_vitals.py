"""The loop's lateness and the collector's pauses are measured, and all is as before when the watch ends."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator

import pytest

from actors.metrics import Metrics
from actors.vitals import LOOK_EVERY, THRESHOLDS, Vitals


def count(metrics: Metrics, name: str) -> float:
    lines = metrics.text().decode().splitlines()
    return next(float(line.split()[1]) for line in lines if line.split()[0] == name)


@pytest.fixture(autouse=True)
def collector() -> Iterator[None]:
    """Whatever a test does to the collector, the next one has it as it was."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)


async def test_collections_are_counted_and_timed_while_watched() -> None:
    metrics = Metrics()
    with Vitals(metrics):
        gc.collect()
    gc.collect()

    assert count(metrics, "parley_gc_pause_seconds_count") == 1.0
    assert 0.0 < count(metrics, "parley_gc_pause_seconds_sum") < 10.0


async def test_what_is_there_at_the_start_is_not_looked_at_again() -> None:
    with Vitals(Metrics()):
        assert gc.get_threshold() == THRESHOLDS
        assert gc.get_freeze_count() > 1_000


async def test_the_collector_is_as_it_was_when_the_watch_ends() -> None:
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    with Vitals(Metrics()):
        pass

    assert gc.get_threshold() == thresholds
    assert gc.callbacks == callbacks
    assert gc.get_freeze_count() == 0


async def test_a_look_that_comes_late_says_by_how_much() -> None:
    metrics = Metrics()
    with Vitals(metrics) as vitals:
        vitals._look(time.monotonic() - 0.25)

        assert vitals.loop_lag == pytest.approx(0.25, abs=0.1)
        assert count(metrics, "parley_loop_lag_seconds") == vitals.loop_lag


async def test_a_look_in_time_says_nothing_of_it() -> None:
    with Vitals(Metrics()) as vitals:
        vitals._look(time.monotonic() + 1.0)

        assert vitals.loop_lag == 0.0


async def test_looks_follow_one_another_and_end_with_the_watch() -> None:
    loop = asyncio.get_running_loop()
    with Vitals(Metrics()) as vitals:
        first = vitals._timer
        assert first is not None
        assert first.when() == pytest.approx(loop.time() + LOOK_EVERY, abs=0.1)
        vitals._look(time.monotonic())
        second = vitals._timer
        assert second is not None
        assert second is not first

    assert second.cancelled()
