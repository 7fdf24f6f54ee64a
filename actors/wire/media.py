"""What counts as sound, and what counts as a picture. Pure.

    bytes of a binary frame  ──▶ sound    the same bytes, untouched
    `user_audio`             ──▶ speech   Audio
    a chunk of a batch       ──▶ chunk    Audio, or an Image typed by its own first bytes

Nothing is converted: sound in another format or at another rate is refused by name, not resampled.
"""

from __future__ import annotations

from actors.errors import BadFrame
from actors.messages import CALLER_RATE, Audio, Image
from actors.wire.alphabets import decode
from actors.wire.limits import AUDIO_BYTES, IMAGE_BYTES, SHOWN_CHARS

_RATE = f"rate={CALLER_RATE}"
_PCM_NAMES = frozenset({None, "audio/pcm", f"audio/pcm;{_RATE}"})
"""How callers may name the one format of sound there is; most name the rate, some say nothing."""
_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"))


def sound(pcm: bytes, where: str) -> bytes:
    """The same bytes, if they are whole 16-bit samples and not too many. Raises `BadFrame`."""
    if len(pcm) > AUDIO_BYTES:
        raise BadFrame(f"{where} has {len(pcm)} bytes, expected at most {AUDIO_BYTES}")
    if not pcm or len(pcm) % 2:
        raise BadFrame(f"{where} has {len(pcm)} bytes, expected whole 16-bit samples")
    return pcm


def picture(text: str, where: str) -> Image:
    """The picture in this base64 or data URL, as what it is, whatever it is called. Raises `BadFrame`."""
    data = decode(_body(text, where), where)
    if len(data) > IMAGE_BYTES:
        raise BadFrame(f"{where} has {len(data)} bytes, expected at most {IMAGE_BYTES}")
    return Image(data, _content_type(data, where))


def _body(text: str, where: str) -> str:
    """The base64 of a data URL (RFC 2397), or the text itself."""
    if not text.startswith("data:"):
        return text
    head, comma, body = text.partition(",")
    if not comma or not head.lower().endswith(";base64"):
        raise BadFrame(f"{where} is a data URL without base64, expected 'data:image/…;base64,…'")
    return body


def _content_type(data: bytes, where: str) -> str:
    for magic, mime in _MAGIC:
        if data.startswith(magic):
            return mime
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    raise BadFrame(f"{where} is not a picture that can be used, expected JPEG, PNG or WebP")


def speech(mime: str | None, data: str, where: str) -> Audio:
    """Sound that may be called nothing but PCM at our rate. Raises `BadFrame`."""
    if mime not in _PCM_NAMES and _folded(mime or "") not in _PCM_NAMES:
        raise BadFrame(f"{where}.mimeType is '{shown(mime or '')}', expected 'audio/pcm;{_RATE}'")
    field = f"{where}.audioData"
    return Audio(sound(decode(data, field), field))


def chunk(mime: str, data: str, where: str) -> Audio | Image:
    """Sound or a picture, told apart as the old server did: it looked no closer at sound than this. Raises `BadFrame`.

    A rate that is not ours is refused all the same: the voice would come out too high or too low.
    """
    name = mime if mime in _PCM_NAMES else _folded(mime)
    field = f"{where}.data"
    if name in _PCM_NAMES or name.startswith("audio/") or "pcm" in name or "rate=" in name:
        if "rate=" in name and _RATE not in name.split(";"):
            raise BadFrame(f"{where}.mimeType is '{shown(mime)}', expected '{_RATE}'")
        return Audio(sound(decode(data, field), field))
    if name.startswith("image/"):
        return picture(data, field)
    raise BadFrame(f"{where}.mimeType is '{shown(mime)}', expected 'audio/pcm;{_RATE}' or an image type")


def _folded(mime: str) -> str:
    """A MIME type as it is compared: without blanks, in lower case (RFC 2045, section 5.1)."""
    return "".join(mime.split()).lower()


def shown(word: str) -> str:
    """A word of the caller's, fit to stand in an error: short, and nothing that moves a cursor."""
    return "".join(letter if letter.isprintable() else "?" for letter in word[:SHOWN_CHARS])
