"""The emulator's doors without the SDK: frames, keys, paths, starting and stopping."""

from __future__ import annotations

import asyncio
import logging
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest
import websockets

from actors.live.emulator.options import Options
from actors.live.emulator.server import Emulator, run
from tests.emulator_caller import NEW
from tests.emulator_listening import PATH, PATIENCE, listening, trusting

SETUP = orjson.dumps({"setup": {"model": NEW}})


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with listening() as emulator:
        yield emulator


async def dial(http: aiohttp.ClientSession, emulator: Emulator) -> aiohttp.ClientWebSocketResponse:
    url = emulator.url + PATH.format("v1beta")
    return await http.ws_connect(url, ssl=trusting(emulator), headers={"x-goog-api-key": "k"})


@pytest.mark.parametrize("text", [False, True])
async def test_the_service_speaks_binary_unless_asked_for_text(text: bool) -> None:
    async with (
        listening(Options(text_frames=text)) as emulator,
        aiohttp.ClientSession() as http,
        await dial(http, emulator) as socket,
    ):
        await socket.send_bytes(SETUP)
        frame = await socket.receive(PATIENCE)

    assert frame.type is (aiohttp.WSMsgType.TEXT if text else aiohttp.WSMsgType.BINARY)
    assert orjson.loads(frame.data) == {"setupComplete": {}}


@pytest.mark.parametrize("frame", ["{", "", "\x00", '{"a": NaN}', "5", "[]", "null"])
async def test_a_frame_that_is_no_message_closes_it(emulator: Emulator, frame: str) -> None:
    async with aiohttp.ClientSession() as http, await dial(http, emulator) as socket:
        await socket.send_str(frame)
        end = await socket.receive(PATIENCE)

    assert (end.data, end.extra) == (1007, "Request contains an invalid argument.")
    assert emulator.calls[-1].frames["unreadable"] == 1


async def test_a_text_frame_that_is_not_utf_8_closes_it(emulator: Emulator) -> None:
    url = emulator.url.replace("https", "wss") + PATH.format("v1beta") + "?key=k"
    async with websockets.connect(url, ssl=trusting(emulator), proxy=None) as socket:
        await socket.send(b"\xff\xfe", text=True)
        with pytest.raises(websockets.ConnectionClosedError) as closed:
            await asyncio.wait_for(socket.recv(), PATIENCE)

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


async def test_time_passes_without_frames() -> None:
    async with (
        listening(Options(connection_seconds=0.05, notice_seconds=0.02)) as emulator,
        aiohttp.ClientSession() as http,
        await dial(http, emulator) as socket,
    ):
        await socket.send_bytes(SETUP)
        frames = [await socket.receive(PATIENCE) for _ in range(3)]

    assert list(orjson.loads(frames[1].data)) == ["goAway"]
    assert (frames[2].data, frames[2].extra) == (1011, "Deadline expired before operation could complete.")


async def get(emulator: Emulator, path: str, **headers: str) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as http,
        http.get(emulator.url + path, ssl=trusting(emulator), headers=headers) as answer,
    ):
        return answer.status, await answer.json(content_type=None) if answer.status != 400 else None


async def test_who_brings_no_key_is_not_let_in(emulator: Emulator) -> None:
    status, body = await get(emulator, PATH.format("v1beta"))

    assert status == 403
    assert body["error"]["status"] == "PERMISSION_DENIED"
    assert body["error"]["message"].startswith("Method doesn't allow unregistered callers")
    assert not emulator.calls


async def test_a_key_may_stand_in_the_query(emulator: Emulator) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(f"{emulator.url}{PATH.format('v1beta')}?key=k", ssl=trusting(emulator)) as socket,
    ):
        await socket.send_bytes(SETUP)
        assert orjson.loads((await socket.receive(PATIENCE)).data) == {"setupComplete": {}}


@pytest.mark.parametrize("path", ["/", PATH.format("v2"), PATH.format("v1beta") + "Constrained", "/ws/other"])
async def test_other_paths_are_not_here(emulator: Emulator, path: str) -> None:
    assert (await get(emulator, path, **{"x-goog-api-key": "k"}))[0] == 404


async def test_a_plain_request_to_the_right_path_is_a_bad_one(emulator: Emulator) -> None:
    assert (await get(emulator, PATH.format("v1beta"), **{"x-goog-api-key": "k"}))[0] == 400


async def test_a_key_that_looks_real_is_remarked_on_once_and_never_printed(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    key = "AIza" + "x" * 35
    with caplog.at_level(logging.DEBUG):
        for _ in range(2):
            await get(emulator, PATH.format("v1beta"), **{"x-goog-api-key": key})

    remarks = [record.getMessage() for record in caplog.records if record.name == "parley.emulator"]
    assert len(remarks) == 1 and "needs none" in remarks[0]
    assert key not in caplog.text


# ── starting and stopping ────────────────────────────────────────────────────────────────────────


async def test_stopping_says_goodbye_to_everybody(emulator: Emulator) -> None:
    async with aiohttp.ClientSession() as http, await dial(http, emulator) as one, await dial(http, emulator) as two:
        await one.send_bytes(SETUP)
        await one.receive(PATIENCE)
        stopping = asyncio.create_task(emulator.stop())
        ends = [await one.receive(PATIENCE), await two.receive(PATIENCE)]
        await stopping

    assert [end.data for end in ends] == [1001, 1001]


async def test_a_port_that_is_taken_is_an_error_of_the_system(emulator: Emulator) -> None:
    with pytest.raises(OSError):
        await Emulator().start(port=int(emulator.url.rpartition(":")[2]))


async def test_it_can_be_stopped_twice_and_without_having_begun(emulator: Emulator) -> None:
    await Emulator().stop()
    await emulator.stop()
    await emulator.stop()


def is_certificate(path: Path) -> bool:
    return path.read_bytes().startswith(b"-----BEGIN CERTIFICATE")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def running(*, ca_file: Path | None) -> tuple[asyncio.Task[None], list[str]]:
    lines: asyncio.Queue[str] = asyncio.Queue()
    task = asyncio.create_task(run("127.0.0.1", 0, ca_file=ca_file, announce=lines.put_nowait))
    async with asyncio.timeout(PATIENCE):
        return task, [await lines.get(), await lines.get()]


async def test_running_announces_where_it_is_and_whom_to_trust_and_leaves_nothing_behind() -> None:
    task, (where, trust) = await running(ca_file=None)
    ca = Path(trust.removeprefix("CA certificate in "))
    kept = is_certificate(ca), mode(ca.parent)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert where.startswith("Gemini Live emulator on https://127.0.0.1:")
    assert kept == (True, 0o700)
    assert task.cancelled()
    assert not ca.parent.exists()


async def test_a_ca_file_that_was_asked_for_stays(tmp_path: Path) -> None:
    ca = tmp_path / "ca.pem"
    task, (_, trust) = await running(ca_file=ca)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert trust == f"CA certificate in {ca}"
    assert is_certificate(ca)
