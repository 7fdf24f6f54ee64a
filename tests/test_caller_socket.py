"""One caller's socket: what goes in and out, what is too much, and who does not read."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from base64 import b64encode
from typing import Any

import orjson
import pytest
import trustme
import websockets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN, Protocol

from actors.door import caller_socket
from actors.door.caller_socket import NARROW, WIDE, CallerSocket
from actors.door.wary import WaryConnection
from actors.messages import Audio, Hangup, Nonsense, Text
from actors.replies import Notice, Pong, Sound
from actors.runtime import Life, LoopActor, born
from tests.doorstep import PATIENCE, Doorstep, Page, doorstep, page, until

ON_BOTH_LOOPS = True
MANY = orjson.dumps({"type": "text", "payload": {f"key{n}": n for n in range(10_000)}}).decode()


def audio(data: str) -> str:
    return orjson.dumps({"type": "user_audio", "payload": {"audioData": data, "mimeType": "audio/pcm"}}).decode()


# ── what is leaned on ──


def test_the_installed_library_has_what_is_leaned_on() -> None:
    assert {"send_text", "send_binary", "send_close"} <= set(dir(Protocol))
    assert {"send_data", "recv", "process_event"} <= set(dir(ServerConnection))
    assert Protocol.send_text.__code__.co_varnames[1] == "data"


async def test_what_is_leaned_on_does_what_it_is_taken_for() -> None:
    seen: list[Any] = []

    async def visit(connection: ServerConnection) -> None:
        seen.extend((connection.protocol.max_message_size, connection.protocol.state, connection.transport))
        connection.protocol.max_message_size = 10
        connection.protocol.send_text(b"one")
        connection.protocol.send_binary(b"two")
        connection.send_data()
        connection.protocol.send_close(4400, "three")
        connection.send_data()
        await connection.wait_closed()

    async with serve(visit, "127.0.0.1", 0, max_size=NARROW, create_connection=WaryConnection) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}") as there:
            heard = [await there.recv(), await there.recv()]
            with pytest.raises(websockets.ConnectionClosed) as closed:
                await there.recv()

    assert seen[:2] == [NARROW, OPEN]
    assert seen[2].get_write_buffer_size() == 0
    assert heard == ["one", b"two"]
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4400, "three")


# ── in and out, with nobody behind ──


class Post(LoopActor):
    """Keeps its mail."""

    mark = 3
    heard: list[object]  # of the class, as an instance is out of reach

    def on_receive(self, message: object) -> None:
        self.heard.append(message)


class Wire:
    """A CallerSocket, and the other end of it."""

    def __init__(self, here: CallerSocket, there: websockets.ClientConnection, life: Life) -> None:
        self.here, self.there, self.life = here, there, life

    async def until(self, count: int) -> list[object]:
        await until(lambda: len(Post.heard) >= count)
        return Post.heard


@pytest.fixture
async def wire() -> Any:
    Post.heard = []
    life = Life(Post, name="post")
    life.inbox.mark = Post.mark
    arrived: asyncio.Future[CallerSocket] = asyncio.get_running_loop().create_future()

    async def visit(connection: ServerConnection) -> None:
        arrived.set_result(CallerSocket(connection))
        await arrived.result().read(life.ref)

    async with serve(visit, "127.0.0.1", 0, max_size=NARROW, create_connection=WaryConnection) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with websockets.connect(f"ws://127.0.0.1:{port}", compression=None) as there:
            yield Wire(await arrived, there, life)


async def test_frames_become_mail_in_order_and_the_hangup_is_last(wire: Wire) -> None:
    born(Post, wire.life, {})
    await wire.there.send(b"\x01\x00")
    await wire.there.send('{"type":"text","payload":{"content":"hello"}}')
    await wire.there.send("nonsense")
    await wire.there.close()

    mail = await wire.until(4)

    assert mail[:2] == [Audio(b"\x01\x00"), Text("hello")]
    assert isinstance(mail[2], Nonsense)
    assert mail[3:] == [Hangup(1000)]


async def test_a_socket_that_just_ends_is_a_hangup_of_its_own(wire: Wire) -> None:
    born(Post, wire.life, {})
    wire.there.transport.abort()

    assert await wire.until(1) == [Hangup(1006)]


async def test_replies_leave_in_order_and_sound_as_the_caller_wants_it(wire: Wire) -> None:
    wire.here.send(Sound(b"\x01\x02"))
    wire.here.prefer_binary(sound=True)
    wire.here.send(Sound(b"\x03\x04"))
    wire.here.send(Pong(5))
    wire.here.close(4400, "enough")
    wire.here.send(Notice("LATE", "nobody hears this"))
    wire.here.close(1000, "nor this")

    first, second, third = [await wire.there.recv() for _ in range(3)]
    with pytest.raises(websockets.ConnectionClosed) as closed:
        await wire.there.recv()

    assert orjson.loads(first)["payload"]["audioData"] == b64encode(b"\x01\x02").decode()
    assert second == b"\x03\x04"
    assert orjson.loads(third)["type"] == "pong"
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4400, "enough")


async def test_nothing_is_unsent_while_the_other_end_reads(wire: Wire) -> None:
    wire.here.send(Sound(bytes(4_800)))
    await wire.there.recv()

    assert wire.here.unsent == 0


async def test_a_full_mailbox_is_not_read_into(wire: Wire) -> None:
    for n in range(10):
        await wire.there.send(f'{{"type":"text","payload":{{"content":"{n}"}}}}')
    await until(lambda: wire.life.ref.actor_inbox.full)
    await (await wire.there.ping())  # what was sent before it has come

    assert len(wire.life.ref.actor_inbox) == Post.mark
    born(Post, wire.life, {})
    assert await wire.until(10) == [Text(str(n)) for n in range(10)]


# ── what a caller may say ──

BAD = {
    "no JSON": "hello",
    "empty": "",
    "half of it": '{"type":"text","payload":{"content":"hel',
    "a list": "[]",
    "a number": "17",
    "no type": "{}",
    "an unknown type": '{"type":"launch_missiles"}',
    "a type that is no text": '{"type":["text"]}',
    "deep": '{"type":"text","payload":{"content":' + "[" * 300 + "]" * 300 + "}}",
    "large": '{"type":"text","payload":{"content":' + "[" * 20_000 + "]" * 20_000 + "}}",
    "10 000 keys": MANY,
    "bad base64": audio("!!!!"),
    "odd sound in base64": audio("AAAA"),
    "odd sound": b"\x01\x02\x03",
    "no sound": b"",
    "70 KiB of sound": bytes(70 * 1024),
    "text without words": '{"type":"text","payload":{"content":""}}',
    "a number for words": '{"type":"text","payload":{"content":5}}',
    "not a number": '{"type":"text","payload":NaN}',
    "a lone surrogate": '{"type":"text","payload":{"content":"\\ud800"}}',
}
WORDS = {
    "an unknown type": "launch_missiles",
    "deep": "nested too deep",
    "large": "too many values",
    "10 000 keys": "at most",
    "bad base64": "user_audio.audioData",
    "odd sound in base64": "user_audio.audioData",
    "odd sound": "3 bytes",
    "70 KiB of sound": "71680 bytes",
    "text without words": "text.content",
    "a number for words": "text.content",
    "no JSON": "not JSON",
    "no type": "type is missing",
}
"""What the error must name."""


@pytest.mark.parametrize("name", BAD)
async def test_what_cannot_be_used_is_answered_and_the_call_lives_on(name: str) -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        await caller.socket.send(BAD[name])
        error = await caller.until("error")

        assert error["code"] == ("UNKNOWN_TYPE" if name == "an unknown type" else "VALIDATION_ERROR")
        assert WORDS.get(name, "") in error["message"]
        assert error["retryable"] is False
        assert await caller.is_answered()
        assert [line.heard for line in here.parrot.lines] == [[Text("are you there?")]]
        assert here.crashes == []


KINDS = ("start", "stop", "text", "user_audio", "REALTIME_INPUT", "CONTEXT_UPDATE", "TOOL_RESULT", "ping")
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.builds(
    lambda kind, payload: json.dumps({"type": kind, "payload": payload}), st.sampled_from(KINDS), VALUES
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OBJECTS | st.text(max_size=200) | st.binary(max_size=200), max_size=8))
def test_nothing_that_a_caller_says_is_a_crash_of_ours(frames: list[str | bytes]) -> None:
    async def story() -> None:
        async with doorstep() as here:
            async with page(here.url) as caller:
                for frame in frames:
                    await caller.socket.send(frame)
                await caller.say("ping")
                await caller.until("pong")
            async with page(here.url) as other:
                await other.begin()

                assert await other.is_answered()
                assert here.crashes == []

    asyncio.run(story())


async def test_ten_pieces_of_nonsense_in_ten_seconds_are_enough() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        for _ in range(10):
            await caller.socket.send("nonsense")

        assert await caller.end() == (4400, "Too many messages could not be used")
        assert [error["code"] for error in caller.said("error")] == ["VALIDATION_ERROR"] * 10 + ["TOO_MUCH_NONSENSE"]
        assert caller.said("session_closed")[0]["cause"] == "refused"
        await here.emptied()


async def test_nine_are_not() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        for _ in range(9):
            await caller.socket.send("nonsense")

        assert await caller.is_answered()


@pytest.mark.parametrize(
    "said", ['{"type":"ping"}', '{"type":"ping","timestamp":1}', '{{ "type" : "ping" ', 'x{"type":"ping"}{"type":']
)
async def test_whatever_has_a_ping_in_it_is_answered(said: str) -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.socket.send(said)
        await caller.until("pong")

        assert caller.said("error") == []


async def test_a_message_in_pieces_is_one_message() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        await caller.socket.send(['{"type":"text",', '"payload":', '{"content":"in pieces"}}'])
        await caller.until("turn_complete")

        assert here.parrot.lines[0].heard == [Text("in pieces")]


# ── how large ──


def padded(size: int) -> str:
    """A ping of so many bytes."""
    return '{"type":"ping","pad":"' + "x" * (size - 24) + '"}'


async def test_before_the_start_64_kib_are_a_frame_and_one_more_is_not() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.socket.send(padded(NARROW))
        await caller.until("pong")
        await caller.socket.send(padded(NARROW + 1))

        assert (await caller.end())[0] == 1009


async def test_after_it_2_mib_are_and_one_more_is_not() -> None:
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        await caller.socket.send(padded(WIDE))
        await caller.until("pong")
        await caller.socket.send(padded(WIDE + 1))

        assert (await caller.end())[0] == 1009
        await here.emptied()


def test_the_sizes_are_those_of_the_protocol() -> None:
    assert (NARROW, WIDE) == (65_536, 2_097_152)


# ── how much ──


async def test_who_floods_is_told_and_read_slowly_and_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caller_socket, "BYTES_AT_ONCE", 20 * caller_socket.FRAME_COST)
    async with doorstep() as here, page(here.url) as caller:
        await caller.begin()
        frame = Frame(Opcode.TEXT, b'{"type":"heartbeat_ack"}').serialize(mask=True)
        caller.socket.transport.write(frame * 150)
        error = await caller.until("error")
        assert await caller.is_answered()
        dropped = here.metrics.frames_dropped.labels("up", "too_many_bytes")._value.get()

        assert error["code"] == "RATE_LIMIT_EXCEEDED"
        assert error["retryable"] is True
        assert 1 <= dropped <= 10  # read at full speed it would be 130


def test_a_megabyte_a_second_is_taken_and_eight_at_once() -> None:
    assert caller_socket.BYTES_PER_SECOND == 1024 * 1024
    assert caller_socket.BYTES_AT_ONCE == 8 * 1024 * 1024


# ── who does not read ──


def certified() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    return server, client


async def deaf(here: Doorstep, *, tls: ssl.SSLContext | None) -> websockets.ClientConnection:
    """A caller who takes what a few kilobytes hold, and then nothing until asked to."""
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    line.connect(("127.0.0.1", here.door.port))
    line.setblocking(False)
    url = f"ws{'s' if tls else ''}://localhost"
    return await websockets.connect(url, sock=line, ssl=tls, max_queue=1, max_size=None, compression=None)


@pytest.mark.parametrize("secure", [False, True])
async def test_who_does_not_listen_is_closed_with_words_and_others_notice_nothing(
    secure: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("actors.call.delivery.STUCK_SECONDS", 0.3)
    server, client = certified() if secure else (None, None)
    scheme = "wss" if secure else "ws"
    async with doorstep(tls=server, terms={"lead": 30.0}) as here:
        slow = Page(await deaf(here, tls=client))
        await slow.begin()
        here.parrot.lines[0].speak(25)
        async with page(f"{scheme}://localhost:{here.door.port}", ssl=client) as other:
            await other.begin()
            async with asyncio.timeout(PATIENCE):
                while here.metrics.calls_total.labels("caller_lost")._value.get() == 0:
                    here.parrot.lines[0].speak(0.1)  # with TLS, half a megabyte fits into the other end alone
                    assert await other.is_answered()
            end = await slow.end()

            assert end == (4408, "The connection is too slow to listen")
            assert slow.said("session_closed")[-1]["cause"] == "caller_lost"
            assert await other.is_answered()


async def test_who_never_listens_again_is_gone_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("actors.call.delivery.STUCK_SECONDS", 0.1)
    monkeypatch.setattr("actors.door.wary.CLOSE_PATIENCE", 0.1)
    async with doorstep(terms={"lead": 30.0}) as here:
        slow = Page(await deaf(here, tls=None))
        await slow.begin()
        here.parrot.lines[0].speak(25)
        await here.emptied()
        slow.socket.transport.abort()


async def test_the_kernel_keeps_two_seconds_of_sound_for_a_caller_and_no_more(wire: Wire) -> None:
    raw = wire.here._websocket.transport.get_extra_info("socket")

    assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * caller_socket.SEND_BUFFER  # Linux doubles it
    assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
