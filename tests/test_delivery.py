"""Who reads is handed everything in time; who does not is let go with a sentence, and nobody else is."""

from __future__ import annotations

import pytest

from actors.call.delivery import STUCK_BYTES, STUCK_LOOK, STUCK_SECONDS, UNSENT_LIMIT, Delivery
from actors.call.playout import GRAIN, Playout
from actors.errors import TOO_SLOW, GatewayError
from actors.messages import MODEL_BYTES_PER_SECOND
from actors.metrics import Metrics
from actors.replies import Heartbeat, Reply, Sound, TurnComplete, TurnStarted
from tests.fakes import Clock, FakePort

CAP = 60.0
QUARTER = b"\1\0" * (MODEL_BYTES_PER_SECOND // 8)
"""A quarter of a second of sound."""


class WritingPort(FakePort):
    """A caller who reads nothing by itself: what is sent stays unsent until the test takes it off."""

    def send(self, reply: Reply) -> None:
        super().send(reply)
        self.unsent += len(reply.pcm) if isinstance(reply, Sound) else 100


class Road:
    """A delivery, its port and a clock, looked at as often as it asks for."""

    def __init__(self, port: FakePort) -> None:
        self.clock, self.port, self.metrics = Clock(), port, Metrics()
        self.delivery = Delivery(port, Playout(lead=1.0), cap=CAP, metrics=self.metrics)

    def sound(self, seconds: float) -> None:
        for _ in range(int(seconds * 4)):
            self.delivery.sound(QUARTER)

    def pump(self) -> float | None:
        return self.delivery.pump(self.clock())

    def look(self, seconds: float, *, takes: int = 0) -> None:
        """Pump for so long as often as a stuck caller is looked at; each time `takes` bytes are taken before it."""
        for _ in range(round(seconds / STUCK_LOOK)):
            self.clock.advance(STUCK_LOOK)
            self.port.unsent = max(0, self.port.unsent - takes)
            self.pump()

    @property
    def heard(self) -> float:
        return sum(len(sent.pcm) for sent in self.port.sent if isinstance(sent, Sound)) / MODEL_BYTES_PER_SECOND


@pytest.fixture
def road() -> Road:
    return Road(FakePort())


@pytest.fixture
def slow_road() -> Road:
    return Road(WritingPort())


# ── who reads ────────────────────────────────────────────────────────────────────────────────────


def test_words_are_said_at_once_and_signs_after_the_sound_before_them(road: Road) -> None:
    road.delivery.sign(TurnStarted(1))
    road.sound(0.25)
    road.delivery.sign(TurnComplete(1))
    road.delivery.say(Heartbeat(0))
    road.pump()

    assert road.port.sent == [Heartbeat(0), TurnStarted(1), Sound(QUARTER), TurnComplete(1)]


def test_a_pump_says_when_it_wants_to_be_asked_again(road: Road) -> None:
    assert road.pump() is None
    road.sound(2.0)

    assert road.pump() == GRAIN  # a whole lead was handed over, and time stood still meanwhile
    road.clock.advance(0.125)
    assert road.pump() == 0.125 + GRAIN


def test_each_piece_of_sound_that_leaves_is_counted(road: Road) -> None:
    road.delivery.sign(TurnStarted(1))
    road.sound(2.0)
    road.pump()

    assert b'parley_frames_total{direction="down",kind="audio"} 4.0' in road.metrics.text()


def test_a_long_answer_of_a_fast_model_reaches_who_reads(road: Road) -> None:
    road.sound(5 * CAP)
    road.look(5 * CAP)

    assert road.heard == 5 * CAP


def test_flushing_forgets_the_sound_and_gives_the_signs_back(road: Road) -> None:
    road.sound(2.0)
    road.delivery.sign(TurnComplete(1))
    road.pump()

    assert road.delivery.unheard(road.clock()) == 2.0
    assert road.delivery.flush(road.clock()) == [TurnComplete(1)]
    assert road.delivery.unheard(road.clock()) == 0.0


# ── who does not ─────────────────────────────────────────────────────────────────────────────────


def test_nothing_more_is_handed_to_who_has_not_taken_the_last(road: Road) -> None:
    road.sound(2.0)
    road.port.unsent = STUCK_BYTES + 1

    assert road.pump() == STUCK_LOOK
    assert road.port.sent == []


def test_who_reads_on_gets_the_rest_and_the_signs(road: Road) -> None:
    road.sound(1.0)
    road.delivery.sign(TurnComplete(1))
    road.port.unsent = STUCK_BYTES + 1
    road.look(STUCK_SECONDS - 1)
    road.port.unsent = STUCK_BYTES
    road.pump()

    assert road.port.sent == [*4 * [Sound(QUARTER)], TurnComplete(1)]


def test_who_takes_nothing_for_ten_seconds_is_let_go(road: Road) -> None:
    road.port.unsent = STUCK_BYTES + 1
    road.pump()
    road.look(STUCK_SECONDS - STUCK_LOOK)
    road.clock.advance(STUCK_LOOK)

    with pytest.raises(GatewayError, match="nothing was taken for 10 s") as caught:
        road.pump()
    assert caught.value.kind is TOO_SLOW


def test_ten_seconds_are_counted_from_the_last_byte_that_was_taken(road: Road) -> None:
    road.port.unsent = 2 * STUCK_BYTES
    road.pump()
    road.look(STUCK_SECONDS - STUCK_LOOK)
    road.port.unsent -= 1
    road.look(STUCK_SECONDS)
    road.clock.advance(STUCK_LOOK)

    with pytest.raises(GatewayError):
        road.pump()


def test_who_caught_up_and_stops_again_has_ten_seconds_again(road: Road) -> None:
    for _ in range(5):
        road.port.unsent = STUCK_BYTES + 1
        road.look(STUCK_SECONDS)
        road.port.unsent = 0
        road.look(STUCK_LOOK)

    assert road.pump() is None


def test_what_the_house_says_meanwhile_does_not_hide_that_bytes_are_taken(slow_road: Road) -> None:
    slow_road.port.unsent = STUCK_BYTES + 10_000
    for _ in range(int(4 * STUCK_SECONDS)):  # a hundred bytes a second are taken, and as many are said
        slow_road.look(1.0 - STUCK_LOOK)
        slow_road.delivery.say(Heartbeat(0))
        slow_road.look(STUCK_LOOK, takes=100)

    assert len(slow_road.port.sent) == 40


def test_what_the_house_says_meanwhile_does_not_count_as_taken(slow_road: Road) -> None:
    slow_road.port.unsent = STUCK_BYTES + 1
    slow_road.pump()

    with pytest.raises(GatewayError, match="nothing was taken"):
        for _ in range(int(STUCK_SECONDS)):
            slow_road.delivery.say(Heartbeat(0))
            slow_road.look(1.0)


def test_what_others_write_to_the_same_socket_does_not_count_as_taken(road: Road) -> None:
    road.port.unsent = STUCK_BYTES + 1

    with pytest.raises(GatewayError, match="nothing was taken"):
        for _ in range(int(STUCK_SECONDS) + 1):
            road.port.unsent += 100
            road.look(1.0)


def test_a_hiccup_in_a_long_answer_is_forgiven(road: Road) -> None:
    road.sound(5 * CAP)
    road.look(1.0)
    road.port.unsent = STUCK_BYTES + 1
    road.look(STUCK_SECONDS - 1)
    road.port.unsent = 0
    road.look(5 * CAP)

    assert road.heard == 5 * CAP


def test_who_trickles_is_let_go_when_a_minute_of_sound_is_overdue(slow_road: Road) -> None:
    slow_road.sound(5 * CAP)
    slow_road.pump()
    slow_road.port.unsent = 2 * STUCK_BYTES
    slow_road.look(CAP, takes=100)

    slow_road.clock.advance(2 * STUCK_LOOK)
    slow_road.port.unsent -= 100
    with pytest.raises(GatewayError, match=r"60 s behind, expected at most 60 s") as caught:
        slow_road.pump()
    assert caught.value.kind is TOO_SLOW


def test_who_trickles_and_has_less_than_a_minute_waiting_may_stay(slow_road: Road) -> None:
    slow_road.port.unsent = 1_000_000
    slow_road.sound(CAP)
    slow_road.look(3 * CAP, takes=100)

    assert slow_road.heard == 0.0


def test_who_reads_at_half_the_speed_hears_everything(slow_road: Road) -> None:
    slow_road.sound(2 * CAP)
    slow_road.look(4 * CAP + 10.0, takes=int(MODEL_BYTES_PER_SECOND * STUCK_LOOK / 2))

    assert slow_road.heard == 2 * CAP


def test_more_than_is_ever_waited_for_is_the_end_at_once(road: Road) -> None:
    road.port.unsent = UNSENT_LIMIT
    road.delivery.say(Heartbeat(0))
    road.port.unsent += 1

    with pytest.raises(GatewayError, match="2097153 bytes unsent, expected at most 2097152") as caught:
        road.delivery.say(Heartbeat(0))
    assert caught.value.kind is TOO_SLOW
