"""What the house counts, by the names that dashboards and alerts use.

    actors, door ──▶ Metrics (one for the process) ──▶ GET /metrics

Labels are few and closed: no ids, no names that a stranger can invent. Children of labelled metrics that are
touched for every frame are looked up once.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

FIRST_AUDIO_BUCKETS = (0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)
"""Seconds: what a person hears as prompt, slow, and broken."""


class Metrics:
    """All counters of one process."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        # The library takes the counter `parley_calls_total` for one named `parley_calls`, so the gauge of that name
        # stands in a registry of its own; in the text both are as they should be.
        self._registries = (registry, CollectorRegistry())
        self.calls = Gauge("parley_calls", "Callers connected, by phase", ["phase"], registry=self._registries[1])
        self.calls_total = Counter("parley_calls_total", "Calls ended, by cause", ["cause"], registry=registry)
        self.frames = Counter("parley_frames_total", "Frames relayed", ["direction", "kind"], registry=registry)
        self.frames_dropped = Counter(
            "parley_frames_dropped_total", "Frames not relayed", ["direction", "reason"], registry=registry
        )
        self.restarts = Counter(
            "parley_actor_restarts_total", "Actors started again", ["actor", "exception"], registry=registry
        )
        self.dials = Counter("parley_upstream_dials_total", "Upstream dials", ["outcome"], registry=registry)
        self.first_audio = Histogram(
            "parley_first_audio_seconds",
            "Last transcript piece or typed text of the caller, to the model's first sound handed out",
            buckets=FIRST_AUDIO_BUCKETS,
            registry=registry,
        )
        self.quota_refusals = Counter(
            "parley_quota_refusals_total", "Messages refused, by bucket", ["bucket"], registry=registry
        )
        self.tokens = Counter(
            "parley_tokens_total", "Tokens as the model counts them", ["direction", "modality"], registry=registry
        )
        self.loop_lag = Gauge("parley_loop_lag_seconds", "How late the event loop runs its timers", registry=registry)
        self.gc_pause = Histogram(
            "parley_gc_pause_seconds",
            "Garbage collections",
            buckets=(0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0),
            registry=registry,
        )
        self.audio_up = self.frames.labels("up", "audio")
        self.audio_down = self.frames.labels("down", "audio")

        self.last_dial = "untried"
        """What became of the last upstream dial."""

    def dialled(self, outcome: str) -> None:
        """An upstream dial has ended, well (`opened`) or in some other way."""
        self.dials.labels(outcome).inc()
        self.last_dial = outcome

    def text(self) -> bytes:
        """The Prometheus text format, version 0.0.4."""
        return b"".join(generate_latest(_Undated(registry)) for registry in self._registries)


class _Undated(Collector):
    """A registry's metrics, without a second series for each that says when it was made.

    The library has a switch for that, but it is one for the whole process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not sample.name.endswith("_created")]
            yield metric
