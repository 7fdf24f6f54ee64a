"""The sizes fit together."""

from __future__ import annotations

from actors.wire import limits


def test_a_frame_that_is_not_weighed_could_not_have_been_too_heavy() -> None:
    smallest_member, smallest_value = len('"":0,'), len("[")

    assert limits.LIGHT_CHARS / smallest_member <= limits.MEMBERS
    assert limits.LIGHT_CHARS / smallest_value <= limits.VALUES


def test_the_largest_picture_is_as_large_as_the_largest_text_frame() -> None:
    as_base64 = limits.IMAGE_BYTES // 3 * 4

    assert as_base64 == 2 * 1024 * 1024


def test_every_pattern_is_explained_in_words() -> None:
    patterns = {value for name, value in vars(limits).items() if name.isupper() and str(value).startswith(("^", "\\"))}

    assert patterns == set(limits.LOOKS_LIKE)
