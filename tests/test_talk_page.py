"""Somebody talks: a real Chromium, its microphone a WAV, the real page, the real gateway."""

from __future__ import annotations

import array
import math
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import FloatRect

from tests.browser import QUIET, SAMPLE_RATE, Visit, chromium, hole, length, microphone, recording, silence
from tests.conftest import Gateway

pytestmark = pytest.mark.browser

PARTS = ("#talk", "#transcript", "#text", "#type button")


Visiting = Callable[..., AbstractAsyncContextManager[Visit]]


@pytest.fixture
def visiting(gateway: Gateway, tmp_path: Path) -> Visiting:
    """Visit the page with these sounds for a voice, or with none; at the end the page must have no complaint."""

    @asynccontextmanager
    async def visit(*voice: bytes) -> AsyncIterator[Visit]:
        mic = microphone(tmp_path / "mic.wav", *voice) if voice else None
        async with chromium(mic) as browser:
            visit = Visit(await browser.new_page())
            await visit.open(gateway.url)
            yield visit
            assert visit.complaints == []

    return visit


def loudness(pcm: bytes) -> list[float]:
    """Root mean square of a recording, for every 10 ms."""
    samples = array.array("h", pcm)
    window = SAMPLE_RATE // 100
    pieces = (samples[i : i + window] for i in range(0, len(samples), window))
    return [math.sqrt(sum(x * x for x in piece) / len(piece)) / 32_768 for piece in pieces]


def inside(box: FloatRect, width: int, height: int) -> bool:
    """Is it whole on a screen of that size, and large enough to be hit by a finger?"""
    whole = box["x"] >= 0 and box["y"] >= 0 and box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
    return whole and min(box["width"], box["height"]) >= 40


async def test_a_caller_speaks_hears_the_answer_without_a_gap_and_reads_both(visiting: Visiting) -> None:
    words = recording()
    async with visiting(silence(1.0), words) as visit:
        await visit.call()
        await visit.reach("speaking")
        await visit.reach("listening")
        played = await visit.loudness()
        caller, model = await visit.said("caller"), await visit.said("model")

    assert sum(sorted(played)[-100:]) / 100 > 5 * QUIET  # the loudest second
    assert length(played) == pytest.approx(length(loudness(words)), rel=0.1)  # the emulator gives them back
    assert hole(loudness(words), played) < 0.1
    assert len(caller) == len(model) == 1
    assert caller[0] and model[0]


async def test_talking_over_the_answer_silences_it_at_once(visiting: Visiting) -> None:
    async with visiting(silence(0.5), recording(), silence(1.2), recording()) as visit:
        await visit.call()
        interrupted = await visit.happens("interrupted")
        at = int(str(interrupted["at"]))
        await visit.page.wait_for_function("(enough) => window.loudness.length > enough", arg=at + 30)
        played = await visit.loudness()
        await visit.reach("speaking")  # and what was said over it is answered

    assert max(played[at - 100 : at]) > QUIET
    assert max(played[at + 8 : at + 30]) < QUIET


async def test_typing_is_answered_without_a_microphone(visiting: Visiting) -> None:
    async with visiting() as visit:
        await visit.page.fill("#text", "Is <b>this</b> text?")
        await visit.page.press("#text", "Enter")
        await visit.happens("turn", times=3)
        await visit.page.wait_for_selector(".said.model:not(.open)")
        caller, bold = await visit.said("caller"), await visit.page.locator("#transcript p b").count()

    assert caller == ["Is <b>this</b> text?"]
    assert bold == 0


async def test_who_is_refused_the_microphone_is_told_and_can_type(visiting: Visiting) -> None:
    async with visiting() as visit:
        await visit.page.click("#talk")
        await visit.page.wait_for_selector('body[data-state="ready"][data-microphone="refused"]')
        said = await visit.page.inner_text("#notice")
        await visit.page.fill("#text", "Hello?")
        await visit.page.press("#text", "Enter")
        await visit.page.wait_for_selector(".said.model")

    assert "microphone" in said


async def test_the_keyboard_is_enough(visiting: Visiting) -> None:
    async with visiting(silence(1.0)) as visit:
        keyboard = visit.page.keyboard
        await keyboard.press("Space")
        await visit.reach("listening")
        await keyboard.press("Space")
        await visit.page.wait_for_selector('body[data-microphone="muted"]')
        await keyboard.press("Tab")
        focus = await visit.page.evaluate("document.activeElement.id")
        await keyboard.press("Enter")
        await visit.page.wait_for_selector('body[data-microphone="on"]')
        await keyboard.press("Escape")
        await visit.reach("ended")
        shown = await visit.page.inner_text("#state")

    assert focus == "talk"
    assert shown == "Call ended"


async def test_the_page_says_that_it_talks_to_the_emulator(visiting: Visiting) -> None:
    async with visiting() as visit:
        await visit.page.click("#talk")
        await visit.reach("ready")
        await visit.happens("notice")
        chip = visit.page.locator("#upstream")

        assert await chip.inner_text() == "Built-in emulator"


async def test_nothing_is_cut_off_on_any_screen(visiting: Visiting) -> None:
    cut_off = []
    async with visiting() as visit:
        for width, height in ((360, 640), (390, 844), (390, 430), (740, 360), (1280, 800)):
            await visit.page.set_viewport_size({"width": width, "height": height})
            too_wide = await visit.page.evaluate("document.documentElement.scrollWidth > innerWidth")
            parts = [await visit.page.locator(part).bounding_box() for part in PARTS]
            if too_wide or any(not box or not inside(box, width, height) for box in parts):
                cut_off.append((width, height))

    assert cut_off == []
