"""How much of everything a frame may hold, and what a name looks like. Data only.

The sizes of whole frames (64 KiB before `start`, 2 MiB after it) are the door's and stand there: it must refuse
them before it has read them. What stands here is about what is inside.
"""

from __future__ import annotations

# ── sound and pictures ───────────────────────────────────────────────────────────────────────────

AUDIO_BYTES = 64 * 1024
"""Longest piece of the caller's sound: two seconds."""
IMAGE_BYTES = 3 * 512 * 1024
"""Largest picture, decoded; as base64 it is as large as a text frame may be (2 MiB)."""
CHUNKS = 64
"""Longest batch of sound and pictures; the old client sends ten at a time."""

# ── words ────────────────────────────────────────────────────────────────────────────────────────

ANALYSIS_CHARS = 16_000
TEXT_CHARS = 8_000
SESSION_ID_CHARS = 128
TAG_CHARS = 35
"""Longest language tag: RFC 5646, section 4.4.1, asks for room for 35 characters."""
LINE_CHARS = 200
"""A name, an e-mail address, a city."""
SHOWN_CHARS = 40
"""How much of a caller's own word (a type, a MIME type) an error may quote."""

LANGUAGE_TAG = r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$"
VOICE_NAME = r"^[A-Za-z0-9_-]{1,64}$"
FUNCTION_NAME = r"^[A-Za-z0-9_:.-]{1,64}$"
ONE_LINE = r"^\P{Cc}*$"
NOT_BLANK = r"\S"
NOT_BLANK_LINE = r"^\P{Cc}*[^\s\p{Cc}]\P{Cc}*$"

LOOKS_LIKE = {
    LANGUAGE_TAG: "a BCP-47 tag such as en-US",
    VOICE_NAME: "a name of 1 to 64 letters, digits, '_' or '-'",
    FUNCTION_NAME: "a name of 1 to 64 letters, digits, '_', ':', '.' or '-'",
    ONE_LINE: "text without control characters",
    NOT_BLANK: "text that is not blank",
    NOT_BLANK_LINE: "text that is not blank and has no control characters",
}
"""What each pattern wants, for whoever does not read patterns."""

# ── structure ────────────────────────────────────────────────────────────────────────────────────

LIGHT_CHARS = 4_096
"""A text this short cannot break the two limits below, whatever is in it: it is not weighed."""
MEMBERS = 1_000
"""Members of all objects of one frame; five characters is the least a member takes (`"":0,`)."""
VALUES = 8_000
"""Strings, list items, objects and lists of one frame; a character is the least one takes (`[`)."""
DETAIL_MEMBERS = 200
"""Members and list items of a context update's metadata."""
DETAIL_DEPTH = 8
RESULT_DEPTH = 32
"""Levels of a tool's result; the way on to the model ends long before a hundred."""
