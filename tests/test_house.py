"""The long stories: a whole house over real sockets, the real SDK, an emulator of the real wire.

Phone (a client of the tests) ──ws──▶ House ──▶ google-genai ──TLS──▶ Emulator, all on one loop
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import websockets
from websockets.asyncio.client import ClientConnection

from actors.door.door import Door
from actors.house import House
from actors.live.emulator.options import Options
from actors.live.emulator.server import Emulator
from actors.messages import Audio, Nonsense
from actors.phone.sound import frames, read_wav
from actors.runtime import Address
from actors.settings import Settings
from actors.supervision import Count, Find

TOP = Path(__file__).resolve().parents[1]
PATIENCE = 20.0
LOUD = frames(read_wav(TOP / "talk.wav"), 100)
POISON = Nonsense(None)  # type: ignore[arg-type]  # nobody can handle it: the actor crashes


async def turns() -> AsyncIterator[None]:
    """Turns of the loop, for as long as somebody looks."""
    while True:
        yield
        await asyncio.sleep(0)


class Caller:
    """A page without a page: says what the test says, and remembers what it hears."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.heard: list[dict[str, Any]] = []
        self.sound: list[bytes] = []

    async def say(self, kind: str, **payload: Any) -> None:
        await self._socket.send(orjson.dumps({"type": kind, "payload": payload}).decode())

    async def speak(self, pcm: list[bytes] = LOUD) -> None:
        """As fast as the gateway takes it; the microphone's silence follows."""
        for frame in (*pcm, *[bytes(3_200)] * 12):
            await self._socket.send(frame)

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Listen until such a message comes; heartbeats are answered."""
        async with asyncio.timeout(PATIENCE):
            while True:
                frame = await self._socket.recv()
                if isinstance(frame, bytes):
                    self.sound.append(frame)
                    continue
                message: dict[str, Any] = orjson.loads(frame)
                self.heard.append(message)
                payload = message.get("payload") or {}
                if message["type"] == kind and all(payload.get(name) == value for name, value in fields.items()):
                    return payload

    async def begin(self) -> str:
        """As far as ready; returns the connection's id."""
        connected = await self.until("connected")
        await self.say("start", audio="binary")
        await self.until("session_ready")
        return str(connected["connectionId"])

    async def answered(self) -> dict[str, Any]:
        """Until a turn of the model's is over."""
        while True:
            turn = await self.until("turn_complete")
            if turn.get("reason") != "quiet":
                return turn

    def said(self, kind: str) -> list[dict[str, Any]]:
        return [message.get("payload") or {} for message in self.heard if message["type"] == kind]

    def text(self, kind: str) -> str:
        return "".join(payload["text"] for payload in self.said(kind))


class Street:
    """A house and the way to it."""

    def __init__(self, door: Door, house: House, emulator: Emulator) -> None:
        self.door, self.house, self.emulator = door, house, emulator

    @asynccontextmanager
    async def call(self) -> AsyncIterator[Caller]:
        async with websockets.connect(f"ws://127.0.0.1:{self.door.port}", compression=None, max_size=None) as socket:
            yield Caller(socket)

    async def actor(self, name: str) -> Address:
        ref = await self.door._inside.callers.ask(Find(name), block=False)
        assert isinstance(ref, Address)
        return ref

    async def link_of(self, name: str) -> Address:
        link = (await self.actor(name))._actor_weakref().checkpoint.link
        assert isinstance(link, Address)
        return link

    async def emptied(self) -> None:
        """Until nobody is in the house."""
        async with asyncio.timeout(PATIENCE):
            async for _ in turns():
                if not await self.door._inside.callers.ask(Count(), block=False):
                    return


@asynccontextmanager
async def street(tmp_path: Path, options: Options | None = None, **settings: str) -> AsyncIterator[Street]:
    emulator = Emulator(options)
    await emulator.start()
    ca_file = tmp_path / "ca.pem"
    emulator.write_ca(ca_file)
    environ = {
        "PORT": "0",
        "GEMINI_API_KEY": "any",
        "GOOGLE_GEMINI_BASE_URL": emulator.url,
        "UPSTREAM_CA_FILE": str(ca_file),
        "DRAIN_SECONDS": "4",
        "PLAYOUT_LEAD_MS": "10000",
        **{name.upper(): value for name, value in settings.items()},
    }
    house = House(Settings.from_env(environ), TOP, version="t")
    try:
        async with house.open() as door:
            yield Street(door, house, emulator)
    finally:
        await emulator.stop()


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Street]:
    async with street(tmp_path) as built:
        yield built


async def test_a_caller_speaks_and_is_answered_with_sound_and_both_transcripts(here: Street) -> None:
    async with here.call() as caller:
        await caller.begin()

        await caller.speak()
        await caller.answered()

    assert sum(map(len, caller.sound)) > 48_000
    assert "speech" in caller.text("input_transcript")
    assert "speech" in caller.text("output_transcript")
    assert [payload["isFinal"] for payload in caller.said("input_transcript")].count(True) == 1
    assert [payload["isFinal"] for payload in caller.said("output_transcript")].count(True) == 1


async def test_the_turn_is_told_in_order(here: Street) -> None:
    async with here.call() as caller:
        await caller.begin()
        await caller.say("text", content="hello there")
        await caller.answered()

    kinds = [message["type"] for message in caller.heard]
    assert kinds[:5] == ["connected", "start_ack", "session_started", "setup_complete", "session_ready"]
    signs = [kind for kind in kinds if kind in ("turn_started", "generation_complete", "turn_complete")]
    assert signs == ["turn_started", "generation_complete", "turn_complete"]


async def test_sound_from_before_the_start_is_answered_too(here: Street) -> None:
    async with here.call() as caller:
        await caller.until("connected")
        await caller.speak(LOUD[:20])
        await caller.say("start", audio="binary")
        await caller.answered()

    assert caller.said("error") == []
    assert caller.sound


async def test_speaking_over_the_model_interrupts_it(tmp_path: Path) -> None:
    async with street(tmp_path, playout_lead_ms="100") as here, here.call() as caller:
        await caller.begin()
        await caller.speak()
        await caller.until("turn_started")

        await caller.speak()
        interrupted = await caller.until("interrupted")
        await caller.answered()
        await caller.answered()

    assert interrupted == {"turn": 1}
    assert [payload["turn"] for payload in caller.said("turn_complete") if payload.get("reason") != "quiet"] == [1, 2]


async def test_a_call_can_be_stopped_and_started_again_on_one_socket(here: Street) -> None:
    async with here.call() as caller:
        await caller.begin()
        await caller.say("stop")
        closed = await caller.until("session_closed")
        await caller.say("start", audio="binary")
        await caller.until("session_ready")
        await caller.say("text", content="again")
        await caller.answered()

    assert closed["reason"] == "client_stop"
    assert caller.sound


async def test_a_crash_of_the_connection_is_not_heard(here: Street) -> None:
    async with here.call() as caller:
        actor = await here.actor(await caller.begin())
        await caller.speak()
        await caller.until("turn_started")

        for _ in range(3):
            actor.tell(POISON)
        await caller.answered()
        await caller.say("text", content="still there?")
        await caller.answered()

    assert caller.said("error") == []
    assert len(caller.said("turn_complete")) == 2
    assert (
        b'parley_actor_restarts_total{actor="ConnectionActor",exception="TypeError"} 3.0' in here.house.metrics.text()
    )


async def test_a_crash_of_the_link_is_a_new_session_and_the_call_goes_on(here: Street) -> None:
    async with here.call() as caller:
        name = await caller.begin()
        await caller.say("text", content="hello")
        await caller.answered()
        (await here.link_of(name)).tell(Audio(None))  # type: ignore[arg-type]  # nobody can handle it either
        await caller.say("text", content="and now?")
        await caller.answered()

    assert caller.said("error") == []
    assert len(here.emulator.calls) == 2


async def test_a_caller_we_fail_too_often_is_let_go_with_words_and_the_others_go_on(here: Street) -> None:
    async with here.call() as unlucky, here.call() as lucky:
        actor = await here.actor(await unlucky.begin())
        await lucky.begin()

        for _ in range(21):
            actor.tell(POISON)
        error = await unlucky.until("error")
        closed = await unlucky.until("session_closed")
        with pytest.raises(websockets.ConnectionClosed) as gone:
            await unlucky.until("nothing more")
        await lucky.say("text", content="are you there?")
        await lucky.answered()

    assert (error["code"], closed["cause"]) == ("INTERNAL_ERROR", "our_fault")
    assert gone.value.rcvd is not None
    assert gone.value.rcvd.code == 1011
    await here.emptied()


async def test_nothing_is_left_of_calls_that_are_over(here: Street) -> None:
    before = len(asyncio.all_tasks())
    for _ in range(10):
        async with here.call() as caller:
            await caller.begin()
    await here.emptied()
    async with asyncio.timeout(PATIENCE):
        async for _ in turns():
            if len(asyncio.all_tasks()) <= before:
                break

    assert len(here.house._quotas) == 0


async def test_a_full_house_refuses_the_next_call_in_words(tmp_path: Path) -> None:
    async with street(tmp_path, max_calls="1") as here, here.call() as first, here.call() as second:
        await first.begin()
        await second.until("connected")
        await second.say("start")

        error = await second.until("error")

    assert (error["code"], error["retryable"], error["retryAfterMs"]) == ("HOUSE_FULL", True, 10_000)


async def test_a_sender_at_the_allowed_rate_is_never_refused(here: Street) -> None:
    async with here.call() as caller:
        await caller.begin()
        for _ in range(100):
            await caller.say("CONTEXT_UPDATE", modality="intelligence", analysis="x")
        await caller.say("text", content="one too many")

        error = await caller.until("error")

    assert error["code"] == "RATE_LIMIT_EXCEEDED"
    assert error["message"].startswith("Rate limit exceeded. Try again in ")
    assert len(caller.said("error")) == 1


async def test_draining_tells_callers_to_come_back(tmp_path: Path) -> None:
    async with street(tmp_path) as here:
        socket = await websockets.connect(f"ws://127.0.0.1:{here.door.port}")
        caller = Caller(socket)
        await caller.begin()
        listening = asyncio.create_task(caller.until("session_closed"))
    closed = await listening
    with pytest.raises(websockets.ConnectionClosed) as gone:
        await caller.until("nothing more")

    assert closed["cause"] == "drained"
    assert gone.value.rcvd is not None
    assert gone.value.rcvd.code == 1012
