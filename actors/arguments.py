"""What may be written behind `server.py`.

    words ──▶ read ──▶ the command and its flags, as argparse has them
                  └──▶ a line that says what is wrong and what may have been meant, exit 2

Those of `serve` are the settings: what they mean, and whether their values will do, is for `settings` to say.
"""

from __future__ import annotations

import argparse
import re
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from actors.settings import Settings

MISTAKEN = 2
COMMANDS = ("serve", "emulator", "call", "schema")


def read(arguments: list[str], *, version: str) -> argparse.Namespace:
    """The command, and its flags; with none it is `serve`.

    Raises:
        SystemExit: there is something else to do or wrong, and it has been said.
    """
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments = ["serve", *arguments]
    asked, odd = parser(version).parse_known_args(arguments)
    if odd:  # of flags the name only: the value may be a key
        names = [word.partition("=")[0] for word in odd if word.startswith("-")] or odd
        asked.parser.error(f"unrecognized arguments: {' '.join(names)}")
    return asked


class Parser(argparse.ArgumentParser):
    """Says what is wrong with the arguments in a line, not in a page."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)
        self.set_defaults(parser=self)

    def error(self, message: str) -> NoReturn:
        known = [*COMMANDS, *re.findall(r"--[a-z-]+", self.format_help())]
        words = [word for word in re.findall(r"(?<=')\w+(?=')|--[\w-]+", message) if word not in known]
        near = [close[0] for word in words if (close := get_close_matches(word, known, 1))]
        hint = f"; did you mean {near[0]}?" if near else ""
        self.exit(MISTAKEN, f"{self.prog}: {message}{hint} ({self.prog} --help lists what there is)\n")


def port(word: str) -> int:
    """A port, or 0 for any free one."""
    if not re.fullmatch(r"\d{1,5}", word) or int(word) > 65_535:
        raise argparse.ArgumentTypeError(f"found {word!r}, expected 0 to 65535")
    return int(word)


def flag(setting: str) -> str:
    """What a setting is called on the command line."""
    return f"--{setting.replace('_', '-')}"


def parser(version: str) -> argparse.ArgumentParser:
    """Commands and their flags; those of `serve` are the settings."""
    top = Parser(prog="server.py", description="Parley, a real-time voice gateway. With no command: serve.")
    top.add_argument("--version", action="version", version=f"parley {version}")
    commands = top.add_subparsers(dest="command", metavar=" | ".join(COMMANDS))
    serving = commands.add_parser("serve", help="the gateway; its flags are the settings")
    settings = serving.add_argument_group("settings", "override the environment, which overrides .env")
    for name, field in Settings.model_fields.items():
        text = (field.description or "").replace("%", "%%")
        settings.add_argument(flag(name), dest=name, default=argparse.SUPPRESS, metavar="…", help=text)
    alone = commands.add_parser("emulator", help="the Gemini Live emulator alone")
    alone.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    alone.add_argument("--port", type=port, default=0, help="default: any free one")
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
