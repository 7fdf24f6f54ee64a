"""What comes in after the setup, and what it means for the model's turns. Pure.

    take(kind, body, now) ──▶ audio ──▶ Ear ──▶ Onset: interrupt · Utterance: transcribe, ask
                         ├──▶ text, clientContent ──▶ prompt, context ──▶ ask
                         └──▶ pictures ──▶ prompt, context

Everything is counted in the call's tally before it is judged further; what a model does not allow is `Refused`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.live.emulator.agreement import Agreement, check, instruction_tokens
from actors.live.emulator.answering import measured
from actors.live.emulator.calls import Tally
from actors.live.emulator.endings import INVALID, MEDIA_CHUNKS, NO_VOICES, Refused
from actors.live.emulator.floor import Floor, Say
from actors.live.emulator.listening import Ear, Onset, Utterance
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Seat
from actors.live.emulator.sound import HEARING_RATE, Resampler, rate_of, samples
from actors.live.emulator.speaking import pieces, server_content
from actors.live.emulator.usage import TOKENS_PER_PICTURE, text_tokens

IN_TURN = ("activityStart", "mediaChunks", "audio", "video", "text", "audioStreamEnd", "activityEnd")
"""Within one message a start precedes the sound, and an end follows it."""
PICTURES = ("image/jpeg", "image/png", "image/webp")
ROLES = (None, "", "user", "model")
FUNCTION_PARTS = ("functionCall", "functionResponse")
"""A history with them is refused (pipecat turns them into text since 2026-07-14)."""


class Session:
    """The model's side of one conversation, from its setup to its end."""

    def __init__(self, agreement: Agreement, seat: Seat, *, options: Options, tally: Tally, say: Say) -> None:
        self._agreement = agreement
        self._profile = agreement.profile
        self._seat = seat
        self._tally = tally
        self._say = say
        self._ear = Ear(agreement.hearing)
        self._resampler = Resampler(HEARING_RATE)
        self._seeding = agreement.seeds_first
        self._floor = Floor(agreement, seat, options=options, say=say)
        self._handlers = {
            "realtimeInput": self._realtime,
            "clientContent": self._content,
            "contextUpdate": self._update,
            "toolResponse": self._tool_response,
        }
        self._streams: dict[str, Callable[[Any, float], None]] = {
            "activityStart": self._activity_start,
            "mediaChunks": self._media_chunks,
            "audio": self._audio,
            "video": self._video,
            "text": self._text,
            "audioStreamEnd": self._stream_end,
            "activityEnd": self._activity_end,
        }

    @property
    def next_wakeup(self) -> float | None:
        """When `tick` has something to do."""
        return self._floor.next_wakeup

    def tick(self, now: float) -> None:
        """Says what is due. Raises `Refused` when the context is full."""
        self._floor.tick(now)

    def leave(self, now: float) -> None:
        """The socket is closed."""
        self._seat.leave(now)

    def take(self, kind: str, body: dict[str, Any], now: float) -> None:
        """One client message as `grammar` read it. Raises `Refused`."""
        self._handlers[kind](body, now)

    # ── realtimeInput: streams beside each other ─────────────────────────────────────────────────

    def _realtime(self, body: dict[str, Any], now: float) -> None:
        self._demand_voice()
        for name in sorted(body, key=IN_TURN.index):
            if body[name] is not None:
                self._streams[name](body[name], now)

    def _media_chunks(self, blobs: list[dict[str, Any]], now: float) -> None:
        if not self._profile.takes_media_chunks:
            raise Refused(MEDIA_CHUNKS, "realtimeInput.mediaChunks: expected audio, video or text")
        for blob in blobs:
            is_audio = (blob.get("mimeType") or "").startswith("audio/")
            (self._audio if is_audio else self._video)(blob, now)

    def _audio(self, blob: dict[str, Any], now: float) -> None:
        pcm, rate = blob.get("data") or b"", rate_of(blob.get("mimeType") or "")
        self._tally.received("audio", len(pcm))
        if rate is None or len(pcm) % 2:
            raise Refused(INVALID, "realtimeInput.audio: expected audio/pcm in whole 16-bit samples")
        if not (self._agreement.hearing.automatic or self._ear.active):
            raise Refused(INVALID, "realtimeInput.audio: expected activityStart before it")
        if rate != self._resampler.rate:
            self._resampler = Resampler(rate)
        sound = self._resampler.push(samples(pcm))
        self._floor.listened += len(sound) / HEARING_RATE
        self._react(self._ear.hear(sound), now)

    def _video(self, blob: dict[str, Any], now: float) -> None:
        self._tally.received("video", len(blob.get("data") or b""))
        if blob.get("mimeType") not in PICTURES:
            raise Refused(INVALID, f"realtimeInput.video: expected one of {', '.join(PICTURES)}")
        self._see("VIDEO")

    def _text(self, text: str, now: float) -> None:
        """Text during an activity gets no answer of its own (0 of 3 against 6 of 6 outside, on gemini-3.8-live)."""
        self._tally.received("text", len(text.encode()))
        self._floor.context.add("TEXT", text_tokens(text))
        self._floor.prompt.read(text)
        if not self._ear.active:
            self._floor.ask(now)

    def _activity_start(self, _: dict[str, Any], now: float) -> None:
        self._mark("activityStart", self._ear.open, now, automatic=False)

    def _activity_end(self, _: dict[str, Any], now: float) -> None:
        self._mark("activityEnd", self._ear.close, now, automatic=False)

    def _stream_end(self, ended: bool, now: float) -> None:
        if ended:
            self._mark("audioStreamEnd", self._ear.close, now, automatic=True)

    def _mark(self, name: str, act: Callable[[], list[Onset | Utterance]], now: float, *, automatic: bool) -> None:
        """Activity is marked by the client or detected by the service, never both."""
        self._tally.received(name)
        if self._agreement.hearing.automatic is not automatic:
            mode = "automatic" if automatic else "no automatic"
            raise Refused(INVALID, f"realtimeInput.{name}: expected {mode} activity detection")
        self._react(act(), now)

    def _react(self, events: list[Onset | Utterance], now: float) -> None:
        for event in events:
            match event:
                case Onset():
                    if self._agreement.interrupts:
                        self._floor.interrupt(now)
                case Utterance():
                    self._hear(event, now)

    def _hear(self, utterance: Utterance, now: float) -> None:
        if self._agreement.transcribes_input:
            for piece in pieces(measured(utterance.seconds), leading=True):
                self._say(server_content(inputTranscription={"text": piece}))
        self._floor.prompt.hear(utterance)
        self._floor.ask(now)

    # ── the other kinds ──────────────────────────────────────────────────────────────────────────

    def _content(self, body: dict[str, Any], now: float) -> None:
        """History, or a turn of it that wants an answer."""
        self._tally.received("clientContent")
        self._demand_voice()
        complete = bool(body.get("turnComplete"))
        if complete or self._profile.seeding_interrupts:
            self._floor.interrupt(now)
        for turn in body.get("turns") or ():
            self._seed(turn)
        if complete and self._seeding:
            self._seeding = False
            self._floor.end_history()
        elif complete:
            self._floor.ask(now)

    def _seed(self, turn: dict[str, Any]) -> None:
        if turn.get("role") not in ROLES:
            raise Refused(INVALID, "clientContent.turns.role: expected user or model")
        for part in turn.get("parts") or ():
            if any(part.get(name) is not None for name in FUNCTION_PARTS):
                raise Refused(INVALID, "clientContent.turns.parts: expected no function parts")
            text = part.get("text") or ""
            self._floor.context.add("TEXT", text_tokens(text))
            if text and turn.get("role") != "model":
                self._floor.prompt.read(text)
            if part.get("inlineData"):
                self._see("IMAGE")

    def _see(self, modality: str) -> None:
        self._floor.context.add(modality, TOKENS_PER_PICTURE)
        self._floor.prompt.pictures += 1

    def _update(self, body: dict[str, Any], now: float) -> None:
        self._tally.received("contextUpdate")
        if not self._profile.takes_context_update:
            raise Refused(INVALID, "contextUpdate: expected a model that takes it")
        tools = (body.get("tools") or {}).get("tools")
        check({"systemInstruction": body.get("systemInstruction"), "tools": tools}, self._profile)
        if body.get("systemInstruction") is not None:
            self._floor.context.instruct(instruction_tokens(body["systemInstruction"]))

    def _tool_response(self, body: dict[str, Any], now: float) -> None:
        """No call is ever pending here, and an answer to an unknown call is ignored, as the service was seen to do."""
        self._tally.received("toolResponse")

    def _demand_voice(self) -> None:
        if not self._agreement.speaks:
            raise Refused(NO_VOICES, "setup.generationConfig.responseModalities: expected AUDIO")
