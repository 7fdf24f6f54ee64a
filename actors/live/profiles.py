"""What differs between models, as data. Pure.

    model name ──▶ find ──▶ Profile: how typed text travels, how the language is chosen, when the context is cut

A row stands for every model whose name begins with its prefix; the longest prefix wins. A model that no row
knows is treated as the newest one, by whoever asks. What no row allows is never sent: no model here is given a
thinking configuration or proactivity, because gemini-3.8-live refuses the first and insists on the second
(Google's page of that model, September 2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TypedText(StrEnum):
    """Which client message carries what a caller types."""

    CLIENT_CONTENT = "client content"
    """Ordered, always answered, interrupts what the model is saying."""
    REALTIME_INPUT = "realtime input"
    """Beside the sound, unordered; the only one that 3.1 takes in the middle of a session."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of models."""

    prefix: str
    typed_text: TypedText
    language_code: bool
    """The language goes into the speech configuration; otherwise into a sentence of the system instruction."""
    trigger_tokens: int
    """The context is cut when it has grown to so many tokens. All of it is billed again at every turn."""
    target_tokens: int
    """What a cut leaves of it."""


# 25 000 to 8 000 is the example of Google's session guide: about ten minutes of talk between two cuts.
PROFILES = (
    # Native audio picks its language by itself and does not support setting it by code; Google's Live guide
    # names the system instruction as the way (quoted in google/adk-python#5542).
    Profile("gemini-2.5-flash-native-audio", TypedText.CLIENT_CONTENT, False, 25_000, 8_000),
    # After its first turn 3.1 closes with 1007 on clientContent (strands-agents/harness-sdk#1999).
    Profile("gemini-3.1-flash-live", TypedText.REALTIME_INPUT, True, 25_000, 8_000),
    # Takes both kinds of text; realtime text sent while the caller speaks is never answered, clientContent is.
    Profile("gemini-3.8-live", TypedText.CLIENT_CONTENT, True, 25_000, 8_000),
)
NEWEST = PROFILES[-1]
"""Stands in for models that no row knows."""


def find(model: str) -> Profile | None:
    """The row of this model, with or without `models/` before its name; `None` if no row knows it."""
    name = model.removeprefix("models/")
    rows = (row for row in PROFILES if name.startswith(row.prefix))
    return max(rows, key=lambda row: len(row.prefix), default=None)


def speak(language: str) -> str:
    """The sentence that chooses a language where there is no field for it."""
    return f"Speak the language whose BCP 47 tag is {language}, unless the caller asks for another one."
