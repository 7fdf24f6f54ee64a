"""Mail is handled in order, a bounded batch at a time, on one thread; what must not be lost is not lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pykka
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pykka._envelope import Envelope
from pykka.messages import _ActorStop

from actors.future import Reply
from actors.mailbox import BATCH, Mailbox

ON_BOTH_LOOPS = True
PATIENCE = 10.0
"""Seconds that a test waits for a thread before it gives up; nothing here takes them."""


@dataclass(frozen=True)
class Frame:
    """Mail that a full mailbox may drop."""

    number: int


@dataclass(frozen=True)
class Command:
    """Mail that it may not."""

    number: int


def mailbox(*, mark: int = 1024) -> Mailbox:
    box = Mailbox()
    box.mark, box.sheds = mark, (Frame,)
    return box


def put(box: Mailbox, *messages: object) -> None:
    for message in messages:
        box.put(Envelope(message))


def held(box: Mailbox) -> list[object]:
    """What waits in a mailbox that nobody reads."""
    return [box.get().message for _ in range(len(box))]


class Reader:
    """Reads what it is handed and can be waited for."""

    def __init__(self) -> None:
        self.read: list[Any] = []
        self.threads: set[int] = set()
        self._news = asyncio.Event()

    def __call__(self, envelope: Envelope[Any]) -> None:
        self.read.append(envelope.message)
        self.threads.add(threading.get_ident())
        self._news.set()

    async def until(self, count: int) -> list[Any]:
        """All that was read, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(self.read) < count:
                self._news.clear()
                await self._news.wait()
        return self.read


def in_a_thread(work: Callable[[], None]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(PATIENCE)


# ── order ────────────────────────────────────────────────────────────────────────────────────────


async def test_mail_is_handled_in_the_order_it_came() -> None:
    box, reader = mailbox(), Reader()
    box.attach(reader)
    put(box, *range(300))

    assert await reader.until(300) == list(range(300))


async def test_nothing_is_handled_inside_put() -> None:
    box, reader = mailbox(), Reader()
    box.attach(reader)
    put(box, "later")

    assert reader.read == []
    assert await reader.until(1) == ["later"]


async def test_mail_that_came_before_the_reader_waits_and_comes_first() -> None:
    box, reader = mailbox(), Reader()
    put(box, 1, 2)
    box.attach(reader)
    put(box, 3)

    assert await reader.until(3) == [1, 2, 3]


async def test_mail_put_by_the_reader_itself_comes_after_what_was_there() -> None:
    box, reader = mailbox(), Reader()

    def read(envelope: Envelope[Any]) -> None:
        reader(envelope)
        if envelope.message == "first":
            put(box, "afterthought")

    box.attach(read)
    put(box, "first", "second")

    assert await reader.until(3) == ["first", "second", "afterthought"]


async def test_mail_behind_the_message_that_drove_the_reader_away_waits_for_the_next_reader() -> None:
    box, first, second = mailbox(), Reader(), Reader()

    def read(envelope: Envelope[Any]) -> None:
        first(envelope)
        if envelope.message == 2:
            box.detach()

    box.attach(read)
    put(box, 1, 2, 3, 4)
    await first.until(2)
    put(box, 5)

    assert len(box) == 3
    box.attach(second)
    assert await second.until(3) == [3, 4, 5]
    assert first.read == [1, 2]


async def test_a_reader_that_comes_back_before_the_next_turn_of_the_loop_loses_nothing() -> None:
    box, reader = mailbox(), Reader()
    box.attach(reader)
    put(box, 1)  # a drain is scheduled
    box.detach()
    box.attach(reader)

    assert await reader.until(1) == [1]
    put(box, 2)
    assert await reader.until(2) == [1, 2]


async def test_a_reader_that_fails_beyond_repair_does_not_stop_the_mail_behind() -> None:
    news: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: news.append(context))
    box, reader = mailbox(), Reader()

    def read(envelope: Envelope[Any]) -> None:
        if envelope.message == "poison":
            raise asyncio.CancelledError  # not an Exception: it passes the actor
        reader(envelope)

    box.attach(read)
    put(box, "poison", "next")

    assert await reader.until(1) == ["next"]


# ── turns ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_of_the_loop_handles_a_bounded_batch_and_then_others_have_theirs() -> None:
    loop = asyncio.get_running_loop()
    box, reader = mailbox(), Reader()
    seen: list[int] = []

    def other() -> None:
        seen.append(len(reader.read))
        if len(reader.read) < 3 * BATCH:
            loop.call_soon(other)

    box.attach(reader)
    put(box, *range(3 * BATCH))
    loop.call_soon(other)
    await reader.until(3 * BATCH)

    assert seen[:2] == [BATCH, 2 * BATCH]


async def test_two_full_mailboxes_take_turns() -> None:
    order: list[str] = []
    boxes = {name: mailbox() for name in ("a", "b")}
    done = Reader()
    for name, box in boxes.items():
        box.attach(lambda envelope, name=name: (order.append(name), done(envelope))[0])
    for box in boxes.values():
        put(box, *range(2 * BATCH))
    await done.until(4 * BATCH)

    assert order == ["a"] * BATCH + ["b"] * BATCH + ["a"] * BATCH + ["b"] * BATCH


async def test_a_reader_that_mails_itself_for_ever_does_not_hold_the_loop() -> None:
    box = mailbox()
    box.attach(lambda envelope: put(box, envelope.message + 1))
    put(box, 0)
    await asyncio.wait_for(asyncio.to_thread(threading.get_ident), PATIENCE)

    assert held(box)[0] > 0


# ── other threads ────────────────────────────────────────────────────────────────────────────────


async def test_mail_from_other_threads_is_handled_on_the_loops_thread_in_each_senders_order() -> None:
    box, reader = mailbox(), Reader()
    box.attach(reader)
    senders = [asyncio.to_thread(put, box, *((name, n) for n in range(200))) for name in "abcd"]
    await asyncio.gather(*senders)
    read = await reader.until(800)

    assert reader.threads == {threading.get_ident()}
    for name in "abcd":
        assert [n for sender, n in read if sender == name] == list(range(200))


async def test_a_thread_that_has_the_address_before_anybody_reads_does_not_touch_the_queue() -> None:
    """Otherwise its mail could come between `attach` looking at an empty queue and the drain: nobody would read it."""
    box, reader = mailbox(), Reader()
    in_a_thread(lambda: put(box, 1, 2))

    assert len(box) == 0
    box.attach(reader)
    assert await reader.until(2) == [1, 2]


async def test_mail_from_a_thread_keeps_its_order_across_the_attaching() -> None:
    box, reader = mailbox(), Reader()
    in_a_thread(lambda: put(box, 1))
    box.attach(reader)
    in_a_thread(lambda: put(box, 2))

    assert await reader.until(2) == [1, 2]


async def test_mail_from_a_thread_that_comes_after_the_end_is_answered() -> None:
    box = mailbox()
    box.attach(Reader())
    reply: Reply[Any] = Reply()
    in_a_thread(lambda: box.put(Envelope("late", reply_to=reply)))
    box.close()

    with pytest.raises(pykka.ActorDeadError):
        await asyncio.wait_for(_awaited(reply), PATIENCE)


def test_mail_for_a_loop_that_is_closed_is_answered() -> None:
    boxes: list[Mailbox] = []

    async def life() -> None:
        boxes.append(mailbox())
        boxes[0].attach(Reader())

    in_a_thread(lambda: asyncio.run(life()))
    reply: Reply[Any] = Reply()
    boxes[0].put(Envelope("too late", reply_to=reply))
    put(boxes[0], "and nobody asks")

    with pytest.raises(pykka.ActorDeadError):
        reply.get(timeout=0)


async def _awaited(reply: pykka.Future[Any]) -> Any:
    return await reply


# ── the end ──────────────────────────────────────────────────────────────────────────────────────


async def test_who_waits_for_an_answer_when_the_mailbox_closes_is_told() -> None:
    box = mailbox()
    queued, late = Reply[Any](), Reply[Any]()
    box.put(Envelope("queued", reply_to=queued))
    put(box, "nobody waits for this")
    box.close()
    box.put(Envelope("late", reply_to=late))

    assert box.empty()
    for reply in (queued, late):
        with pytest.raises(pykka.ActorDeadError, match="stopped before handling"):
            reply.get()


async def test_who_wanted_an_end_when_the_mailbox_closes_has_it() -> None:
    box = mailbox()
    reply: Reply[Any] = Reply()
    box.put(Envelope(_ActorStop(), reply_to=reply))
    box.close()

    assert reply.get() is None


async def test_a_reader_that_closes_the_mailbox_reads_no_more() -> None:
    box, reader = mailbox(), Reader()

    def read(envelope: Envelope[Any]) -> None:
        reader(envelope)
        box.close()

    box.attach(read)
    put(box, 1, 2)
    await reader.until(1)
    put(box, 3)
    await asyncio.to_thread(threading.get_ident)  # a few turns of the loop

    assert reader.read == [1]
    assert box.empty()


# ── a full mailbox ───────────────────────────────────────────────────────────────────────────────


def test_a_full_mailbox_drops_the_oldest_of_what_it_may_drop_and_counts_it() -> None:
    box = mailbox(mark=3)
    put(box, Frame(1), Command(2), Frame(3))

    assert box.full
    put(box, Frame(4))
    assert box.dropped == 1
    put(box, Frame(5))
    assert box.dropped == 2
    assert held(box) == [Command(2), Frame(4), Frame(5)]


def test_a_full_mailbox_accepts_control_and_drops_nothing_for_it() -> None:
    box = mailbox(mark=2)
    put(box, Frame(1), Frame(2), Command(3), Command(4))

    assert box.dropped == 0
    assert held(box) == [Frame(1), Frame(2), Command(3), Command(4)]


def test_a_mailbox_full_of_control_takes_one_frame_at_a_time() -> None:
    box = mailbox(mark=2)
    put(box, Command(1), Command(2), Frame(3), Frame(4), Frame(5))

    assert box.dropped == 2
    assert held(box) == [Command(1), Command(2), Frame(5)]


def test_a_mailbox_below_its_mark_drops_nothing() -> None:
    box = mailbox(mark=3)
    put(box, Frame(1), Frame(2))

    assert not box.full
    put(box, Frame(3))
    assert box.dropped == 0


def test_a_mailbox_drops_nothing_when_nobody_says_that_it_may() -> None:
    box = Mailbox()
    box.mark = 1
    put(box, Frame(1), Frame(2))

    assert held(box) == [Frame(1), Frame(2)]


@given(st.lists(st.sampled_from([Frame, Command])), st.integers(1, 6))
def test_control_is_never_lost_nothing_is_reordered_and_every_loss_is_counted(kinds: list[Any], mark: int) -> None:
    box = mailbox(mark=mark)
    messages = [kind(number) for number, kind in enumerate(kinds)]
    put(box, *messages)
    waiting = held(box)

    assert [m for m in waiting if isinstance(m, Command)] == [m for m in messages if isinstance(m, Command)]
    frames = [m for m in waiting if isinstance(m, Frame)]
    assert frames == [m for m in messages if isinstance(m, Frame)][box.dropped :]
    assert [m.number for m in waiting] == sorted(m.number for m in waiting)
    assert len(frames) <= mark


# ── room ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_mailbox_below_its_mark_has_room_at_once() -> None:
    await asyncio.wait_for(mailbox(mark=1).room(), PATIENCE)


async def test_room_waits_until_the_mailbox_is_below_its_mark() -> None:
    box, reader = mailbox(mark=BATCH), Reader()
    put(box, *range(2 * BATCH))
    waiting = asyncio.create_task(box.room())
    await asyncio.wait([waiting], timeout=0)

    assert not waiting.done()
    box.attach(reader)
    await asyncio.wait_for(waiting, PATIENCE)
    assert len(reader.read) > BATCH


async def test_everybody_who_waits_for_room_is_told_and_one_who_leaves_takes_nobody_along() -> None:
    box = mailbox(mark=1)
    put(box, 1)
    waiting = [asyncio.create_task(box.room()) for _ in range(3)]
    await asyncio.wait(waiting, timeout=0)
    waiting[0].cancel()
    await asyncio.wait([waiting[0]])
    box.attach(Reader())
    done, pending = await asyncio.wait(waiting, timeout=PATIENCE)

    assert not pending
    assert [task.cancelled() for task in waiting] == [True, False, False]
    assert len(done) == 3


async def test_nobody_waits_for_room_in_a_mailbox_that_has_closed() -> None:
    box = mailbox(mark=1)
    put(box, 1)
    waiting = asyncio.create_task(box.room())
    await asyncio.wait([waiting], timeout=0)
    box.close()

    await asyncio.wait_for(waiting, PATIENCE)


async def test_room_can_be_waited_for_again_and_again() -> None:
    box, reader = mailbox(mark=1), Reader()
    box.attach(reader)
    for number in range(3):
        put(box, number)
        await asyncio.wait_for(box.room(), PATIENCE)

    assert reader.read == [0, 1, 2]


async def test_a_crash_in_a_full_mailbox_keeps_whoever_waits_for_room_until_the_rebirth() -> None:
    box, reader = mailbox(mark=2), Reader()

    def read(envelope: Envelope[Any]) -> None:
        reader(envelope)
        box.detach()

    box.attach(read)
    put(box, 1, 2, 3)
    waiting = asyncio.create_task(box.room())
    await reader.until(1)
    await asyncio.wait([waiting], timeout=0)

    assert not waiting.done()
    box.attach(reader)
    await asyncio.wait_for(waiting, PATIENCE)
    assert reader.read == [1, 2, 3]
