"""Every way in which the model's side can fail, in one table.

    exception of the SDK, websockets, TLS or TCP ──▶ classify ──▶ GatewayError: its row, and what was seen
    exception of converting one frame            ──▶ garbled  ──▶ words for `Garbled`

The same fault arrives as different classes (a close as itself in a call, and behind an error of the SDK's while
dialling; a refused upgrade as `InvalidStatus`), and the same close code means different things; so the code and
the reason are taken out first, and then looked up. Reasons are cut at 123 bytes (RFC 6455, 5.5) and some begin with a
request's id, so a row looks for its mark anywhere in them. The reason itself goes no further: it may hold ids or
prompts. What is found in no table is our own mistake, and says so.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass

from pydantic import ValidationError
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus

from actors.errors import (
    DIAL_FAILED,
    DIAL_TIMEOUT,
    KEY_EXPIRED,
    KEY_INVALID,
    LINK_LOST,
    NO_SUCH_MODEL,
    OUR_FAULT,
    OVERLOADED,
    REFUSED,
    UPSTREAM_QUOTA,
    GatewayError,
    Kind,
)

ABNORMAL = 1006
LONGEST_WAIT = 3600.0
"""Seconds. A `Retry-After` beyond it is taken for this."""


@dataclass(frozen=True, slots=True)
class Row:
    """One meaning of a close, in our words. Without a kind it is `DIAL_FAILED` or `LINK_LOST`, as the phase is."""

    code: int | None
    """The close code; `None` for any, and for the body of a refused upgrade."""
    mark: str
    """Part of the reason; empty for any."""
    kind: Kind | None
    what: str


# The first row that fits. Reasons as seen in the wild: the issue trackers of google/adk-python, livekit/agents,
# googleapis/python-genai, pipecat and others, 2024–2026.
CLOSES = (
    Row(None, "api key not valid", KEY_INVALID, "key not valid"),
    Row(None, "api key expired", KEY_EXPIRED, "key expired"),
    Row(None, "unregistered callers", KEY_INVALID, "no key was recognised"),
    Row(None, "user location is not supported", REFUSED, "this location is not served"),
    Row(None, "resource_exhausted", UPSTREAM_QUOTA, "out of quota"),
    Row(None, "spending cap", UPSTREAM_QUOTA, "spending cap reached"),
    Row(None, "exceeded your current quota", UPSTREAM_QUOTA, "out of quota"),
    Row(None, "is not found for api version", NO_SUCH_MODEL, "no such model in this api version"),
    Row(None, "is not supported for bidi", NO_SUCH_MODEL, "not a live model"),
    Row(1007, "cannot extract voices", REFUSED, "no modality but audio is allowed"),
    Row(1007, "invalid resource field", REFUSED, "model path of another backend"),
    Row(1007, "media_chunks is deprecated", REFUSED, "a kind of input that is no longer taken"),
    Row(1007, "the system instruction has", REFUSED, "the context is too long"),
    Row(1007, "", REFUSED, "invalid request"),
    Row(1008, "operation is not implemented", None, "operation not enabled"),
    Row(1008, "operation was aborted", None, "operation aborted"),
    Row(1008, "requested entity was not found", None, "unknown handle or call"),
    Row(1008, "", None, "policy"),
    Row(1011, "currently unavailable", OVERLOADED, "unavailable"),
    Row(1011, "overloaded", OVERLOADED, "overloaded"),
    Row(1011, "deadline expired", None, "the connection reached its age"),
    Row(1011, "failed to run inference", None, "inference failed"),
    Row(1011, "thread was cancelled", None, "closed while it was written to"),
    Row(1011, "", None, "internal error"),
    Row(1000, "", None, "closed in order"),
    Row(1001, "", None, "going away"),
    Row(1012, "", None, "restarting"),
    Row(1013, "", OVERLOADED, "try again later"),
    Row(ABNORMAL, "", None, "gone without a goodbye"),
    Row(None, "", None, "closed"),
)

# Codes that websockets closed with by itself; the SDK shows all of them as 1006 without a reason.
CLOSED_BY_US = {
    1009: "closed by us: a message beyond max_size",
    1011: "closed by us: no answer to a keepalive ping",
}

# A refused upgrade whose body holds no mark. Other statuses are `DIAL_FAILED`.
STATUSES: dict[int, tuple[Kind, str]] = {
    400: (REFUSED, "bad request"),
    401: (KEY_INVALID, "not authorised"),
    403: (KEY_INVALID, "forbidden"),
    404: (REFUSED, "no such path or api version"),
    429: (UPSTREAM_QUOTA, "too many requests"),
    502: (OVERLOADED, "bad gateway"),
    503: (OVERLOADED, "unavailable"),
    504: (OVERLOADED, "gateway timeout"),
}

# What converting one frame raises (google-genai 3.4); subclasses before their parents.
CONVERSIONS: tuple[tuple[type[Exception], str], ...] = (
    (ValidationError, "a value of the wrong type"),
    (UnicodeDecodeError, "text that is not UTF-8"),
    (ValueError, "not JSON"),
    (RecursionError, "nested too deeply"),
    (TypeError, "no message that is known"),
    (AttributeError, "not an object"),
)
UNREADABLE = tuple(error for error, _ in CONVERSIONS)
"""To catch around the conversion of one frame: it costs that frame, and the session goes on."""


def classify(error: BaseException, *, during_setup: bool) -> GatewayError:
    """What this means to a call. The detail holds codes and our own words, nothing of the upstream's text."""
    match error:
        case GatewayError():
            return error
        case ConnectionClosed() as close:
            return _closed(close, during_setup=during_setup)
        case BaseException(__context__=ConnectionClosed() as close):
            # The SDK's own error over it tells every end without a close frame as 1006, whoever closed.
            return _closed(close, during_setup=during_setup)
        case InvalidStatus():
            return _refused(error)
        case ssl.SSLCertVerificationError():
            return GatewayError(REFUSED, "the upstream's certificate is signed by nobody we trust")
        case TimeoutError() if during_setup:
            return GatewayError(DIAL_TIMEOUT, "the session was not set up in time")
        case OSError() | InvalidHandshake():
            return _by_phase(f"no connection: {type(error).__name__}", during_setup=during_setup)
        case _ if during_setup and isinstance(error, UNREADABLE):
            return GatewayError(DIAL_FAILED, f"the first message was {garbled(error)}")
        case _:
            return GatewayError(OUR_FAULT, type(error).__name__)


def garbled(error: BaseException) -> str:
    """Words for a mistake in one frame."""
    return next((words for kind, words in CONVERSIONS if isinstance(error, kind)), type(error).__name__)


def _by_phase(detail: str, *, during_setup: bool) -> GatewayError:
    return GatewayError(DIAL_FAILED if during_setup else LINK_LOST, detail)


def _closed(error: ConnectionClosed, *, during_setup: bool) -> GatewayError:
    if error.rcvd is not None:
        return _meaning(error.rcvd.code, error.rcvd.reason, during_setup=during_setup)
    if error.sent is not None and error.sent.code in CLOSED_BY_US:
        return _by_phase(f"{error.sent.code} {CLOSED_BY_US[error.sent.code]}", during_setup=during_setup)
    return _meaning(ABNORMAL, "", during_setup=during_setup)


def _meaning(code: int, reason: str, *, during_setup: bool) -> GatewayError:
    row = _row(code, reason)
    detail = f"{code} {row.what}"
    return GatewayError(row.kind, detail) if row.kind else _by_phase(detail, during_setup=during_setup)


def _row(code: int | None, reason: str) -> Row:
    reason = reason.lower()
    return next(row for row in CLOSES if row.code in (None, code) and row.mark in reason)


def _refused(error: InvalidStatus) -> GatewayError:
    response = error.response
    row = _row(None, (response.body or b"").decode(errors="replace"))
    kind, what = STATUSES.get(response.status_code, (DIAL_FAILED, "refused"))
    if row.mark:
        kind, what = row.kind or kind, row.what
    wait = response.headers.get("Retry-After", "")
    retry_after = min(float(wait), LONGEST_WAIT) if wait.isascii() and wait.isdigit() else None
    return GatewayError(kind, f"http {response.status_code} {what}", retry_after=retry_after)
