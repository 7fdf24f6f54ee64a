"""A picture is shown when the page has settled, not too often, and never lost to words that came after it."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.call.snapshots import DEBOUNCE, SHOWN, THROTTLE, Snapshots
from actors.messages import ContextUpdate, Image, Modality

NOW = 100.0
TINY = 1e-9


def picture(name: str) -> Image:
    return Image(name.encode(), "image/jpeg")


def seen(name: str, modality: Modality = Modality.SCREEN) -> ContextUpdate:
    return ContextUpdate(modality, f"there is a {name}", picture(name))


def words(modality: Modality = Modality.SCREEN) -> ContextUpdate:
    return ContextUpdate(modality, "nothing to show")


@pytest.fixture
def snapshots() -> Snapshots:
    return Snapshots()


def test_a_picture_is_shown_when_nothing_newer_has_come_for_a_moment(snapshots: Snapshots) -> None:
    snapshots.offer(seen("cat"), NOW)

    assert snapshots.wait(NOW) == pytest.approx(DEBOUNCE)
    assert snapshots.due(NOW + DEBOUNCE - 0.01) == []
    assert snapshots.due(NOW + DEBOUNCE) == [picture("cat")]
    assert snapshots.due(NOW + 100.0) == []
    assert snapshots.wait(NOW + 100.0) is None


def test_a_newer_picture_takes_the_place_of_one_that_waits(snapshots: Snapshots) -> None:
    snapshots.offer(seen("cat"), NOW)
    snapshots.offer(seen("dog"), NOW + 0.5)

    assert snapshots.due(NOW + DEBOUNCE) == []
    assert snapshots.due(NOW + 0.5 + DEBOUNCE) == [picture("dog")]


def test_the_next_picture_of_a_modality_waits_its_turn(snapshots: Snapshots) -> None:
    snapshots.offer(seen("cat"), NOW)
    snapshots.due(NOW + 1.0)
    snapshots.offer(seen("dog"), NOW + 2.0)

    assert snapshots.wait(NOW + 2.0) == pytest.approx(1.0 + THROTTLE - 2.0)
    assert snapshots.due(NOW + THROTTLE) == []
    assert snapshots.due(NOW + 1.0 + THROTTLE) == [picture("dog")]


def test_the_modalities_do_not_wait_for_each_other(snapshots: Snapshots) -> None:
    snapshots.offer(seen("cat", Modality.SCREEN), NOW)
    snapshots.due(NOW + 1.0)
    snapshots.offer(seen("face", Modality.WEBCAM), NOW + 2.0)

    assert snapshots.due(NOW + 2.0 + DEBOUNCE) == [picture("face")]


def test_words_without_a_picture_do_not_cost_the_one_that_waits(snapshots: Snapshots) -> None:
    snapshots.offer(seen("cat"), NOW)
    snapshots.offer(words(), NOW + 0.1)

    assert snapshots.latest[Modality.SCREEN] == words()
    assert snapshots.due(NOW + DEBOUNCE) == [picture("cat")]


def test_words_without_a_picture_do_not_use_up_the_turn_of_the_next(snapshots: Snapshots) -> None:
    snapshots.offer(words(), NOW)
    snapshots.due(NOW + 1.0)
    snapshots.offer(seen("cat"), NOW + 1.0)

    assert snapshots.due(NOW + 1.0 + DEBOUNCE) == [picture("cat")]


def test_intelligence_is_kept_and_not_shown(snapshots: Snapshots) -> None:
    snapshots.offer(seen("secret", Modality.INTELLIGENCE), NOW)

    assert snapshots.latest[Modality.INTELLIGENCE] == seen("secret", Modality.INTELLIGENCE)
    assert snapshots.wait(NOW) is None
    assert snapshots.due(NOW + 100.0) == []


def test_what_was_kept_from_before_is_there_and_not_shown_again() -> None:
    kept = {Modality.SCREEN: seen("cat")}
    snapshots = Snapshots(kept)
    snapshots.offer(words(Modality.WEBCAM), NOW)

    assert snapshots.latest == {Modality.SCREEN: seen("cat"), Modality.WEBCAM: words(Modality.WEBCAM)}
    assert snapshots.wait(NOW) is None
    assert list(kept) == [Modality.SCREEN]


# ── whatever a page sends ────────────────────────────────────────────────────────────────────────

OFFERS = st.lists(
    st.tuples(st.floats(0.0, 3.0), st.sampled_from(list(Modality)), st.booleans()), min_size=1, max_size=60
)
"""Pauses in seconds, each with what is offered after it, and whether there is a picture to it."""


class Page:
    """Offers what a page would, and looks exactly when there is something to show."""

    def __init__(self) -> None:
        self.snapshots, self.now = Snapshots(), NOW
        self.offered: dict[Modality, tuple[float, Image]] = {}  # the newest picture of each, and when it came
        self.shown: dict[Modality, list[tuple[float, Image]]] = {modality: [] for modality in Modality}

    def offer(self, modality: Modality, image: Image | None) -> None:
        self.snapshots.offer(ContextUpdate(modality, "seen", image), self.now)
        if image is not None:
            self.offered[modality] = self.now, image

    def look(self, until: float) -> None:
        while (wait := self.snapshots.wait(self.now)) is not None and self.now + wait <= until:
            self.now += wait
            for image in self.snapshots.due(self.now):
                modality = Modality(image.data.decode().split()[0])
                assert self.offered[modality][1] == image, "not the newest"
                assert self.now - self.offered[modality][0] >= DEBOUNCE - TINY
                self.shown[modality].append((self.now, image))
        self.now = until


@given(OFFERS)
def test_pictures_are_settled_spaced_and_the_newest(offers: list[tuple[float, Modality, bool]]) -> None:
    page = Page()
    for number, (pause, modality, has_picture) in enumerate(offers):
        page.look(page.now + pause)
        page.offer(modality, picture(f"{modality} {number}") if has_picture else None)
    page.look(page.now + 2 * THROTTLE)

    assert page.shown[Modality.INTELLIGENCE] == []
    for modality in SHOWN:
        shown, newest = page.shown[modality], [page.offered[modality][1]] if modality in page.offered else []
        assert all(later - earlier >= THROTTLE - TINY for (earlier, _), (later, _) in pairwise(shown))
        assert [image for _, image in shown[-1:]] == newest
