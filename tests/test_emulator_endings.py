"""What a socket is closed with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.emulator import endings
from actors.live.emulator.endings import Close, cut, instruction_too_long, no_such_model


@given(st.text())
def test_a_reason_fits_into_a_close_frame_in_whole_characters(reason: str) -> None:
    kept = cut(reason)

    assert len(kept.encode()) <= 123
    assert kept == reason.encode("utf-8", "replace").decode()[: len(kept)]


@pytest.mark.parametrize("close", [value for value in vars(endings).values() if isinstance(value, Close)])
def test_every_ending_can_be_sent(close: Close) -> None:
    assert len(close.reason.encode()) <= 123
    assert close.code in (1007, 1008, 1011)


def test_a_model_that_is_not_there_is_named() -> None:
    assert no_such_model("models/x", "v1") == Close(
        1008, "models/x is not found for API version v1, or is not supported for bidiGenerateContent"
    )


@pytest.mark.parametrize("close", [no_such_model("models/" + "é" * 200, "v1beta"), instruction_too_long(10**9, 10**9)])
def test_long_reasons_are_cut(close: Close) -> None:
    assert len(close.reason.encode()) <= 123
