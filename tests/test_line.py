"""One session from dialling to the end: what its owner hears, in which order, and what is left behind."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref
from typing import Any

import pybase64
import pytest
from websockets.asyncio.server import ServerConnection

from actors.errors import LINK_LOST
from actors.live.line import Patience
from actors.messages import (
    Audio,
    Heard,
    Image,
    Lost,
    MicrophonePaused,
    Opened,
    Opening,
    Said,
    Speech,
    Text,
    TurnEnded,
)
from tests.scripted_upstream import OPENING, QUICK, SETUP_COMPLETE, Owner, Upstream, closes, scripted, sends, silent

PCM = bytes(range(256)) * 5  # 40 ms
SOUND = json.dumps(
    {"serverContent": {"modelTurn": {"parts": [{"inlineData": {"mimeType": "audio/pcm", "data": "AAABAA=="}}]}}}
).encode()


def transcript(text: str) -> bytes:
    return json.dumps({"serverContent": {"outputTranscription": {"text": text}}}).encode()


def kind(frame: dict[str, Any]) -> str:
    """What a client message carries."""
    [(outer, inner)] = frame.items()
    return f"{outer}.{next(iter(inner))}"


def others() -> set[asyncio.Task[Any]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_an_owner_hears_of_the_opening_and_then_everything_in_order() -> None:
    frames = (transcript("a"), SOUND, transcript("b"), SOUND, b'{"serverContent":{"turnComplete":true}}')
    owner = Owner()
    async with scripted(sends(*frames)) as upstream:
        line = upstream.gemini().dial(OPENING, 3, owner)
        await owner.until(TurnEnded)
        line.abort()

    speech = Speech(3, b"\0\0\1\0")
    assert owner.mail == [Opened(3, OPENING.model), Said(3, "a"), speech, Said(3, "b"), speech, TurnEnded(3)]


async def test_what_is_sent_arrives_in_the_order_of_sending() -> None:
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Opened)
        for message in (Audio(PCM), Text("hello"), Audio(PCM), Image(b"\xff\xd8", "image/jpeg"), MicrophonePaused()):
            line.send(message)
        line.send(Audio(PCM))
        frames = await upstream.until(7)
        line.abort()

    assert [kind(frame) for frame in frames[1:]] == [
        "realtime_input.audio",
        "client_content.turns",
        "realtime_input.audio",
        "realtime_input.video",
        "realtime_input.audioStreamEnd",
        "realtime_input.audio",
    ]
    assert pybase64.b64decode(frames[1]["realtime_input"]["audio"]["data"]) == PCM


async def test_before_the_session_is_open_nothing_is_sent() -> None:
    begun = asyncio.Event()

    async def script(ws: ServerConnection) -> None:
        await begun.wait()
        await ws.send(SETUP_COMPLETE)

    owner = Owner()
    async with scripted(script) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await upstream.until(1)
        line.send(Text("too early"))
        begun.set()
        await owner.until(Opened)
        line.send(Text("in time"))
        frames = await upstream.until(2)
        line.abort()

    assert "in time" in str(frames[1])


async def test_after_a_loss_sending_and_leaving_do_nothing() -> None:
    owner = Owner()
    async with scripted(closes(1011)) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Lost)
        line.send(Audio(PCM))
        line.send(Text("hello"))
        line.close()
        line.abort()
        await upstream.over.wait()

    assert [type(message) for message in owner.mail] == [Opened, Lost]
    assert len(upstream.frames) == 1


async def chatter(ws: ServerConnection) -> None:
    """Complete the setup and talk without end."""
    await ws.send(SETUP_COMPLETE)
    while True:
        await ws.send(transcript("and"))
        await asyncio.sleep(0)


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_after_close_or_abort_the_owner_hears_nothing(how: str) -> None:
    owner = Owner()
    async with scripted(chatter) as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Said)
        heard = len(owner.mail)
        getattr(line, how)()
        line.send(Text("too late"))
        await upstream.over.wait()

    assert len(owner.mail) == heard
    assert len(upstream.frames) == 1


async def test_close_says_goodbye_and_abort_does_not() -> None:
    owner = Owner()
    async with scripted() as upstream:
        gemini = upstream.gemini()
        for session, leave in enumerate(("close", "abort"), start=1):
            line = gemini.dial(OPENING, session, owner)
            await owner.until(Opened, session)
            upstream.over.clear()
            getattr(line, leave)()
            await upstream.over.wait()

    assert upstream.closes == [1000, 1006]


async def test_what_was_sent_before_the_goodbye_still_arrives() -> None:
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Opened)
        for _ in range(20):
            line.send(Audio(PCM))
        line.close()
        await upstream.over.wait()

    assert len(upstream.frames) == 21
    assert upstream.closes == [1000]


@pytest.mark.parametrize("how", ["close", "abort"])
async def test_a_session_can_be_left_while_it_is_being_dialled(how: str) -> None:
    owner = Owner()
    async with scripted(silent) as upstream:
        gemini = upstream.gemini()
        at_once = gemini.dial(OPENING, 1, owner)
        getattr(at_once, how)()
        half_way = gemini.dial(OPENING, 2, owner)
        await upstream.until(1)
        getattr(half_way, how)()
        await upstream.over.wait()

    assert owner.mail == []
    assert upstream.closes == [1006]


async def test_leaving_while_the_time_for_the_setup_runs_out_leaves_no_socket() -> None:
    """Two cancellations at once: the timeout's and the owner's."""
    owner = Owner()
    async with scripted(silent) as upstream:
        gemini = upstream.gemini(Patience(setup=0.3, close=5.0))
        lines = [gemini.dial(OPENING, session, owner) for session in range(5)]
        await upstream.until(5)
        tasks = [line._task for line in lines if line._task is not None]
        for task in tasks:
            task.cancel()
        for line in lines:
            line.abort()
        await asyncio.wait(tasks)

        assert all(task.done() for task in tasks)
    assert upstream.closes == [1006] * 5
    assert owner.mail == []


async def test_no_task_and_no_socket_is_left_after_twenty_dials() -> None:
    async with scripted() as upstream:
        gemini, owner = upstream.gemini(), Owner()
        before = others()
        for session in range(1, 21):
            line = gemini.dial(OPENING, session, owner)
            await owner.until(Opened, session)
            upstream.over.clear()
            line.close() if session % 2 else line.abort()
            await upstream.over.wait()
        while others() - before:
            await asyncio.wait(others() - before, timeout=1)

        assert len(upstream.closes) == 20
    assert not owner.heard(Lost)


async def test_a_session_has_one_task_of_ours_however_much_is_said() -> None:
    owner = Owner()
    async with scripted(chatter) as upstream:
        before = others()
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Said, 50)
        ours = {task.get_name() for task in others() - before if "upstream" in task.get_name()}
        line.abort()
        await upstream.over.wait()

    assert ours == {"upstream c1#1"}


@pytest.mark.parametrize("ending", ["close", "abort", "lost"])
async def test_an_ended_session_is_freed_without_the_garbage_collector(ending: str) -> None:
    owner = Owner()
    async with scripted(closes(1011) if ending == "lost" else sends()) as upstream:
        gc.collect()
        gc.disable()
        try:
            line = upstream.gemini().dial(OPENING, 1, owner)
            await owner.until(Opened)
            gone, task = weakref.ref(line), line._task
            if ending != "lost":
                getattr(line, ending)()
            assert task is not None
            await asyncio.wait([task])
            await upstream.over.wait()
            del line, task
            await asyncio.sleep(0)

            assert gone() is None
        finally:
            gc.enable()


async def stopped_reading(upstream: Upstream, owner: Owner, patience: Patience, lost: list[int]) -> Any:
    """A session whose peer has stopped reading, and which has been sent forty seconds of sound."""
    line = upstream.gemini(patience, dropped=lost.append).dial(OPENING, 1, owner)
    await owner.until(Opened)
    for _ in range(1_000):
        line.send(Audio(PCM))
        await asyncio.sleep(0)
    return line


async def test_a_peer_that_stops_reading_for_too_long_is_a_loss() -> None:
    over = asyncio.Event()

    async def deaf(ws: ServerConnection) -> None:
        await ws.send(SETUP_COMPLETE)
        ws.transport.pause_reading()
        await over.wait()

    owner, dropped = Owner(), list[int]()
    async with scripted(deaf) as upstream:
        await stopped_reading(upstream, owner, QUICK, dropped)
        lost = await owner.until(Lost)
        over.set()

    assert lost.error.kind is LINK_LOST
    assert lost.error.detail == "no room to write in for 0.2 s"
    assert sum(dropped) > 0
    assert [type(message) for message in owner.mail] == [Opened, Lost]


async def test_left_in_the_moment_of_a_stall_the_owner_hears_nothing() -> None:
    owner = Owner()
    async with scripted() as upstream:
        line = upstream.gemini().dial(OPENING, 1, owner)
        await owner.until(Opened)
        line._stalled()
        line.abort()
        await upstream.over.wait()

    assert [type(message) for message in owner.mail] == [Opened]


async def test_a_peer_that_reads_on_gets_what_is_fresh_and_all_that_is_not_sound() -> None:
    reading = asyncio.Event()

    async def slow(ws: ServerConnection) -> None:
        await ws.send(SETUP_COMPLETE)
        ws.transport.pause_reading()
        await reading.wait()
        ws.transport.resume_reading()

    owner, dropped = Owner(), list[int]()
    async with scripted(slow) as upstream:
        line = await stopped_reading(upstream, owner, Patience(stall=30.0), dropped)
        line.send(Text("the last word"))
        reading.set()
        while "the last word" not in str(upstream.frames[-1]):
            await upstream.until(len(upstream.frames) + 1)
        line.abort()

    assert sum(dropped) > 0
    assert len(upstream.frames) == 1 + 1_000 - sum(dropped) + 1


async def test_sessions_of_several_owners_do_not_hear_each_other() -> None:
    async def script(ws: ServerConnection) -> None:
        await ws.send(SETUP_COMPLETE)
        asked = json.loads(await ws.recv())
        text = asked["client_content"]["turns"][0]["parts"][0]["text"]
        await ws.send(json.dumps({"serverContent": {"inputTranscription": {"text": text}}}))

    owners = [Owner() for _ in range(3)]
    async with scripted(script) as upstream:
        gemini = upstream.gemini()
        lines = [gemini.dial(Opening("c", "gemini-3.8-live", "Puck", "en-US", ""), 1, owner) for owner in owners]
        for number, (line, owner) in enumerate(zip(lines, owners, strict=True)):
            await owner.until(Opened)
            line.send(Text(f"I am {number}"))
        heard = [(await owner.until(Heard)).text for owner in owners]
        for line in lines:
            line.abort()

    assert heard == ["I am 0", "I am 1", "I am 2"]
