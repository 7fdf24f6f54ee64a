"""Who has the floor: one answer at a time, begun, interrupted, billed. Pure.

    prompt, context ◀── session          ask ──▶ Performance ──▶ say(message) … turnComplete + usage ──▶ rest
                                                      ▲
                                                      └── interrupt: what is unsaid is dropped

What comes in while an answer is under way either interrupts it or waits in the prompt and is answered after it,
all at once. Meanwhile the conversation cannot be resumed elsewhere; at each quiet point it gets a new handle.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from actors.live.emulator.agreement import Agreement
from actors.live.emulator.answering import Prompt, sentence, sound
from actors.live.emulator.endings import INVALID, Refused
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Seat
from actors.live.emulator.speaking import THOUGHT, Answer, Performance, beats, server_content
from actors.live.emulator.usage import Context, sound_tokens, text_tokens, usage_metadata

Say = Callable[[dict[str, Any]], None]


class Floor:
    """The model's turns in one conversation. `say` is called with each message, in order."""

    def __init__(self, agreement: Agreement, seat: Seat, *, options: Options, say: Say) -> None:
        self._agreement = agreement
        self._seat = seat
        self._options = options
        self._say = say
        self._performance: Performance | None = None
        self._asked = False  # an answer is wanted after the one under way
        self._billed: Counter[str] = Counter()  # the context as the answer under way found it
        self.prompt = Prompt()
        """What came in since the last answer began."""
        self.context = Context(seat.memory)
        self.listened = 0.0
        """Seconds of sound, silence too, since it was last billed."""
        self.rest()

    @property
    def next_wakeup(self) -> float | None:
        """When `tick` has something to do."""
        return self._performance.next_at if self._performance else None

    def tick(self, now: float) -> None:
        """Says what is due. Raises `Refused` when the context is full."""
        while self._performance and self._performance.next_at <= now:
            message = self._performance.take()
            if message is None:
                self._end_turn(now)
            else:
                self._say(message)

    def ask(self, now: float) -> None:
        """An answer is wanted: now, or when the one under way is over. Raises `Refused` when the context is full."""
        self._asked = True
        if self._performance is None:
            self._begin(now)

    def interrupt(self, now: float) -> None:
        """What is under way is broken off, without `generationComplete`; what waits is answered with what comes."""
        if self._performance is None:
            return
        self._asked = False
        self._say(server_content(interrupted=True))
        self._end_turn(now)

    def rest(self) -> None:
        """A quiet point: from here the conversation could go on elsewhere."""
        if self._agreement.resumable:
            handle = self._seat.issue(self.context.memory())
            self._say({"sessionResumptionUpdate": {"newHandle": handle, "resumable": True}})

    def end_history(self) -> None:
        """What was seeded so far is one turn, and wants no answer."""
        self.prompt = Prompt()
        self.context.end_turn()
        self.rest()

    def _begin(self, now: float) -> None:
        prompt, self.prompt, self._asked = self.prompt, Prompt(), False
        self._bill(prompt)
        if self._agreement.resumable:
            self._say({"sessionResumptionUpdate": {"resumable": False}})
        words = sentence(prompt) if self._agreement.transcribes_output else ""
        answer = Answer(words, sound(prompt, self._agreement.voice))
        script = beats(answer, self._agreement.profile, self._options)
        self._performance = Performance(script, now + self._options.answer_delay)

    def _bill(self, prompt: Prompt) -> None:
        """The whole context, as this answer finds it."""
        seconds = self.listened if self._agreement.bills_silence else prompt.seconds
        self.context.add("AUDIO", sound_tokens(seconds))
        self.listened = 0.0
        if self._agreement.compression:
            self.context.compress(self._agreement.compression)
        self._billed = self.context.totals()
        window = self._agreement.profile.window
        if self._billed.total() > window:
            raise Refused(INVALID, f"context: expected at most {window} tokens")

    def _end_turn(self, now: float) -> None:
        spoken = sound_tokens(self._performance.seconds) if self._performance else 0
        thoughts = text_tokens(THOUGHT) if self._agreement.profile.thinks else 0
        self._performance = None
        self._say(server_content(turnComplete=True) | {"usageMetadata": usage_metadata(self._billed, spoken, thoughts)})
        self.context.add("AUDIO", spoken)
        self.context.end_turn()
        if self._asked:
            self._begin(now)
        else:
            self.rest()
