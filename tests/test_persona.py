"""Who the model is told to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from actors.persona import INSTRUCTION, LONGEST, read


def test_a_persona_is_the_text_of_a_file_without_the_blanks_around_it(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("\n Sei freundlich – immer. \n\n", encoding="utf-8")

    assert read(tmp_path / "p") == "Sei freundlich – immer."


@pytest.mark.parametrize("size", [1, LONGEST])
def test_it_may_be_as_long_as_the_model_takes(size: int, tmp_path: Path) -> None:
    (tmp_path / "p").write_text("x" * size)

    assert len(read(tmp_path / "p")) == size


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "found 0 characters in "),
        (b" \n", "found 0 characters in "),
        (b"x" * (LONGEST + 1), f"found {LONGEST + 1} characters in "),
        (b"\xff\xfe", "which cannot be read, expected a file of UTF-8 text"),
        (None, "which cannot be read, expected a file of UTF-8 text"),
    ],
)
def test_what_cannot_be_used_is_told_without_its_text(content: bytes | None, words: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "p").write_bytes(content)

    with pytest.raises(ValueError, match=words):
        read(tmp_path / "p")


def test_the_default_asks_for_short_spoken_sentences() -> None:
    assert 0 < len(INSTRUCTION) < 1_000
    assert "short spoken sentences" in INSTRUCTION
