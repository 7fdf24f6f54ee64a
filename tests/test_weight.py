"""A frame is weighed before it is unfolded, and what is kept of it is bounded."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.errors import BadFrame
from actors.wire.limits import LIGHT_CHARS, MEMBERS, VALUES
from actors.wire.weight import bounded, weigh

PAD = "x" * LIGHT_CHARS
"""Makes any frame heavy enough to be looked at."""
Wrap = Callable[[float], dict[str, object]]

TOO_MANY_MEMBERS = "text has too many members, expected at most 1000"
TOO_MANY_VALUES = "text has too many values, expected at most 8000"


def members(count: int) -> dict[str, object]:
    return {f"{n}": n for n in range(count)}


def weighed(text: str) -> str | None:
    try:
        weigh(text)
    except BadFrame as error:
        return error.detail
    return None


# ── text ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (json.dumps({"pad": PAD, **members(MEMBERS - 1)}), None),
        (json.dumps({"pad": PAD, **members(MEMBERS)}), TOO_MANY_MEMBERS),
        (json.dumps({**members(MEMBERS), "pad": PAD}), TOO_MANY_MEMBERS),
        (json.dumps([PAD] + [{"": 0}] * (MEMBERS + 1)), TOO_MANY_MEMBERS),
        (json.dumps([0] * (VALUES - 10)), None),
        (json.dumps([0] * (VALUES + 1)), TOO_MANY_VALUES),
        (json.dumps([[]] * (VALUES + 1)), TOO_MANY_VALUES),
        (json.dumps([""] * (VALUES + 1)), TOO_MANY_VALUES),
        ('""' * (VALUES + 1), TOO_MANY_VALUES),
        ("[" * (VALUES + 1), TOO_MANY_VALUES),
    ],
)
def test_a_frame_with_too_many_members_or_values_is_refused(text: str, detail: str | None) -> None:
    assert weighed(text) == detail


@pytest.mark.parametrize("inside", ['"', "\\", '\\"', "{,:[", '":{', '\\\\"', "\n"])
def test_what_stands_inside_a_string_weighs_nothing(inside: str) -> None:
    frame = json.dumps({"analysis": inside * 20_000, "more": inside * 20_000})

    assert weighed(frame) is None


@given(st.text(alphabet='"\\:,[{x', max_size=30), st.text(alphabet='"\\:,[{x', max_size=30))
def test_members_behind_any_string_are_counted(first: str, second: str) -> None:
    text = json.dumps({"pad": PAD, first + "!": second, **members(MEMBERS)})

    assert weighed(text) == TOO_MANY_MEMBERS


@pytest.mark.parametrize("end", ['"', '"\\', '"\\"', '"\\\\"', '"abc\\"def'])
def test_a_string_that_never_ends_ends_the_weighing(end: str) -> None:
    assert weighed('{"pad":"' + PAD + '","a":' + end) is None


def test_a_short_frame_is_not_weighed() -> None:
    assert weighed(":" * LIGHT_CHARS) is None
    assert weighed(":" * (LIGHT_CHARS + 1)) == TOO_MANY_MEMBERS


# ── values ───────────────────────────────────────────────────────────────────────────────────────


def nested(depth: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(depth - 1):
        value = {"": value}
    return value


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({}, None),
        (members(10), None),
        (members(11), "here has too many members, expected at most 10"),
        ({"": list(range(9))}, None),
        ({"": list(range(10))}, "here has too many members, expected at most 10"),
        ({"a": members(5), "b": members(4)}, "here has too many members, expected at most 10"),
        (nested(4), None),
        (nested(5), "here is nested too deep, expected at most 4 levels"),
        ({"": [[[]]]}, None),
        ({"": [[[[]]]]}, "here is nested too deep, expected at most 4 levels"),
        ({"": [2**64 - 1, -(2**63), 1.5, True, None, "x"]}, None),
    ],
)
def test_plain_data_is_bounded_in_members_and_in_depth(value: dict[str, object], detail: str | None) -> None:
    assert kept(value) == detail


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**300, float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("wrap", [lambda number: {"": number}, lambda number: {"": [{"": number}]}])
def test_numbers_that_cannot_be_carried_on_are_refused(number: float, wrap: Wrap) -> None:
    assert kept(wrap(number)) == "here has a number that cannot be used, expected finite ones within 64 bits"


def kept(value: dict[str, object]) -> str | None:
    try:
        bounded(value, "here", members=10, depth=4)
    except BadFrame as error:
        return error.detail
    return None


NAMES = st.sampled_from("abcdef")
PLAIN = st.dictionaries(
    NAMES,
    st.recursive(
        st.none() | st.integers(-9, 9),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=10,
    ),
    max_size=5,
)


def inside(value: object) -> Iterator[object]:
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield each
            yield from inside(each)


def levels(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(levels, value.values() if isinstance(value, dict) else value), default=0)


@given(PLAIN)
def test_the_bound_agrees_with_counting_one_by_one(value: dict[str, object]) -> None:
    fits = len(list(inside(value))) <= 10 and levels(value) <= 4

    assert (kept(value) is None) == fits
