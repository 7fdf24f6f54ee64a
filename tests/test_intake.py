"""What a caller says reaches the model in order, early words included, as far as they may say it."""

from __future__ import annotations

import pytest

from actors.call.allowance import Allowance
from actors.call.held import Held
from actors.call.intake import Intake
from actors.call.snapshots import DEBOUNCE, Snapshots
from actors.errors import RATE_LIMITED, GatewayError
from actors.messages import CALLER_BYTES_PER_SECOND, Audio, Bucket, ContextUpdate, Image, Lease, Modality, Text
from actors.metrics import Metrics
from actors.rate_limiter import Want
from tests.fakes import Clock, FakeMail

FRAME = Audio(bytes(640))
PICTURE = Image(b"picture", "image/jpeg")
SEEN = ContextUpdate(Modality.SCREEN, "a cat", PICTURE)


class Way:
    """One caller's way up; nobody answers for the limiter."""

    def __init__(self) -> None:
        self.clock, self.limiter, self.link, self.metrics = Clock(), FakeMail(), FakeMail(), Metrics()
        limits = {Bucket.AUDIO: 40, Bucket.MESSAGES: 2, Bucket.MEDIA: 2}
        allowance = Allowance("conn_1", self.limiter, FakeMail(), limits=limits, metrics=self.metrics)
        self.intake = Intake(allowance, Held(seconds=0.1), Snapshots(), self.metrics)

    def open(self) -> None:
        self.intake.open(self.link)

    def audio(self, *frames: Audio) -> None:
        for frame in frames:
            self.intake.audio(frame, self.clock())

    def media(self, *chunks: Audio | Image) -> None:
        self.intake.media(chunks, self.clock())

    def text(self, content: str) -> bool:
        return self.intake.text(Text(content), self.clock())

    def dropped(self) -> list[str]:
        lines = self.metrics.text().decode().splitlines()
        return [line.partition("reason=")[2] for line in lines if line.startswith("parley_frames_dropped_total{")]


@pytest.fixture
def way() -> Way:
    return Way()


# ── towards the model ────────────────────────────────────────────────────────────────────────────


def test_when_the_link_is_open_everything_passes_at_once(way: Way) -> None:
    way.open()
    way.audio(FRAME)
    way.text("hello")
    way.media(PICTURE, FRAME)

    assert way.link.heard == [FRAME, Text("hello"), PICTURE, FRAME]


def test_what_came_early_is_handed_over_first_and_in_order(way: Way) -> None:
    way.audio(Audio(b"\1\0"))
    way.text("hello")
    way.audio(Audio(b"\2\0"))
    way.open()
    way.audio(Audio(b"\3\0"))

    assert way.link.heard == [Audio(b"\1\0"), Text("hello"), Audio(b"\2\0"), Audio(b"\3\0")]


def test_early_sound_beyond_the_limit_is_dropped_and_counted(way: Way) -> None:
    way.audio(*7 * [FRAME])
    way.open()

    assert way.link.heard == 5 * [FRAME]
    assert way.dropped() == ['"early"} 2.0']


def test_every_frame_that_a_large_one_pushes_out_is_counted(way: Way) -> None:
    way.audio(*5 * [FRAME], Audio(bytes(3 * 640)))

    assert way.dropped() == ['"early"} 3.0']


def test_what_comes_after_the_end_of_a_call_waits_for_the_next_one(way: Way) -> None:
    way.open()
    way.intake.shut()
    way.audio(FRAME)
    assert way.link.heard == []

    way.open()
    assert way.link.heard == [FRAME]


def test_what_a_call_did_not_hear_is_not_told_to_the_next_one(way: Way) -> None:
    way.audio(FRAME)
    way.intake.shut()
    way.open()

    assert way.link.heard == []


def test_sound_that_was_taken_is_counted_and_its_time_kept(way: Way) -> None:
    way.open()
    way.audio(FRAME, FRAME)

    assert way.intake.heard_at == way.clock()
    assert b'parley_frames_total{direction="up",kind="audio"} 2.0' in way.metrics.text()


def test_sound_faster_than_speech_is_dropped_counted_and_no_sign_of_life(way: Way) -> None:
    way.open()
    way.media(Audio(bytes(10 * CALLER_BYTES_PER_SECOND)))
    heard_at = way.clock()
    way.clock.advance(0.01)
    way.audio(FRAME)

    assert len(way.link.heard) == 1
    assert way.intake.heard_at == heard_at
    assert way.dropped() == ['"faster_than_speech"} 1.0']


# ── what may be said ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("chunks", "bucket"), [((FRAME, PICTURE), Bucket.AUDIO), ((PICTURE, FRAME, FRAME), Bucket.MEDIA)]
)
def test_a_batch_is_one_message_of_its_first_chunks_kind(
    way: Way, chunks: tuple[Audio | Image, ...], bucket: Bucket
) -> None:
    way.open()
    way.media(*chunks)

    assert way.link.heard == list(chunks)
    assert [want.bucket for want in way.limiter.heard if isinstance(want, Want)] == [bucket]


def test_what_may_not_be_said_is_refused_in_words_once_and_does_not_pass(way: Way) -> None:
    way.open()
    assert way.text("one")
    assert way.text("two")

    with pytest.raises(GatewayError, match="Rate limit exceeded") as caught:
        way.text("three")
    assert caught.value.kind is RATE_LIMITED
    assert not way.text("four")
    assert way.link.heard == [Text("one"), Text("two")]


def test_sound_that_may_not_be_sent_is_not_heard(way: Way) -> None:
    way.open()
    way.audio(*40 * [FRAME])
    way.clock.advance(1.0)

    with pytest.raises(GatewayError):
        way.audio(FRAME)
    way.audio(FRAME)
    way.media(FRAME, FRAME)
    assert len(way.link.heard) == 40
    assert way.intake.heard_at == way.clock() - 1.0


def test_a_lease_lets_the_caller_go_on(way: Way) -> None:
    way.open()
    for content in ("one", "two"):
        way.text(content)
    way.intake.refill(Lease(Bucket.MESSAGES, 1, 0.0), way.clock())

    assert way.text("three")


def test_thrown_away_bytes_are_counted_and_put_in_words_now_and_then(way: Way) -> None:
    with pytest.raises(GatewayError, match="Try again in 1s"):
        way.intake.overflow(way.clock())
    way.intake.overflow(way.clock())

    assert way.dropped() == ['"too_many_bytes"} 2.0']


# ── what the page sees ───────────────────────────────────────────────────────────────────────────


def test_a_snapshot_is_kept_and_shown_when_it_has_settled(way: Way) -> None:
    way.open()
    assert way.intake.context(SEEN, way.clock())
    assert way.intake.show(way.clock()) == pytest.approx(DEBOUNCE)
    way.clock.advance(DEBOUNCE)

    assert way.intake.show(way.clock()) is None
    assert way.link.heard == [PICTURE]
    assert way.intake.snapshots.latest == {Modality.SCREEN: SEEN}


def test_a_snapshot_that_came_early_is_shown_when_there_is_somebody_to_see_it(way: Way) -> None:
    way.intake.context(SEEN, way.clock())
    way.clock.advance(DEBOUNCE)
    assert way.intake.show(way.clock()) is None
    way.open()

    assert way.intake.show(way.clock()) is None
    assert way.link.heard == [PICTURE]


def test_a_snapshot_beyond_the_quota_is_not_kept(way: Way) -> None:
    way.open()
    for content in ("one", "two"):
        way.text(content)
    with pytest.raises(GatewayError):
        way.intake.context(SEEN, way.clock())

    assert not way.intake.context(SEEN, way.clock())
    assert way.intake.snapshots.latest == {}
