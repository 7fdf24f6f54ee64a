"""Plain sound as Gemini's JSON, both ways, without the SDK. Pure.

    frame that holds sound and nothing else ──▶ plain_speech ──▶ PCM        any other frame ──▶ None
    PCM ──▶ audio_frame ──▶ the frame that google-genai would have sent

Nearly every frame of a call is one of these two. The SDK converts them by way of several models and copies, for
about 45 µs down and 30 µs up (measured with google-genai 3.4); here it is 2–8 µs and less than one. What is not
recognised at once is declined, not repaired: the SDK reads it then. Where both read a frame they come to the same
result; only bits behind the last byte (RFC 4648, 3.5) are passed over here, while the SDK refuses the frame.
"""

from __future__ import annotations

from binascii import Error as BadBase64

import orjson
import pybase64

MODEL_SOUND = frozenset(("audio/pcm;rate=24000", "audio/pcm"))
"""The MIME types of the model's sound: AI Studio's, and Vertex's without the rate."""
_TURN_KEYS = frozenset(("parts", "role"))
_HEAD = b'{"realtime_input":{"audio":{"data":"'
_TAIL = b'","mime_type":"audio/pcm;rate=16000"}}}'


def plain_speech(frame: bytes) -> list[bytes] | None:
    """The PCM of each part of a frame that carries the model's sound and nothing else; `None` for any other."""
    try:
        turn = _only(_only(orjson.loads(frame), "serverContent"), "modelTurn")
        if type(turn) is not dict or not turn.keys() <= _TURN_KEYS or turn.get("role", "model") != "model":
            return None
        return [_decoded(_only(part, "inlineData")) for part in turn["parts"]] or None
    except (ValueError, TypeError, KeyError):  # not JSON, or not of this shape
        return None


def audio_frame(pcm: bytes) -> bytes:
    """The client message that carries this sound: 16-bit mono PCM at 16 kHz."""
    return _HEAD + pybase64.b64encode(pcm) + _TAIL


def whole_samples(pcm: bytes) -> bytes:
    """The sound without the half of a 16-bit sample at its end, if there is one."""
    return pcm[:-1] if len(pcm) % 2 else pcm


def _only(value: object, key: str) -> object:
    """What stands under `key`, if nothing stands beside it."""
    if type(value) is dict and len(value) == 1:
        return value[key]
    raise TypeError


def _decoded(blob: object) -> bytes:
    if type(blob) is not dict or len(blob) != 2 or blob["mimeType"] not in MODEL_SOUND:
        raise TypeError
    data = blob["data"]
    try:
        pcm = pybase64.b64decode(data, validate=True)
    except BadBase64:
        if "+" in data or "/" in data:
            raise
        # The other alphabet, then. Without validation either would drop what it does not know, in silence.
        pcm = pybase64.b64decode(data, altchars=b"-_", validate=True)
    return whole_samples(pcm)
