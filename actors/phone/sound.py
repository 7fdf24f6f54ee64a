"""A file of sound, made into what a caller's microphone would send, and back.

    speech.wav ──▶ read_wav ──▶ 16-bit mono PCM at 16 kHz ──▶ frames ──▶ the phone
                   any rate, 8 to 32 bits, any channels          └──▶ last_spoken: which frame ends the speech
    the model's PCM at 24 kHz ──▶ write_wav ──▶ reply.wav

Nothing here keeps a clock or waits; the one file touched is the one named. Compressed and floating-point files
are declined in words. RIFF is read by hand: the `wave` of Python 3.11 refuses WAVE_FORMAT_EXTENSIBLE (3.12 takes
it), which is what most recorders write above 16 bits, and `audioop` is gone since 3.13. The layout is that of
Microsoft's "Multiple channel audio data and WAVE files".
"""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, cos, gcd, pi, sin
from operator import mul
from pathlib import Path

from actors.messages import CALLER_BYTES_PER_SECOND, CALLER_RATE

PCM = 1
EXTENSIBLE = 0xFFFE
"""The real format then stands in the first two bytes of the sub-format's GUID, at byte 24 of the chunk."""
FORMATS = {
    2: "Microsoft ADPCM",
    3: "floating point",
    6: "A-law",
    7: "mu-law",
    0x11: "IMA ADPCM",
    0x31: "GSM 6.10",
    0x55: "MP3",
}
OTHERS = {b"RF64": "RF64", b"RIFX": "big-endian RIFX", b"OggS": "Ogg", b"fLaC": "FLAC", b"FORM": "AIFF", b"ID3": "MP3"}
"""How other files of sound begin."""
RATES = range(1_000, 192_001)
"""Samples per second that are believed; 192 kHz is the most that recorders offer."""
CROSSINGS = 8
"""Zero crossings of the low-pass on each side: enough for speech, and cheap without numpy."""
PASS = 0.9
"""Where the low-pass has halved the level, as a share of the lower of both Nyquist frequencies."""
HUSH = 1 / 32
"""A frame this much softer than the loudest (30 dB) is not speech."""


class BadWav(ValueError):
    """The file cannot be played; says what was found and what was expected."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the samples of a file lie."""

    channels: int
    rate: int
    width: int
    """Bytes of one sample of one channel."""


def read_wav(source: Path | bytes) -> bytes:
    """The sound of a WAV file, or of its content, as a caller would send it: 16-bit mono PCM at 16 kHz.

    Channels are averaged. Raises `BadWav`, and `OSError` when the file cannot be read.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise BadWav(f"found {_kind(data)}, expected a RIFF/WAVE file")
    chunks = dict(_chunks(data))
    layout = _layout(chunks.get(b"fmt ", b""))
    samples = _mono(chunks.get(b"data", b""), layout)
    if not samples:
        raise BadWav("found no samples, expected some sound")
    return _pcm(_resample(samples, layout.rate))


def write_wav(path: Path, pcm: bytes, *, rate: int) -> None:
    """Save 16-bit mono PCM. Raises `OSError` when the file cannot be written."""
    with path.open("wb") as file, wave.open(file, "wb") as out:
        out.setparams((1, 2, rate, 0, "NONE", "not compressed"))
        out.writeframes(pcm)


def frames(pcm: bytes, ms: int) -> list[bytes]:
    """A caller's sound in frames of so many milliseconds; the last is filled up with silence."""
    size = CALLER_BYTES_PER_SECOND * ms // 1000
    return [pcm[at : at + size].ljust(size, b"\0") for at in range(0, len(pcm), size)]


def last_spoken(pieces: Sequence[bytes]) -> int:
    """The index of the frame with which the speech ends: the last within 30 dB of the loudest."""
    loudness = [sum(map(abs, _numbers(piece))) for piece in pieces]
    bar = max(loudness) * HUSH
    return max(at for at, level in enumerate(loudness) if level >= bar)


def _kind(data: bytes) -> str:
    """What a file that is no WAV seems to be."""
    if not data:
        return "an empty file"
    return next((name for magic, name in OTHERS.items() if data.startswith(magic)), "something else")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each chunk. A size beyond the end, as streaming writers leave it, means "the rest"."""
    at = 12
    while at + 8 <= len(data):
        name, size = struct.unpack_from("<4sI", data, at)
        yield name, data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _layout(chunk: bytes) -> _Layout:
    if len(chunk) < 16:
        raise BadWav(f"found a format chunk of {len(chunk)} bytes, expected at least 16")
    code, channels, rate, _, block, bits = struct.unpack_from("<HHIIHH", chunk)
    if code == EXTENSIBLE and len(chunk) >= 26:
        (code,) = struct.unpack_from("<H", chunk, 24)
    if code != PCM:
        raise BadWav(f"found {FORMATS.get(code, f'format {code:#06x}')} samples, expected uncompressed integer PCM")
    if bits not in (8, 16, 24, 32) or not channels or block != channels * bits // 8:
        raise BadWav(f"found {channels} channels of {bits} bits in {block} bytes, expected 8, 16, 24 or 32 bits each")
    if rate not in RATES:
        raise BadWav(f"found {rate} samples per second, expected {RATES.start} to {RATES.stop - 1}")
    return _Layout(channels, rate, bits // 8)


def _mono(data: bytes, layout: _Layout) -> Sequence[int]:
    """Whole samples in 16 bits, the channels averaged."""
    block = layout.channels * layout.width
    samples = _numbers(_upper(data[: len(data) // block * block], layout.width))
    if layout.channels == 1:
        return samples
    sides = [samples[channel :: layout.channels] for channel in range(layout.channels)]
    return [sum(moment) // layout.channels for moment in zip(*sides, strict=True)]


def _upper(data: bytes, width: int) -> bytes:
    """The upper 16 bits of each sample. 8-bit samples are unsigned, all others signed and little endian."""
    upper = bytearray(len(data) // width * 2)
    if width == 1:
        upper[1::2] = bytes(byte ^ 0x80 for byte in data)
    else:
        upper[0::2], upper[1::2] = data[width - 2 :: width], data[width - 1 :: width]
    return bytes(upper)


def _resample(samples: Sequence[int], rate: int) -> Sequence[int]:
    """The same sound at 16 kHz: a windowed sinc, one set of taps for each phase between two samples."""
    if rate == CALLER_RATE:
        return samples
    common = gcd(rate, CALLER_RATE)
    up, down = CALLER_RATE // common, rate // common
    phases = _phases(up, down)
    reach = len(phases[0]) // 2
    padded = (0,) * reach + tuple(samples) + (0,) * reach
    resampled = []
    for moment in range(0, len(samples) * up, down):
        base, phase = divmod(moment, up)
        level = sum(map(mul, phases[phase], padded[base + 1 : base + 1 + 2 * reach]))
        resampled.append(max(-32_768, min(32_767, round(level))))
    return resampled


def _phases(up: int, down: int) -> list[list[float]]:
    """The low-pass for each position of an output sample between two input samples; each set sums to one."""
    cut = PASS * min(1.0, up / down)
    reach = ceil(CROSSINGS / cut)
    return [_taps(phase / up, cut, reach) for phase in range(up)]


def _taps(shift: float, cut: float, reach: int) -> list[float]:
    """A sinc under a Hann window, over `reach` input samples each side, `shift` samples late."""
    taps = []
    for k in range(1 - reach, reach + 1):
        away = k - shift
        sinc = sin(pi * cut * away) / (pi * cut * away) if away else 1.0
        taps.append(sinc * cos(pi * away / (2 * reach)) ** 2)
    whole = sum(taps)
    return [tap / whole for tap in taps]


def _numbers(pcm: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(pcm) // 2}h", pcm)


def _pcm(samples: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(samples)}h", *samples)
