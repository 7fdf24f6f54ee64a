"""Base64 as callers spell it."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import BadFrame
from actors.wire.alphabets import decode


@given(st.binary(max_size=200), st.booleans(), st.booleans())
def test_both_alphabets_padded_or_not_stand_for_the_same_bytes(data: bytes, safe: bool, padded: bool) -> None:
    text = (base64.urlsafe_b64encode if safe else base64.b64encode)(data).decode()

    assert decode(text if padded else text.rstrip("="), "here") == data


@pytest.mark.parametrize(
    "junk",
    [
        *("A", "AAAAA", "A===", "AA=", "AA=A", "AAAA=", "AAAA==", "AAAA====", "====", "AA==AA=="),
        *("AAAA\n", " AAAA", "AA,A", "AA\x00A", "AAéA", "AA🎙A", "\ud800AAA"),
    ],
)
def test_junk_is_an_error_that_names_the_place_and_does_not_quote(junk: str) -> None:
    with pytest.raises(BadFrame) as caught:
        decode(junk, "user_audio.audioData")

    assert caught.value.detail == "user_audio.audioData is not base64, expected the standard or the URL-safe alphabet"
    assert caught.value.__context__ is None


@given(st.text(max_size=40))
def test_any_text_is_bytes_or_an_error(text: str) -> None:
    try:
        data = decode(text, "here")
    except BadFrame:
        return

    assert (
        base64.b64encode(data).rstrip(b"=")[:-1] == text.replace("-", "+").replace("_", "/").rstrip("=")[:-1].encode()
    )
