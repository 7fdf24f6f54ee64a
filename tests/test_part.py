"""What all models of the wire have in common."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from actors.wire.part import Part


class Sample(Part):
    first_word: str
    how_many: float = 0.0


def test_names_are_camel_case_and_unknown_ones_are_ignored() -> None:
    sample = Sample.model_validate_json('{"firstWord":"a","howMany":2,"later":{"x":[1]}}')

    assert (sample.first_word, sample.how_many) == ("a", 2.0)


@pytest.mark.parametrize(
    "frame",
    [
        '{"first_word":"a"}',
        '{"firstWord":5}',
        '{"firstWord":null}',
        '{"firstWord":"a","howMany":"2"}',
        '{"firstWord":"a","howMany":true}',
        '{"firstWord":"a","howMany":NaN}',
        '{"firstWord":"a","howMany":1e999}',
    ],
)
def test_nothing_is_guessed(frame: str) -> None:
    with pytest.raises(ValidationError):
        Sample.model_validate_json(frame)


def test_a_mistake_does_not_print_what_was_said() -> None:
    with pytest.raises(ValidationError) as caught:
        Sample.model_validate_json('{"firstWord":["very private"]}')

    assert "private" not in str(caught.value)
