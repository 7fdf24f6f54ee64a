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
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

VERSION = "0.1.0"
ROOT = Path(__file__).resolve().parent
FAILED, MISTAKEN, PORT_TAKEN, GAVE_UP = 1, 2, 69, 70
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}
ENDINGS = {
    FAILED: "the emulator has ended, and so does the gateway that talked to it",
    GAVE_UP: "a part of the house has failed more often than it may; the log says which. The gateway ends",
}
"""What is said of an end that nobody asked for."""
FILES = 65_536
"""Open files, sockets among them, for which room is asked."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    try:
        from actors.arguments import read

        asked = read(list(sys.argv[1:] if arguments is None else arguments), version=VERSION)
        return COMMANDS[asked.command](asked)
    except KeyboardInterrupt:
        return SIGNALS[signal.SIGINT]
    except BrokenPipeError:  # whoever read our words has heard enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains at its end
        return FAILED


# ── serve ──


def serve(asked: argparse.Namespace) -> int:
    """The gateway, until a signal."""
    from actors.door.door import CannotListen
    from actors.live.child import NoEmulator
    from actors.mistakes import Mistakes, misspelt
    from actors.settings import Settings, names

    flags = {name: value for name, value in vars(asked).items() if name in Settings.model_fields}
    try:
        environ = {**_dotenv(), **os.environ}
        for line in misspelt(environ, names()):
            say(line)
        settings = Settings.from_env(environ, flags)
        return run(_serve(settings))
    except Mistakes as mistakes:
        for line in mistakes.lines:
            say(line)
        return MISTAKEN
    except NoEmulator as error:
        return fail(str(error), FAILED)
    except CannotListen as error:
        flag = "--port" if (error.host, error.port) == (settings.host, settings.port) else "--admin-port"
        return _cannot_listen(address(error.host, error.port), error, flag)


def _dotenv() -> dict[str, str]:
    from actors.mistakes import Mistakes

    try:
        return {name: value for name, value in dotenv_values(".env").items() if value is not None}
    except (OSError, UnicodeDecodeError):
        raise Mistakes([".env: cannot be read, expected a file of UTF-8 text"]) from None


def _cannot_listen(where: str, error: OSError, flag: str) -> int:
    if error.errno == errno.EADDRINUSE:
        return fail(f"{where} is taken; free it, or choose another port with {flag}", PORT_TAKEN)
    return fail(f"cannot listen on {where}: {error.strerror}", MISTAKEN)


async def _serve(settings: Any) -> int:
    from actors import telemetry
    from actors.house import House

    telemetry.set_up(settings, version=VERSION)
    _allow_files()
    house = House(settings, ROOT, version=VERSION)
    asked_to_end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    for number, code in SIGNALS.items():
        asyncio.get_running_loop().add_signal_handler(number, _signalled, house, asked_to_end, code)
    async with house.open() as door:
        with house.vitals:
            say(_greeting(settings, door), to=sys.stdout)
            code = await _until(asked_to_end, house.gave_up, house.failed)
    await telemetry.flush()
    return code


def _signalled(house: Any, asked: asyncio.Future[int], code: int) -> None:
    """The first signal drains the house, the next one hurries it."""
    if asked.done():
        house.hurry.set()
    else:
        asked.set_result(code)


def _allow_files() -> None:
    """A call is two sockets, and most systems allow a thousand files where nobody asks for more."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _greeting(settings: Any, door: Any) -> str:
    scheme = "http" if settings.tls_cert_file is None else "https"
    whom = f"talks to {settings.gemini_live_model}"
    if settings.gemini_api_key is None:
        whom = "talks to the built-in emulator, as no GEMINI_API_KEY is set"
    metrics = "" if door.admin_port == door.port else f"; metrics are on port {door.admin_port}"
    return f"Parley is at {scheme}://{address(settings.host, door.port)} and {whom}{metrics}"


async def _until(asked: asyncio.Future[int], gave_up: asyncio.Event, failed: asyncio.Event) -> int:
    """Wait for a reason to end; return the exit code that it means."""
    watches = [
        asyncio.create_task(_settle_after(gave_up, asked, GAVE_UP)),
        asyncio.create_task(_settle_after(failed, asked, FAILED)),
    ]
    code = await asked
    for watch in watches:
        watch.cancel()
    if code in ENDINGS:
        say(ENDINGS[code])
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
        return _cannot_listen(address(asked.host, asked.port), error, "--port")


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
    from actors.phone.phone import run as phone

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


def address(host: str, port: int) -> str:
    """Both, as a URL has them (RFC 3986, section 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def say(line: str, *, to: Any = None) -> None:
    """A line for the person at the terminal."""
    print(line, file=to or sys.stderr, flush=True)


def fail(line: str, code: int) -> int:
    """Say why, and with what code it ends."""
    say(line)
    return code


if __name__ == "__main__":
    sys.exit(main())
