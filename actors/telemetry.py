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
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sentry_sdk
import structlog
from pydantic import SecretStr
from sentry_sdk.types import Event, Hint

from actors.metrics import Metrics
from actors.settings import Settings
from actors.supervision import Crash

log = structlog.get_logger("parley")
SAME_EVERY = 10.0
"""Seconds between two events of the same fingerprint: a capture costs up to a millisecond of the loop."""
FINGERPRINTS = 1_000
"""Fingerprints remembered."""
FLUSH_SECONDS = 2.0
SHAPES = (
    r"AIza[\w-]{10,}",  # Google's API keys, as they were until 2026
    r"\bAQ\.[\w-]{10,}",  # and as they are now
    r"auth_tokens/[\w-]+",
    r"(?<=[?&]key=)[^&\s\"'\\]+",
    r"(?<=(?i:bearer) )[\w.~+/-]+",
    r"eyJ[\w-]+\.[\w.-]+",
)
"""What looks like a key or a token, wherever a library may have put it into a sentence."""
SHORTEST = 8
"""Characters of a secret of ours that is known by heart; an emulator takes any word for a key, even a letter."""


def set_up(settings: Settings, *, version: str) -> None:
    """Configure logging and, with a DSN, Sentry. Once, before the loop runs."""
    scrubber = Scrubber(value.get_secret_value() for _, value in settings if isinstance(value, SecretStr))
    _set_up_logging(settings, scrubber)
    if settings.sentry_dsn is None:
        return
    sentry_sdk.init(
        dsn=settings.sentry_dsn.get_secret_value(),
        environment=settings.sentry_environment or settings.environment,
        release=f"parley@{version}",
        # Who the caller is, is sent only where `send_default_pii` or `data_collection` asks for it: neither stands
        # here, and to write `send_default_pii=False` is deprecated (sentry-sdk 2.75).
        include_local_variables=False,
        max_request_body_size="never",
        auto_enabling_integrations=False,
        default_integrations=False,
        max_breadcrumbs=20,
        enable_metrics=False,
        before_send=scrubber.event,
        shutdown_timeout=FLUSH_SECONDS,
    )


async def flush() -> None:
    """Give what was captured a moment to leave."""
    await asyncio.to_thread(sentry_sdk.flush, FLUSH_SECONDS)


class Scrubber:
    """Blots out what looks like a secret, and the secrets that are known, in whatever leaves the process."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        ours = (re.escape(secret) for secret in known if len(secret) >= SHORTEST)
        self._secrets = re.compile("|".join((*ours, *SHAPES)))

    def event(self, event: Event, _: Hint) -> Event:
        """Sentry's `before_send`: every string of it, at any depth."""
        clean: Event = self._scrubbed(event)
        return clean

    def line(self, _: Any, __: str, rendered: str) -> str:
        """The last step of a log line, when exceptions and other objects have become text too."""
        return self._secrets.sub("[scrubbed]", rendered)

    def _scrubbed(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._secrets.sub("[scrubbed]", value)
        if isinstance(value, Mapping):
            return {key: self._scrubbed(member) for key, member in value.items()}
        return [self._scrubbed(member) for member in value] if isinstance(value, list | tuple) else value


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
        scope.set_tag("call", _call_of(crash))
        scope.set_tag("model", getattr(crash.checkpoint, "model", "") or "none")
        for kind in crash.kinds:
            scope.add_breadcrumb(category="mailbox", message=kind, level="info")
        return scope.capture_exception(crash.error)


def _call_of(crash: Crash) -> str:
    """A link has no call in its checkpoint, but one in its name: `caller/call`."""
    return getattr(crash.checkpoint, "call", "") or crash.name.partition("/")[2] or "none"


def _set_up_logging(settings: Settings, scrubber: Scrubber) -> None:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    rendering: list[Any] = [_renderer(settings), scrubber.line]
    structlog.configure(
        processors=[*before, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=before, processors=[remove_meta, *rendering])
    )
    logging.basicConfig(level=max(level, logging.INFO), handlers=[handler], force=True)
    warnings.filterwarnings("ignore", module=r"google\.genai")  # it repeats values that it does not know
    for chatty in ("websockets", "httpx", "aiohttp.access", "google_genai"):  # at DEBUG they print keys and prompts
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _renderer(settings: Settings) -> Any:
    """A line for the eye, or JSON. Tracebacks are plain: prettier ones print local variables, if `rich` is there."""
    on_terminal = sys.stderr.isatty()
    if (settings.log_format or ("console" if on_terminal else "json")) == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=on_terminal, exception_formatter=structlog.dev.plain_traceback)
