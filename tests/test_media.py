"""What counts as sound, and what counts as a picture."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from actors.errors import BadFrame
from actors.messages import Audio, Image
from actors.wire.limits import AUDIO_BYTES, IMAGE_BYTES
from actors.wire.media import chunk, picture, shown, sound, speech

PCM = bytes(range(256))
JPEG = b"\xff\xd8\xff\xe0 and so on"
PNG = b"\x89PNG\r\n\x1a\n and so on"
WEBP = b"RIFF\x10\x00\x00\x00WEBPVP8 "


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def refusal(call: Callable[..., object], *arguments: object) -> str:
    with pytest.raises(BadFrame) as caught:
        call(*arguments)
    return caught.value.detail


# ── sound ────────────────────────────────────────────────────────────────────────────────────────


def test_sound_is_left_as_it_is() -> None:
    longest = bytes(AUDIO_BYTES)

    assert sound(longest, "here") is longest


@pytest.mark.parametrize(
    ("size", "detail"),
    [
        (0, "here has 0 bytes, expected whole 16-bit samples"),
        (1, "here has 1 bytes, expected whole 16-bit samples"),
        (641, "here has 641 bytes, expected whole 16-bit samples"),
        (65_537, "here has 65537 bytes, expected at most 65536"),
        (65_538, "here has 65538 bytes, expected at most 65536"),
    ],
)
def test_sound_that_is_empty_torn_or_too_long_is_refused(size: int, detail: str) -> None:
    assert refusal(sound, bytes(size), "here") == detail


@pytest.mark.parametrize(
    "mime", [None, "audio/pcm", "audio/pcm;rate=16000", "AUDIO/PCM; Rate=16000", " audio/pcm ;\trate = 16000 "]
)
def test_speech_may_be_called_pcm_in_any_spelling_or_nothing(mime: str | None) -> None:
    assert speech(mime, text(PCM), "user_audio") == Audio(PCM)


@pytest.mark.parametrize(
    "mime", ["", "audio/pcm;rate=24000", "audio/webm", "pcm", "audio/pcm;rate=160000", "audio/pcmu"]
)
def test_speech_in_another_format_is_refused_with_what_was_found_and_wanted(mime: str) -> None:
    detail = refusal(speech, mime, text(PCM), "user_audio")

    assert detail == f"user_audio.mimeType is '{mime}', expected 'audio/pcm;rate=16000'"


# ── chunks ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "mime", ["audio/pcm", "audio/pcm;rate=16000", "Audio/L16", "pcm", "rate=16000", "x/pcm; RATE=16000"]
)
def test_what_the_old_server_took_for_sound_is_sound(mime: str) -> None:
    assert chunk(mime, text(PCM), "here") == Audio(PCM)


@pytest.mark.parametrize("mime", ["audio/pcm;rate=24000", "rate=8000", "pcm;rate=160000", "audio/l16; rate=8000"])
def test_sound_at_another_rate_is_refused(mime: str) -> None:
    assert refusal(chunk, mime, text(PCM), "here") == f"here.mimeType is '{mime}', expected 'rate=16000'"


@pytest.mark.parametrize("mime", ["text/plain", "", "video/mp4", "application/json", "im age"])
def test_a_chunk_that_is_neither_sound_nor_picture_is_refused(mime: str) -> None:
    expected = f"here.mimeType is '{mime}', expected 'audio/pcm;rate=16000' or an image type"

    assert refusal(chunk, mime, text(PCM), "here") == expected


@pytest.mark.parametrize("mime", ["image/jpeg", "image/jpg", "IMAGE/PNG", "image/x"])
def test_a_picture_is_what_its_bytes_say(mime: str) -> None:
    assert chunk(mime, text(JPEG), "here") == Image(JPEG, "image/jpeg")
    assert chunk(mime, text(PNG), "here") == Image(PNG, "image/png")
    assert chunk(mime, text(WEBP), "here") == Image(WEBP, "image/webp")


# ── pictures ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("head", ["", "data:image/jpeg;base64,", "data:;base64,", "data:image/png;name=x;BASE64,"])
def test_a_picture_may_come_as_a_data_url(head: str) -> None:
    assert picture(head + text(JPEG), "here") == Image(JPEG, "image/jpeg")


@pytest.mark.parametrize("url", ["data:image/jpeg,%FF%D8", "data:", "data:image/jpeg;base64"])
def test_a_data_url_without_base64_is_refused(url: str) -> None:
    assert refusal(picture, url, "here") == "here is a data URL without base64, expected 'data:image/…;base64,…'"


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF\x10\x00\x00\x00WAVEfmt ", b"\xff\xd8", b"<svg/>"])
def test_what_is_no_known_picture_is_refused(data: bytes) -> None:
    assert refusal(picture, text(data), "here") == "here is not a picture that can be used, expected JPEG, PNG or WebP"


def test_the_largest_picture_passes_and_one_byte_more_does_not() -> None:
    largest = JPEG.ljust(IMAGE_BYTES, b"\0")

    assert picture(text(largest), "here").data == largest
    assert refusal(picture, text(largest + b"\0"), "here") == "here has 1572865 bytes, expected at most 1572864"


# ── quoting ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("audio/x", "audio/x"),
        ("a\nb\x1b[31m\u202e", "a?b?[31m?"),
        ("x" * 41, "x" * 40),
        ("\ud800", "?"),
        ("für", "für"),
    ],
)
def test_a_callers_word_is_quoted_short_and_printable(word: str, quoted: str) -> None:
    assert shown(word) == quoted
