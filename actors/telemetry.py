"""What is told to the people who run the house.

    supervisor ── Crash ──▶ Reporter ──▶ Sentry: one event, tagged and fingerprinted, rate-limited
                                    └──▶ log line, metric
    logging    ──▶ structlog ──▶ stderr: a line for the eye, or JSON

Kinds, sizes, names and counts; never sound, transcripts, prompts, tokens, handles or keys. Capture happens at the
supervisor's boundary only: no integration is enabled, and no local variable leaves the process. Sentry being down
costs nothing: its transport has its own thread and a bounded queue.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import sentry_sdk
import structlog
from sentry_sdk.types import Event, Hint

from actors.metrics import Metrics
from actors.settings import Settings
from actors.supervisor import Crash

log = structlog.get_logger("parley")
SAME_EVERY = 10.0
"""Seconds between two events of the same fingerprint: a capture costs up to a millisecond of the loop."""
FINGERPRINTS = 1_000
"""Fingerprints remembered."""
FLUSH_SECONDS = 2.0
SECRETS = re.compile(
    r"AIza[\w-]{10,}|auth_tokens/[\w-]+|(?<=[?&]key=)[^&\s\"']+|(?<=Bearer )[\w.~+/-]+|eyJ[\w-]+\.[\w.-]+"
)
"""What looks like a key or a token, wherever a library may have put it into a sentence."""


def set_up(settings: Settings, *, version: str) -> None:
    """Configure logging and, with a DSN, Sentry. Once, before the loop runs."""
    _set_up_logging(settings)
    if settings.sentry_dsn is None:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.sentry_environment or settings.environment,
        release=f"parley@{version}",
        include_local_variables=False,
        send_default_pii=False,
        max_request_body_size="never",
        auto_enabling_integrations=False,
        default_integrations=False,
        max_breadcrumbs=20,
        enable_metrics=False,
        before_send=scrubbed,
        shutdown_timeout=FLUSH_SECONDS,
    )


async def flush() -> None:
    """Give what was captured a moment to leave."""
    await asyncio.to_thread(sentry_sdk.flush, FLUSH_SECONDS)


def scrubbed(event: Event, _: Hint) -> Event:
    """Sentry's `before_send`: blot out what looks like a secret in any string, at any depth."""
    clean: Event = _scrub(event)
    return clean


def _scrub(value: Any) -> Any:
    if isinstance(value, str):
        return SECRETS.sub("[scrubbed]", value)
    if isinstance(value, Mapping):
        return {key: _scrub(member) for key, member in value.items()}
    return [_scrub(member) for member in value] if isinstance(value, list | tuple) else value


class Reporter:
    """What supervisors tell of a crash: returns Sentry's event id, if there is one."""

    def __init__(self, metrics: Metrics, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._metrics, self._clock = metrics, clock
        self._captured: dict[tuple[str, ...], float] = {}

    def __call__(self, crash: Crash) -> str | None:
        error = type(crash.error).__name__
        if crash.comes_back:
            self._metrics.restarts.labels(crash.actor, error).inc()
        log.error("crash", actor=crash.actor, where=crash.where, kind=crash.kind, error=error, back=crash.comes_back)
        fingerprint = (crash.actor, crash.kind, error)
        now = self._clock()
        if now - self._captured.get(fingerprint, -SAME_EVERY) < SAME_EVERY:
            return None
        if len(self._captured) >= FINGERPRINTS:
            self._captured.clear()
        self._captured[fingerprint] = now
        return _capture(crash, fingerprint)


def _capture(crash: Crash, fingerprint: tuple[str, ...]) -> str | None:
    with sentry_sdk.isolation_scope() as scope:
        scope.fingerprint = list(fingerprint)
        scope.set_tag("actor", crash.actor)
        scope.set_tag("where", str(crash.where))
        scope.set_tag("message", crash.kind)
        scope.set_tag("restarts", crash.restarts)
        scope.set_tag("call", getattr(crash.checkpoint, "call", "") or "none")
        scope.set_tag("model", getattr(crash.checkpoint, "model", "") or "none")
        for kind in crash.kinds:
            scope.add_breadcrumb(category="mailbox", message=kind, level="info")
        return scope.capture_exception(crash.error)


def _set_up_logging(settings: Settings) -> None:
    wanted = settings.log_format or ("console" if sys.stderr.isatty() else "json")
    renderer: Any = structlog.dev.ConsoleRenderer() if wanted == "console" else structlog.processors.JSONRenderer()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _scrub_line,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer))
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    for chatty in ("websockets", "httpx", "aiohttp.access", "google_genai"):  # at DEBUG they print keys and prompts
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _scrub_line(_: Any, __: str, event: Any) -> Any:
    return {key: _scrub(value) for key, value in event.items()}
