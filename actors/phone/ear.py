"""What a caller hears of a gateway: the client protocol, read from the other side.      pure

    socket ──▶ PhoneEar.hear(frame, now) ──▶ a frame to answer with, if one is due
                    ├─ lines      utterances assembled from deltas, notices, errors
                    ├─ reply      the model's sound, cut where it was interrupted
                    ├─ Player     how smoothly it would have played
                    └─ report()   the call in figures

It is told the time (seconds of any clock that only goes forward) and keeps none. It reads JSON by itself and does
not use `wire/`: what stands in for a caller must not share its mistakes with the gateway. Types and fields that it
does not know are ignored, as every client does.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import orjson

from actors.messages import MODEL_BYTES_PER_SECOND
from actors.phone.player import Player
from actors.phone.report import CallReport, Line, Who

LIVELY = frozenset(
    (
        *("connected", "session_started", "waiting", "resuming", "resumed"),
        *("text", "input_transcript", "output_transcript", "turn_started", "tool_started", "tool_finished"),
    )
)
"""Types that show, as sound does, that something is still going on; a heartbeat does not."""
CLOSINGS = {
    1000: "the gateway said goodbye",
    1006: "the connection broke without a goodbye",
    1009: "a frame was too large for the gateway",
    1011: "the gateway made a mistake",
    1012: "the gateway is restarting; call again",
    4400: "the gateway could not make sense of too many messages",
    4401: "the token is missing, wrong or expired",
    4408: "this side was too slow to listen",
    4409: "another socket took this call over",
    4429: "over the quota",
}
"""What a closing code means (client protocol, B3)."""


class PhoneEar:
    """Everything that has been heard since the socket was open."""

    def __init__(self, opened: float) -> None:
        self.connected = False
        self.ready = False
        self.over = False
        """The gateway has ended the call, or the socket is gone."""
        self.failed = False
        """The call was refused before it began."""
        self.satisfied = False
        """A turn was spoken to its end after the caller had finished."""
        self.last_life = opened
        self.lines: list[Line] = []
        self._opened = opened
        self._ready_seconds: float | None = None
        self._spoken_at: float | None = None
        self._first_audio_seconds: float | None = None
        self._answered = False
        self._end = ""
        self._utterances = {Who.CALLER: "", Who.MODEL: ""}
        self._reply = bytearray()
        self._turn_bytes = 0
        self._received = 0
        self._player = Player()
        self._dropped = 0
        self._interruptions = 0

    def hear(self, frame: str | bytes, now: float) -> str | None:
        """Take in one frame; returns the frame that answers it, where an answer is due."""
        if isinstance(frame, bytes):
            self._sound(frame, now)
            return None
        message = _read(frame)
        kind, payload = message.get("type"), message.get("payload")
        if kind in LIVELY:
            self.last_life = now
        if kind == "heartbeat":
            return orjson.dumps({"type": "heartbeat_ack", "timestamp": message.get("timestamp")}).decode()
        self._message(kind, payload if isinstance(payload, dict) else {}, now)
        return None

    def spoke(self, now: float) -> None:
        """The last frame of speech has left."""
        self._spoken_at = self.last_life = now

    def end(self, why: str) -> None:
        """The call is over for this reason; the first one counts."""
        self._end = self._end or why

    def note(self, who: Who, text: str) -> None:
        """One more line of the printed call."""
        self.lines.append(Line(who, text))

    def hung_up(self, code: int, reason: str) -> None:
        """The socket is gone."""
        self.over = True
        meaning = CLOSINGS.get(code, "the gateway closed the connection")
        self.end(f"{meaning} ({code}{': ' + reason if reason else ''})")

    def report(self, spoken_seconds: float) -> CallReport:
        """The call in figures; utterances that were never closed are closed."""
        self._close(Who.CALLER)
        self._close(Who.MODEL)
        return CallReport(
            answered=self._answered,
            end=self._end,
            lines=tuple(self.lines),
            reply=bytes(self._reply),
            ready_seconds=self._ready_seconds,
            first_audio_seconds=self._first_audio_seconds,
            spoken_seconds=spoken_seconds,
            audio_seconds=self._received / MODEL_BYTES_PER_SECOND,
            underruns=self._player.underruns,
            lost_frames=self._player.lost_frames,
            dropped_frames=self._dropped,
            interruptions=self._interruptions,
        )

    def _message(self, kind: object, payload: dict[str, Any], now: float) -> None:
        match kind:
            case "connected":
                self.connected = True
            case "session_started":
                self._started(now)
            case "audio":
                self._sound(_bytes(payload.get("audioData")), now)
            case "input_transcript":
                self._delta(Who.CALLER, payload)
            case "output_transcript":
                self._delta(Who.MODEL, payload)
            case "interrupted":
                self._interrupted(now)
            case "generation_complete" | "tool_started":
                self._player.rest()
            case "turn_complete" if payload.get("reason") != "quiet":  # that one is a guess of the gateway's clock
                self._turn_complete()
            case "waiting":
                self.note(Who.NOTICE, f"in line, at place {payload.get('position')}")
            case "notice":
                self._notice(payload)
            case "resumed":
                self._dropped += _count(payload.get("framesDropped"))
            case "error":
                self._error(payload)
            case "session_closed":
                self.over = True
                self.end(f"the gateway ended the call: {payload.get('message') or payload.get('reason')}")

    def _started(self, now: float) -> None:
        self.ready = True
        if self._ready_seconds is None:
            self._ready_seconds = now - self._opened

    def _sound(self, pcm: bytes, now: float) -> None:
        if not pcm or len(pcm) % 2:
            self.note(Who.ERROR, f"found {len(pcm)} bytes of sound, expected whole 16-bit samples")
            return
        if not self._turn_bytes and self._spoken_at is not None and self._first_audio_seconds is None:
            self._first_audio_seconds = now - self._spoken_at
        self.last_life = now
        self._reply += pcm
        self._turn_bytes += len(pcm)
        self._received += len(pcm)
        self._player.add(len(pcm) / MODEL_BYTES_PER_SECOND, now)

    def _delta(self, who: Who, payload: dict[str, Any]) -> None:
        self._utterances[who] += str(payload.get("text") or "")
        if payload.get("isFinal"):
            self._close(who)

    def _close(self, who: Who, mark: str = "") -> None:
        text, self._utterances[who] = self._utterances[who].strip(), ""
        if text:
            self.note(who, text + mark)

    def _interrupted(self, now: float) -> None:
        unplayed = round(self._player.cut(now) * MODEL_BYTES_PER_SECOND / 2) * 2
        del self._reply[len(self._reply) - min(unplayed, self._turn_bytes) :]
        self._turn_bytes = 0
        self._interruptions += 1
        self._close(Who.MODEL, " …")

    def _turn_complete(self) -> None:
        self._player.rest()
        if self._turn_bytes:
            self._answered = True
            self.satisfied = self._spoken_at is not None
        self._turn_bytes = 0

    def _notice(self, payload: dict[str, Any]) -> None:
        """Notices have no field for a number: dropped frames are counted from the words."""
        code, words = str(payload.get("code")), str(payload.get("message"))
        self.note(Who.NOTICE, f"{words} ({code})")
        if "dropped" in code.lower():
            found = re.search(r"(\d+) frames?\b", words)
            self._dropped += int(found[1]) if found else 1

    def _error(self, payload: dict[str, Any]) -> None:
        self.note(Who.ERROR, f"{payload.get('message')} ({payload.get('code')})")
        if not self.ready:
            self.failed = True
            self.end("the gateway refused the call")


def _read(frame: str) -> dict[str, Any]:
    """The JSON object in a text frame; anything else is read as an error message of our own."""
    try:
        message = orjson.loads(frame)
    except orjson.JSONDecodeError:
        message = None
    if isinstance(message, dict):
        return message
    return {"type": "error", "payload": {"code": "UNREADABLE", "message": "a text frame was no JSON object"}}


def _bytes(text: object) -> bytes:
    """Base64 as bytes; empty when it is none."""
    try:
        return b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""


def _count(number: object) -> int:
    return number if isinstance(number, int) else 0
