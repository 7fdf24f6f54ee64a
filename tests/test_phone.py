"""Test calls into a scripted gateway: real sockets, a clock that the gateway's script moves."""

from __future__ import annotations

import asyncio
import io
import json
import math
import struct
import wave
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from websockets.asyncio.server import ServerConnection, serve

from actors.phone.phone import WallClock, call, run
from actors.phone.report import CallReport, Line, Who
from actors.phone.sound import write_wav

TENTH = b"\1\2" * 2_400
"""A tenth of a second of the model's sound."""
SPEECH = struct.pack("<1600h", *(round(9_000 * math.sin(n / 6)) for n in range(1_600)))
"""A tenth of a second of the caller's: five frames, all of them speech."""


class VirtualClock:
    """Time that stands still until somebody moves it."""

    def __init__(self) -> None:
        self._now = 1_000.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []
        self._limits: list[tuple[float, asyncio.Timeout]] = []

    def now(self) -> float:
        return self._now

    async def until(self, moment: float) -> None:
        if moment > self._now:
            self._sleepers.append((moment, woken := asyncio.Event()))
            await woken.wait()

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncIterator[None]:
        async with asyncio.timeout(None) as limit:
            self._limits.append(entry := (self._now + seconds, limit))
            try:
                yield
            finally:
                self._limits.remove(entry)

    def forward(self, seconds: float) -> None:
        """So many seconds pass; who sleeps until then wakes, who took longer is out of time."""
        self._now += seconds
        for _, woken in [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]:
            woken.set()
        self._sleepers = [sleeper for sleeper in self._sleepers if sleeper[0] > self._now]
        for moment, limit in self._limits:
            if moment <= self._now:
                limit.reschedule(0)


class Caller:
    """The gateway's end of a call."""

    def __init__(self, socket: ServerConnection, clock: VirtualClock) -> None:
        self.socket = socket
        self.clock = clock
        self.sound: list[bytes] = []
        """Binary frames, as they came."""

    async def say(self, kind: str, **payload: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, "payload": payload}))

    async def play(self, pcm: bytes) -> None:
        await self.socket.send(pcm)

    async def hear(self, kind: str) -> dict[str, Any]:
        """The next message, which must be of this kind; sound before it is kept."""
        while isinstance(frame := await self.socket.recv(), bytes):
            self.sound.append(frame)
        message: dict[str, Any] = json.loads(frame)
        assert message["type"] == kind
        return message

    async def frames(self, number: int) -> None:
        """Until so many frames of sound have been heard in all."""
        while len(self.sound) < number:
            frame = await self.socket.recv()
            assert isinstance(frame, bytes)
            self.sound.append(frame)

    async def pass_by(self, seconds: float) -> None:
        """Time passes, once the caller has heard all that was said: a pong comes after it."""
        await (await self.socket.ping())
        self.clock.forward(seconds)

    async def greet(self) -> None:
        """From the open socket to a call that is ready, 0.4 s later."""
        await self.say("connected", connectionId="c", protocol=1)
        await self.hear("start")
        await self.say("start_ack", connectionId="c")
        await self.pass_by(0.4)
        await self.say("session_started", connectionId="c", sessionId="s")

    async def listen(self) -> None:
        """All of the caller's speech, 80 ms from its first to its last frame."""
        await self.greet()
        await self.frames(1)
        await self.pass_by(0.08)
        await self.frames(5)

    async def part(self) -> None:
        """The goodbye that every call ends with: the caller's `stop`, then its close."""
        await self.hear("stop")
        await self.say("session_closed", reason="client_stop", cause="caller_hung_up", message="you hung up")
        await self.socket.wait_closed()
        assert self.socket.close_code == 1000


Story = Callable[[Caller], Awaitable[None]]


@asynccontextmanager
async def gateway(story: Story, clock: VirtualClock) -> AsyncIterator[str]:
    """A gateway that acts out the story on its first call; a story that goes wrong fails the test."""
    told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def act(socket: ServerConnection) -> None:
        try:
            await story(Caller(socket, clock))
            told.set_result(None)
        except BaseException as wrong:
            told.set_exception(wrong)

    async with serve(act, "127.0.0.1", 0, max_queue=None, ping_interval=None) as server:  # reads what no story hears
        host, port = next(iter(server.sockets)).getsockname()
        yield f"http://{host}:{port}"
        await told


async def act(story: Story, *, pcm: bytes = SPEECH, **options: Any) -> tuple[CallReport, str]:
    """What a call into this story came to, and what was printed."""
    screen, clock = io.StringIO(), VirtualClock()
    async with gateway(story, clock) as url:
        report = await call(pcm, url=url, token=None, out=screen, clock=clock, **{"pace": "realtime"} | options)
    return report, screen.getvalue()


async def happy(line: Caller) -> None:
    await line.listen()
    await line.say("input_transcript", text="Is it open?", isFinal=True)
    await line.pass_by(0.75)
    await line.say("turn_started", turn=1)
    await line.play(TENTH)
    await line.say("output_transcript", text="It ", isFinal=False)
    await line.say("output_transcript", text="is.", isFinal=True)
    await line.pass_by(0.36)
    await line.play(TENTH)
    await line.say("turn_complete", turnComplete=True, turn=1)
    await line.part()


# ── a call that goes well ────────────────────────────────────────────────────────────────────────


async def test_a_happy_call_is_told_in_figures() -> None:
    report, _ = await act(happy)

    assert report.answered
    assert report.end == "the answer was complete"
    assert report.lines == (Line(Who.CALLER, "Is it open?"), Line(Who.MODEL, "It is."))
    assert report.reply == TENTH * 2
    assert report.ready_seconds == pytest.approx(0.4)
    assert report.first_audio_seconds == pytest.approx(0.75)
    assert report.spoken_seconds == pytest.approx(0.1)
    assert (report.underruns, report.lost_frames) == (1, 3)


async def test_a_happy_call_is_printed() -> None:
    _, screen = await act(happy)

    assert screen.startswith("you: Is it open?\nparley: It is.\nanswered: the answer was complete\n")
    assert "first audio    0.750 s" in screen


async def test_nothing_is_said_before_the_gateway_greets_and_binary_sound_is_asked_for() -> None:
    async def story(line: Caller) -> None:
        await line.pass_by(5.0)
        await line.say("connected", connectionId="c")
        assert await line.hear("start") == {"type": "start", "payload": {"audio": "binary"}}
        await line.pass_by(5.0)
        assert line.sound == []
        await line.socket.close(1011)

    await act(story)


async def test_the_file_is_followed_by_a_silence_that_lasts_until_the_answer_is_complete() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.pass_by(0.1)
        await line.frames(10)
        await line.play(TENTH)
        await line.say("turn_complete", turn=1)
        await line.part()
        assert b"".join(line.sound) == SPEECH + bytes(5 * 640)

    report, _ = await act(story)

    assert report.answered


async def test_a_fast_call_sends_150_frames_a_second() -> None:
    async def story(line: Caller) -> None:
        await line.greet()
        await line.frames(1)
        await line.pass_by(0.95)
        await line.frames(143)
        await line.pass_by(0.1)
        await line.frames(150)
        await line.socket.close(1000)

    report, _ = await act(story, pcm=SPEECH * 30, pace="fast")

    assert report.spoken_seconds == pytest.approx(3.0)


async def test_sound_in_base64_is_heard_too() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.say("audio", audioData=b64encode(TENTH).decode(), mimeType="audio/pcm;rate=24000")
        await line.say("turn_complete", turn=1)
        await line.part()

    report, _ = await act(story)

    assert report.answered
    assert report.reply == TENTH


async def test_a_heartbeat_is_answered_in_the_middle_of_speech() -> None:
    async def story(line: Caller) -> None:
        await line.greet()
        await line.frames(1)
        await line.socket.send('{"type": "heartbeat", "timestamp": 1234}')
        assert await line.hear("heartbeat_ack") == {"type": "heartbeat_ack", "timestamp": 1234}
        await line.socket.close(1000)

    await act(story)


async def test_an_interrupted_answer_is_cut_and_the_next_one_awaited() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        for _ in range(10):
            await line.play(TENTH)
        await line.say("output_transcript", text="It is open from", isFinal=False)
        await line.pass_by(0.7)
        await line.say("interrupted", turn=1)
        await line.say("turn_complete", turn=1)
        await line.pass_by(0.3)
        await line.play(TENTH)
        await line.say("turn_complete", turn=2)
        await line.part()

    report, screen = await act(story)

    assert report.answered
    assert report.interruptions == 1
    assert len(report.reply) == 6 * len(TENTH)
    assert "parley: It is open from …\n" in screen


async def test_a_quiet_moment_does_not_end_the_call() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.play(TENTH)
        await line.say("turn_complete", turn=1, reason="quiet")
        await line.pass_by(10.0)
        await line.play(TENTH)
        await line.say("turn_complete", turn=1)
        await line.part()

    report, _ = await act(story)

    assert report.reply == TENTH * 2


# ── a call that does not ─────────────────────────────────────────────────────────────────────────


async def test_a_refused_call_is_hung_up_at_once() -> None:
    async def story(line: Caller) -> None:
        await line.say("connected", connectionId="c")
        await line.hear("start")
        await line.say("error", code="HOUSE_FULL", message="All lines are busy", retryable=True)
        await line.socket.wait_closed()
        assert line.socket.close_code == 1000

    report, screen = await act(story)

    assert not report.answered
    assert report.end == "the gateway refused the call"
    assert screen.startswith("error: All lines are busy (HOUSE_FULL)\nnot answered: the gateway refused the call\n")


async def test_an_error_in_the_call_is_printed_and_the_call_goes_on() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.say("error", code="RATE_LIMIT_EXCEEDED", message="Rate limit exceeded. Try again in 1s")
        await line.play(TENTH)
        await line.say("turn_complete", turn=1)
        await line.part()

    report, screen = await act(story)

    assert report.answered
    assert screen.startswith("error: Rate limit exceeded. Try again in 1s (RATE_LIMIT_EXCEEDED)\n")


async def test_a_hang_up_in_the_middle_of_speech_is_told_with_what_was_said_before() -> None:
    async def story(line: Caller) -> None:
        await line.greet()
        await line.frames(1)
        await line.say("error", code="INTERNAL_ERROR", message="Something went wrong on our side")
        await line.socket.close(1011, "a call could not go on")

    report, _ = await act(story)

    assert not report.answered
    assert report.lines == (Line(Who.ERROR, "Something went wrong on our side (INTERNAL_ERROR)"),)
    assert report.end == "the gateway made a mistake (1011: a call could not go on)"
    assert report.spoken_seconds == pytest.approx(0.02)


async def test_a_broken_connection_is_told() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        line.socket.transport.abort()

    report, _ = await act(story)

    assert report.end == "the connection broke without a goodbye (1006)"


async def test_a_gateway_that_ends_the_call_is_not_spoken_to_any_more() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.say("session_closed", reason="live_api_closed", cause="too_long", message="the call was too long")
        await line.hear("stop")
        await line.socket.wait_closed()
        assert line.socket.close_code == 1000

    report, _ = await act(story)

    assert report.end == "the gateway ended the call: the call was too long"


@pytest.mark.parametrize(("seconds", "said"), [(10.0, []), (30.0, ["connected"])])
async def test_a_gateway_that_does_not_get_on_is_given_up(seconds: float, said: list[str]) -> None:
    async def story(line: Caller) -> None:
        for kind in said:
            await line.say(kind, connectionId="c")
            await line.hear("start")
        await line.pass_by(seconds - 0.1)
        await line.pass_by(0.1)
        if said:
            await line.part()
        await line.socket.wait_closed()

    report, _ = await act(story)

    assert report.end in {"the gateway did not greet within 10 s", "the gateway did not get ready within 30 s"}
    assert str(int(seconds)) in report.end


async def test_a_model_that_never_answers_is_given_up() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.pass_by(15.0)
        await line.frames(700)
        await line.pass_by(0.1)
        await line.part()

    report, _ = await act(story)

    assert not report.answered
    assert report.end == "nothing more was heard of the model for 15 s"


async def test_patience_begins_anew_with_every_sign_of_life() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        for _ in range(3):
            await line.pass_by(4.0)
            await line.say("tool_started", id="t", name="weather")
        await line.pass_by(4.0)
        await line.play(TENTH)
        await line.say("turn_complete", turn=1)
        await line.part()

    report, _ = await act(story, patience=5.0)

    assert report.answered


async def test_a_gateway_without_manners_is_left_without_a_goodbye() -> None:
    async def story(line: Caller) -> None:
        await line.listen()
        await line.play(TENTH)
        await line.say("turn_complete", turn=1)
        await line.hear("stop")
        await line.pass_by(3.0)
        await line.socket.wait_closed()
        assert line.socket.close_code == 1000

    report, screen = await act(story)

    assert report.answered
    assert "error: the gateway did not say goodbye within 3 s\n" in screen


async def test_a_caller_who_is_called_away_says_goodbye_and_sees_the_figures() -> None:
    screen, clock = io.StringIO(), VirtualClock()

    async def story(line: Caller) -> None:
        await line.listen()
        calling.cancel()
        await line.part()

    async with gateway(story, clock) as url:
        calling = asyncio.ensure_future(call(SPEECH, url=url, token=None, pace="realtime", out=screen, clock=clock))
        with pytest.raises(asyncio.CancelledError):
            await calling

    assert screen.getvalue().startswith("not answered: hung up here\n  ready")


# ── the command ──────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def speech(tmp_path: Path) -> Path:
    file = tmp_path / "speech.wav"
    write_wav(file, SPEECH, rate=16_000)
    return file


async def at_once(line: Caller) -> None:
    """A call in the time of this machine."""
    await line.say("connected", connectionId="c")
    await line.hear("start")
    await line.say("session_started", connectionId="c")
    await line.frames(5)
    await line.play(TENTH)
    await line.say("turn_complete", turn=1)
    await line.part()


async def test_an_answered_call_saves_the_reply_and_exits_with_0(
    speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reply = tmp_path / "reply.wav"
    async with gateway(at_once, VirtualClock()) as url:
        code = await run(speech, url=url, token=SecretStr("t"), out=reply, pace="fast")

    assert code == 0
    assert capsys.readouterr().out.endswith(f"the reply is in {reply}\n")
    with wave.open(str(reply), "rb") as saved:
        assert saved.getframerate() == 24_000
        assert saved.readframes(9_999) == TENTH


async def test_an_unanswered_call_exits_with_1_and_saves_nothing(speech: Path, tmp_path: Path) -> None:
    async def story(line: Caller) -> None:
        await line.socket.close(1012, "draining")

    async with gateway(story, VirtualClock()) as url:
        code = await run(speech, url=url, token=None, out=tmp_path / "reply.wav", pace="realtime")

    assert code == 1
    assert not (tmp_path / "reply.wav").exists()


async def test_a_reply_that_cannot_be_saved_exits_with_1(
    speech: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with gateway(at_once, VirtualClock()) as url:
        code = await run(speech, url=url, token=None, out=tmp_path, pace="fast")

    assert code == 1
    assert capsys.readouterr().err == f"cannot save {tmp_path}: Is a directory\n"


async def test_nobody_to_talk_to_exits_with_1_and_one_sentence(
    speech: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await run(speech, url="ws://127.0.0.1:1", token=None, out=None, pace="realtime")

    assert code == 1
    assert capsys.readouterr().err == "no gateway answers at ws://127.0.0.1:1: connection refused\n"


async def test_every_wrong_argument_is_told_before_anything_is_dialled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = await run(tmp_path / "no.wav", url="localhost", token=None, out=tmp_path / "no" / "r.wav", pace="fast")

    assert code == 2
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == [
        f"cannot read {tmp_path / 'no.wav'}",
        "cannot call",
        f"cannot save {tmp_path / 'no' / 'r.wav'}",
    ]


async def test_a_file_that_is_no_sound_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "speech.wav"
    file.write_bytes(b"OggS" + bytes(40))
    code = await run(file, url="ws://127.0.0.1:1", token=None, out=None, pace="fast")

    assert code == 2
    assert capsys.readouterr().err == f"cannot play {file}: found Ogg, expected a RIFF/WAVE file\n"


async def test_ctrl_c_exits_with_130_after_the_goodbye(speech: Path) -> None:
    async def story(line: Caller) -> None:
        await line.say("connected", connectionId="c")
        await line.hear("start")
        running.cancel()
        await line.part()

    async with gateway(story, VirtualClock()) as url:
        running = asyncio.ensure_future(run(speech, url=url, token=None, out=None, pace="fast"))

        assert await running == 130


async def test_the_wall_clock_wakes_at_the_moment_and_not_before() -> None:
    clock = WallClock()
    moment = clock.now() + 0.002
    await clock.until(moment)
    await clock.until(moment)

    assert clock.now() >= moment
