"""The client protocol as JSON Schema, and as the page `docs/protocol.md`. Pure.

    from_caller.FRAMES ┐
                       ├──▶ schema ──▶ `server.py schema`, the types of the browser client
    to_caller.FRAMES   ┘       │
    errors.CloseCode ──────────┴──▶ markdown ──▶ docs/protocol.md

The models are the source; nothing of the protocol is written down twice. What JSON Schema cannot say (sizes of decoded
sound, the depth of metadata) stands in the descriptions, in words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from actors.errors import CloseCode
from actors.wire import from_caller, limits, to_caller

_INTRODUCTION = f"""\
<!-- Made from the models in actors/wire; a test keeps it so. Change those, not this. -->

# The client protocol

One WebSocket carries one call. A text frame holds one JSON object, `{{"type": …, "payload": …}}`, where the tables
below say no otherwise; names of types are case-sensitive. Fields that a message does not have are ignored, an unknown
type is answered with an `error`. JSON Schema of all this: `python server.py schema`, or `GET /schema.json`.

A binary frame holds nothing but sound. From the caller: 16-bit little-endian mono PCM at 16 000 samples per second,
whole samples, at most {limits.AUDIO_BYTES} bytes; it is accepted at any time. To the caller: the same at 24 000 samples
per second, if `start` asked for `"audio": "binary"`.

A text frame may hold at most {limits.MEMBERS} members and {limits.VALUES} values in all, and no numbers beyond 64 bits.
What cannot be used is answered with an `error` that names the field and what was expected.
"""

_ORDER = """\
## Becoming ready

{order}

The caller sends nothing before the first of them, and `start` after it. Sound that comes before the model is there is
kept and used.
"""

CLOSES = {
    CloseCode.DONE: "done",
    CloseCode.TOO_LARGE: "a frame was too large",
    CloseCode.OUR_FAULT: "our fault; come back",
    CloseCode.RESTARTING: "the server is draining or restarting; come back",
    CloseCode.NONSENSE: "too many messages that could not be used",
    CloseCode.TOO_SLOW: "the caller is too slow to listen",
    CloseCode.OVER_QUOTA: "over the quota; come back later",
}
"""What the caller may make of each close code of ours."""


class _Plain(GenerateJsonSchema):
    """Without titles that repeat the field's name, and without `null` for what may simply be absent."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        if schema.get("default", ...) is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)


def schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of every text frame, in both directions."""
    frames, made = TypeAdapter.json_schemas(
        (
            ("FromCaller", "validation", from_caller.FRAMES),
            ("ToCaller", "validation", to_caller.FRAMES),
        ),
        schema_generator=_Plain,
    )
    said = {name: {"title": name, **frame} for (name, _), frame in frames.items()}
    said["FromCaller"]["description"] = "What a caller may send."
    said["ToCaller"]["description"] = "What the server may send."
    return {
        "$schema": GenerateJsonSchema.schema_dialect,
        "title": "The client protocol of Parley",
        "description": "Every text frame of the WebSocket, in both directions.",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in said],
        "$defs": {**said, **made["$defs"]},
    }


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def markdown() -> str:
    """The page `docs/protocol.md`."""
    definitions = schema()["$defs"]
    order = " → ".join(f"`{kind}`" for kind in to_caller.READY)
    closes = [f"| {code} | {meaning} |" for code, meaning in sorted(CLOSES.items())]
    return "\n".join(
        (
            _INTRODUCTION,
            _ORDER.format(order=order),
            "## What a caller sends\n",
            *_messages("FromCaller", definitions),
            "## What the server sends\n",
            *_messages("ToCaller", definitions),
            "## Close codes\n",
            "| code | meaning |\n| --- | --- |",
            *closes,
            "",
        )
    )


def _messages(direction: str, definitions: dict[str, Any]) -> Iterator[str]:
    for reference in definitions[direction]["oneOf"]:
        frame = _resolved(reference, definitions)
        yield f"### `{frame['properties']['type']['const']}`\n"
        yield f"{frame['description']}\n"
        rows = list(_rows(frame, "", definitions))
        if rows:
            yield "| field | type | needed | meaning |\n| --- | --- | --- | --- |"
            yield "\n".join(rows) + "\n"


def _rows(part: dict[str, Any], path: str, definitions: dict[str, Any]) -> Iterator[str]:
    """A row for each field, those of inner objects included; the envelope (`type`, `payload`) has none of its own."""
    for name, field in part["properties"].items():
        known = _resolved(field, definitions)
        if "description" in field:
            needed = "yes" if name in part.get("required", ()) else "no"
            yield f"| `{path}{name}` | {_kind(known, definitions)} | {needed} | {field['description']} |"
        if known.get("type") == "array":
            known, name = _resolved(known["items"], definitions), f"{name}[]"
        if "properties" in known:
            yield from _rows(known, f"{path}{name}.", definitions)


def _resolved(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """What this field is: past references, and past `null`, which is as good as absent."""
    if "anyOf" in field:
        field = next(choice for choice in field["anyOf"] if choice.get("type") != "null")
    if "$ref" in field:
        return dict(definitions[field["$ref"].removeprefix("#/$defs/")])
    return field


def _kind(field: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "const" in field:
        return f"`{str(field['const']).lower() if isinstance(field['const'], bool) else field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_kind(_resolved(field['items'], definitions), definitions)}"
    return str(field.get("type", "anything"))
