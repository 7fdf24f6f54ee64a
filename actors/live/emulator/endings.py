"""Every way this service closes a socket, as values. Pure.

    whoever finds a fault ──▶ raise Refused(ENDING, why) ──▶ core ──▶ Close(code, reason) ──▶ server

The code and the reason are what the real service was seen to send; it tells no more. `why` is for the person who
runs the emulator and never travels: it names the field and what was expected, not what was said.
"""

from __future__ import annotations

from dataclasses import dataclass

REASON_BYTES = 123
"""The longest reason a close frame can carry (RFC 6455, section 5.5: 125 bytes, two of them the code)."""


@dataclass(frozen=True, slots=True)
class Close:
    """The last thing said on a socket."""

    code: int
    reason: str
    """At most `REASON_BYTES` bytes of UTF-8; a longer one must come from `cut`."""


class Refused(Exception):
    """The conversation cannot go on; carries how it ends and, for this side only, why."""

    def __init__(self, close: Close, why: str) -> None:
        super().__init__(why)
        self.close = close
        self.why = why


INVALID = Close(1007, "Request contains an invalid argument.")
"""The service's answer to nearly every mistake."""
BAD_RESOURCE = Close(1007, "Invalid resource field value in the request.")
NO_VOICES = Close(1007, "Cannot extract voices from a non-audio request.")
MEDIA_CHUNKS = Close(1007, "realtime_input.media_chunks is deprecated. Use audio, video, or text instead.")
NOT_FOUND = Close(1008, "Requested entity was not found.")
DEADLINE = Close(1011, "Deadline expired before operation could complete.")
INTERNAL = Close(1011, "Internal error encountered.")


def cut(reason: str) -> str:
    """As much of the reason as a close frame can carry, in whole characters."""
    return reason.encode("utf-8", "replace")[:REASON_BYTES].decode("utf-8", "ignore")


def no_such_model(model: str, version: str) -> Close:
    """The answer to a model that this API version does not serve."""
    return Close(
        1008, cut(f"{model} is not found for API version {version}, or is not supported for bidiGenerateContent")
    )


def instruction_too_long(tokens: int, limit: int) -> Close:
    """The answer to a system instruction beyond the model's limit; the real one is cut off in mid-word, too."""
    return Close(
        1007,
        cut(
            f"the system instruction has 0 tokens, user system instruction has {tokens} tokens, "
            f"cached content has 0 tokens. The sum is above the limit of {limit} tokens."
        ),
    )
