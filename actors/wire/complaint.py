"""What pydantic found, in our words and without the caller's. Pure.

    ValidationError.errors()[n] ──▶ words      "start.audio: expected 'base64' or 'binary'"
                                ──▶ complaint  BadFrame, or UnknownType for a type that the protocol does not have

A found problem carries the caller's whole input; nothing of it leaves this file but the name of an unknown type,
shortened. The path is the one that a caller would write: `REALTIME_INPUT.chunks.2.data`, without the envelope's
`payload`.
"""

from __future__ import annotations

from pydantic_core import ErrorDetails

from actors.errors import BadFrame, GatewayError, UnknownType
from actors.wire.limits import LOOKS_LIKE
from actors.wire.media import shown

UNREADABLE = frozenset({"json_invalid", "string_unicode"})
"""Kinds of problem that mean: this is no JSON at all."""

_EXPECTED = {
    "missing": "is missing",
    "string_type": "expected text",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "model_type": "expected an object",
    "dict_type": "expected an object",
    "tuple_type": "expected a list",
    "enum": "expected {expected}",
    "literal_error": "expected {expected}",
    "string_too_short": "expected {min_length} or more characters",
    "string_too_long": "expected at most {max_length} characters",
    "too_short": "expected {min_length} or more items",
    "too_long": "has {actual_length} items, expected at most {max_length}",
    "greater_than_equal": "expected at least {ge:g}",
    "less_than_equal": "expected at most {le:g}",
}
"""By pydantic's kind of problem; what stands in braces comes from the model, never from the caller."""


def complaint(found: ErrorDetails) -> GatewayError:
    """The error that a caller is answered with, for the first problem of its frame."""
    match found["type"]:
        case "json_invalid" if "recursion limit" in found["msg"]:
            return BadFrame("text is nested too deep, expected at most 200 levels")
        case "json_invalid" | "string_unicode":
            return BadFrame("text is not JSON, expected one JSON object")
        case "union_tag_not_found":
            return BadFrame("type is missing")
        case "union_tag_invalid":
            return _unknown(found["input"]["type"])
        case _ if not found["loc"]:
            return BadFrame("text is not a JSON object, expected one")
        case _:
            return BadFrame(words(found))


def _unknown(name: object) -> GatewayError:
    if isinstance(name, str):
        return UnknownType(f"type '{shown(name)}' is not known")
    return BadFrame("type: expected text")


def words(found: ErrorDetails) -> str:
    """Where, and what was expected there."""
    where = ".".join(map(str, found["loc"])).replace(".payload.", ".", 1)
    expected = _expected(found)
    return f"{where}: {expected}" if expected.startswith("expected") else f"{where} {expected}"


def _expected(found: ErrorDetails) -> str:
    facts = found.get("ctx", {})
    if found["type"] == "string_pattern_mismatch":
        return f"expected {LOOKS_LIKE[facts['pattern']]}"
    return _EXPECTED.get(found["type"], "expected another kind of value").format_map(facts)


def field_of(found: ErrorDetails) -> str:
    """The outermost field that the problem is in; empty if it is the object itself."""
    return str(next(iter(found["loc"]), ""))
