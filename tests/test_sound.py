"""A file of sound becomes what a microphone would send, whatever it was recorded as."""

from __future__ import annotations

import io
import math
import struct
import wave
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.phone.sound import BadWav, frames, last_spoken, read_wav, write_wav

HALF = 16_384
"""Half of full scale, in 16 bits."""


def tone(hertz: float, rate: int, seconds: float = 0.5, level: int = HALF) -> list[int]:
    return [round(level * math.sin(2 * math.pi * hertz * n / rate)) for n in range(int(rate * seconds))]


def packed(samples: list[int], width: int) -> bytes:
    """16-bit samples as a WAV holds them in so many bytes each."""
    if width == 1:
        return bytes((sample >> 8) + 128 for sample in samples)
    return b"".join((sample << 8 * (width - 2)).to_bytes(width, "little", signed=True) for sample in samples)


def wav(samples: list[int], *, rate: int = 16_000, width: int = 2, channels: int = 1) -> bytes:
    """A file as the standard library writes it; the samples of all channels in turn."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setparams((channels, width, rate, 0, "NONE", "not compressed"))
        out.writeframes(packed(samples, width))
    return file.getvalue()


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A file of these chunks, made by hand."""
    body = b"".join(struct.pack("<4sI", name, len(data)) + data + bytes(len(data) % 2) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(body)) + b"WAVE" + body


def layout(code: int = 1, channels: int = 1, rate: int = 16_000, bits: int = 16, block: int | None = None) -> bytes:
    block = channels * bits // 8 if block is None else block
    return struct.pack("<HHIIHH", code, channels, rate, rate * block, block, bits)


def numbers(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def level(samples: tuple[int, ...]) -> float:
    """The amplitude of the tone in the middle of these, away from both ends."""
    middle = samples[len(samples) // 4 : len(samples) * 3 // 4]
    return math.sqrt(2 * sum(sample * sample for sample in middle) / len(middle))


def pitch(samples: tuple[int, ...], rate: int = 16_000) -> float:
    """Its frequency, from the first and the last time it rises through zero."""
    rises = [n - b / (b - a) for n, (a, b) in enumerate(pairwise(samples), 1) if a < 0 <= b]
    return (len(rises) - 1) * rate / (rises[-1] - rises[0])


def test_a_file_as_a_microphone_would_send_it_is_taken_as_it_is() -> None:
    samples = tone(440, 16_000)

    assert read_wav(wav(samples)) == packed(samples, 2)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "speech.wav"
    file.write_bytes(wav([1, 2, 3]))

    assert numbers(read_wav(file)) == (1, 2, 3)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_samples_of_every_width_keep_their_upper_16_bits(width: int) -> None:
    samples = [0, 258, -3, 32_767, -32_768]

    assert numbers(read_wav(wav(samples, width=width))) == tuple(samples)


def test_samples_of_8_bits_are_unsigned() -> None:
    assert numbers(read_wav(wav([0, 256, -256, 32_512, -32_768], width=1))) == (0, 256, -256, 32_512, -32_768)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_channels_are_averaged(channels: int) -> None:
    moments = [*(600 * channel for channel in range(channels)), *[-600] * channels]

    assert numbers(read_wav(wav(moments, channels=channels))) == (300 * (channels - 1), -600)


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000])
def test_a_tone_keeps_its_pitch_and_level_at_16_khz(rate: int) -> None:
    heard = numbers(read_wav(wav(tone(440, rate), rate=rate)))

    assert pitch(heard) == pytest.approx(440, rel=0.001)
    assert level(heard) == pytest.approx(HALF, rel=0.01)


@pytest.mark.parametrize("rate", [7_999, 8_000, 44_100, 48_000])
def test_a_file_lasts_as_long_as_before(rate: int) -> None:
    heard = numbers(read_wav(wav([0] * rate, rate=rate)))

    assert len(heard) in (16_000, 16_001)


@pytest.mark.parametrize("hertz", [9_500, 12_345, 19_000])
def test_what_16_khz_cannot_hold_is_not_folded_into_speech(hertz: int) -> None:
    heard = numbers(read_wav(wav(tone(hertz, 48_000), rate=48_000)))

    assert level(heard) < HALF / 56  # 35 dB less


def test_a_loud_step_does_not_wrap_around() -> None:
    heard = numbers(read_wav(wav([-32_768] * 480 + [32_767] * 480, rate=48_000)))

    assert max(heard[10:158]) < -29_000
    assert min(heard[162:-10]) > 29_000


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
def test_a_click_stays_where_it_was(rate: int) -> None:
    click = [0] * (rate // 10) + [20_000] + [0] * (rate // 10)
    heard = numbers(read_wav(wav(click, rate=rate)))

    assert heard.index(max(heard)) == 1_600


def test_the_extensible_format_is_pcm_when_its_sub_format_says_so() -> None:
    guid = struct.pack("<H", 1) + bytes.fromhex("000000001000800000aa00389b71")
    extensible = layout(code=0xFFFE, bits=24) + struct.pack("<HHI", 22, 24, 4) + guid

    assert numbers(read_wav(riff((b"fmt ", extensible), (b"data", packed([256, -512], 3))))) == (256, -512)


def test_other_chunks_are_stepped_over_whatever_their_length() -> None:
    file = riff((b"LIST", b"odd"), (b"fmt ", layout()), (b"fact", bytes(4)), (b"data", packed([7, 8], 2)))

    assert numbers(read_wav(file)) == (7, 8)


def test_a_stream_that_never_knew_its_length_is_read_to_its_end() -> None:
    file = wav([7, 8]).replace(struct.pack("<4sI", b"data", 4), struct.pack("<4sI", b"data", 0xFFFFFFFF))

    assert numbers(read_wav(file)) == (7, 8)


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert numbers(read_wav(wav([7, 8])[:-1])) == (7,)


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (b"", "found an empty file, expected a RIFF/WAVE file"),
        (b"OggS" + bytes(40), "found Ogg, expected a RIFF/WAVE file"),
        (b"fLaC" + bytes(40), "found FLAC, expected a RIFF/WAVE file"),
        (b"RIFF\0\0\0\0AVI ", "found something else, expected a RIFF/WAVE file"),
        (riff(), "found a format chunk of 0 bytes, expected at least 16"),
        (riff((b"fmt ", b"short")), "found a format chunk of 5 bytes, expected at least 16"),
        (riff((b"fmt ", layout(code=7, bits=8))), "found mu-law samples, expected uncompressed integer PCM"),
        (riff((b"fmt ", layout(code=3, bits=32))), "found floating point samples, expected uncompressed integer PCM"),
        (riff((b"fmt ", layout(code=0x1234))), "found format 0x1234 samples, expected uncompressed integer PCM"),
        (riff((b"fmt ", layout(bits=12))), "found 1 channels of 12 bits in 1 bytes"),
        (riff((b"fmt ", layout(channels=0))), "found 0 channels of 16 bits in 0 bytes"),
        (riff((b"fmt ", layout(block=4))), "found 1 channels of 16 bits in 4 bytes"),
        (riff((b"fmt ", layout(rate=0))), "found 0 samples per second, expected 1000 to 192000"),
        (riff((b"fmt ", layout())), "found no samples, expected some sound"),
        (wav([]), "found no samples, expected some sound"),
    ],
)
def test_what_cannot_be_played_is_named(file: bytes, words: str) -> None:
    with pytest.raises(BadWav) as raised:
        read_wav(file)

    assert words in str(raised.value)


@settings(deadline=None)
@given(st.binary(max_size=64))
def test_any_bytes_are_sound_or_named(rest: bytes) -> None:
    for file in (rest, b"RIFF\0\0\0\0WAVE" + rest, riff((b"fmt ", rest), (b"data", rest))):
        try:
            assert len(read_wav(file)) % 2 == 0
        except BadWav as mistake:
            assert "expected" in str(mistake)


def test_what_is_written_can_be_read_by_others(tmp_path: Path) -> None:
    file = tmp_path / "reply.wav"
    write_wav(file, packed([1, -1, 32_767], 2), rate=24_000)

    with wave.open(str(file), "rb") as saved:
        assert saved.getparams()[:4] == (1, 2, 24_000, 3)
        assert numbers(saved.readframes(3)) == (1, -1, 32_767)


def test_sound_is_cut_into_equal_frames_the_last_filled_with_silence() -> None:
    pieces = frames(b"\1" * 700, 20)

    assert [len(piece) for piece in pieces] == [640, 640]
    assert b"".join(pieces) == b"\1" * 700 + bytes(580)


@pytest.mark.parametrize(
    ("levels", "last"),
    [
        ([0, 9_000, 9_000, 0, 0], 2),
        ([9_000, 0, 400, 0], 2),
        ([9_000, 0, 100, 100], 0),
        ([0, 0, 0], 2),
        ([3], 0),
    ],
)
def test_speech_ends_with_the_last_frame_within_30_db_of_the_loudest(levels: list[int], last: int) -> None:
    assert last_spoken([packed([level] * 320, 2) for level in levels]) == last
