"""`start` is read gently: the call begins with whatever of it can be used."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import BadFrame
from actors.messages import Location, Start, UserContext
from actors.wire.parse import parse


def start(**payload: object) -> Start:
    said = parse(json.dumps({"type": "start", "payload": payload}))
    assert isinstance(said, Start)
    return said


def test_all_wishes_are_understood() -> None:
    said = start(
        languageCode="de-DE",
        voiceName="Kore",
        sessionId="sess_1",
        userContext={"name": "Ada", "email": "ada@example.com", "company": "ignored"},
        locationData={"latitude": 52.5, "longitude": 13, "city": "Berlin", "country": "DE"},
        audio="binary",
    )

    assert said == Start(
        language="de-DE",
        voice="Kore",
        session_id="sess_1",
        user=UserContext("Ada", "ada@example.com"),
        location=Location(52.5, 13.0, "Berlin", "DE"),
        audio="binary",
    )


@pytest.mark.parametrize("payload", ["", ', "payload": null', ', "payload": {}'])
def test_nothing_need_be_wished_for(payload: str) -> None:
    assert parse('{"type": "start"' + payload + "}") == Start()


@pytest.mark.parametrize("name", ["languageCode", "voiceName", "sessionId", "userContext", "locationData"])
def test_a_wish_that_is_null_is_none_and_not_worth_a_remark(name: str) -> None:
    assert start(**{name: None}) == Start()


@pytest.mark.parametrize("tag", ["en", "en-US", "zh-Hans-CN", "es-419", "de-CH-1996", "fil-PH"])
def test_language_tags_pass(tag: str) -> None:
    assert start(languageCode=tag) == Start(language=tag)


TAG = "languageCode: expected a BCP-47 tag such as en-US"
VOICE = "voiceName: expected a name of 1 to 64 letters, digits, '_' or '-'"
SESSION = "sessionId: expected text that is not blank and has no control characters"


@pytest.mark.parametrize(
    ("name", "value", "remark"),
    [
        ("languageCode", "english", TAG),
        ("languageCode", "", TAG),
        ("languageCode", "en_US", TAG),
        ("languageCode", "en-US\n", TAG),
        ("languageCode", "en" + "-abcdefgh" * 4, "languageCode: expected at most 35 characters"),
        ("languageCode", 5, "languageCode: expected text"),
        ("voiceName", "", VOICE),
        ("voiceName", "a b", VOICE),
        ("voiceName", "x" * 65, VOICE),
        ("voiceName", ["Puck"], "voiceName: expected text"),
        ("sessionId", "", SESSION),
        ("sessionId", " \t", SESSION),
        ("sessionId", "a\nb", SESSION),
        ("sessionId", "a\x7f", SESSION),
        ("sessionId", "\x85", SESSION),
        ("sessionId", "x" * 129, "sessionId: expected at most 128 characters"),
        ("sessionId", 17, "sessionId: expected text"),
        ("userContext", "Ada", "userContext: expected an object"),
        ("userContext", {"name": 1}, "userContext.name: expected text"),
        ("userContext", {"name": "x" * 201}, "userContext.name: expected at most 200 characters"),
        ("userContext", {"email": "a\r\nb"}, "userContext.email: expected text without control characters"),
        ("locationData", [1, 2], "locationData: expected an object"),
        ("locationData", {"latitude": 1}, "locationData.longitude is missing"),
        ("locationData", {"latitude": 90.1, "longitude": 0}, "locationData.latitude: expected at most 90"),
        ("locationData", {"latitude": 0, "longitude": -181}, "locationData.longitude: expected at least -180"),
        ("locationData", {"latitude": "1", "longitude": 0}, "locationData.latitude: expected a number"),
        (
            "locationData",
            {"latitude": 0, "longitude": float("nan")},
            "locationData.longitude: expected a finite number",
        ),
        ("locationData", {"latitude": 0, "longitude": 10**400}, "locationData.longitude: expected a number"),
    ],
)
def test_a_wish_that_cannot_be_used_is_left_out_and_remarked_upon(name: str, value: object, remark: str) -> None:
    assert start(**{name: value, "audio": "binary"}) == Start(audio="binary", remarks=(remark,))


@pytest.mark.parametrize("session", ["x" * 128, "ü", " a ", "sess_0-9.~", "👋"])
def test_session_ids_without_control_characters_pass(session: str) -> None:
    assert start(sessionId=session) == Start(session_id=session)


def test_one_bad_wish_does_not_spoil_the_others() -> None:
    said = start(languageCode=1, voiceName="Kore", sessionId="", locationData={"latitude": 1, "longitude": 2})

    assert said == Start(voice="Kore", location=Location(1.0, 2.0), remarks=("languageCode: expected text", SESSION))


def test_a_caller_cannot_remark_upon_itself() -> None:
    assert start(remarks=["x"], _remarks=["y"]) == Start()


@pytest.mark.parametrize("audio", ["opus", "", 1, None, ["binary"]])
@pytest.mark.parametrize("others", [{}, {"languageCode": 7}])
def test_a_wrong_value_in_a_field_of_ours_is_an_error_whatever_else_is_wrong(audio: object, others: Any) -> None:
    with pytest.raises(BadFrame) as caught:
        start(audio=audio, **others)

    assert caught.value.detail == "start.audio: expected 'base64' or 'binary'"
    assert caught.value.__context__ is None


@pytest.mark.parametrize("payload", [5, "x", [], True])
def test_a_payload_that_is_no_object_is_an_error(payload: object) -> None:
    with pytest.raises(BadFrame) as caught:
        parse(json.dumps({"type": "start", "payload": payload}))

    assert caught.value.detail == "start.payload: expected an object"


NAMES = st.sampled_from(["languageCode", "voiceName", "sessionId", "userContext", "locationData"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "latitude"]), inner),
    max_leaves=6,
)


@given(st.dictionaries(NAMES, ANYTHING))
def test_whatever_is_in_those_fields_the_call_begins(payload: dict[str, object]) -> None:
    said = start(**payload)

    assert len(said.remarks) <= len(payload)
    assert {remark.partition(":")[0].split()[0].partition(".")[0] for remark in said.remarks} <= payload.keys()
