"""The sentence that answers, which says what was received and nothing else."""

from __future__ import annotations

from array import array

import pytest

from actors.live.emulator.answering import Prompt, sentence, sound
from actors.live.emulator.listening import Utterance
from actors.live.emulator.voice import speak

SHORT = Utterance(array("h", [1, 2, 3]), 2.34)


def prompted(*, seconds: tuple[float, ...] = (), texts: tuple[str, ...] = (), pictures: int = 0) -> Prompt:
    prompt = Prompt(pictures=pictures)
    for each in seconds:
        prompt.hear(Utterance(array("h", [1]), each))
    for text in texts:
        prompt.read(text)
    return prompt


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        (prompted(seconds=(2.34,)), "You said 2.3 seconds of speech."),
        (prompted(seconds=(1.0, 0.5)), "You said 1.5 seconds of speech."),
        (prompted(seconds=(0.0,)), "You said 0.0 seconds of speech."),
        (prompted(texts=("hello",)), 'You wrote "hello".'),
        (prompted(texts=("hello", "there\n  you")), 'You wrote "hello there you".'),
        (prompted(pictures=1), "I have seen 1 picture."),
        (prompted(seconds=(1.0,), pictures=1), "You said 1.0 seconds of speech and I have seen 1 picture."),
        (
            prompted(seconds=(1.0,), texts=("hi",), pictures=2),
            'You said 1.0 seconds of speech and you wrote "hi" and I have seen 2 pictures.',
        ),
        (prompted(), "You wrote nothing."),
    ],
)
def test_the_answer_names_what_was_received(prompt: Prompt, said: str) -> None:
    assert sentence(prompt) == said


def test_a_long_text_is_quoted_in_part() -> None:
    said = sentence(prompted(texts=("word " * 1_000,)))

    assert said.endswith('word…".')
    assert len(said) < 100


def test_only_the_latest_texts_are_remembered() -> None:
    prompt = prompted(texts=tuple(map(str, range(1_000))))

    assert len(prompt.texts) == 50
    assert prompt.texts[-1] == "999"


def test_speech_is_played_back() -> None:
    prompt = Prompt()
    prompt.hear(SHORT)
    prompt.hear(SHORT)

    assert sound(prompt, "Puck") == array("h", [1, 2, 3, 1, 2, 3])


def test_what_is_played_back_is_bounded() -> None:
    prompt = Prompt()
    for _ in range(5):
        prompt.hear(Utterance(array("h", bytes(2 * 16_000 * 10)), 10.0))

    assert len(sound(prompt, "Puck")) == 30 * 16_000
    assert sentence(prompt) == "You said 50.0 seconds of speech."


@pytest.mark.parametrize("prompt", [prompted(texts=("hello",)), prompted(pictures=1), prompted()])
def test_what_was_not_spoken_is_answered_by_the_synthetic_voice(prompt: Prompt) -> None:
    assert sound(prompt, "Kore") == speak(sentence(prompt), "Kore")


def test_marked_activity_without_sound_is_answered_by_the_synthetic_voice() -> None:
    prompt = Prompt()
    prompt.hear(Utterance(array("h"), 0.0))

    assert sound(prompt, "Kore") == speak("You said 0.0 seconds of speech.", "Kore")
