"""What differs between models: which row stands for which name."""

from __future__ import annotations

import pytest

from actors.live.profiles import NEWEST, PROFILES, TypedText, find, speak


@pytest.mark.parametrize(
    ("model", "prefix"),
    [
        ("gemini-2.5-flash-native-audio-preview-12-2025", "gemini-2.5-flash-native-audio"),
        ("gemini-2.5-flash-native-audio-latest", "gemini-2.5-flash-native-audio"),
        ("gemini-3.1-flash-live-preview", "gemini-3.1-flash-live"),
        ("gemini-3.8-live", "gemini-3.8-live"),
        ("gemini-3.8-live-extended-thinking", "gemini-3.8-live"),
        ("models/gemini-3.8-live", "gemini-3.8-live"),
    ],
)
def test_a_model_is_known_by_the_beginning_of_its_name(model: str, prefix: str) -> None:
    profile = find(model)

    assert profile is not None
    assert profile.prefix == prefix


@pytest.mark.parametrize("model", ["gemini-9-live", "", "gemini-2.5-flash", "models/"])
def test_a_model_that_no_row_knows_is_nobodys(model: str) -> None:
    assert find(model) is None


def test_the_longest_prefix_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = type(NEWEST)("gemini-3.8-live-extended", TypedText.REALTIME_INPUT, False, 1, 1)
    for rows in ((*PROFILES, narrow), (narrow, *PROFILES)):
        monkeypatch.setattr("actors.live.profiles.PROFILES", rows)

        assert find("gemini-3.8-live-extended-thinking") is narrow
        assert find("gemini-3.8-live") is NEWEST


def test_a_context_is_cut_to_less_than_what_triggers_the_cut() -> None:
    assert all(0 < row.target_tokens < row.trigger_tokens < 32_000 for row in PROFILES)


def test_no_two_rows_speak_of_the_same_models() -> None:
    assert len({row.prefix for row in PROFILES}) == len(PROFILES)


def test_only_3_1_takes_typed_text_as_realtime_input() -> None:
    assert [row.prefix for row in PROFILES if row.typed_text is TypedText.REALTIME_INPUT] == ["gemini-3.1-flash-live"]


def test_a_language_can_be_asked_for_in_words() -> None:
    assert "de-AT" in speak("de-AT")
