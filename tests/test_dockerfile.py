"""The reader of Dockerfiles does what docker would, as far as our Dockerfile goes."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.dockerfile import Image

STAND_IN = """
# A comment, and a line that goes on:
ENV WHO=world \\
    ODD="two words"
WORKDIR /srv/house
COPY greeting.txt ./
COPY rooms ./rooms
RUN echo "$ODD $WHO" > made.txt
USER 7
STOPSIGNAL SIGINT
HEALTHCHECK --interval=1s \\
    CMD test -f rooms/hall/door.txt
CMD ["cat", "greeting.txt", "made.txt"]
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Image:
    context = tmp_path / "context"
    for name in ("greeting.txt", "secret.txt", "rooms/hall/door.txt", "rooms/hall/__pycache__/door.pyc"):
        (context / name).parent.mkdir(parents=True, exist_ok=True)
        (context / name).write_text(f"{name}\n")
    (context / ".dockerignore").write_text("# only this\n*\n!greeting.txt\n!rooms\n**/__pycache__\n")
    image = Image(tmp_path / "root", context)
    image.follow(STAND_IN)
    return image


def test_a_step_sees_what_the_steps_before_it_left(stand_in: Image) -> None:
    process = stand_in.start(stand_in.environment())

    assert process.communicate()[0] == "greeting.txt\ntwo words world\n"
    assert stand_in.is_healthy(stand_in.environment())
    assert (stand_in.user, stand_in.stop) == ("7", signal.SIGINT)


def test_a_copy_brings_what_the_dockerignore_lets_through(stand_in: Image) -> None:
    copied = {str(file.relative_to(stand_in.here)) for file in stand_in.here.rglob("*.*") if file.is_file()}

    assert copied == {"greeting.txt", "made.txt", "rooms/hall/door.txt"}


def test_a_word_it_was_not_taught_is_refused(stand_in: Image) -> None:
    with pytest.raises(ValueError, match="ONBUILD"):
        stand_in.follow("ONBUILD RUN true")
