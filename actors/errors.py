"""Everything that can go wrong, as a table.

    code ──▶ whose fault · can it be retried · what the caller reads · the close code, if the socket closes

An error is raised as `GatewayError(KIND, detail)`. The kind is a row of the table; the detail says what was
found and what was expected, in lower case, without what the caller or the model said. The caller never sees
an upstream's own text.

Three kinds of fault, three ends: the caller's is answered and the call goes on; the model's is for the link to
judge; ours is not raised as a `GatewayError` at all but rises to the supervisor.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Whose(StrEnum):
    """By whose fault."""

    CALLER = "caller"
    MODEL = "model"
    OURS = "ours"
    NOBODY = "nobody"


class CloseCode:
    """What the house's own closing of a caller's socket means (client protocol, B3)."""

    DONE = 1000
    TOO_LARGE = 1009
    OUR_FAULT = 1011
    RESTARTING = 1012
    NONSENSE = 4400
    TOO_SLOW = 4408
    OVER_QUOTA = 4429


@dataclass(frozen=True, slots=True)
class Kind:
    """One row: a code and what it means."""

    code: str
    whose: Whose
    retryable: bool
    words: str
    """What the caller reads; the detail of the error follows where it is the caller's own doing."""
    closes: int | None = None
    """The code with which the caller's socket closes after it; `None` when the conversation goes on."""


BAD_FRAME = Kind("VALIDATION_ERROR", Whose.CALLER, False, "That message cannot be used")
UNKNOWN_TYPE = Kind("UNKNOWN_TYPE", Whose.CALLER, False, "That kind of message is not known")
OUT_OF_TURN = Kind("LIVE_NOT_READY", Whose.CALLER, True, "The call has not been started")
RATE_LIMITED = Kind("RATE_LIMIT_EXCEEDED", Whose.CALLER, True, "Rate limit exceeded")
NONSENSE = Kind("TOO_MUCH_NONSENSE", Whose.CALLER, False, "Too many messages could not be used", CloseCode.NONSENSE)
TOO_SLOW = Kind("TOO_SLOW", Whose.CALLER, True, "The connection is too slow to listen", CloseCode.TOO_SLOW)
NO_TOOL_OPEN = Kind("NO_SUCH_TOOL_CALL", Whose.CALLER, False, "No tool call is waiting for that answer")
FULL = Kind("HOUSE_FULL", Whose.NOBODY, True, "All lines are busy", CloseCode.OVER_QUOTA)
DRAINING = Kind("DRAINING", Whose.NOBODY, True, "This server is restarting; please come back", CloseCode.RESTARTING)
IDLE = Kind("IDLE", Whose.CALLER, True, "Nobody has spoken for a long time", CloseCode.DONE)
TOO_LONG = Kind("CALL_TOO_LONG", Whose.NOBODY, True, "The call has reached its longest duration", CloseCode.DONE)
OUR_FAULT = Kind("INTERNAL_ERROR", Whose.OURS, True, "Something went wrong on our side", CloseCode.OUR_FAULT)

DIAL_FAILED = Kind("SESSION_START_FAILED", Whose.MODEL, True, "The assistant cannot be reached", CloseCode.OUR_FAULT)
DIAL_TIMEOUT = Kind(
    "CONNECTION_TIMEOUT", Whose.MODEL, True, "The assistant did not answer in time", CloseCode.OUR_FAULT
)
LINK_LOST = Kind("SESSION_CLOSED", Whose.MODEL, True, "The connection to the assistant was lost", CloseCode.OUR_FAULT)
OVERLOADED = Kind("UPSTREAM_OVERLOADED", Whose.MODEL, True, "The assistant is overloaded", CloseCode.OUR_FAULT)
KEY_INVALID = Kind("API_KEY_INVALID", Whose.OURS, False, "The assistant is not set up correctly", CloseCode.OUR_FAULT)
KEY_EXPIRED = Kind("API_KEY_EXPIRED", Whose.OURS, False, "The assistant is not set up correctly", CloseCode.OUR_FAULT)
UPSTREAM_QUOTA = Kind("QUOTA_EXCEEDED", Whose.MODEL, True, "The assistant is used to capacity", CloseCode.OUR_FAULT)
REFUSED = Kind("UPSTREAM_REFUSED", Whose.OURS, False, "The assistant refused the request", CloseCode.OUR_FAULT)
NO_SUCH_MODEL = Kind(
    "MODEL_NOT_FOUND", Whose.OURS, False, "The assistant's model is not available", CloseCode.OUR_FAULT
)

KINDS = tuple(value for value in globals().values() if isinstance(value, Kind))
"""Every row, for the error catalogue and its test."""


class GatewayError(Exception):
    """An expected fault. Carries its row of the table and what was found against what was expected."""

    def __init__(self, kind: Kind, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(detail or kind.words)
        self.kind = kind
        self.detail = detail
        self.retry_after = retry_after
        """Seconds after which trying again makes sense, where that is known."""

    @property
    def sentence(self) -> str:
        """What the caller reads: the words of the kind, and what they did where it was their doing."""
        words = self.kind.words
        if self.kind.whose is not Whose.CALLER or not self.detail:
            return words
        return self.detail if self.detail.startswith(words) else f"{words}: {self.detail}"


class BadFrame(GatewayError):
    """The caller sent something that the wire does not allow."""

    def __init__(self, detail: str) -> None:
        super().__init__(BAD_FRAME, detail)


class UnknownType(GatewayError):
    """The caller sent a type that the protocol does not have."""

    def __init__(self, detail: str) -> None:
        super().__init__(UNKNOWN_TYPE, detail)
