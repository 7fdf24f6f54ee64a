"""The README's picture, taken from the real page during a real call.

    talk.wav ──▶ Chromium's microphone ──▶ gateway ──▶ docs/talk-page.png

    python tests/screenshot.py [URL]      a gateway that runs, with the emulator behind it: `make run`

Not a test: it is run by hand when the page has changed.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from playwright.async_api import ViewportSize

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # it is started as a script, not as part of a package
from tests.browser import Visit, chromium, microphone, recording, silence

PICTURE = Path(__file__).resolve().parents[1] / "docs" / "talk-page.png"
SIZE = ViewportSize(width=1280, height=720)
MID_SENTENCE = 150  # tens of milliseconds into the answer, when both the words and the levels are there


async def take(url: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        mic = microphone(Path(folder) / "mic.wav", silence(0.5), recording())
        async with chromium(mic) as browser:
            visit = Visit(await browser.new_page(viewport=SIZE, device_scale_factor=2))
            await visit.open(url)
            await visit.page.fill("#text", "Hello! Are you there?")
            await visit.page.press("#text", "Enter")
            await visit.reach("speaking")
            await visit.reach("ready")
            await visit.call()
            await visit.reach("speaking")
            started = len(await visit.loudness())
            await visit.page.wait_for_function("(n) => window.loudness.length > n", arg=started + MID_SENTENCE)
            await visit.page.screenshot(path=PICTURE)
    print(PICTURE)


if __name__ == "__main__":
    asyncio.run(take(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
