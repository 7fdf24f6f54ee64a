"""Tokens, counted and forgotten."""

from __future__ import annotations

import pytest

from actors.live.emulator.usage import Compression, Context, Memory, sound_tokens, text_tokens, usage_metadata

EMPTY = Memory(0, ())


def filled(*turns: int, instruction: int = 0) -> Context:
    context = Context(Memory(instruction, ()))
    for tokens in turns:
        context.add("AUDIO", tokens)
        context.end_turn()
    return context


@pytest.mark.parametrize(("text", "tokens"), [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2)])
def test_four_characters_are_a_token(text: str, tokens: int) -> None:
    assert text_tokens(text) == tokens


@pytest.mark.parametrize(("seconds", "tokens"), [(0.0, 0), (1.0, 25), (2.34, 58)])
def test_a_second_of_sound_is_25_tokens(seconds: float, tokens: int) -> None:
    assert sound_tokens(seconds) == tokens


def test_a_context_is_the_sum_of_its_turns_and_its_instruction() -> None:
    context = filled(10, 20, instruction=5)
    context.add("TEXT", 1)

    assert context.totals() == {"TEXT": 6, "AUDIO": 30}


@pytest.mark.parametrize(
    ("trigger", "target", "left"),
    [(100, 50, [10, 20, 30]), (60, 50, [20, 30]), (60, 30, [30]), (60, 10, []), (61, 10, [10, 20, 30])],
)
def test_the_oldest_turns_are_forgotten_first(trigger: int, target: int, left: list[int]) -> None:
    context = filled(10, 20, 30)

    context.compress(Compression(trigger, target))

    assert [turn["AUDIO"] for turn in context.memory().turns] == left


def test_the_instruction_is_never_forgotten() -> None:
    context = filled(10, 20, instruction=100)

    context.compress(Compression(50, 0))

    assert context.totals() == {"TEXT": 100}


def test_a_memory_is_the_turns_that_are_over_and_later_ones_do_not_change_it() -> None:
    context = filled(10, instruction=5)
    memory = context.memory()
    context.add("AUDIO", 99)
    context.end_turn()

    assert memory == Memory(5, ({"AUDIO": 10},))
    assert Context(memory).totals() == {"TEXT": 5, "AUDIO": 10}


def test_a_bill_has_the_fields_of_the_service() -> None:
    assert usage_metadata({"AUDIO": 20, "TEXT": 10}, 30, 4) == {
        "promptTokenCount": 30,
        "responseTokenCount": 30,
        "totalTokenCount": 60,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}, {"modality": "AUDIO", "tokenCount": 20}],
        "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 30}],
        "thoughtsTokenCount": 4,
    }


def test_a_bill_leaves_zeros_out() -> None:
    assert usage_metadata({"TEXT": 0}, 0, 0) == {}
