"""Everything that dashboards ask for is there by its name, in a text that Prometheus reads."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from actors.metrics import Metrics

NAMES = {
    "parley_calls": "gauge",
    "parley_calls_total": "counter",
    "parley_frames_total": "counter",
    "parley_frames_dropped_total": "counter",
    "parley_actor_restarts_total": "counter",
    "parley_upstream_dials_total": "counter",
    "parley_first_audio_seconds": "histogram",
    "parley_quota_refusals_total": "counter",
    "parley_tokens_total": "counter",
    "parley_loop_lag_seconds": "gauge",
    "parley_gc_pause_seconds": "histogram",
}


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def samples(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.text().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def test_every_name_is_announced_once_with_its_type_and_some_words(metrics: Metrics) -> None:
    text = metrics.text().decode()

    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, flags=re.MULTILINE))
    assert types == NAMES
    for name in NAMES:
        assert len(re.findall(rf"^# TYPE {name} ", text, flags=re.MULTILINE)) == 1
        assert re.search(rf"^# HELP {name} \S", text, flags=re.MULTILINE)


def test_no_series_says_when_another_was_made(metrics: Metrics) -> None:
    metrics.dialled("opened")
    metrics.first_audio.observe(0.3)

    assert b"_created" not in metrics.text()


def test_the_calls_there_are_and_the_calls_there_were_do_not_get_mixed_up(metrics: Metrics) -> None:
    metrics.calls.labels("live").inc()
    metrics.calls_total.labels("idle").inc(2)

    assert samples(metrics)["parley_calls", frozenset({("phase", "live")})] == 1.0
    assert samples(metrics)["parley_calls_total", frozenset({("cause", "idle")})] == 2.0


def test_frames_of_sound_are_counted_by_their_direction(metrics: Metrics) -> None:
    metrics.audio_up.inc()
    metrics.audio_down.inc(2)

    assert samples(metrics)["parley_frames_total", frozenset({("direction", "up"), ("kind", "audio")})] == 1.0
    assert samples(metrics)["parley_frames_total", frozenset({("direction", "down"), ("kind", "audio")})] == 2.0


def test_the_last_dial_is_remembered_and_all_are_counted(metrics: Metrics) -> None:
    assert metrics.last_dial == "untried"
    for outcome in ("opened", "connection_timeout", "opened"):
        metrics.dialled(outcome)

    assert metrics.last_dial == "opened"
    assert samples(metrics)["parley_upstream_dials_total", frozenset({("outcome", "opened")})] == 2.0


def test_two_houses_in_one_process_do_not_share_their_counts(metrics: Metrics) -> None:
    metrics.dialled("opened")

    assert b'outcome="opened"' not in Metrics().text()
