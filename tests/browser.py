"""A real Chromium on the talk page, with a WAV for its microphone and an ear on what it plays.

    talk.wav, silence ──▶ mic.wav ──▶ Chromium's fake device ──▶ the page ──▶ gateway
                                                                    └─ client.output ──▶ Tap: loudness, every 10 ms

The tap hangs on the node that the model's voice comes out of; so it hears what the loudspeaker would. It reads a
media stream, because an AudioWorklet of its own would be a script that the page's policy does not run.
"""

from __future__ import annotations

import shutil
import wave
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Browser, ConsoleMessage, Error, Page, async_playwright

TALK = Path(__file__).resolve().parents[1] / "talk.wav"
SAMPLE_RATE = 16_000  # samples per second in talk.wav
QUIET = 0.01  # root mean square, of 1: below it is a pause
LONGEST_CALL = 60.0  # seconds of silence after the last word; a fake device that runs out repeats its last buffer

TAP = """async () => {
  const { client } = await import("/talk.js");
  const { context } = client.output;
  const ear = new MediaStreamAudioDestinationNode(context, { channelCount: 1 });
  client.output.connect(ear);
  const [track] = ear.stream.getAudioTracks();
  const { readable } = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 });
  window.loudness = [];
  const heard = (sound) => {
    const samples = new Float32Array(sound.numberOfFrames);
    sound.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
    window.loudness.push(Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length));
    sound.close();
  };
  readable.pipeTo(new WritableStream({ write: heard }));
}"""
LISTEN = """async () => {
  const { client } = await import("/talk.js");
  window.events = [];
  for (const name of ["state", "interrupted", "turn", "notice", "error", "closed"]) {
    client.on(name, (detail) => window.events.push({ name, detail, at: window.loudness?.length ?? 0 }));
  }
}"""


def recording(path: Path = TALK) -> bytes:
    """The 16-bit mono samples of a WAV."""
    with wave.open(str(path), "rb") as file:
        return file.readframes(file.getnframes())


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * SAMPLE_RATE))


def microphone(path: Path, *sounds: bytes) -> Path:
    """Write what the caller will say, once, with silence for the rest of the call."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
        file.writeframes(b"".join(sounds) + silence(LONGEST_CALL))
    return path


@asynccontextmanager
async def chromium(mic: Path | None) -> AsyncIterator[Browser]:
    """Debian's Chromium if it is there, else Playwright's own. Without `mic` the microphone is refused."""
    args = ["--use-fake-device-for-media-stream"]
    if mic:
        args += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={mic}%noloop"]
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        yield browser
        await browser.close()


class Visit:
    """One visit to the talk page: what it does, what it plays, and what it has to complain about."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", self._error)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:  # a breach of the policy is an error here
            self.complaints.append(message.text)

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    async def open(self, url: str) -> None:
        """Load the page and write down the call's events from now on."""
        await self.page.goto(url)
        await self.page.evaluate(LISTEN)

    async def reach(self, state: str) -> None:
        """Wait until the call is there; fails after ten seconds."""
        await self.page.wait_for_selector(f'body[data-state="{state}"]', timeout=10_000)

    async def call(self) -> None:
        """Press the button, be heard, and hear: the tap hangs on the output from here on."""
        await self.page.click("#talk")
        await self.reach("listening")
        await self.page.evaluate(TAP)

    async def happens(self, name: str, *, times: int = 1) -> dict[str, object]:
        """Wait for the so-manieth event of that name, and give it."""
        found = "([name, times]) => window.events.filter((event) => event.name === name)[times - 1]"
        event = await self.page.wait_for_function(found, arg=[name, times], timeout=20_000)
        return dict(await event.json_value())

    async def loudness(self) -> list[float]:
        """Root mean square of what was played since `call`, for every 10 ms."""
        return list(await self.page.evaluate("window.loudness"))

    async def said(self, role: str) -> list[str]:
        """The finished bubbles of one voice."""
        return [await p.inner_text() for p in await self.page.locator(f".said.{role}:not(.open) p").all()]


def length(levels: Sequence[float]) -> float:
    """From the first sound to the last, in seconds."""
    loud = [i for i, level in enumerate(levels) if level > QUIET]
    return (loud[-1] - loud[0]) / 100 if loud else 0.0


def hole(said: Sequence[float], heard: Sequence[float]) -> float:
    """The longest stretch that is loud in what was said and missing in what was heard, laid over it as well as it
    goes, in seconds."""
    first_said, first_heard = (next((i for i, x in enumerate(y) if x > QUIET), 0) for y in (said, heard))
    start = first_heard - first_said
    return min(_missing(said, heard, start + shift) for shift in range(-30, 31)) / 100


def _missing(said: Sequence[float], heard: Sequence[float], offset: int) -> int:
    longest = run = 0
    for i, level in enumerate(said):
        there = heard[i + offset] if 0 <= i + offset < len(heard) else 0.0
        run = run + 1 if level > 2 * QUIET and there < QUIET / 2 else 0
        longest = max(longest, run)
    return longest
