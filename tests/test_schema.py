"""The schema and the page say what the models say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from actors.errors import CloseCode
from actors.wire.from_caller import FromCallerFrame
from actors.wire.schema import CLOSES, markdown, schema
from actors.wire.to_caller import READY, ToCallerFrame

PAGE = Path(__file__).parent.parent / "docs" / "protocol.md"
UNITS = ("milliseconds", "degrees", "counted", "version")
REMAKE = "python -c 'from actors.wire.schema import markdown; print(markdown(), end=\"\")' > docs/protocol.md"


def everywhere(value: Any) -> Iterator[dict[str, Any]]:
    """Every object of the schema, at whatever depth."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from everywhere(inner)


def types_of(frames: object) -> list[str]:
    return [get_args(model.model_fields["type"].annotation)[0] for model in get_args(get_args(frames)[0])]


def fields() -> list[tuple[str, dict[str, Any]]]:
    parts = schema()["$defs"].items()
    return [(f"{part}.{name}", field) for part, made in parts for name, field in made.get("properties", {}).items()]


# ── the schema ───────────────────────────────────────────────────────────────────────────────────


def test_the_schema_is_json_of_the_dialect_it_names() -> None:
    made = json.loads(json.dumps(schema()))

    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert made["anyOf"] == [{"$ref": "#/$defs/FromCaller"}, {"$ref": "#/$defs/ToCaller"}]


def test_every_reference_leads_somewhere() -> None:
    made = schema()
    references = [each["$ref"] for each in everywhere(made) if isinstance(each.get("$ref"), str)]

    assert references
    assert {reference.removeprefix("#/$defs/") for reference in references} <= made["$defs"].keys()


@pytest.mark.parametrize(("direction", "frames"), [("FromCaller", FromCallerFrame), ("ToCaller", ToCallerFrame)])
def test_every_message_is_in_it(direction: str, frames: object) -> None:
    assert list(schema()["$defs"][direction]["discriminator"]["mapping"]) == types_of(frames)


def test_every_message_and_part_has_a_title_and_a_description() -> None:
    assert [
        name for name, part in schema()["$defs"].items() if not part.get("title") or not part.get("description")
    ] == []


@pytest.mark.parametrize(("name", "field"), fields(), ids=lambda value: value if isinstance(value, str) else "")
def test_every_field_is_described_and_every_number_has_a_unit(name: str, field: dict[str, Any]) -> None:
    envelope = name.rpartition(".")[2] in ("type", "payload") or name == "SessionReadyFrame.data"
    number = any(each.get("type") in ("number", "integer") for each in everywhere(field))

    assert envelope or field["description"]
    assert not number or any(unit in field["description"].lower() for unit in UNITS)


def test_what_the_house_leaves_out_is_never_null() -> None:
    made = schema()["$defs"]
    sent = [made[name.removeprefix("#/$defs/")] for name in made["ToCaller"]["discriminator"]["mapping"].values()]
    payloads = [
        made[part["$ref"].removeprefix("#/$defs/")] for each in sent for part in everywhere(each) if "$ref" in part
    ]

    assert [each for each in everywhere(payloads) if each.get("type") == "null" or "default" in each] == []


# ── the page ─────────────────────────────────────────────────────────────────────────────────────


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == markdown(), f"make it again: {REMAKE}"


def test_the_page_has_a_heading_for_every_message() -> None:
    headings = [
        line.removeprefix("### `").removesuffix("`") for line in markdown().splitlines() if line.startswith("### ")
    ]

    assert headings == [*types_of(FromCallerFrame), *types_of(ToCallerFrame)]


@pytest.mark.parametrize(
    "row",
    [
        "| `payload.languageCode` | string | no | A BCP-47 tag such as `en-US`. |",
        "| `payload.locationData.latitude` | number | yes | In degrees, north positive. |",
        "| `payload.audioData` | string | yes | 16-bit little-endian",
        "| `payload.chunks[].mimeType` | string | yes | ",
        "| `payload.modality` | `screen`, `webcam`, `intelligence` | yes | ",
        "| `payload.responses[].result` | anything | no | ",
        "| `payload.turnComplete` | `true` | yes | ",
        "| `payload.retryAfterMs` | integer | no | ",
        "| `data.sessionId` | string | yes | ",
        "| `timestamp` | number | no | ",
        "| 1012 | ",
    ],
)
def test_the_page_has_a_row_for_each_field(row: str) -> None:
    assert any(line.startswith(row) for line in markdown().splitlines())


def test_the_page_tells_the_order_of_the_signs_of_readiness() -> None:
    assert " → ".join(f"`{kind}`" for kind in READY) in markdown()


def test_every_close_code_of_ours_has_a_meaning() -> None:
    assert set(CLOSES) == {code for name, code in vars(CloseCode).items() if name.isupper()}
