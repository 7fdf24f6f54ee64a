"""A setup against a profile: refused, or what both sides agreed on. Pure.

    setup (read by `grammar`) ──▶ agree ──▶ Agreement    or Refused(…)

The names and types of the fields are right by now; this file knows which values a model takes. The checks are the
table `RULES`: where to look, what must hold, and what to tell the person who runs the emulator. The caller of the
service itself reads nothing but "Request contains an invalid argument.".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from actors.live.emulator.endings import (
    BAD_RESOURCE,
    INVALID,
    Refused,
    instruction_too_long,
    no_such_model,
)
from actors.live.emulator.listening import Hearing
from actors.live.emulator.profiles import DEFAULT_VOICE, VOICES, Profile, profile_of
from actors.live.emulator.reading import dig
from actors.live.emulator.usage import Compression, text_tokens

FUNCTION_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
"""ai.google.dev, `FunctionDeclaration.name`."""

SILENCE_SECONDS = {"END_SENSITIVITY_LOW": 1.2}
DEFAULT_SILENCE_SECONDS = 0.8
"""Google's best practices name 800 ms as the server's default; that LOW waits half as long again is assumed."""
ONSET_SECONDS = 0.04
"""Speech shorter than this is a click. No default of `prefixPaddingMs` is documented."""
QUIETEST = {"START_SENSITIVITY_LOW": 400.0}
DEFAULT_QUIETEST = 150.0
"""Loudness (RMS of 16-bit samples) below which nothing is speech."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a setup asked for and this service will do."""

    model: str
    profile: Profile
    voice: str
    speaks: bool
    """False if the setup asked for text; a native audio model notices at the first input."""
    hearing: Hearing
    interrupts: bool
    bills_silence: bool
    transcribes_input: bool
    transcribes_output: bool
    instruction_tokens: int
    resumable: bool
    handle: str | None
    seeds_first: bool
    """`clientContent` is history until its `turnComplete`."""
    compression: Compression | None


@dataclass(frozen=True, slots=True)
class Rule:
    """What must hold of the value at `path`, if there is one."""

    path: str
    holds: Callable[[Profile, Any], bool]
    expected: str


def _between(low: float, high: float) -> Callable[[Profile, Any], bool]:
    return lambda _, value: low <= value <= high


RULES = (
    Rule("generationConfig.temperature", _between(0, 2), "0 to 2"),
    Rule("generationConfig.topP", _between(0, 1), "0 to 1"),
    Rule("generationConfig.topK", _between(1, 1_000), "1 or more"),
    Rule("generationConfig.maxOutputTokens", _between(1, 65_536), "1 to 65536"),
    Rule("generationConfig.candidateCount", _between(1, 1), "1"),
    Rule("generationConfig.responseModalities", lambda _, value: len(value) <= 1, "one modality"),
    Rule(
        "generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName",
        lambda _, value: value in VOICES,
        "a prebuilt voice",
    ),
    Rule("proactivity.proactiveAudio", lambda profile, value: value or not profile.proactive, "true, or nothing"),
    Rule(
        "sessionResumption",
        lambda profile, value: profile.takes_null_handle or value.get("handle", "") is not None,
        "a handle, or none, but not null",
    ),
    Rule("realtimeInputConfig.automaticActivityDetection.prefixPaddingMs", _between(0, 10_000), "0 to 10000"),
    Rule("realtimeInputConfig.automaticActivityDetection.silenceDurationMs", _between(0, 10_000), "0 to 10000"),
    Rule("contextWindowCompression.triggerTokens", lambda profile, value: 0 < value <= profile.window, "the window"),
    Rule(
        "contextWindowCompression.slidingWindow.targetTokens",
        lambda profile, value: 0 <= value <= profile.window,
        "the window",
    ),
    Rule("systemInstruction.parts", lambda _, value: all("text" in part for part in value), "text only"),
    Rule("tools", lambda _, value: _well_named(value), "functions with names, each once"),
    Rule("tools", lambda profile, value: profile.mixes_tools or not _mixed(value), "search or functions, not both"),
)


def agree(setup: dict[str, Any], version: str, *, served: frozenset[str]) -> Agreement:
    """What this setup leads to. Raises `Refused` as the service would."""
    profile = _profile(setup.get("model") or "", version, served=version in served)
    for path in profile.refuses:
        _demand(dig(setup, path) is None, path, "nothing, for this model")
    check(setup, profile)
    tokens = instruction_tokens(setup.get("systemInstruction"))
    if tokens > profile.instruction_tokens:
        raise Refused(instruction_too_long(tokens, profile.instruction_tokens), "systemInstruction: expected less")
    return _agreement(setup, profile, tokens)


def check(said: dict[str, Any], profile: Profile) -> None:
    """Holds a setup, or an update of one, against every rule. Raises `Refused`."""
    for rule in RULES:
        value = dig(said, rule.path)
        if value is not None:
            _demand(rule.holds(profile, value), rule.path, rule.expected)


def instruction_tokens(content: dict[str, Any] | None) -> int:
    """Tokens of a system instruction."""
    return sum(text_tokens(part.get("text") or "") for part in (content or {}).get("parts") or ())


def _profile(model: str, version: str, *, served: bool) -> Profile:
    if not re.fullmatch(r"models/[^/]+", model):
        raise Refused(BAD_RESOURCE, "setup.model: expected models/ and an id")
    profile = profile_of(model.removeprefix("models/")) if served else None
    if profile is None:
        raise Refused(no_such_model(model, version), "setup.model: expected a model that is served here")
    return profile


def _agreement(setup: dict[str, Any], profile: Profile, tokens: int) -> Agreement:
    listening = setup.get("realtimeInputConfig") or {}
    return Agreement(
        model=setup["model"],
        profile=profile,
        voice=dig(setup, "generationConfig.speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName") or DEFAULT_VOICE,
        speaks=(dig(setup, "generationConfig.responseModalities") or ["AUDIO"]) != ["TEXT"],
        hearing=_hearing(listening.get("automaticActivityDetection") or {}),
        interrupts=listening.get("activityHandling") != "NO_INTERRUPTION",
        bills_silence=profile.bills_silence or listening.get("turnCoverage") == "TURN_INCLUDES_ALL_INPUT",
        transcribes_input=setup.get("inputAudioTranscription") is not None,
        transcribes_output=setup.get("outputAudioTranscription") is not None,
        instruction_tokens=tokens,
        resumable=setup.get("sessionResumption") is not None,
        handle=dig(setup, "sessionResumption.handle") or None,
        seeds_first=bool(dig(setup, "historyConfig.initialHistoryInClientContent")),
        compression=_compression(setup.get("contextWindowCompression"), profile),
    )


def _hearing(asked: dict[str, Any]) -> Hearing:
    silence, onset = asked.get("silenceDurationMs"), asked.get("prefixPaddingMs")
    end, start = asked.get("endOfSpeechSensitivity") or "", asked.get("startOfSpeechSensitivity") or ""
    return Hearing(
        automatic=not asked.get("disabled"),
        silence_seconds=SILENCE_SECONDS.get(end, DEFAULT_SILENCE_SECONDS) if silence is None else silence / 1000,
        onset_seconds=ONSET_SECONDS if onset is None else onset / 1000,
        quietest=QUIETEST.get(start, DEFAULT_QUIETEST),
    )


def _compression(asked: dict[str, Any] | None, profile: Profile) -> Compression | None:
    """The defaults are Google's: 80 % of the window triggers, half of that is the target."""
    if asked is None:
        return None
    trigger = asked.get("triggerTokens") or int(profile.window * 0.8)
    return Compression(trigger, dig(asked, "slidingWindow.targetTokens") or trigger // 2)


def _functions(tools: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for tool in tools:
        yield from tool.get("functionDeclarations") or ()


def _well_named(tools: list[dict[str, Any]]) -> bool:
    names = [function.get("name") or "" for function in _functions(tools)]
    return len(set(names)) == len(names) and all(map(FUNCTION_NAME.fullmatch, names))


def _mixed(tools: list[dict[str, Any]]) -> bool:
    searches = any("googleSearch" in tool or "googleSearchRetrieval" in tool for tool in tools)
    return searches and any(_functions(tools))


def _demand(holds: bool, path: str, expected: str) -> None:
    if not holds:
        raise Refused(INVALID, f"setup.{path}: expected {expected}")
