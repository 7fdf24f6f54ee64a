"""Refuses what would unfold into far more than it is. Pure.

    text of a frame  ──▶ weigh    too many members or values in all, before anything is built from them
    a parsed value   ──▶ bounded  too many members, too deep, or numbers that no JSON can carry on

The parser builds the whole tree of a frame before it knows which fields are wanted: two mebibytes of `[0],` keep it
busy more than a hundred times as long as a picture of that size (measured with pydantic 2.14). `weigh` crosses a base64
string at memory speed (`str.find`) and stops at the first excess. Short frames, and so nearly all sound, are not looked
at: they cannot hold enough (`LIGHT_CHARS`).
"""

from __future__ import annotations

import math
from itertools import chain

from actors.errors import BadFrame
from actors.wire.limits import LIGHT_CHARS, MEMBERS, VALUES

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
"""What 64 bits hold, signed or unsigned: the range of integers in what the house writes (orjson)."""


def weigh(text: str) -> None:
    """Raise `BadFrame` if this text has more than `MEMBERS` members or `VALUES` values.

    Once its escapes are gone, every quote of a text begins or ends a string; what counts stands between the strings.
    Text that is no JSON may pass: the parser has the last word on that.
    """
    if len(text) <= LIGHT_CHARS:
        return
    bare = text.replace("\\\\", "").replace('\\"', "") if "\\" in text else text
    members = values = at = 0
    while at < len(bare):
        opening = bare.find('"', at)
        opening = len(bare) if opening < 0 else opening
        gap = bare[at:opening]
        members += gap.count(":")
        values += gap.count(",") + gap.count("[") + gap.count("{") + 1
        if members > MEMBERS:
            raise BadFrame(f"text has too many members, expected at most {MEMBERS}")
        if values > VALUES:
            raise BadFrame(f"text has too many values, expected at most {VALUES}")
        at = bare.find('"', opening + 1) + 1 or len(bare)


def bounded(value: dict[str, object], where: str, *, members: int, depth: int) -> None:
    """Raise `BadFrame` if this object is too large, too deep, or holds a number that JSON or 64 bits do not have.

    `members` counts the members of objects and the items of lists, at all levels; `depth` counts the levels, the
    object itself being the first. The parser lets `NaN`, `1e999` and integers of 4 300 digits through; so whoever
    keeps plain data from a frame calls this.
    """
    level: list[dict[str, object] | list[object]] = [value]
    count = 0
    for _ in range(depth):
        inside = list(chain.from_iterable(each.values() if isinstance(each, dict) else each for each in level))
        count += len(inside)
        if count > members:
            raise BadFrame(f"{where} has too many members, expected at most {members}")
        if not all(map(_can_be_carried, inside)):
            raise BadFrame(f"{where} has a number that cannot be used, expected finite ones within 64 bits")
        level = [each for each in inside if isinstance(each, dict | list)]
        if not level:
            return
    raise BadFrame(f"{where} is nested too deep, expected at most {depth} levels")


def _can_be_carried(value: object) -> bool:
    match value:
        case float():
            return math.isfinite(value)
        case int():
            return _SMALLEST <= value <= _LARGEST
        case _:
            return True
