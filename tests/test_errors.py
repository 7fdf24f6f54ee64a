"""The table of what can go wrong, and the sentences made from it."""

from __future__ import annotations

import pytest

from actors import errors
from actors.errors import KINDS, BadFrame, GatewayError, Kind, UnknownType, Whose


def test_codes_are_unique_and_written_alike() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert all(code.isupper() and code.replace("_", "").isalpha() for code in codes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_what_the_caller_reads_is_a_sentence_without_its_stop(kind: Kind) -> None:
    assert kind.words[0].isupper()
    assert kind.words[-1] not in ".!"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.whose is not Whose.CALLER], ids=lambda kind: kind.code)
def test_the_detail_of_what_is_not_the_callers_doing_stays_in_the_house(kind: Kind) -> None:
    assert GatewayError(kind, "close code 1011, row 3").sentence == kind.words


def test_the_caller_reads_what_they_did() -> None:
    assert BadFrame("text.content is blank").sentence == "That message cannot be used: text.content is blank"
    assert UnknownType("no type 'x'").kind is errors.UNKNOWN_TYPE


def test_a_detail_that_is_a_whole_sentence_stands_alone() -> None:
    error = GatewayError(errors.RATE_LIMITED, "Rate limit exceeded. Try again in 3s")

    assert error.sentence == "Rate limit exceeded. Try again in 3s"


def test_an_error_without_detail_speaks_with_the_words_of_its_kind() -> None:
    assert str(GatewayError(errors.FULL)) == "All lines are busy"
