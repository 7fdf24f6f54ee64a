"""JSON as proto3 reads it: both spellings, right types."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.emulator import reading
from actors.live.emulator.reading import Reader, Record, Unreadable, dig, each, one_of, snake, table

INNER = Record(mimeType=reading.text, data=reading.blob)
OUTER = Record(inlineData=INNER, turnComplete=reading.boolean, args=reading.struct)


@pytest.mark.parametrize(
    ("name", "spelled"),
    [
        ("model", "model"),
        ("realtimeInput", "realtime_input"),
        ("startOfSpeechSensitivity", "start_of_speech_sensitivity"),
        ("topP", "top_p"),
    ],
)
def test_a_name_in_snake_case(name: str, spelled: str) -> None:
    assert snake(name) == spelled


@pytest.mark.parametrize(
    "message",
    [
        {"inlineData": {"mimeType": "a/b"}},
        {"inline_data": {"mime_type": "a/b"}},
        {"inlineData": {"mime_type": "a/b"}},
        {"inline_data": {"mimeType": "a/b"}},
    ],
)
def test_both_spellings_are_one_field_at_every_depth(message: dict[str, Any]) -> None:
    assert OUTER(message, 0) == {"inlineData": {"mimeType": "a/b"}}


def test_a_field_in_both_spellings_is_refused() -> None:
    with pytest.raises(Unreadable, match="turnComplete: expected one value"):
        OUTER({"turnComplete": True, "turn_complete": True}, 0)


def test_null_means_unset_whatever_the_type() -> None:
    assert OUTER({"turnComplete": None, "inlineData": None}, 0) == {"turnComplete": None, "inlineData": None}


def test_the_insides_of_a_struct_keep_their_names() -> None:
    assert OUTER({"args": {"my_key": {"other_key": None}}}, 0)["args"] == {"my_key": {"other_key": None}}


def test_the_keys_of_a_table_keep_their_names() -> None:
    assert table(INNER)({"my_key": {"mime_type": "a/b"}}, 0) == {"my_key": {"mimeType": "a/b"}}


def test_an_unknown_field_is_refused_with_its_path_and_without_its_value() -> None:
    with pytest.raises(Unreadable) as found:
        OUTER({"inline_data": {"mimetype": "secret"}}, 0)

    assert str(found.value) == "inlineData: expected known fields, not one named mimetype"


def test_a_field_name_that_is_no_name_is_not_quoted() -> None:
    with pytest.raises(Unreadable, match="of another form"):
        OUTER({"my card is 4111": 1}, 0)


@pytest.mark.parametrize(
    ("reader", "value", "read"),
    [
        (reading.text, "é", "é"),
        (reading.boolean, False, False),
        (reading.whole, 40, 40),
        (reading.whole, 40.0, 40),
        (reading.whole, "-40", -40),
        (reading.number, 1, 1.0),
        (reading.number, "0.5", 0.5),
        (reading.blob, "", b""),
        (reading.blob, "//79", b"\xff\xfe\xfd"),
        (reading.blob, "__79", b"\xff\xfe\xfd"),
        (reading.blob, "_w==", b"\xff"),
        (reading.blob, "/w", b"\xff"),
        (reading.struct, {"a": 1}, {"a": 1}),
        (reading.anything, [1], [1]),
        (each(reading.text), ["a"], ["a"]),
        (one_of("A", "B"), "B", "B"),
        (one_of("A", fold=True), "a", "A"),
    ],
)
def test_a_value_that_fits(reader: Reader, value: Any, read: Any) -> None:
    result = reader(value, 0)

    assert result == read
    assert type(result) is type(read)


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (reading.text, 5),
        (reading.text, "\ud800"),
        (reading.boolean, 1),
        (reading.boolean, "true"),
        (reading.whole, True),
        (reading.whole, 1.5),
        (reading.whole, "1.0"),
        (reading.whole, 2**63),
        (reading.whole, "9" * 30),
        (reading.number, True),
        (reading.number, "much"),
        (reading.number, "nan"),
        (reading.number, 10**400),
        (reading.blob, 5),
        (reading.blob, "A"),
        (reading.blob, "AA A"),
        (reading.blob, "é"),
        (reading.struct, []),
        (each(reading.text), "ab"),
        (each(reading.text), ["a", 1]),
        (one_of("A", "B"), "a"),
        (one_of("A", "B"), 0),
        (one_of("A", fold=True), None),
        (OUTER, []),
    ],
)
def test_a_value_that_does_not_fit(reader: Reader, value: Any) -> None:
    with pytest.raises(Unreadable):
        reader(value, 0)


@given(st.binary())
def test_bytes_survive_in_either_alphabet_padded_or_not(data: bytes) -> None:
    for encoded in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        assert reading.blob(encoded.decode(), 0) == data
        assert reading.blob(encoded.decode().rstrip("="), 0) == data


def test_nesting_ends_at_a_hundred_levels() -> None:
    schema = Record()
    schema.add(items=schema)

    def nested(levels: int) -> dict[str, Any]:
        return {"items": nested(levels - 1)} if levels else {}

    assert schema(nested(100), 0)
    with pytest.raises(Unreadable, match="100 levels"):
        schema(nested(101), 0)


@pytest.mark.parametrize(("path", "found"), [("a.b", 1), ("a.c", None), ("a.b.c", None), ("x.y", None), ("n.a", None)])
def test_digging(path: str, found: object) -> None:
    assert dig({"a": {"b": 1}, "n": None}, path) == found
