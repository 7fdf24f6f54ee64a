"""What stands in for Gemini in a measurement: the least of the Live API's wire, over TLS, for the least CPU.

    first message (the setup) ──▶ {"setupComplete":{}}
    20 ms of sound            ──▶ 20 ms of sound with the same stamp, as serverContent.modelTurn
    anything else             ──▶ nothing

    python -m bench.upstream --ca-file FILE      writes whom to trust, says its URL, and serves until it is ended

Messages go from the socket's reader straight into its transport, without a task and without being parsed: what this
process takes, callers and subject cannot have. Replies are binary frames, as the service's are.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
from pathlib import Path

import uvloop
from websockets.asyncio.server import ServerConnection, serve
from websockets.frames import DATA_OPCODES, Frame
from websockets.protocol import OPEN, Event

from actors.live.emulator.certificate import Authority
from bench.frames import echo

HOST = "127.0.0.1"
READY = b'{"setupComplete":{}}'


class Model(ServerConnection):
    """One session."""

    _set_up = False

    def process_event(self, event: Event) -> None:
        """Answer a message; the handshake and all that is no message goes websockets' own way."""
        if not isinstance(event, Frame) or event.opcode not in DATA_OPCODES:
            super().process_event(event)
            return
        reply = echo(bytes(event.data)) if self._set_up else READY
        self._set_up = True
        if reply is not None and self.state is OPEN:
            self.protocol.send_binary(reply)
            self.send_data()


async def main(authority: Authority) -> None:
    """Serve until cancelled."""
    serving = serve(
        _until_closed,
        HOST,
        0,
        ssl=authority.context(HOST),
        create_connection=Model,
        compression=None,
        ping_interval=None,
        close_timeout=1,
    )
    async with serving as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"upstream is at https://{HOST}:{port}", flush=True)
        gc.disable()
        await server.serve_forever()


async def _until_closed(session: ServerConnection) -> None:
    await session.wait_closed()


if __name__ == "__main__":
    asked = argparse.ArgumentParser(prog="bench.upstream", description="a stand-in for Gemini Live, for measuring")
    asked.add_argument("--ca-file", type=Path, required=True, help="where to write whom to trust")
    signing = Authority()
    asked.parse_args().ca_file.write_bytes(signing.pem)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(signing))
