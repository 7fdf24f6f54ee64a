"""The front door: one command for everything that a person runs.

    python server.py [serve]        the gateway
    python server.py emulator       the Gemini Live emulator alone
    python server.py call FILE.wav  plays a file into a gateway, as a caller would
    python server.py schema         JSON Schema of the client protocol

Exit codes: 0 done · 1 a call failed · 2 wrong arguments or settings · 69 the port is taken · 70 the root supervisor
gave up · 130, 143 ended by Ctrl-C or SIGTERM, after a drain.
"""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from dotenv import dotenv_values

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent
FAILED, MISTAKEN, PORT_TAKEN, GAVE_UP = 1, 2, 69, 70
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or (given[0].startswith("-") and given[0] not in ("-h", "--help", "--version")):
        given.insert(0, "serve")
    asked = parser().parse_args(given)
    return COMMANDS[asked.command](asked)


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in a line, not in a page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        from actors.settings import Settings

        known = [*COMMANDS, *map(flag, Settings.model_fields)]
        near = [close[0] for word in sys.argv[1:] if (close := get_close_matches(word, known, 1)) and word not in known]
        hint = f"; did you mean {near[0]}?" if near else ""
        self.exit(MISTAKEN, f"{self.prog}: {message}{hint} ({self.prog} --help lists what there is)\n")


def flag(setting: str) -> str:
    """What a setting is called on the command line."""
    return f"--{setting.replace('_', '-')}"


def parser() -> argparse.ArgumentParser:
    """Commands and their flags; those of `serve` are the settings."""
    from actors.settings import Settings

    top = Parser(prog="server.py", description="Parley, a real-time voice gateway. With no command: serve.")
    top.add_argument("--version", action="version", version=f"parley {VERSION}")
    commands = top.add_subparsers(dest="command", metavar="serve | emulator | call | schema")
    serving = commands.add_parser("serve", help="the gateway; its flags are the settings")
    settings = serving.add_argument_group("settings", "override the environment, which overrides .env")
    for name, field in Settings.model_fields.items():
        text = (field.description or "").replace("%", "%%")
        settings.add_argument(flag(name), dest=name, default=argparse.SUPPRESS, metavar="…", help=text)
    alone = commands.add_parser("emulator", help="the Gemini Live emulator alone")
    alone.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    alone.add_argument("--port", type=int, default=0, help="default: any free one")
    alone.add_argument("--leashed", action="store_true", help=argparse.SUPPRESS)
    calling = commands.add_parser("call", help="play a WAV into a gateway, as a caller would")
    calling.add_argument("file", type=Path, help="any rate, mono or stereo")
    calling.add_argument("--url", default="ws://127.0.0.1:8080", help="default: %(default)s")
    calling.add_argument("--out", type=Path, help="where to save the reply, as a WAV")
    pace = calling.add_mutually_exclusive_group()
    pace.add_argument("--realtime", dest="pace", action="store_const", const="realtime", default="realtime")
    pace.add_argument("--fast", dest="pace", action="store_const", const="fast", help="as fast as a gateway allows")
    commands.add_parser("schema", help="JSON Schema of the client protocol")
    return top


# ── serve ──


def serve(asked: argparse.Namespace) -> int:
    """The gateway, until a signal."""
    from actors.live.child import NoEmulator
    from actors.settings import Mistakes, Settings

    flags = {name: value for name, value in vars(asked).items() if name in Settings.model_fields}
    dotenv = {name: value for name, value in dotenv_values(".env").items() if value is not None}
    try:
        settings = Settings.from_env({**dotenv, **os.environ}, flags)
        settings.instruction()
        return run(_serve(settings))
    except Mistakes as mistakes:
        for line in mistakes.lines:
            say(line)
        return MISTAKEN
    except NoEmulator as error:
        return fail(str(error), FAILED)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            return fail(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}", MISTAKEN)
        taken = f"port {settings.port} on {settings.host} is taken (or the admin port); free it, or choose another"
        return fail(f"{taken} with --port", PORT_TAKEN)


async def _serve(settings: Any) -> int:
    from actors import telemetry
    from actors.house import House

    telemetry.set_up(settings, version=VERSION)
    house = House(settings, ROOT, version=VERSION)
    asked_to_end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number, code in SIGNALS.items():
        asyncio.get_running_loop().add_signal_handler(number, _settle, asked_to_end, code)
    async with house.open() as door:
        with house.vitals:
            scheme = "http" if settings.tls_cert_file is None else "https"
            say(f"Parley is at {scheme}://{settings.host}:{door.port}{_upstream(settings)}", to=sys.stdout)
            code = await _until(asked_to_end, house.gave_up, house.failed)
    await telemetry.flush()
    return code


def _upstream(settings: Any) -> str:
    if settings.gemini_api_key is None:
        return " (no GEMINI_API_KEY: it talks to the built-in emulator)"
    return f" and talks to {settings.gemini_live_model}"


async def _until(asked: asyncio.Future[int], gave_up: asyncio.Event, failed: asyncio.Event) -> int:
    """Wait for a reason to end; return the exit code that it means."""
    watches = [
        asyncio.create_task(_settle_after(gave_up, asked, GAVE_UP)),
        asyncio.create_task(_settle_after(failed, asked, FAILED)),
    ]
    code = await asked
    for watch in watches:
        watch.cancel()
    if code == FAILED:
        say("the emulator has ended, and so does the gateway that talked to it")
    return code


async def _settle_after(event: asyncio.Event, future: asyncio.Future[int], code: int) -> None:
    await event.wait()
    _settle(future, code)


def _settle(future: asyncio.Future[int], code: int) -> None:
    if not future.done():
        future.set_result(code)


# ── the other commands ──


def emulate(asked: argparse.Namespace) -> int:
    """The emulator alone, until a signal (or, leashed, until its parent is gone)."""
    try:
        return run(_emulate(asked.host, asked.port, leashed=asked.leashed))
    except OSError as error:
        where = f"{asked.host}:{asked.port}"
        code = PORT_TAKEN if error.errno == errno.EADDRINUSE else MISTAKEN
        return fail(f"cannot listen on {where}: {error.strerror}", code)


async def _emulate(host: str, port: int, *, leashed: bool) -> int:
    from actors.live.emulator.server import run as serve_emulator

    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()
    for number, code in SIGNALS.items():
        loop.add_signal_handler(number, _settle, ended, code)
    if leashed:
        loop.add_reader(sys.stdin.fileno(), _settle, ended, 0)
    serving = asyncio.create_task(serve_emulator(host, port, ca_file=None, announce=announce))
    serving.add_done_callback(lambda _: _settle(ended, FAILED))
    code = await ended
    if serving.done():
        serving.result()  # it could not listen
    serving.cancel()
    await asyncio.wait([serving])
    return code


def announce(line: str) -> None:
    """A line for whoever started us, a person or a program."""
    say(line, to=sys.stdout)


def call(asked: argparse.Namespace) -> int:
    """Play a file into a gateway; 0 when the model answered."""
    from actors.phone import run as phone

    return run(phone(asked.file, url=asked.url, token=None, out=asked.out, pace=asked.pace))


def print_schema(_: argparse.Namespace) -> int:
    """JSON Schema of the client protocol, on standard output."""
    from actors.wire.schema import schema

    say(json.dumps(schema(), indent=2, ensure_ascii=False), to=sys.stdout)
    return 0


# ── how they run ──


COMMANDS = {"serve": serve, "emulator": emulate, "call": call, "schema": print_schema}


def run(command: Coroutine[Any, Any, int]) -> int:
    """Run on uvloop, except where there is none."""
    factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        return runner.run(command)


def say(line: str, *, to: Any = None) -> None:
    """A line for the person at the terminal."""
    print(line, file=to or sys.stderr, flush=True)


def fail(line: str, code: int) -> int:
    """Say why, and with what code it ends."""
    say(line)
    return code


if __name__ == "__main__":
    sys.exit(main())
