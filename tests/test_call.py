"""The present call of a connection, apart from the actor that has it."""

from __future__ import annotations

import pytest

from actors.call.call import LINK_SERIES, Call
from actors.call.terms import Terms
from actors.connection import ConnectionActor
from actors.errors import GatewayError
from actors.link import LinkActor
from actors.messages import Close, Lost, Opened, Slot, Speech, Start
from actors.metrics import Metrics
from actors.phases import Phase
from actors.rate_limiter import GiveSlot, WantSlot
from actors.replies import Cause, Notice, SessionReady, SessionStarted, SetupComplete
from actors.runtime import Life
from actors.supervision import StartChild
from tests.fakes import FakeMail, FakeUpstream

HELLO = Notice("HELLO", "there")


class Side:
    def __init__(self) -> None:
        self.limiter, self.callers, self.link, self.metrics = FakeMail(), FakeMail(), FakeMail(), Metrics()
        self.life = Life(ConnectionActor, name="conn_1")
        self.call = self.taken_up()

    def taken_up(self) -> Call:
        """By the first instance of an actor, or by the next."""
        return Call(
            self.life,
            caller="conn_1",
            upstream=FakeUpstream(),
            limiter=self.limiter,
            callers=self.callers,
            terms=Terms("parley/t", "m", "Puck", "en-US", "Be kind", greeting=HELLO),
            metrics=self.metrics,
        )

    def asked(self) -> WantSlot:
        (asked,) = self.limiter.heard
        assert isinstance(asked, WantSlot)
        return asked


@pytest.fixture
def side() -> Side:
    return Side()


def test_a_call_begins_by_asking_for_a_slot(side: Side) -> None:
    side.call.begin(Start(), "sess_1")

    assert side.asked() == WantSlot("conn_1", side.call.kept.call, side.life.ref)


def test_a_slot_for_another_call_builds_no_link(side: Side) -> None:
    side.call.begin(Start(), "sess_1")

    side.call.slot(Slot("call_of_before", granted=True))

    assert side.callers.heard == []


def test_a_granted_slot_has_a_link_built_whose_sessions_are_its_own(side: Side) -> None:
    side.call.begin(Start(voice="Kore"), "sess_1")
    side.call.begin(Start(voice="Kore"), "sess_1")

    side.call.slot(Slot(side.call.kept.call, granted=True))

    (asked,) = side.callers.heard
    assert isinstance(asked, StartChild)
    assert asked.child.actor is LinkActor
    assert asked.child.arguments["series"] == 2 * LINK_SERIES
    assert asked.child.arguments["opening"].voice == "Kore"


def test_a_refused_slot_says_when_to_come_back(side: Side) -> None:
    side.call.begin(Start(), "sess_1")

    with pytest.raises(GatewayError) as refused:
        side.call.slot(Slot(side.call.kept.call, granted=False, retry_after=10.0))

    assert refused.value.retry_after == 10.0


def test_a_link_of_a_call_that_is_over_is_sent_away(side: Side) -> None:
    side.call.begin(Start(), "sess_1")

    side.call.link_ready("conn_1/call_of_before", side.link)  # type: ignore[arg-type]  # a recording ref

    assert side.link.heard == [Close()]
    assert side.call.kept.link is None


def test_what_is_announced_comes_in_order_with_the_greeting_last(side: Side) -> None:
    side.call.begin(Start(language="de-DE", audio="binary"), "sess_1")
    side.call.opened(Opened(LINK_SERIES, "m-1"), 5.0)

    assert side.call.announcement(7) == (
        SessionStarted("conn_1", "sess_1", "de-DE", "Puck", "m-1", "binary"),
        SetupComplete(),
        SessionReady("sess_1", 7),
        HELLO,
    )


def test_only_the_first_session_of_a_call_starts_its_clock(side: Side) -> None:
    side.call.begin(Start(), "sess_1")
    side.call.enter(Phase.OPENING)
    assert side.call.opened(Opened(LINK_SERIES, "m"), 5.0)
    side.call.enter(Phase.LIVE)

    assert not side.call.opened(Opened(LINK_SERIES + 1, "m"), 9.0)
    assert side.call.kept.started_at == 5.0


def test_mail_is_believed_from_the_present_session_only(side: Side) -> None:
    side.call.begin(Start(), "sess_1")
    side.call.opened(Opened(LINK_SERIES, "m"), 5.0)

    assert side.call.is_current(Speech(LINK_SERIES, b""))
    assert not side.call.is_current(Speech(LINK_SERIES - 1, b""))
    assert side.call.is_current(Opened(LINK_SERIES + 1, "m"))
    assert not side.call.is_current(Lost(LINK_SERIES - 1, GatewayError))  # type: ignore[arg-type]  # of the call before


def test_leaving_gives_everything_back_and_counts_why(side: Side) -> None:
    side.call.begin(Start(), "sess_1")
    side.call.link_ready(f"conn_1/{side.call.kept.call}", side.link)  # type: ignore[arg-type]

    closed = side.call.leave(Cause.IDLE, "nobody spoke")

    assert side.link.heard == [Close()]
    assert side.limiter.heard[-1] == GiveSlot("conn_1")
    assert (closed.reason, closed.cause) == ("live_api_closed", Cause.IDLE)
    assert side.metrics.calls_total.labels(Cause.IDLE)._value.get() == 1
    assert side.call.kept.call == ""


def test_the_next_instance_takes_the_call_up_where_it_was(side: Side) -> None:
    side.call.begin(Start(), "sess_1")

    assert side.taken_up().kept is side.call.kept
