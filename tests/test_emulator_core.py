"""The gate and the hours of a conversation."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.live.emulator.core import Conversation
from actors.live.emulator.endings import DEADLINE, INVALID, Close
from actors.live.emulator.options import Options
from actors.live.emulator.resumption import Handles
from tests.emulator_caller import NEW, OLD, Caller, audio, realtime, score, setup, silence, tone, typed

SAMPLES = (
    setup(sessionResumption={"handle": "h"}, realtimeInputConfig={"automaticActivityDetection": {"disabled": True}}),
    setup(tools=[{"functionDeclarations": [{"name": "f", "parameters": {"properties": {"a": {"items": {}}}}}]}]),
    setup(systemInstruction={"parts": [{"text": "x"}]}),
    audio(b"1234"),
    realtime(activityStart={}, activityEnd={}, audioStreamEnd=True, mediaChunks=[], video={"mimeType": "image/png"}),
    typed("hi"),
    {"clientContent": {}, "realtimeInput": {}, "toolResponse": {"functionResponses": []}, "contextUpdate": {}},
)


def names(value: Any) -> set[str]:
    """Every field name in a message."""
    if isinstance(value, list):
        return set().union(*map(names, value))
    return set(value).union(*map(names, value.values())) if isinstance(value, dict) else set()


FIELDS = st.sampled_from(sorted(set().union(*map(names, SAMPLES))))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([NEW, OLD, "AUDIO", "audio/pcm;rate=16000", "AAAA", "--__", "user", ""])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def talk(conversation: Conversation, messages: list[Any]) -> list[Any]:
    said: list[Any] = []
    for now, message in enumerate(messages):
        said += conversation.receive(message, float(now)) + conversation.tick(now + 0.5)
    return said


@given(st.lists(JSON, max_size=6), st.booleans())
def test_any_json_becomes_messages_or_an_end_and_never_an_error(messages: list[Any], set_up: bool) -> None:
    conversation = Conversation(Options(), Handles(60, seed=1), now=0.0)

    said = talk(conversation, ([setup()] if set_up else []) + messages)

    assert not any(isinstance(out, Close) for out in said[:-1])
    assert all(orjson.dumps(out) for out in said if isinstance(out, dict))
    assert all(len(out.reason.encode()) <= 123 for out in said if isinstance(out, Close))


INPUT = {"speech": audio(tone(0.1)), "pause": audio(silence(0.9)), "turn": typed("hi"), "text": realtime(text="x")}


@given(st.lists(st.sampled_from(sorted(INPUT)), max_size=12))
def test_turns_are_opened_and_closed_in_pairs_whatever_the_order_of_input(kinds: list[str]) -> None:
    caller = Caller().open(OLD, sessionResumption={})
    for kind in kinds:
        caller.say(INPUT[kind])
        caller.wait(0.3)

    caller.wait(100)

    turns = re.sub("[iSo]", "", score(caller.heard))
    assert re.fullmatch(r"(?:h?-(?:ta*)?(?:g|x|gx)T)*h", turns)


def test_nothing_is_said_before_the_setup() -> None:
    caller = Caller()

    assert caller.wait(5) == []
    assert score(caller.say(setup())) == "S"


@pytest.mark.parametrize(
    "first",
    [typed("hi"), audio(tone(0.1)), {"toolResponse": {}}, {"contextUpdate": {}}, {}, [], None, 5, {"config": {}}],
)
def test_anything_but_a_setup_first_ends_it(first: object) -> None:
    caller = Caller()

    caller.say(first)

    assert caller.heard == [INVALID]


def test_a_second_setup_ends_it() -> None:
    caller = Caller().open()

    caller.say(setup())

    assert caller.close == INVALID
    assert caller.line.tally.why == "setup: expected once"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"realtime_input": {"text": "a"}, "client_content": {}},
        {"realtime_input": None},
        {"realtime_input": {"text": "a"}, "realtimeInput": {"text": "b"}},
        {"realtimeinput": {"text": "a"}},
        {"realtime_input": {"text": 5}},
    ],
)
def test_a_message_that_is_not_exactly_one_known_kind_ends_it(message: object) -> None:
    caller = Caller().open()

    caller.say(message)

    assert caller.close == INVALID


def test_a_frame_that_is_no_json_ends_it() -> None:
    caller = Caller().open()

    assert caller.line.unreadable(caller.now) == [INVALID]
    assert caller.line.tally.frames["unreadable"] == 1


def test_after_the_end_nothing_more_is_said() -> None:
    caller = Caller().open()
    caller.say({})

    assert caller.say(typed("hi")) == []
    assert caller.wait(1000) == []
    assert caller.line.next_wakeup is None


def test_the_reason_is_not_told_to_the_client() -> None:
    caller = Caller()

    caller.say(setup(generationConfig={"temperatur": 1}))

    assert caller.close == INVALID
    assert caller.line.tally.why == "setup.generationConfig: expected known fields, not one named temperatur"


def test_a_connection_is_given_notice_and_then_ended() -> None:
    caller = Caller().open()

    notice = caller.wait(540)
    end = caller.wait(60)

    assert notice == [{"goAway": {"timeLeft": "60s"}}]
    assert end == [DEADLINE]


def test_a_life_shorter_than_its_notice_is_announced_at_once() -> None:
    caller = Caller(Options(connection_seconds=2.5)).open()

    assert caller.heard[1:] == [{"goAway": {"timeLeft": "2.5s"}}]


def test_a_client_that_never_sets_up_is_ended_without_notice() -> None:
    caller = Caller(Options(connection_seconds=5))

    assert caller.wait(10) == [DEADLINE]


def test_what_was_due_is_said_before_what_a_message_causes() -> None:
    caller = Caller().open(OLD)
    caller.say(typed("a long enough text to be spoken for a while"))
    caller.now += 0.25  # the socket was busy: nobody has ticked

    said = caller.say(typed("and another"))

    assert score(said).startswith("toa")
    assert "xT" in score(said)


def test_a_late_tick_says_everything_that_has_become_due() -> None:
    prompt, late = Caller().open(), Caller().open()
    for caller in (prompt, late):
        caller.say(typed("hello"))

    spoken = prompt.wait(30)
    late.now = 30

    assert late.line.tick(30) == spoken


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_a_version_that_is_not_served_has_no_models(version: str) -> None:
    caller = Caller(Options(versions=frozenset({"v1beta"})), version=version)

    caller.say(setup())

    assert caller.close == Close(
        1008,
        f"models/gemini-3.8-live is not found for API version {version}, or is not supported for bidiGenerateContent",
    )
