"""What is wrong with the settings, in words.

    pydantic's complaint ──▶ complaint ──▶ "PORT: found 'abc', expected a whole number"      never a secret's value
    environment          ──▶ misspelt ──▶ names that are nearly, but not quite, those of settings

It knows no setting by name, and decides nothing: whether a mistake ends the start is for `settings` and `server.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from pydantic_core import ErrorDetails

NEARLY = 0.85
"""Likeness (difflib's ratio) from which a name is taken for a slip: LOGLEVEL is one, HOME is no HOST."""
SHOWN_CHARS = 80
"""How much of a wrong value is repeated."""

# How pydantic's complaints are said; what is not listed is said in its own words.
EXPECTED = {
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_parsing": "a number",
    "bool_parsing": "true or false",
    "greater_than": "more than {gt:.9g}",
    "greater_than_equal": "at least {ge:.9g}",
    "less_than_equal": "at most {le:.9g}",
    "literal_error": "{expected}",
    "string_pattern_mismatch": "something like {example!r}",
    "string_too_short": "some text",
}


class Mistakes(Exception):
    """Settings that cannot be used: a line for each."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__("; ".join(lines))
        self.lines = lines


def complaint(name: str, found: ErrorDetails, *, example: Any, secret: bool) -> str:
    """One line on one value; `example` is one that could be used."""
    if found["type"] == "value_error":  # our own words, whole as they are
        return f"{name}: {found['msg'].removeprefix('Value error, ')}"
    value = "a value that cannot be used" if secret else repr(found["input"])[:SHOWN_CHARS]
    known = EXPECTED.get(found["type"])
    if known is None:
        return f"{name}: found {value}: {found['msg']}"
    return f"{name}: found {value}, expected {known.format(**found.get('ctx', {}), example=example)}"


def misspelt(environ: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """A line for every variable that was probably meant to be one of those that are known. Never its value.

    Where both are set, the other one belongs to somebody else.
    """
    names = [name for name in known if not environ.get(name)]
    lines = []
    for name in sorted(set(environ) - set(known)):
        if near := get_close_matches(name, names, 1, NEARLY):
            lines.append(f"{name} is not a setting; did you mean {near[0]}?")
    return lines
