"""The rules of the protocol that a browser keeps: greeting, start, liveness, coming back.

    script ◀── the page's WebSocket, real client.js ──▶ a clock that stands still until a test moves it

The gateway here is a script: it says what a test tells it to, and remembers what it was told. The page is the real
one, from the real gateway; only its socket ends here.
"""

from __future__ import annotations

import asyncio
import base64
import json
from array import array
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, WebSocketRoute

from tests.browser import Visit, chromium, microphone, recording
from tests.conftest import Gateway

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]

CALL = """async () => {
  const { client } = await import("/talk.js");
  window.client = client;
  client.connect().catch(() => null);
}"""
AT_ONCE = 1  # millisecond
FIRST_PAUSE = 500  # milliseconds: the longest before the first new try
LONG = 60_000  # milliseconds: longer than the longest pause between two tries
SECOND_OF_VOICE = 32_000  # bytes
TONE = array("h", (8_000 if i // 50 % 2 else -8_000 for i in range(24_000))).tobytes()  # a second for the loudspeaker


class Script:
    """A gateway that does as it is told. Each socket is a line; what arrives is kept in order."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[WebSocketRoute] = asyncio.Queue()
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sound: list[bytes] = []

    def answer(self, line: WebSocketRoute) -> None:
        line.on_message(self._hear)
        self.lines.put_nowait(line)

    def _hear(self, said: str | bytes) -> None:
        if isinstance(said, bytes):
            self.sound.append(said)
        else:
            self.heard.put_nowait(json.loads(said))

    async def hears(self, kind: str) -> dict[str, Any]:
        """The next message, which must be of this type."""
        message = await asyncio.wait_for(self.heard.get(), 10)
        assert message["type"] == kind
        return message

    async def line(self) -> WebSocketRoute:
        """The next socket that the page opens."""
        return await asyncio.wait_for(self.lines.get(), 10)

    async def session(self, line: WebSocketRoute) -> dict[str, Any]:
        """Greet, be asked, and begin; returns the payload of `start`."""
        say(line, "connected", connectionId="c")
        start = await self.hears("start")
        say(line, "start_ack", connectionId="c")
        say(line, "session_started", sessionId="sess_7", model="m", voiceName="Puck", languageCode="en-US")
        return dict(start["payload"])


def say(line: WebSocketRoute, kind: str, **payload: object) -> None:
    line.send(json.dumps({"type": kind, "payload": payload}))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    words = recording()[:SECOND_OF_VOICE]
    async with chromium(microphone(Path(tmp_path_factory.mktemp("mic")) / "mic.wav", words)) as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="module")
async def script() -> Script:
    return Script()


@pytest_asyncio.fixture(loop_scope="module")
async def page(browser: Browser, gateway: Gateway, script: Script) -> AsyncIterator[Page]:
    """The talk page, about to call the scripted gateway."""
    context = await browser.new_context()
    visit = Visit(await context.new_page())
    await visit.page.clock.install(time=0)
    await visit.page.clock.pause_at(1)
    await visit.page.route_web_socket("**/ws", script.answer)
    await visit.open(gateway.url)
    await visit.page.evaluate(CALL)
    yield visit.page
    await context.close()
    assert visit.complaints == []


async def reaches(page: Page, state: str) -> None:
    await page.wait_for_selector(f'body[data-state="{state}"]', timeout=10_000)


async def test_it_says_nothing_before_it_is_greeted(page: Page, script: Script) -> None:
    line = await script.line()
    await page.clock.run_for(9_000)
    said_before = script.heard.qsize()
    start = await script.session(line)

    assert said_before == 0
    assert start == {"audio": "binary"}


async def test_a_start_without_an_answer_is_sent_three_times_and_then_on_a_new_line(page: Page, script: Script) -> None:
    say(await script.line(), "connected", connectionId="c")
    for _ in range(3):
        await script.hears("start")
        await page.clock.run_for(1_500)
    await reaches(page, "reconnecting")
    await page.clock.run_for(FIRST_PAUSE)
    await script.session(await script.line())

    await reaches(page, "ready")


async def test_a_heartbeat_is_answered_and_a_ping_is_sent(page: Page, script: Script) -> None:
    line = await script.line()
    await script.session(line)
    line.send(json.dumps({"type": "heartbeat", "timestamp": 17}))

    assert await script.hears("heartbeat_ack") == {"type": "heartbeat_ack", "timestamp": 17}

    await page.clock.run_for(30_000)

    await script.hears("ping")


async def test_a_gateway_that_has_gone_silent_is_dialled_again(page: Page, script: Script) -> None:
    await script.session(await script.line())
    await page.clock.run_for(51_000)
    await reaches(page, "reconnecting")
    await page.clock.run_for(FIRST_PAUSE)
    again = await script.line()
    await script.hears("ping")  # what it said into the silence
    start = await script.session(again)

    assert start["sessionId"] == "sess_7"
    await reaches(page, "ready")


@pytest.mark.parametrize("code", [1001, 1006, 1011, 1012, 4408])
async def test_it_comes_back_to_the_same_session_after(page: Page, script: Script, code: int) -> None:
    line = await script.line()
    await script.session(line)
    await reaches(page, "ready")
    await line.close(code=code)
    await reaches(page, "reconnecting")
    await page.clock.run_for(AT_ONCE if code == 1012 else FIRST_PAUSE)
    start = await script.session(await script.line())

    assert start["sessionId"] == "sess_7"
    await reaches(page, "ready")


@pytest.mark.parametrize(
    ("code", "state"), [(1000, "ended"), (4400, "failed"), (4401, "failed"), (4409, "ended"), (4429, "failed")]
)
async def test_it_does_not_come_back_after(page: Page, script: Script, code: int, state: str) -> None:
    line = await script.line()
    await script.session(line)
    await line.close(code=code, reason="a sentence")
    await reaches(page, state)
    await page.clock.run_for(LONG)

    assert await page.inner_text("#notice") == "a sentence"
    assert script.lines.empty()


async def test_it_gives_up_after_eight_tries(page: Page, script: Script) -> None:
    for tries in range(8):
        await (await script.line()).close(code=1011)
        await reaches(page, "reconnecting" if tries < 7 else "failed")
        await page.clock.run_for(8_000)

    assert script.lines.empty()


async def test_a_session_that_was_stopped_is_followed_by_another_on_the_same_line(page: Page, script: Script) -> None:
    line = await script.line()
    await script.session(line)
    await reaches(page, "ready")
    await page.evaluate("client.stop(); void client.connect()")
    await script.hears("stop")
    start = await script.hears("start")
    say(line, "start_ack", connectionId="c")
    say(line, "session_closed", reason="client_stop")
    say(line, "output_transcript", text="too late", isFinal=True)
    line.send(json.dumps({"type": "heartbeat", "timestamp": 1}))
    await script.hears("heartbeat_ack")
    await page.clock.run_for(2_000)
    say(line, "session_started", sessionId="sess_8", model="m", voiceName="Puck", languageCode="en-US")
    await reaches(page, "ready")

    assert "sessionId" not in start["payload"]
    assert await page.evaluate("client.session.sessionId") == "sess_8"
    assert await page.locator(".said").count() == 0
    assert script.lines.empty()


async def test_a_session_that_the_gateway_ends_is_not_dialled_again(page: Page, script: Script) -> None:
    line = await script.line()
    await script.session(line)
    say(line, "session_closed", reason="live_api_closed", cause="idle")
    line.send(json.dumps({"type": "heartbeat", "timestamp": 1}))
    await script.hears("heartbeat_ack")
    await page.clock.run_for(1_000)
    await reaches(page, "ended")
    await page.clock.run_for(LONG)

    assert script.lines.empty()


async def test_an_error_that_cannot_be_retried_ends_the_call_before_it_begins(page: Page, script: Script) -> None:
    line = await script.line()
    say(line, "connected", connectionId="c")
    await script.hears("start")
    say(line, "start_ack", connectionId="c")
    say(line, "error", code="API_KEY_INVALID", message="The assistant is not set up", retryable=False)
    await reaches(page, "failed")
    await page.clock.run_for(LONG)

    assert await page.inner_text("#notice") == "The assistant is not set up"
    assert script.lines.empty()


async def test_what_is_unknown_or_for_old_clients_changes_nothing(page: Page, script: Script) -> None:
    line = await script.line()
    await script.session(line)
    for nonsense in ("no json", "7", "null", '{"type": 3}'):
        line.send(nonsense)
    say(line, "weather", sun=True)
    say(line, "output_transcript", text="One ", isFinal=False)
    say(line, "turn_complete", turnComplete=True, reason="quiet")
    say(line, "output_transcript", text="<i>two</i>", isFinal=True)
    said = await page.wait_for_selector(".said.model:not(.open) p")

    assert said is not None
    assert await said.inner_text() == "One <i>two</i>"
    assert await page.locator(".said").count() == 1
    assert await page.evaluate("client.state") == "ready"


async def test_what_is_typed_before_the_session_is_said_when_it_is_there(page: Page, script: Script) -> None:
    line = await script.line()
    await page.fill("#text", "Hello")
    await page.press("#text", "Enter")
    await script.session(line)

    assert await script.hears("text") == {"type": "text", "payload": {"content": "Hello"}}


async def test_the_last_five_seconds_of_voice_wait_for_the_session(page: Page, script: Script) -> None:
    line = await script.line()
    await page.evaluate("void client.talk()")
    await page.wait_for_function("() => client.dropped >= 75", timeout=15_000)  # by then the words are too old
    await page.evaluate("client.mute(true); client.sendText('that was all')")
    await script.session(line)
    await script.hears("text")
    line.send(json.dumps({"type": "heartbeat", "timestamp": 1}))
    await script.hears("heartbeat_ack")

    assert [len(piece) for piece in script.sound] == [SECOND_OF_VOICE] * 5
    assert max(map(abs, array("h", b"".join(script.sound)))) < 1_000


async def test_nothing_is_heard_of_a_muted_caller(page: Page, script: Script) -> None:
    line = await script.line()
    await page.evaluate("void client.talk()")
    await script.session(line)
    await reaches(page, "listening")
    await page.wait_for_function("() => client.microphone === 'on'")
    await page.evaluate("client.mute(true); client.sendText('muted')")
    await script.hears("text")
    heard = len(script.sound)
    line.send(json.dumps({"type": "heartbeat", "timestamp": 1}))
    await script.hears("heartbeat_ack")

    assert len(script.sound) == heard


@pytest.mark.parametrize("spelling", ["binary", "base64"])
async def test_sound_is_played_in_both_spellings_and_stops_when_interrupted(
    page: Page, script: Script, spelling: str
) -> None:
    line = await script.line()
    await script.session(line)
    await reaches(page, "ready")
    for _ in range(10):
        if spelling == "binary":
            line.send(TONE)
        else:
            say(line, "audio", audioData=base64.b64encode(TONE).decode(), mimeType="audio/pcm;rate=24000")
    await reaches(page, "speaking")
    say(line, "interrupted", turn=1)

    await page.wait_for_selector('body[data-state="ready"]', timeout=2_000)  # and not after ten seconds
