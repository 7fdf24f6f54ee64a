"""A caller of the emulator's core, in virtual time: no socket, no clock, no waiting.

Caller().open() ─▶ say(message), speak(sound), wait(seconds) ─▶ what the service said, also kept in `heard`
"""

from __future__ import annotations

import math
from array import array
from typing import Any

from pybase64 import urlsafe_b64encode

from actors.live.emulator.core import Conversation, Out
from actors.live.emulator.endings import Close
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles

OLD = "models/gemini-2.5-flash-native-audio-preview-09-2025"
NEW = "models/gemini-3.8-live"
BOTH = (OLD, NEW)
FRAME_SECONDS = 0.02


def tone(seconds: float, *, rate: int = 16_000, loudness: int = 8_000, hertz: float = 440.0) -> bytes:
    """Sound that counts as speech: 16-bit little-endian PCM."""
    turn = 2 * math.pi * hertz / rate
    return array("h", (int(loudness * math.sin(turn * at)) for at in range(round(seconds * rate)))).tobytes()


def silence(seconds: float, *, rate: int = 16_000) -> bytes:
    """Nothing at all, as PCM."""
    return bytes(2 * round(seconds * rate))


def audio(pcm: bytes, *, rate: int = 16_000) -> dict[str, Any]:
    """A message as google-genai 3.4 sends it, mixed spelling and URL-safe base64 included."""
    data = urlsafe_b64encode(pcm).decode()
    return {"realtime_input": {"audio": {"data": data, "mime_type": f"audio/pcm;rate={rate}"}}}


def realtime(**fields: Any) -> dict[str, Any]:
    return {"realtime_input": fields}


def typed(text: str, *, complete: bool = True, role: str = "user") -> dict[str, Any]:
    turn = {"role": role, "parts": [{"text": text}]}
    return {"client_content": {"turns": [turn], "turnComplete": complete}}


def setup(model: str = NEW, **fields: Any) -> dict[str, Any]:
    """A setup that wants both transcripts; a field given as `None` is left out."""
    wanted = {
        "generationConfig": {"responseModalities": ["AUDIO"]},
        "inputAudioTranscription": {},
        "outputAudioTranscription": {},
    } | fields
    return {"setup": {"model": model} | {name: value for name, value in wanted.items() if value is not None}}


class Caller:
    """One conversation, and everything that was heard in it."""

    def __init__(
        self,
        options: Options | None = None,
        *,
        handles: Handles | None = None,
        now: float = 0.0,
        version: str = "v1beta",
    ) -> None:
        options = options or Options()
        self.now = now
        self.heard: list[Out] = []
        self.line = Conversation(
            options, Handles(options.handle_seconds, seed=1) if handles is None else handles, now=now, version=version
        )

    def open(self, model: str = NEW, **fields: Any) -> Caller:
        self.say(setup(model, **fields))
        return self

    def say(self, message: object) -> list[Out]:
        """One message, now."""
        return self._hear(self.line.receive(message, self.now))

    def speak(self, pcm: bytes, *, rate: int = 16_000) -> list[Out]:
        """Sound in frames of 20 ms, at the pace of a microphone."""
        size = 2 * round(FRAME_SECONDS * rate)
        said: list[Out] = []
        for start in range(0, len(pcm), size):
            said += self.wait(FRAME_SECONDS)
            said += self.say(audio(pcm[start : start + size], rate=rate))
        return said

    def wait(self, seconds: float) -> list[Out]:
        """Lets time pass, waking the service when it wants to be woken."""
        said: list[Out] = []
        until = self.now + seconds
        while (due := self.line.next_wakeup) is not None and due <= until:
            self.now = max(self.now, due)
            said += self._hear(self.line.tick(self.now))
        self.now = until
        return said

    def leave(self) -> None:
        self.line.leave(self.now)

    @property
    def close(self) -> Close | None:
        """How the service ended it, if it did."""
        last = self.heard[-1] if self.heard else None
        return last if isinstance(last, Close) else None

    def _hear(self, said: list[Out]) -> list[Out]:
        self.heard += said
        return said


SYMBOLS = {
    ("setupComplete",): "S",
    ("sessionResumptionUpdate", "newHandle", "resumable"): "h",
    ("sessionResumptionUpdate", "resumable"): "-",
    ("serverContent",): "_",
    ("serverContent", "inputTranscription"): "i",
    ("serverContent", "modelTurn:text"): "t",
    ("serverContent", "outputTranscription"): "o",
    ("serverContent", "modelTurn"): "a",
    ("serverContent", "modelTurn", "outputTranscription"): "b",
    ("serverContent", "generationComplete"): "g",
    ("serverContent", "interrupted"): "x",
    ("serverContent", "turnComplete", "usageMetadata"): "T",
    ("goAway", "timeLeft"): "G",
}
"""One letter for each shape of message."""


def score(said: list[Out]) -> str:
    """What was said, one letter a message; a shape that is not in the table is a `KeyError`."""
    return "".join("C" if isinstance(out, Close) else SYMBOLS[_shape(out)] for out in said)


def _shape(message: dict[str, Any]) -> tuple[str, ...]:
    (first, body), *others = message.items()
    fields = sorted("modelTurn:text" if is_thought(name, value) else name for name, value in body.items())
    return (first, *fields, *(name for name, _ in others))


def is_thought(name: str, value: Any) -> bool:
    return name == "modelTurn" and bool(value["parts"][0].get("thought"))


def content(said: list[Out], field: str) -> list[Any]:
    """This field of every `serverContent` that has it."""
    contents = [out.get("serverContent") or {} for out in said if isinstance(out, dict)]
    return [fields[field] for fields in contents if field in fields]


def transcript(said: list[Out], field: str = "outputTranscription") -> str:
    return "".join(piece["text"] for piece in content(said, field))


def usage(said: list[Out]) -> dict[str, Any]:
    """The last bill."""
    return [out["usageMetadata"] for out in said if isinstance(out, dict) and "usageMetadata" in out][-1]
