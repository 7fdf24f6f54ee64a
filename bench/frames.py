"""Numbered frames, and what has become of them. Pure.

    caller: up(call, number) ──▶ subject ──▶ upstream: echo(frame) ──▶ subject ──▶ caller: Tally.hear(stamp, size)

A frame is 20 ms of PCM that begins with a stamp: who sent it, and as which. Twelve bytes of it, so that in base64
the stamp is a text of its own, which the upstream copies from the way up to the way down without reading it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from pybase64 import b64decode, b64encode

FRAME_MS = 20
UP_BYTES = 16_000 * 2 * FRAME_MS // 1000
"""A caller's frame: 16-bit samples at 16 kHz."""
DOWN_BYTES = 24_000 * 2 * FRAME_MS // 1000
"""The model's: at 24 kHz."""

_STAMP = struct.Struct(">4sII")
_MARK = b"PCM\0"
_STAMP_TEXT = len(b64encode(bytes(_STAMP.size)))
_UP_REST = bytes(UP_BYTES - _STAMP.size)
_UP_TEXT = b64encode(_UP_REST)
_DOWN_TEXT = b64encode(bytes(DOWN_BYTES - _STAMP.size))
_CALLER_HEAD = b'{"type":"user_audio","payload":{"audioData":"'
_CALLER_TAIL = b'","mimeType":"audio/pcm;rate=16000"}}'
_MODEL_HEAD = (
    b'{"serverContent":{"modelTurn":{"role":"model","parts":[{"inlineData":{"mimeType":"audio/pcm;rate=24000","data":"'
)
_MODEL_TAIL = b'"}}]}}}'
_DATA = b'"data":'
_DATA_WITHIN = 128
"""Bytes from a frame's begin within which its sound begins, if it has any."""
_HEARD_HEAD = b'{"type":"audio"'
_HEARD_DATA = b'"audioData":"'


def up_binary(call: int, number: int) -> bytes:
    """A caller's frame as a binary WebSocket message."""
    return _STAMP.pack(_MARK, call, number) + _UP_REST


def up_json(call: int, number: int) -> bytes:
    """The same as a `user_audio` message."""
    return _CALLER_HEAD + b64encode(_STAMP.pack(_MARK, call, number)) + _UP_TEXT + _CALLER_TAIL


def echo(frame: bytes) -> bytes | None:
    """The model's answer to a message of the Live API: as much sound, under the same stamp; `None` if it has none."""
    found = frame.find(_DATA, 0, _DATA_WITHIN)
    if found < 0:
        return None
    begin = frame.index(b'"', found + len(_DATA)) + 1
    return _MODEL_HEAD + frame[begin : begin + _STAMP_TEXT] + _DOWN_TEXT + _MODEL_TAIL


def sound_in(message: bytes) -> tuple[bytes, int] | None:
    """Stamp and bytes of the sound in an `audio` message to a caller; `None` for a message of another type."""
    if not message.startswith(_HEARD_HEAD):
        return None
    begin = message.index(_HEARD_DATA) + len(_HEARD_DATA)
    text = message[begin : message.index(b'"', begin)]
    return b64decode(text[:_STAMP_TEXT]), len(text) // 4 * 3 - text.count(b"=", -2)


@dataclass(slots=True)
class Tally:
    """One call's frames: how many were sent, and how they came back."""

    call: int
    sent: int = 0
    heard: int = 0
    late: int = 0
    """Came after one that was sent later."""
    strange: int = 0
    """Not this call's, of a wrong size, or heard before."""
    _next: int = 0
    _missing: set[int] = field(default_factory=set)

    @property
    def lost(self) -> int:
        """Frames that were sent and not heard, so far."""
        return len(self._missing) + self.sent - self._next

    def hear(self, stamp: bytes, size: int) -> None:
        """Count a frame of so many bytes of sound that begins with `stamp`."""
        number = self._number(stamp) if size == DOWN_BYTES else None
        if number is None:
            self.strange += 1
            return
        if number == self._next:
            self._next += 1
        elif number > self._next:
            self._missing.update(range(self._next, number))
            self._next = number + 1
        elif number in self._missing:
            self._missing.remove(number)
            self.late += 1
        else:
            self.strange += 1
            return
        self.heard += 1

    def _number(self, stamp: bytes) -> int | None:
        """As which of ours this was sent; `None` when it was not."""
        if len(stamp) < _STAMP.size:
            return None
        mark, call, number = _STAMP.unpack_from(stamp)
        return number if (mark, call) == (_MARK, self.call) and number < self.sent else None


def faults(tallies: Sequence[Tally]) -> list[str]:
    """What went wrong with these calls' frames, in words; nothing if every frame came back once and in its place."""
    sent = sum(tally.sent for tally in tallies)
    kinds = {
        "lost": [tally.lost for tally in tallies],
        "out of order": [tally.late for tally in tallies],
        "never sent by the call that heard them, or heard twice": [tally.strange for tally in tallies],
    }
    return [
        f"{sum(counts)} of {sent} frames {kind}, in {sum(map(bool, counts))} of {len(counts)} calls"
        for kind, counts in kinds.items()
        if any(counts)
    ]
