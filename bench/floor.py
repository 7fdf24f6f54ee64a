"""Floor A: the least that a gateway of this kind does, when websockets and uvloop are given.

    caller ──ws──▶ two loops for each call, JSON re-wrapped by hand ──wss──▶ upstream

    python -m bench.floor --upstream wss://… --ca-file FILE      says its URL, and serves until it is ended

It checks nothing, limits nothing, paces nothing, counts nothing and survives nothing: what a person writes in an
afternoon with websockets' own documentation, and a little faster, because sound stays base64 where it can.
"""

from __future__ import annotations

import argparse
import asyncio
import ssl

import orjson
import uvloop
from pybase64 import b64decode, b64encode
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

HOST = "127.0.0.1"
PATH = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent?key=bench"
SETUP = '{"setup":{"model":"models/gemini-3.8-live","generationConfig":{"responseModalities":["AUDIO"]}}}'
CONNECTED = '{"type":"connected","payload":{"connectionId":"1"}}'
START_ACK = '{"type":"start_ack","payload":{"connectionId":"1"}}'
STARTED = '{"type":"session_started","payload":{"connectionId":"1","languageCode":"en-US","voiceName":"Puck"}}'


class Floor:
    """A bare relay to one upstream."""

    def __init__(self, upstream: str, ca_file: str) -> None:
        self._url = upstream + PATH
        self._tls = ssl.create_default_context(cafile=ca_file)

    async def call(self, caller: ServerConnection) -> None:
        """One call, from `connected` to the hanging up of either side."""
        await caller.send(CONNECTED)
        start = orjson.loads(await caller.recv())
        await caller.send(START_ACK)
        dialling = connect(self._url, ssl=self._tls, compression=None, ping_interval=None, proxy=None, close_timeout=1)
        async with dialling as model:
            await model.send(SETUP)
            await model.recv()
            await caller.send(STARTED)
            binary = start.get("payload", {}).get("audio") == "binary"
            down = asyncio.create_task(_down_binary(model, caller) if binary else _down(model, caller))
            try:
                await _up(caller, model)
            finally:
                down.cancel()


async def _up(caller: ServerConnection, model: ClientConnection) -> None:
    async for message in caller:
        if isinstance(message, bytes):
            await model.send(_to_model(b64encode(message).decode()))
            continue
        frame = orjson.loads(message)
        if frame["type"] == "user_audio":
            await model.send(_to_model(frame["payload"]["audioData"]))


def _to_model(data: str) -> str:
    return f'{{"realtime_input":{{"audio":{{"data":"{data}","mime_type":"audio/pcm;rate=16000"}}}}}}'


async def _down(model: ClientConnection, caller: ServerConnection) -> None:
    async for message in model:
        for data in _sounds(message):
            payload = f'{{"audioData":"{data}","mimeType":"audio/pcm;rate=24000"}}'
            await caller.send(f'{{"type":"audio","payload":{payload}}}')


async def _down_binary(model: ClientConnection, caller: ServerConnection) -> None:
    async for message in model:
        for data in _sounds(message):
            await caller.send(b64decode(data))


def _sounds(message: str | bytes) -> list[str]:
    parts = orjson.loads(message)["serverContent"]["modelTurn"]["parts"]
    return [part["inlineData"]["data"] for part in parts]


async def main(upstream: str, ca_file: str) -> None:
    """Serve until cancelled."""
    floor = Floor(upstream, ca_file)
    async with serve(floor.call, HOST, 0, compression=None, ping_interval=None) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"floor is at ws://{HOST}:{port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="bench.floor", description="a bare relay, to measure others by")
    asked.add_argument("--upstream", required=True, help="wss://host:port")
    asked.add_argument("--ca-file", required=True, help="whom to trust there")
    given = asked.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(given.upstream, given.ca_file))
