"""JSON in, canonical names and right types out. Pure; the mechanism behind `grammar`.

    {"realtime_input": {"text": "hello"}} ──▶ Record(realtimeInput=Record(text=text)) ──▶ {"realtimeInput": {"text": …}}

It reads as proto3 JSON is read (protobuf.dev, "ProtoJSON Format"): each field is known by its lowerCamelCase and by
its snake_case name, at every depth, but not by both at once; `null` means unset and stays in the result as `None`;
whole numbers may be written `40.0` or `"40"`; bytes are base64 in either alphabet, padded or not. An unknown field
is an error. google-genai 3.4 mixes both spellings within one message, so nothing less would understand it.
"""

from __future__ import annotations

import math
import re
from binascii import Error
from collections.abc import Callable, Mapping
from typing import Any

from pybase64 import b64decode

DEEPEST = 100
"""Levels of nesting; protobuf's parsers stop there by default."""
SHOWN = 40
"""Characters of a foreign field name that a complaint may quote."""
INT64 = 2**63

_WHOLE = re.compile(r"-?\d{1,19}")
_HUMP = re.compile(r"(?<!^)[A-Z]")

Reader = Callable[[Any, int], Any]
"""Takes a JSON value and its depth; returns what it means, or raises `Unreadable`."""


class Unreadable(ValueError):
    """A value is not what its field holds. `path` grows while the error rises."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected
        self.path: list[str] = []

    def __str__(self) -> str:
        return f"{'.'.join(reversed(self.path)) or 'message'}: expected {self.expected}"


def snake(name: str) -> str:
    """`realtimeInput` as `realtime_input`."""
    return _HUMP.sub(lambda hump: f"_{hump[0].lower()}", name)


# ── single values ────────────────────────────────────────────────────────────────────────────────


def text(value: Any, depth: int) -> str:
    """A string that can be written as UTF-8."""
    if not isinstance(value, str):
        raise Unreadable("text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise Unreadable("text without lone surrogates") from None
    return value


def boolean(value: Any, depth: int) -> bool:
    """`true` or `false`, nothing that merely looks like it."""
    if not isinstance(value, bool):
        raise Unreadable("true or false")
    return value


def whole(value: Any, depth: int) -> int:
    """An int64, which may be written as a string or as a float without a fraction."""
    if (isinstance(value, str) and _WHOLE.fullmatch(value)) or (isinstance(value, float) and value.is_integer()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -INT64 <= value < INT64:
        raise Unreadable("a whole number")
    return value


def number(value: Any, depth: int) -> float:
    """A finite number, which may be written as a string."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unreadable("a number")
    try:
        read = float(value)
    except (ValueError, OverflowError):
        raise Unreadable("a number") from None
    if not math.isfinite(read):
        raise Unreadable("a finite number")
    return read


def blob(value: Any, depth: int) -> bytes:
    """Bytes as base64, in the standard or the URL-safe alphabet (RFC 4648), padded or not."""
    if not isinstance(value, str):
        raise Unreadable("base64")
    spelled = value.replace("-", "+").replace("_", "/").rstrip("=")
    try:
        return b64decode(spelled + "=" * (-len(spelled) % 4), None, True)
    except (Error, ValueError):
        raise Unreadable("base64") from None


def anything(value: Any, depth: int) -> Any:
    """A value that is not ours to interpret."""
    return value


def struct(value: Any, depth: int) -> dict[str, Any]:
    """An object whose members are not ours to interpret."""
    if not isinstance(value, dict):
        raise Unreadable("an object")
    return value


# ── values made of others ────────────────────────────────────────────────────────────────────────


def one_of(*names: str, fold: bool = False) -> Reader:
    """A reader of one of these names; `fold` takes them in any case."""

    def read(value: Any, depth: int) -> str:
        name = value.upper() if fold and isinstance(value, str) else value
        if not isinstance(name, str) or name not in names:
            raise Unreadable(f"one of {', '.join(names)}")
        return name

    return read


def each(reader: Reader) -> Reader:
    """A reader of a list."""

    def read(value: Any, depth: int) -> list[Any]:
        if not isinstance(value, list):
            raise Unreadable("a list")
        return [reader(item, depth + 1) for item in value]

    return read


def table(reader: Reader) -> Reader:
    """A reader of an object whose keys are the sender's own and stay as they are."""

    def read(value: Any, depth: int) -> dict[str, Any]:
        return {key: reader(item, depth + 1) for key, item in struct(value, depth).items()}

    return read


class Record:
    """A reader of an object with known fields. `fields` may be completed later, for a record that holds itself."""

    def __init__(self, **fields: Reader) -> None:
        self._readers: dict[str, tuple[str, Reader]] = {}
        self.add(**fields)

    def add(self, **fields: Reader) -> None:
        """More fields, named in lowerCamelCase."""
        for name, reader in fields.items():
            self._readers[name] = self._readers[snake(name)] = (name, reader)

    def __call__(self, value: Any, depth: int) -> dict[str, Any]:
        """The hot path of the emulator: three of these for each frame of sound."""
        if depth > DEEPEST or not isinstance(value, dict):
            raise Unreadable(f"an object, at most {DEEPEST} levels deep")
        read: dict[str, Any] = {}
        key = name = ""
        try:
            for key, item in value.items():
                name, reader = self._readers[key]
                if name in read:
                    raise Unreadable("one value, not one in each spelling")
                read[name] = None if item is None else reader(item, depth + 1)
        except KeyError:
            shown = key[:SHOWN] if key.isidentifier() else "of another form"
            raise Unreadable(f"known fields, not one named {shown}") from None
        except Unreadable as error:
            error.path.append(name)
            raise
        return read


def dig(read: Mapping[str, Any], path: str) -> Any:
    """What stands at a dotted path of a message that was read; `None` where there is nothing."""
    found: Any = read
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = found.get(name)
    return found
