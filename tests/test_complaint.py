"""What is wrong is said in our words, by the name of the field, without the caller's."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from actors.errors import BadFrame, GatewayError, UnknownType
from actors.wire.complaint import complaint, field_of, words
from actors.wire.from_caller import FRAMES


def found_in(text: str) -> Any:
    with pytest.raises(ValidationError) as caught:
        FRAMES.validate_json(text)
    return caught.value.errors(include_url=False)[0]


@pytest.mark.parametrize(
    ("text", "error", "detail"),
    [
        ("", BadFrame, "text is not JSON, expected one JSON object"),
        ('{"type":"stop"', BadFrame, "text is not JSON, expected one JSON object"),
        ('{"type":"stop"} {}', BadFrame, "text is not JSON, expected one JSON object"),
        ("\ud800", BadFrame, "text is not JSON, expected one JSON object"),
        ('{"type":"stop","x":"\\ud800"}', BadFrame, "text is not JSON, expected one JSON object"),
        ('{"x":' + "9" * 5000 + "}", BadFrame, "text is not JSON, expected one JSON object"),
        ('{"x":' + "[" * 300, BadFrame, "text is nested too deep, expected at most 200 levels"),
        ("[" * 300 + "]" * 300, BadFrame, "text is nested too deep, expected at most 200 levels"),
        ("[]", BadFrame, "text is not a JSON object, expected one"),
        ("5", BadFrame, "text is not a JSON object, expected one"),
        ("null", BadFrame, "text is not a JSON object, expected one"),
        ('"stop"', BadFrame, "text is not a JSON object, expected one"),
        ("NaN", BadFrame, "text is not a JSON object, expected one"),
        ("{}", BadFrame, "type is missing"),
        ('{"Type":"stop"}', BadFrame, "type is missing"),
        ('{"type":5}', BadFrame, "type: expected text"),
        ('{"type":null}', BadFrame, "type: expected text"),
        ('{"type":["stop"]}', BadFrame, "type: expected text"),
        ('{"type":true}', BadFrame, "type: expected text"),
        ('{"type":"STOP"}', UnknownType, "type 'STOP' is not known"),
        ('{"type":""}', UnknownType, "type '' is not known"),
        ('{"type":"5"}', UnknownType, "type '5' is not known"),
        ('{"type":"stop","type":"nope"}', UnknownType, "type 'nope' is not known"),
        ('{"type":"stop\\n\\u0000"}', UnknownType, "type 'stop??' is not known"),
        (json.dumps({"type": "x" * 100}), UnknownType, f"type '{'x' * 40}' is not known"),
        ('{"type":"text"}', BadFrame, "text.payload is missing"),
        ('{"type":"text","payload":[]}', BadFrame, "text.payload: expected an object"),
    ],
)
def test_what_is_wrong_with_a_frame_is_said(text: str, error: type[GatewayError], detail: str) -> None:
    said = complaint(found_in(text))

    assert (type(said), said.detail) == (error, detail)


def test_a_path_is_the_one_a_caller_would_write() -> None:
    found = found_in('{"type":"REALTIME_INPUT","payload":{"chunks":[{"mimeType":"pcm","data":5}]}}')

    assert words(found) == "REALTIME_INPUT.chunks.0.data: expected text"
    assert field_of(found) == "REALTIME_INPUT"


def test_a_kind_of_problem_that_nobody_foresaw_still_has_words() -> None:
    found: Any = {"type": "invented", "loc": ("text", "payload", "content"), "msg": "", "input": "very private"}

    assert words(found) == "text.content: expected another kind of value"


def test_a_problem_of_the_object_itself_is_in_no_field() -> None:
    assert field_of(found_in("[]")) == ""
